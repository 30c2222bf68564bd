//! Masks a path for logs and events: segments that are words stay, segments that are values go.
//!
//! The line is drawn on the safe side: an unusual word is masked rather than an identifier shown. A value that is
//! spelt like a word (a user called `smith`) cannot be told from one and stays.

/// The longest masked path in bytes; what does not fit is cut at a segment and ends in `/{more}`.
pub const MAX_MASKED_PATH_BYTES: usize = 256;

const MASKED: &str = "{masked}";
const MORE: &str = "/{more}";

/// The longest segment that is kept, in bytes.
const MAX_SEGMENT_BYTES: usize = 32;
/// The longest run of letters that is one word: "persistentvolumeclaims" of Kubernetes has 22.
const MAX_WORD_LETTERS: usize = 24;

/// Words of the trade that hold digits and are no values.
const WORDS_WITH_DIGITS: &[&str] = &[
    "2fa", "b2b", "b2c", "base64", "e2e", "ec2", "h2", "html5", "http2", "http3", "i18n", "ipv4",
    "ipv6", "k8s", "l10n", "md5", "mp3", "mp4", "oauth1", "oauth2", "p2p", "r2", "route53", "s3",
    "saml2", "sha1", "sha256", "sha512", "utf8", "web3", "x509",
];

/// File name extensions that may follow a word.
const EXTENSIONS: &[&str] = &[
    ".asp", ".aspx", ".atom", ".css", ".csv", ".git", ".gif", ".htm", ".html", ".ico", ".jpg",
    ".js", ".json", ".jsp", ".md", ".pdf", ".php", ".png", ".rss", ".svg", ".txt", ".webp", ".xml",
    ".yaml", ".yml", ".zip",
];

/// Replaces each segment of a path that looks like a value by `{masked}`.
///
/// Kept are short words (letters, `-`, `_`, a leading dot, a usual file extension) and version tags such as `v1` or
/// `v2beta1`. Masked are numbers, identifiers, UUIDs, e-mail addresses, tokens, anything percent-encoded, and anything
/// long or of mixed characters. A query or fragment is left out. Masking a masked path changes nothing.
///
/// ```
/// use hauberk_traffic::mask_path;
///
/// assert_eq!(mask_path("/v1/users/42/avatar.png"), "/v1/users/{masked}/avatar.png");
/// assert_eq!(mask_path("/reset/kX9_ajd2-Fqq?mail=a@b.c"), "/reset/{masked}");
/// ```
pub fn mask_path(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    // The target of `OPTIONS *`.
    if path == "*" {
        return path.to_owned();
    }
    let mut masked = String::new();
    let mut cut = 0;
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            masked.push('/');
        }
        masked.push_str(if is_kept(segment) { segment } else { MASKED });
        if masked.len() > MAX_MASKED_PATH_BYTES {
            masked.truncate(cut);
            masked.push_str(MORE);
            break;
        }
        if masked.len() + MORE.len() <= MAX_MASKED_PATH_BYTES {
            cut = masked.len();
        }
    }
    masked
}

fn is_kept(segment: &str) -> bool {
    if segment.is_empty() || segment == MASKED || segment == &MORE[1..] {
        return true;
    }
    if segment.len() > MAX_SEGMENT_BYTES || !segment.is_ascii() {
        return false;
    }
    if is_version(segment) {
        return true;
    }
    let name = segment.strip_prefix('.').unwrap_or(segment);
    let lower = name.to_ascii_lowercase();
    let extension = EXTENSIONS
        .iter()
        .find(|extension| lower.ends_with(*extension));
    let name = &name[..name.len() - extension.map_or(0, |extension| extension.len())];
    !name.is_empty()
        && name.split(['-', '_']).all(|word| {
            word.is_empty() || is_version(word) || is_word_with_digits(word) || is_word(word)
        })
}

fn is_word_with_digits(word: &str) -> bool {
    WORDS_WITH_DIGITS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word))
}

/// `v1`, `v1.2`, `v2beta1`: up to two digits a number, so that no identifier passes for one.
fn is_version(segment: &str) -> bool {
    let Some(numbers) = segment.strip_prefix(['v', 'V']) else {
        return false;
    };
    let is_number = |text: &str| {
        (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    for stage in ["alpha", "beta", "rc", "p"] {
        if let Some((number, rest)) = numbers.split_once(stage) {
            return is_number(number) && (rest.is_empty() || is_number(rest));
        }
    }
    let mut parts = numbers.split('.');
    parts.clone().count() <= 3 && parts.all(is_number)
}

/// Whether letters read as a word, or as words joined `likeThis`, and not as a random identifier.
fn is_word(letters: &str) -> bool {
    if !letters.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    let length = letters.len();
    let is_hex = length >= 8 && letters.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_base32 = length >= 12 && letters.bytes().all(|byte| byte.is_ascii_uppercase());
    let (words, longest_word) = camel_words(letters);
    // Joined words have some letters each (`getUserById`); the case of random letters changes every other time.
    let is_jumbled = length >= 8 && words * 5 > length * 2 || length >= 16 && words * 4 > length;
    !is_hex
        && !is_base32
        && !is_jumbled
        && longest_word <= MAX_WORD_LETTERS
        && consonants_in_a_row(letters) < 6
}

/// How many words are joined `likeThis`, and the letters of the longest.
fn camel_words(letters: &str) -> (usize, usize) {
    let (mut words, mut length, mut longest) = (1, 0, 0);
    let mut after_lower = false;
    for letter in letters.bytes() {
        if after_lower && letter.is_ascii_uppercase() {
            words += 1;
            length = 0;
        }
        after_lower = letter.is_ascii_lowercase();
        length += 1;
        longest = longest.max(length);
    }
    (words, longest)
}

/// The most consonants in a row in one word; natural words have at most five ("lengths"), random letters soon more.
fn consonants_in_a_row(letters: &str) -> usize {
    let (mut row, mut longest) = (0, 0);
    let mut after_lower = false;
    for letter in letters.bytes() {
        let begins_word = after_lower && letter.is_ascii_uppercase();
        after_lower = letter.is_ascii_lowercase();
        row = match letter.to_ascii_lowercase() {
            b'a' | b'e' | b'i' | b'o' | b'u' | b'y' => 0,
            _ if begins_word => 1,
            _ => row + 1,
        };
        longest = longest.max(row);
    }
    longest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_stay_and_values_go() {
        let cases = [
            ("/", "/"),
            ("", ""),
            ("*", "*"),
            ("/users/me", "/users/me"),
            (
                "/v1/user-groups/api_keys/listUserGroups",
                "/v1/user-groups/api_keys/listUserGroups",
            ),
            ("/v2beta1/oauth2/token", "/v2beta1/oauth2/token"),
            ("/api/v1.2//x/", "/api/v1.2//x/"),
            (
                "/.well-known/openid-configuration",
                "/.well-known/openid-configuration",
            ),
            ("/static/index.html", "/static/index.html"),
            ("/getURLById/isUpToDate", "/getURLById/isUpToDate"),
            ("/users/42", "/users/{masked}"),
            ("/users/v123", "/users/{masked}"),
            ("/a/6fa459ea-ee8a-3ca4-894e-db77e160355e/b", "/a/{masked}/b"),
            ("/mail/someone@example.com", "/mail/{masked}"),
            ("/files/a%20b", "/files/{masked}"),
            ("/files/report-2026.pdf", "/files/{masked}"),
            ("/t/deadbeefcafe", "/t/{masked}"),
            ("/t/QWERTYUIOPAS", "/t/{masked}"),
            ("/t/aBcDeFgHiJkL", "/t/{masked}"),
            ("/t/aQelRoTuVaKimoPeXu", "/t/{masked}"),
            (
                "/targetHttpProxies/getUserById",
                "/targetHttpProxies/getUserById",
            ),
            ("/t/xkcdqwrtplm", "/t/{masked}"),
            ("/t/eyJhbGciOiJub25lIn0.e30.", "/t/{masked}"),
            ("/naïve/日本", "/{masked}/{masked}"),
            ("/a;token=b/c", "/{masked}/c"),
            ("/search?q=/secret#/more", "/search"),
            ("/a/{masked}/b", "/a/{masked}/b"),
            ("/../\0\n", "/{masked}/{masked}"),
        ];
        for (path, masked) in cases {
            assert_eq!(mask_path(path), masked, "{path}");
        }
    }

    #[test]
    fn a_long_path_is_cut_at_a_segment() {
        let masked = mask_path(&"/word".repeat(1000));
        assert!(masked.len() <= MAX_MASKED_PATH_BYTES, "{}", masked.len());
        assert!(masked.ends_with("/word/{more}"), "{masked}");
        assert_eq!(mask_path(&format!("/{}", "a".repeat(100_000))), "/{masked}");
    }

    proptest! {
        #[test]
        fn masking_is_idempotent_and_bounded(path in "(?s)(/[a-zA-Z0-9._{}-]{0,12}|/.{0,6}){0,40}") {
            let masked = mask_path(&path);
            prop_assert!(masked.len() <= MAX_MASKED_PATH_BYTES);
            prop_assert_eq!(mask_path(&masked), masked);
        }

        #[test]
        fn a_number_or_identifier_never_survives(
            value in "[0-9]{1,20}|[0-9a-f]{8}-[0-9a-f]{4}|[a-z]{3,12}[0-9]{3,12}|[a-z]{1,9}@[a-z]{1,9}[.]com|[a-z]{0,9}%[0-9A-F]{2}",
            before in "(/[a-z]{1,5}){0,5}",
        ) {
            let masked = mask_path(&format!("{before}/{value}"));
            prop_assert_eq!(masked.split('/').next_back(), Some("{masked}"));
        }
    }
}
