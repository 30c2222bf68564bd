//! A valid request conforms; changed in one way, it fails for that.

use hauberk_openapi::{Document, Policy};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::request::{Request, document, judge, short};

fn orders() -> Document {
    document(
        r"
openapi: 3.1.0
info: {title: Orders, version: '1'}
paths:
  /orders/{id}:
    post:
      parameters:
      - {name: id, in: path, required: true, schema: {type: integer, minimum: 1, maximum: 1000}}
      - {name: state, in: query, explode: false, required: true, schema: {type: array, minItems: 1, items: {enum: [open, paid, sent]}}}
      - {name: page, in: query, style: deepObject, schema: {type: object, additionalProperties: false, properties: {size: {type: integer}, token: {type: string, minLength: 2}}}}
      - {name: X-Trace, in: header, required: true, schema: {type: string, format: uuid}}
      - {name: beta, in: cookie, schema: {type: boolean}}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [name, lines]
              properties:
                name: {type: string, minLength: 1, maxLength: 20}
                lines: {type: array, maxItems: 5, items: {type: object, required: [count], properties: {count: {type: integer, exclusiveMinimum: 0}, price: {type: number, multipleOf: 0.01}}}}
                paid: {type: [boolean, 'null']}
",
    )
    .document
}

/// A request in pieces.
#[derive(Clone, Debug)]
struct Order {
    id: String,
    query: Vec<String>,
    trace: String,
    cookie: String,
    body: Value,
}

fn order() -> impl Strategy<Value = Order> {
    let states = prop::collection::vec(prop::sample::select(vec!["open", "paid", "sent"]), 1..4);
    let line = (1_u32..100, 0_u32..10_000)
        .prop_map(|(count, cents)| json!({"count": count, "price": f64::from(cents) / 100.0}));
    let body = (
        "[a-zé\"\\\\]{1,20}",
        prop::collection::vec(line, 1..5),
        any::<Option<bool>>(),
    )
        .prop_map(|(name, lines, paid)| json!({"name": name, "lines": lines, "paid": paid}));
    (1_u32..=1000, states, any::<i32>(), any::<bool>(), body).prop_map(
        |(id, states, size, beta, body)| Order {
            id: id.to_string(),
            query: vec![
                format!("state={}", states.join(",")),
                format!("page[size]={size}"),
                "page[token]=ab".to_owned(),
            ],
            trace: "123e4567-e89b-12d3-a456-426614174000".to_owned(),
            cookie: format!("a=b; beta={beta}"),
            body,
        },
    )
}

type Mutation = (fn(&mut Order), &'static str);

const MUTATIONS: &[Mutation] = &[
    (
        |order| order.id.insert(0, '0'),
        "path id invalid_type expected:integer",
    ),
    (
        |order| order.id = String::from("1001"),
        "path id constraint_violation number_too_big",
    ),
    (
        |order| order.id = String::from("0"),
        "path id constraint_violation number_too_small",
    ),
    (
        |order| order.query[0].push_str(",lost"),
        "query state constraint_violation invalid_enum_variant",
    ),
    (
        |order| order.query[0] = String::from("state="),
        "query state constraint_violation invalid_array_item_count",
    ),
    (
        |order| drop(order.query.remove(0)),
        "query state missing_required",
    ),
    (
        |order| order.query.push("state=open".to_owned()),
        "query state duplicate_value",
    ),
    (
        |order| order.query[1].push('x'),
        "query page invalid_type expected:integer",
    ),
    (
        |order| order.query[2].truncate(13),
        "query page constraint_violation string_length_not_in_range",
    ),
    (
        |order| order.query.push("page[sort]=up".to_owned()),
        "query page constraint_violation forbidden_value",
    ),
    (
        |order| order.query.push("debug=1".to_owned()),
        "query debug constraint_violation forbidden_value",
    ),
    (
        |order| order.query[2].push_str("%ff"),
        "query page invalid_encoding invalid_utf8",
    ),
    (
        |order| order.trace.truncate(20),
        "header X-Trace constraint_violation format_violation:uuid",
    ),
    (
        |order| order.cookie.push('e'),
        "cookie beta invalid_type expected:boolean",
    ),
    (
        |order| order.cookie.push_str("; beta=true"),
        "cookie beta duplicate_value",
    ),
    (
        |order| order.body["name"] = json!(""),
        "body $.name constraint_violation string_length_not_in_range",
    ),
    (
        |order| order.body["name"] = json!(1),
        "body $.name invalid_type expected:string",
    ),
    (
        |order| order.body["admin"] = json!(true),
        "body $.admin constraint_violation forbidden_value",
    ),
    (
        |order| order.body["lines"][0]["count"] = json!(0),
        "body $.lines[0].count constraint_violation number_too_small",
    ),
    (
        |order| order.body["lines"][0]["price"] = json!(0.001),
        "body $.lines[0].price constraint_violation multiple_of",
    ),
    (
        |order| order.body["lines"] = json!([{}]),
        "body $.lines[0] constraint_violation missing_required_property",
    ),
    (
        |order| order.body["paid"] = json!("no"),
        "body $.paid invalid_type expected:boolean",
    ),
    (
        |order| order.body = json!([]),
        "body $ invalid_type expected:object",
    ),
];

fn check(document: &Document, order: &Order) -> String {
    let path = format!("/orders/{}", order.id);
    let query = order.query.join("&");
    let body = order.body.to_string();
    let request = Request {
        path: &path,
        query: Some(&query),
        ..Request::json(body.as_bytes())
    }
    .header("x-trace", order.trace.as_bytes())
    .header("cookie", order.cookie.as_bytes());
    short(judge(document, "POST", &request, &Policy::default()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_request_fails_for_the_change(order in order(), which in any::<prop::sample::Index>()) {
        let document = orders();
        prop_assert_eq!(check(&document, &order), "ok");
        let (mutate, wanted) = MUTATIONS[which.index(MUTATIONS.len())];
        let mut changed = order;
        mutate(&mut changed);
        prop_assert_eq!(check(&document, &changed), wanted);
    }
}
