//! The common and the combined format of Apache and nginx, with the virtual host before and further fields behind.
//!
//! ```text
//! 203.0.113.9 - alice [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 203
//! 203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 203 "https://a.example/" "curl/8.5" "198.51.100.7"
//! a.example:443 203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 203 "-" "curl/8.5"
//! ```

use std::net::IpAddr;

use super::Fields;
use super::tokens::{Token, Tokens, unescaped};
use crate::read::time;

pub(super) fn fields(line: &str) -> Option<Fields<'_>> {
    let mut tokens = Tokens(line);
    let mut words = Vec::with_capacity(4);
    let written = loop {
        match tokens.next()? {
            Token::Word(word) if words.len() < 8 => words.push(word),
            Token::Bracketed(written) => break written,
            _ => return None,
        }
    };
    // A time tells a log from any other text with brackets.
    let time = time::access_log(written)?;
    let Token::Quoted(request) = tokens.next()? else {
        return None;
    };
    let status = status(tokens.next()?)?;
    let response_bytes = tokens.next()?.text().parse().ok();
    let (host, client) = host_and_client(&words)?;
    let referer = tokens.next().and_then(Token::quoted);
    let user_agent = tokens.next().and_then(Token::quoted);
    // What follows is as one likes; nginx's own example has the addresses there that a proxy told.
    let forwarded_for = tokens.next().and_then(Token::quoted).filter(|list| {
        list.split(',')
            .all(|address| is_address(address.trim_ascii()))
    });
    Some(Fields {
        request: unescaped(request),
        host,
        status,
        response_bytes,
        time: Some(time),
        client,
        referer,
        user_agent,
        forwarded_for,
    })
}

/// Three digits; 0 for `-`.
pub(super) fn status(token: Token<'_>) -> Option<u16> {
    match token {
        Token::Word("-") => Some(0),
        Token::Word(word) if word.len() <= 3 => word.parse().ok(),
        _ => None,
    }
}

/// The virtual host, if it stands before the three words that are always there, and the client.
fn host_and_client<'a>(words: &[&'a str]) -> Option<(Option<&'a str>, Option<&'a str>)> {
    let known = |word: &'a str| Some(word).filter(|word| *word != "-");
    match words {
        [] => None,
        [host, client, _, ..] if words.len() > 3 && !is_address(host) && is_client(client) => {
            Some((known(host), known(client)))
        }
        [client, ..] => Some((None, known(client))),
    }
}

fn is_client(word: &str) -> bool {
    is_address(word) || word.contains('.')
}

fn is_address(word: &str) -> bool {
    word.parse::<IpAddr>().is_ok()
}
