//! Media types and ranges, RFC 9110 §8.3.1 and §12.5.1.
//!
//! Parsing is strict: a content type that two parsers could read in two ways is none.

/// A media type as a request states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// `type/subtype`, lower case.
    essence: String,
    slash: usize,
    /// Names lower case; values as they stand, unquoted.
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Parse a `Content-Type` value.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t']);
        let (essence, mut rest) = text.find(';').map_or((text, ""), |at| text.split_at(at));
        let essence = essence.trim_end_matches([' ', '\t']).to_ascii_lowercase();
        let slash = essence.find('/')?;
        if !is_token(&essence[..slash]) || !is_token(&essence[slash + 1..]) {
            return None;
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        while let Some(after) = rest.strip_prefix(';') {
            rest = after.trim_start_matches([' ', '\t']);
            // RFC 9110 lets a parameter be empty: `text/plain;`.
            if rest.is_empty() || rest.starts_with(';') {
                continue;
            }
            let (name, after) = rest.split_once('=')?;
            let (value, after) = if after.starts_with('"') {
                quoted(after)?
            } else {
                unquoted(after)?
            };
            let name = name.to_ascii_lowercase();
            // Readers of RFC 2231 take `boundary*0=x` for `boundary=x`, whatever else is called so.
            let is_plain = is_token(&name) && !name.contains('*');
            if !is_plain || parameters.iter().any(|(known, _)| *known == name) {
                return None;
            }
            parameters.push((name, value));
            rest = after.trim_start_matches([' ', '\t']);
        }
        rest.is_empty().then_some(Self {
            essence,
            slash,
            parameters,
        })
    }

    fn top(&self) -> &str {
        &self.essence[..self.slash]
    }

    fn subtype(&self) -> &str {
        &self.essence[self.slash + 1..]
    }

    /// The value of a parameter, by its lower-case name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether content of this type is JSON.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.essence.as_str(), "application/json" | "text/json")
            || self.subtype().ends_with("+json")
    }

    /// Whether content of this type is a URL-encoded form.
    pub(crate) fn is_form(&self) -> bool {
        self.essence == "application/x-www-form-urlencoded"
    }

    /// Whether content of this type is a multipart form.
    pub(crate) fn is_multipart_form(&self) -> bool {
        self.essence == "multipart/form-data"
    }

    /// Whether content of this type is several parts, of whatever kind.
    pub(crate) fn is_multipart(&self) -> bool {
        self.top() == "multipart"
    }

    /// Whether content of this type is XML.
    pub(crate) fn is_xml(&self) -> bool {
        matches!(
            self.subtype(),
            "xml" | "xml-dtd" | "xml-external-parsed-entity"
        ) || self.subtype().ends_with("+xml")
    }

    /// Whether content of this type is text.
    pub(crate) fn is_text(&self) -> bool {
        self.top() == "text" && !self.is_json() && !self.is_xml()
    }

    /// Whether a charset is named in which ASCII is what it is in UTF-8, and all else is not.
    pub(crate) fn has_charset_beyond_ascii(&self) -> bool {
        self.parameter("charset").is_some_and(|charset| {
            BEYOND_ASCII
                .iter()
                .any(|known| charset.eq_ignore_ascii_case(known))
        })
    }

    /// Whether a charset is named that content judged as text cannot have.
    pub(crate) fn has_other_charset(&self) -> bool {
        self.parameter("charset")
            .is_some_and(|charset| !is_utf8(charset))
    }
}

/// Charsets that old clients name for whatever they send, and that read ASCII as ASCII.
const BEYOND_ASCII: &[&str] = &["us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252"];

/// Whether a charset is UTF-8; many leave the hyphen out, and every reader knows what they mean.
fn is_utf8(charset: &str) -> bool {
    ["utf-8", "utf8"]
        .iter()
        .any(|known| charset.eq_ignore_ascii_case(known))
}

/// A token at the start of `text`, and the rest.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let (value, rest) = text.split_at(text.find(';').unwrap_or(text.len()));
    let value = value.trim_end_matches([' ', '\t']);
    // `=` and `/` are no token characters, but unquoted boundaries hold them and no reader disagrees.
    let is_value = !value.is_empty()
        && value
            .split(['=', '/', ':', '?', '(', ')'])
            .all(|part| part.is_empty() || is_token(part));
    is_value.then(|| (value.to_owned(), rest))
}

/// A quoted string at the start of `text`, and the rest.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => out.push(characters.next()?.1),
            other => out.push(other),
        }
    }
    None
}

pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A media type or range as a document declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    media_type: MediaType,
}

impl Range {
    /// Parse a key of `content`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        MediaType::parse(if text == "*" { "*/*" } else { text })
            .map(|media_type| Self { media_type })
    }

    /// How specifically the range names `actual`; `None` if it does not.
    pub(crate) fn specificity(&self, actual: &MediaType) -> Option<usize> {
        let (top, subtype) = (self.media_type.top(), self.media_type.subtype());
        let score = if self.media_type.essence == actual.essence {
            3
        } else if top != "*" && top != actual.top() {
            return None;
        } else if subtype == "*" {
            usize::from(top != "*")
        } else if let Some(suffix) = subtype.strip_prefix("*+") {
            actual
                .subtype()
                .rsplit_once('+')
                .filter(|(_, actual)| *actual == suffix)
                .map(|_| 2)?
        } else {
            return None;
        };
        // A parameter in the document is asked of the request; values such as `utf-8` have no case. UTF-8 is what content is
        // read as, so it need not be said.
        let has = |(name, value): &(String, String)| {
            let is_default = name == "charset" && is_utf8(value);
            actual.parameter(name).map_or(is_default, |actual| {
                actual.eq_ignore_ascii_case(value) || (is_default && is_utf8(actual))
            })
        };
        self.media_type
            .parameters
            .iter()
            .all(has)
            .then_some(score * 16 + self.media_type.parameters.len().min(15))
    }

    /// Whether this names several media types.
    pub(crate) fn is_range(&self) -> bool {
        let subtype = self.media_type.subtype();
        self.media_type.top() == "*" || subtype == "*" || subtype.starts_with("*+")
    }

    /// The media type, if this names one and not several.
    pub(crate) fn one(&self) -> Option<&MediaType> {
        (!self.is_range()).then_some(&self.media_type)
    }

    /// Whether what this names is JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.media_type.is_json()
    }

    /// Whether what this names is text.
    pub(crate) fn is_text(&self) -> bool {
        self.media_type.is_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_parsed_strictly() {
        for (text, wanted) in [
            ("application/json", true),
            ("Application/JSON ; charset=\"utf-8\"", true),
            ("application/json;", true),
            ("multipart/form-data; boundary=a=b", true),
            ("application/json, text/plain", false),
            ("application/json; charset=utf-8; charset=utf-16", false),
            ("application/json; charset", false),
            ("multipart/form-data; boundary=a; boundary*0=b", false),
            ("application/json; charset*=utf-8''utf-16", false),
            ("application/json charset=utf-8", false),
            ("application", false),
            ("/json", false),
            ("application/json; a=\"b", false),
            ("application/json; a=\"b\" c", false),
            ("", false),
        ] {
            assert_eq!(MediaType::parse(text).is_some(), wanted, "{text}");
        }
    }

    #[test]
    fn the_most_specific_range_wins() {
        let actual =
            MediaType::parse("application/vnd.api+json; charset=UTF-8").expect("a media type");
        let score = |range: &str| Range::parse(range).expect("a range").specificity(&actual);
        assert!(
            score("application/vnd.api+json; charset=utf-8") > score("application/vnd.api+json")
        );
        assert!(score("application/vnd.api+json") > score("application/*+json"));
        assert!(score("application/*+json") > score("application/*"));
        assert!(score("application/*") > score("*/*"));
        assert_eq!(score("*"), score("*/*"));
        let bare = MediaType::parse("application/json").expect("a media type");
        let range = |text: &str| Range::parse(text).expect("a range");
        assert!(
            range("application/json;charset=UTF-8")
                .specificity(&bare)
                .is_some()
        );
        assert_eq!(
            range("application/json; charset=utf-16").specificity(&bare),
            None
        );
        for other in [
            "application/json",
            "text/*",
            "application/vnd.api+json; version=2",
            "application/*+xml",
        ] {
            assert_eq!(score(other), None, "{other}");
        }
    }
}
