//! `$dynamicRef`: where it leads depends on the way taken.
//!
//! The way matters only as far as it has bound names: of the resources entered, the outermost that has a `$dynamicAnchor`
//! decides what the name means. A schema that is reached with different bindings is lowered once for each, and then every
//! reference has one target.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{Lowering, report_reference};
use crate::problem::{self, Problems};
use crate::reference::{Names, ReferenceError};

/// The number of a scope; 0 binds nothing.
pub(super) type ScopeId = usize;

/// Names and the pointers of the schemas they mean, sorted.
type Bindings = Vec<(String, String)>;

/// Scopes that are told apart; no document that means well has as many.
const MOST_SCOPES: usize = 1_000;

#[derive(Default)]
pub(super) struct Scopes {
    /// Without the first, which binds nothing.
    bindings: Vec<Bindings>,
    numbers: HashMap<Bindings, ScopeId>,
    too_many: bool,
}

impl Scopes {
    fn bindings(&self, scope: ScopeId) -> &[(String, String)] {
        scope
            .checked_sub(1)
            .map_or(&[], |at| self.bindings[at].as_slice())
    }

    /// The scope after the resource around `pointer` is entered.
    pub(super) fn within(&mut self, scope: ScopeId, pointer: &str, names: &Names) -> ScopeId {
        if !names.has_dynamic() {
            return scope;
        }
        let mut bindings = self.bindings(scope).to_vec();
        for (name, target) in names.dynamic_around(pointer) {
            if !bindings.iter().any(|(bound, _)| bound == name) {
                bindings.push((name.clone(), target.clone()));
            }
        }
        if bindings.len() == self.bindings(scope).len() {
            return scope;
        }
        bindings.sort_unstable();
        if let Some(number) = self.numbers.get(&bindings) {
            return *number;
        }
        if self.bindings.len() == MOST_SCOPES {
            self.too_many = true;
            return scope;
        }
        self.bindings.push(bindings.clone());
        self.numbers.insert(bindings, self.bindings.len());
        self.bindings.len()
    }
}

impl Lowering<'_> {
    pub(super) fn dynamic_reference(
        &mut self,
        value: &Value,
        out: &mut Map<String, Value>,
        pointer: &str,
        problems: &mut Problems,
    ) {
        let place = self.place(pointer);
        let Some(reference) = value.as_str() else {
            problems.add(problem::KEYWORD, place, "`$dynamicRef` is text");
            return;
        };
        let target = match self.dynamic_target(reference, pointer) {
            Ok(target) => target,
            Err(error) => return report_reference(error, reference, place, problems),
        };
        let number = self.number(&target);
        if self.scopes.too_many {
            let message = "`$dynamicRef` leads to too many different schemas";
            problems.add(problem::DIALECT, place, message);
        }
        let target = json!(format!("#/$defs/{number}"));
        if !out.contains_key("$ref") {
            out.insert("$ref".to_owned(), target);
            return;
        }
        let all = out.entry("allOf").or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.push(json!({"$ref": target}));
        }
    }

    /// The pointer that a dynamic reference leads to in the scope of the schema that is being lowered.
    fn dynamic_target(&self, reference: &str, pointer: &str) -> Result<String, ReferenceError> {
        let target = self.names.resolve(reference, pointer)?;
        let schema = self
            .document
            .pointer(&target)
            .ok_or(ReferenceError::Dangling)?;
        let anchor = reference.split_once('#').map_or("", |(_, anchor)| anchor);
        // Only a name that is dynamic where it is found first is looked for further out.
        if schema.get("$dynamicAnchor").and_then(Value::as_str) != Some(anchor) {
            return Ok(target);
        }
        let bindings = self.scopes.bindings(self.scope).iter();
        let bound = bindings.rev().find(|(name, _)| name == anchor);
        Ok(bound.map_or(target, |(_, bound)| bound.clone()))
    }
}
