//! Bodies of an entry: what of them is kept, and in which form.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::value::RawValue;

use super::entry::Pairs;
use super::lenient::{Count, Text};
use crate::LazyText;
use crate::read::MAX_BODY_BYTES;

/// What is kept of a request body.
#[derive(Default)]
pub(super) struct RequestBody<'a> {
    pub(super) text: Option<LazyText<'a>>,
    pub(super) base64: Option<LazyText<'a>>,
    pub(super) omitted: Option<u64>,
}

/// The text of a body as it stands in the entry.
#[derive(Default)]
enum Raw<'a> {
    #[default]
    None,
    Text(LazyText<'a>),
    /// It was longer than the scanner copies.
    Long(u64),
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(match raw.as_bytes()[0] {
            b'"' => Self::Text(LazyText::Json(raw)),
            _ => raw.parse().map_or(Self::None, Self::Long),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct PostData<'a> {
    #[serde(borrow, default, rename = "mimeType")]
    mime_type: Text<'a>,
    #[serde(borrow, default)]
    text: Raw<'a>,
    #[serde(borrow, default)]
    params: Pairs<'a>,
    /// Not in the format, but written by who records bytes.
    #[serde(borrow, default)]
    encoding: Text<'a>,
}

impl<'a> PostData<'a> {
    /// The body, and the content type that is stated with it.
    pub(super) fn into_body(
        self,
        stated_size: Option<u64>,
    ) -> (RequestBody<'a>, Option<Cow<'a, str>>) {
        let is_base64 = self.encoding.as_str().eq_ignore_ascii_case("base64");
        let is_form = self
            .mime_type
            .as_str()
            .to_ascii_lowercase()
            .starts_with("application/x-www-form-urlencoded");
        let omitted = |size| RequestBody {
            omitted: Some(size),
            ..RequestBody::default()
        };
        let body = match self.text {
            Raw::Long(size) if is_base64 => omitted(size / 4 * 3),
            Raw::Long(size) => omitted(size),
            Raw::Text(text) if text.size() > 0 => kept(text, is_base64),
            _ if self.params.0.is_empty() => RequestBody::default(),
            // Fields without the text they came from: a form can be written again, a multipart body cannot.
            _ if is_form => kept(LazyText::Plain(Cow::Owned(form(&self.params))), false),
            _ => {
                let sizes = self
                    .params
                    .0
                    .iter()
                    .map(|field| field.name.len() + field.value.len());
                let fields = sizes.fold(0_u64, |sum, size| sum + size as u64);
                omitted(stated_size.filter(|size| *size > 0).unwrap_or(fields))
            }
        };
        let mime_type = Some(self.mime_type.0).filter(|mime_type| !mime_type.is_empty());
        (body, mime_type)
    }
}

fn kept(text: LazyText<'_>, is_base64: bool) -> RequestBody<'_> {
    let (size, limit) = (text.size(), MAX_BODY_BYTES as u64);
    if is_base64 {
        return match decoded(&text) {
            Some(bytes) => match String::from_utf8(bytes) {
                Ok(plain) => kept(LazyText::Plain(Cow::Owned(plain)), false),
                Err(_) => RequestBody {
                    base64: Some(text),
                    ..RequestBody::default()
                },
            },
            None => RequestBody {
                omitted: Some(size / 4 * 3),
                ..RequestBody::default()
            },
        };
    }
    if size > limit {
        return RequestBody {
            omitted: Some(size),
            ..RequestBody::default()
        };
    }
    RequestBody {
        text: Some(text),
        ..RequestBody::default()
    }
}

/// Base64 undone, if it is base64 and not too long to be kept.
fn decoded(text: &LazyText<'_>) -> Option<Vec<u8>> {
    if text.size() > (MAX_BODY_BYTES / 3 * 4 + 4) as u64 {
        return None;
    }
    STANDARD.decode(text.decoded().as_bytes()).ok()
}

fn form(fields: &Pairs<'_>) -> String {
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'*');
    let field = |name: &str, value: &str| {
        let encoded = |text| utf8_percent_encode(text, PLAIN).to_string();
        format!("{}={}", encoded(name), encoded(value))
    };
    let fields: Vec<String> = fields
        .0
        .iter()
        .map(|pair| field(&pair.name, &pair.value))
        .collect();
    fields.join("&")
}

#[derive(Deserialize, Default)]
pub(super) struct Content<'a> {
    #[serde(default)]
    size: Count,
    #[serde(borrow, default, rename = "mimeType")]
    mime_type: Text<'a>,
    #[serde(borrow, default)]
    text: Raw<'a>,
    #[serde(borrow, default)]
    encoding: Text<'a>,
}

impl<'a> Content<'a> {
    /// The stated type; browsers write `x-unknown` where there is none.
    pub(super) fn mime_type(&self) -> Option<Cow<'a, str>> {
        let known = |mime_type: &Cow<'_, str>| !mime_type.is_empty() && mime_type != "x-unknown";
        Some(self.mime_type.0.clone()).filter(known)
    }

    fn is_base64(&self) -> bool {
        self.encoding.as_str().eq_ignore_ascii_case("base64")
    }

    /// The size of the decoded body, if something says so and it is not 0, which recorders write for what they do not know.
    pub(super) fn size(&self) -> Option<u64> {
        let size = self.size.0.filter(|size| *size > 0);
        size.or_else(|| {
            let written = match &self.text {
                Raw::None => 0,
                Raw::Text(text) => text.size(),
                Raw::Long(size) => *size,
            };
            let size = if self.is_base64() {
                written / 4 * 3
            } else {
                written
            };
            Some(size).filter(|size| *size > 0)
        })
    }

    pub(super) fn stated_size(&self) -> Option<u64> {
        self.size.0
    }

    /// The body if it is JSON of a size that is kept.
    pub(super) fn into_json(self) -> Option<LazyText<'a>> {
        let is_base64 = self.is_base64();
        let Raw::Text(text) = self.text else {
            return None;
        };
        let body = if is_base64 {
            String::from_utf8(decoded(&text)?).ok()?
        } else if text.size() < MAX_BODY_BYTES as u64 {
            text.decoded().into_owned()
        } else {
            return None;
        };
        (body.len() < MAX_BODY_BYTES && serde_json::from_str::<IgnoredAny>(&body).is_ok())
            .then_some(LazyText::Plain(Cow::Owned(body)))
    }
}
