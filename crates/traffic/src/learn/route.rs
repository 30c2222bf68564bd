//! Which operation a request is for: by its host, then by the router that gateways use.

use std::collections::HashMap;

use hauberk_openapi::{RouteError, Router, RouterBuilder, Variables};

/// So many hosts are remembered with the routers that serve them.
const MAX_REMEMBERED: usize = 4096;

/// Operations by host, method and path.
pub(super) struct Routes {
    /// More literal hosts first.
    hosts: Vec<(Host, Router<usize>)>,
    /// Which of `hosts` serve a host, as it was written.
    serving: HashMap<Box<str>, Box<[u32]>>,
}

/// The host of an operation: labels, of which those that are variables (`{hostVar1}`) are `None`, and perhaps a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Host {
    /// Variables come after text.
    labels: Vec<Label>,
    port: Option<Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Text(Box<str>),
    Variable,
}

impl Routes {
    /// Routes of operations (method, host, endpoint), found by their place in the list.
    pub(super) fn new<'o>(
        operations: impl Iterator<Item = (&'o str, &'o str, &'o str)>,
    ) -> Result<Self, RouteError> {
        let mut builders: std::collections::BTreeMap<Host, RouterBuilder<usize>> =
            std::collections::BTreeMap::new();
        for (at, (method, host, endpoint)) in operations.enumerate() {
            let builder = builders.entry(Host::parse(host)).or_default();
            builder.insert(method, endpoint, at)?;
        }
        Ok(Self {
            hosts: builders
                .into_iter()
                .map(|(host, builder)| (host, builder.build()))
                .collect(),
            serving: HashMap::new(),
        })
    }

    /// The operation of a request, and the text of its path variables.
    pub(super) fn find<'p>(
        &mut self,
        host: &str,
        method: &str,
        path: &'p str,
    ) -> Option<(usize, Variables<'p>)> {
        if !self.serving.contains_key(host) {
            if self.serving.len() >= MAX_REMEMBERED {
                self.serving.clear();
            }
            let serving = self.serving(host);
            self.serving.insert(host.into(), serving);
        }
        let serving = self.serving.get(host)?;
        serving.iter().find_map(|at| {
            let (_, router) = &self.hosts[*at as usize];
            let found = router.find(method, path)?;
            Some((*found.value, found.variables))
        })
    }

    /// Those that have the host itself come first, with its port before those that tell none.
    fn serving(&self, host: &str) -> Box<[u32]> {
        let asked = Host::parse(host);
        let mut serving: Vec<(bool, u32)> = (0..)
            .zip(&self.hosts)
            .filter(|(_, (known, _))| known.covers(&asked))
            .map(|(at, (known, _))| (known.port.is_none(), at))
            .collect();
        serving.sort_by_key(|(is_without_port, _)| *is_without_port);
        serving.into_iter().map(|(_, at)| at).collect()
    }
}

impl Host {
    fn parse(host: &str) -> Self {
        let host = host.strip_suffix('.').unwrap_or(host);
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (
                name,
                Some(port).filter(|port| !matches!(*port, "" | "80" | "443")),
            ),
            _ => (host, None),
        };
        let label = |label: &str| {
            if label.starts_with('{') && label.ends_with('}') {
                Label::Variable
            } else {
                Label::Text(label.to_ascii_lowercase().into())
            }
        };
        Self {
            labels: name.split('.').map(label).collect(),
            port: port.map(Into::into),
        }
    }

    /// Whether requests to a host may be for operations of this one: ports differ where services stand behind others.
    fn covers(&self, asked: &Self) -> bool {
        let is_port = self.port.is_none() || self.port == asked.port;
        is_port
            && self.labels.len() == asked.labels.len()
            && self
                .labels
                .iter()
                .zip(&asked.labels)
                .all(|(known, label)| *known == Label::Variable || known == label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_host_that_has_the_operation_serves() {
        let operations = [
            ("GET", "api.example.com", "/users/{var1}"),
            ("GET", "{hostVar1}.example.com", "/users/{var1}"),
            ("GET", "{hostVar1}.example.com", "/health"),
            ("GET", "api.example.com:8443", "/users/{var1}"),
            ("POST", "[::1]", "/x"),
        ];
        let mut routes = Routes::new(operations.into_iter()).expect("routes");
        let cases = [
            ("api.example.com", "/users/7", Some(0)),
            ("API.example.com", "/users/7", Some(0)),
            ("api.example.com:443", "/users/7", Some(0)),
            ("api.example.com:8443", "/users/7", Some(3)),
            ("api.example.com:9000", "/users/7", Some(0)),
            ("eu.example.com", "/users/7", Some(1)),
            ("eu.example.com:8080", "/health", Some(2)),
            ("api.example.com", "/health", Some(2)),
            ("example.com", "/health", None),
            ("a.b.example.com", "/health", None),
            ("api.example.com", "/users", None),
            ("", "/users/7", None),
        ];
        // The second time from memory.
        for _ in 0..2 {
            for (host, path, wanted) in cases {
                let found = routes.find(host, "GET", path).map(|(at, _)| at);
                assert_eq!(found, wanted, "{host} {path}");
            }
        }
        assert_eq!(
            routes.find("[::1]:8080", "POST", "/x").map(|found| found.0),
            Some(4)
        );
        let (_, variables) = routes
            .find("api.example.com", "GET", "/users/a%20b")
            .expect("found");
        assert_eq!(variables.as_slice(), ["a%20b"]);
    }

    #[test]
    fn an_operation_that_is_there_twice_is_refused() {
        let operations = [
            ("GET", "a.example", "/x/{a}"),
            ("GET", "a.example:443", "/x/{b}"),
        ];
        assert!(Routes::new(operations.into_iter()).is_err());
    }
}
