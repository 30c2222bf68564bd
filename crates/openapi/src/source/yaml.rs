//! YAML 1.2 (core schema) to a JSON tree.
//!
//! Built on parser events rather than on a ready-made loader, so that aliases are counted before they are copied: ten
//! lines of nested aliases would otherwise fill the memory. Keys are always text, so that `200:` is the response "200".

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Value};

use super::json::number_value;

/// Bounds on one document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct YamlLimits {
    pub(crate) max_depth: usize,
    pub(crate) max_nodes: usize,
}

/// Why a text is refused; line and column count from 1, in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct YamlError {
    pub(crate) message: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Parse a text that holds one YAML document.
pub(crate) fn parse(text: &str, limits: YamlLimits) -> Result<Value, YamlError> {
    let mut builder = Builder {
        limits,
        nodes: 0,
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| YamlError {
            message: error.info().to_owned(),
            line: error.marker().line(),
            column: error.marker().col() + 1,
        })?;
        builder.event(event).map_err(|message| at(&span, message))?;
    }
    builder.root.ok_or_else(|| YamlError {
        message: "the document is empty".to_owned(),
        line: 1,
        column: 1,
    })
}

fn at(span: &Span, message: String) -> YamlError {
    YamlError {
        message,
        line: span.start.line(),
        column: span.start.col() + 1,
    }
}

/// A value that an alias can copy, with what the copy costs.
struct Anchored {
    value: Value,
    nodes: usize,
    depth: usize,
}

enum Container {
    Sequence(Vec<Value>),
    Mapping {
        members: Map<String, Value>,
        key: Option<String>,
        merged: Vec<Value>,
    },
}

struct Open {
    container: Container,
    anchor: usize,
    nodes_before: usize,
    /// Deepest nesting seen inside, this container included.
    depth: usize,
}

struct Builder {
    limits: YamlLimits,
    nodes: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    root: Option<Value>,
}

/// Text of this many bytes counts as one more node, so that copies of a long string are bounded too.
const BYTES_PER_NODE: usize = 64;

impl Builder {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err("the text holds more than one YAML document; one is expected".to_owned())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag.as_deref())
            }
            Event::SequenceStart(anchor, tag) => {
                check_container_tag(tag.as_deref(), "seq")?;
                self.start(Container::Sequence(Vec::new()), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                check_container_tag(tag.as_deref(), "map")?;
                let container = Container::Mapping {
                    members: Map::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.start(container, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > self.limits.max_nodes {
            return Err(format!(
                "the document has more than {} nodes",
                self.limits.max_nodes
            ));
        }
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                container: Container::Mapping { key: None, .. },
                ..
            })
        )
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), String> {
        let nodes = 1 + text.len() / BYTES_PER_NODE;
        self.count(nodes)?;
        if self.awaits_key() {
            if anchor != 0 {
                self.anchors.insert(
                    anchor,
                    Anchored {
                        value: Value::String(text.to_owned()),
                        nodes,
                        depth: 0,
                    },
                );
            }
            let is_merge = style == ScalarStyle::Plain && text == "<<";
            return self.key(text, is_merge);
        }
        let value = resolve(text, style, tag)?;
        if anchor != 0 {
            self.anchors.insert(
                anchor,
                Anchored {
                    value: value.clone(),
                    nodes,
                    depth: 0,
                },
            );
        }
        self.place(value)
    }

    fn key(&mut self, text: &str, is_merge: bool) -> Result<(), String> {
        let Some(Open {
            container: Container::Mapping { members, key, .. },
            ..
        }) = self.open.last_mut()
        else {
            return Ok(());
        };
        if !is_merge && members.contains_key(text) {
            return Err(format!(
                "the key `{}` appears twice in one mapping",
                shown(text)
            ));
        }
        // A literal "<<" can never be a member: the merge key is all this text is used for.
        *key = Some(if is_merge {
            MERGE.to_owned()
        } else {
            text.to_owned()
        });
        Ok(())
    }

    fn start(&mut self, container: Container, anchor: usize) -> Result<(), String> {
        if self.awaits_key() {
            return Err("a key must be a scalar".to_owned());
        }
        let nodes_before = self.nodes;
        self.count(1)?;
        if self.open.len() >= self.limits.max_depth {
            return Err(format!("nesting is deeper than {}", self.limits.max_depth));
        }
        self.open.push(Open {
            container,
            anchor,
            nodes_before,
            depth: 1,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(Open {
            container,
            anchor,
            nodes_before,
            depth,
        }) = self.open.pop()
        else {
            return Ok(());
        };
        let value = match container {
            Container::Sequence(items) => Value::Array(items),
            Container::Mapping {
                mut members,
                merged,
                ..
            } => {
                for source in merged {
                    merge(&mut members, source)?;
                }
                Value::Object(members)
            }
        };
        if anchor != 0 {
            let nodes = self.nodes - nodes_before;
            self.anchors.insert(
                anchor,
                Anchored {
                    value: value.clone(),
                    nodes,
                    depth,
                },
            );
        }
        if let Some(parent) = self.open.last_mut() {
            parent.depth = parent.depth.max(depth + 1);
        }
        self.place(value)
    }

    fn alias(&mut self, anchor: usize) -> Result<(), String> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err("an alias names a node that is not complete yet".to_owned());
        };
        let (nodes, depth) = (anchored.nodes, anchored.depth);
        if self.nodes.saturating_add(nodes) > self.limits.max_nodes {
            return Err(format!(
                "aliases expand to more than {} nodes",
                self.limits.max_nodes
            ));
        }
        if self.open.len() + depth > self.limits.max_depth {
            return Err(format!(
                "aliases expand to nesting deeper than {}",
                self.limits.max_depth
            ));
        }
        self.nodes += nodes;
        let value = anchored.value.clone();
        if self.awaits_key() {
            return match value {
                Value::String(text) => self.key(&text, false),
                _ => Err("a key must be text".to_owned()),
            };
        }
        if let Some(parent) = self.open.last_mut() {
            parent.depth = parent.depth.max(depth + 1);
        }
        self.place(value)
    }

    fn place(&mut self, value: Value) -> Result<(), String> {
        match self.open.last_mut().map(|open| &mut open.container) {
            None => self.root = Some(value),
            Some(Container::Sequence(items)) => items.push(value),
            Some(Container::Mapping {
                members,
                key,
                merged,
            }) => match key.take() {
                Some(key) if key == MERGE => merged.push(value),
                Some(key) => {
                    members.insert(key, value);
                }
                None => return Err("a value without a key".to_owned()),
            },
        }
        Ok(())
    }
}

/// What stands for the merge key while its value is read; no document key can hold a NUL.
const MERGE: &str = "\0<<";

/// Copy into `members` what `source` has and they have not, as the merge key of YAML 1.1 asks.
fn merge(members: &mut Map<String, Value>, source: Value) -> Result<(), String> {
    match source {
        Value::Object(source) => {
            for (key, value) in source {
                members.entry(key).or_insert(value);
            }
            Ok(())
        }
        Value::Array(sources) => sources
            .into_iter()
            .try_for_each(|source| merge(members, source)),
        _ => Err("`<<` merges mappings only".to_owned()),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

fn check_container_tag(tag: Option<&Tag>, wanted: &str) -> Result<(), String> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == wanted) => Err(unknown_tag(tag)),
        _ => Ok(()),
    }
}

fn unknown_tag(tag: &Tag) -> String {
    format!(
        "the tag `{}{}` has no meaning here",
        shown(&tag.handle),
        shown(&tag.suffix)
    )
}

fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    match tag {
        None if style == ScalarStyle::Plain => resolve_plain(text),
        None => Ok(Value::String(text.to_owned())),
        Some(tag) if tag.is_yaml_core_schema() => match tag.suffix.as_str() {
            "str" => Ok(Value::String(text.to_owned())),
            "null" | "bool" | "int" | "float" => resolve_plain(text),
            _ => Err(unknown_tag(tag)),
        },
        // The non-specific tag `!` asks for text.
        Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => {
            Ok(Value::String(text.to_owned()))
        }
        Some(tag) => Err(unknown_tag(tag)),
    }
}

/// A plain scalar by the core schema of YAML 1.2, where `no` and `2024-01-01` are text.
fn resolve_plain(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if matches!(
        text.trim_start_matches(['-', '+']),
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN"
    ) {
        return Err(format!("`{text}` is not a JSON number"));
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.starts_with('+')
            && let Ok(number) = u64::from_str_radix(digits, radix)
        {
            return Ok(number.into());
        }
    }
    match plain_number(text) {
        Some(whole) => Ok(number_value(text, whole)),
        None => Ok(Value::String(text.to_owned())),
    }
}

/// Whether `text` is a decimal number of the core schema, and if so whether it is whole.
fn plain_number(text: &str) -> Option<bool> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)),
        ),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() || fraction.is_some_and(|fraction| !fraction.is_empty());
    let is_number = has_digits
        && digits(whole)
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
    is_number.then_some(fraction.is_none() && exponent.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LIMITS: YamlLimits = YamlLimits {
        max_depth: 8,
        max_nodes: 100,
    };

    #[test]
    fn scalars_follow_the_core_schema_and_keys_are_text() {
        let text = "200: ok\ntrue: 1\nno: no\nday: 2024-01-01\nhex: 0x1F\nfloat: 1.50\nneg: -3\nexp: 1e3\n\
                    quoted: '12'\nempty:\nstr: !!str 5\nversion: 1.2.3\n";
        let wanted = json!({
            "200": "ok", "true": 1, "no": "no", "day": "2024-01-01", "hex": 31, "float": 1.5, "neg": -3, "exp": 1000.0,
            "quoted": "12", "empty": null, "str": "5", "version": "1.2.3",
        });
        assert_eq!(parse(text, LIMITS), Ok(wanted));
    }

    #[test]
    fn aliases_and_merge_keys_are_expanded() {
        let text = "base: &b {a: 1, b: 2}\nuse: *b\nmore:\n  <<: *b\n  b: 3\n";
        let wanted =
            json!({"base": {"a": 1, "b": 2}, "use": {"a": 1, "b": 2}, "more": {"a": 1, "b": 3}});
        assert_eq!(parse(text, LIMITS), Ok(wanted));
    }

    #[test]
    fn a_bomb_of_aliases_is_refused_before_it_expands() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let below = level - 1;
            let aliases = vec![format!("*a{below}"); 9].join(", ");
            text.extend([
                "a",
                &level.to_string(),
                ": &a",
                &level.to_string(),
                " [",
                &aliases,
                "]\n",
            ]);
        }
        let error = parse(
            &text,
            YamlLimits {
                max_depth: 64,
                max_nodes: 1_000_000,
            },
        )
        .expect_err("refused");
        assert_eq!(error.message, "aliases expand to more than 1000000 nodes");
    }

    #[test]
    fn copies_of_a_long_text_take_no_more_than_as_many_nodes() {
        let text = format!(
            "a: &a {}\nb: [{}]\n",
            "x".repeat(6400),
            vec!["*a"; 1000].join(", ")
        );
        let limits = |max_nodes| YamlLimits {
            max_depth: 8,
            max_nodes,
        };
        assert!(parse(&text, limits(102_000)).is_ok());
        let error = parse(&text, limits(100_000)).expect_err("refused");
        assert_eq!(error.message, "aliases expand to more than 100000 nodes");
    }

    #[test]
    fn what_has_no_json_meaning_is_refused_with_its_line() {
        for (text, line, part) in [
            ("a: 1\na: 2\n", 2, "appears twice"),
            ("a: .inf\n", 1, "not a JSON number"),
            ("a: !!binary aGk=\n", 1, "tag"),
            ("? [1]\n: 2\n", 1, "key must be a scalar"),
            ("a: &x\n  b: *x\n", 2, "alias"),
            ("--- 1\n--- 2\n", 2, "more than one"),
            ("[[[[[[[[[1]]]]]]]]]", 1, "deeper than 8"),
            ("a: [1\n", 2, ""),
            ("", 1, "empty"),
        ] {
            let error = parse(text, LIMITS).expect_err(text);
            assert!(error.message.contains(part), "{text}: {error:?}");
            assert_eq!(error.line, line, "{text}: {error:?}");
        }
    }
}
