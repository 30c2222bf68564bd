//! Who sent a request and when, and how much it may count.
//!
//! One caller must not teach: what is learned rests on samples, and a session gives at most 16 of them, a client 64,
//! equal requests one. Worked out once for each request; all values in it share it.

use serde::{Deserialize, Serialize};

use super::hash::{hash_with, mix};

/// Most samples of a session, or of a certificate where no session is known.
pub const SAMPLES_OF_A_SESSION: u64 = 16;

/// Most samples of a client.
pub const SAMPLES_OF_A_CLIENT: u64 = 64;

/// A session, a certificate and a client of the same text are three.
const SESSION: u64 = 1;
const CERTIFICATE: u64 = 2;
const CLIENT: u64 = 3;

/// Who sent a request and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seen {
    /// The hash of the session, else of the certificate, else of the client; 0 if nobody can be told.
    pub source: u64,
    /// The sample this request belongs to. Requests of the same sample count once.
    pub sample: u64,
    /// Unix seconds.
    pub at: Option<i64>,
}

impl Seen {
    /// Works out source and sample. `request` is the [`hash`](super::hash()) of the whole request: method, URL and body.
    ///
    /// ```
    /// use hauberk_traffic::learn::Seen;
    ///
    /// let one = Seen::new(Some("h:0123456789ab"), None, None, 7, None);
    /// let again = Seen::new(Some("h:0123456789ab"), None, None, 7, Some(1_700_000_000));
    /// assert_eq!((one.source, one.sample), (again.source, again.sample));
    /// ```
    pub fn new(
        session: Option<&str>,
        certificate: Option<&str>,
        client: Option<&str>,
        request: u64,
        at: Option<i64>,
    ) -> Self {
        let of = |text: Option<&str>, kind| text.map(|text| hash_with(text.as_bytes(), kind));
        let who = of(session, SESSION).or_else(|| of(certificate, CERTIFICATE));
        let client = of(client, CLIENT);
        let mut sample = request;
        if let Some(who) = who {
            sample = mix(who, sample % SAMPLES_OF_A_SESSION);
        }
        if let Some(client) = client {
            sample = mix(client, sample % SAMPLES_OF_A_CLIENT);
        }
        Self {
            // 0 has a meaning of its own.
            source: who.or(client).map_or(0, |hash| hash.max(1)),
            sample,
            at,
        }
    }

    /// The day since 1970 in UTC, if the time is known.
    pub(super) fn day(&self) -> Option<i32> {
        let day = self.at?.div_euclid(86_400);
        Some(i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX }))
    }
}
