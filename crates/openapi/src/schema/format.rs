//! Formats that are asserted. `password` is a hint for forms and holds nothing to check; other names are ignored, as JSON
//! Schema asks.

mod address;
mod moment;

use super::number::Number;

/// A format of text that schemas assert.
///
/// ```
/// use hauberk_openapi::Format;
///
/// assert!(Format::Date.allows("2026-11-22"));
/// assert!(!Format::Date.allows("2026-11-31"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFormat {
    /// `date-time`: RFC 3339, with an offset.
    DateTime,
    /// `date`: RFC 3339.
    Date,
    /// `time`: RFC 3339, with an offset.
    Time,
    /// `email`: RFC 5321.
    Email,
    /// `hostname`: RFC 1123, with internationalised labels written as `xn--…`.
    Hostname,
    /// `ipv4`: four decimal numbers.
    Ipv4,
    /// `ipv6`: RFC 4291, without a zone.
    Ipv6,
    /// `uri`: RFC 3986, absolute.
    Uri,
    /// `uri-reference`: RFC 3986, absolute or relative.
    UriReference,
    /// `iri`: RFC 3987, absolute.
    Iri,
    /// `iri-reference`: RFC 3987, absolute or relative.
    IriReference,
    /// `uuid`: RFC 4122.
    Uuid,
    /// `byte`: base64 of RFC 4648 §4 with its padding.
    Byte,
}

/// A format of numbers; text in such a format is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberFormat {
    Int32,
    Int64,
    Uint64,
    Float,
    Double,
}

const TEXT: &[(&str, TextFormat)] = &[
    ("date-time", TextFormat::DateTime),
    ("date", TextFormat::Date),
    ("time", TextFormat::Time),
    ("email", TextFormat::Email),
    ("hostname", TextFormat::Hostname),
    ("ipv4", TextFormat::Ipv4),
    ("ipv6", TextFormat::Ipv6),
    ("uri", TextFormat::Uri),
    ("uri-reference", TextFormat::UriReference),
    ("iri", TextFormat::Iri),
    ("iri-reference", TextFormat::IriReference),
    ("uuid", TextFormat::Uuid),
    ("byte", TextFormat::Byte),
];

const NUMBERS: &[(&str, NumberFormat)] = &[
    ("int32", NumberFormat::Int32),
    ("int64", NumberFormat::Int64),
    ("uint64", NumberFormat::Uint64),
    ("float", NumberFormat::Float),
    ("double", NumberFormat::Double),
];

/// The keyword that stands for `format` when the format is one of numbers.
pub(crate) const NUMERIC_KEYWORD: &str = "x-hauberk-numeric-format";

/// The keyword that asserts the format `name`, if it is asserted at all.
pub(crate) fn keyword_of(name: &str) -> Option<&'static str> {
    if TextFormat::named(name).is_some() {
        Some("format")
    } else if NumberFormat::named(name).is_some() {
        Some(NUMERIC_KEYWORD)
    } else {
        None
    }
}

impl TextFormat {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let known = TEXT.iter().find(|(known, _)| *known == name);
        known.map(|(_, format)| *format)
    }

    pub(crate) fn name(self) -> &'static str {
        let known = TEXT.iter().find(|(_, format)| *format == self);
        known.map_or("", |(name, _)| name)
    }

    /// Whether a text is in this format: what a schema with it would say.
    #[inline]
    pub fn allows(self, text: &str) -> bool {
        match self {
            Self::DateTime => moment::is_date_time(text.as_bytes()),
            Self::Date => moment::is_date(text.as_bytes()),
            Self::Time => moment::is_time(text.as_bytes()),
            Self::Email => address::is_email(text),
            Self::Hostname => address::is_hostname(text),
            Self::Ipv4 => text.parse::<std::net::Ipv4Addr>().is_ok(),
            Self::Ipv6 => text.parse::<std::net::Ipv6Addr>().is_ok(),
            Self::Uri => fluent_uri::Uri::parse(text).is_ok(),
            Self::UriReference => fluent_uri::UriRef::parse(text).is_ok(),
            Self::Iri => fluent_uri::Iri::parse(text).is_ok(),
            Self::IriReference => fluent_uri::IriRef::parse(text).is_ok(),
            Self::Uuid => is_uuid(text.as_bytes()),
            Self::Byte => is_base64(text.as_bytes()),
        }
    }
}

impl NumberFormat {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let known = NUMBERS.iter().find(|(known, _)| *known == name);
        known.map(|(_, format)| *format)
    }

    pub(crate) fn name(self) -> &'static str {
        let known = NUMBERS.iter().find(|(_, format)| *format == self);
        known.map_or("", |(name, _)| name)
    }

    pub(crate) fn allows(self, number: Number<'_>) -> bool {
        match self {
            Self::Int32 => number
                .whole()
                .is_some_and(|whole| i32::try_from(whole).is_ok()),
            Self::Int64 => number
                .whole()
                .is_some_and(|whole| i64::try_from(whole).is_ok()),
            Self::Uint64 => number
                .whole()
                .is_some_and(|whole| u64::try_from(whole).is_ok()),
            Self::Float => number.nearest().abs() <= f64::from(f32::MAX),
            Self::Double => number.nearest().is_finite(),
        }
    }
}

/// RFC 4122: groups of 8, 4, 4, 4 and 12 hexadecimal digits.
fn is_uuid(text: &[u8]) -> bool {
    let Ok(text) = <&[u8; 36]>::try_from(text) else {
        return false;
    };
    let mut fits = true;
    for (at, byte) in text.iter().enumerate() {
        fits &= if matches!(at, 8 | 13 | 18 | 23) {
            *byte == b'-'
        } else {
            byte.is_ascii_hexdigit()
        };
    }
    fits
}

/// Base64 as RFC 4648 §4 writes it, padding included; line breaks are refused.
fn is_base64(bytes: &[u8]) -> bool {
    if !bytes.len().is_multiple_of(4) {
        return false;
    }
    let padding = bytes
        .iter()
        .rev()
        .take(2)
        .take_while(|byte| **byte == b'=')
        .count();
    bytes[..bytes.len() - padding]
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_formats_bound_numbers() {
        for (name, value, wanted) in [
            ("int32", "2147483647", true),
            ("int32", "2147483648", false),
            ("int32", "1.0", true),
            ("int32", "1.5", false),
            ("int32", "1e400", false),
            ("int64", "-9223372036854775808", true),
            ("int64", "9223372036854775808", false),
            ("uint64", "18446744073709551615", true),
            ("uint64", "-1", false),
            ("uint64", "1e40", false),
            ("float", "3.5", true),
            ("float", "1e39", false),
            ("double", "1e300", true),
            ("double", "1e400", false),
        ] {
            let format = NumberFormat::named(name).expect("a format");
            assert_eq!(format.allows(Number::new(value)), wanted, "{name} {value}");
        }
    }

    #[test]
    fn base64_has_its_padding_and_uuids_their_hyphens() {
        for (text, wanted) in [
            ("", true),
            ("aGk=", true),
            ("aA==", true),
            ("aGk", false),
            ("aG k", false),
            ("=aaa", false),
            ("a===", false),
            ("a-_=", false),
        ] {
            assert_eq!(TextFormat::Byte.allows(text), wanted, "{text}");
        }
        for (text, wanted) in [
            ("2eb8aa08-aa98-11ea-b4aa-73b441d16380", true),
            ("2EB8AA08-AA98-11EA-B4AA-73B441D16380", true),
            ("2eb8aa08-aa98-11ea-b4aa-73b441d1638", false),
            ("2eb8aa08aa98-11ea-b4aa73b441d16380---", false),
            ("2eb8aa08-aa98-11ea-b4aa-73b441d1638g", false),
        ] {
            assert_eq!(TextFormat::Uuid.allows(text), wanted, "{text}");
        }
    }
}
