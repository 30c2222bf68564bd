//! Real documents load, or are refused for a reason.

use std::time::Instant;

use hauberk_openapi::{Limits, Problem, RouterBuilder, Severity, load};

use crate::data;

/// The feature documents that are refused, with the codes and what is read in them.
const REFUSED: &[(&str, &[u16], &str)] = &[
    (
        "getkin/kin-openapi openapi2/testdata/swagger.json",
        &[103],
        "it is Swagger 2.0",
    ),
    (
        "getkin/kin-openapi openapi3/testdata/issue753.yml",
        &[103],
        "`openapi: 3` names no version",
    ),
    (
        "getkin/kin-openapi openapi3/testdata/main.yaml",
        &[111],
        "a path item is in another file, `testpath.yaml`",
    ),
    (
        "getkin/kin-openapi openapi3/testdata/my-other-openapi.json",
        &[110],
        "3.0 requires `paths`, and there are components only: the file is there to be referred to",
    ),
    (
        "getkin/kin-openapi openapi3/testdata/pathref.openapi.yml",
        &[111],
        "a path item is in another file, `circularref.openapi.yml`",
    ),
    (
        "cdimascio/express-openapi-validator test/resources/escaped.characters.in.path.yaml",
        &[111],
        "path items are in other files, `sub_files/paths/auth.yaml`",
    ),
    (
        "cdimascio/express-openapi-validator test/resources/openapi.yaml",
        &[111, 112],
        "a parameter is in another file, and so is `NewPet`: the schemas begin with a reference of their own",
    ),
    (
        "cdimascio/express-openapi-validator test/resources/path.level.parameters.yaml",
        &[112],
        "`#components/…` lacks the slash, so it names an anchor that is nowhere",
    ),
];

fn print(problems: &[Problem], severity: Severity) {
    for problem in problems
        .iter()
        .filter(|problem| problem.severity == severity)
    {
        let place = problem.locations.first().map_or("", String::as_str);
        eprintln!(
            "    {} {} ({} places, first {place})",
            problem.code,
            problem.message,
            problem.locations.len()
        );
    }
}

#[test]
fn every_document_loads_and_every_schema_in_it_compiles() {
    let Some(folder) = data::folder() else { return };
    let mut refused = Vec::new();
    let documents = data::documents(&folder);
    let count = documents.len();
    for (name, source) in documents {
        let begin = Instant::now();
        let result = load(&source, &Limits::default());
        let loaded_after = begin.elapsed();
        match result {
            Ok(loaded) => {
                let document = loaded.document;
                let warnings = loaded.warnings.len();
                let mut router = RouterBuilder::new();
                for operation in document.operations() {
                    assert!(
                        document.find(&operation.method, &operation.path).is_some(),
                        "{name}: {operation:?}"
                    );
                    // Operations of several servers may share an endpoint; routes are per host.
                    let _ = router.insert(&operation.method, &operation.endpoint, ());
                }
                let begin = Instant::now();
                let schemas = document
                    .compile_all()
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
                eprintln!(
                    "{name}: {} operations, {warnings} warnings, loaded in {loaded_after:?}, {schemas} schemas compiled in {:?}",
                    document.operations().len(),
                    begin.elapsed(),
                );
                if std::env::var_os("HAUBERK_PRINT_WARNINGS").is_some() {
                    print(&loaded.warnings, Severity::Warning);
                }
            }
            Err(problems) => {
                eprintln!("{name}: refused");
                print(&problems, Severity::Critical);
                print(&problems, Severity::Error);
                assert!(
                    problems
                        .iter()
                        .any(|problem| problem.severity < Severity::Warning),
                    "{name}"
                );
                refused.push(name);
            }
        }
    }
    eprintln!(
        "{} of {count} documents load; refused: {refused:?}",
        count - refused.len()
    );
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn every_feature_document_loads_or_is_refused_with_a_reason() {
    let Some(folder) = data::folder() else { return };
    let mut loaded = 0;
    let mut refused = Vec::new();
    for line in data::lines(&folder.join("suites/openapi-feature-documents.ndjson.zst")) {
        let name = format!(
            "{} {}",
            line["repo"].as_str().unwrap_or_default(),
            line["path"].as_str().unwrap_or_default()
        );
        let source = match &line["document"] {
            serde_json::Value::String(text) => text.clone(),
            document => document.to_string(),
        };
        match load(source.as_bytes(), &Limits::default()) {
            Ok(result) => {
                result
                    .document
                    .compile_all()
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
                loaded += 1;
            }
            Err(problems) => {
                eprintln!("{name}:");
                print(&problems, Severity::Critical);
                print(&problems, Severity::Error);
                let mut codes: Vec<u16> = problems
                    .iter()
                    .filter(|problem| problem.severity < Severity::Warning)
                    .map(|problem| problem.code)
                    .collect();
                codes.sort_unstable();
                codes.dedup();
                refused.push((name, codes));
            }
        }
    }
    eprintln!(
        "{loaded} feature documents load, {} are refused",
        refused.len()
    );
    let refused: Vec<(&str, &[u16])> = refused
        .iter()
        .map(|(name, codes)| (name.as_str(), codes.as_slice()))
        .collect();
    let wanted: Vec<(&str, &[u16])> = REFUSED
        .iter()
        .map(|(name, codes, _)| (*name, *codes))
        .collect();
    assert_eq!(refused, wanted);
}
