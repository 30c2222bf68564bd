//! How far a pattern may read between two steps back, which is what a limit on steps back does not bound.

use fancy_regex::{Expr, LookAround};

/// Repetitions up to this are read in no time.
const SHORT: usize = 64;

/// Whether there is a repetition that can run through a long text without a step back, as `.*` in `(?=.*[0-9])`. One such
/// as `(?:(?!--).)*` cannot: its lookahead fails for each character.
pub(super) fn is_far(expr: &Expr) -> bool {
    match expr {
        Expr::Repeat { child, hi, .. } if *hi > SHORT && !steps_back(child) => true,
        Expr::SubroutineCall(_) | Expr::Absent(_) => true,
        _ => expr.children_iter().any(is_far),
    }
}

/// Whether matching takes a step back every time.
fn steps_back(expr: &Expr) -> bool {
    match expr {
        Expr::LookAround(_, LookAround::LookAheadNeg | LookAround::LookBehindNeg) => true,
        Expr::Group(inner) => steps_back(inner),
        Expr::Concat(parts) => parts.iter().any(steps_back),
        _ => false,
    }
}
