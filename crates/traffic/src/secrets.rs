//! What is secret: by the name it stands under, or by its own shape.

/// How much is hidden of what stands under a name, from least to most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Secrecy {
    /// Nothing.
    #[default]
    Open,
    /// What looks random: `key=AB12…` of many services and the `code` of OAuth are secrets, `key=name` and `code=404` are not.
    Random,
    /// Everything but numbers: `max_tokens` of a language model counts, `refresh_tokens` are secrets.
    AllButNumbers,
    /// Everything.
    Everything,
}

impl Secrecy {
    /// Whether this value is to be hidden.
    pub(crate) fn hides(self, value: &str) -> bool {
        match self {
            Self::Open => false,
            Self::Random => looks_random(value),
            Self::AllButNumbers => !is_count(value),
            Self::Everything => true,
        }
    }
}

/// How a name is compared with the table: in lower case, without `-`, `_`, `.` and other separators.
enum Match {
    Is(&'static str),
    Starts(&'static str),
    Ends(&'static str),
    Contains(&'static str),
}

/// Names of headers, query parameters, form fields and JSON members whose values are secret.
const SECRET_NAMES: &[Match] = &[
    Match::Contains("accesskey"),
    Match::Contains("accountkey"),
    Match::Contains("apikey"),
    Match::Contains("appkey"),
    Match::Contains("applicationkey"),
    Match::Contains("assertion"),
    Match::Contains("authkey"),
    Match::Contains("authorization"),
    Match::Contains("clientkey"),
    Match::Contains("codeverifier"),
    Match::Contains("consumerkey"),
    Match::Contains("cookie"),
    Match::Contains("credential"),
    Match::Contains("creditcard"),
    Match::Contains("csrf"),
    Match::Contains("encryptionkey"),
    Match::Contains("functionskey"),
    Match::Contains("jwt"),
    Match::Contains("masterkey"),
    Match::Contains("motdepasse"),
    Match::Contains("passphrase"),
    Match::Contains("passwd"),
    Match::Contains("password"),
    Match::Contains("passwort"),
    Match::Contains("privatekey"),
    Match::Contains("secret"),
    Match::Contains("sessid"),
    Match::Contains("sessionid"),
    Match::Contains("sessionkey"),
    Match::Contains("sesskey"),
    Match::Contains("signature"),
    Match::Contains("signingkey"),
    Match::Contains("subscriptionkey"),
    Match::Contains("token"),
    Match::Contains("xsrf"),
    Match::Starts("session"),
    Match::Ends("accesscode"),
    Match::Ends("authcode"),
    Match::Ends("authorizationcode"),
    Match::Ends("backupcodes"),
    Match::Ends("cardnumber"),
    Match::Ends("devicecode"),
    Match::Ends("mfacode"),
    Match::Ends("otpcode"),
    Match::Ends("passcode"),
    Match::Ends("recoverycode"),
    Match::Ends("recoverycodes"),
    Match::Ends("securitycode"),
    Match::Ends("session"),
    Match::Ends("verificationcode"),
    Match::Is("auth"),
    Match::Is("bearer"),
    Match::Is("cvc"),
    Match::Is("cvv"),
    Match::Is("hmac"),
    Match::Is("otp"),
    Match::Is("pass"),
    Match::Is("pin"),
    Match::Is("pwd"),
    Match::Is("samlrequest"),
    Match::Is("samlresponse"),
    Match::Is("sid"),
    Match::Is("sig"),
    Match::Is("totp"),
    Match::Is("xauth"),
];

/// Names whose values are secret when they look random.
const NAMES_OF_RANDOM: &[&str] = &["code", "key", "state", "ticket"];

/// Names that the table above would take in, and whose values everybody knows.
const PUBLIC_NAMES: &[&str] = &[
    "authorizationendpoint",
    "tokenendpoint",
    "tokenizer",
    "tokentype",
];

/// How much is hidden of what stands under a name. Upper and lower case and separators do not count.
pub(crate) fn secrecy(name: &str) -> Secrecy {
    let plain: String = name
        .chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let is_secret = SECRET_NAMES.iter().any(|entry| match entry {
        Match::Is(secret) => plain == *secret,
        Match::Starts(secret) => plain.starts_with(secret),
        Match::Ends(secret) => plain.ends_with(secret),
        Match::Contains(secret) => plain.contains(secret),
    });
    if NAMES_OF_RANDOM.contains(&plain.as_str()) {
        Secrecy::Random
    } else if !is_secret || PUBLIC_NAMES.contains(&plain.as_str()) {
        Secrecy::Open
    } else if plain.contains("tokens") {
        Secrecy::AllButNumbers
    } else {
        Secrecy::Everything
    }
}

/// A number too small to be a secret of the kind that has a plural name.
fn is_count(value: &str) -> bool {
    (1..=9).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a value is one long word of letters and digits, as generators make them.
fn looks_random(value: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+/=%".contains(&byte);
    value.len() >= 16
        && value.bytes().all(word)
        && value.bytes().filter(u8::is_ascii_digit).count() >= 2
        && value.bytes().filter(u8::is_ascii_alphabetic).count() >= 2
}

/// How well-known tokens begin, and how many characters at least follow.
const TOKEN_SHAPES: &[(&str, usize)] = &[
    // The base64 of `{"`: a JSON Web Token, or another encoded object that somebody meant to be opaque.
    ("eyJ", 17),
    // Amazon, Google
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 35),
    ("GOCSPX-", 20),
    ("ya29.", 20),
    // GitHub, GitLab
    ("ghp_", 30),
    ("gho_", 30),
    ("ghu_", 30),
    ("ghs_", 30),
    ("ghr_", 30),
    ("github_pat_", 30),
    ("glpat-", 20),
    // Slack, Stripe, OpenAI and those who took after them
    ("xoxa-", 10),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("rk_live_", 16),
    ("whsec_", 16),
    ("sk-", 20),
    // Packages and platforms
    ("npm_", 36),
    ("pypi-", 30),
    ("dop_v1_", 40),
    ("shpat_", 30),
    ("hvs.", 20),
    ("SG.", 40),
];

/// Where a well-known token begins in a run of token characters, if there is one. It reaches to the end of the run.
pub(crate) fn find_token(run: &str) -> Option<usize> {
    let bytes = run.as_bytes();
    (0..bytes.len()).find(|&start| {
        (start == 0 || !bytes[start - 1].is_ascii_alphanumeric())
            && TOKEN_SHAPES.iter().any(|(prefix, least)| {
                bytes[start..].starts_with(prefix.as_bytes())
                    && bytes.len() - start >= prefix.len() + least
            })
    })
}

/// Whether a character may stand in a token.
pub(crate) fn is_token_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_secret_whatever_its_spelling() {
        let cases = [
            (
                Secrecy::Everything,
                "Authorization X-Api-Key x_api_key apiKey API-KEY access_token accessToken",
            ),
            (
                Secrecy::Everything,
                "X-CSRF-Token client_secret user[password] PHPSESSID sessionId session_tracker pwd",
            ),
            (
                Secrecy::Everything,
                "X-Amz-Security-Token X-Auth-Key auth.credentials private_key otp loid_session",
            ),
            (
                Secrecy::AllButNumbers,
                "max_tokens refresh_tokens x-ratelimit-remaining-tokens",
            ),
            (Secrecy::Random, "key code state"),
            (
                Secrecy::Everything,
                "PHPSESSID sesskey Ocp-Apim-Subscription-Key x-functions-key DD-APPLICATION-KEY otp_code recoveryCodes cardNumber",
            ),
            (
                Secrecy::Open,
                "token_type tokenizer author pinned spin compass name etag content-type path",
            ),
        ];
        for (wanted, names) in cases {
            for name in names.split(' ') {
                assert_eq!(secrecy(name), wanted, "{name}");
            }
        }
    }

    #[test]
    fn what_looks_random_is_a_secret_and_words_are_none() {
        for secret in [
            "4f0c9b2e7d11aa35",
            "4/0AX4XfWh-kZ9_1b",
            "SplxlOBeZQQYbYS6Wx9bIA",
        ] {
            assert!(Secrecy::Random.hides(secret), "{secret}");
        }
        for open in [
            "404",
            "DE",
            "invalid_request_error",
            "home.title.2",
            "2026-11-22T10:00:00",
            "4111111111111111",
        ] {
            assert!(!Secrecy::Random.hides(open), "{open}");
        }
    }

    #[test]
    fn counts_are_no_secrets_but_what_is_longer_may_be() {
        assert!(!Secrecy::AllButNumbers.hides("4096"));
        assert!(Secrecy::AllButNumbers.hides("1234567890"));
        assert!(Secrecy::AllButNumbers.hides("a1"));
        assert!(Secrecy::Everything.hides("4096"));
    }

    #[test]
    fn a_well_known_token_is_found_where_it_begins() {
        let body = "abcdefghij0123456789ABCDEFGHIJ012345";
        assert_eq!(find_token(&format!("ghp_{body}")), Some(0));
        assert_eq!(find_token(&format!("x.eyJ{body}.e30.")), Some(2));
        assert_eq!(find_token(&format!("task-{body}")), None);
        assert_eq!(find_token("sk-learn"), None);
        assert_eq!(find_token(""), None);
    }
}
