//! Judging responses: the status, the headers, the media type and, if it is JSON, the body.

use std::sync::Arc;

use http::HeaderMap;

use super::Operation;
use super::body::{json, missing};
use super::content::{
    OTHER_PARAMETER, Refused, UNDECLARED, UNREADABLE, codings, most_specific, stated,
};
use super::finder::{Finder, Flow};
use super::media_type::{MediaType, Range};
use super::parameter::Judge;
use super::plan::{Parameter, Reading};
use super::unpack;
use crate::policy::Policy;
use crate::schema::SchemaId;
use crate::schema::store::Schemas;
use crate::violation::{ErrorClass, Location, Violation};

/// The document declares no response for the status.
const UNDECLARED_STATUS: Refused = (ErrorClass::ConstraintViolation, Some("forbidden_value"));

/// The responses of a document.
#[derive(Debug)]
pub(crate) struct Responses {
    pub(crate) list: Vec<Response>,
    pub(crate) schemas: Arc<Schemas>,
}

/// The responses of an operation.
#[derive(Debug)]
pub(crate) struct Declared {
    /// Each with its number among the responses of the document.
    pub(crate) statuses: Vec<(Status, usize)>,
    /// The method is HEAD, which is answered without a body.
    pub(crate) is_head: bool,
    /// Their place in the document.
    pub(crate) place: String,
}

/// The statuses that a response is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    One(u16),
    /// Those that begin with a digit: `2XX`.
    Class(u16),
    /// Those that are not declared otherwise.
    Default,
}

/// What is asked of one response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) headers: Vec<Parameter>,
    /// Empty: nothing is declared about the content, which passes.
    pub(crate) content: Vec<Content>,
    pub(crate) place: String,
}

/// A media type or range of a response.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) range: Range,
    /// What JSON of the type is judged by.
    pub(crate) rule: Rule,
    pub(crate) place: String,
}

/// What JSON is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// It is none.
    None,
    /// There is no schema, only the syntax.
    Json,
    Schema(SchemaId),
    /// The schema has an error, so it is not judged.
    Unusable,
}

impl Status {
    /// Parse a key of `responses`.
    pub(crate) fn parse(key: &str) -> Option<Self> {
        if key == "default" {
            return Some(Self::Default);
        }
        let [first @ b'1'..=b'9', rest @ ..] = key.as_bytes() else {
            return None;
        };
        if rest.eq_ignore_ascii_case(b"xx") {
            return Some(Self::Class(u16::from(first - b'0')));
        }
        let is_number = rest.len() == 2 && rest.iter().all(u8::is_ascii_digit);
        is_number.then(|| key.parse().ok().map(Self::One))?
    }
}

impl Declared {
    /// The number of the response that is declared for a status: the status itself, else its class, else the default.
    fn find(&self, status: u16) -> Option<usize> {
        let candidates = [
            Status::One(status),
            Status::Class(status / 100),
            Status::Default,
        ];
        candidates.iter().find_map(|wanted| {
            let mut statuses = self.statuses.iter();
            statuses.find_map(|(status, number)| (status == wanted).then_some(*number))
        })
    }
}

impl Response {
    /// A response that is declared, but not in a way that can be read.
    pub(crate) fn unjudged(place: String) -> Self {
        Self {
            headers: Vec::new(),
            content: Vec::new(),
            place,
        }
    }
}

impl Operation {
    /// Whether there is anything to judge responses by: the document was loaded with
    /// [`Limits::responses`](crate::Limits::responses), and the operation declares responses. Otherwise every response
    /// conforms, and there is no need to hold its body.
    pub fn judges_responses(&self) -> bool {
        self.responses.is_some() && self.plans.iter().all(|plan| plan.responses.is_some())
    }

    /// All violations of a response, in order; at most [`MAX_VIOLATIONS`](crate::MAX_VIOLATIONS).
    ///
    /// The response that is declared for the status is looked up as OpenAPI says: the status itself, then its class
    /// (`2XX`), then `default`. What is judged of it:
    ///
    /// | what departs | location | target | class and detail |
    /// | --- | --- | --- | --- |
    /// | the status is not declared; nothing else is judged then | body | `$` | `constraint_violation`, `forbidden_value` |
    /// | a required header is missing | header | its name | `missing_required` |
    /// | a header does not conform to its schema | header | its name | as for headers of requests |
    /// | there is no body, and the declared content cannot be empty | body | `$` | `missing_required` |
    /// | the content type is missing, malformed, or there are several | body | `$` | `invalid_media_type`, `invalid_content_type` |
    /// | the content type is not declared | body | `$` | `invalid_media_type`, `invalid_media_type` |
    /// | JSON in another charset than UTF-8 | body | `$` | `unsupported_media_type`, `unsupported_media_type_parameter` |
    /// | JSON that does not conform to its schema | body | the JSON path | as for bodies of requests |
    ///
    /// `writeOnly` properties may be missing even where they are `required`; `readOnly` ones may not. What passes: content
    /// that is not JSON; any body where the document declares no `content`; a part of the response whose declaration has an
    /// error, see [`Loaded::response_problems`](crate::Loaded::response_problems); the value of `Set-Cookie`. Answers to HEAD
    /// and those of status 1xx, 204, 205 and 304 have no body (RFC 9110 §6.4.1), so of them only status and headers are
    /// judged.
    ///
    /// `body` is the whole body as it came. A `Content-Encoding` was agreed on by client and server, so whatever
    /// [`Policy::content_encoding`] says of requests, gzip, deflate and br are unpacked within the policy's bounds, beyond
    /// which the body is a violation of class `body_size`; a body in another coding passes. Of the policy, the bounds on JSON
    /// and `repeated_parameters` (for headers) matter as well.
    ///
    /// If the document has two operations of the same method and endpoint, a response conforms if it conforms to either.
    pub fn validate_response(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        policy: &Policy,
    ) -> Vec<Violation> {
        let Some(responses) = &self.responses else {
            return Vec::new();
        };
        let mut first = None;
        for plan in self.plans.iter() {
            let Some(declared) = &plan.responses else {
                return Vec::new();
            };
            let judge = Judge {
                plan,
                schemas: &responses.schemas,
                policy,
            };
            let mut finder = Finder::all();
            // Enough was found if judging stopped.
            let _ = match declared.find(status).map(|number| &responses.list[number]) {
                Some(response) => {
                    let has_no_body =
                        declared.is_head || matches!(status, 100..=199 | 204 | 205 | 304);
                    let body = (!has_no_body).then_some(body);
                    judge.response(response, headers, body, &mut finder)
                }
                None => finder.add(violation(UNDECLARED_STATUS, &declared.place)),
            };
            let found = finder.into_all();
            if found.is_empty() {
                return found;
            }
            first.get_or_insert(found);
        }
        first.unwrap_or_default()
    }
}

impl Judge<'_> {
    fn response(
        &self,
        response: &Response,
        headers: &HeaderMap,
        body: Option<&[u8]>,
        finder: &mut Finder,
    ) -> Flow {
        for parameter in response.headers.iter().filter(|own| self.can_judge(own)) {
            self.header(parameter, headers, finder)?;
        }
        match body {
            Some(body) if !response.content.is_empty() => {
                self.response_body(response, headers, body, finder)
            }
            _ => Flow::Continue(()),
        }
    }

    /// Whether the schema of a header compiles, if it has one.
    fn can_judge(&self, header: &Parameter) -> bool {
        let schema = match &header.reading {
            Reading::Styled { shape, .. } => Some(shape.schema),
            Reading::Json(schema) => *schema,
            Reading::Unchecked => None,
        };
        schema.is_none_or(|schema| self.schemas.check(schema).is_some())
    }

    fn response_body(
        &self,
        response: &Response,
        headers: &HeaderMap,
        body: &[u8],
        finder: &mut Finder,
    ) -> Flow {
        let (content, media_type) = match content(response, headers) {
            Ok(found) => found,
            // Where nothing came there is no type to state.
            Err(_) if body.is_empty() => return finder.add(missing(&response.place)),
            Err(refused) => return finder.add(violation(refused, &response.place)),
        };
        if !media_type.is_json() {
            return Flow::Continue(());
        }
        let schema = match content.rule {
            Rule::None | Rule::Unusable => return Flow::Continue(()),
            Rule::Schema(schema) if self.schemas.check(schema).is_none() => {
                return Flow::Continue(());
            }
            Rule::Schema(schema) => Some(schema),
            Rule::Json => None,
        };
        if body.is_empty() {
            return finder.add(missing(&response.place));
        }
        if media_type.has_other_charset() {
            return finder.add(violation(OTHER_PARAMETER, &content.place));
        }
        let (schemas, policy) = (self.schemas, self.policy);
        match codings(headers) {
            None => Flow::Continue(()),
            Some(none) if none.is_none() => {
                json(schema, schemas, body, &content.place, policy, finder)
            }
            Some(codings) => match unpack::whole(codings, body, policy) {
                Ok(body) => json(schema, schemas, &body, &content.place, policy, finder),
                Err(fault) => finder.add(fault.violation(&content.place)),
            },
        }
    }
}

/// What is declared for content of the type that the headers state, and the type.
fn content<'r>(
    response: &'r Response,
    headers: &HeaderMap,
) -> Result<(&'r Content, MediaType), Refused> {
    let media_type = stated(headers).ok_or(UNREADABLE)?;
    let ranges = response.content.iter().map(|content| &content.range);
    let content = most_specific(ranges, &media_type).ok_or(UNDECLARED)?;
    Ok((&response.content[content], media_type))
}

fn violation((class, detail): Refused, place: &str) -> Violation {
    Violation::new(Location::Body, "$", class, detail, place)
}
