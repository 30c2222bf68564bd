//! Request bodies: media types, and the fields of forms.

use serde_json::{Map, Value};

use super::Compiler;
use crate::operation::media_type::Range;
use crate::operation::plan::{Body, Content, Form, Media, Shape};
use crate::problem;
use crate::reference::child;
use crate::schema::types::{Definitions, Types};

impl<'d> Compiler<'d, '_> {
    pub(super) fn body(
        &mut self,
        operation: &'d Map<String, Value>,
        pointer: &str,
    ) -> Option<Body> {
        let pointer = child(pointer, "requestBody");
        let body = self.follow(operation.get("requestBody")?, &pointer)?;
        let place = self.place(&body.pointer);
        let required = body.value.get("required") == Some(&Value::Bool(true));
        let mut media = Vec::new();
        match body.value.get("content").and_then(Value::as_object) {
            Some(content) if !content.is_empty() => {
                let pointer = child(&body.pointer, "content");
                for (key, value) in content {
                    media.extend(self.media(key, value, &child(&pointer, key)));
                }
                if media.is_empty() {
                    self.problems.add(
                        problem::SHAPE,
                        place.clone(),
                        "no media type of the body can be read",
                    );
                }
            }
            _ => {
                let message = "the request body declares no `content`, so bodies pass unchecked";
                self.problems
                    .add(problem::NO_CONTENT, place.clone(), message);
            }
        }
        Some(Body {
            required,
            media,
            place,
        })
    }

    fn media(&mut self, key: &str, value: &'d Value, pointer: &str) -> Option<Media> {
        let place = self.place(pointer);
        let Some(range) = Range::parse(key) else {
            let message = "the key is no media type, so bodies of it are refused";
            self.problems.add(problem::IGNORED, place, message);
            return None;
        };
        let schema = |compiler: &mut Self| {
            value.get("schema").map(|_| {
                compiler
                    .lowering
                    .schema(&child(pointer, "schema"), compiler.problems)
            })
        };
        let content = if range.is_json() {
            Content::Json(schema(self))
        } else if range.is_form() {
            let schema = schema(self);
            match self.form(schema, value, pointer) {
                Ok(form) => Content::Form(form),
                Err(reason) => {
                    let message = format!("forms pass unchecked: {reason}");
                    self.problems
                        .add(problem::MEDIA_TYPE_NOT_CHECKED, place.clone(), message);
                    Content::Pass
                }
            }
        } else if range.is_range() {
            let schema = schema(self);
            let definitions = Definitions(self.lowering.definitions());
            let others_pass = schema.is_none_or(|schema| {
                definitions
                    .types(&definitions.0[schema])
                    .meets(Types::STRING)
            });
            let form = self.form(schema, value, pointer).ok();
            if !others_pass {
                let message = "of this range only JSON and URL-encoded forms are accepted: other types cannot be checked by the schema";
                self.problems
                    .add(problem::MEDIA_TYPE_NOT_CHECKED, place.clone(), message);
            } else if schema.is_some() {
                let message = "of this range only JSON and URL-encoded forms are checked; other types pass unchecked";
                self.problems
                    .add(problem::MEDIA_TYPE_NOT_CHECKED, place.clone(), message);
            }
            Content::Range {
                schema,
                form,
                others_pass,
            }
        } else {
            let shown: String = key
                .split(';')
                .next()
                .unwrap_or_default()
                .chars()
                .take(100)
                .collect();
            let message =
                format!("the media type `{shown}` is not supported: bodies of it pass unchecked");
            self.problems
                .add(problem::MEDIA_TYPE_NOT_CHECKED, place.clone(), message);
            Content::Pass
        };
        Some(Media {
            range,
            content,
            place,
        })
    }

    /// The fields of a form.
    ///
    /// # Errors
    ///
    /// Why forms of this schema cannot be read without guessing.
    fn form(
        &mut self,
        schema: Option<usize>,
        media: &Value,
        pointer: &str,
    ) -> Result<Form, &'static str> {
        let Some(schema) = schema else {
            return Ok(Form::default());
        };
        let encoding = media.get("encoding").and_then(Value::as_object);
        let definitions = Definitions(self.lowering.definitions());
        let mut fields: Vec<(String, Field)> = Vec::new();
        let mut unreadable = None;
        definitions.properties(&definitions.0[schema], &mut |name, property| {
            let encoding = encoding.and_then(|encoding| encoding.get(name));
            match Field::of(definitions, property, encoding) {
                Ok(field) => match fields.iter_mut().find(|(known, _)| known == name) {
                    Some((_, known)) => known.merge(field),
                    None => fields.push((name.to_owned(), field)),
                },
                Err(reason) => unreadable = Some(reason),
            }
        });
        if let Some(reason) = unreadable {
            return Err(reason);
        }
        let mut form = Form {
            schema: Some(schema),
            fields: Vec::with_capacity(fields.len()),
        };
        for (name, field) in fields {
            // Only a text with several meanings needs its own check, to tell which of them is meant.
            let type_only = !field.is_ambiguous();
            let schema = if type_only {
                schema
            } else {
                self.lowering.part(field.schema, pointer)
            };
            let Field {
                types,
                items,
                delimiter,
                ..
            } = field;
            form.fields.push((
                name,
                Shape {
                    types,
                    items,
                    delimiter,
                    schema,
                    type_only,
                },
            ));
        }
        Ok(form)
    }
}

/// A property of a form's schema.
struct Field {
    types: Types,
    items: Types,
    delimiter: Option<char>,
    schema: Value,
}

impl Field {
    fn of(
        definitions: Definitions<'_>,
        property: &Value,
        encoding: Option<&Value>,
    ) -> Result<Self, &'static str> {
        let types = definitions.types(property);
        let items = definitions
            .items(property)
            .map_or(Types::ALL, |items| definitions.types(items));
        let nested = types.meets(Types::ARRAY)
            && items != Types::ALL
            && items.meets(Types::OBJECT.or(Types::ARRAY));
        if nested || (types.meets(Types::OBJECT) && types != Types::ALL) {
            return Err("a field can be an object, or a list of them");
        }
        let text = |key: &str| {
            encoding
                .and_then(|encoding| encoding.get(key))
                .and_then(Value::as_str)
        };
        if text("contentType").is_some() || text("style").is_some_and(|style| style != "form") {
            return Err("a field has an encoding of its own");
        }
        let explode = encoding
            .and_then(|encoding| encoding.get("explode"))
            .and_then(Value::as_bool)
            .unwrap_or(true);
        let delimiter = (!explode).then_some(',');
        Ok(Self {
            types,
            items,
            delimiter,
            schema: property.clone(),
        })
    }

    /// The same property, declared once more by another part of the schema.
    fn merge(&mut self, other: Self) {
        self.types = self.types.or(other.types);
        self.items = self.items.or(other.items);
        let schemas = [std::mem::take(&mut self.schema), other.schema];
        self.schema = serde_json::json!({"anyOf": schemas});
    }

    fn is_ambiguous(&self) -> bool {
        let several = |types: Types| !types.is_one_scalar();
        let types = self.types.without(Types::NULL.or(Types::OBJECT));
        if types.has(Types::ARRAY) {
            types != Types::ARRAY || several(self.items)
        } else {
            several(types)
        }
    }
}
