//! A profile is at most 64 KB, whatever comes.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "numbers by chance"
)]

use hauberk_traffic::learn::{Seen, ValueProfile, hash};

use super::bytes;

const MOST: usize = 64 * 1024;

/// A number by chance, always the same.
fn random(seed: u64) -> u64 {
    hash(&seed.to_le_bytes())
}

fn seen(number: u64) -> Seen {
    let session = format!("s{}", random(number));
    let at = 1_700_000_000 + i64::try_from(number).expect("small") * 7_000;
    Seen::new(Some(&session), None, None, random(number), Some(at))
}

/// A text of so many characters out of all there are.
fn wild(seed: u64, length: u64) -> String {
    let characters = (0..length).map(|at| {
        let random = random(seed << 20 | at);
        let most = [0x80, 0x100, 0x3000, 0x11_0000][(random % 4) as usize];
        char::from_u32(((random >> 8) % most) as u32).unwrap_or('\u{FFFD}')
    });
    characters.collect()
}

#[test]
fn wild_values_of_all_kinds_stay_small() {
    let mut profile = ValueProfile::default();
    for number in 0..20_000 {
        let (seen, random) = (seen(number), random(number));
        let exponent = (random >> 5) % 600;
        profile.null(&seen);
        profile.boolean(random % 2 == 0, &seen);
        profile.number(
            &format!(
                "{}.{}e{}",
                random as i64,
                random >> 40,
                exponent as i64 - 300
            ),
            &seen,
        );
        profile.number(&(random >> (random % 64)).to_string(), &seen);
        profile.string(&wild(number, random % 70), &seen);
        profile.text(&wild(number, random % 200), &seen);
        profile.text(&(random as i64 >> (random % 64)).to_string(), &seen);
        profile.text(
            &format!("{},{random:x}|{} {}", random % 99, random % 7, random >> 50),
            &seen,
        );
        profile.text(&format!("{}|{}", random % 12_345, random >> 60), &seen);
        profile.text(&format!("{} {}", random % 12_345, random >> 60), &seen);
        profile.text("h:0123456789ab", &seen);
        profile.array((random >> (random % 60)) as usize, &seen);
        profile.object((random >> (random % 60)) as usize, &seen);
    }
    let size = bytes(&profile).len();
    assert!(size <= MOST, "{size}");
    assert!(size > 10_000, "it is wild: {size}");
}

#[test]
fn the_largest_profile_stays_small() {
    // Each list as full as it can be: as many values as are told apart, of the longest texts that are kept, items of all
    // marks and all classes, extremes and days with the longest numbers.
    let mut profile = ValueProfile::default();
    let pad = |text: String, length: usize| format!("{text}{}", "x".repeat(length - text.len()));
    for number in 0..6_000 {
        let (seen, random) = (seen(number), random(number));
        profile.null(&seen);
        profile.string("h:0123456789ab", &seen);
        let sign = if number % 2 == 0 { "-" } else { "" };
        profile.number(
            &format!(
                "{sign}{}.5e{}",
                1 + number % 8,
                (number / 16) as i64 % 300 - 20
            ),
            &seen,
        );
        profile.array((random >> (random % 60)) as usize, &seen);
        profile.object((random >> (random % 60)) as usize, &seen);
        for (mark, kind) in [(",", number % 3), ("|", number % 4), (" ", number % 5)] {
            let items = [
                (random >> (random % 64)).to_string(),
                format!("{}.5", random % 100),
                "2026-11-22".to_owned(),
                "2026-11-22T00:00:00Z".to_owned(),
                "true".to_owned(),
                "jo@example.com".to_owned(),
                "192.0.2.1".to_owned(),
                "x".repeat((random % 60) as usize),
            ];
            let at = (number + kind) as usize;
            profile.text(
                &format!("{}{mark}{}", items[at % 8], items[(at + 3) % 8]),
                &seen,
            );
        }
    }
    let mut texts = ValueProfile::default();
    for number in 0..6_000_u64 {
        let seen = seen(number);
        let kind = number % 30;
        // Thirty values, near to 2 KB together; as many structures, of eight runs.
        texts.text(
            &pad(
                format!("{kind:05b}").replace('0', "a-").replace('1', "b+"),
                64,
            ),
            &seen,
        );
    }
    profile.merge(&texts);
    let size = bytes(&profile).len();
    println!("{size} bytes, of texts {}", bytes(&texts).len());
    assert!(size <= MOST, "{size}");
}

#[test]
fn megabyte_strings_cost_no_memory() {
    let mut profile = ValueProfile::default();
    for number in 0..40 {
        let mut text = "lorem ipsum dolor ".repeat(60_000);
        text.push_str(&number.to_string());
        profile.string(&text, &seen(number));
        profile.text(&text, &seen(number));
    }
    let view = profile.view();
    assert_eq!(view["distinct"], 40);
    assert_eq!(view["values"], serde_json::Value::Null);
    assert!(bytes(&profile).len() < 12_000, "{}", bytes(&profile).len());
}

#[test]
fn small_profiles_are_small() {
    let mut profile = ValueProfile::default();
    for number in 0..5 {
        profile.string("2026-11-22T10:00:00Z", &seen(number));
    }
    assert!(bytes(&profile).len() < 300, "{}", bytes(&profile).len());
}
