//! One caller does not teach.

use hauberk_traffic::learn::{
    SAMPLES_OF_A_CLIENT, SAMPLES_OF_A_SESSION, Seen, Support, ValueProfile, hash,
};

use super::{bytes, seen};

fn request(number: u64) -> u64 {
    hash(format!("GET /items?page={number}").as_bytes())
}

#[test]
fn a_session_gives_sixteen_samples_and_a_client_sixty_four() {
    let (mut session, mut client, mut both) = <(Support, Support, Support)>::default();
    for number in 0..5_000 {
        let request = request(number);
        let name = format!("session {}", number % 100);
        session.add(&Seen::new(Some("s"), None, None, request, None));
        client.add(&Seen::new(None, None, Some("c"), request, None));
        both.add(&Seen::new(Some(&name), None, Some("c"), request, None));
    }
    assert_eq!((session.requests(), session.sources()), (5_000, 1));
    assert_eq!(session.samples(), SAMPLES_OF_A_SESSION);
    assert_eq!(
        (client.samples(), client.sources()),
        (SAMPLES_OF_A_CLIENT, 1)
    );
    assert_eq!(both.samples(), SAMPLES_OF_A_CLIENT);
    assert!(both.sources() > 60, "about a hundred: {}", both.sources());
}

#[test]
fn who_it_is_comes_from_the_session_then_the_certificate_then_the_client() {
    let of = |session, certificate, client| Seen::new(session, certificate, client, 7, None);
    let (session, certificate, client) = (Some("a"), Some("a"), Some("a"));
    let all = of(session, certificate, client);
    assert_eq!(all.source, of(session, None, None).source);
    assert_eq!(
        of(None, certificate, client).source,
        of(None, certificate, None).source
    );
    let mut sources = vec![
        of(session, None, None).source,
        of(None, certificate, None).source,
        of(None, None, client).source,
    ];
    sources.sort_unstable();
    sources.dedup();
    assert_eq!(
        sources.len(),
        3,
        "equal texts of different kinds are different sources"
    );
    assert!(!sources.contains(&0));
    let nobody = of(None, None, None);
    assert_eq!((nobody.source, nobody.sample), (0, 7));
}

#[test]
fn replayed_requests_count_once() {
    for session in [None, Some("s")] {
        for client in [None, Some("c")] {
            let (mut once, mut often) = <(ValueProfile, ValueProfile)>::default();
            for number in 0..30 {
                let seen = Seen::new(session, None, client, request(number), None);
                let text = format!("v{number}");
                once.string(&text, &seen);
                for _ in 0..50 {
                    often.string(&text, &seen);
                }
            }
            let (once, often) = (once.view(), often.view());
            let samples = |view: &serde_json::Value| view["kinds"]["string"]["samples"].clone();
            assert_eq!(samples(&once), samples(&often));
            assert_eq!(once["sample"], often["sample"]);
            assert_eq!(once["lengths"]["high"], often["lengths"]["high"]);
            assert_eq!(often["kinds"]["string"]["requests"], 30 * 50);
        }
    }
}

#[test]
fn of_each_source_its_own_extreme_is_kept() {
    let mut profile = ValueProfile::default();
    for number in 0..100 {
        let session = format!("good {}", number % 50);
        let seen = Seen::new(Some(&session), None, None, request(number), None);
        profile.number(&(number % 50).to_string(), &seen);
    }
    for number in 0..1_000 {
        let seen = Seen::new(Some("evil"), None, None, request(number), None);
        profile.number(&(1_000_000 + number).to_string(), &seen);
    }
    let view = profile.view();
    let high = view["numbers"]["high"].as_array().expect("a list");
    let values: Vec<i64> = high.iter().filter_map(|end| end[0].as_i64()).collect();
    let expected: Vec<i64> = [1_000_999].into_iter().chain((19..50).rev()).collect();
    assert_eq!(values, expected);
}

#[test]
fn where_nobody_can_be_told_each_number_is_kept_once() {
    let mut profile = ValueProfile::default();
    for number in 0..100 {
        profile.number(
            &(number % 3).to_string(),
            &Seen::new(None, None, None, request(number), None),
        );
    }
    let view = profile.view();
    let nobody = "0000000000000000";
    assert_eq!(
        view["numbers"]["low"],
        serde_json::json!([[0, nobody], [1, nobody], [2, nobody]])
    );
    assert_eq!(view["kinds"]["integer"]["sources"], 0);
    assert_eq!(view["kinds"]["integer"]["requests"], 100);
    let samples = view["kinds"]["integer"]["samples"]
        .as_u64()
        .expect("a count");
    assert!((70..140).contains(&samples), "about a hundred: {samples}");
}

#[test]
fn the_newest_days_are_kept() {
    let mut profile = ValueProfile::default();
    for day in 0..100_i64 {
        for hour in [5, 6] {
            let at = Some((20_000 + day) * 86_400 + hour * 3_600);
            let seen = Seen::new(Some("s"), None, None, request(0), at);
            profile.number(&(day + hour).to_string(), &seen);
        }
    }
    let view = profile.view();
    let days = view["numbers"]["by_day"].as_array().expect("a list");
    assert_eq!(days.len(), 64);
    assert_eq!(days[0], serde_json::json!([20_036, 41, 42, 2]));
    assert_eq!(days[63], serde_json::json!([20_099, 104, 105, 2]));
}

#[test]
fn counts_are_exact_up_to_sixty_four_and_near_beyond() {
    let mut support = Support::default();
    for number in 1..=100_000_u64 {
        support.add(&seen(number));
        match number {
            ..=32 => assert_eq!((support.samples(), support.sources()), (number, number)),
            33..=64 => assert_eq!(support.samples(), number),
            _ => assert!(support.samples() > 64),
        }
    }
    let samples = support.samples();
    assert!((70_000..140_000).contains(&samples), "{samples}");
}

#[test]
fn equal_profiles_are_equal_bytes_after_reading_them() {
    let mut profile = ValueProfile::default();
    for number in 0..200 {
        profile.text(&format!("id-{number}"), &seen(number));
        profile.number(&format!("{number}.5"), &seen(number));
    }
    let written = bytes(&profile);
    let read: ValueProfile = postcard::from_bytes(&written).expect("what was written");
    assert_eq!(bytes(&read), written);
    let json = serde_json::to_string(&profile).expect("JSON");
    let read: ValueProfile = serde_json::from_str(&json).expect("what was written");
    assert_eq!(bytes(&read), written);
}
