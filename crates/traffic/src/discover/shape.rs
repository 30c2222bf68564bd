//! What a segment looks like, told from its letters alone.

/// The lexical class of a segment, from "surely a word" to "surely a value".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Shape {
    /// Nothing between two slashes, or a trailing slash.
    Empty,
    /// Letters, with `-`, `_`, `.` or humps between words.
    Word,
    /// `v1`, `v2beta1`, `v1.2`.
    Version,
    /// `en-US`, `pt_BR`.
    Locale,
    /// A word with a file extension.
    FileName,
    /// Letters and digits without more to say.
    Mixed,
    /// `1.29`, `3.0.1`
    Decimal,
    /// `2024-01-31`, perhaps with a time.
    Date,
    /// Up to four digits.
    SmallInteger,
    /// A name with dots that ends like a domain.
    HostName,
    /// `192.0.2.1`, `2001:db8::1`
    Ip,
    /// Holds an `@`.
    Email,
    /// Percent-encoded, or with characters that words do not have.
    Odd,
    /// Five digits or more.
    Integer,
    /// A short prefix and random characters: `ch_2P5Xabc…`.
    Prefixed,
    /// Random letters and digits of mixed case.
    Random,
    /// Eight or more hexadecimal digits, with a digit and a letter among them.
    Hex,
    /// 26 characters of Crockford's base 32.
    Ulid,
    /// 27 characters of base 62.
    Ksuid,
    /// 24 hexadecimal digits.
    ObjectId,
    /// 32, 40, 64 or more hexadecimal digits.
    Hash,
    /// 8-4-4-4-12 hexadecimal digits.
    Uuid,
    /// Three parts of base64, or one that begins like encoded JSON.
    Token,
}

impl Shape {
    /// How many there are.
    pub(super) const COUNT: usize = Self::Token as usize + 1;

    /// Whether nothing but a value looks so.
    pub(super) fn is_identifier(self) -> bool {
        self >= Self::Integer || matches!(self, Self::Email | Self::Ip)
    }

    /// In words for people, in the plural.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Empty => "empty segments",
            Self::Word => "words",
            Self::Version => "versions",
            Self::Locale => "locales",
            Self::FileName => "file names",
            Self::Mixed => "letters with digits",
            Self::Decimal => "version numbers",
            Self::Date => "dates",
            Self::SmallInteger | Self::Integer => "whole numbers",
            Self::HostName => "host names",
            Self::Ip => "IP addresses",
            Self::Email => "e-mail addresses",
            Self::Odd => "text with unusual characters",
            Self::Prefixed => "identifiers with a prefix",
            Self::Random => "random identifiers",
            Self::Hex => "hexadecimal numbers",
            Self::Ulid => "ULIDs",
            Self::Ksuid => "KSUIDs",
            Self::ObjectId => "object ids of 24 hexadecimal digits",
            Self::Hash => "hashes",
            Self::Uuid => "UUIDs",
            Self::Token => "tokens",
        }
    }

    /// Tells what a segment looks like.
    pub(super) fn of(segment: &str) -> Self {
        let bytes = segment.as_bytes();
        let length = bytes.len();
        if length == 0 {
            return Self::Empty;
        }
        let digits = count(bytes, u8::is_ascii_digit);
        let letters = count(bytes, u8::is_ascii_alphabetic);
        if digits == length {
            return if length <= 4 {
                Self::SmallInteger
            } else {
                Self::Integer
            };
        }
        if is_uuid(bytes) {
            return Self::Uuid;
        }
        let is_hex = bytes.iter().all(u8::is_ascii_hexdigit);
        if is_hex && length >= 8 && digits > 0 && letters > 0 {
            return match length {
                24 => Self::ObjectId,
                32 | 40 | 56 | 64.. => Self::Hash,
                _ => Self::Hex,
            };
        }
        if is_version(segment) {
            return Self::Version;
        }
        if is_date(bytes) {
            return Self::Date;
        }
        if is_locale(bytes) {
            return Self::Locale;
        }
        if is_ip(segment) {
            return Self::Ip;
        }
        if is_decimal(segment) {
            return Self::Decimal;
        }
        if segment.contains('@') || segment.contains("%40") {
            return Self::Email;
        }
        if is_token(segment) {
            return Self::Token;
        }
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
        if !bytes.iter().all(is_plain) {
            return if bytes
                .iter()
                .all(|byte| is_plain(byte) || *byte == b'%' || b"!$&'()*+,;=:".contains(byte))
                && letters > 0
                && digits == 0
                && !bytes.contains(&b'%')
            {
                Self::Mixed
            } else {
                Self::Odd
            };
        }
        if digits > 0 && letters > 0 {
            if let Some(found) = random(segment, digits) {
                return found;
            }
        } else if letters == length && length >= 16 && is_jumbled(bytes) {
            return Self::Random;
        }
        if let Some((stem, extension)) = segment.rsplit_once('.')
            && !stem.is_empty()
        {
            if is_extension(extension) {
                return Self::FileName;
            }
            if is_domain_end(extension) && stem.bytes().any(|byte| byte.is_ascii_alphabetic()) {
                return Self::HostName;
            }
        }
        if digits == 0 && letters > 0 {
            return Self::Word;
        }
        Self::Mixed
    }
}

fn count(bytes: &[u8], of: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().filter(|byte| of(byte)).count()
}

fn is_uuid(bytes: &[u8]) -> bool {
    let bytes = match bytes {
        [b'{', inner @ .., b'}'] => inner,
        _ => bytes,
    };
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `v1`, `v1.2`, `v2beta1`, `v4beta`, `v1p3beta1`; up to two digits a number.
fn is_version(segment: &str) -> bool {
    let Some(rest) = segment.strip_prefix(['v', 'V']) else {
        return false;
    };
    if !rest.starts_with(|first: char| first.is_ascii_digit()) || rest.len() > 12 {
        return false;
    }
    let mut run = 0;
    let mut letters = String::new();
    for character in rest.chars() {
        match character {
            '0'..='9' => run += 1,
            '.' | '_' | '-' => run = 0,
            'a'..='z' | 'A'..='Z' => {
                run = 0;
                letters.push(character.to_ascii_lowercase());
            }
            _ => return false,
        }
        if run > 2 {
            return false;
        }
    }
    matches!(
        letters.as_str(),
        "" | "alpha" | "beta" | "rc" | "p" | "palpha" | "pbeta" | "preview" | "x"
    )
}

/// `1.2`, `10.0.1`: numbers with dots between.
fn is_decimal(segment: &str) -> bool {
    segment.contains('.')
        && segment.split('.').count() <= 4
        && segment
            .split('.')
            .all(|part| (1..=5).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

fn is_ip(segment: &str) -> bool {
    let plain = segment.replace("%3A", ":");
    segment.bytes().filter(|byte| *byte == b'.').count() == 3
        && segment.parse::<std::net::Ipv4Addr>().is_ok()
        || plain.contains(':') && plain.parse::<std::net::Ipv6Addr>().is_ok()
}

/// `2024-01-31` and what begins so (a time of day), `2024-01`, and eight digits are left to the numbers.
fn is_date(bytes: &[u8]) -> bool {
    let digits = |range: std::ops::Range<usize>| {
        bytes
            .get(range)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let year = digits(0..4) && bytes.get(4) == Some(&b'-') && matches!(bytes[0], b'1' | b'2');
    year && digits(5..7)
        && (bytes.len() == 7
            || bytes.get(7) == Some(&b'-')
                && digits(8..10)
                && (bytes.len() == 10
                    || matches!(bytes[10], b'T' | b't' | b'%' | b' ' | b'_' | b'-')))
}

fn is_locale(bytes: &[u8]) -> bool {
    match bytes {
        [a, b, b'-' | b'_', c, d] => {
            a.is_ascii_lowercase()
                && b.is_ascii_lowercase()
                && (c.is_ascii_uppercase() && d.is_ascii_uppercase())
        }
        _ => false,
    }
}

/// A JSON Web Token or something else of base64 that begins with an encoded `{"`.
fn is_token(segment: &str) -> bool {
    segment.starts_with("eyJ") && segment.len() >= 20
}

/// Random characters, perhaps behind a short prefix, in a segment that has letters and digits.
fn random(segment: &str, digits: usize) -> Option<Shape> {
    let bytes = segment.as_bytes();
    let length = bytes.len();
    let alphanumeric = bytes.iter().all(u8::is_ascii_alphanumeric);
    let upper = bytes.iter().any(u8::is_ascii_uppercase);
    let lower = bytes.iter().any(u8::is_ascii_lowercase);
    if alphanumeric && length == 26 && !lower && !bytes.iter().any(|b| b"ILOU".contains(b)) {
        return Some(Shape::Ulid);
    }
    if alphanumeric && length == 27 && upper && lower {
        return Some(Shape::Ksuid);
    }
    if let Some(at) = segment.find(['_', '-'])
        && (1..=10).contains(&at)
        && bytes[..at].iter().all(u8::is_ascii_alphabetic)
    {
        let rest = &bytes[segment.rfind(['_', '-']).unwrap_or(at) + 1..];
        if rest.len() >= 8 && rest.iter().all(u8::is_ascii_alphanumeric) && looks_random(rest) {
            return Some(Shape::Prefixed);
        }
    }
    (alphanumeric && length >= 10 && digits >= 2 && looks_random(bytes)).then_some(Shape::Random)
}

/// Letters and digits change places often, or cases do.
fn looks_random(bytes: &[u8]) -> bool {
    let digits = count(bytes, u8::is_ascii_digit);
    let changes = bytes
        .windows(2)
        .filter(|pair| {
            pair[0].is_ascii_digit() != pair[1].is_ascii_digit()
                || pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()
        })
        .count();
    let is_hex = bytes.iter().all(u8::is_ascii_hexdigit) && digits > 0;
    is_hex && digits < bytes.len() || changes * 6 >= bytes.len() && changes >= 3 && digits > 0
}

/// Letters alone whose case changes as random letters' does.
fn is_jumbled(bytes: &[u8]) -> bool {
    let changes = bytes
        .windows(2)
        .filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
        .count();
    changes * 5 > bytes.len()
}

const EXTENSIONS: &[&str] = &[
    "7z", "asp", "aspx", "atom", "avi", "bin", "bmp", "bz2", "c", "cfg", "conf", "cpp", "cs",
    "css", "csv", "diff", "doc", "docx", "eot", "exe", "gif", "go", "gz", "h", "html", "htm",
    "ico", "ics", "ini", "jar", "java", "jpeg", "jpg", "js", "json", "jsonp", "jsp", "kml", "log",
    "m3u8", "map", "md", "mjs", "mov", "mp3", "mp4", "mpd", "ods", "ogg", "patch", "pdf", "pem",
    "php", "png", "ppt", "pptx", "py", "rb", "rdf", "rs", "rss", "rst", "rtf", "sh", "sql", "svg",
    "swf", "tar", "tgz", "tif", "tiff", "toml", "ts", "tsv", "ttf", "txt", "wav", "webm", "webp",
    "woff", "woff2", "xhtml", "xls", "xlsx", "xml", "xsd", "yaml", "yml", "zip",
];

fn is_extension(extension: &str) -> bool {
    extension.len() <= 5 && EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str())
}

fn is_domain_end(label: &str) -> bool {
    const ENDS: &[&str] = &[
        "biz", "ca", "ch", "co", "com", "de", "dev", "edu", "eu", "fr", "gov", "in", "info", "int",
        "invalid", "jp", "local", "mil", "net", "nl", "org", "ru", "test", "tech", "uk", "us",
        "xyz", "example",
    ];
    ENDS.contains(&label.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_look_like_what_they_are() {
        for (segment, wanted) in [
            ("", Shape::Empty),
            ("users", Shape::Word),
            ("code-scanning", Shape::Word),
            ("targetHttpProxies", Shape::Word),
            ("v4beta", Shape::Version),
            ("v1p3beta1", Shape::Version),
            ("v1234", Shape::Mixed),
            ("en-US", Shape::Locale),
            ("avatar.png", Shape::FileName),
            ("server2", Shape::Mixed),
            ("1.29", Shape::Decimal),
            ("2024-01-31", Shape::Date),
            ("2024-01-31T12:00:00Z", Shape::Date),
            ("42", Shape::SmallInteger),
            ("117020566092212359", Shape::Integer),
            ("example.com", Shape::HostName),
            ("192.0.2.1", Shape::Ip),
            ("2001:db8::1", Shape::Ip),
            ("someone@example.com", Shape::Email),
            ("a%20b", Shape::Odd),
            ("ch_2P5XabcdE9fGh1", Shape::Prefixed),
            ("file-2b6dRdmXnzSrqiEbhVJZRU", Shape::Prefixed),
            ("3lZ8hGq0bT1x", Shape::Random),
            ("deadbeef01", Shape::Hex),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", Shape::Ulid),
            ("0ujtsYcgvSTl8PAuAdqWYSMnLOv", Shape::Ksuid),
            ("507f1f77bcf86cd799439011", Shape::ObjectId),
            ("0da42c8d2132a9ddaf714f9e7c920711", Shape::Hash),
            ("6fa459ea-ee8a-3ca4-894e-db77e160355e", Shape::Uuid),
            ("eyJhbGciOiJub25lIn0.e30.", Shape::Token),
        ] {
            assert_eq!(Shape::of(segment), wanted, "{segment}");
        }
    }
}
