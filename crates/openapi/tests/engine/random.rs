//! Generated schemas and values: every verdict is that of the `jsonschema` crate.
//!
//! Ten thousand pairs as a matter of course; `HAUBERK_PAIRS=10000000 cargo test --release --test engine -- --ignored` for
//! as many as one has time for.

use std::fmt::Write as _;

use jsonschema::{Draft, PatternOptions, Validator};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::wrapped::Wrapped;

/// Values tried on each schema.
const VALUES_PER_SCHEMA: usize = 40;

/// A source of decisions, small enough that schemas and values often meet.
struct Dice {
    state: u64,
}

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        // SplitMix64.
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let sides = sides as u64;
        usize::try_from((mixed ^ (mixed >> 31)) % sides).expect("small")
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.roll(items.len())]
    }
}

const NAMES: &[&str] = &["a", "b", "c", "ab", "é", "a\"b", ""];
const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "ab",
    "abc",
    "é",
    "😀",
    "aé",
    "1",
    "12",
    "a\"b",
    "\n",
    "2024-02-29",
    "a@b.co",
    "127.0.0.1",
    "2024-02-29T00:00:00Z",
    "00000000-0000-0000-0000-000000000000",
    "http://a.b/c",
    "a b",
];
const PATTERNS: &[&str] = &[
    "^a",
    "b$",
    "^[a-z]+$",
    "^[a-z]{1,2}$",
    "é",
    "^\\d+$",
    "a|b",
    "^(?!a)",
    "^$",
    "^\\w*$",
    "[^a]",
    "^.{2}$",
];
const FORMATS: &[&str] = &[
    "date",
    "email",
    "ipv4",
    "date-time",
    "uuid",
    "uri",
    "hostname",
    "uri-reference",
    "nonsense",
];
const TYPES: &[&str] = &[
    "null", "boolean", "integer", "number", "string", "array", "object",
];
const REFERENCES: &[&str] = &["#", "#/$defs/x", "#/$defs/y", "#z"];

fn number(dice: &mut Dice) -> Value {
    match dice.roll(8) {
        0..=3 => json!(dice.roll(6)),
        4 => json!(-1),
        5 => json!(*dice.pick(&[0.5, 1.0, 1.5, 2.0, -0.0, 0.1, 100.0])),
        6 => json!(*dice.pick(&[1e3, 1e20, 3.25])),
        _ => json!(*dice.pick(&[i64::MAX, i64::MIN, 9_007_199_254_740_993])),
    }
}

fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.roll(if depth == 0 { 5 } else { 9 }) {
        0 => Value::Null,
        1 => json!(dice.one_in(2)),
        2 | 3 => number(dice),
        4 => json!(*dice.pick(TEXTS)),
        5 | 6 => {
            let count = dice.roll(4);
            (0..count).map(|_| value(dice, depth - 1)).collect()
        }
        _ => {
            let mut members = Map::new();
            for _ in 0..dice.roll(5) {
                members.insert((*dice.pick(NAMES)).to_owned(), value(dice, depth - 1));
            }
            Value::Object(members)
        }
    }
}

fn names(dice: &mut Dice) -> Value {
    let mut names: Vec<&str> = (0..dice.roll(3)).map(|_| *dice.pick(NAMES)).collect();
    names.sort_unstable();
    names.dedup();
    json!(names)
}

fn schemas(dice: &mut Dice, depth: usize) -> Value {
    let count = 1 + dice.roll(3);
    (0..count).map(|_| schema(dice, depth)).collect()
}

fn named(dice: &mut Dice, depth: usize, names: &[&str]) -> Value {
    let mut members = Map::new();
    for _ in 0..=dice.roll(3) {
        members.insert((*dice.pick(names)).to_owned(), schema(dice, depth));
    }
    Value::Object(members)
}

fn schema(dice: &mut Dice, depth: usize) -> Value {
    if dice.one_in(12) {
        return json!(!dice.one_in(3));
    }
    let mut out = Map::new();
    let count = 1 + dice.roll(if depth == 0 { 2 } else { 4 });
    for _ in 0..count {
        let sides = if depth == 0 { 17 } else { 40 };
        let below = depth.saturating_sub(1);
        let (keyword, value) = match dice.roll(sides) {
            0 => ("type", json!(*dice.pick(TYPES))),
            1 => {
                let mut types = vec![*dice.pick(TYPES), *dice.pick(TYPES)];
                types.sort_unstable();
                types.dedup();
                ("type", json!(types))
            }
            2 => {
                let mut values: Vec<Value> = Vec::new();
                for _ in 0..=dice.roll(3) {
                    let value = value(dice, 2);
                    if !values.contains(&value) {
                        values.push(value);
                    }
                }
                ("enum", Value::Array(values))
            }
            3 => ("const", value(dice, 2)),
            4 => ("minimum", number(dice)),
            5 => ("maximum", number(dice)),
            6 => ("exclusiveMinimum", number(dice)),
            7 => ("exclusiveMaximum", number(dice)),
            8 => ("multipleOf", json!(*dice.pick(&[1.0, 2.0, 0.5, 3.0]))),
            9 => ("minLength", json!(dice.roll(3))),
            10 => ("maxLength", json!(dice.roll(3))),
            11 => ("pattern", json!(*dice.pick(PATTERNS))),
            12 => ("format", json!(*dice.pick(FORMATS))),
            13 => ("minItems", json!(dice.roll(3))),
            14 => ("maxItems", json!(dice.roll(3))),
            15 => ("uniqueItems", json!(true)),
            16 => ("required", names(dice)),
            17 => ("minProperties", json!(dice.roll(3))),
            18 => ("maxProperties", json!(dice.roll(3))),
            19 | 20 => ("properties", named(dice, below, NAMES)),
            21 => ("patternProperties", named(dice, below, PATTERNS)),
            22 => ("additionalProperties", schema(dice, below)),
            23 => ("propertyNames", schema(dice, 0)),
            24 => ("items", schema(dice, below)),
            25 => ("prefixItems", schemas(dice, below)),
            26 => ("contains", schema(dice, below)),
            27 if dice.one_in(2) => ("minContains", json!(dice.roll(3))),
            27 => ("maxContains", json!(dice.roll(3))),
            28 | 29 => ("allOf", schemas(dice, below)),
            30 => ("anyOf", schemas(dice, below)),
            31 => ("oneOf", schemas(dice, below)),
            32 => ("not", schema(dice, below)),
            33 => {
                if !dice.one_in(4) {
                    out.insert("then".to_owned(), schema(dice, below));
                }
                if !dice.one_in(4) {
                    out.insert("else".to_owned(), schema(dice, below));
                }
                ("if", schema(dice, below))
            }
            34 => ("dependentSchemas", named(dice, below, NAMES)),
            35 => {
                let needed = names(dice);
                ("dependentRequired", json!({*dice.pick(NAMES): needed}))
            }
            36 => ("unevaluatedProperties", schema(dice, 0)),
            37 => ("unevaluatedItems", schema(dice, 0)),
            38 => ("$ref", json!(*dice.pick(REFERENCES))),
            _ => (
                "properties",
                json!({*dice.pick(NAMES): {"$ref": *dice.pick(REFERENCES)}}),
            ),
        };
        out.insert(keyword.to_owned(), value);
    }
    Value::Object(out)
}

/// A schema with something to refer to.
fn root(dice: &mut Dice) -> Value {
    let mut root = match schema(dice, 3) {
        Value::Object(root) => root,
        _ => Map::new(),
    };
    let mut anchored = match schema(dice, 2) {
        Value::Object(anchored) => anchored,
        _ => Map::new(),
    };
    anchored.insert("$anchor".to_owned(), json!("z"));
    root.insert(
        "$defs".to_owned(),
        json!({"x": schema(dice, 2), "y": schema(dice, 2), "w": anchored}),
    );
    Value::Object(root)
}

fn judge(schema: &Value) -> Option<Validator> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::fancy_regex())
        .build(schema)
        .ok()
}

/// A value's text with every character of its strings that can be escaped.
fn escaped(value: &Value) -> String {
    let mut out = String::new();
    let mut in_string = false;
    let mut rest = value.to_string().chars().collect::<Vec<_>>().into_iter();
    while let Some(character) = rest.next() {
        match character {
            '"' => {
                in_string = !in_string;
                out.push('"');
            }
            '\\' => {
                out.push('\\');
                out.extend(rest.next());
            }
            other if in_string => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}").expect("writing to a String cannot fail");
                }
            }
            other => {
                out.push(other);
                out.push(' ');
            }
        }
    }
    // White space within a number or a word would break it.
    if serde_json::from_str::<Value>(&out).is_ok_and(|read| read == *value) {
        out
    } else {
        value.to_string()
    }
}

#[derive(Default)]
struct Tally {
    pairs: usize,
    accepted: usize,
    schemas: usize,
    circular: usize,
    differences: Vec<String>,
}

/// Whether something else than a verdict may be behind a difference: what `serde_json` reads is not what was written.
fn try_seed(seed: u64, tally: &mut Tally) {
    let mut dice = Dice { state: seed };
    let schema = root(&mut dice);
    let wrapped = match Wrapped::new(&schema) {
        Ok(wrapped) => wrapped,
        Err(problems) => {
            // Generated references often lead in circles.
            assert!(
                problems.iter().any(|problem| problem.code == 113),
                "{schema}: {problems:?}"
            );
            tally.circular += 1;
            return;
        }
    };
    let Some(judge) = judge(&schema) else {
        panic!("refused by the judge: {schema}");
    };
    tally.schemas += 1;
    for round in 0..VALUES_PER_SCHEMA {
        let value = value(&mut dice, 3);
        let text = if round % 4 == 0 {
            escaped(&value)
        } else {
            value.to_string()
        };
        let ours = wrapped.judge(text.as_bytes());
        let theirs = judge.is_valid(&value);
        tally.pairs += 1;
        tally.accepted += usize::from(theirs);
        if ours.is_ok() != theirs && tally.differences.len() < 20 {
            tally.differences.push(format!(
                "seed {seed}: ours {ours:?}, theirs {theirs}: {schema} on {text}"
            ));
        }
    }
}

fn run(pairs: usize, first_seed: u64) -> Tally {
    let mut tally = Tally::default();
    let mut seed = first_seed;
    while tally.pairs < pairs {
        try_seed(seed, &mut tally);
        seed += 1;
        if tally.pairs.is_multiple_of(1_000_000) && tally.pairs > 0 {
            eprintln!(
                "{} pairs, {} differences",
                tally.pairs,
                tally.differences.len()
            );
        }
    }
    eprintln!(
        "{} pairs of {} schemas ({} more are circular), {} accepted, differences {:#?}",
        tally.pairs, tally.schemas, tally.circular, tally.accepted, tally.differences
    );
    tally
}

#[test]
fn generated_pairs_get_the_verdict_of_the_crate() {
    let tally = run(10_000, 1);
    assert!(tally.differences.is_empty());
}

#[test]
#[ignore = "runs as long as one likes"]
fn many_generated_pairs_get_the_verdict_of_the_crate() {
    let read = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let pairs = read("HAUBERK_PAIRS").unwrap_or(1_000_000_u64);
    let seed = read("HAUBERK_SEED").unwrap_or(1_000_000);
    let tally = run(usize::try_from(pairs).expect("fits"), seed);
    assert!(tally.differences.is_empty());
}

/// Numbers as text, compared by hand: `serde_json` would round them.
#[test]
fn decimals_are_compared_exactly() {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let digits = "[1-9][0-9]{0,30}";
    for _ in 0..300 {
        let mut draw = |pattern: &str| {
            proptest::string::string_regex(pattern)
                .expect("a pattern")
                .new_tree(&mut runner)
                .expect("a text")
                .current()
        };
        let (number, zeros) = (draw(digits), draw("0{0,20}"));
        let schema = |keyword: &str, value: &str| {
            let source = format!(
                r#"{{"openapi":"3.1.0","info":{{"title":"t","version":"1"}},"paths":{{"/t":{{"post":{{"requestBody":{{"content":{{"application/json":{{"schema":{{"{keyword}":{value}}}}}}}}}}}}}}}}}"#
            );
            Wrapped::from_source(&source).expect("it loads")
        };
        let spelled = format!("{number}.{zeros}0");
        let shifted = format!("{number}{zeros}e-{}", zeros.len());
        let larger = format!("{number}.{zeros}1");
        for (keyword, value, accepted, refused) in [
            ("const", number.as_str(), [&spelled, &shifted], &larger),
            ("maximum", &number, [&spelled, &shifted], &larger),
            ("exclusiveMinimum", &spelled, [&larger, &larger], &shifted),
            (
                "enum",
                &format!("[0,{shifted}]"),
                [&number, &spelled],
                &larger,
            ),
            (
                "multipleOf",
                &format!("1e-{}", zeros.len() + 1),
                [&larger, &number],
                &format!("{larger}5"),
            ),
        ] {
            let wrapped = schema(keyword, value);
            for text in accepted {
                assert_eq!(
                    wrapped.judge(text.as_bytes()),
                    Ok(()),
                    "{keyword}: {value} on {text}"
                );
            }
            let found = wrapped.judge(refused.as_bytes());
            assert!(found.is_err(), "{keyword}: {value} on {refused}");
        }
    }
}
