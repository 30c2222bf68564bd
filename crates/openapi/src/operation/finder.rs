//! Gathers violations: the first one, or all.

use std::ops::ControlFlow;

use crate::violation::Violation;

/// Most violations that are gathered of one request.
pub const MAX_VIOLATIONS: usize = 100;

/// `Break` when enough has been found.
pub(crate) type Flow<T = ()> = ControlFlow<(), T>;

pub(crate) struct Finder {
    found: Vec<Violation>,
    max: usize,
}

impl Finder {
    pub(crate) fn first() -> Self {
        Self {
            found: Vec::new(),
            max: 1,
        }
    }

    pub(crate) fn all() -> Self {
        Self {
            found: Vec::new(),
            max: MAX_VIOLATIONS,
        }
    }

    /// Whether one violation is enough.
    pub(crate) fn wants_first(&self) -> bool {
        self.max == 1
    }

    pub(crate) fn add(&mut self, violation: Violation) -> Flow {
        self.found.push(violation);
        if self.found.len() < self.max {
            Flow::Continue(())
        } else {
            Flow::Break(())
        }
    }

    /// The first violation, or what judging gave.
    pub(crate) fn into_result<T>(self, judged: Flow<T>) -> Result<T, Violation> {
        match (self.found.into_iter().next(), judged) {
            (Some(violation), _) => Err(violation),
            (None, Flow::Continue(judged)) => Ok(judged),
            (None, Flow::Break(())) => {
                unreachable!("judging stops only where a violation was found")
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn into_all(self) -> Vec<Violation> {
        self.found
    }
}
