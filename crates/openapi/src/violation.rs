//! What a request, or the response to it, did wrong: where, what, and which rule of the document says so.
//!
//! A violation never carries a value from the traffic. It names the parameter or the JSON path, because those are what
//! the operator looks for, and the place of the rule in the document.

use std::fmt;

use serde::Serialize;

/// The part of the request or response that departs from the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    /// A variable of the path template.
    Path,
    /// The query string.
    Query,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
    /// The body, its media type included.
    Body,
}

impl Location {
    /// The word used in events, logs and documents: `path`, `query`, `header`, `cookie` or `body`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Body => "body",
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The kind of departure; [`Violation::error_detail`] says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// A required parameter or the required body is absent. No detail.
    MissingRequired,
    /// The value has another type. Detail `expected:<type>`.
    InvalidType,
    /// The bytes are not text. Detail `invalid_utf8` or `invalid_ascii`.
    InvalidEncoding,
    /// The body or parameter cannot be parsed. Detail `invalid_json` or `invalid_form_urlencoded`; none for a multipart form,
    /// or a path variable, header or cookie that does not follow its style.
    InvalidSyntax,
    /// The content type is missing, malformed or not declared. Detail `invalid_content_type` or `invalid_media_type`.
    InvalidMediaType,
    /// The media type is declared, but a parameter or a content coding of it cannot be read.
    UnsupportedMediaType,
    /// A name that may appear once appears again. No detail.
    DuplicateValue,
    /// More members or parameters than the policy allows. No detail.
    TooManyValues,
    /// The body is too large to be examined, as it came or unpacked. No detail; the first is raised by the caller, which
    /// knows the limit.
    BodySize,
    /// The value breaks a rule of its schema. The detail names the rule.
    ConstraintViolation,
}

impl ErrorClass {
    /// The stable code, as serialized.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingRequired => "missing_required",
            Self::InvalidType => "invalid_type",
            Self::InvalidEncoding => "invalid_encoding",
            Self::InvalidSyntax => "invalid_syntax",
            Self::InvalidMediaType => "invalid_media_type",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::DuplicateValue => "duplicate_value",
            Self::TooManyValues => "too_many_values",
            Self::BodySize => "body_size",
            Self::ConstraintViolation => "constraint_violation",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One departure of a request or response from the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The part of the request.
    pub location: Location,
    /// The parameter's name, or a JSON path into the body (`$` is the whole body, `$.items[3].name` a member).
    ///
    /// For a member that should not be there or is missing, the path ends where the document can say something: at the
    /// unexpected member, or at the object that lacks one.
    pub target: String,
    /// The kind of departure.
    pub error_class: ErrorClass,
    /// More about the kind, e.g. `expected:integer`, `number_too_big` or `format_violation:date`.
    pub error_detail: Option<String>,
    /// The place of the broken rule in the document, e.g. `.components.schemas.Temp.properties.unit.enum`.
    pub rule: String,
}

impl Violation {
    /// A violation; the target is cut at [`MAX_TARGET_CHARS`] because the client chooses the names in it.
    pub(crate) fn new(
        location: Location,
        target: &str,
        error_class: ErrorClass,
        error_detail: Option<&str>,
        rule: &str,
    ) -> Self {
        Self {
            location,
            target: bounded(target),
            error_class,
            error_detail: error_detail.map(str::to_owned),
            rule: rule.to_owned(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {}: {}",
            self.location, self.target, self.error_class
        )?;
        if let Some(detail) = &self.error_detail {
            write!(formatter, " ({detail})")?;
        }
        if !self.rule.is_empty() {
            write!(formatter, ", see {}", self.rule)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violation {}

/// Longest [`Violation::target`], in characters; what is longer ends in `…`.
pub const MAX_TARGET_CHARS: usize = 256;

/// `target` without control characters and no longer than [`MAX_TARGET_CHARS`].
fn bounded(target: &str) -> String {
    let mut out = String::with_capacity(target.len().min(MAX_TARGET_CHARS + 4));
    for (count, character) in target.chars().enumerate() {
        if count == MAX_TARGET_CHARS {
            out.push('…');
            break;
        }
        out.push(if character.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            character
        });
    }
    out
}
