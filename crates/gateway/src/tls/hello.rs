//! The client hello: the server name chooses the host, and the host chooses which sessions may be resumed.

use std::os::raw::{c_int, c_uchar, c_uint};
use std::ptr;
use std::slice;
use std::sync::Arc;

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ssl::{ClientHelloResponse, SslAlert, SslContextBuilder, SslRef};
use openssl_sys as ffi;

use super::{Hello, hello_slot};
use crate::shared::Shared;

/// The extension `server_name` of RFC 6066.
const SERVER_NAME: c_uint = 0;

/// The only kind of name RFC 6066 defines.
const HOST_NAME: u8 = 0;

unsafe extern "C" {
    // Public since OpenSSL 0.9.8; the bindings name only the one for contexts.
    fn SSL_set_session_id_context(
        ssl: *mut ffi::SSL,
        context: *const c_uchar,
        length: c_uint,
    ) -> c_int;
}

/// Hooks into the handshake before OpenSSL reads tickets: with the session context set by then, TLS 1.2 and 1.3 both
/// compare it and fall back to a full handshake when it differs.
pub(super) fn install(builder: &mut SslContextBuilder, shared: Arc<Shared>) {
    builder.set_client_hello_callback(move |ssl, alert| {
        let server_name = server_name(ssl);
        let enforced = shared.enforced();
        let host = enforced
            .as_ref()
            .and_then(|enforced| enforced.hosts.for_server_name(server_name.as_deref()));
        let (Some(host), Some(slot), Some(seat)) = (host, hello_slot(), shared.seat()) else {
            // Nothing to show before the first snapshot, or nowhere to sit.
            *alert = SslAlert::INTERNAL_ERROR;
            return Err(ErrorStack::get());
        };
        shared.metrics.client_hellos.inc();
        set_session_context(ssl, &host.session_context)?;
        let host = Arc::clone(host);
        let hello = Hello {
            host,
            server_name,
            _seat: seat,
        };
        ssl.set_ex_data(slot, hello);
        Ok(ClientHelloResponse::SUCCESS)
    });
}

fn set_session_context(ssl: &SslRef, context: &[u8; 32]) -> Result<(), ErrorStack> {
    // SAFETY: the connection is alive for the call, OpenSSL copies the context, and 32 bytes is the length it allows.
    let set = unsafe { SSL_set_session_id_context(ssl.as_ptr(), context.as_ptr(), 32) };
    if set == 1 {
        Ok(())
    } else {
        Err(ErrorStack::get())
    }
}

/// The server name in lower case, without the dot that may end it.
fn server_name(ssl: &SslRef) -> Option<Box<str>> {
    let mut start: *const c_uchar = ptr::null();
    let mut length = 0;
    // SAFETY: called from the client hello callback, where OpenSSL lets extensions be read; it fills both out
    // parameters when it answers 1.
    let found = unsafe {
        ffi::SSL_client_hello_get0_ext(ssl.as_ptr(), SERVER_NAME, &raw mut start, &raw mut length)
    };
    if found != 1 || start.is_null() {
        return None;
    }
    // SAFETY: the extension's bytes belong to the connection and outlive this callback.
    let extension = unsafe { slice::from_raw_parts(start, length) };
    let name = std::str::from_utf8(host_name(extension)?).ok()?;
    Some(name.trim_end_matches('.').to_ascii_lowercase().into())
}

/// The first host name of the extension: a list with its length, of kinds and names with their lengths.
fn host_name(extension: &[u8]) -> Option<&[u8]> {
    let (length, list) = extension.split_first_chunk::<2>()?;
    let mut list = list.get(..usize::from(u16::from_be_bytes(*length)))?;
    while let Some(([kind, high, low], rest)) = list.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (name, others) = rest.split_at_checked(length)?;
        if *kind == HOST_NAME {
            return Some(name);
        }
        list = others;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn the_host_name_is_read_from_well_formed_extensions_only() {
        let cases: [(&[u8], Option<&[u8]>); 7] = [
            (b"\0\x05\0\0\x02ab", Some(b"ab")),
            (b"\0\x0a\x07\0\x02zz\0\0\x02ab", Some(b"ab")),
            (b"\0\x05\0\0\x02a", None),
            (b"\0\x05\0\0\x09ab", None),
            (b"\0\0", None),
            (b"\0", None),
            (b"", None),
        ];
        for (extension, name) in cases {
            assert_eq!(host_name(extension), name, "{extension:?}");
        }
    }
}
