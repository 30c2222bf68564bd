//! Masks cookies value by value; their names stay.

use crate::mask::Masker;

/// The attributes of `Set-Cookie`, which say nothing of the user.
const COOKIE_ATTRIBUTES: &[&str] = &[
    "domain",
    "expires",
    "httponly",
    "max-age",
    "partitioned",
    "path",
    "priority",
    "samesite",
    "secure",
];

impl Masker {
    /// The value of a `Cookie` header.
    pub(crate) fn mask_cookies(&self, value: &str) -> String {
        value
            .split(';')
            .map(|cookie| self.mask_cookie(cookie.trim()))
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn mask_cookie(&self, cookie: &str) -> String {
        match cookie.split_once('=') {
            Some((name, value)) => format!(
                "{}={}",
                name.trim_end(),
                self.hide(&Self::decoded(value.trim()))
            ),
            None => self.hide(cookie),
        }
    }

    /// The value of a `Set-Cookie` header.
    ///
    /// Recorders join several `Set-Cookie` headers by commas, so what follows a comma in an attribute is taken for a
    /// cookie when it has a `=`; the date of `Expires` has none.
    pub(crate) fn mask_set_cookie(&self, value: &str) -> String {
        let mut parts = value.split(';');
        let mut masked = self.mask_cookie(parts.next().unwrap_or_default().trim());
        for part in parts {
            masked.push_str("; ");
            let (attribute, joined) = split_joined_cookie(part.trim());
            let name = attribute.split('=').next().unwrap_or_default().trim();
            if COOKIE_ATTRIBUTES
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
            {
                masked.push_str(&self.mask_value(attribute, 0));
            } else {
                masked.push_str(&self.mask_cookie(attribute));
            }
            if let Some(cookie) = joined {
                masked.push_str(", ");
                masked.push_str(&self.mask_cookie(cookie));
            }
        }
        masked
    }
}

/// Splits an attribute from a cookie that a comma joins to it: the last comma before a `=`, for dates have commas too.
fn split_joined_cookie(part: &str) -> (&str, Option<&str>) {
    let joined = part.find(',').and_then(|first| {
        let equals = first + part[first..].find('=')?;
        part[..equals].rfind(',')
    });
    match joined {
        Some(comma) => (&part[..comma], Some(part[comma + 1..].trim_start())),
        None => (part, None),
    }
}
