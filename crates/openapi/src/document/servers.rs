//! `servers`: which hosts and base paths an operation has.

use serde_json::{Map, Value};

use crate::place;
use crate::problem::{self, Problems};

/// One base path with the hosts it is served on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) hosts: Vec<String>,
    /// Without a trailing slash; empty for the root. May hold variables.
    pub(super) path: String,
}

impl Base {
    fn root() -> Self {
        Self {
            hosts: Vec::new(),
            path: String::new(),
        }
    }
}

/// The bases of a `servers` list; at least one.
pub(super) fn bases(servers: Option<&Value>, at: &str, problems: &mut Problems) -> Vec<Base> {
    let list = match servers {
        None => return vec![Base::root()],
        Some(Value::Array(list)) => list,
        Some(_) => {
            problems.add(problem::SHAPE, at, "`servers` is a list");
            return vec![Base::root()];
        }
    };
    let mut bases: Vec<Base> = Vec::new();
    for (index, server) in list.iter().enumerate() {
        let at = place::index(at, index);
        let Some(url) = server.get("url").and_then(Value::as_str) else {
            problems.add(problem::SHAPE, at, "a server has a `url`");
            continue;
        };
        let variables = server.get("variables").and_then(Value::as_object);
        let (host, path) = split(url, variables, &at, problems);
        match bases.iter_mut().find(|base| base.path == path) {
            Some(base) => {
                if let Some(host) = host.filter(|host| !base.hosts.contains(host)) {
                    base.hosts.push(host);
                }
            }
            None => bases.push(Base {
                hosts: host.into_iter().collect(),
                path,
            }),
        }
    }
    if bases.is_empty() {
        bases.push(Base::root());
    }
    bases
}

/// Host (if the URL is absolute) and base path.
fn split(
    url: &str,
    variables: Option<&Map<String, Value>>,
    at: &str,
    problems: &mut Problems,
) -> (Option<String>, String) {
    let url = url.split(['?', '#']).next().unwrap_or_default().trim();
    // A variable may hold the scheme, or scheme and host: its default says what is meant.
    let url = match url.split_once("://") {
        Some((scheme, rest)) => format!("{}://{rest}", fill(scheme, variables)),
        None if url.starts_with('{') => fill_first(url, variables),
        None => url.to_owned(),
    };
    if let Some(rest) = url
        .strip_prefix("//")
        .or_else(|| url.split_once("://").map(|(_, rest)| rest))
    {
        let (authority, path) = rest
            .find('/')
            .map_or((rest, ""), |slash| rest.split_at(slash));
        let host = host(&url, authority, variables);
        if host.is_none() {
            problems.add(
                problem::SERVER,
                at,
                "the host of the server URL is not used: it is no host name",
            );
        }
        return (host, base_path(path, variables, at, problems));
    }
    let path = if url.starts_with('/') || url.is_empty() {
        url
    } else {
        format!("/{url}")
    };
    (
        None,
        base_path(path.trim_start_matches("/."), variables, at, problems),
    )
}

fn default_of<'v>(name: &str, variables: Option<&'v Map<String, Value>>) -> Option<&'v str> {
    variables?.get(name)?.get("default")?.as_str()
}

/// `text` with every variable replaced by its default; what has none stays.
fn fill(text: &str, variables: Option<&Map<String, Value>>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        out.push_str(before);
        match default_of(name, variables) {
            Some(default) => out.push_str(default),
            None => out.extend(["{", name, "}"]),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `url` with the variable it begins with replaced by its default, if that is a URL or a path.
fn fill_first(url: &str, variables: Option<&Map<String, Value>>) -> String {
    let filled = url[1..].split_once('}').and_then(|(name, rest)| {
        let default = default_of(name, variables)?;
        (default.contains("://") || default.starts_with('/'))
            .then(|| format!("{}{rest}", default.trim_end_matches('/')))
    });
    filled.unwrap_or_else(|| url.to_owned())
}

/// The host of an authority: lower case, no user, no default port, a label that varies as `{hostVar1}`.
fn host(url: &str, authority: &str, variables: Option<&Map<String, Value>>) -> Option<String> {
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, fill(port, variables)),
        _ => (authority, String::new()),
    };
    let mut labels = Vec::new();
    let mut count = 0;
    for label in split_labels(name) {
        let is_variable =
            label.starts_with('{') && label.ends_with('}') && label.matches('{').count() == 1;
        let default = is_variable
            .then(|| default_of(&label[1..label.len() - 1], variables))
            .flatten();
        // A default with a dot is more than a label, so the variable stands for a whole host name.
        if is_variable
            && !default.is_some_and(|default| default.is_empty() || default.contains(['.', ':']))
        {
            count += 1;
            labels.push(format!("{{hostVar{count}}}"));
        } else {
            let filled = fill(label, variables).to_ascii_lowercase();
            if !filled.is_empty() {
                labels.push(filled);
            }
        }
    }
    let host = labels.join(".");
    let (host, port) = match host.rsplit_once(':') {
        Some((name, own)) if port.is_empty() && !own.contains(']') => {
            (name.to_owned(), own.to_owned())
        }
        _ => (host, port),
    };
    let proper = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'{' | b'}' | b'[' | b']' | b':')
    };
    if host.is_empty()
        || host.len() > 255
        || !host.bytes().all(proper)
        || !port.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let default_port = if url.starts_with("http://") || url.starts_with("ws://") {
        "80"
    } else {
        "443"
    };
    if port.is_empty() || port == default_port {
        Some(host)
    } else {
        Some(format!("{host}:{port}"))
    }
}

/// Labels between dots; dots inside braces belong to the variable's name.
fn split_labels(name: &str) -> Vec<&str> {
    let (mut labels, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, byte) in name.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'.' if depth == 0 => {
                labels.push(&name[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    labels.push(&name[start..]);
    labels
}

/// A base path: whole segments that vary stay variables, other variables take their default.
fn base_path(
    path: &str,
    variables: Option<&Map<String, Value>>,
    at: &str,
    problems: &mut Problems,
) -> String {
    let mut out = String::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let is_variable =
            segment.starts_with('{') && segment.ends_with('}') && segment.matches('{').count() == 1;
        let default = is_variable
            .then(|| default_of(&segment[1..segment.len() - 1], variables))
            .flatten();
        let is_one_segment =
            default.is_none_or(|default| !default.is_empty() && !default.contains('/'));
        let filled = if is_variable && is_one_segment {
            segment.to_owned()
        } else {
            fill(segment, variables)
        };
        if !is_variable && filled != segment {
            let message = "a variable that is only a part of a segment of the server URL is read as its default";
            problems.add(problem::SERVER, at, message);
        }
        let filled = filled.trim_matches('/');
        if !filled.is_empty() {
            out.push('/');
            out.push_str(filled);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn servers_give_hosts_and_base_paths() {
        let variables = json!({
            "region": {"default": "eu"}, "port": {"default": "8443"}, "base": {"default": "v2"}, "deep": {"default": "a/b"},
            "scheme": {"default": "https"}, "whole": {"default": "https://x.example.com/y"}, "name": {"default": "h.example.com"},
            "empty": {"default": ""},
        });
        let cases: [(&str, &[&str], &str); 18] = [
            ("https://API.example.com", &["api.example.com"], ""),
            ("https://api.example.com/", &["api.example.com"], ""),
            (
                "https://api.example.com:443/v1/",
                &["api.example.com"],
                "/v1",
            ),
            ("http://api.example.com:80/v1", &["api.example.com"], "/v1"),
            (
                "http://api.example.com:8080/v1",
                &["api.example.com:8080"],
                "/v1",
            ),
            ("https://user@api.example.com", &["api.example.com"], ""),
            (
                "https://{region}.example.com/v1",
                &["{hostVar1}.example.com"],
                "/v1",
            ),
            (
                "https://api-{region}.example.com",
                &["api-eu.example.com"],
                "",
            ),
            ("https://{name}/x", &["h.example.com"], "/x"),
            (
                "https://api.example.com:{port}/{base}",
                &["api.example.com:8443"],
                "/{base}",
            ),
            (
                "{scheme}://api.example.com/{deep}/c",
                &["api.example.com"],
                "/a/b/c",
            ),
            ("{whole}/z", &["x.example.com"], "/y/z"),
            ("/v1", &[], "/v1"),
            ("v1", &[], "/v1"),
            ("/", &[], ""),
            ("", &[], ""),
            ("./v1", &[], "/v1"),
            ("https://api.example.com/{empty}", &["api.example.com"], ""),
        ];
        for (url, hosts, path) in cases {
            let servers = json!([{"url": url, "variables": variables}]);
            let bases = bases(Some(&servers), ".servers", &mut Problems::default());
            let wanted = Base {
                hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
                path: path.to_owned(),
            };
            assert_eq!(bases, [wanted], "{url}");
        }
    }

    #[test]
    fn servers_with_one_base_path_share_it() {
        let servers = json!([{"url": "https://a.example.com/v1"}, {"url": "https://b.example.com/v1"}, {"url": "/v2"}]);
        let found = bases(Some(&servers), ".servers", &mut Problems::default());
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].hosts, ["a.example.com", "b.example.com"]);
        assert_eq!(
            found[1],
            Base {
                hosts: Vec::new(),
                path: "/v2".to_owned()
            }
        );
        assert_eq!(bases(None, "", &mut Problems::default()), [Base::root()]);
    }
}
