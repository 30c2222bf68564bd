//! Profiles of values: a function of what was seen, bounded, and readable only if they are one.
//!
//! The input is text, a value a line: a letter for its kind, a character for its session (`-` for none), one for its
//! client, one for its day, then the value; or else the bytes of a profile.

use hauberk_traffic::learn::{Seen, ValueProfile, hash};

/// What a profile takes at most.
const MAX_BYTES: usize = 64 * 1024;

/// Most lines.
const MAX_LINES: usize = 400;

/// Profile the values, and read the bytes as a profile.
///
/// # Panics
///
/// If the order or the parts matter, a profile is not what it was after writing and reading, or takes too much.
pub fn check(data: &[u8]) {
    check_bytes(data);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let lines: Vec<&str> = text.lines().take(MAX_LINES).collect();
    let whole = profile_of(lines.iter().copied());
    let expected = bytes(&whole);
    assert!(expected.len() <= MAX_BYTES, "{} bytes", expected.len());
    assert_eq!(bytes(&profile_of(lines.iter().rev().copied())), expected);
    for parts in [2, 3, 7] {
        let mut sum = ValueProfile::default();
        for part in 0..parts {
            let lines = lines.iter().skip(part).step_by(parts);
            sum.merge(&profile_of(lines.copied()));
        }
        assert_eq!(bytes(&sum), expected);
    }
    let read: ValueProfile = postcard::from_bytes(&expected).expect("what was written is read");
    assert_eq!(read, whole);
    assert_eq!(read.view(), whole.view());
}

/// What reads as a profile is one: it can be shown, written, and put together with others.
fn check_bytes(data: &[u8]) {
    let Ok(profile) = postcard::from_bytes::<ValueProfile>(data) else {
        return;
    };
    profile.view();
    let mut sum = profile_of(["t-- a,b", "n-- 1e400", "s-- \u{fffd}"]);
    sum.merge(&profile);
    assert!(bytes(&sum).len() <= MAX_BYTES);
    let again: ValueProfile =
        postcard::from_bytes(&bytes(&profile)).expect("what was written is read");
    assert_eq!(again, profile);
}

fn profile_of<'t>(lines: impl IntoIterator<Item = &'t str>) -> ValueProfile {
    let mut profile = ValueProfile::default();
    for line in lines {
        let mut characters = line.chars();
        let (kind, session, client, day) = (
            characters.next(),
            characters.next().filter(|one| *one != '-'),
            characters.next().filter(|one| *one != '-'),
            characters.next().filter(|one| *one != ' '),
        );
        let value = characters.as_str();
        let (session, client) = (session.map(String::from), client.map(String::from));
        let at = day.map(|day| i64::from(u32::from(day)) * 86_400);
        let seen = Seen::new(
            session.as_deref(),
            None,
            client.as_deref(),
            hash(line.as_bytes()),
            at,
        );
        match kind {
            Some('0') => profile.null(&seen),
            Some('b') => profile.boolean(value.is_empty(), &seen),
            Some('n') => profile.number(value, &seen),
            Some('s') => profile.string(value, &seen),
            Some('a') => profile.array(value.len(), &seen),
            Some('o') => profile.object(value.len(), &seen),
            Some('c') => profile.count(value.len(), &seen),
            Some('l') => profile.string(&value.repeat(300), &seen),
            _ => profile.text(value, &seen),
        }
    }
    profile
}

fn bytes(profile: &ValueProfile) -> Vec<u8> {
    postcard::to_allocvec(profile).expect("a profile can be written")
}
