//! Judging requests of one operation.
//!
//! The order is fixed, so that the same request always has the same first violation: path variables left to right, query
//! parameters as declared and then undeclared names, headers, cookies, and the body with its content type last.

mod body;
pub(crate) mod coerce;
mod content;
mod encoded;
mod finder;
mod head;
pub(crate) mod media_type;
pub(crate) mod plan;

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use smallvec::SmallVec;

use self::finder::{Finder, Flow};
use self::plan::Plan;
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

/// Which content of which plan a body is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ContentCheck {
    plan: usize,
    media: usize,
    is_form: bool,
}

/// What one plan says of the body.
enum PlanBody {
    None,
    Check { media: usize, is_form: bool },
    Pass,
}

/// Judges the requests of one operation. Cheap to clone.
#[derive(Clone)]
pub struct Operation {
    /// One plan; two if the document has two operations of the same method and endpoint. A request conforms if it
    /// conforms to either.
    plans: Arc<[Arc<Plan>]>,
    schemas: Arc<Schemas>,
}

impl Operation {
    pub(crate) fn new(plans: Arc<[Arc<Plan>]>, schemas: Arc<Schemas>) -> Self {
        Self { plans, schemas }
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
        for (plan, own) in self.plans.iter().enumerate() {
            let mut finder = Finder::first();
            let judged = head::judge(own, &self.schemas, head, policy, &mut finder);
            match finder.into_result(judged) {
                Ok(PlanBody::None) => return Ok(BodyPlan::None),
                Ok(PlanBody::Pass) => return Ok(BodyPlan::Pass),
                Ok(PlanBody::Check { media, is_form }) => checks.push(ContentCheck {
                    plan,
                    media,
                    is_form,
                }),
                Err(violation) => refused = refused.or(Some(violation)),
            }
        }
        match (checks.first(), refused) {
            (Some(first), _) => Ok(BodyPlan::Check(BodyCheck {
                first: *first,
                second: checks.get(1).copied(),
            })),
            (None, Some(violation)) => Err(violation),
            (None, None) => unreachable!("an operation has at least one plan"),
        }
    }

    /// Judge a body that [`Operation::validate_head`] asked to hold. Other plans have nothing to judge.
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
        let BodyPlan::Check(check) = plan else {
            return Ok(());
        };
        let judge = |check: ContentCheck| {
            let mut finder = Finder::first();
            let judged = match self.plans.get(check.plan) {
                Some(plan) => body::judge(
                    plan,
                    &self.schemas,
                    check.media,
                    check.is_form,
                    body,
                    policy,
                    &mut finder,
                ),
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

    /// All violations of a request, in order; at most [`MAX_VIOLATIONS`].
    pub fn violations(
        &self,
        head: &RequestHead<'_>,
        body: &[u8],
        policy: &Policy,
    ) -> Vec<Violation> {
        let mut chosen: Option<(bool, Vec<Violation>)> = None;
        for plan in self.plans.iter() {
            let mut finder = Finder::all();
            let judged = head::judge(plan, &self.schemas, head, policy, &mut finder);
            let head_conforms = finder.is_empty();
            if let Flow::Continue(PlanBody::Check { media, is_form }) = judged {
                let _ = body::judge(
                    plan,
                    &self.schemas,
                    media,
                    is_form,
                    body,
                    policy,
                    &mut finder,
                );
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
