//! Envoy's own format, and Istio's, which has more fields in it.
//!
//! ```text
//! [2026-04-15T20:17:00.310Z] "POST /a HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "curl/8.5" "cc21d9b0-…" "a.example" "10.0.0.2:80"
//! ```

use super::Fields;
use super::apache::status;
use super::tokens::{Token, Tokens, unescaped};

/// Addresses that proxies told, user agent, request id, host, upstream: these always stand together.
const LAST_QUOTED: usize = 5;

pub(super) fn fields(line: &str) -> Option<Fields<'_>> {
    let mut tokens = Tokens(line);
    let (Some(Token::Bracketed(time)), Some(Token::Quoted(request))) =
        (tokens.next(), tokens.next())
    else {
        return None;
    };
    let status = status(tokens.next()?)?;
    let rest: Vec<Token<'_>> = tokens.take(64).collect();
    let is_quoted =
        |tokens: &[Token<'_>]| tokens.iter().all(|token| matches!(token, Token::Quoted(_)));
    let at = rest.windows(LAST_QUOTED).rposition(is_quoted)?;
    let forwarded_for = rest[at].quoted();
    let host = rest[at + 3].text();
    // Before them: bytes received, bytes sent, duration, the upstream's time.
    let response_bytes = at
        .checked_sub(3)
        .and_then(|at| rest[at].text().parse().ok());
    Some(Fields {
        request: unescaped(request),
        host: Some(host).filter(|host| !matches!(*host, "-" | "")),
        status,
        response_bytes,
        time: Some(time.to_owned()),
        client: match rest[at] {
            Token::Quoted(list) if list != "-" => list.split(',').next().map(str::trim_ascii),
            _ => None,
        },
        referer: None,
        user_agent: rest[at + 1].quoted(),
        forwarded_for,
    })
}
