//! URL-encoded forms: outline and encodings of the fields.

use serde_json::Value;

use super::Compiler;
use crate::operation::media_type::{MediaType, Range};
use crate::operation::plan::{Encoding, Form};
use crate::operation::style::{Style, Styled};
use crate::problem;
use crate::reference::child;
use crate::schema::SchemaId;

impl Compiler<'_, '_> {
    /// How URL-encoded forms of a media type object are read.
    pub(super) fn form(&mut self, schema: Option<SchemaId>, media: &Value, pointer: &str) -> Form {
        let Some(schema) = schema else {
            return Form::default();
        };
        let shape = self.shape(schema, &child(pointer, "schema"));
        let mut encodings = Vec::new();
        for (name, stated) in encodings_of(media) {
            let pointer = child(&child(pointer, "encoding"), name);
            encodings.extend(
                self.encoding(stated, &pointer)
                    .map(|encoding| (name.clone(), encoding)),
            );
        }
        Form {
            shape: Some(shape),
            encodings,
        }
    }

    /// How one field is written, if that is not the default way.
    pub(super) fn encoding(&mut self, stated: &Value, pointer: &str) -> Option<Encoding> {
        let text = |key: &str| stated.get(key).and_then(Value::as_str);
        let explode = stated.get("explode").and_then(Value::as_bool);
        if text("style").is_none() && explode.is_none() {
            // Without a style the media type counts.
            let types = text("contentType").map(media_types)?;
            let is_json = types.iter().any(Range::is_json);
            let is_text = types.iter().any(Range::is_text);
            if !is_json && !is_text {
                let place = self.place(pointer);
                let message = "the field's `contentType` is neither JSON nor text: what stands in it is judged as text";
                self.problems
                    .add(problem::MEDIA_TYPE_NOT_CHECKED, place, message);
            }
            return Some(Encoding {
                styled: Styled::FORM,
                is_json: is_json && !is_text,
            });
        }
        let style = text("style").map_or(Some(Style::Form), Style::named);
        let style = style.filter(|style| {
            matches!(
                style,
                Style::Form | Style::SpaceDelimited | Style::PipeDelimited | Style::DeepObject
            )
        });
        let style = style.unwrap_or_else(|| {
            let place = self.place(pointer);
            let message = "fields of forms have no such style, so the default style is read";
            self.problems.add(problem::IGNORED, place, message);
            Style::Form
        });
        let explode = explode.unwrap_or(matches!(style, Style::Form | Style::DeepObject));
        Some(Encoding {
            styled: Styled { style, explode },
            is_json: false,
        })
    }
}

/// The encodings of fields that a media type object states.
pub(super) fn encodings_of(media: &Value) -> impl Iterator<Item = (&String, &Value)> {
    media
        .get("encoding")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

/// The media types and ranges of a `contentType`; what is none is left out.
pub(super) fn media_types(list: &str) -> Vec<Range> {
    list.split(',')
        .filter_map(|text| Range::parse(text.trim()))
        .collect()
}

/// Whether content of a type is judged as what it says, and not as bytes.
pub(super) fn is_readable(range: &Range) -> bool {
    range.is_json() || range.is_text() || range.one().is_some_and(MediaType::is_form)
}
