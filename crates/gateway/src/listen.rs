//! Addresses to listen on, bound before anything else so that a taken one is an error with its name in it.

use std::io::ErrorKind as IoErrorKind;
use std::net::{SocketAddr, TcpListener};

use crate::error::{Error, ErrorKind};

/// Binds an address.
///
/// # Errors
///
/// What the system says, with the address.
pub(crate) fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |cause: std::io::Error| {
        let (kind, what) = match cause.kind() {
            IoErrorKind::AddrInUse => (ErrorKind::AddressInUse, "is in use"),
            IoErrorKind::AddrNotAvailable => {
                (ErrorKind::Address, "is not an address of this machine")
            }
            IoErrorKind::PermissionDenied => (
                ErrorKind::Address,
                "needs more rights than this process has",
            ),
            _ => (ErrorKind::Address, "cannot be listened on"),
        };
        Error::because(kind, format!("{address} {what}"), cause)
    };
    // On Unix the standard library sets SO_REUSEADDR: a restart does not wait for old connections to be forgotten.
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
