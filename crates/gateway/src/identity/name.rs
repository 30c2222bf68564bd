//! Distinguished names as text, in the three styles people write rules with.

use std::ffi::{CStr, c_char, c_int, c_ulong};
use std::ptr;

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::x509::X509NameRef;
use openssl_sys as ffi;

/// `XN_FLAG_ONELINE` of OpenSSL's `x509.h`: `C = US, O = Example`, most significant part first.
const ONELINE: c_ulong = 0x31f | (2 << 16) | (1 << 23);
/// `XN_FLAG_RFC2253` of OpenSSL's `x509.h`: `O=Example,C=US`, least significant part first.
const RFC2253: c_ulong = 0x317 | (1 << 16) | (1 << 20) | (1 << 24);

unsafe extern "C" {
    // Both are part of OpenSSL's public interface since 1.0; the bindings do not name them.
    fn X509_NAME_print_ex(
        out: *mut ffi::BIO,
        name: *const ffi::X509_NAME,
        indent: c_int,
        flags: c_ulong,
    ) -> c_int;
    fn X509_NAME_oneline(
        name: *const ffi::X509_NAME,
        buffer: *mut c_char,
        size: c_int,
    ) -> *mut c_char;
}

/// The modern style of OpenSSL: `C = US, O = Example, CN = device`. Bytes beyond ASCII are escaped.
pub(super) fn modern(name: &X509NameRef) -> Result<String, ErrorStack> {
    print(name, ONELINE)
}

/// RFC 2253: `CN=device,O=Example,C=US`. Bytes beyond ASCII are escaped.
pub(super) fn rfc2253(name: &X509NameRef) -> Result<String, ErrorStack> {
    print(name, RFC2253)
}

/// The old style: `/C=US/O=Example/CN=device`. Bytes beyond ASCII are escaped.
pub(super) fn legacy(name: &X509NameRef) -> Result<String, ErrorStack> {
    // SAFETY: with no buffer of ours, OpenSSL allocates one that ends in NUL, or returns null. It is freed once, after
    // its text was copied.
    unsafe {
        let text = X509_NAME_oneline(name.as_ptr(), ptr::null_mut(), 0);
        if text.is_null() {
            return Err(ErrorStack::get());
        }
        let copied = CStr::from_ptr(text).to_string_lossy().into_owned();
        ffi::OPENSSL_free(text.cast());
        Ok(copied)
    }
}

fn print(name: &X509NameRef, flags: c_ulong) -> Result<String, ErrorStack> {
    // SAFETY: the BIO lives from its making, checked, to the one free below. The name is borrowed for the call and not
    // changed. The memory that `BIO_get_mem_data` points to belongs to the BIO and is copied before that is freed.
    unsafe {
        let out = ffi::BIO_new(ffi::BIO_s_mem());
        if out.is_null() {
            return Err(ErrorStack::get());
        }
        let written = X509_NAME_print_ex(out, name.as_ptr(), 0, flags);
        let mut start: *mut c_char = ptr::null_mut();
        let length = ffi::BIO_get_mem_data(out, &raw mut start);
        let text = if written < 0 || start.is_null() {
            None
        } else {
            let length = usize::try_from(length).unwrap_or(0);
            let bytes = std::slice::from_raw_parts(start.cast::<u8>(), length);
            Some(String::from_utf8_lossy(bytes).into_owned())
        };
        ffi::BIO_free_all(out);
        // A name without parts prints nothing, and that is its text.
        if written < 0 {
            return Err(ErrorStack::get());
        }
        Ok(text.unwrap_or_default())
    }
}
