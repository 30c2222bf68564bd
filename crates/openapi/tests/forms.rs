//! URL-encoded forms with nested fields, and those of a document that has many.

use hauberk_openapi::{Limits, Policy, load};
use serde_json::json;

use crate::data;
use crate::request::{Request, judge, judge_by, one, short};

#[test]
fn fields_are_written_as_their_encodings_say() {
    let schema = json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "ids": {"type": "array", "maxItems": 2, "items": {"type": "integer"}},
            "bars": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
            "owner": {"type": "object", "required": ["id"], "properties": {
                "id": {"type": "integer"}, "tags": {"type": "array", "items": {"enum": ["x"]}}}},
            "data": {"type": "object", "properties": {"a": {"type": "integer"}}},
            "loose": {"type": "array", "items": {"type": "string", "maxLength": 1}},
            "unset": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string", "enum": [""]}]},
        },
    });
    let encoding = json!({
        "ids": {"explode": false}, "bars": {"style": "pipeDelimited", "explode": false},
        "owner": {"style": "deepObject", "explode": true}, "data": {"contentType": "application/json"},
    });
    let media =
        json!({"application/x-www-form-urlencoded": {"schema": schema, "encoding": encoding}});
    let document = one("3.0.3", &json!({"requestBody": {"content": media}}));
    for (text, wanted) in [
        ("ids=1,2", "ok"),
        ("ids=1%2C2", "ok"),
        (
            "ids=1%2C2%2C3",
            "body $.ids constraint_violation invalid_array_item_count",
        ),
        ("data[]=1", "body $.data invalid_type expected:object"),
        (
            "ids=1,2,3",
            "body $.ids constraint_violation invalid_array_item_count",
        ),
        ("ids=1&ids=2", "body $.ids duplicate_value"),
        ("ids=1,x", "body $.ids[1] invalid_type expected:integer"),
        ("bars=a%7Cb", "ok"),
        (
            "bars=a|b|c",
            "body $.bars constraint_violation invalid_array_item_count",
        ),
        ("owner[id]=1&owner[tags][]=x", "ok"),
        (
            "owner[id]=1&owner[tags][0]=y",
            "body $.owner.tags[0] constraint_violation invalid_enum_variant",
        ),
        (
            "owner[tags][]=x",
            "body $.owner constraint_violation missing_required_property",
        ),
        ("owner[id]=1&owner[id]=2", "body $.owner duplicate_value"),
        (
            "owner[id=1",
            "body $.owner invalid_syntax invalid_form_urlencoded",
        ),
        ("owner=1", "body $.owner invalid_type expected:object"),
        ("data=%7B%22a%22:1%7D", "ok"),
        (
            "data=%7B%22a%22:%22x%22%7D",
            "body $.data.a invalid_type expected:integer",
        ),
        (
            "data=%7B%22a%22:1%7D,%22admin%22:1",
            "body $.data invalid_type expected:object",
        ),
        ("loose=a&loose=b", "ok"),
        ("loose[]=a&loose[]=b", "ok"),
        (
            "loose[]=ab",
            "body $.loose[0] constraint_violation string_length_not_in_range",
        ),
        ("unset=", "ok"),
        ("unset[]=a", "ok"),
        ("unset=a", "ok"),
        (
            "other[a]=1",
            "body $[\"other[a]\"] constraint_violation forbidden_value",
        ),
    ] {
        let result = judge(
            &document,
            "POST",
            &Request::form(text.as_bytes()),
            &Policy::default(),
        );
        assert_eq!(short(result), wanted, "{text}");
    }
}

#[test]
fn the_nested_forms_of_a_real_document_are_judged() {
    let Some(folder) = data::folder() else { return };
    let source = data::read(&folder.join("openapi/stripe.com.json.zst"));
    let loaded = load(&source, &Limits::default()).expect("the document loads");
    let unchecked = loaded.warnings.iter().filter(|warning| warning.code == 28);
    assert_eq!(unchecked.count(), 0, "every form is judged");
    let customers = loaded
        .document
        .find("POST", "/v1/customers")
        .expect("the operation");
    for (text, wanted) in [
        ("", "ok"),
        (
            "email=a%40example.com&metadata[order]=1&expand[]=tax&balance=-5",
            "ok",
        ),
        (
            "address[city]=Paris&address[line1]=1+Rue&shipping[name]=A&shipping[address][city]=Paris",
            "ok",
        ),
        ("address=", "ok"),
        ("address=x", "body $.address constraint_violation any_of"),
        (
            "balance=much",
            "body $.balance invalid_type expected:integer",
        ),
        (
            "admin=1",
            "body $.admin constraint_violation forbidden_value",
        ),
        (
            "tax_id_data[0][type]=eu_vat&tax_id_data[0][value]=DE1",
            "ok",
        ),
        (
            "tax_id_data[0][type]=moon&tax_id_data[0][value]=1",
            "body $.tax_id_data[0].type constraint_violation invalid_enum_variant",
        ),
        (
            "tax_id_data[0][value]=1",
            "body $.tax_id_data[0] constraint_violation missing_required_property",
        ),
        (
            "cash_balance[settings][reconciliation_mode]=never",
            "body $.cash_balance.settings.reconciliation_mode constraint_violation invalid_enum_variant",
        ),
    ] {
        let result = judge_by(
            customers,
            &[],
            &Request::form(text.as_bytes()),
            &Policy::default(),
        );
        assert_eq!(short(result), wanted, "{text}");
    }
    let charges = loaded
        .document
        .find("GET", "/v1/charges")
        .expect("the operation");
    for (query, wanted) in [
        ("created=1700000000&limit=3&expand[]=data.customer", "ok"),
        ("created[gte]=1700000000&created[lt]=1800000000", "ok"),
        (
            "created[gte]=today",
            "query created constraint_violation any_of",
        ),
        ("expand=data", "query expand invalid_type expected:array"),
        (
            "made[gte]=1",
            "query made[gte] constraint_violation forbidden_value",
        ),
    ] {
        let result = judge_by(charges, &[], &Request::query(query), &Policy::default());
        assert_eq!(short(result), wanted, "{query}");
    }
}

/// Many readers take `age[]=x` for another value of `age`.
#[test]
fn a_name_with_brackets_is_no_way_around_the_name() {
    let schema = json!({"type": "object", "properties": {
        "age": {"type": "integer"}, "name": {"type": "string", "maxLength": 3}, "any": {}, "x[]": {"type": "integer"},
        "place": {"type": "object", "properties": {"city": {"type": "string"}}},
    }});
    let media = json!({"application/x-www-form-urlencoded": {"schema": schema}});
    let document = one("3.0.3", &json!({"requestBody": {"content": media}}));
    for (text, wanted) in [
        ("age=5&other[]=x&[age]=x", "ok"),
        ("any[a][]=1&any[a][]=2", "ok"),
        ("place[]=x", "body $.place invalid_type expected:object"),
        ("x[]=1", "ok"),
        ("place[city]=x", "ok"),
        ("age[]=x", "body $.age invalid_type expected:integer"),
        ("age[0]=5", "body $.age invalid_type expected:integer"),
        (
            "age=5&age[]=x",
            "body $.age invalid_syntax invalid_form_urlencoded",
        ),
        (
            "name[first]=long",
            "body $.name invalid_type expected:string",
        ),
        (
            "place[]=x&place[city]=x",
            "body $.place invalid_syntax invalid_form_urlencoded",
        ),
    ] {
        let result = judge(
            &document,
            "POST",
            &Request::form(text.as_bytes()),
            &Policy::default(),
        );
        assert_eq!(short(result), wanted, "{text}");
    }
}
