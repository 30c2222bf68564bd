//! Multipart forms: which parts are files, and what the form is checked by.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::Compiler;
use super::form::{encodings_of, is_readable, media_types};
use crate::operation::media_type::Range;
use crate::operation::plan::{File, Form, Parts, Size};
use crate::reference::{child, follow};
use crate::schema::SchemaId;
use crate::schema::types::Definitions;

/// Deepest composition in which a property is looked for.
const MAX_DEPTH: usize = 32;

/// Most references that are replaced by copies for one form: what refers to the same twice, again and again, would double
/// each time. References beyond this stay, and files behind them are judged as texts.
const MAX_INLINED: usize = 1_000;

impl Compiler<'_, '_> {
    /// How multipart forms of a media type object are read.
    pub(super) fn parts(
        &mut self,
        schema: Option<SchemaId>,
        media: &Value,
        pointer: &str,
    ) -> Parts {
        let Some(schema) = schema else {
            return Parts {
                is_open: true,
                ..Parts::default()
            };
        };
        let pointer_of_schema = child(pointer, "schema");
        let types: HashMap<&str, Vec<Range>> = encodings_of(media)
            .filter_map(|(name, encoding)| {
                let stated = encoding.get("contentType")?.as_str()?;
                Some((name.as_str(), media_types(stated)))
            })
            .collect();
        let definitions = Definitions(self.lowering.definitions());
        let lowered = &definitions.0[schema];
        let mut files: Vec<(String, File)> = Vec::new();
        definitions.properties(lowered, &mut |name, property| {
            if files.iter().any(|(known, _)| known == name) {
                return;
            }
            let types = types.get(name).map(Vec::as_slice);
            if let Some(is_list) =
                self.is_file(media.get("schema"), &pointer_of_schema, name, types)
            {
                let mut measured = property;
                if is_list {
                    definitions.items(property, &mut |items| measured = items);
                }
                let (min, max) = definitions.lengths(measured);
                let size = Size { min, max };
                files.push((name.to_owned(), File { size, is_list }));
            }
        });
        let is_open = !definitions.is_closed(lowered);
        let checked = if files.is_empty() {
            schema
        } else {
            let without = Skeleton {
                definitions,
                files: &files,
                inlined: Vec::new(),
                left: MAX_INLINED,
            }
            .of(lowered);
            self.lowering.part(without, &pointer_of_schema)
        };
        let shape = self.shape(checked, &pointer_of_schema);
        let mut encodings = Vec::new();
        for (name, stated) in encodings_of(media) {
            // A part says itself of which type it is.
            if stated.get("style").is_some() || stated.get("explode").is_some() {
                let pointer = child(&child(pointer, "encoding"), name);
                let encoding = self.encoding(stated, &pointer);
                encodings.extend(encoding.map(|encoding| (name.clone(), encoding)));
            }
        }
        Parts {
            form: Form {
                shape: Some(shape),
                encodings,
            },
            files,
            types: types
                .into_iter()
                .map(|(name, types)| (name.to_owned(), types))
                .collect(),
            is_open,
        }
    }

    /// Whether the property is a file, or (`true`) a list of files. Lowered schemas do not say: they only check.
    fn is_file(
        &self,
        schema: Option<&Value>,
        pointer: &str,
        name: &str,
        types: Option<&[Range]>,
    ) -> Option<bool> {
        let property = self.property(schema?, pointer, name, 0, &mut HashSet::new())?;
        let (property, pointer) = follow(self.document, property, pointer).ok()?;
        let is_list = property.get("items").is_some() && !is_bytes(property);
        let item = if is_list {
            let items = property.get("items")?;
            follow(self.document, items, &pointer).ok()?.0
        } else {
            property
        };
        let is_unreadable =
            types.is_some_and(|types| !types.is_empty() && !types.iter().any(is_readable));
        (is_bytes(item) || is_unreadable).then_some(is_list)
    }

    fn property<'v>(
        &self,
        schema: &'v Value,
        pointer: &str,
        name: &str,
        depth: usize,
        seen: &mut HashSet<*const Value>,
    ) -> Option<&'v Value>
    where
        Self: 'v,
    {
        let (schema, pointer) = follow_in(self.document, schema, pointer)?;
        if !seen.insert(std::ptr::from_ref(schema)) {
            return None;
        }
        if let Some(property) = schema.get("properties").and_then(|all| all.get(name)) {
            return Some(property);
        }
        if depth == MAX_DEPTH {
            return None;
        }
        ["allOf", "anyOf", "oneOf"]
            .into_iter()
            .filter_map(|keyword| schema.get(keyword)?.as_array())
            .flatten()
            .find_map(|branch| self.property(branch, &pointer, name, depth + 1, seen))
    }
}

fn follow_in<'v>(
    document: &'v Value,
    schema: &'v Value,
    pointer: &str,
) -> Option<(&'v Value, String)> {
    follow(document, schema, pointer).ok()
}

/// Whether a schema as it is written describes bytes.
fn is_bytes(schema: &Value) -> bool {
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    let names_bytes = text("format") == Some("binary");
    // OpenAPI 3.1: content that is coded in no way is bytes, if it is not said to be text.
    let is_content = text("contentEncoding").is_none()
        && text("contentMediaType").is_some_and(|media_type| {
            Range::parse(media_type).is_some_and(|range| !is_readable(&range))
        });
    names_bytes || is_content
}

/// Copies a schema so that files are not looked at.
struct Skeleton<'s> {
    definitions: Definitions<'s>,
    files: &'s [(String, File)],
    inlined: Vec<SchemaId>,
    /// How many references may still be replaced.
    left: usize,
}

impl Skeleton<'_> {
    fn of(&mut self, schema: &Value) -> Value {
        let Some(members) = schema.as_object() else {
            return schema.clone();
        };
        let mut out = Map::new();
        for (keyword, value) in members {
            let copy = match (keyword.as_str(), value) {
                ("allOf" | "anyOf" | "oneOf", Value::Array(branches)) => {
                    Value::Array(branches.iter().map(|branch| self.of(branch)).collect())
                }
                ("not" | "if" | "then" | "else", value) => self.of(value),
                ("properties", Value::Object(properties)) => Value::Object(
                    properties
                        .iter()
                        .map(|(name, property)| (name.clone(), self.property(name, property)))
                        .collect(),
                ),
                _ => value.clone(),
            };
            out.insert(keyword.clone(), copy);
        }
        let definitions = self.definitions;
        if let Some(target) = definitions.target(members)
            && self.left > 0
            && !self.inlined.contains(&target)
        {
            self.left -= 1;
            self.inlined.push(target);
            let inline = self.of(&definitions.0[target]);
            self.inlined.pop();
            out.remove("$ref");
            match out.get_mut("allOf").and_then(Value::as_array_mut) {
                Some(branches) => branches.push(inline),
                None => {
                    out.insert("allOf".to_owned(), Value::Array(vec![inline]));
                }
            }
        }
        Value::Object(out)
    }

    fn property(&self, name: &str, property: &Value) -> Value {
        let Some((_, file)) = self.files.iter().find(|(known, _)| known == name) else {
            return property.clone();
        };
        if !file.is_list {
            return Value::Bool(true);
        }
        let kept = ["type", "minItems", "maxItems"];
        let mut list = property.as_object().cloned().unwrap_or_default();
        list.retain(|keyword, _| kept.contains(&keyword.as_str()));
        list.entry("type").or_insert_with(|| "array".into());
        Value::Object(list)
    }
}
