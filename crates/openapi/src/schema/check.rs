//! Judging JSON text by one schema, at a bounded cost.

use super::engine::explain::Explainer;
use super::engine::{Engine, syntax};
use super::program::Program;
use super::reader::Stop;
use super::store::Schemas;
use crate::source::json::JsonLimits;
use crate::violation::{Location, Violation};

pub(crate) use super::engine::syntax::syntax_violation;

/// Steps that every text may take, however small.
const BASE_STEPS: u64 = 100_000;

/// Steps that a text may take for each byte. Ordinary schemas need less than one.
const STEPS_PER_BYTE: u64 = 100;

/// Steps that no text may exceed, however large.
const MOST_STEPS: u64 = 20_000_000;

/// What a text may cost and how strictly it is read; made from the policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judging {
    pub(crate) limits: JsonLimits,
    /// Whether members that are `readOnly` are refused.
    pub(crate) refuse_read_only: bool,
}

/// Where violations are reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) location: Location,
    /// What targets begin with: `$`, or the parameter's name.
    pub(crate) root: &'a str,
    /// The place in the document for what is no rule's fault: syntax, size.
    pub(crate) at: &'a str,
}

/// One schema, compiled.
#[derive(Debug)]
pub(crate) struct Check {
    program: Program,
}

impl Check {
    pub(crate) fn new(program: Program) -> Self {
        Self { program }
    }

    /// Whether the text is JSON within the limits and conforms. Stops at the first thing wrong.
    pub(crate) fn conforms(&self, text: &[u8], judging: Judging) -> bool {
        self.judge(text, judging).is_ok()
    }

    /// What is wrong with the text: its syntax (then only that), else departures from the schema, the first or at most
    /// [`MAX_VIOLATIONS`](crate::operation::MAX_VIOLATIONS). Empty if it conforms.
    pub(crate) fn violations(
        &self,
        text: &[u8],
        judging: Judging,
        subject: Subject<'_>,
        schemas: &Schemas,
        first_only: bool,
    ) -> Vec<Violation> {
        let Err(stop) = self.judge(text, judging) else {
            return Vec::new();
        };
        if let Some(violation) = syntax_violation(text, judging, subject) {
            return vec![violation];
        }
        if stop == Stop::TooCostly {
            return vec![syntax::too_costly(subject)];
        }
        let Ok(text) = std::str::from_utf8(text) else {
            return vec![syntax::too_costly(subject)];
        };
        let steps = allowed(text.len());
        let engine = Engine::new(&self.program, text, judging, steps);
        Explainer::new(engine, &self.program, subject, schemas, first_only).explain()
    }

    #[inline]
    fn judge(&self, text: &[u8], judging: Judging) -> Result<(), Stop> {
        // What it is instead of text is found out when somebody asks.
        let text = std::str::from_utf8(text).map_err(|_| Stop::Syntax)?;
        if u32::try_from(text.len()).is_err() {
            return Err(Stop::TooManyMembers);
        }
        Engine::new(&self.program, text, judging, allowed(text.len())).run()
    }
}

/// The steps that judging a text of so many bytes may take.
fn allowed(size: usize) -> u64 {
    STEPS_PER_BYTE
        .saturating_mul(size as u64)
        .saturating_add(BASE_STEPS)
        .min(MOST_STEPS)
}
