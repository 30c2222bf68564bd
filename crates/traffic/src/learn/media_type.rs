//! Media types of bodies.

/// What `Content-Type` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MediaType {
    /// `type/subtype` in lower case.
    pub(super) essence: String,
    /// In lower case.
    pub(super) charset: Option<String>,
    pub(super) boundary: Option<String>,
}

/// A longer one is none, in bytes.
const MAX_ESSENCE_BYTES: usize = 128;

/// A longer name of a charset is none, in bytes.
const MAX_CHARSET_BYTES: usize = 32;

impl MediaType {
    /// Reads the value of the header; `None` if it is no media type.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let mut parts = value.split(';');
        let essence = parts.next()?.trim().to_ascii_lowercase();
        let is_token = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        let (top, sub) = essence.split_once('/')?;
        if !is_token(top) || !is_token(sub) || essence.len() > MAX_ESSENCE_BYTES {
            return None;
        }
        let (mut charset, mut boundary) = (None, None);
        for part in parts {
            let Some((name, text)) = part.split_once('=') else {
                continue;
            };
            let text = text.trim().trim_matches('"');
            match name.trim() {
                name if name.eq_ignore_ascii_case("charset") => {
                    let text = text.to_ascii_lowercase();
                    charset = Some(text).filter(|text| text.len() <= MAX_CHARSET_BYTES);
                }
                name if name.eq_ignore_ascii_case("boundary") => boundary = Some(text.to_owned()),
                _ => {}
            }
        }
        Some(Self {
            essence,
            charset,
            boundary: boundary.filter(|boundary| !boundary.is_empty()),
        })
    }

    /// `application/json`, `application/problem+json` and the like.
    pub(super) fn is_json(&self) -> bool {
        self.essence == "application/json"
            || self.essence == "text/json"
            || self.essence.ends_with("+json")
    }

    pub(super) fn is_form(&self) -> bool {
        self.essence == "application/x-www-form-urlencoded"
    }

    pub(super) fn is_multipart(&self) -> bool {
        self.essence == "multipart/form-data"
    }
}
