//! Styles of parameters: the collected vectors, and tables of what they leave out.

use hauberk_openapi::{Document, Policy};
use serde_json::{Value, json};

use crate::data;
use crate::request::{Request, document, judge_by, short};

/// Vectors that we answer otherwise, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "integer empty",
        "an empty text is no integer; `allowEmptyValue` would say so",
    ),
    ("number empty", "an empty text is no number"),
    ("boolean empty", "an empty text is no boolean"),
    (
        "oneofSchema string",
        "the vector's reader decodes and does not check: `abcd` is neither boolean nor integer",
    ),
];

/// A document with one operation, `GET`, and one parameter.
fn with(path: &str, parameter: &Value) -> Document {
    let source = json!({
        "openapi": "3.0.3", "info": {"title": "t", "version": "1"},
        "paths": {path: {"get": {"parameters": [parameter]}}},
    });
    document(&source.to_string()).document
}

#[test]
fn the_collected_vectors_are_answered_as_collected_but_for_a_list() {
    let Some(folder) = data::folder() else { return };
    let lines = data::lines(&folder.join("suites/openapi-parameter-styles.ndjson.zst"));
    assert_eq!(lines.len(), 147);
    let policy = Policy {
        undeclared_query: false,
        ..Policy::default()
    };
    let mut different = Vec::new();
    for line in &lines {
        let text = |key: &str| line[key].as_str();
        let (location, name) = (text("in").expect("in"), text("param").expect("param"));
        let mut parameter = json!({"name": name, "in": location, "required": location == "path"});
        for key in ["style", "explode", "required", "schema", "content"] {
            if !line[key].is_null() {
                parameter[key] = line[key].clone();
            }
        }
        let path = if location == "path" {
            format!("/t/{{{name}}}")
        } else {
            "/t".to_owned()
        };
        let loaded = with(&path, &parameter);
        let operation = loaded.find("GET", &path).expect("the operation");
        let cookie = text("cookie_value").map(|value| format!("{name}={value}"));
        let mut request = Request {
            path: "/t",
            query: text("query"),
            ..Request::default()
        };
        if let Some(value) = text("header_value") {
            request = request.header(name, value.as_bytes());
        }
        if let Some(cookie) = &cookie {
            request = request.header("cookie", cookie.as_bytes());
        }
        let variables: Vec<&str> = text("path_segment").into_iter().collect();
        let result = judge_by(operation, &variables, &request, &policy);
        if result.is_ok() != (text("expect") == Some("ok")) {
            let group = text("group").unwrap_or_default();
            let name = text("name").unwrap_or_default();
            eprintln!("{group}, {name}: {}", short(result));
            different.push(name.to_owned());
        }
    }
    let known: Vec<&str> = DIFFERENCES.iter().map(|(name, _)| *name).collect();
    assert_eq!(different, known);
}

fn answer(parameter: &Value, text: &str) -> String {
    let location = parameter["in"].as_str().expect("in");
    let path = if location == "path" { "/t/{a}" } else { "/t" };
    let loaded = with(path, parameter);
    let operation = loaded.find("GET", path).expect("the operation");
    let mut request = Request::default();
    let mut variables = Vec::new();
    match location {
        "path" => variables.push(text),
        "query" => request.query = Some(text),
        "header" => request = request.header("a", text.as_bytes()),
        _ => request = request.header("cookie", text.as_bytes()),
    }
    short(judge_by(
        operation,
        &variables,
        &request,
        &Policy::default(),
    ))
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn every_style_is_taken_apart_before_it_is_decoded() {
    let strings =
        json!({"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 3}});
    let point = json!({
        "type": "object", "additionalProperties": false, "required": ["x"],
        "properties": {"x": {"type": "integer", "maximum": 9}, "y": {"type": "string"}},
    });
    let long = "constraint_violation string_length_not_in_range";
    let many = "constraint_violation invalid_array_item_count";
    for (location, style, explode, schema, text, wanted) in [
        ("path", "simple", false, &strings, "a,b", "ok"),
        ("path", "simple", false, &strings, "a%2Cb,c", "ok"),
        (
            "path",
            "simple",
            false,
            &strings,
            "a%2Cbc",
            &format!("path a {long}"),
        ),
        (
            "path",
            "simple",
            false,
            &strings,
            "a,b,c",
            &format!("path a {many}"),
        ),
        ("path", "label", true, &strings, ".a.b", "ok"),
        (
            "path",
            "label",
            true,
            &strings,
            "a.b",
            "path a invalid_syntax",
        ),
        ("path", "label", false, &strings, ".a,b", "ok"),
        ("path", "matrix", true, &strings, ";a=1;a=2", "ok"),
        (
            "path",
            "matrix",
            true,
            &strings,
            ";a=1;b=2",
            "path a invalid_syntax",
        ),
        ("path", "matrix", false, &strings, ";a=1,2", "ok"),
        ("path", "simple", false, &point, "x,1,y,b", "ok"),
        (
            "path",
            "simple",
            false,
            &point,
            "x,1,y",
            "path a invalid_syntax",
        ),
        (
            "path",
            "simple",
            false,
            &point,
            "x,1,x,2",
            "path a duplicate_value",
        ),
        ("path", "simple", true, &point, "x=1,y=b", "ok"),
        (
            "path",
            "simple",
            true,
            &point,
            "x=10",
            "path a constraint_violation number_too_big",
        ),
        (
            "path",
            "simple",
            true,
            &point,
            "x=1,z=2",
            "path a constraint_violation forbidden_value",
        ),
        ("path", "label", true, &point, ".x=1.y=b", "ok"),
        ("path", "matrix", true, &point, ";x=1;y", "ok"),
        ("path", "matrix", false, &point, ";a=x,1", "ok"),
        ("query", "form", true, &strings, "a=x&a=y", "ok"),
        ("query", "form", false, &strings, "a=x,y", "ok"),
        ("query", "form", false, &strings, "a=x%2Cy", "ok"),
        (
            "query",
            "form",
            false,
            &strings,
            "a=xy%2Cz",
            &format!("query a {long}"),
        ),
        ("query", "form", false, &strings, "a=", "ok"),
        ("query", "spaceDelimited", false, &strings, "a=x%20y", "ok"),
        (
            "query",
            "spaceDelimited",
            false,
            &strings,
            "a=x+y+z",
            &format!("query a {many}"),
        ),
        ("query", "pipeDelimited", false, &strings, "a=x|y", "ok"),
        (
            "query",
            "pipeDelimited",
            false,
            &strings,
            "a=x%7Cy%7Cz",
            &format!("query a {many}"),
        ),
        ("query", "pipeDelimited", false, &point, "a=x|1|y|b", "ok"),
        ("query", "form", false, &point, "a=x,1,y,b", "ok"),
        ("query", "form", true, &point, "x=1&y=b", "ok"),
        (
            "query",
            "form",
            true,
            &point,
            "y=b",
            "query a constraint_violation missing_required_property",
        ),
        (
            "query",
            "form",
            true,
            &point,
            "x=1&x=2",
            "query a duplicate_value",
        ),
        (
            "query",
            "form",
            true,
            &point,
            "x=1&z=2",
            "query z constraint_violation forbidden_value",
        ),
        ("query", "form", true, &point, "", "ok"),
        ("query", "deepObject", true, &point, "a[x]=1&a[y]=b", "ok"),
        ("query", "deepObject", true, &point, "a%5Bx%5D=1", "ok"),
        (
            "query",
            "deepObject",
            true,
            &point,
            "a[x]=q",
            "query a invalid_type expected:integer",
        ),
        (
            "query",
            "deepObject",
            true,
            &point,
            "a[x]=1&a[x]=2",
            "query a duplicate_value",
        ),
        (
            "query",
            "deepObject",
            true,
            &point,
            "a[x]=1&a[x][y]=2",
            "query a invalid_syntax invalid_form_urlencoded",
        ),
        (
            "query",
            "deepObject",
            true,
            &point,
            "a[x=1",
            "query a invalid_syntax invalid_form_urlencoded",
        ),
        (
            "query",
            "deepObject",
            true,
            &point,
            "a[x]=1&a=2",
            "query a invalid_syntax invalid_form_urlencoded",
        ),
        ("query", "deepObject", true, &strings, "a[]=x&a[]=y", "ok"),
        ("query", "deepObject", true, &strings, "a[1]=x&a[0]=y", "ok"),
        (
            "query",
            "deepObject",
            true,
            &strings,
            "a[0]=x&a[1]=y&a[2]=z",
            &format!("query a {many}"),
        ),
        (
            "query",
            "deepObject",
            true,
            &strings,
            "a[0]=long",
            &format!("query a {long}"),
        ),
        ("header", "simple", false, &strings, "x, y", "ok"),
        ("header", "simple", false, &point, "x,1", "ok"),
        ("header", "simple", true, &point, "x=1, y=2", "ok"),
        (
            "header",
            "simple",
            true,
            &point,
            "x",
            "header a invalid_syntax",
        ),
        ("cookie", "form", false, &strings, "a=x,y", "ok"),
        ("cookie", "form", true, &strings, "a=x; a=y", "ok"),
        ("cookie", "form", false, &point, "a=x,1,y,b", "ok"),
        ("cookie", "form", true, &point, "x=1; y=b; other=2", "ok"),
        (
            "cookie",
            "form",
            true,
            &point,
            "x=b",
            "cookie a invalid_type expected:integer",
        ),
    ] {
        let parameter = json!({
            "name": "a", "in": location, "style": style, "explode": explode, "required": location == "path", "schema": schema,
        });
        assert_eq!(
            answer(&parameter, text),
            wanted,
            "{location} {style} {explode} {text}"
        );
    }
}

#[test]
fn nested_values_are_judged_by_their_own_schemas() {
    let filter = json!({"name": "f", "in": "query", "style": "deepObject", "schema": {
        "type": "object", "additionalProperties": false,
        "properties": {
            "a": {"type": "object", "properties": {"b": {"type": "integer"}}},
            "tags": {"type": "array", "items": {"enum": ["x", "y"]}},
            "rows": {"type": "array", "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}},
            "time": {"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"gte": {"type": "integer"}}}]},
            "either": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "string"}}]},
            "self": {"$ref": "#/paths/~1t/get/parameters/0/schema"},
        },
    }});
    let deep = format!("f{}=1", "[self]".repeat(17));
    for (query, wanted) in [
        ("f[a][b]=1", "ok"),
        ("f[a][b]=x", "query f invalid_type expected:integer"),
        ("f[tags][]=x&f[tags][]=y", "ok"),
        ("f[tags][0]=x", "ok"),
        (
            "f[tags][]=z",
            "query f constraint_violation invalid_enum_variant",
        ),
        ("f[tags]=x", "query f invalid_type expected:array"),
        ("f[tags][00]=x", "query f invalid_type expected:array"),
        ("f[rows][0][id]=1&f[rows][1][id]=2", "ok"),
        (
            "f[rows][0][name]=1",
            "query f constraint_violation missing_required_property",
        ),
        (
            "f[rows][][id]=1&f[rows][][id]=2",
            "query f invalid_syntax invalid_form_urlencoded",
        ),
        ("f[time]=7", "ok"),
        ("f[time][gte]=7", "ok"),
        ("f[time][gte]=q", "query f constraint_violation any_of"),
        ("f[either][]=1&f[either][]=x", "ok"),
        ("f[other]=1", "query f constraint_violation forbidden_value"),
        (
            "f[self][self][a][b]=q",
            "query f invalid_type expected:integer",
        ),
        (&deep, "query f constraint_violation value_too_deep"),
    ] {
        assert_eq!(answer(&filter, query), wanted, "{query}");
    }
}

#[test]
fn content_and_choices_in_parameters_are_judged() {
    let json = json!({"name": "a", "in": "query", "content": {"application/json": {"schema": {
        "type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}}}});
    let text = json!({"name": "a", "in": "header", "content": {"text/plain": {"schema": {"type": "string", "maxLength": 2}}}});
    let list = json!({"name": "a", "in": "query", "schema": {"oneOf": [
        {"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]}});
    let open = json!({"name": "a", "in": "query", "schema": {"type": "object", "additionalProperties": {"type": "integer"}}});
    let exact = json!({"name": "a", "in": "query", "schema": {"type": "integer", "maximum": 12_345_678_901_234_567_u64}});
    let required = json!({"name": "a", "in": "query", "required": true, "schema": {"type": "object", "properties": {"x": {}}}});
    for (parameter, given, wanted) in [
        (&json, "a=%7B%22n%22:1%7D", "ok"),
        (
            &json,
            "a=%7B%22n%22:%22x%22%7D",
            "query a invalid_type expected:integer",
        ),
        (&json, "a=%7B", "query a invalid_syntax invalid_json"),
        (&json, "a={}&a={}", "query a duplicate_value"),
        (&text, "ab", "ok"),
        (
            &text,
            "abc",
            "header a constraint_violation string_length_not_in_range",
        ),
        (&list, "a=1", "ok"),
        (&list, "a=1&a=2", "ok"),
        (&list, "a=x", "query a constraint_violation one_of"),
        (&open, "x=1&y=2", "ok"),
        (&open, "x=1&y=q", "query a invalid_type expected:integer"),
        (&exact, "a=12345678901234567", "ok"),
        (
            &exact,
            "a=12345678901234568",
            "query a constraint_violation number_too_big",
        ),
        // Nothing is how an empty object is written.
        (&required, "", "ok"),
    ] {
        assert_eq!(answer(parameter, given), wanted, "{given}");
    }
}
