//! `discriminator`: which branch of `oneOf` or `anyOf` a value says it is.

use serde_json::{Map, Value, json};

use super::Lowering;
use crate::schema::DISCRIMINATOR_KEYWORD;

impl Lowering<'_> {
    pub(super) fn discriminator(
        &self,
        schema: &Map<String, Value>,
        pointer: &str,
        out: &mut Map<String, Value>,
    ) {
        let Some(discriminator) = schema.get("discriminator") else {
            return;
        };
        let branches = ["oneOf", "anyOf"]
            .iter()
            .find_map(|keyword| schema.get(*keyword)?.as_array());
        let (Some(property), Some(branches)) = (
            discriminator.get("propertyName").and_then(Value::as_str),
            branches,
        ) else {
            return;
        };
        let targets: Vec<Option<String>> = branches
            .iter()
            .map(|branch| {
                let reference = branch.get("$ref")?.as_str()?;
                self.names.resolve(reference, pointer).ok()
            })
            .collect();
        let mut values = Map::new();
        for (number, target) in targets.iter().enumerate() {
            if let Some((_, name)) = target.as_deref().and_then(|target| target.rsplit_once('/')) {
                let name = name.replace("~1", "/").replace("~0", "~");
                values.insert(name, json!(number));
            }
        }
        let mapping = discriminator.get("mapping").and_then(Value::as_object);
        for (value, target) in mapping.into_iter().flatten() {
            let Some(target) = target.as_str() else {
                continue;
            };
            let target = if target.contains(['#', '/']) {
                self.names.resolve(target, pointer).ok()
            } else {
                Some(format!("/components/schemas/{target}"))
            };
            if let Some(number) = targets.iter().position(|known| *known == target) {
                values.insert(value.clone(), json!(number));
            }
        }
        if !values.is_empty() {
            let named = json!({"property": property, "branches": values});
            out.insert(DISCRIMINATOR_KEYWORD.to_owned(), named);
        }
    }
}
