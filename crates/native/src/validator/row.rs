//! The verdict on one recorded request: what a gateway with the default settings would say of it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use hauberk_gateway::{is_overridden, matched_path};
use hauberk_openapi::{Location, Operation, Policy, RequestHead, Violation};
use hauberk_traffic::TransactionRef;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;

use super::served::{Documents, Served, find};

/// Padded or not, as recorders please.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Judges requests one after another.
pub(super) struct Judge {
    documents: Documents,
    policy: Policy,
    /// Of the request that is judged; kept for the room it has.
    headers: HeaderMap,
}

/// What became of a request.
pub(super) struct Judged<'d> {
    /// None: it is for no operation.
    pub(super) operation: Option<&'d Served>,
    pub(super) violations: Vec<Told>,
    /// False where a gateway refuses what the documents have nothing against.
    is_asked: bool,
}

/// A violation as verdicts tell it. It holds names and places, no values.
#[derive(Serialize)]
pub(super) struct Told {
    pub(super) location: &'static str,
    target: String,
    pub(super) error_class: &'static str,
    pub(super) error_detail: Option<String>,
    /// Empty where it is not the document that is broken, but a default of the gateway.
    pub(super) rule: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Conforms,
    Violates,
    NotEvaluated,
}

impl Verdict {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Conforms => "conforms",
            Self::Violates => "violates",
            Self::NotEvaluated => "not_evaluated",
        }
    }
}

impl Judged<'_> {
    pub(super) fn verdict(&self) -> Verdict {
        match self.operation {
            _ if !self.is_asked => Verdict::NotEvaluated,
            _ if !self.violations.is_empty() => Verdict::Violates,
            Some(_) => Verdict::Conforms,
            None => Verdict::NotEvaluated,
        }
    }
}

/// What is known of the body of a recorded request.
enum Body<'t> {
    None,
    Known(Cow<'t, [u8]>),
    /// There was one, and it was not kept.
    NotKept,
}

impl Judge {
    pub(super) fn new(documents: Documents) -> Self {
        Self {
            documents,
            policy: Policy::default(),
            headers: HeaderMap::new(),
        }
    }

    /// Judges a request.
    pub(super) fn judge(&mut self, seen: &TransactionRef<'_>) -> Judged<'_> {
        let serving = self.documents.serving(&seen.host);
        let judged = |operation, violations| Judged {
            operation,
            violations,
            is_asked: true,
        };
        let Some(method) = serving
            .first()
            .and_then(|_| Method::from_bytes(seen.method.as_bytes()).ok())
        else {
            return judged(None, Vec::new());
        };
        let path = as_sent(seen.path());
        if path == "*" {
            return judged(None, Vec::new());
        }
        let (path, is_ambiguous) = match matched_path(path.as_bytes()) {
            Ok(path) => (path, false),
            Err(_) if only_holds_slashes(&path) => (Cow::Borrowed(&*path), true),
            Err(_) => return judged(None, vec![Told::by_gateway("path", "ambiguous_path")]),
        };
        let unsendable = fill(&mut self.headers, seen);
        if is_overridden(&method, &self.headers) {
            return judged(None, vec![Told::by_gateway("header", "method_override")]);
        }
        let Some(found) = find(&serving, method.as_str(), &path) else {
            if is_ambiguous {
                return judged(None, vec![Told::by_gateway("path", "ambiguous_path")]);
            }
            let alike = serving
                .iter()
                .find_map(|group| group.lookalikes(&path).next());
            let violations = alike.map(|alike| Told {
                target: alike.endpoint.clone(),
                ..Told::by_gateway("path", "lookalike_path")
            });
            return judged(alike, violations.into_iter().collect());
        };
        let body = body(seen);
        let head = RequestHead {
            path_variables: &found.variables,
            query: seen.query(),
            headers: &self.headers,
            has_body: !matches!(body, Body::None),
        };
        let mut violations = if seen.request_headers.is_empty() {
            line_violations(&found.value.operation, &head, &self.policy)
        } else {
            all_violations(&found.value.operation, &head, &body, &self.policy)
        };
        violations.extend(unsendable);
        if is_ambiguous && violations.is_empty() {
            // The document has nothing against it, and is not asked: the gateway answers 400 before.
            return Judged {
                operation: None,
                violations: vec![Told::by_gateway("path", "ambiguous_path")],
                is_asked: false,
            };
        }
        judged(Some(found.value), violations)
    }
}

/// Whether all that makes a path ambiguous is that it holds encoded slashes, and it has no `.` or `..` however they are read.
fn only_holds_slashes(path: &str) -> bool {
    let reads = |slash: &str| {
        let path = path.replace("%2F", slash).replace("%2f", slash);
        matched_path(path.as_bytes()).is_ok()
    };
    reads("/") && reads("_")
}

/// What is wrong with a request whose recorder kept no headers, as access logs do: nothing is said of these, nor of the body, of
/// which the headers tell what it is.
fn line_violations(operation: &Operation, head: &RequestHead<'_>, policy: &Policy) -> Vec<Told> {
    let (found, _) = operation.head_violations(head, policy);
    let of_line =
        |violation: &Violation| matches!(violation.location, Location::Path | Location::Query);
    found.into_iter().filter(of_line).map(Told::from).collect()
}

fn all_violations(
    operation: &Operation,
    head: &RequestHead<'_>,
    body: &Body<'_>,
    policy: &Policy,
) -> Vec<Told> {
    let known = match body {
        Body::None => Some(&[][..]),
        Body::Known(bytes) => Some(&**bytes),
        Body::NotKept => None,
    };
    let judged = operation
        .validate_head(head, policy)
        .and_then(|plan| known.map_or(Ok(()), |body| operation.validate_body(&plan, body, policy)));
    let Err(first) = judged else {
        return Vec::new();
    };
    // Only what is refused is looked at once more, for all that is wrong with it.
    let mut all = match known {
        Some(body) => operation.violations(head, body, policy),
        None => operation.head_violations(head, policy).0,
    };
    if all.is_empty() {
        all.push(first);
    }
    all.into_iter().map(Told::from).collect()
}

/// Puts the headers of a request into a map. What could not have been sent is told, and left out.
fn fill(headers: &mut HeaderMap, seen: &TransactionRef<'_>) -> Option<Told> {
    headers.clear();
    let mut unsendable = None;
    for header in &seen.request_headers {
        // Pseudo headers of HTTP/2 are no fields.
        if header.name.starts_with(':') {
            continue;
        }
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let value = HeaderValue::from_bytes(header.value.trim().as_bytes());
        let (Ok(name), Ok(value)) = (name, value) else {
            unsendable = Some(Told::by_gateway("header", "malformed_header"));
            continue;
        };
        // More fields than a map can have are more than a gateway takes.
        if headers.try_append(name, value).is_err() {
            unsendable = Some(Told::by_gateway("header", "malformed_header"));
            break;
        }
    }
    unsendable
}

fn body<'t>(seen: &'t TransactionRef<'_>) -> Body<'t> {
    let known = |bytes: Cow<'t, [u8]>| {
        if bytes.is_empty() {
            Body::None
        } else {
            Body::Known(bytes)
        }
    };
    if seen.request_body_omitted.is_some_and(|size| size > 0) {
        return Body::NotKept;
    }
    if let Some(base64) = &seen.request_body_b64 {
        return match BASE64.decode(base64.decoded().trim().as_bytes()) {
            Ok(bytes) => known(Cow::Owned(bytes)),
            Err(_) => Body::NotKept,
        };
    }
    if let Some(text) = &seen.request_body {
        return known(match text.decoded() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        });
    }
    let length = seen.request_header("content-length");
    let announced = length
        .is_some_and(|length| length.trim().parse::<u64>().is_ok_and(|length| length > 0))
        || seen.request_header("transfer-encoding").is_some();
    if announced { Body::NotKept } else { Body::None }
}

/// A path with those bytes percent-encoded that cannot be sent otherwise: some recorders show what was meant.
fn as_sent(path: &str) -> Cow<'_, str> {
    let can_be_sent = |byte: u8| (0x21..=0x7e).contains(&byte);
    if path.bytes().all(can_be_sent) {
        return Cow::Borrowed(path);
    }
    let mut sent = String::with_capacity(path.len() + 16);
    for byte in path.bytes() {
        if can_be_sent(byte) {
            sent.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            let _ = write!(sent, "%{byte:02X}");
        }
    }
    Cow::Owned(sent)
}

impl Told {
    /// What a gateway refuses whatever the document says.
    fn by_gateway(location: &'static str, detail: &str) -> Self {
        Self {
            location,
            target: String::new(),
            error_class: "constraint_violation",
            error_detail: Some(detail.to_owned()),
            rule: String::new(),
        }
    }
}

impl From<Violation> for Told {
    fn from(violation: Violation) -> Self {
        Self {
            location: violation.location.as_str(),
            target: violation.target,
            error_class: violation.error_class.as_str(),
            error_detail: violation.error_detail,
            rule: violation.rule,
        }
    }
}
