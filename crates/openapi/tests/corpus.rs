//! Real documents load, or are refused for a reason.

use std::time::Instant;

use hauberk_openapi::{Limits, Problem, RouterBuilder, Severity, load};

use crate::data;

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
}

#[test]
fn every_feature_document_loads_or_is_refused_with_a_reason() {
    let Some(folder) = data::folder() else { return };
    let (mut loaded, mut refused) = (0, 0);
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
                refused += 1;
            }
        }
    }
    eprintln!("{loaded} feature documents load, {refused} are refused");
}
