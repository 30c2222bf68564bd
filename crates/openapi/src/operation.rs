//! Judging requests of one operation, and their responses.
//!
//! The order is fixed, so that the same request always has the same first violation: path variables left to right, query
//! parameters as declared and then undeclared names, headers, cookies, and the body with its content type last.

mod body;
mod content;
mod encoded;
mod finder;
mod form;
mod head;
pub(crate) mod media_type;
mod multipart;
mod nested;
mod parameter;
pub(crate) mod plan;
pub(crate) mod response;
pub(crate) mod shape;
mod stream;
pub(crate) mod style;
mod text;

pub use self::text::json_number;
mod unpack;
mod value;

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use smallvec::SmallVec;

use self::finder::{Finder, Flow};
use self::multipart::Boundary;
use self::plan::Plan;
use self::response::Responses;
use self::stream::PlanStream;
use self::unpack::Codings;
use crate::policy::Policy;
use crate::schema::store::Schemas;
use crate::violation::Violation;

/// What is known of a request before its body.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The text of the path's variables, left to right, percent-encoded as it came. If there are more than the document's
    /// path has, the last ones belong to it: the others are of the server's base path.
    pub path_variables: &'a [&'a str],
    /// The query without `?`, as it came.
    pub query: Option<&'a str>,
    /// All header fields.
    pub headers: &'a HeaderMap,
    /// Whether a body follows: a `Content-Length` above 0, a transfer coding, or an open HTTP/2 stream.
    pub has_body: bool,
}

/// What to do with the body of a request whose head conforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyPlan {
    /// There is no body.
    None,
    /// Hold the body and give it to [`Operation::validate_body`].
    Check(BodyCheck),
    /// Give the body to [`Operation::body_stream`] as it arrives; it need not be held.
    Stream(StreamCheck),
    /// There is a body that the document allows and that is not checked here.
    Pass,
}

/// How a held body is to be checked; made by [`Operation::validate_head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyCheck {
    first: ContentCheck,
    /// The check of the other operation of the same endpoint, if its head conforms too.
    second: Option<ContentCheck>,
}

/// How a body is to be checked as it arrives; made by [`Operation::validate_head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamCheck {
    check: BodyCheck,
    /// That of a multipart form.
    boundary: Option<Boundary>,
}

/// Which content of which plan a body is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ContentCheck {
    plan: usize,
    media: usize,
    kind: Kind,
    codings: Codings,
}

/// How content is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Form,
    Text,
    Multipart,
    /// Only the size is judged.
    Bytes,
}

impl Kind {
    /// Whether a charset means something to it.
    fn is_text(self) -> bool {
        self != Self::Bytes
    }

    /// Whether the content need not be held to be judged.
    fn streams(self) -> bool {
        matches!(self, Self::Multipart | Self::Bytes)
    }
}

/// What one plan says of the body.
enum PlanBody {
    None,
    Check {
        media: usize,
        kind: Kind,
        codings: Codings,
        boundary: Option<Boundary>,
    },
    Pass,
}

impl PlanBody {
    /// The same for an operation whose other plan, if there is one, has no say.
    fn plan(self, number: usize) -> BodyPlan {
        match self {
            Self::None => BodyPlan::None,
            Self::Pass => BodyPlan::Pass,
            Self::Check {
                media,
                kind,
                codings,
                boundary,
            } => {
                let first = ContentCheck {
                    plan: number,
                    media,
                    kind,
                    codings,
                };
                let check = BodyCheck {
                    first,
                    second: None,
                };
                if kind.streams() {
                    BodyPlan::Stream(StreamCheck { check, boundary })
                } else {
                    BodyPlan::Check(check)
                }
            }
        }
    }
}

/// Judges the requests of one operation, and its responses if they were read. Cheap to clone.
#[derive(Clone)]
pub struct Operation {
    /// One plan; two if the document has two operations of the same method and endpoint. A request conforms if it
    /// conforms to either.
    plans: Arc<[Arc<Plan>]>,
    schemas: Arc<Schemas>,
    /// `None`: they were not read.
    responses: Option<Arc<Responses>>,
}

impl Operation {
    pub(crate) fn new(
        plans: Arc<[Arc<Plan>]>,
        schemas: Arc<Schemas>,
        responses: Option<Arc<Responses>>,
    ) -> Self {
        Self {
            plans,
            schemas,
            responses,
        }
    }

    /// Judge everything that is known before the body: path, query, headers, cookies, content type, presence of a body.
    ///
    /// # Errors
    ///
    /// The first violation.
    pub fn validate_head(
        &self,
        head: &RequestHead<'_>,
        policy: &Policy,
    ) -> Result<BodyPlan, Violation> {
        let mut checks: SmallVec<[ContentCheck; 2]> = SmallVec::new();
        let mut refused = None;
        let mut stated = None;
        for (plan, own) in self.plans.iter().enumerate() {
            let mut finder = Finder::first();
            let judged = head::judge(own, &self.schemas, head, policy, &mut finder);
            match finder.into_result(judged) {
                Ok(PlanBody::None) => return Ok(BodyPlan::None),
                Ok(PlanBody::Pass) => return Ok(BodyPlan::Pass),
                Ok(PlanBody::Check {
                    media,
                    kind,
                    codings,
                    boundary,
                }) => {
                    stated = stated.or(boundary);
                    checks.push(ContentCheck {
                        plan,
                        media,
                        kind,
                        codings,
                    });
                }
                Err(violation) => refused = refused.or(Some(violation)),
            }
        }
        match (checks.first(), refused) {
            (Some(first), _) => {
                let check = BodyCheck {
                    first: *first,
                    second: checks.get(1).copied(),
                };
                Ok(if checks.iter().any(|check| check.kind.streams()) {
                    BodyPlan::Stream(StreamCheck {
                        check,
                        boundary: stated,
                    })
                } else {
                    BodyPlan::Check(check)
                })
            }
            (None, Some(violation)) => Err(violation),
            (None, None) => unreachable!("an operation has at least one plan"),
        }
    }

    /// Judge a whole body, packed as it came if it was, that [`Operation::validate_head`] asked to hold; one that it asked
    /// to stream is judged too. Other plans have nothing to judge.
    ///
    /// # Errors
    ///
    /// The first violation.
    pub fn validate_body(
        &self,
        plan: &BodyPlan,
        body: &[u8],
        policy: &Policy,
    ) -> Result<(), Violation> {
        let check = match plan {
            BodyPlan::Check(check) => check,
            BodyPlan::Stream(_) => {
                let mut stream = self.body_stream(plan, policy);
                stream.push(body)?;
                return stream.finish();
            }
            BodyPlan::None | BodyPlan::Pass => return Ok(()),
        };
        let judge = |check: ContentCheck| {
            let mut finder = Finder::first();
            let judged = match self.plans.get(check.plan) {
                Some(plan) => body::judge(plan, &self.schemas, check, body, policy, &mut finder),
                // The check was made by another operation; what cannot be judged is not let through.
                None => finder.add(body::not_judged("")),
            };
            finder.into_result(judged)
        };
        judge(check.first).or_else(|violation| match check.second {
            Some(second) if judge(second).is_ok() => Ok(()),
            _ => Err(violation),
        })
    }

    /// What judges a body as it arrives that [`Operation::validate_head`] asked to stream; one that it asked to hold is
    /// held by the stream up to 1 MiB. The stream of another plan accepts anything.
    pub fn body_stream(&self, plan: &BodyPlan, policy: &Policy) -> BodyStream {
        let (check, boundary) = match plan {
            BodyPlan::Stream(stream) => (stream.check, stream.boundary.as_ref()),
            BodyPlan::Check(check) => (*check, None),
            BodyPlan::None | BodyPlan::Pass => return BodyStream::new([]),
        };
        let checks = [Some(check.first), check.second];
        BodyStream::new(checks.into_iter().flatten().filter_map(|check| {
            let plan = Arc::clone(self.plans.get(check.plan)?);
            let schemas = Arc::clone(&self.schemas);
            Some(PlanStream::new(plan, schemas, check, boundary, policy))
        }))
    }

    /// All violations of a request, in order; at most [`MAX_VIOLATIONS`]. Of a form that cannot be read on only the first is
    /// told.
    pub fn violations(
        &self,
        head: &RequestHead<'_>,
        body: &[u8],
        policy: &Policy,
    ) -> Vec<Violation> {
        let mut chosen: Option<(bool, Vec<Violation>)> = None;
        for (number, plan) in self.plans.iter().enumerate() {
            let mut finder = Finder::all();
            let judged = head::judge(plan, &self.schemas, head, policy, &mut finder);
            let head_conforms = finder.is_empty();
            if let Flow::Continue(PlanBody::Check {
                media,
                kind,
                codings,
                boundary,
            }) = judged
            {
                let check = ContentCheck {
                    plan: number,
                    media,
                    kind,
                    codings,
                };
                let _ = self.body_violations(check, boundary.as_ref(), body, policy, &mut finder);
            }
            let found = finder.into_all();
            if found.is_empty() {
                return found;
            }
            // As for one violation: of two plans the first whose head conforms, or else the first.
            if chosen
                .as_ref()
                .is_none_or(|(conforms, _)| head_conforms && !conforms)
            {
                chosen = Some((head_conforms, found));
            }
        }
        chosen.map_or_else(Vec::new, |(_, found)| found)
    }

    /// What is wrong with a head that [`Operation::validate_head`] refuses, in order, at most [`MAX_VIOLATIONS`]; and how the
    /// body could be judged all the same. A body that is held is given to [`Operation::violations`] then.
    pub fn head_violations(
        &self,
        head: &RequestHead<'_>,
        policy: &Policy,
    ) -> (Vec<Violation>, BodyPlan) {
        let mut first = None;
        for (number, plan) in self.plans.iter().enumerate() {
            let mut finder = Finder::all();
            let judged = head::judge(plan, &self.schemas, head, policy, &mut finder);
            let found = finder.into_all();
            let body = match judged {
                Flow::Continue(body) => body.plan(number),
                Flow::Break(()) => BodyPlan::Pass,
            };
            if found.is_empty() {
                return (found, body);
            }
            first = first.or(Some((found, body)));
        }
        first.unwrap_or((Vec::new(), BodyPlan::Pass))
    }

    fn body_violations(
        &self,
        check: ContentCheck,
        boundary: Option<&Boundary>,
        body: &[u8],
        policy: &Policy,
        finder: &mut Finder,
    ) -> Flow {
        let Some(plan) = self.plans.get(check.plan) else {
            return Flow::Continue(());
        };
        if !check.kind.streams() {
            return body::judge(plan, &self.schemas, check, body, policy, finder);
        }
        let (plan, schemas) = (Arc::clone(plan), Arc::clone(&self.schemas));
        let mut stream = PlanStream::new(plan, schemas, check, boundary, policy);
        if !body.is_empty() {
            stream.push(body);
        }
        for violation in stream.finish(false) {
            finder.add(violation)?;
        }
        Flow::Continue(())
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Operation")
            .field(
                &self
                    .plans
                    .first()
                    .map(|plan| plan.place.as_str())
                    .unwrap_or_default(),
            )
            .finish()
    }
}

pub use finder::MAX_VIOLATIONS;
pub use stream::BodyStream;
