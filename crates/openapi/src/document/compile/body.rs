//! Request bodies and their media types.

use serde_json::{Map, Value};

use super::Compiler;
use crate::operation::media_type::{MediaType, Range};
use crate::operation::plan::{Body, Media, Other, Size};
use crate::problem;
use crate::reference::child;
use crate::schema::SchemaId;
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
        let schema = value.get("schema").map(|_| {
            self.lowering
                .schema(&child(pointer, "schema"), self.problems)
        });
        let one = range.one();
        let may_be = |is: fn(&MediaType) -> bool, example: &str| match one {
            Some(one) => is(one),
            None => MediaType::parse(example)
                .is_some_and(|example| range.specificity(&example).is_some()),
        };
        let is_form = may_be(MediaType::is_form, "application/x-www-form-urlencoded");
        let is_parts = may_be(MediaType::is_multipart_form, "multipart/form-data");
        let is_structured = one.is_some() && (is_form || is_parts) || range.is_json();
        let form = is_form.then(|| self.form(schema, value, pointer));
        let parts = is_parts.then(|| self.parts(schema, value, pointer));
        let other = if is_structured {
            Other::Refuse
        } else {
            self.other(&range, key, schema, &place)
        };
        Some(Media {
            range,
            schema,
            form,
            parts,
            other,
            place,
        })
    }

    /// What is done with content that is neither JSON nor a form.
    fn other(&mut self, range: &Range, key: &str, schema: Option<SchemaId>, place: &str) -> Other {
        let shown: String = key
            .split(';')
            .next()
            .unwrap_or_default()
            .chars()
            .take(100)
            .collect();
        let is_xml = range.one().is_some_and(MediaType::is_xml);
        if is_xml {
            let message = format!(
                "the media type `{shown}` cannot be checked: bodies of it are refused, or pass unchecked if XML is set to pass"
            );
            self.problems
                .add(problem::MEDIA_TYPE_NOT_CHECKED, place, message);
            return Other::Pass;
        }
        let Some(schema) = schema else {
            return Other::Bytes(Size::ANY);
        };
        let definitions = Definitions(self.lowering.definitions());
        let lowered = &definitions.0[schema];
        let is_met_by_text = definitions.types(lowered).meets(Types::STRING);
        let (min, max) = definitions.lengths(lowered);
        let says_more = !range.is_text()
            && lowered.as_object().is_some_and(|keywords| {
                keywords
                    .keys()
                    .any(|keyword| !matches!(keyword.as_str(), "type" | "minLength" | "maxLength"))
            });
        let message = match (range.is_range(), is_met_by_text) {
            (true, false) => {
                "of this range only JSON and forms are accepted: other types cannot be checked by the schema".to_owned()
            }
            (true, true) if says_more => {
                "of this range only JSON, forms and text are checked; other types pass with their size checked".to_owned()
            }
            (false, true) if says_more => {
                format!("the media type `{shown}` is not supported: only the size of bodies is checked")
            }
            (false, false) => {
                format!("the media type `{shown}` is not supported: bodies of it pass unchecked")
            }
            (_, true) => String::new(),
        };
        if !message.is_empty() {
            self.problems
                .add(problem::MEDIA_TYPE_NOT_CHECKED, place, message);
        }
        match (range.is_range(), is_met_by_text) {
            (true, false) => Other::Refuse,
            (false, false) => Other::Pass,
            (_, true) => Other::Bytes(Size { min, max }),
        }
    }
}
