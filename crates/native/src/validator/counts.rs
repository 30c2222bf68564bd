//! What was judged, in numbers: by operation, and of each by the rule that was broken.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::row::{Judged, Told, Verdict};

/// Which rule was broken, and how. All of it is the document's text, so there are no more of these than a document has rules.
#[derive(PartialEq, Eq, Hash, Clone)]
struct Broken {
    location: &'static str,
    error_class: &'static str,
    error_detail: Option<String>,
    rule: String,
}

impl Broken {
    fn of(told: &Told) -> Self {
        Self {
            location: told.location,
            error_class: told.error_class,
            error_detail: told.error_detail.clone(),
            rule: told.rule.clone(),
        }
    }
}

#[derive(Default, Clone)]
struct OfOperation {
    conforms: u64,
    violates: u64,
    /// Rows that broke it at least once.
    broken: HashMap<Broken, u64>,
}

/// Counts of rows.
pub(super) struct Counts {
    names: Vec<String>,
    operations: Vec<OfOperation>,
    /// Of requests that are no operation's, but refused all the same.
    elsewhere: OfOperation,
    not_evaluated: u64,
}

impl Counts {
    pub(super) fn new(names: Vec<String>) -> Self {
        Self {
            operations: vec![OfOperation::default(); names.len()],
            names,
            elsewhere: OfOperation::default(),
            not_evaluated: 0,
        }
    }

    pub(super) fn add(&mut self, judged: &Judged<'_>) {
        let counted = match judged.operation {
            Some(operation) => &mut self.operations[operation.number],
            None => &mut self.elsewhere,
        };
        match judged.verdict() {
            Verdict::NotEvaluated => self.not_evaluated += 1,
            Verdict::Conforms => counted.conforms += 1,
            Verdict::Violates => {
                counted.violates += 1;
                let broken: HashSet<Broken> = judged.violations.iter().map(Broken::of).collect();
                for broken in broken {
                    *counted.broken.entry(broken).or_default() += 1;
                }
            }
        }
    }

    /// The counts as Python's `Validator.finish` gives them.
    pub(super) fn to_json(&self) -> String {
        let all = || self.operations.iter().chain([&self.elsewhere]);
        let names = self.names.iter().map(|name| Value::from(name.as_str()));
        let operations = names
            .chain([Value::Null])
            .zip(all())
            .filter(|(_, counted)| counted.conforms + counted.violates > 0)
            .map(|(name, counted)| {
                json!({
                    "operation": name,
                    "conforms": counted.conforms,
                    "violates": counted.violates,
                    "broken": broken(counted),
                })
            });
        json!({
            "conforms": all().map(|counted| counted.conforms).sum::<u64>(),
            "violates": all().map(|counted| counted.violates).sum::<u64>(),
            "not_evaluated": self.not_evaluated,
            "operations": operations.collect::<Vec<_>>(),
        })
        .to_string()
    }
}

/// The rules that were broken, the most often broken first.
fn broken(counted: &OfOperation) -> Vec<Value> {
    let mut broken: Vec<(&Broken, u64)> = counted
        .broken
        .iter()
        .map(|(broken, rows)| (broken, *rows))
        .collect();
    broken.sort_by(|(left, left_rows), (right, right_rows)| {
        let key = |broken: &Broken| {
            let Broken {
                location,
                error_class,
                ..
            } = *broken;
            (location, error_class)
        };
        right_rows
            .cmp(left_rows)
            .then_with(|| left.rule.cmp(&right.rule))
            .then_with(|| key(left).cmp(&key(right)))
            .then_with(|| left.error_detail.cmp(&right.error_detail))
    });
    let shown = broken.into_iter().map(|(broken, rows)| {
        json!({
            "location": broken.location,
            "error_class": broken.error_class,
            "error_detail": broken.error_detail,
            "rule": broken.rule,
            "rows": rows,
        })
    });
    shown.collect()
}
