//! A profile is a function of what was seen: order and parts do not matter, to the byte.

use hauberk_traffic::learn::{Seen, ValueProfile};
use proptest::prelude::*;

use super::bytes;

/// A value as it comes.
#[derive(Debug, Clone)]
enum Value {
    Null,
    Boolean(bool),
    Number(String),
    String(String),
    Text(String),
    Array(usize),
    Object(usize),
    Count(usize),
}

type Observation = (Value, Seen);

fn note(profile: &mut ValueProfile, (value, seen): &Observation) {
    match value {
        Value::Null => profile.null(seen),
        Value::Boolean(value) => profile.boolean(*value, seen),
        Value::Number(literal) => profile.number(literal, seen),
        Value::String(text) => profile.string(text, seen),
        Value::Text(text) => profile.text(text, seen),
        Value::Array(items) => profile.array(*items, seen),
        Value::Object(members) => profile.object(*members, seen),
        Value::Count(values) => profile.count(*values, seen),
    }
}

fn profile_of(observations: &[Observation]) -> ValueProfile {
    let mut profile = ValueProfile::default();
    for observation in observations {
        note(&mut profile, observation);
    }
    profile
}

fn merged(parts: &[ValueProfile]) -> ValueProfile {
    let mut whole = ValueProfile::default();
    for part in parts {
        whole.merge(part);
    }
    whole
}

/// Texts from few to many, with and without structure.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ab]",
        3 => "(id|no)-[0-9]{1,3}",
        2 => "[a-z]{1,4}(,[a-z]{1,4}){0,5}",
        2 => "-?[0-9]{1,12}(\\.[0-9]{1,4})?",
        1 => "(a1){8,14}",
        1 => "[a-z0-9]{10,80}",
        1 => "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        1 => "20[0-2][0-9]-0[1-9]-[0-2][0-9](T10:00:00Z)?",
        1 => "[a-z]{1,5}@[a-z]{1,5}\\.(com|org)",
        1 => "h:[0-9a-f]{12}",
        1 => ".{0,12}",
        1 => "(.| |\\|){0,90}",
    ]
}

fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[1-9]",
        3 => (-1000_i64..1000).prop_map(|value| value.to_string()),
        2 => any::<i64>().prop_map(|value| value.to_string()),
        1 => any::<u64>().prop_map(|value| value.to_string()),
        2 => "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?",
        1 => any::<f64>().prop_filter("JSON", |value| value.is_finite()).prop_map(|value| format!("{value:e}")),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Boolean),
        4 => literal().prop_map(Value::Number),
        8 => text().prop_map(Value::String),
        8 => text().prop_map(Value::Text),
        1 => (0_usize..100).prop_map(Value::Array),
        1 => (0_usize..100).prop_map(Value::Object),
        1 => (1_usize..5).prop_map(Value::Count),
    ]
}

fn seen() -> impl Strategy<Value = Seen> {
    let session = proptest::option::weighted(0.7, 0_u8..60);
    let client = proptest::option::weighted(0.7, 0_u8..20);
    let at = proptest::option::weighted(0.8, 1_600_000_000_i64..1_610_000_000);
    (session, client, 0_u64..500, at).prop_map(|(session, client, request, at)| {
        let session = session.map(|number| format!("session {number}"));
        let client = client.map(|number| format!("c:{number}"));
        Seen::new(session.as_deref(), None, client.as_deref(), request, at)
    })
}

/// Of all kinds, or of one, so that what ends with too many ends in some cases and not in others.
fn observations() -> impl Strategy<Value = Vec<Observation>> {
    let most = prop_oneof![Just(6_usize), Just(17), Just(40), Just(100), Just(300)];
    most.prop_flat_map(|most| {
        prop_oneof![
            proptest::collection::vec((value(), seen()), 0..=most),
            proptest::collection::vec((literal().prop_map(Value::Number), seen()), 0..=most),
            proptest::collection::vec((text().prop_map(Value::Text), seen()), 0..=most),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Where lists end with too many: near 8, 16, 32, 64 and 128 different values, sources, days and structures.
    #[test]
    fn the_edges_of_lists_are_the_same_in_parts(
        count in prop_oneof![7_u64..10, 15_u64..18, 31_u64..34, 47_u64..50, 62_u64..68, 126_u64..131, 250_u64..260],
        kind in 0..7,
        parts in 1_usize..5,
        seed in any::<u64>(),
    ) {
        let observations: Vec<Observation> = (0..count).map(|number| {
            let request = hauberk_traffic::learn::hash(&number.to_le_bytes());
            let session = format!("session {}", if kind == 6 { number % 40 } else { number });
            let at = 1_700_000_000 + 86_400 * i64::try_from(number).expect("small");
            let seen = Seen::new(Some(&session), None, None, request, Some(at));
            let value = match kind {
                0 => Value::Text(format!("v{number}")),
                1 => Value::Text(format!("{number:b}").replace('0', "a-").replace('1', "b+")),
                2 => Value::Number(format!("{}", 3_u128.pow(u32::try_from(number % 80).expect("small")))),
                3 => Value::Text(format!("a,{number}")),
                4 => Value::String(format!("{number:-<63}").chars().rev().collect()),
                5 => Value::Number(format!("{number}e{}", number % 300)),
                _ => Value::Text(format!("{} {}", number % 3, "x".repeat(usize::try_from(number % 65).expect("small")))),
            };
            (value, seen)
        }).collect();
        let expected = bytes(&profile_of(&observations));
        let mut halves = vec![ValueProfile::default(); parts];
        for (value, seen) in &observations {
            let hash = hauberk_traffic::learn::hash(format!("{seed} {value:?}").as_bytes());
            let part = usize::try_from(hash % parts as u64).expect("small");
            note(&mut halves[part], &(value.clone(), *seen));
        }
        prop_assert_eq!(&bytes(&merged(&halves)), &expected);
        halves.reverse();
        prop_assert_eq!(&bytes(&merged(&halves)), &expected);
        // (a + b) + c = a + (b + c)
        let mut right = ValueProfile::default();
        for half in halves.iter().rev() {
            let mut sum = half.clone();
            sum.merge(&right);
            right = sum;
        }
        prop_assert_eq!(&bytes(&right), &expected);
    }

    /// Nothing that is not a profile is taken for one that could break; and what is taken can be worked with.
    #[test]
    fn damaged_profiles_are_refused_or_sound(
        observations in observations(),
        damages in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::weighted(0.3, any::<proptest::sample::Index>()),
    ) {
        let mut written = bytes(&profile_of(&observations));
        for (at, byte) in damages {
            let at = at.index(written.len());
            written[at] = byte;
        }
        if let Some(cut) = cut {
            written.truncate(cut.index(written.len() + 1));
        }
        if let Ok(read) = postcard::from_bytes::<ValueProfile>(&written) {
            let again: Result<ValueProfile, _> = postcard::from_bytes(&bytes(&read));
            prop_assert_eq!(again.as_ref(), Ok(&read));
            let mut sum = read.clone();
            sum.merge(&profile_of(&observations));
            sum.view();
            prop_assert!(bytes(&sum).len() <= 64 * 1024);
        }
    }

    #[test]
    fn neither_order_nor_parts_matter(
        observations in observations(),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..4),
        seed in any::<u64>(),
    ) {
        let whole = profile_of(&observations);
        let expected = bytes(&whole);

        let mut shuffled = observations.clone();
        shuffled.sort_by_cached_key(|(value, seen)| {
            hauberk_traffic::learn::hash(format!("{seed} {value:?} {seen:?}").as_bytes())
        });
        prop_assert_eq!(&bytes(&profile_of(&shuffled)), &expected);

        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(shuffled.len() + 1)).collect();
        cuts.sort_unstable();
        let (mut parts, mut start) = (Vec::new(), 0);
        for cut in cuts.into_iter().chain([shuffled.len()]) {
            parts.push(profile_of(&shuffled[start..cut]));
            start = cut;
        }
        prop_assert_eq!(&bytes(&merged(&parts)), &expected);
        parts.reverse();
        prop_assert_eq!(&bytes(&merged(&parts)), &expected);

        let read: ValueProfile = postcard::from_bytes(&expected).expect("what was written is read");
        prop_assert_eq!(&read, &whole);
        prop_assert_eq!(read.view(), whole.view());
        prop_assert!(expected.len() <= 64 * 1024);
    }
}
