//! TLS towards clients: which certificate they see, whether they are asked for theirs, and which sessions are resumed.
//!
//! The client hello chooses a host of the snapshot in force by its server name. From then on the handshake belongs to
//! that host: its session context is set before OpenSSL looks at tickets, so that a session made under another host,
//! or under another set of authorities, falls back to a full handshake. A client certificate is asked for, never
//! demanded, and OpenSSL's own verification is overruled: the verdict is found at the end of the handshake, per host,
//! and the rules of the zone decide what follows from it.

mod accept;
mod hello;
mod patience;
mod tickets;

use std::os::raw::c_long;
use std::ptr;
use std::sync::{Arc, LazyLock};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslContextBuilder, SslSessionCacheMode, SslVersion};
use openssl_sys as ffi;
use pingora::listeners::tls::TlsSettings;

use self::accept::Accept;
pub(crate) use self::patience::Patience;
pub(crate) use self::tickets::TicketKeys;
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use crate::seats::Seat;
use crate::shared::Shared;

/// How long a session can be resumed, in seconds. Identity and revocation are looked at again on each request, so this
/// bounds only how long a client goes without proving again that it holds its key.
const SESSION_SECONDS: c_long = 3600;

/// The most a client may send as its certificate chain, in bytes. Room for what is handed on as RFC 9440 headers and
/// for the chain being too large for that, which rules can ask about; beyond it the handshake ends with an alert.
const MAX_CHAIN_BYTES: c_long = 64 * 1024;

/// What the client hello of a connection said.
struct Hello {
    host: Arc<Host>,
    server_name: Option<Box<str>>,
    /// Until the connection is closed, and this with it.
    _seat: Seat,
}

/// Where a connection keeps its [`Hello`]. OpenSSL hands these slots out and never takes them back.
static HELLO: LazyLock<Result<Index<Ssl, Hello>, ErrorStack>> = LazyLock::new(Ssl::new_ex_index);

fn hello_slot() -> Option<Index<Ssl, Hello>> {
    HELLO.as_ref().ok().copied()
}

/// The settings of a listener with TLS. Whatever listener or thread made a session, each can resume it.
///
/// # Errors
///
/// When OpenSSL refuses a setting, which would be our mistake.
pub(crate) fn settings(shared: &Arc<Shared>) -> Result<TlsSettings, Error> {
    let refused = |cause: ErrorStack| Error::because(ErrorKind::Tls, "TLS cannot be set up", cause);
    HELLO.as_ref().map_err(|cause| refused(cause.clone()))?;
    let accept = Accept::new(Arc::clone(shared));
    let mut settings = TlsSettings::with_callbacks(Box::new(accept)).map_err(|cause| {
        Error::because(ErrorKind::Tls, "TLS cannot be set up", cause.to_string())
    })?;
    settings.enable_h2();
    settings
        .set_min_proto_version(Some(SslVersion::TLS1_2))
        .map_err(refused)?;
    // Tickets are the only sessions: what is kept in memory here would be one more thing to bound and to forget.
    settings.set_session_cache_mode(SslSessionCacheMode::OFF);
    shared.ticket_keys.install(&mut settings).map_err(refused)?;
    limit(&mut settings);
    hello::install(&mut settings, Arc::clone(shared));
    Ok(settings)
}

unsafe extern "C" {
    // Public in every OpenSSL; the bindings do not name it.
    fn SSL_CTX_set_timeout(context: *mut ffi::SSL_CTX, seconds: c_long) -> c_long;
}

fn limit(builder: &mut SslContextBuilder) {
    // SAFETY: the context is alive and ours alone while it is built; both calls take plain numbers.
    unsafe {
        SSL_CTX_set_timeout(builder.as_ptr(), SESSION_SECONDS);
        ffi::SSL_CTX_ctrl(
            builder.as_ptr(),
            SSL_CTRL_SET_MAX_CERT_LIST,
            MAX_CHAIN_BYTES,
            ptr::null_mut(),
        );
    }
}

/// From OpenSSL's `ssl.h`; the bindings do not name it.
const SSL_CTRL_SET_MAX_CERT_LIST: std::os::raw::c_int = 51;
