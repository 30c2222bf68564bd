//! The keys that session tickets are sealed with.
//!
//! Each thread has TLS contexts of its own, and OpenSSL would give each of them other keys: a session could be resumed
//! only by chance, on the thread that made it. So one set is made at the start and given to all.
//!
//! The keys are not changed while the gateway runs, as OpenSSL does not change its own. A session cannot be resumed
//! for longer than an hour whatever the key, and identity is judged anew at each request; a restart makes new keys,
//! and costs each client one full handshake.

use std::os::raw::{c_int, c_long};

use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use openssl::ssl::SslContextBuilder;
use openssl_sys as ffi;

/// From OpenSSL's `tls1.h`; the bindings do not name it.
const SSL_CTRL_SET_TLSEXT_TICKET_KEYS: c_int = 59;

/// A name by which a ticket tells its keys, one for HMAC-SHA256 and one for AES-256, as OpenSSL lays them out.
const LENGTH: usize = 16 + 32 + 32;

/// Known to this process only.
pub(crate) struct TicketKeys([u8; LENGTH]);

impl TicketKeys {
    /// # Errors
    ///
    /// When the system has no randomness to give.
    pub(crate) fn random() -> Result<Self, ErrorStack> {
        let mut keys = [0; LENGTH];
        rand_bytes(&mut keys)?;
        Ok(Self(keys))
    }

    /// Has a context seal and open its tickets with these keys.
    pub(super) fn install(&self, builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        let length = c_long::try_from(LENGTH).expect("it is 80");
        // SAFETY: the context is alive and ours alone while it is built. OpenSSL copies the keys, never writes to them,
        // and answers 0 if it lays out another length.
        let set = unsafe {
            ffi::SSL_CTX_ctrl(
                builder.as_ptr(),
                SSL_CTRL_SET_TLSEXT_TICKET_KEYS,
                length,
                self.0.as_ptr().cast_mut().cast(),
            )
        };
        if set == 1 {
            Ok(())
        } else {
            Err(ErrorStack::get())
        }
    }
}
