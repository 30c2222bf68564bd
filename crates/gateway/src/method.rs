//! The method of a request: spelt as it counts, and not to be overridden.

use http::{HeaderMap, Method};

use crate::forward::is_spelling;

/// The registry of RFC 9110 section 16.1, and what caches understand besides.
#[rustfmt::skip]
const METHODS: &[&str] = &[
    "ACL", "BAN", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "CONNECT", "COPY", "DELETE", "GET", "HEAD",
    "LABEL", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE",
    "OPTIONS", "ORDERPATCH", "PATCH", "POST", "PRI", "PROPFIND", "PROPPATCH", "PURGE", "PUT", "QUERY", "REBIND",
    "REPORT", "SEARCH", "TRACE", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
];

/// Fields by which some frameworks take another method than that of the request.
const OVERRIDES: &[&str] = &[
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

/// Whether a method is a registered one but for its case. Methods are compared byte for byte (RFC 9110 section 9.1),
/// here and in rules; origins that take `post` for `POST` must not be asked what was never judged.
pub(crate) fn is_misspelt(method: &Method) -> bool {
    let method = method.as_str();
    method.bytes().any(|byte| byte.is_ascii_lowercase())
        && METHODS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(method))
}

/// Whether a field asks the origin to take another method than the request's own. One that names the same is harmless.
pub fn is_overridden(method: &Method, headers: &HeaderMap) -> bool {
    let overrides = |name: &str| {
        name.starts_with('x') && OVERRIDES.iter().any(|known| is_spelling(name, known))
    };
    headers.iter().any(|(name, value)| {
        overrides(name.as_str())
            && !value
                .as_bytes()
                .trim_ascii()
                .eq_ignore_ascii_case(method.as_str().as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::{is_misspelt, is_overridden};
    use http::{HeaderMap, Method};

    #[test]
    fn a_method_in_another_case_is_no_method() {
        for (method, misspelt) in [
            ("POST", false),
            ("post", true),
            ("Post", true),
            ("version-Control", true),
            ("poster", false),
            ("X-Own", false),
        ] {
            let method = Method::from_bytes(method.as_bytes()).expect("a token");
            assert_eq!(is_misspelt(&method), misspelt, "{method}");
        }
    }

    #[test]
    fn a_field_that_names_another_method_overrides_it() {
        for (name, value, overridden) in [
            ("x-http-method-override", "DELETE", true),
            ("x_http_method_override", "DELETE", true),
            ("x-http.method", "get", true),
            ("x-method-override", "", true),
            ("x-method-override", " post ", false),
            ("x-method", "DELETE", false),
            ("http-method", "DELETE", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a header value"));
            assert_eq!(is_overridden(&Method::POST, &headers), overridden, "{name}");
        }
    }
}
