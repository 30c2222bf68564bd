//! What is wrong with a document, with stable codes.
//!
//! | code | severity | meaning |
//! | --- | --- | --- |
//! | 28 | warning | bodies of the media type pass unchecked, or with their size checked; XML is refused unless it is set to pass |
//! | 100 | critical | the document is larger than the limit |
//! | 101 | critical | the document is neither JSON nor YAML |
//! | 102 | critical | the document is no OpenAPI document |
//! | 103 | critical | the version is not supported (Swagger 2.0 and others) |
//! | 110 | error | a part of the document has the wrong shape |
//! | 111 | error | a reference leads outside the document |
//! | 112 | error | a reference leads nowhere |
//! | 113 | error | references lead in a circle |
//! | 114 | error | the JSON Schema dialect or keyword is not supported |
//! | 120 | error | a path cannot be matched |
//! | 121 | error | more than two operations have the same method and endpoint |
//! | 122 | error | more operations than the limit |
//! | 130 | error | a parameter is not complete, or declared twice |
//! | 140 | error | a schema keyword has a value that it cannot have |
//! | 141 | error | a pattern is no regular expression that can be matched |
//! | 200 | warning | a parameter is not enforced: its content is neither JSON nor text |
//! | 201 | warning | a path variable is not declared, and may be any text |
//! | 202 | warning | a path parameter has no variable in the path, and is ignored |
//! | 203 | warning | a server URL is not used as written |
//! | 204 | warning | a schema keyword has no meaning in this version, and is ignored |
//! | 205 | warning | a schema keyword is written in the form of another version, and is read as such |
//! | 206 | warning | `nullable` has no effect |
//! | 207 | warning | keywords beside `$ref` are ignored |
//! | 208 | warning | a request body declares no content, and passes unchecked |
//! | 209 | warning | a declaration is ignored |
//! | 210 | warning | two operations have the same method and endpoint: a request conforms if it conforms to either |

use std::collections::HashMap;

use serde::Serialize;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Not an OpenAPI document at all, or unreadable.
    Critical,
    /// The document is refused.
    Error,
    /// The document is loaded, but something in it will not be enforced as written.
    Warning,
}

/// One problem of a document, with every place it occurs at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// A stable code, see the table of the module.
    pub code: u16,
    /// What is wrong and what would be right.
    pub message: String,
    /// Places in the document, e.g. `.paths["/user/{username}"].put`; at most [`MAX_LOCATIONS`].
    pub locations: Vec<String>,
}

/// Most places listed for one problem.
pub const MAX_LOCATIONS: usize = 200;

/// A code and the severity that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Code(pub(crate) Severity, pub(crate) u16);

macro_rules! codes {
    ($($name:ident = $severity:ident $number:literal),* $(,)?) => {
        $(pub(crate) const $name: Code = Code(Severity::$severity, $number);)*
        /// Every code there is.
        pub const CODES: &[(Severity, u16)] = &[$((Severity::$severity, $number)),*];
    };
}

codes! {
    MEDIA_TYPE_NOT_CHECKED = Warning 28,
    TOO_LARGE = Critical 100,
    UNREADABLE = Critical 101,
    NOT_OPENAPI = Critical 102,
    VERSION = Critical 103,
    SHAPE = Error 110,
    EXTERNAL_REFERENCE = Error 111,
    DANGLING_REFERENCE = Error 112,
    CIRCULAR_REFERENCE = Error 113,
    DIALECT = Error 114,
    PATH = Error 120,
    DUPLICATE_OPERATION = Error 121,
    TOO_MANY_OPERATIONS = Error 122,
    PARAMETER = Error 130,
    KEYWORD = Error 140,
    PATTERN = Error 141,
    PARAMETER_NOT_ENFORCED = Warning 200,
    UNDECLARED_VARIABLE = Warning 201,
    UNUSED_VARIABLE = Warning 202,
    SERVER = Warning 203,
    KEYWORD_WITHOUT_MEANING = Warning 204,
    KEYWORD_OF_OTHER_VERSION = Warning 205,
    NULLABLE_WITHOUT_EFFECT = Warning 206,
    BESIDE_REFERENCE = Warning 207,
    NO_CONTENT = Warning 208,
    IGNORED = Warning 209,
    EITHER_OPERATION = Warning 210,
}

impl Problem {
    pub(crate) fn new(Code(severity, code): Code, message: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            message: message.into(),
            locations: Vec::new(),
        }
    }
}

/// Gathers problems; equal ones become one with several places.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    list: Vec<Problem>,
    known: HashMap<(u16, String), usize>,
    /// How many were worse than a warning, equal ones counted.
    errors: usize,
}

impl Problems {
    pub(crate) fn add(
        &mut self,
        Code(severity, code): Code,
        place: impl Into<String>,
        message: impl Into<String>,
    ) {
        if severity < Severity::Warning {
            self.errors += 1;
        }
        let message = message.into();
        let list = &mut self.list;
        let at = *self
            .known
            .entry((code, message))
            .or_insert_with_key(|(_, message)| {
                list.push(Problem::new(Code(severity, code), message.clone()));
                list.len() - 1
            });
        let locations = &mut list[at].locations;
        let place = place.into();
        if locations.len() < MAX_LOCATIONS && locations.last() != Some(&place) {
            locations.push(place);
        }
    }

    /// How often something worse than a warning was added so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// The warnings, or everything if the document cannot be loaded; the worst first.
    pub(crate) fn into_result(mut self) -> Result<Vec<Problem>, Vec<Problem>> {
        self.list.sort_by_key(|problem| problem.severity);
        if self
            .list
            .first()
            .is_some_and(|problem| problem.severity < Severity::Warning)
        {
            return Err(self.list);
        }
        Ok(self.list)
    }
}
