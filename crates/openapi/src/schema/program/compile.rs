//! From a lowered schema to a program.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{
    ANY, ArrayRules, Bound, Condition, Contains, Discriminator, InPlace, Literal, Literals, Node,
    NodeId, NumberRules, ObjectRules, Program, Property, Route, StringRules, Variants, route,
};
use crate::place;
use crate::schema::SchemaId;
use crate::schema::format::{self, NumberFormat, TextFormat};
use crate::schema::names::NameTable;
use crate::schema::number::OwnedNumber;
use crate::schema::pattern::Pattern;
use crate::schema::types::Types;

/// The keyword that keeps the exact spelling of numbers which `serde_json` rounds: JSON pointers from the schema to texts.
pub(crate) const EXACT_KEYWORD: &str = "x-hauberk-exact";

/// The keyword that names properties which a request need not send, and may be refused for sending.
pub(crate) const READ_ONLY_KEYWORD: &str = "x-hauberk-read-only";

/// The keyword for `discriminator`: the property, and the number of the branch for each of its values.
pub(crate) const DISCRIMINATOR_KEYWORD: &str = "x-hauberk-discriminator";

/// Compile the definition `root` of a document.
///
/// # Errors
///
/// If schemas apply themselves in place without end, which lowering has refused.
pub(crate) fn compile(definitions: &[Value], root: SchemaId) -> Result<Program, String> {
    let mut compiler = Compiler {
        definitions,
        numbers: HashMap::new(),
        open: Vec::new(),
        nodes: vec![Some(node(0, String::new()))],
    };
    let schema = definitions.get(root).ok_or("there is no such schema")?;
    let root = compiler.number(schema, root, String::new);
    let mut at = 0;
    while at < compiler.open.len() {
        let (id, schema, definition, place) = compiler.open[at].clone();
        compiler.nodes[id as usize] = Some(compiler.node(schema, definition, place));
        at += 1;
    }
    let nodes: Vec<Node> = compiler.nodes.into_iter().flatten().collect();
    let order = in_place_order(&nodes)?;
    let mut nodes = renumbered(nodes, &order);
    let root = order[root as usize];
    route::plan(&mut nodes, root);
    Ok(Program {
        nodes: nodes.into(),
        root,
    })
}

struct Compiler<'d> {
    definitions: &'d [Value],
    /// Schemas by address: each is compiled once.
    numbers: HashMap<*const Value, NodeId>,
    open: Vec<(NodeId, &'d Map<String, Value>, SchemaId, String)>,
    /// `None`: not compiled yet.
    nodes: Vec<Option<Node>>,
}

/// A node without rules.
fn node(definition: SchemaId, place: String) -> Node {
    Node {
        routes: [Route::Any; 6],
        types: Types::ALL,
        literals: None,
        number: None,
        string: None,
        array: None,
        object: None,
        in_place: None,
        closure: Box::default(),
        id: ANY,
        definition,
        place: place.into(),
        is_never: false,
    }
}

impl<'d> Compiler<'d> {
    /// The number of a schema, which is compiled later if it is new.
    fn number(
        &mut self,
        mut schema: &'d Value,
        mut definition: SchemaId,
        place: impl FnOnce() -> String,
    ) -> NodeId {
        let mut is_elsewhere = false;
        // Circles are refused where documents are lowered; here they end somewhere.
        for _ in 0..=self.definitions.len() {
            let Some(target) = sole_reference(schema).filter(|id| *id < self.definitions.len())
            else {
                break;
            };
            (schema, definition, is_elsewhere) = (&self.definitions[target], target, true);
        }
        let members = match schema {
            Value::Object(members) if !members.is_empty() => Some(members),
            Value::Bool(false) => None,
            _ => return ANY,
        };
        let next = NodeId::try_from(self.nodes.len()).expect("documents have fewer schemas");
        let id = *self.numbers.entry(schema).or_insert(next);
        if id == next {
            let place = if is_elsewhere { String::new() } else { place() };
            match members {
                Some(members) => {
                    self.nodes.push(None);
                    self.open.push((id, members, definition, place));
                }
                None => self.nodes.push(Some(Node {
                    types: Types::NONE,
                    is_never: true,
                    ..node(definition, place)
                })),
            }
        }
        id
    }

    fn node(
        &mut self,
        schema: &'d Map<String, Value>,
        definition: SchemaId,
        place: String,
    ) -> Node {
        let mut parts = Parts {
            compiler: self,
            schema,
            definition,
            place: &place,
        };
        let in_place = parts.in_place();
        Node {
            types: types(schema),
            literals: parts.literals(),
            number: parts.number(),
            string: string(schema),
            array: parts.array(),
            object: parts.object(),
            in_place,
            ..node(definition, place)
        }
    }
}

/// Where a schema leads that is nothing but a reference.
fn sole_reference(schema: &Value) -> Option<SchemaId> {
    let schema = schema.as_object().filter(|schema| schema.len() == 1)?;
    reference(schema)
}

fn reference(schema: &Map<String, Value>) -> Option<SchemaId> {
    let target = schema.get("$ref")?.as_str()?;
    target.strip_prefix("#/$defs/")?.parse().ok()
}

fn types(schema: &Map<String, Value>) -> Types {
    match schema.get("type") {
        Some(Value::String(name)) => Types::named(name),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .map(Types::named)
            .fold(Types::NONE, Types::or),
        _ => Types::ALL,
    }
}

fn text<'s>(schema: &'s Map<String, Value>, keyword: &str) -> Option<&'s str> {
    schema.get(keyword).and_then(Value::as_str)
}

fn count(schema: &Map<String, Value>, keyword: &str) -> Option<u64> {
    schema.get(keyword).and_then(Value::as_u64)
}

fn object<'s>(
    schema: &'s Map<String, Value>,
    keyword: &str,
) -> impl Iterator<Item = (&'s String, &'s Value)> + use<'s> {
    schema
        .get(keyword)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn string(schema: &Map<String, Value>) -> Option<Box<StringRules>> {
    let rules = StringRules {
        min: count(schema, "minLength").unwrap_or(0),
        max: count(schema, "maxLength").unwrap_or(u64::MAX),
        format: text(schema, "format").and_then(TextFormat::named),
        pattern: text(schema, "pattern").map(Pattern::new),
    };
    let has_rules =
        rules.min > 0 || rules.max < u64::MAX || rules.format.is_some() || rules.pattern.is_some();
    has_rules.then(|| Box::new(rules))
}

/// One schema in the making.
struct Parts<'c, 'd> {
    compiler: &'c mut Compiler<'d>,
    schema: &'d Map<String, Value>,
    definition: SchemaId,
    place: &'c str,
}

impl<'d> Parts<'_, 'd> {
    /// The node of a schema below `keyword`.
    fn child(&mut self, schema: &'d Value, keyword: &str, token: Option<&str>) -> NodeId {
        let own = self.place;
        self.compiler.number(schema, self.definition, || {
            let mut place = place::key(own, keyword);
            if let Some(token) = token {
                place::push_key(&mut place, token);
            }
            place
        })
    }

    fn schema(&mut self, keyword: &str) -> Option<NodeId> {
        let schema = self.schema.get(keyword)?;
        Some(self.child(schema, keyword, None))
    }

    fn list(&mut self, keyword: &str) -> Option<Box<[NodeId]>> {
        let branches = self.schema.get(keyword)?.as_array()?;
        let own = self.place;
        let nodes = branches.iter().enumerate().map(|(index, branch)| {
            self.compiler.number(branch, self.definition, || {
                let mut place = place::key(own, keyword);
                place::push_index(&mut place, index);
                place
            })
        });
        Some(nodes.collect())
    }

    fn exact(&self, pointer: &str) -> Option<OwnedNumber> {
        let spelled = self.schema.get(EXACT_KEYWORD)?.get(pointer)?.as_str()?;
        Some(OwnedNumber::new(spelled))
    }

    fn literals(&mut self) -> Option<Box<Literals>> {
        let literal = |value: &Value, mut pointer: String| {
            Literal::new(value, &mut pointer, &|pointer| self.exact(pointer))
        };
        let literals = Literals {
            variants: self
                .schema
                .get("enum")
                .and_then(Value::as_array)
                .map(|values| {
                    let values = values.iter().enumerate();
                    Variants::new(
                        values.map(|(index, value)| literal(value, format!("/enum/{index}"))),
                    )
                }),
            constant: self
                .schema
                .get("const")
                .map(|value| Variants::new([literal(value, "/const".to_owned())])),
        };
        (literals.variants.is_some() || literals.constant.is_some()).then(|| Box::new(literals))
    }

    fn bound(&self, keyword: &str) -> Option<OwnedNumber> {
        let value = self.schema.get(keyword)?.as_number()?;
        let exact = self.exact(&format!("/{keyword}"));
        Some(exact.unwrap_or_else(|| OwnedNumber::new(&value.to_string())))
    }

    fn number(&mut self) -> Option<Box<NumberRules>> {
        let bounds = [
            ("minimum", Bound::Minimum),
            ("exclusiveMinimum", Bound::ExclusiveMinimum),
            ("maximum", Bound::Maximum),
            ("exclusiveMaximum", Bound::ExclusiveMaximum),
        ];
        let rules = NumberRules {
            bounds: bounds
                .into_iter()
                .filter_map(|(keyword, bound)| Some((bound, self.bound(keyword)?)))
                .collect(),
            multiple_of: self.bound("multipleOf"),
            format: text(self.schema, format::NUMERIC_KEYWORD).and_then(NumberFormat::named),
        };
        let has_rules =
            !rules.bounds.is_empty() || rules.multiple_of.is_some() || rules.format.is_some();
        has_rules.then(|| Box::new(rules))
    }

    fn array(&mut self) -> Option<Box<ArrayRules>> {
        let items = self.schema("items");
        let contains = self.schema("contains").map(|node| Contains {
            node,
            min: count(self.schema, "minContains").unwrap_or(1),
            max: count(self.schema, "maxContains").unwrap_or(u64::MAX),
        });
        let rules = ArrayRules {
            min: count(self.schema, "minItems").unwrap_or(0),
            max: count(self.schema, "maxItems").unwrap_or(u64::MAX),
            prefix: self.list("prefixItems").unwrap_or_default(),
            items: items.unwrap_or(ANY),
            has_items: items.is_some(),
            unique: self.schema.get("uniqueItems") == Some(&Value::Bool(true)),
            contains,
        };
        let has_rules = rules.min > 0
            || rules.max < u64::MAX
            || !rules.prefix.is_empty()
            || rules.has_items
            || rules.unique
            || rules.contains.is_some();
        has_rules.then(|| Box::new(rules))
    }

    fn object(&mut self) -> Option<Box<ObjectRules>> {
        let mut names = Names::default();
        let schema = self.schema;
        for (name, property) in object(schema, "properties") {
            let node = self.child(property, "properties", Some(name));
            names.of(name).node = Some(node);
        }
        for name in strings(schema.get("required")) {
            names.of(name).is_required = true;
        }
        for name in strings(schema.get(READ_ONLY_KEYWORD)) {
            names.of(name).is_read_only = true;
        }
        for (name, needed) in object(schema, "dependentRequired") {
            names.of(name).is_awaited = true;
            for name in strings(Some(needed)) {
                names.of(name).is_awaited = true;
            }
        }
        for (name, _) in object(schema, "dependentSchemas") {
            names.of(name).is_awaited = true;
        }
        let dependent_required = object(schema, "dependentRequired")
            .map(|(name, needed)| {
                let needed = strings(Some(needed)).map(|name| names.number(name));
                (names.number(name), needed.collect())
            })
            .collect();
        let patterns = object(schema, "patternProperties")
            .map(|(pattern, property)| {
                let node = self.child(property, "patternProperties", Some(pattern));
                (Pattern::new(pattern), node)
            })
            .collect();
        let additional = self.schema("additionalProperties");
        let property_names = self.schema("propertyNames");
        let rules = ObjectRules {
            min: count(schema, "minProperties").unwrap_or(0),
            max: count(schema, "maxProperties").unwrap_or(u64::MAX),
            required: u32::try_from(
                names
                    .properties
                    .iter()
                    .filter(|property| property.is_required)
                    .count(),
            )
            .expect("a schema has fewer names"),
            properties: names.properties.into(),
            names: NameTable::new(names.listed),
            patterns,
            additional: additional.unwrap_or(ANY),
            has_additional: additional.is_some(),
            property_names,
            dependent_required,
        };
        let has_rules = rules.min > 0
            || rules.max < u64::MAX
            || rules.names.len() > 0
            || !rules.patterns.is_empty()
            || rules.has_additional
            || rules.property_names.is_some();
        has_rules.then(|| Box::new(rules))
    }

    fn in_place(&mut self) -> Option<Box<InPlace>> {
        let schema = self.schema;
        let mut all: Vec<NodeId> = Vec::new();
        if let Some(target) = reference(schema) {
            let definitions = self.compiler.definitions;
            all.extend(
                definitions
                    .get(target)
                    .map(|schema| self.compiler.number(schema, target, String::new)),
            );
        }
        all.extend(self.list("allOf").unwrap_or_default());
        let test = self.schema("if");
        let mut found = InPlace {
            all: all.into(),
            any: self.list("anyOf"),
            one: self.list("oneOf"),
            not: self.schema("not"),
            condition: test.map(|test| Condition {
                test,
                then: self.schema("then"),
                otherwise: self.schema("else"),
            }),
            dependent: Box::default(),
            unevaluated_properties: self.schema("unevaluatedProperties"),
            unevaluated_items: self.schema("unevaluatedItems"),
            discriminator: discriminator(schema),
        };
        // The numbers of names are those that `object` gives.
        let names = Names::of_schema(schema);
        found.dependent = object(schema, "dependentSchemas")
            .map(|(name, dependent)| {
                let node = self.child(dependent, "dependentSchemas", Some(name));
                (names.number(name), node)
            })
            .collect();
        let is_empty = found.nodes().next().is_none()
            && found.any.is_none()
            && found.one.is_none()
            && found.unevaluated_properties.is_none()
            && found.unevaluated_items.is_none();
        (!is_empty).then(|| Box::new(found))
    }
}

fn discriminator(schema: &Map<String, Value>) -> Option<Discriminator> {
    let discriminator = schema.get(DISCRIMINATOR_KEYWORD)?.as_object()?;
    let branches = object(discriminator, "branches").filter_map(|(value, branch)| {
        let branch = u32::try_from(branch.as_u64()?).ok()?;
        Some((value.as_str().into(), branch))
    });
    Some(Discriminator {
        property: text(discriminator, "property")?.into(),
        branches: branches.collect(),
    })
}

fn strings(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// The names a schema mentions, in the order they are met.
#[derive(Default)]
struct Names {
    listed: Vec<String>,
    properties: Vec<Property>,
    numbers: HashMap<String, usize>,
}

impl Names {
    /// The names alone.
    fn of_schema(schema: &Map<String, Value>) -> Self {
        let mut names = Self::default();
        for (name, _) in object(schema, "properties") {
            names.of(name);
        }
        for keyword in ["required", READ_ONLY_KEYWORD] {
            for name in strings(schema.get(keyword)) {
                names.of(name);
            }
        }
        for (name, needed) in object(schema, "dependentRequired") {
            names.of(name);
            for name in strings(Some(needed)) {
                names.of(name);
            }
        }
        for (name, _) in object(schema, "dependentSchemas") {
            names.of(name);
        }
        names
    }

    fn of(&mut self, name: &str) -> &mut Property {
        let next = self.listed.len();
        let number = *self.numbers.entry(name.to_owned()).or_insert(next);
        if number == next {
            self.listed.push(name.to_owned());
            self.properties.push(Property {
                node: None,
                is_required: false,
                is_read_only: false,
                is_awaited: false,
            });
        }
        &mut self.properties[number]
    }

    fn number(&self, name: &str) -> u32 {
        let number = self.numbers.get(name).copied().unwrap_or_default();
        u32::try_from(number).expect("a schema has fewer names")
    }
}

/// The new number of each node: what applies in place comes before what applies it.
fn in_place_order(nodes: &[Node]) -> Result<Vec<NodeId>, String> {
    const NEW: NodeId = NodeId::MAX;
    const OPEN: NodeId = NodeId::MAX - 1;
    let targets: Vec<Vec<NodeId>> = nodes
        .iter()
        .map(|node| {
            node.in_place
                .iter()
                .flat_map(|in_place| in_place.nodes().collect::<Vec<_>>())
                .collect()
        })
        .collect();
    let mut order = vec![NEW; nodes.len()];
    let mut next = 0;
    for root in 0..nodes.len() {
        if order[root] != NEW {
            continue;
        }
        let mut stack = vec![(root, 0)];
        order[root] = OPEN;
        while let Some((node, edge)) = stack.last_mut() {
            let Some(target) = targets[*node].get(*edge).map(|target| *target as usize) else {
                order[*node] = next;
                next += 1;
                stack.pop();
                continue;
            };
            *edge += 1;
            match order[target] {
                NEW => {
                    order[target] = OPEN;
                    stack.push((target, 0));
                }
                OPEN => return Err("a schema applies itself in place".to_owned()),
                _ => {}
            }
        }
    }
    Ok(order)
}

fn renumbered(nodes: Vec<Node>, order: &[NodeId]) -> Vec<Node> {
    let mut numbered: Vec<(NodeId, Node)> = nodes
        .into_iter()
        .enumerate()
        .map(|(old, mut node)| {
            renumber(&mut node, order);
            node.id = order[old];
            (order[old], node)
        })
        .collect();
    numbered.sort_unstable_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, node)| node).collect()
}

fn renumber(node: &mut Node, order: &[NodeId]) {
    let new = |id: &mut NodeId| *id = order[*id as usize];
    if let Some(array) = &mut node.array {
        array.prefix.iter_mut().for_each(new);
        new(&mut array.items);
        if let Some(contains) = &mut array.contains {
            new(&mut contains.node);
        }
    }
    if let Some(object) = &mut node.object {
        let properties = object.properties.iter_mut();
        properties
            .filter_map(|property| property.node.as_mut())
            .for_each(new);
        object.patterns.iter_mut().for_each(|(_, node)| new(node));
        new(&mut object.additional);
        object.property_names.iter_mut().for_each(new);
    }
    if let Some(in_place) = &mut node.in_place {
        in_place.all.iter_mut().for_each(new);
        in_place.any.iter_mut().flatten().for_each(new);
        in_place.one.iter_mut().flatten().for_each(new);
        in_place.not.iter_mut().for_each(new);
        if let Some(condition) = &mut in_place.condition {
            new(&mut condition.test);
            condition.then.iter_mut().for_each(new);
            condition.otherwise.iter_mut().for_each(new);
        }
        in_place
            .dependent
            .iter_mut()
            .for_each(|(_, node)| new(node));
        in_place.unevaluated_properties.iter_mut().for_each(new);
        in_place.unevaluated_items.iter_mut().for_each(new);
    }
}
