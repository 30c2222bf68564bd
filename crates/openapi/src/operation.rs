//! Judging requests of one operation.
//!
//! The order is fixed, so that the same request always has the same first violation: path variables left to right, query
//! parameters as declared and then undeclared names, headers, cookies, and the body with its content type last.

mod body;
pub(crate) mod coerce;
mod encoded;
mod finder;
mod head;
pub(crate) mod media_type;
pub(crate) mod plan;

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;

use self::finder::Finder;
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
    pub(crate) media: usize,
    pub(crate) is_form: bool,
}

/// Judges the requests of one operation. Cheap to clone.
#[derive(Clone)]
pub struct Operation {
    plan: Arc<Plan>,
    schemas: Arc<Schemas>,
}

impl Operation {
    pub(crate) fn new(plan: Plan, schemas: Arc<Schemas>) -> Self {
        Self { plan: Arc::new(plan), schemas }
    }

    /// Judge everything that is known before the body: path, query, headers, cookies, content type, presence of a body.
    ///
    /// # Errors
    ///
    /// The first violation.
    pub fn validate_head(&self, head: &RequestHead<'_>, policy: &Policy) -> Result<BodyPlan, Violation> {
        let mut finder = Finder::first();
        let plan = head::judge(&self.plan, &self.schemas, head, policy, &mut finder);
        finder.into_result(plan)
    }

    /// Judge a body that [`Operation::validate_head`] asked to hold. Other plans have nothing to judge.
    ///
    /// # Errors
    ///
    /// The first violation.
    pub fn validate_body(&self, plan: &BodyPlan, body: &[u8], policy: &Policy) -> Result<(), Violation> {
        let BodyPlan::Check(check) = plan else { return Ok(()) };
        let mut finder = Finder::first();
        let _ = body::judge(&self.plan, &self.schemas, *check, body, policy, &mut finder);
        finder.into_result(std::ops::ControlFlow::Continue(()))
    }

    /// All violations of a request, in order; at most [`MAX_VIOLATIONS`].
    pub fn violations(&self, head: &RequestHead<'_>, body: &[u8], policy: &Policy) -> Vec<Violation> {
        let mut finder = Finder::all();
        let plan = head::judge(&self.plan, &self.schemas, head, policy, &mut finder);
        if let std::ops::ControlFlow::Continue(BodyPlan::Check(check)) = plan {
            let _ = body::judge(&self.plan, &self.schemas, check, body, policy, &mut finder);
        }
        finder.into_all()
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Operation").field(&self.plan.place).finish()
    }
}

pub use finder::MAX_VIOLATIONS;
