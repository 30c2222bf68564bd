//! Hosts and mailboxes.

use std::net::{Ipv4Addr, Ipv6Addr};

use email_address::EmailAddress;

/// RFC 5321's mailbox; the common ones are told at a glance, the others by a library.
pub(super) fn is_email(text: &str) -> bool {
    is_plain_email(text.as_bytes()) || is_any_email(text)
}

/// A dotted word at a host without labels in Punycode, within the lengths of RFC 5321.
fn is_plain_email(text: &[u8]) -> bool {
    let Some(at) = text.iter().position(|byte| *byte == b'@') else {
        return false;
    };
    let (local, domain) = (&text[..at], &text[at + 1..]);
    let mut previous = b'.';
    for byte in local {
        let is_word = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+');
        if !is_word && (*byte != b'.' || previous == b'.') {
            return false;
        }
        previous = *byte;
    }
    if previous == b'.' || local.len() > 64 || domain.len() > 190 {
        return false;
    }
    let (mut length, mut labels) = (0_u32, 1);
    let mut previous = b'.';
    for byte in domain {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => length += 1,
            // A label with two hyphens in a row may be Punycode.
            b'-' if previous != b'.' && previous != b'-' => length += 1,
            b'.' if previous != b'.' && previous != b'-' => {
                labels += 1;
                length = 0;
            }
            _ => return false,
        }
        if length > 63 {
            return false;
        }
        previous = *byte;
    }
    previous != b'.' && previous != b'-' && labels > 1
}

#[cold]
fn is_any_email(text: &str) -> bool {
    // The library refuses an empty quoted local part, which RFC 5321 allows.
    if let Some(domain) = text.strip_prefix("\"\"@") {
        return is_any_email(&format!("\"a\"@{domain}"));
    }
    let Ok(address) = text.parse::<EmailAddress>() else {
        return false;
    };
    if !address.local_part().is_ascii() {
        return false;
    }
    let domain = address.domain();
    match domain
        .strip_prefix('[')
        .and_then(|literal| literal.strip_suffix(']'))
    {
        Some(literal) => {
            let tag = literal.get(..5).unwrap_or_default();
            if tag.eq_ignore_ascii_case("IPv6:") {
                literal[5..].parse::<Ipv6Addr>().is_ok()
            } else {
                literal.parse::<Ipv4Addr>().is_ok()
            }
        }
        None => is_hostname(domain),
    }
}

/// RFC 1123, and labels that begin with `xn--` hold what RFC 5891 allows.
pub(super) fn is_hostname(text: &str) -> bool {
    if text.is_empty() || text.len() > 253 {
        return false;
    }
    text.split('.').all(|label| {
        let bytes = label.as_bytes();
        let is_plain = (1..=63).contains(&bytes.len())
            && bytes[0] != b'-'
            && bytes[bytes.len() - 1] != b'-'
            && bytes
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        is_plain
            && match label.get(2..4) {
                // Hyphens there are kept for encodings, and Punycode is the only one there is.
                Some("--") => label
                    .strip_prefix("xn--")
                    .and_then(punycode)
                    .is_some_and(|decoded| idn::is_label(&decoded)),
                _ => true,
            }
    })
}

/// What a label spells after its `xn--`, by section 6.2 of RFC 3492.
fn punycode(encoded: &str) -> Option<Vec<char>> {
    const BASE: u32 = 36;
    let (basic, digits) = match encoded.rsplit_once('-') {
        Some((basic, digits)) if !basic.is_empty() => (basic, digits),
        _ => ("", encoded),
    };
    let mut out: Vec<char> = basic.chars().collect();
    let (mut code, mut index, mut bias) = (128_u32, 0_u32, 72_u32);
    let mut digits = digits.bytes().peekable();
    while digits.peek().is_some() {
        let before = index;
        let mut weight = 1_u32;
        for step in 1_u32.. {
            let digit = match digits.next()? {
                byte @ b'0'..=b'9' => u32::from(byte - b'0') + 26,
                byte @ (b'a'..=b'z' | b'A'..=b'Z') => u32::from(byte.to_ascii_lowercase() - b'a'),
                _ => return None,
            };
            index = index.checked_add(digit.checked_mul(weight)?)?;
            let threshold = (step * BASE).saturating_sub(bias).clamp(1, 26);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
        }
        let count = u32::try_from(out.len()).ok()? + 1;
        let delta = (index - before) / if before == 0 { 700 } else { 2 };
        let mut delta = delta + delta / count;
        bias = 0;
        while delta > 455 {
            delta /= 35;
            bias += BASE;
        }
        bias += 36 * delta / (delta + 38);
        code = code.checked_add(index / count)?;
        index %= count;
        out.insert(usize::try_from(index).ok()?, char::from_u32(code)?);
        index += 1;
    }
    Some(out)
}

/// Labels of internationalised names.
mod idn {
    use unicode_general_category::{GeneralCategory, get_general_category};

    /// Whether RFC 5892 allows the characters of a label where they stand.
    pub(super) fn is_label(characters: &[char]) -> bool {
        let begins_with_mark = characters.first().is_some_and(|first| {
            use GeneralCategory::{EnclosingMark, NonspacingMark, SpacingMark};
            matches!(
                get_general_category(*first),
                SpacingMark | NonspacingMark | EnclosingMark
            )
        });
        let has = |range: std::ops::RangeInclusive<char>| {
            characters.iter().any(|character| range.contains(character))
        };
        // Digits of two Arabic kinds do not mix: appendices A.8 and A.9.
        let mixes_digits = has('\u{660}'..='\u{669}') && has('\u{6F0}'..='\u{6F9}');
        !begins_with_mark
            && !mixes_digits
            && (0..characters.len()).all(|at| is_allowed(characters, at))
    }

    fn is_allowed(characters: &[char], at: usize) -> bool {
        let before = at.checked_sub(1).map(|at| characters[at]);
        let after = characters.get(at + 1).copied();
        match characters[at] {
            // Appendix A.2; A.1 allows joining context, too, which needs tables: it is let pass.
            '\u{200D}' => before.is_some_and(is_virama),
            '\u{B7}' => before == Some('l') && after == Some('l'),
            '\u{375}' => after.is_some_and(|after| ('\u{370}'..='\u{3FF}').contains(&after)),
            '\u{5F3}' | '\u{5F4}' => {
                before.is_some_and(|before| ('\u{590}'..='\u{5FF}').contains(&before))
            }
            '\u{30FB}' => characters.iter().any(|other| {
                *other != '\u{30FB}'
                    && matches!(other, '\u{3040}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}')
            }),
            // Section 2.6: exceptions.
            '\u{640}'
            | '\u{7FA}'
            | '\u{302E}'
            | '\u{302F}'
            | '\u{3031}'..='\u{3035}'
            | '\u{303B}' => false,
            '\u{200C}' | '\u{6FD}' | '\u{6FE}' | '\u{F0B}' | '\u{3007}' => true,
            other => other.is_ascii() || is_letter_mark_or_digit(other),
        }
    }

    fn is_letter_mark_or_digit(character: char) -> bool {
        use GeneralCategory::{
            DecimalNumber, LowercaseLetter, ModifierLetter, NonspacingMark, OtherLetter,
            SpacingMark, TitlecaseLetter, UppercaseLetter,
        };
        matches!(
            get_general_category(character),
            UppercaseLetter
                | LowercaseLetter
                | TitlecaseLetter
                | ModifierLetter
                | OtherLetter
                | NonspacingMark
                | SpacingMark
                | DecimalNumber
        )
    }

    /// Marks of the combining class that silences a vowel.
    fn is_virama(character: char) -> bool {
        matches!(
            u32::from(character),
            0x94D
                | 0x9CD
                | 0xA4D
                | 0xACD
                | 0xB4D
                | 0xBCD
                | 0xC4D
                | 0xCCD
                | 0xD4D
                | 0xDCA
                | 0xE3A
                | 0xF84
                | 0x1039
                | 0x1714
                | 0x1734
                | 0x17D2
                | 0x1A60
                | 0x1B44
                | 0x1BAA
                | 0x1BF2
                | 0x1BF3
                | 0x2D7F
                | 0xA806
                | 0xA8C4
                | 0xA953
                | 0xABED
                | 0x10A3F
                | 0x11046
                | 0x1107F
                | 0x110B9
                | 0x11133
                | 0x111C0
                | 0x11235
                | 0x112EA
                | 0x1134D
                | 0x11442
                | 0x114C2
                | 0x115BF
                | 0x1163F
                | 0x116B6
                | 0x1172B
                | 0x11839
                | 0x119E0
                | 0x11A34
                | 0x11A47
                | 0x11A99
                | 0x11C3F
                | 0x11D44
                | 0x11D45
                | 0x11D97
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_are_told_alike_at_a_glance_and_by_the_library() {
        let long = format!("{}@example.com", "a".repeat(65));
        for (text, wanted) in [
            ("ada@example.com", true),
            ("ada.lovelace+x@mail-2.example.co.uk", true),
            ("ada@localhost", true),
            ("\"a b\"@example.com", true),
            ("\"\"@example.com", true),
            ("a@[127.0.0.1]", true),
            ("a@[IPv6:::1]", true),
            ("a@xn--bcher-kva.example", true),
            ("ada", false),
            ("@example.com", false),
            ("ada@", false),
            (".ada@example.com", false),
            ("a..b@example.com", false),
            ("ada.@example.com", false),
            ("a@example..com", false),
            ("a@-example.com", false),
            ("a@example-.com", false),
            ("a@ex_ample.com", false),
            ("a b@example.com", false),
            (&long, false),
        ] {
            assert_eq!(is_email(text), wanted, "{text}");
            if is_plain_email(text.as_bytes()) {
                assert!(is_any_email(text), "{text}");
            }
        }
    }

    #[test]
    fn hosts_are_those_of_rfc_1123() {
        for (text, wanted) in [
            ("example.com", true),
            ("localhost", true),
            ("1.2.3.4", true),
            ("xn--bcher-kva", true),
            ("xn--X", false),
            ("ab--cd", false),
            ("a.", false),
            ("", false),
            ("-a", false),
            ("a_b", false),
            ("é", false),
        ] {
            assert_eq!(is_hostname(text), wanted, "{text}");
        }
    }
}
