//! A bound on what judging one value costs, whatever the schema.
//!
//! Schemas can make the engine look at one value again and again: a recursive `oneOf` whose branches hold the same
//! member doubles the errors gathered with every level, so that a few hundred bytes would take a thread for good. The
//! engine has no limit of its own, but it lets callers choose how JSON is represented. Here every look at the value, be it
//! its type, a member, an item or its text, is a step that is counted, and when the steps are used up the evaluation is
//! ended where it is by unwinding. No panic hook runs, and what the engine has compiled never changes while it
//! evaluates, so nothing is left half done.

use std::any::Any;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, NodeIdentity, Object, SerdeJson, cmp};
use serde_json::{Map, Number, Value};

use super::format;

#[cfg(not(panic = "unwind"))]
compile_error!("judging ends by unwinding when it has taken too many steps");

/// Text of this length costs one step more.
const STEP_BYTES: usize = 32;

/// Steps that are left.
pub(crate) struct Meter {
    left: Cell<u64>,
}

/// What unwinds when there are none left.
struct Exhausted;

impl Meter {
    /// Run `evaluate` with at most `steps`; its result and how many were taken, or `None` if they were not enough.
    pub(crate) fn run<T>(steps: u64, evaluate: impl FnOnce(&Self) -> T) -> Option<(T, u64)> {
        let meter = Self {
            left: Cell::new(steps),
        };
        match catch_unwind(AssertUnwindSafe(|| evaluate(&meter))) {
            Ok(result) => Some((result, steps - meter.left.get())),
            Err(payload) => exhausted(payload),
        }
    }

    /// Take steps.
    pub(crate) fn charge(&self, steps: u64) {
        match self.left.get().checked_sub(steps) {
            Some(left) => self.left.set(left),
            None => exhaust(),
        }
    }

    fn charge_text(&self, text: &str) {
        self.charge(1 + (text.len() / STEP_BYTES) as u64);
    }
}

#[cold]
fn exhaust() -> ! {
    resume_unwind(Box::new(Exhausted))
}

#[cold]
fn exhausted<T>(payload: Box<dyn Any + Send>) -> Option<T> {
    if payload.is::<Exhausted>() {
        None
    } else {
        resume_unwind(payload)
    }
}

/// The representation: `serde_json`'s values, each look at them counted.
pub(crate) struct Metered;

/// A value that is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    /// `None` for the name of a member, which is no value of its own: the member has been counted.
    meter: Option<&'a Meter>,
}

impl<'a> Node<'a> {
    pub(crate) fn new(value: &'a Value, meter: &'a Meter) -> Self {
        Self {
            value,
            meter: Some(meter),
        }
    }

    /// The value, for keywords of our own.
    pub(crate) fn value(self) -> &'a Value {
        self.step();
        self.value
    }

    pub(crate) fn charge(self, steps: u64) {
        if let Some(meter) = self.meter {
            meter.charge(steps);
        }
    }

    fn step(self) {
        self.charge(1);
    }

    fn charge_text(self, text: &str) {
        if let Some(meter) = self.meter {
            meter.charge_text(text);
        }
    }
}

impl Json for Metered {
    type Node<'a> = Node<'a>;
    type PreparedKey = String;
    type StringBuffer = Value;

    const KEYS_PER_LOOKUP: usize = SerdeJson::KEYS_PER_LOOKUP;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(
        buffer: &mut Value,
        string: &str,
        evaluate: impl FnOnce(Node<'_>) -> T,
    ) -> T {
        SerdeJson::with_string_node(buffer, string, |value| {
            evaluate(Node { value, meter: None })
        })
    }
}

impl<'a> jsonschema::json::Node<'a, Metered> for Node<'a> {
    type Object = Members<'a>;
    type Array = Items<'a>;
    type Number = &'a Number;

    fn as_object(&self) -> Option<Members<'a>> {
        self.step();
        self.value.as_object().map(|members| Members {
            members,
            meter: self.meter,
        })
    }

    fn as_array(&self) -> Option<Items<'a>> {
        self.step();
        self.value.as_array().map(|items| Items {
            items,
            meter: self.meter,
        })
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        if let Value::String(text) = self.value {
            self.charge_text(text);
            Some(Cow::Borrowed(text))
        } else {
            self.step();
            None
        }
    }

    fn as_number(&self) -> Option<&'a Number> {
        self.step();
        self.value.as_number()
    }

    fn as_boolean(&self) -> Option<bool> {
        self.step();
        self.value.as_bool()
    }

    fn is_null(&self) -> bool {
        self.step();
        self.value.is_null()
    }

    fn json_type(&self) -> JsonType {
        self.step();
        self.value.json_type()
    }

    fn string_length(&self) -> Option<u64> {
        if let Value::String(text) = self.value {
            self.charge_text(text);
        }
        self.value.string_length()
    }

    fn equals_value(&self, expected: &Value) -> bool {
        self.step();
        cmp::equal(self.value, expected)
    }

    fn to_value(&self) -> Cow<'a, Value> {
        self.step();
        Cow::Borrowed(self.value)
    }

    fn identity(&self) -> Option<NodeIdentity> {
        self.step();
        self.value.identity()
    }
}

/// An object that is looked at.
pub(crate) struct Members<'a> {
    members: &'a Map<String, Value>,
    meter: Option<&'a Meter>,
}

impl<'a> Object<'a, Metered> for Members<'a> {
    type Node = Node<'a>;
    type MemberName = &'a str;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        self.members.len()
    }

    fn get(&self, key: &String) -> Option<Node<'a>> {
        if let Some(meter) = self.meter {
            meter.charge(1);
        }
        self.members.get(key).map(|value| Node {
            value,
            meter: self.meter,
        })
    }

    fn members(&self) -> MembersIter<'a> {
        MembersIter {
            members: self.members.iter(),
            meter: self.meter,
        }
    }
}

pub(crate) struct MembersIter<'a> {
    members: serde_json::map::Iter<'a>,
    meter: Option<&'a Meter>,
}

impl<'a> Iterator for MembersIter<'a> {
    type Item = (&'a str, Node<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.members.next()?;
        let meter = self.meter;
        if let Some(meter) = meter {
            meter.charge_text(name);
        }
        Some((name, Node { value, meter }))
    }
}

/// An array that is looked at.
pub(crate) struct Items<'a> {
    items: &'a [Value],
    meter: Option<&'a Meter>,
}

impl<'a> Array<'a, Metered> for Items<'a> {
    type Node = Node<'a>;
    type ElementsIter = ItemsIter<'a>;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn elements(&self) -> ItemsIter<'a> {
        ItemsIter {
            items: self.items.iter(),
            meter: self.meter,
        }
    }

    /// The engine's own way compares all items of equal hashes, and clients can choose items that have them.
    fn is_unique(&self) -> bool {
        let state = RandomState::new();
        let mut seen = HashSet::with_capacity(self.items.len());
        // Items that differ share a digest by chance only, about once in 2^64 pairs: nobody knows its key.
        self.items
            .iter()
            .all(|item| seen.insert(digest(item, &state, self.meter)))
    }
}

/// A hash that is the same for values that are equal in JSON Schema, where 1 and 1.0 are.
fn digest(value: &Value, state: &RandomState, meter: Option<&Meter>) -> u64 {
    if let Some(meter) = meter {
        meter.charge(2);
    }
    match value {
        Value::Null => state.hash_one(0_u8),
        Value::Bool(truth) => state.hash_one((1_u8, truth)),
        Value::Number(number) => match format::whole(number) {
            Some(whole) => state.hash_one((2_u8, whole)),
            None => state.hash_one((3_u8, number.as_f64().map(f64::to_bits))),
        },
        Value::String(text) => {
            if let Some(meter) = meter {
                meter.charge_text(text);
            }
            state.hash_one((4_u8, text))
        }
        Value::Array(items) => {
            let digests: Vec<u64> = items
                .iter()
                .map(|item| digest(item, state, meter))
                .collect();
            state.hash_one((5_u8, digests))
        }
        Value::Object(members) => {
            // In no order.
            let sum = members.iter().fold(0_u64, |sum, (name, member)| {
                sum.wrapping_add(state.hash_one((name, digest(member, state, meter))))
            });
            state.hash_one((6_u8, members.len(), sum))
        }
    }
}

pub(crate) struct ItemsIter<'a> {
    items: std::slice::Iter<'a, Value>,
    meter: Option<&'a Meter>,
}

impl<'a> Iterator for ItemsIter<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        let value = self.items.next()?;
        let meter = self.meter;
        if let Some(meter) = meter {
            meter.charge(1);
        }
        Some(Node { value, meter })
    }
}
