//! Rule expressions: any text compiles to an expression, or to an error that points into it.

// The rules are a part of the gateway that needs nothing else of it. Compiled alone they come without Pingora and OpenSSL, which nobody
// wants to instrument.
#[path = "../../crates/gateway/src/rules/mod.rs"]
pub mod language;

use language::{FieldSource, FlagField, MAX_CHARACTERS, TextField, compile};

/// A request whose fields are all alike.
struct Uniform {
    text: &'static str,
    flag: bool,
}

impl FieldSource for Uniform {
    fn text(&self, _: TextField) -> &str {
        self.text
    }

    fn flag(&self, _: FlagField) -> bool {
        self.flag
    }
}

const REQUESTS: [Uniform; 4] = [
    Uniform {
        text: "",
        flag: false,
    },
    Uniform {
        text: "a",
        flag: true,
    },
    Uniform {
        text: "API.example.com",
        flag: false,
    },
    Uniform {
        text: "/temps",
        flag: true,
    },
];

/// Compile the bytes as an expression and evaluate it.
///
/// # Panics
///
/// If a law does not hold.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let characters = text.chars().count();
    let compiled = match compile(text) {
        Ok(compiled) => compiled,
        Err(error) => {
            assert!(
                (1..=characters + 1).contains(&error.column),
                "column {} of {characters} characters",
                error.column
            );
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert!(characters <= MAX_CHARACTERS, "longer than what is taken");
    let answers = REQUESTS.map(|request| compiled.evaluate(&request));

    let canonical = compiled.to_string();
    if canonical.chars().count() <= MAX_CHARACTERS {
        let again = compile(&canonical)
            .unwrap_or_else(|error| panic!("{canonical} is canonical, but: {error}"));
        assert_eq!(again, compiled, "{canonical}");
        assert_eq!(again.to_string(), canonical, "canonical text stays");
        assert_eq!(REQUESTS.map(|request| again.evaluate(&request)), answers);
    }
    let opposite = format!("not ({text})");
    if opposite.chars().count() <= MAX_CHARACTERS
        && let Ok(opposite) = compile(&opposite)
    {
        let negated = REQUESTS.map(|request| !opposite.evaluate(&request));
        assert_eq!(negated, answers, "not ({text})");
    }
}
