//! What the gateway did with a request, told in one word.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::events::EventSource;
use crate::refusal::Refusal;

/// What was done with a request. A later one outdoes an earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Verdict {
    /// It went on, and nothing is said about it.
    Passed,
    /// It went on with an event.
    Logged,
    /// It was refused as no request that can be judged: ambiguous, misdirected, beyond a limit.
    BlockedOtherwise,
    /// It was refused by the schema of its operation.
    BlockedBySchema,
    /// It was refused by a rule that asks nothing about client certificates.
    BlockedByRule,
    /// It was refused by a rule that does.
    BlockedForCertificate,
}

const ALL: [Verdict; 6] = [
    Verdict::Passed,
    Verdict::Logged,
    Verdict::BlockedOtherwise,
    Verdict::BlockedBySchema,
    Verdict::BlockedByRule,
    Verdict::BlockedForCertificate,
];

impl Verdict {
    pub(crate) fn is_blocked(self) -> bool {
        self >= Self::BlockedOtherwise
    }

    fn of(refusal: &Refusal) -> Self {
        match (refusal.source, &refusal.rule) {
            (Some(EventSource::FirewallCustom), Some(rule)) if rule.asks_for_certificate => {
                Self::BlockedForCertificate
            }
            (Some(EventSource::FirewallCustom), _) => Self::BlockedByRule,
            (Some(EventSource::ApiShieldSchemaValidation), _) => Self::BlockedBySchema,
            (Some(EventSource::ApiShield) | None, _) => Self::BlockedOtherwise,
        }
    }
}

/// The verdict on a request as far as it has come: the most that was done.
#[derive(Default)]
pub(crate) struct Action(AtomicU8);

impl Action {
    pub(crate) fn logged(&self) {
        self.raise(Verdict::Logged);
    }

    pub(crate) fn refused(&self, refusal: &Refusal) {
        self.raise(Verdict::of(refusal));
    }

    pub(crate) fn verdict(&self) -> Verdict {
        ALL[usize::from(self.0.load(Ordering::Relaxed))]
    }

    /// As recorded with a sampled exchange.
    pub(crate) fn name(&self) -> &'static str {
        match self.verdict() {
            Verdict::Passed => "allowed",
            Verdict::Logged => "logged",
            _ => "blocked",
        }
    }

    fn raise(&self, verdict: Verdict) {
        self.0.fetch_max(verdict as u8, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Action};

    #[test]
    fn the_most_that_was_done_stays() {
        for (index, verdict) in ALL.into_iter().enumerate() {
            assert_eq!(usize::from(verdict as u8), index);
            let action = Action::default();
            action.raise(verdict);
            action.logged();
            assert_eq!(action.verdict(), verdict.max(super::Verdict::Logged));
        }
    }
}
