//! What is known of an operation does not depend on the order of its requests, nor on how they were spread over learners.

use hauberk_traffic::TransactionRef;
use hauberk_traffic::learn::{Learner, LearnerOptions};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const OPERATIONS: [(&str, &str, &str); 2] = [
    ("GET", "a.example", "/x/{var1}"),
    ("POST", "{hostVar1}.example", "/x"),
];

fn learner() -> Learner {
    let operations = OPERATIONS.iter().map(|(method, host, endpoint)| {
        (
            (*method).to_owned(),
            (*host).to_owned(),
            (*endpoint).to_owned(),
        )
    });
    Learner::new(operations.collect(), LearnerOptions::default()).expect("operations")
}

/// JSON with few and many names, and kinds few and many.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5_i64..200).prop_map(Value::from),
        (0_u32..1000).prop_map(|number| json!(f64::from(number) / 8.0)),
        "[a-c]{1,2}|id-[0-9]{4}|[é\"\\\\\u{1}]{1,2}".prop_map(Value::from),
    ];
    let name = prop_oneof![6 => "[a-d]", 1 => "n[0-9]{1,3}", 1 => "[\"é\\\\]"];
    leaf.prop_recursive(4, 60, 6, move |inner| {
        let members = prop::collection::vec((name.clone(), inner.clone()), 0..6);
        let tagged = (
            members.clone(),
            prop_oneof![Just("type"), Just("kind"), Just("op")],
            "[a-e]|k[0-9]{1,2}",
        );
        let object = |members: Vec<(String, Value)>| members.into_iter().collect::<Map<_, _>>();
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::from),
            members.prop_map(move |members| Value::from(object(members))),
            tagged.prop_map(move |(members, name, value)| {
                let mut members = object(members);
                members.insert(name.to_owned(), value.into());
                Value::from(members)
            }),
        ]
    })
}

fn line() -> impl Strategy<Value = String> {
    let body = prop_oneof![
        5 => value().prop_map(|value| ("application/json", value.to_string())),
        1 => Just(("application/json", "{".to_owned())),
        1 => "[a-c]=[0-9]{1,2}(&[a-c]=[x-z]{0,2}){0,4}".prop_map(|form| ("application/x-www-form-urlencoded", form)),
        1 => Just(("text/plain", "hello".to_owned())),
    ];
    let query = "([a-c]=([0-9]{1,3}|[a-z]{1,3})(&[a-c]=[0-9])?)?";
    let who = (prop::option::of(0_u32..40), prop::option::of(0_u32..5));
    (any::<bool>(), body, query, who, 0_i64..90).prop_map(
        |(is_get, (media_type, body), query, (session, client), day)| {
            let time = format!("2026-{:02}-{:02}T10:00:00Z", 1 + day / 28, 1 + day % 28);
            let session = session.map(|session| format!("s:{session:012x}"));
            let client = client.map(|client| format!("c:{client:012x}"));
            let (method, path, body) = if is_get {
                ("GET", format!("/x/{day}"), None)
            } else {
                ("POST", "/x".to_owned(), Some(body))
            };
            json!({
                "host": "a.example", "method": method, "url": format!("https://a.example{path}?{query}"), "http_version": null,
                "request_headers": [["Content-Type", media_type], ["X-Day", day.to_string()], ["Cookie", format!("c{}=1", day % 3)]],
                "request_body": body, "status": 200, "response_headers": [], "response_body_size": null,
                "response_content_type": null, "time": time, "session": session, "client": client,
            })
            .to_string()
        },
    )
}

fn dumps(learner: &mut Learner) -> Vec<Option<Vec<u8>>> {
    let dump = |(method, host, endpoint): &(&str, &str, &str)| learner.dump(method, host, endpoint);
    OPERATIONS.iter().map(dump).collect()
}

fn feed<'l>(learner: &mut Learner, lines: impl Iterator<Item = &'l String>) {
    for line in lines {
        assert_eq!(learner.feed(line.as_bytes()), 1, "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn parts_make_the_whole_to_the_byte(
        lines in prop::collection::vec((line(), 0_usize..3), 1..120),
        turn in any::<prop::sample::Index>(),
    ) {
        let mut whole = learner();
        feed(&mut whole, lines.iter().map(|(line, _)| line));
        let wanted = dumps(&mut whole);

        let mut turned = lines.clone();
        turned.rotate_left(turn.index(lines.len()));
        let mut backwards = learner();
        feed(&mut backwards, turned.iter().rev().map(|(line, _)| line));
        prop_assert_eq!(&dumps(&mut backwards), &wanted);

        // By dumps into one that has learned itself, and by handing learners over.
        let mut parts: Vec<Learner> = (0..3).map(|_| learner()).collect();
        for (line, part) in &lines {
            feed(&mut parts[*part], std::iter::once(line));
        }
        let mut merged = learner();
        for part in parts.iter_mut().rev() {
            for dumped in dumps(part).into_iter().flatten() {
                merged.load(&dumped).expect("what was dumped is read");
            }
        }
        prop_assert_eq!(&dumps(&mut merged), &wanted);
        let mut first = parts.remove(0);
        for part in parts {
            first.merge(part);
        }
        prop_assert_eq!(&dumps(&mut first), &wanted);
        prop_assert_eq!(first.tally(), whole.tally());

        // What was merged goes on learning.
        let mut again = learner();
        for dumped in wanted.iter().flatten() {
            again.load(dumped).expect("what was dumped is read");
        }
        feed(&mut again, lines.iter().map(|(line, _)| line));
        feed(&mut whole, lines.iter().map(|(line, _)| line));
        prop_assert_eq!(dumps(&mut again), dumps(&mut whole));
    }

    #[test]
    fn damaged_dumps_are_errors(lines in prop::collection::vec(line(), 1..20), at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 1..8)) {
        let mut whole = learner();
        feed(&mut whole, lines.iter());
        for dumped in dumps(&mut whole).into_iter().flatten() {
            let at = at.index(dumped.len());
            let mut damaged = dumped.clone();
            for (byte, damage) in damaged[at..].iter_mut().zip(&bytes) {
                *byte = *damage;
            }
            // Some bits of packed bytes mean nothing: then it is whole.
            let mut one = learner();
            if one.load(&damaged).is_ok() {
                prop_assert!(dumps(&mut one).contains(&Some(dumped)));
            }
        }
    }
}

#[test]
fn recorded_traffic_in_two_halves_is_the_whole() {
    let files = crate::records::recordings();
    let Some(file) = files
        .iter()
        .find(|file| file.ends_with("octokit-rb.ndjson.zst"))
    else {
        return;
    };
    let lines: Vec<String> = crate::records::lines(file).collect();
    // The operations are the paths themselves, with numbers for variables.
    let mut operations = std::collections::BTreeSet::new();
    for line in &lines {
        let transaction = TransactionRef::from_line(line).expect("a transaction");
        let path = transaction.path();
        if path.is_ascii() && !path.contains(['{', '}']) {
            let endpoint: Vec<String> = (1..)
                .zip(path.split('/'))
                .map(|(at, segment)| {
                    let is_number =
                        !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
                    if is_number {
                        format!("{{var{at}}}")
                    } else {
                        segment.to_owned()
                    }
                })
                .collect();
            operations.insert((
                transaction.method.to_string(),
                transaction.host.to_string(),
                endpoint.join("/"),
            ));
        }
    }
    let learner = || {
        Learner::new(
            operations.iter().cloned().collect(),
            LearnerOptions::default(),
        )
        .expect("operations")
    };
    let (mut whole, mut odd, mut even) = (learner(), learner(), learner());
    for (number, line) in lines.iter().enumerate() {
        whole.feed(line.as_bytes());
        let half = if number % 2 == 0 { &mut even } else { &mut odd };
        half.feed(line.as_bytes());
    }
    assert!(whole.tally().learned > 900, "{:?}", whole.tally());
    let mut merged = learner();
    let owned = |learner: &Learner| -> Vec<[String; 3]> {
        let operations = learner.operations().into_iter();
        operations
            .map(|(method, host, endpoint)| [method, host, endpoint].map(str::to_owned))
            .collect()
    };
    for mut half in [odd, even] {
        for [method, host, endpoint] in &owned(&half) {
            let dumped = half.dump(method, host, endpoint).expect("it has requests");
            merged.load(&dumped).expect("what was dumped is read");
        }
    }
    assert_eq!(merged.operations(), whole.operations());
    for [method, host, endpoint] in &owned(&whole) {
        assert_eq!(
            merged.dump(method, host, endpoint),
            whole.dump(method, host, endpoint),
            "{method} {endpoint}"
        );
        assert_eq!(
            merged.view(method, host, endpoint),
            whole.view(method, host, endpoint),
            "{method} {endpoint}"
        );
    }
}
