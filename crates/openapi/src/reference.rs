//! `$ref`: where a reference leads, as a JSON pointer into the document.
//!
//! In OpenAPI 3.0 a reference is `#/…` and nothing else counts. In 3.1 schemas can name themselves (`$id`, `$anchor`,
//! `$dynamicAnchor`); an index made once keeps those names.

use std::collections::HashMap;

use serde_json::Value;

use crate::place;

/// Why a reference cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReferenceError {
    /// It leads out of the document.
    External,
    /// It leads nowhere.
    Dangling,
    /// It leads back to itself.
    Circular,
}

/// Names that schemas of an OpenAPI 3.1 document give themselves.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Absolute or as written, without fragment → pointer of the schema resource.
    resources: HashMap<String, String>,
    /// Pointer of the resource and anchor → pointer of the schema.
    anchors: HashMap<(String, String), String>,
    /// Pointer of the resource → its `$dynamicAnchor`s and the pointers of the schemas that have them.
    dynamic: HashMap<String, Vec<(String, String)>>,
    /// Pointers of resources → their identifier.
    bases: HashMap<String, String>,
}

impl Names {
    /// Index the names below `document`. Data under `example`, `enum` and the like are no schemas.
    pub(crate) fn of(document: &Value) -> Self {
        let mut names = Self::default();
        names.gather(document, &mut String::new(), "", "");
        names
    }

    fn gather(&mut self, value: &Value, pointer: &mut String, base: &str, resource: &str) {
        match value {
            Value::Object(members) => {
                let text = |key: &str| members.get(key).and_then(Value::as_str);
                let (mut base, mut resource) = (base.to_owned(), resource.to_owned());
                if let Some(id) = text("$id") {
                    base = join(&base, id.trim_end_matches('#'));
                    resource.clone_from(pointer);
                    self.resources.insert(base.clone(), pointer.clone());
                    self.bases.insert(pointer.clone(), base.clone());
                }
                for key in ["$anchor", "$dynamicAnchor"] {
                    if let Some(anchor) = text(key) {
                        self.anchors
                            .insert((resource.clone(), anchor.to_owned()), pointer.clone());
                    }
                }
                if let Some(anchor) = text("$dynamicAnchor") {
                    let own = self.dynamic.entry(resource.clone()).or_default();
                    own.push((anchor.to_owned(), pointer.clone()));
                }
                for (key, member) in members {
                    if matches!(
                        key.as_str(),
                        "example" | "examples" | "enum" | "const" | "default"
                    ) {
                        continue;
                    }
                    let length = pointer.len();
                    push_token(pointer, key);
                    self.gather(member, pointer, &base, &resource);
                    pointer.truncate(length);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let length = pointer.len();
                    push_token(pointer, &index.to_string());
                    self.gather(item, pointer, base, resource);
                    pointer.truncate(length);
                }
            }
            _ => {}
        }
    }

    /// Whether there is any `$dynamicAnchor`.
    pub(crate) fn has_dynamic(&self) -> bool {
        !self.dynamic.is_empty()
    }

    /// The `$dynamicAnchor`s of the resource around `pointer`, with the pointers of the schemas that have them.
    pub(crate) fn dynamic_around(&self, pointer: &str) -> &[(String, String)] {
        self.dynamic
            .get(self.enclosing(pointer))
            .map_or(&[], Vec::as_slice)
    }

    /// The pointer that `reference`, written at `from`, leads to.
    pub(crate) fn resolve(&self, reference: &str, from: &str) -> Result<String, ReferenceError> {
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let own = self.enclosing(from);
        let resource = if uri.is_empty() {
            own.to_owned()
        } else {
            let base = self.bases.get(own).map_or("", String::as_str);
            self.resources
                .get(&join(base, uri))
                .cloned()
                .ok_or(ReferenceError::External)?
        };
        let fragment = decode_fragment(fragment).ok_or(ReferenceError::Dangling)?;
        if fragment.is_empty() || fragment.starts_with('/') {
            return Ok(resource + &fragment);
        }
        self.anchors
            .get(&(resource, fragment))
            .cloned()
            .ok_or(ReferenceError::Dangling)
    }

    /// The pointer of the innermost resource around `pointer`; the empty pointer is the document.
    fn enclosing<'p>(&self, pointer: &'p str) -> &'p str {
        if self.bases.is_empty() {
            return "";
        }
        let mut at = pointer;
        while !at.is_empty() && !self.bases.contains_key(at) {
            at = at.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        at
    }
}

/// `reference` against `base`.
fn join(base: &str, reference: &str) -> String {
    let has_scheme = reference
        .split_once(':')
        .is_some_and(|(scheme, _)| !scheme.is_empty() && !scheme.contains('/'));
    if base.is_empty() || has_scheme {
        return reference.to_owned();
    }
    if reference.starts_with('/') {
        let authority_end = base
            .find("://")
            .and_then(|at| base[at + 3..].find('/').map(|slash| at + 3 + slash));
        return format!(
            "{}{reference}",
            &base[..authority_end.unwrap_or(base.len())]
        );
    }
    let directory = base.rfind('/').map_or("", |slash| &base[..=slash]);
    without_dots(directory, reference)
}

/// A relative path behind a directory, without `.` and `..`.
fn without_dots(directory: &str, path: &str) -> String {
    let mut out = directory.to_owned();
    let mut rest = path;
    loop {
        if let Some(after) = rest.strip_prefix("./") {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("../") {
            rest = after;
            let parent = out.strip_suffix('/').and_then(|out| out.rfind('/'));
            // Never above the authority.
            if let Some(slash) = parent.filter(|slash| !out[..=*slash].ends_with("//")) {
                out.truncate(slash + 1);
            }
        } else {
            return out + rest;
        }
    }
}

pub(crate) fn decode_fragment(fragment: &str) -> Option<String> {
    if !fragment.contains('%') {
        return Some(fragment.to_owned());
    }
    let bytes = fragment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], crate::template::hex_pair(bytes, at + 1)) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}

/// Append one token to a JSON pointer.
pub(crate) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for character in token.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// `pointer` with a token appended.
pub(crate) fn child(pointer: &str, token: &str) -> String {
    let mut out = String::with_capacity(pointer.len() + token.len() + 1);
    out.push_str(pointer);
    push_token(&mut out, token);
    out
}

/// A pointer as people read it: `/paths/~1x/put` is `.paths["/x"].put`.
pub(crate) fn place_of(document: &Value, pointer: &str) -> String {
    let mut out = String::with_capacity(pointer.len() + 8);
    let mut at = Some(document);
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        match (at, token.parse::<usize>()) {
            (Some(Value::Array(items)), Ok(index)) => {
                place::push_index(&mut out, index);
                at = items.get(index);
            }
            (value, _) => {
                place::push_key(&mut out, &token);
                at = value.and_then(|value| value.get(&token));
            }
        }
    }
    if out.is_empty() { ".".to_owned() } else { out }
}

/// Follow the `$ref`s of an object that is no schema: a path item, parameter or request body.
///
/// Returns the object and its pointer.
pub(crate) fn follow<'d>(
    document: &'d Value,
    value: &'d Value,
    pointer: &str,
) -> Result<(&'d Value, String), ReferenceError> {
    // No document needs more hops; a circle needs endless ones.
    const MAX_HOPS: usize = 32;
    let (mut value, mut pointer) = (value, pointer.to_owned());
    for _ in 0..MAX_HOPS {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
            return Ok((value, pointer));
        };
        let fragment = reference
            .strip_prefix('#')
            .ok_or(ReferenceError::External)?;
        pointer = decode_fragment(fragment).ok_or(ReferenceError::Dangling)?;
        value = document.pointer(&pointer).ok_or(ReferenceError::Dangling)?;
    }
    Err(ReferenceError::Circular)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_lead_to_pointers_identifiers_and_anchors() {
        let document = json!({"components": {"schemas": {
            "A": {"$id": "https://example.com/schemas/a", "$defs": {"part": {"$anchor": "part"}}},
            "B": {"$id": "/schemas/b"},
            "C": {"$anchor": "c", "example": {"$id": "ignored"}},
        }}});
        let names = Names::of(&document);
        let inside = "/components/schemas/A/$defs/part";
        for (reference, from, wanted) in [
            ("#/components/schemas/A", "", Ok("/components/schemas/A")),
            ("#/a%20b~1c", "", Ok("/a b~1c")),
            ("#/$defs/part", inside, Ok(inside)),
            ("#part", inside, Ok(inside)),
            ("#part", "", Err(ReferenceError::Dangling)),
            ("#c", "", Ok("/components/schemas/C")),
            ("/schemas/a", inside, Ok("/components/schemas/A")),
            ("https://example.com/schemas/a#part", "", Ok(inside)),
            ("a#/$defs/part", inside, Ok(inside)),
            ("./a#part", inside, Ok(inside)),
            ("../schemas/a#part", inside, Ok(inside)),
            ("../../../schemas/a#part", inside, Ok(inside)),
            ("other.json", "", Err(ReferenceError::External)),
        ] {
            let wanted = wanted.map(str::to_owned);
            assert_eq!(
                names.resolve(reference, from),
                wanted,
                "{reference} from {from}"
            );
        }
    }

    #[test]
    fn places_are_written_as_people_read_them() {
        let document = json!({"paths": {"/x": {"put": {"parameters": [{}]}}}});
        let place = place_of(&document, "/paths/~1x/put/parameters/0/name");
        assert_eq!(place, r#".paths["/x"].put.parameters[0].name"#);
        assert_eq!(place_of(&document, ""), ".");
    }
}
