//! Which formats a text is in. What schemas can assert is judged by the code that asserts it, so what is learned is
//! what is enforced; in one case less: a `hostname` has a dot, else each word were one.

use hauberk_openapi::Format;

use super::classes::Classes;
use super::number::Literal;

/// Formats, by their number in this list; the order must stay, profiles that are kept use the numbers.
pub(super) const NAMES: [&str; 16] = [
    "date-time",
    "date",
    "time",
    "uuid",
    "email",
    "uri",
    "hostname",
    "ipv4",
    "ipv6",
    "byte",
    "jwt",
    "integer",
    "number",
    "boolean",
    "unix-seconds",
    "unix-milliseconds",
];

const DATE_TIME: u64 = 1;
const DATE: u64 = 1 << 1;
const TIME: u64 = 1 << 2;
const UUID: u64 = 1 << 3;
const EMAIL: u64 = 1 << 4;
const URI: u64 = 1 << 5;
const HOSTNAME: u64 = 1 << 6;
const IPV4: u64 = 1 << 7;
const IPV6: u64 = 1 << 8;
const BYTE: u64 = 1 << 9;
const JWT: u64 = 1 << 10;
const INTEGER: u64 = 1 << 11;
const NUMBER: u64 = 1 << 12;
const BOOLEAN: u64 = 1 << 13;
const UNIX_SECONDS: u64 = 1 << 14;
const UNIX_MILLISECONDS: u64 = 1 << 15;

/// Of longer texts only base64 and JWT are known, in bytes.
const MAX_BYTES: usize = 2048;

/// The years 2000 to 2100.
const SECONDS: std::ops::RangeInclusive<i64> = 946_684_800..=4_102_444_800;

const IN_NUMBERS: Classes = Classes::of_all(b"0+-.eE");
const IN_INTEGERS: Classes = Classes::of_all(b"0-");
const IN_NAMES: Classes = Classes::of_all(b"aA0-.");
const IN_IPV4: Classes = Classes::of_all(b"0.");
const IN_IPV6: Classes = Classes::of_all(b"aA0:.");
const IN_MOMENTS: Classes = Classes::of_all(b"0-:.TtZz+ ");
const IN_BASE64: Classes = Classes::of_all(b"aA0+/=");
const IN_JWT: Classes = Classes::of_all(b"aA0-_.");

/// What a text can be read as, besides being a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Formats {
    /// A bit for each.
    pub(super) bits: u64,
    /// If it reads as a number.
    pub(super) literal: Option<Literal>,
}

impl Formats {
    /// Those of a text with these classes.
    #[inline]
    pub(super) fn of(text: &str, classes: Classes) -> Self {
        let mut found = Self {
            bits: 0,
            literal: None,
        };
        let bytes = text.as_bytes();
        let Some(first) = bytes.first() else {
            return found;
        };
        if bytes.len() > MAX_BYTES {
            found.bits = long(text, classes);
            return found;
        }
        let begins_with_digit = first.is_ascii_digit();
        if (begins_with_digit || *first == b'-') && classes.are_among(IN_NUMBERS) {
            // `-0` is a second spelling of zero; schemas want the first.
            found.literal = Literal::read(text).filter(|_| text != "-0");
            if let Some(literal) = &found.literal {
                found.bits |= NUMBER | of_number(text, classes, literal);
            }
        }
        if classes.has(b'-') || classes.has(b':') {
            found.bits |= of_moment(text, classes);
        }
        if classes.has(b':') {
            if first.is_ascii_alphabetic() && Format::Uri.allows(text) {
                found.bits |= URI;
            }
            if classes.are_among(IN_IPV6) && Format::Ipv6.allows(text) {
                found.bits |= IPV6;
            }
        }
        if classes.has(b'.') {
            if begins_with_digit && classes.are_among(IN_IPV4) && Format::Ipv4.allows(text) {
                found.bits |= IPV4;
            }
            if classes.are_among(IN_NAMES) && is_domain(bytes) && Format::Hostname.allows(text) {
                found.bits |= HOSTNAME;
            }
        }
        if classes.has(b'@') && Format::Email.allows(text) {
            found.bits |= EMAIL;
        }
        if is_boolean(text) {
            found.bits |= BOOLEAN;
        }
        if bytes.len() >= 16 {
            found.bits |= long(text, classes);
        }
        found
    }
}

#[inline]
fn of_number(text: &str, classes: Classes, literal: &Literal) -> u64 {
    if !is_integer(classes, literal) {
        return 0;
    }
    let mut bits = INTEGER;
    if let Ok(value) = text.parse::<i64>() {
        if SECONDS.contains(&value) {
            bits |= UNIX_SECONDS;
        }
        if (SECONDS.start() * 1000..=SECONDS.end() * 1000).contains(&value) {
            bits |= UNIX_MILLISECONDS;
        }
    }
    bits
}

/// Whether a number is written as an integer: `10`, not `10.0` or `1e1`.
#[inline]
pub(super) fn is_integer(classes: Classes, literal: &Literal) -> bool {
    literal.is_whole && classes.are_among(IN_INTEGERS)
}

#[inline]
fn of_moment(text: &str, classes: Classes) -> u64 {
    let bytes = text.as_bytes();
    let mut bits = 0;
    if bytes[0].is_ascii_digit() && classes.are_among(IN_MOMENTS) {
        if bytes.get(4) == Some(&b'-') {
            if bytes.len() == 10 && Format::Date.allows(text) {
                bits |= DATE;
            }
            if Format::DateTime.allows(text) {
                bits |= DATE_TIME;
            }
        } else if bytes.get(2) == Some(&b':') && Format::Time.allows(text) {
            bits |= TIME;
        }
    }
    if bytes.len() == 36 && bytes[8] == b'-' && Format::Uuid.allows(text) {
        bits |= UUID;
    }
    bits
}

#[inline]
pub(super) fn is_boolean(text: &str) -> bool {
    matches!(text, "true" | "false")
}

/// Base64 and JWT: they have no length that would be too much.
fn long(text: &str, classes: Classes) -> u64 {
    if text.len().is_multiple_of(4) && classes.are_among(IN_BASE64) && Format::Byte.allows(text) {
        return BYTE;
    }
    if classes.has(b'.') && classes.are_among(IN_JWT) && is_jwt(text) {
        return JWT;
    }
    0
}

/// RFC 7519: three parts of base64url, of which the first is an object, so begins with `{"`; the last is empty where
/// nothing is signed.
fn is_jwt(text: &str) -> bool {
    let mut parts = text.split('.');
    let (Some(head), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    head.starts_with("ey") && claims.starts_with("ey")
}

/// Whether the last label is not a number, as in `1.2.3`.
fn is_domain(bytes: &[u8]) -> bool {
    let last = bytes.rsplit(|byte| *byte == b'.').next();
    last.is_some_and(|label| label.iter().any(u8::is_ascii_alphabetic))
}
