//! Discriminators: they explain a choice that `oneOf` and `anyOf` make, so they decide nothing; but their mappings are
//! worth a look.

use serde_json::Value;

use super::Compiler;
use crate::problem;
use crate::reference::{child, decode_fragment};

impl Compiler<'_, '_> {
    /// Warn of mappings that lead nowhere, in the schemas that have names.
    pub(super) fn discriminators(&mut self) {
        const ROOT: &str = "/components/schemas";
        let Some(schemas) = self.document.pointer(ROOT) else {
            return;
        };
        let mut open = vec![(ROOT.to_owned(), schemas)];
        while let Some((pointer, value)) = open.pop() {
            match value {
                Value::Object(members) => {
                    if let Some(discriminator) = members.get("discriminator") {
                        self.mapping(discriminator, &child(&pointer, "discriminator"));
                    }
                    for (key, member) in members {
                        let is_data = matches!(
                            key.as_str(),
                            "example" | "examples" | "enum" | "const" | "default" | "discriminator"
                        );
                        if !is_data && (member.is_object() || member.is_array()) {
                            open.push((child(&pointer, key), member));
                        }
                    }
                }
                Value::Array(items) => {
                    let items = items.iter().enumerate();
                    open.extend(
                        items.map(|(index, item)| (child(&pointer, &index.to_string()), item)),
                    );
                }
                _ => {}
            }
        }
    }

    fn mapping(&mut self, discriminator: &Value, pointer: &str) {
        let mapping = discriminator.get("mapping").and_then(Value::as_object);
        for (name, target) in mapping.into_iter().flatten() {
            let Some(target) = target.as_str() else {
                continue;
            };
            let found = match target.strip_prefix('#') {
                Some(fragment) => decode_fragment(fragment)
                    .is_some_and(|pointer| self.document.pointer(&pointer).is_some()),
                // A name of a schema, or a file, which is nobody's but the reader's.
                None if target.contains(['/', '.']) => true,
                None => self
                    .document
                    .pointer(&child("/components/schemas", target))
                    .is_some(),
            };
            if !found {
                let shown: String = target.chars().take(200).collect();
                let place = self.place(&child(&child(pointer, "mapping"), name));
                let message = format!(
                    "the mapping leads to `{shown}`, which is nowhere; what conforms is decided without it"
                );
                self.problems.add(problem::IGNORED, place, message);
            }
        }
    }
}
