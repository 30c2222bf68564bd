//! The laws of a judgement, whatever the request.

use hauberk_openapi::{
    BodyPlan, MAX_TARGET_CHARS, MAX_VIOLATIONS, Operation, Policy, RequestHead, Violation,
};

/// Judge a request in both ways, with its first violation and with all, and check that they agree.
pub(crate) fn judge(
    operation: &Operation,
    head: &RequestHead<'_>,
    body: &[u8],
    policy: &Policy,
) -> Vec<Violation> {
    let all = operation.violations(head, body, policy);
    let first = match operation.validate_head(head, policy) {
        Err(violation) => Some(violation),
        Ok(plan) => {
            let found = operation.validate_body(&plan, body, policy).err();
            if matches!(plan, BodyPlan::Stream(_)) {
                for length in [1, 7, body.len() / 2 + 1] {
                    let cut = in_pieces(operation, &plan, body, length, policy);
                    assert_eq!(cut, found, "in pieces of {length} bytes");
                }
            }
            found
        }
    };
    assert_eq!(
        first.as_ref(),
        all.first(),
        "the first violation is the first of all"
    );
    assert!(all.len() <= MAX_VIOLATIONS, "{} violations", all.len());
    for violation in &all {
        well_formed(violation);
    }
    let again = operation.violations(head, body, policy);
    assert_eq!(all, again, "a judgement does not depend on when it is made");
    all
}

/// The first violation of a body that arrives in pieces.
fn in_pieces(
    operation: &Operation,
    plan: &BodyPlan,
    body: &[u8],
    length: usize,
    policy: &Policy,
) -> Option<Violation> {
    let mut stream = operation.body_stream(plan, policy);
    for piece in body.chunks(length) {
        if let Err(violation) = stream.push(piece) {
            return Some(violation);
        }
    }
    stream.finish().err()
}

/// What every violation owes its reader: bounds, and nothing but printable text.
fn well_formed(violation: &Violation) {
    let target = &violation.target;
    assert!(
        target.chars().count() <= MAX_TARGET_CHARS + 1,
        "the target is cut: {target}"
    );
    assert!(
        !target.chars().any(char::is_control),
        "the target is printable: {target:?}"
    );
    if let Some(detail) = &violation.error_detail {
        let is_word = |byte: u8| byte.is_ascii_graphic();
        assert!(
            detail.len() <= 100 && detail.bytes().all(is_word),
            "the detail is a word of ours: {detail:?}"
        );
    }
    assert!(
        violation.rule.is_empty() || violation.rule.starts_with('.'),
        "the rule is a place in the document: {}",
        violation.rule
    );
}
