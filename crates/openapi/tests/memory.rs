//! What judging takes in memory: no more than twice the body and 64 KiB, whatever the body is made of.
//!
//! What grows with the schema is what branches side by side take at each level: some forty bytes for each branch, so
//! that twenty branches that recurse fit at the default depth of 64.
//!
//! A binary of its own, because it counts all that is allocated.

#[path = "engine/wrapped.rs"]
mod wrapped;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use hauberk_openapi::{Policy, RequestHead};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::wrapped::Wrapped;

/// Counts what is allocated now, and the most that ever was.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; the counters change nothing of what it returns.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bodies of every kind of size, and schemas that ask much of them.
fn cases() -> Vec<(&'static str, Value, String)> {
    let list = |count: usize, item: &dyn Fn(usize) -> String| {
        let items: Vec<String> = (0..count).map(item).collect();
        format!("[{}]", items.join(","))
    };
    let mut names = "{".to_owned();
    for index in 0..100_000 {
        let comma = if index == 0 { "" } else { "," };
        write!(names, "{comma}\"key{index}\":1").expect("writing to a String cannot fail");
    }
    names.push('}');
    let branches: Vec<Value> = (0..20)
        .map(|index| json!({"properties": {"a": {"$ref": "#/$defs/n"}, "kind": {"const": index}}, "required": ["kind"]}))
        .collect();
    let deep = format!("{}1{}", "{\"kind\":1,\"a\":".repeat(60), "}".repeat(60));
    vec![
        ("brackets", json!({}), "[".repeat(1_000_000)),
        (
            "brackets in items",
            json!({"items": {"items": {"type": "array"}}}),
            "[".repeat(1_000_000),
        ),
        ("names", json!({}), names.clone()),
        (
            "names by schema",
            json!({"additionalProperties": {"type": "integer"}}),
            names.clone(),
        ),
        (
            "names refused",
            json!({"additionalProperties": {"type": "string"}}),
            names.clone(),
        ),
        (
            "names side by side",
            json!({"anyOf": [{"additionalProperties": {"type": "string"}}, {"minProperties": 3}]}),
            names.clone(),
        ),
        (
            "unevaluated names",
            json!({"anyOf": [{"patternProperties": {"^key": {}}}], "unevaluatedProperties": false}),
            names,
        ),
        (
            "unique numbers",
            json!({"uniqueItems": true}),
            list(100_000, &|index| index.to_string()),
        ),
        (
            "equal numbers",
            json!({"uniqueItems": true}),
            list(100_000, &|_| "1".to_owned()),
        ),
        (
            "unique objects",
            json!({"uniqueItems": true}),
            list(50_000, &|index| format!("{{\"a\":[{index}]}}")),
        ),
        (
            "escapes",
            json!({"type": "string", "minLength": 3, "pattern": "b$"}),
            format!("\"{}\"", "\\u0061".repeat(200_000)),
        ),
        (
            "deep objects",
            json!({"$ref": "#/$defs/n", "$defs": {"n": {"anyOf": branches}}}),
            deep,
        ),
        (
            "contained",
            json!({"contains": {"type": "integer"}, "unevaluatedItems": false}),
            list(100_000, &|index| (index * 7).to_string()),
        ),
        (
            "many faults",
            json!({"items": {"type": "string"}}),
            list(100_000, &|index| index.to_string()),
        ),
    ]
}

#[test]
fn judging_takes_little_memory() {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let head = RequestHead {
        path_variables: &[],
        query: None,
        headers: &headers,
        has_body: true,
    };
    let policy = Policy {
        max_depth: Policy::DEEPEST,
        max_members: 1_000_000,
        ..Policy::default()
    };
    for (name, schema, text) in cases() {
        let wrapped =
            Wrapped::new(&schema).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        let operation = wrapped.operation();
        // Compiles what is compiled on first use, and fills the caches of regular expressions.
        let _ = operation.violations(&head, b"{\"key1\":\"b\"}", &policy);
        let plan = operation
            .validate_head(&head, &policy)
            .expect("the head conforms");
        let before = NOW.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        let first = operation.validate_body(&plan, text.as_bytes(), &policy);
        let all = operation.violations(&head, text.as_bytes(), &policy);
        let taken = MOST.load(Ordering::Relaxed) - before;
        eprintln!(
            "{name}: {taken} bytes for {} ({:?}, {} in all)",
            text.len(),
            first.is_ok(),
            all.len()
        );
        assert!(
            taken <= 2 * text.len() + 65_536,
            "{name}: {taken} bytes for {}",
            text.len()
        );
    }
}
