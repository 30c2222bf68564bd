//! What the upstream is told: the client's header without what only we may say, and with what only we can know.

use std::net::IpAddr;

use http::header::{self, HeaderName};
use http::{HeaderValue, Version};
use pingora::http::RequestHeader;
use pingora::proxy::Session;
use pingora::{ErrorType, OrErr as _};
use smallvec::SmallVec;

use crate::host::{Forwarding, Host};
use crate::identity::Standing;
use crate::request_id::RequestId;
use crate::target;

/// Fields that say who the client is, or what it asked of a proxy before us. Nobody but the gateway says so, in any
/// spelling: application servers that turn header names into variables read `Cf_Connecting_Ip` and `Cf.Connecting.Ip`
/// as `Cf-Connecting-Ip`.
const OURS: &[&str] = &[
    "cf-connecting-ip",
    "client-cert",
    "client-cert-chain",
    "forwarded",
    "true-client-ip",
    "x-real-ip",
    "x-request-id",
    "x-rewrite-url",
];

/// Families of such fields, by how they begin.
const OUR_FAMILIES: &[&str] = &["cf-client-cert-", "cf-cert-", "x-forwarded-", "x-original-"];

/// Makes the client's request the one the upstream gets.
///
/// # Errors
///
/// When a value cannot stand in a header, which those made here can.
pub(crate) fn prepare(
    session: &Session,
    request: &mut RequestHeader,
    id: RequestId,
    host: &Host,
    standing: Option<&Standing<'_>>,
) -> pingora::Result<()> {
    strip(request);
    join_cookies(request);
    if target::is_absolute(request) {
        let origin_form = target::path_and_query(request).to_owned();
        request.set_raw_path(&origin_form)?;
    }
    let downstream = session.req_header();
    if let Some(address) = session.client_addr().and_then(|address| address.as_inet()) {
        let address = address_value(address.ip().to_canonical())?;
        request.insert_header("X-Forwarded-For", address.clone())?;
        request.insert_header("Cf-Connecting-Ip", address)?;
    }
    let tls = session
        .digest()
        .is_some_and(|digest| digest.ssl_digest.is_some());
    let scheme = HeaderValue::from_static(if tls { "https" } else { "http" });
    request.insert_header("X-Forwarded-Proto", scheme)?;
    let authority = downstream
        .uri
        .authority()
        .map(|authority| authority.as_str().as_bytes());
    let asked = downstream
        .headers
        .get(header::HOST)
        .map(HeaderValue::as_bytes)
        .or(authority);
    if let Some(asked) = asked {
        request.insert_header("X-Forwarded-Host", asked)?;
    }
    request.insert_header("X-Request-Id", id.as_str())?;
    let via = match downstream.version {
        Version::HTTP_2 => "2 hauberk",
        Version::HTTP_10 => "1.0 hauberk",
        _ => "1.1 hauberk",
    };
    request.append_header(header::VIA, HeaderValue::from_static(via))?;
    if let Some(standing) = standing {
        tell_of_certificate(request, host.forwarding, standing)?;
    }
    Ok(())
}

/// The text of an address. That of IPv4 is put together by hand: the formatting machinery takes as long as all headers of
/// a request take to be copied.
fn address_value(address: IpAddr) -> pingora::Result<HeaderValue> {
    let mut text = SmallVec::<[u8; 64]>::new();
    match address {
        IpAddr::V4(address) => {
            for (index, part) in address.octets().into_iter().enumerate() {
                if index > 0 {
                    text.push(b'.');
                }
                for power in [100, 10] {
                    if part >= power {
                        text.push(b'0' + part / power % 10);
                    }
                }
                text.push(b'0' + part % 10);
            }
        }
        IpAddr::V6(address) => text.extend_from_slice(address.to_string().as_bytes()),
    }
    let value = HeaderValue::from_bytes(&text);
    value.or_err(ErrorType::InternalError, "an address is text")
}

fn strip(request: &mut RequestHeader) {
    let names = request.headers.keys().filter(|name| is_ours(name.as_str()));
    let names: SmallVec<[HeaderName; 4]> = names.cloned().collect();
    for name in &names {
        request.remove_header(name);
    }
}

fn is_ours(name: &str) -> bool {
    // Most names are let go by their first letter.
    if !matches!(name.as_bytes().first(), Some(b'c' | b'f' | b't' | b'x')) {
        return false;
    }
    OURS.iter().any(|ours| is_spelling(name, ours))
        || OUR_FAMILIES.iter().any(|family| {
            name.get(..family.len())
                .is_some_and(|start| is_spelling(start, family))
        })
}

/// Whether application servers may take one name, in lower case as all are here, for the other.
pub(crate) fn is_spelling(name: &str, ours: &str) -> bool {
    let same =
        |(name, ours): (u8, u8)| name == ours || (ours == b'-' && matches!(name, b'_' | b'.'));
    name.len() == ours.len() && name.bytes().zip(ours.bytes()).all(same)
}

/// HTTP/2 may send the cookies one by one; HTTP/1.1 knows one field of them (RFC 9113 section 8.2.3).
fn join_cookies(request: &mut RequestHeader) {
    let mut cookies = request.headers.get_all(header::COOKIE).iter();
    if let (Some(first), Some(second)) = (cookies.next(), cookies.next()) {
        let mut joined = first.as_bytes().to_vec();
        for cookie in std::iter::once(second).chain(cookies) {
            joined.extend_from_slice(b"; ");
            joined.extend_from_slice(cookie.as_bytes());
        }
        if let Ok(joined) = HeaderValue::from_bytes(&joined) {
            request.remove_header(&header::COOKIE);
            // Joined from values that stood there.
            let _ = request.insert_header(header::COOKIE, joined);
        }
    }
}

fn tell_of_certificate(
    request: &mut RequestHeader,
    forwarding: Forwarding,
    standing: &Standing<'_>,
) -> pingora::Result<()> {
    let headers = standing.presented.headers();
    if forwarding.client_cert_headers {
        for (name, value) in &headers.certificate {
            request.insert_header(*name, value.clone())?;
        }
    }
    if forwarding.cf_cert_headers {
        let flag = |flag| HeaderValue::from_static(if flag { "true" } else { "false" });
        request.insert_header("Cf-Cert-Presented", flag(true))?;
        request.insert_header("Cf-Cert-Verified", flag(standing.verified))?;
        request.insert_header("Cf-Cert-Revoked", flag(standing.revoked))?;
        for (name, value) in &headers.facts {
            request.insert_header(*name, value.clone())?;
        }
    }
    if forwarding.rfc9440 && standing.verified && !standing.revoked {
        for (name, value) in &headers.rfc9440 {
            request.insert_header(*name, value.clone())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use super::{address_value, is_ours};

    #[test]
    fn addresses_are_written_as_ever() {
        for part in 0..=255 {
            let v4 = IpAddr::from([part, 255 - part, part / 2, part % 11]);
            let v6 = IpAddr::from([u16::from(part) * 257; 8]);
            for address in [v4, v6] {
                let value = address_value(address).unwrap();
                assert_eq!(value, address.to_string());
            }
        }
        for address in [
            IpAddr::from(Ipv4Addr::UNSPECIFIED),
            IpAddr::from(Ipv6Addr::LOCALHOST),
        ] {
            assert_eq!(address_value(address).unwrap(), address.to_string());
        }
    }

    #[test]
    fn fields_that_say_who_the_client_is_are_known_in_any_spelling() {
        for name in [
            "cf-connecting-ip",
            "cf_connecting_ip",
            "cf-client-cert-sha256",
            "cf_client_cert-der-base64",
            "cf-cert-verified",
            "client-cert",
            "client_cert_chain",
            "x_forwarded_for",
            "x.forwarded.for",
            "x-forwarded-client-cert",
            "x-forwarded-user",
            "x-original-url",
            "x_rewrite_url",
            "forwarded",
        ] {
            assert!(is_ours(name), "{name}");
        }
        for name in [
            "cf-ray",
            "client-certificate",
            "content-type",
            "cookie",
            "x-forwarded",
            "x-api-key",
            "c",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
