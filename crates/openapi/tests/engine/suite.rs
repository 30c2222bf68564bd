//! The JSON Schema test suite: we give the answer it wants, or say why not.

use std::collections::BTreeMap;

use hauberk_openapi::Problem;
use jsonschema::Draft;
use serde_json::{Value, json};

use crate::data;
use crate::wrapped::Wrapped;

/// Formats that are asserted.
const FORMATS: &[&str] = &[
    "date-time",
    "time",
    "date",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "iri-reference",
    "uuid",
];

/// Files of the suite for draft 4 whose keyword OpenAPI 3.0 has.
const OF_3_0: &[&str] = &[
    "additionalProperties.json",
    "allOf.json",
    "anyOf.json",
    "enum.json",
    "format.json",
    "maxItems.json",
    "maxLength.json",
    "maximum.json",
    "maxProperties.json",
    "minItems.json",
    "minLength.json",
    "minimum.json",
    "minProperties.json",
    "multipleOf.json",
    "not.json",
    "oneOf.json",
    "pattern.json",
    "properties.json",
    "required.json",
    "type.json",
    "uniqueItems.json",
    "default.json",
    "optional/bignum.json",
    "optional/ecmascript-regex.json",
    "optional/float-overflow.json",
    "optional/non-bmp-regex.json",
    "infinite-loop-detection.json",
];

/// Tests, by the beginning of their names, that we answer otherwise on purpose.
const ON_PURPOSE: &[&str] = &[
    // OpenAPI has never had this keyword; it is ignored with a warning.
    "optional/dependencies-compatibility.json",
    // Draft 4 has RFC 1123 alone; 2020-12, which `hostname` follows in both versions, refuses hyphens kept for encodings.
    "optional/format/hostname.json: validation of host names: hostname with consecutive hyphens (RFC1123)",
];

/// Why schemas of the suite are refused, in which files, and how many tests that takes.
type Refused = BTreeMap<String, usize>;

struct Tally {
    agreed: usize,
    refused: Refused,
    differences: Vec<String>,
}

/// The groups of tests whose file `wanted` picks, each with its schema.
fn groups(draft: &str, wanted: impl Fn(&str, bool) -> bool) -> Vec<(Value, Vec<Value>)> {
    let Some(folder) = data::folder() else {
        return Vec::new();
    };
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for row in data::lines(&folder.join("suites/json-schema-test-suite.ndjson.zst")) {
        let file = row["file"].as_str().unwrap_or_default();
        let is_optional = row["optional"].as_bool().unwrap_or_default();
        if row["draft"] != draft || !wanted(file, is_optional) {
            continue;
        }
        match groups.last_mut() {
            Some((schema, rows))
                if *schema == row["schema"] && rows[0]["group"] == row["group"] =>
            {
                rows.push(row);
            }
            _ => groups.push((row["schema"].clone(), vec![row])),
        }
    }
    groups
}

fn run(
    groups: Vec<(Value, Vec<Value>)>,
    wrap: impl Fn(&Value) -> Result<Wrapped, Vec<Problem>>,
) -> Tally {
    let mut tally = Tally {
        agreed: 0,
        refused: BTreeMap::new(),
        differences: Vec::new(),
    };
    for (schema, rows) in groups {
        let name = |row: &Value| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            format!("{}: {}: {}", text("file"), text("group"), text("test"))
        };
        let wrapped = match wrap(&schema) {
            Ok(wrapped) => wrapped,
            Err(problems) => {
                let reason = format!(
                    "{} {}",
                    problems[0].code,
                    rows[0]["file"].as_str().unwrap_or_default()
                );
                eprintln!("refused {}: {}", name(&rows[0]), problems[0].message);
                *tally.refused.entry(reason).or_default() += rows.len();
                continue;
            }
        };
        for row in rows {
            let ours = wrapped.accepts(&row["data"]);
            let name = name(&row);
            if ours == row["valid"].as_bool().expect("a verdict") {
                tally.agreed += 1;
            } else if !ON_PURPOSE.iter().any(|known| name.starts_with(known)) {
                tally
                    .differences
                    .push(format!("{name} (ours {ours}) {schema} on {}", row["data"]));
            }
        }
    }
    eprintln!(
        "{} verdicts agree, refused {:#?}, differences {:#?}",
        tally.agreed, tally.refused, tally.differences
    );
    tally
}

fn is_asserted(file: &str) -> bool {
    FORMATS
        .iter()
        .any(|format| file.ends_with(&format!("format/{format}.json")))
}

#[test]
fn the_suite_for_2020_12_gets_the_verdicts_it_wants() {
    let groups = groups("draft2020-12", |file, is_optional| {
        !is_optional && file != "format.json"
    });
    let tally = run(groups, Wrapped::new);
    assert!(tally.differences.is_empty());
    // References to other documents, a dialect of one's own, and an `enum` that nothing conforms to.
    let known = ["111 ", "114 vocabulary.json", "140 enum.json"];
    assert!(
        tally
            .refused
            .keys()
            .all(|reason| known.iter().any(|known| reason.starts_with(known)))
    );
}

#[test]
fn the_optional_suite_gets_the_verdicts_it_wants() {
    let groups = groups("draft2020-12", |file, is_optional| {
        is_optional && (is_asserted(file) || !file.contains("format"))
    });
    let tally = run(groups, Wrapped::new);
    assert!(tally.differences.is_empty());
    // The only group refers to another file.
    assert!(
        tally
            .refused
            .keys()
            .all(|reason| reason == "111 optional/cross-draft.json")
    );
}

#[test]
fn formats_get_the_verdict_of_the_crate() {
    for (schema, rows) in groups("draft2020-12", |file, _| is_asserted(file)) {
        let judge = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&schema)
            .expect("it compiles");
        let wrapped = Wrapped::new(&schema).expect("it loads");
        for row in rows {
            let data = &row["data"];
            assert_eq!(
                wrapped.accepts(data),
                judge.is_valid(data),
                "{schema} on {data}"
            );
        }
    }
}

#[test]
fn the_suite_for_draft_4_gets_the_verdicts_it_wants_as_openapi_3_0() {
    let groups = groups("draft4", |file, is_optional| {
        OF_3_0.contains(&file) || (is_optional && is_asserted(file))
    });
    let tally = run(groups, |schema| {
        let text = schema
            .to_string()
            .replace("\"#/", "\"#/components/schemas/S/");
        let schema = serde_json::from_str(&text).expect("JSON");
        Wrapped::of("3.0.3", &schema)
    });
    assert!(tally.differences.is_empty());
    // A list of schemas as `items` is no OpenAPI.
    assert!(
        tally
            .refused
            .keys()
            .all(|reason| reason == "140 uniqueItems.json")
    );
}

#[test]
fn nullable_and_boolean_bounds_are_those_of_3_0() {
    for (schema, instance, wanted) in [
        (
            json!({"type": "string", "nullable": true}),
            json!(null),
            true,
        ),
        (
            json!({"type": "string", "nullable": true, "enum": ["a", null]}),
            json!(null),
            true,
        ),
        (
            json!({"type": "string", "nullable": true, "enum": ["a"]}),
            json!(null),
            false,
        ),
        (json!({"nullable": true}), json!(null), true),
        (json!({"type": "string"}), json!(null), false),
        (
            json!({"minimum": 3, "exclusiveMinimum": true}),
            json!(3),
            false,
        ),
        (
            json!({"minimum": 3, "exclusiveMinimum": false}),
            json!(3),
            true,
        ),
        (
            json!({"maximum": 3, "exclusiveMaximum": true}),
            json!(2.999),
            true,
        ),
    ] {
        let wrapped = Wrapped::of("3.0.3", &schema).expect("it loads");
        assert_eq!(wrapped.accepts(&instance), wanted, "{schema} on {instance}");
    }
}
