//! The members of a line that say something.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fields::{FIELD_COUNT, Field, FieldMap, Node};
use crate::Header;
use crate::borrowed::Borrowed;

/// What members hold headers by their own name.
const HEADER_PREFIXES: [(&str, bool, bool); 4] = [
    // nginx: in lower case, `_` for `-`.
    ("http_", true, true),
    ("sent_http_", false, true),
    // Traefik: as they are.
    ("request_", true, false),
    ("downstream_", false, false),
];

/// More headers than any server takes are no headers.
const MAX_HEADERS: usize = 1000;

/// The values that the field map knows, as they stand in the line.
pub(super) struct Members<'a> {
    values: [Option<(usize, &'a str)>; FIELD_COUNT],
    request_headers: Vec<Header<'a>>,
    response_headers: Vec<Header<'a>>,
}

impl<'a> Members<'a> {
    pub(super) fn read(line: &'a str, fields: &FieldMap) -> Result<Self, serde_json::Error> {
        let mut members = Self {
            values: [None; FIELD_COUNT],
            request_headers: Vec::new(),
            response_headers: Vec::new(),
        };
        let mut deserializer = serde_json::Deserializer::from_str(line);
        Object {
            node: &fields.root,
            is_root: true,
            members: &mut members,
        }
        .deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(members)
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.values[field as usize].is_some()
    }

    /// The text of a field; none for what servers write where there is nothing.
    pub(super) fn text(&mut self, field: Field) -> Option<Cow<'a, str>> {
        let (_, raw) = self.values[field as usize]?;
        text(raw).filter(|text| !matches!(&**text, "" | "-"))
    }

    pub(super) fn number(&mut self, field: Field) -> Option<u64> {
        let text = self.text(field)?;
        text.split('.').next().unwrap_or_default().parse().ok()
    }

    /// The headers of a field, and those with members of their own.
    pub(super) fn headers(&mut self, field: Field) -> Vec<Header<'a>> {
        let mut headers = match field {
            Field::RequestHeaders => std::mem::take(&mut self.request_headers),
            _ => std::mem::take(&mut self.response_headers),
        };
        if let Some((_, raw)) = self.values[field as usize]
            && let Ok(listed) = serde_json::from_str::<Listed<'a>>(raw)
        {
            headers.extend(listed.0);
        }
        headers.retain(|header| !header.name.starts_with(':'));
        headers
    }

    fn note(&mut self, field: Field, rank: usize, raw: &'a str) {
        // Nothing says nothing: another member may know more.
        let is_nothing = matches!(raw, "null" | "\"\"" | "\"-\"");
        let known = &mut self.values[field as usize];
        let is_better = |(known, value): &(usize, &str)| {
            let knows_nothing = matches!(*value, "null" | "\"\"" | "\"-\"");
            if is_nothing == knows_nothing {
                rank < *known
            } else {
                knows_nothing
            }
        };
        if known.as_ref().is_none_or(is_better) {
            *known = Some((rank, raw));
        }
    }

    fn note_header(&mut self, name: &str, raw: &'a str) {
        let is_of_header = |(prefix, _, is_plain): &&(&str, bool, bool)| {
            name.strip_prefix(prefix).is_some_and(|name| {
                *is_plain || name.starts_with(|first: char| first.is_ascii_uppercase())
            })
        };
        let Some((prefix, is_request, is_plain)) = HEADER_PREFIXES.iter().find(is_of_header) else {
            return;
        };
        let Some(value) = text(raw).filter(|value| !matches!(&**value, "" | "-")) else {
            return;
        };
        let name = &name[prefix.len()..];
        let name = if *is_plain {
            name.replace('_', "-")
        } else {
            name.to_owned()
        };
        let headers = match is_request {
            true => &mut self.request_headers,
            false => &mut self.response_headers,
        };
        if headers.len() < MAX_HEADERS {
            headers.push(Header {
                name: Cow::Owned(name),
                value,
            });
        }
    }
}

/// A string, or a number as it stands.
fn text(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str::<Borrowed<'_>>(raw)
            .ok()
            .map(|text| text.0),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw)),
        // A list of values of one header.
        b'[' => {
            let list: Vec<Borrowed<'_>> = serde_json::from_str(raw).ok()?;
            let values: Vec<&str> = list.iter().map(|value| &*value.0).collect();
            Some(Cow::Owned(values.join(", ")))
        }
        _ => None,
    }
}

/// An object whose members are noted.
struct Object<'m, 'n, 'a> {
    node: &'n Node,
    is_root: bool,
    members: &'m mut Members<'a>,
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Borrowed(name)) = map.next_key::<Borrowed<'de>>()? {
            let node = self.node.members.get(&*name);
            let is_header = self.is_root
                && HEADER_PREFIXES
                    .iter()
                    .any(|(prefix, ..)| name.starts_with(prefix));
            if node.is_none() && !is_header {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let raw = map.next_value::<&'de RawValue>()?.get();
            let Some(node) = node else {
                self.members.note_header(&name, raw);
                continue;
            };
            if !node.members.is_empty() && raw.starts_with('{') {
                let object = Object {
                    node,
                    is_root: false,
                    members: &mut *self.members,
                };
                // It was read once, so it is an object.
                let _ = object.deserialize(&mut serde_json::Deserializer::from_str(raw));
            } else if let Some((field, rank)) = node.says {
                self.members.note(field, rank, raw);
            }
        }
        Ok(())
    }
}

/// Headers as an object of texts or lists of texts.
struct Listed<'a>(Vec<Header<'a>>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Listed<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListedVisitor;

        impl<'de> Visitor<'de> for ListedVisitor {
            type Value = Listed<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of headers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut headers = Vec::new();
                while let Some((name, raw)) = map.next_entry::<Borrowed<'de>, &'de RawValue>()? {
                    if headers.len() < MAX_HEADERS
                        && let Some(value) = text(raw.get())
                    {
                        headers.push(Header {
                            name: name.0,
                            value,
                        });
                    }
                }
                Ok(Listed(headers))
            }
        }

        deserializer.deserialize_map(ListedVisitor)
    }
}
