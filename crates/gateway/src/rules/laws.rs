//! What holds for every expression, tried on many.

use proptest::prelude::*;

use super::tests::Request;
use super::*;

/// Any expression the language can say, of moderate size.
fn expression() -> impl Strategy<Value = String> {
    let literal = prop_oneof![
        "[a-cA-C]{0,2}".prop_map(|value| format!("\"{value}\"")),
        "[a-c\\\\]{0,2}".prop_map(|value| format!("r\"{value}\"")),
        Just(r#""\\\"ä""#.to_owned()),
    ];
    let texts = Field::all()
        .filter(|field| matches!(field, Field::Text(_)))
        .map(Field::name)
        .collect::<Vec<_>>();
    let flags = Field::all()
        .filter(|field| matches!(field, Field::Flag(_)))
        .map(Field::name)
        .collect::<Vec<_>>();
    let equality = prop::sample::select(&["eq", "ne", "==", "!="][..]);
    let operand = prop_oneof![
        prop::sample::select(&["true", "false"][..]).prop_map(str::to_owned),
        prop::sample::select(flags.clone()).prop_map(str::to_owned),
        (prop::sample::select(flags), equality.clone(), any::<bool>())
            .prop_map(|(field, operator, value)| format!("{field} {operator} {value}")),
        (
            prop::sample::select(texts.clone()),
            equality,
            literal.clone()
        )
            .prop_map(|(field, operator, value)| format!("{field} {operator} {value}")),
        (
            prop::sample::select(texts),
            prop::collection::vec(literal, 1..5)
        )
            .prop_map(|(field, values)| format!("{field} in {{{}}}", values.join(" "))),
    ];
    operand.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|text| format!("not {text}")),
            inner.clone().prop_map(|text| format!("!({text})")),
            inner.clone().prop_map(|text| format!("({text})")),
            (
                prop::collection::vec(inner, 2..4),
                prop::sample::select(&[" and ", "&&", " or ", "||"][..])
            )
                .prop_map(|(parts, operator)| parts.join(operator)),
        ]
    })
}

fn request() -> impl Strategy<Value = Request> {
    let texts = Field::all().filter_map(|field| {
        if let Field::Text(field) = field {
            Some(field)
        } else {
            None
        }
    });
    let texts = texts
        .map(|field| (Just(field), "[a-cA-C\\\\]{0,2}"))
        .collect::<Vec<_>>();
    let flags = Field::all().filter_map(|field| {
        if let Field::Flag(field) = field {
            Some(field)
        } else {
            None
        }
    });
    let flags = prop::sample::subsequence(flags.collect::<Vec<_>>(), 0..=6);
    (texts, flags).prop_map(|(texts, flags)| Request {
        texts,
        flags,
        ..Request::default()
    })
}

/// Pieces of the language in any order: gets deeper into the parser than arbitrary text does.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &[
            "http.host",
            "cf.tls_client_auth.cert_verified",
            "eq",
            "==",
            "!=",
            "!",
            "not",
            "and",
            "&&",
            "or",
            "||",
            "in",
            "{",
            "}",
            "(",
            ")",
            "\"a\"",
            "\"",
            "r\"",
            "r#\"",
            "#",
            "\\",
            "true",
            "false",
            " ",
            "\n",
            "ä",
            ",",
        ][..],
    );
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_the_compiler_panic(text in "(?s).{0,200}") {
        let _ = compile(&text);
    }

    #[test]
    fn no_row_of_pieces_makes_the_compiler_panic_and_columns_lie_inside(text in pieces()) {
        if let Err(error) = compile(&text) {
            prop_assert!((1..=text.chars().count() + 1).contains(&error.column), "{}: {}", text, error);
        }
    }

    #[test]
    fn the_canonical_text_compiles_to_an_equal_expression(text in expression()) {
        let compiled = compile(&text).unwrap();
        let canonical = compiled.to_string();
        prop_assert_eq!(compile(&canonical).unwrap(), compiled);
    }

    #[test]
    fn not_gives_the_opposite(text in expression(), request in request()) {
        let negated = compile(&format!("not ({text})")).unwrap();
        prop_assert_eq!(negated.evaluate(&request), !compile(&text).unwrap().evaluate(&request));
    }

    #[test]
    fn and_and_or_combine_the_answers(left in expression(), right in expression(), request in request()) {
        let answer = |text: &str| compile(text).unwrap().evaluate(&request);
        prop_assert_eq!(answer(&format!("({left}) and ({right})")), answer(&left) && answer(&right));
        prop_assert_eq!(answer(&format!("({left}) or ({right})")), answer(&left) || answer(&right));
    }

    #[test]
    fn a_list_is_its_equalities_joined_by_or(
        host in "[a-cA-C]{0,2}",
        values in prop::collection::vec("[a-cA-C]{0,2}", 1..40),
    ) {
        let request = Request { texts: vec![(TextField::Host, host)], ..Request::default() };
        let quoted: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
        let list = compile(&format!("http.host in {{{}}}", quoted.join(" "))).unwrap();
        let or = quoted.iter().map(|value| format!("http.host eq {value}")).collect::<Vec<_>>().join(" or ");
        prop_assert_eq!(list.evaluate(&request), compile(&or).unwrap().evaluate(&request));
    }
}
