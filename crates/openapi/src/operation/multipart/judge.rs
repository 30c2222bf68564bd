//! Judging the parts of a form, one after the other, and the form as a whole at its end.

use std::borrow::Cow;
use std::sync::Arc;

use super::header::ContentType;
use super::{Boundary, Event, Parser, PartHeader, Stop};
use crate::operation::body::not_utf8;
use crate::operation::encoded::{Pair, Pairs};
use crate::operation::finder::{Finder, Flow};
use crate::operation::form;
use crate::operation::media_type::MediaType;
use crate::operation::plan::{File, Parts, Plan, Size};
use crate::operation::shape::Shape;
use crate::operation::style::Coding;
use crate::operation::value::Raw;
use crate::place;
use crate::policy::Policy;
use crate::schema::store::Schemas;
use crate::violation::{ErrorClass, Location, Violation};

/// Most bytes of all parts that are held to be judged, together; files are not held.
const MAX_HELD: usize = 1024 * 1024;

/// Judges a multipart form as it arrives.
pub(crate) struct MultipartJudge {
    parser: Parser,
    judge: PartJudge,
}

impl MultipartJudge {
    pub(crate) fn new(
        plan: Arc<Plan>,
        media: usize,
        schemas: Arc<Schemas>,
        boundary: &Boundary,
        policy: &Policy,
    ) -> Self {
        Self {
            parser: Parser::new(boundary),
            judge: PartJudge {
                plan,
                media,
                schemas,
                policy: policy.clone(),
                count: 0,
                held: 0,
                part: None,
                files: Vec::new(),
                fields: Vec::new(),
            },
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let Self { parser, judge } = self;
        let read = parser.push(bytes, |event| judge.take(event));
        read.map_err(|stop| match stop {
            Stop::Malformed => judge.malformed(),
            Stop::Refused(violation) => *violation,
        })
    }

    /// How many bytes of the form are held.
    pub(crate) fn held_bytes(&self) -> usize {
        self.judge.held
    }

    /// What is wrong with the form as a whole.
    pub(crate) fn finish(self, finder: &mut Finder) -> Flow {
        if !self.parser.is_complete() {
            return finder.add(self.judge.malformed());
        }
        self.judge.finish(finder)
    }
}

struct PartJudge {
    plan: Arc<Plan>,
    media: usize,
    schemas: Arc<Schemas>,
    policy: Policy,
    count: usize,
    held: usize,
    part: Option<Part>,
    /// Names of parts that are not held, and how many there were.
    files: Vec<(String, usize)>,
    fields: Vec<Field>,
}

/// The part that arrives.
struct Part {
    name: String,
    kind: PartKind,
}

enum PartKind {
    /// Counted.
    File { size: Size, count: u64 },
    /// Held.
    Field {
        text: Vec<u8>,
        is_json: bool,
        /// It is said to be in a charset that shares no more with UTF-8 than ASCII.
        must_be_ascii: bool,
    },
}

/// A part that has been held.
struct Field {
    name: String,
    text: String,
    is_json: bool,
}

type Judged = Result<(), Box<Violation>>;

impl PartJudge {
    fn parts(&self) -> Option<(&Parts, &str)> {
        let media = self.plan.body.as_ref()?.media.get(self.media)?;
        Some((media.parts.as_ref()?, &media.place))
    }

    fn place(&self) -> &str {
        self.parts().map_or("", |(_, place)| place)
    }

    fn malformed(&self) -> Violation {
        let class = ErrorClass::InvalidSyntax;
        Violation::new(Location::Body, "$", class, None, self.place())
    }

    fn refused(&self, name: &str, class: ErrorClass, detail: Option<&str>) -> Violation {
        let target = place::key("$", name);
        let at = self.place();
        Violation::new(Location::Body, &target, class, detail, at)
    }

    fn take(&mut self, event: Event<'_>) -> Judged {
        match event {
            Event::Part(header) => self.begin(&header),
            Event::Content(bytes) => self.content(bytes),
            Event::End => self.end(),
        }
    }

    fn begin(&mut self, header: &PartHeader<'_>) -> Judged {
        self.count += 1;
        let name = header.name.as_ref();
        if self.count > self.policy.max_part_count {
            let class = ErrorClass::TooManyValues;
            let violation = Violation::new(Location::Body, "$", class, None, self.place());
            return Err(Box::new(violation));
        }
        if header.is_coded {
            return Err(self
                .refused(name, ErrorClass::UnsupportedMediaType, None)
                .into());
        }
        // `files[]` is how many write the name of a list.
        let list = name.strip_suffix("[]").filter(|base| {
            let parts = self.parts().map(|(parts, _)| parts);
            parts
                .and_then(|parts| find(parts, base))
                .is_some_and(|(_, file)| file.is_list)
        });
        let name = list.unwrap_or(name);
        let kind = self.kind(name, &header.content_type)?;
        if matches!(kind, PartKind::File { .. }) {
            match self.files.iter_mut().find(|(known, _)| known == name) {
                Some((_, count)) => *count += 1,
                None => self.files.push((name.to_owned(), 1)),
            }
        }
        let name = name.to_owned();
        self.part = Some(Part { name, kind });
        Ok(())
    }

    /// Whether a part is held or counted, and whether its type is one it may have.
    fn kind(&self, name: &str, stated: &ContentType) -> Result<PartKind, Box<Violation>> {
        let file = |size| PartKind::File { size, count: 0 };
        let invalid = |detail| self.refused(name, ErrorClass::InvalidMediaType, Some(detail));
        let plain;
        let media_type = match stated {
            ContentType::Unreadable => return Err(invalid("invalid_content_type").into()),
            ContentType::Stated(media_type) => Some(media_type),
            ContentType::Unstated => {
                plain = MediaType::parse("text/plain");
                plain.as_ref()
            }
        };
        let Some((parts, media_type)) = self.parts().map(|(parts, _)| parts).zip(media_type) else {
            return Err(invalid("invalid_content_type").into());
        };
        if media_type.is_multipart() {
            return Err(self
                .refused(name, ErrorClass::UnsupportedMediaType, None)
                .into());
        }
        let listed = parts.types.iter().find(|(known, _)| known == name);
        if let Some((_, ranges)) = listed
            && !ranges
                .iter()
                .any(|range| range.specificity(media_type).is_some())
        {
            return Err(invalid("invalid_media_type").into());
        }
        if let Some((_, File { size, is_list })) = find(parts, name) {
            let is_again = self.files.iter().any(|(known, _)| known == name);
            if is_again && !is_list {
                return Err(self.refused(name, ErrorClass::DuplicateValue, None).into());
            }
            return Ok(file(*size));
        }
        let Some(shape) = &parts.form.shape else {
            return Ok(file(Size::ANY));
        };
        if !form::names(shape, name) {
            if !parts.is_open {
                let class = ErrorClass::ConstraintViolation;
                return Err(self.refused(name, class, Some("forbidden_value")).into());
            }
            let is_judged = shape
                .node(Shape::ROOT)
                .is_some_and(|object| object.additional.is_some());
            if !is_judged {
                return Ok(file(Size::ANY));
            }
        }
        let is_json = media_type.is_json();
        if !is_json && !media_type.is_text() {
            return Err(invalid("invalid_media_type").into());
        }
        let must_be_ascii = media_type.has_other_charset();
        if must_be_ascii && !media_type.has_charset_beyond_ascii() {
            return Err(self.other_charset(name).into());
        }
        Ok(PartKind::Field {
            text: Vec::new(),
            is_json,
            must_be_ascii,
        })
    }

    fn content(&mut self, bytes: &[u8]) -> Judged {
        let Some(part) = &mut self.part else {
            return Ok(());
        };
        match &mut part.kind {
            PartKind::File { size, count } => {
                *count += bytes.len() as u64;
                if *count > size.max {
                    return Err(self.wrong_size().into());
                }
            }
            PartKind::Field { text, .. } => {
                self.held += bytes.len();
                if self.held > MAX_HELD {
                    let class = ErrorClass::BodySize;
                    let violation = Violation::new(Location::Body, "$", class, None, self.place());
                    return Err(Box::new(violation));
                }
                text.extend_from_slice(bytes);
            }
        }
        Ok(())
    }

    fn other_charset(&self, name: &str) -> Violation {
        let class = ErrorClass::UnsupportedMediaType;
        self.refused(name, class, Some("unsupported_media_type_parameter"))
    }

    fn wrong_size(&self) -> Violation {
        let name = self.part.as_ref().map_or("", |part| part.name.as_str());
        let class = ErrorClass::ConstraintViolation;
        self.refused(name, class, Some("string_length_not_in_range"))
    }

    fn end(&mut self) -> Judged {
        let too_small = matches!(
            &self.part,
            Some(Part { kind: PartKind::File { size, count }, .. }) if *count < size.min
        );
        if too_small {
            return Err(self.wrong_size().into());
        }
        let Some(Part { name, kind }) = self.part.take() else {
            return Ok(());
        };
        if let PartKind::Field {
            text,
            is_json,
            must_be_ascii,
        } = kind
        {
            if must_be_ascii && !text.is_ascii() {
                return Err(self.other_charset(&name).into());
            }
            let Ok(text) = String::from_utf8(text) else {
                let target = place::key("$", &name);
                return Err(Box::new(not_utf8(&target, self.place())));
            };
            self.fields.push(Field {
                name,
                text,
                is_json,
            });
        }
        Ok(())
    }

    /// Judge the form as a whole, in which a file is an empty string.
    fn finish(self, finder: &mut Finder) -> Flow {
        let Some((parts, at)) = self.parts() else {
            return finder.add(crate::operation::body::not_judged(""));
        };
        let Some(shape) = &parts.form.shape else {
            return Flow::Continue(());
        };
        let (json, text): (Vec<&Field>, Vec<&Field>) =
            self.fields.iter().partition(|field| field.is_json);
        let pairs: Pairs<'_> = text
            .iter()
            .map(|field| Pair {
                name: Cow::Borrowed(field.name.as_str()),
                raw: field.text.as_bytes(),
            })
            .collect();
        let Some(mut members) = form::members(&parts.form, &pairs, Coding::Plain, at, finder)?
        else {
            return Flow::Continue(());
        };
        let taken = |members: &form::Members<'_>, name: &str| {
            members.iter().any(|(known, _)| known.as_ref() == name)
        };
        for (index, field) in json.iter().enumerate() {
            let is_same = |other: &&&Field| other.name == field.name;
            if json[..index].iter().any(|other| is_same(&other)) {
                continue;
            }
            let is_list = form::is_list(shape, &field.name);
            let value = |field: &Field| Raw::Json(Cow::Owned(field.text.clone()));
            let same: Vec<Raw<'_>> = json
                .iter()
                .filter(is_same)
                .map(|field| value(field))
                .collect();
            // One name is either text or JSON.
            if taken(&members, &field.name) || (same.len() > 1 && !is_list) {
                return finder.add(self.refused(&field.name, ErrorClass::DuplicateValue, None));
            }
            let value = match (same.len(), is_list) {
                (1, false) => value(field),
                (1, true) => Raw::Either(vec![value(field), Raw::List(same)]),
                _ => Raw::List(same),
            };
            members.push((Cow::Borrowed(field.name.as_str()), value));
        }
        for (name, count) in &self.files {
            if taken(&members, name) {
                return finder.add(self.refused(name, ErrorClass::DuplicateValue, None));
            }
            let is_list = find(parts, name).is_some_and(|(_, file)| file.is_list);
            let empty = || Raw::Text(Cow::Borrowed(""));
            let value = if is_list {
                Raw::List((0..*count).map(|_| empty()).collect())
            } else {
                empty()
            };
            members.push((Cow::Borrowed(name.as_str()), value));
        }
        let value = Raw::Members(members);
        form::check(shape, &self.schemas, &value, at, &self.policy, finder)
    }
}

fn find<'p>(parts: &'p Parts, name: &str) -> Option<&'p (String, File)> {
    parts.files.iter().find(|(known, _)| known == name)
}
