//! Finds the operation a request is for.
//!
//! Templates form a tree of segments. At every segment a literal is tried before a segment of mixed text before a
//! variable, and a branch that leads nowhere is left again, so the most specific template that has the method wins.
//! A path whose most specific template lacks the method goes on to a less specific one that has it: judging such a
//! request by that operation is stricter than not judging it.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use smallvec::SmallVec;

use crate::lookalike::Lookalikes;
use crate::template::{Mixed, Segment, Template, is_normalised, normalise, normalise_with_offsets};

/// Raw values of path variables, left to right.
pub type Variables<'p> = SmallVec<[&'p str; 4]>;

/// Finds values by method and path; made by [`RouterBuilder`].
#[derive(Debug)]
pub struct Router<T> {
    nodes: Vec<Node>,
    values: Vec<T>,
    /// Which of the nodes a path resembles.
    lookalikes: Lookalikes,
}

/// Collects routes.
#[derive(Debug)]
pub struct RouterBuilder<T> {
    nodes: Vec<Node>,
    values: Vec<T>,
    lookalikes: Lookalikes,
}

/// What [`Router::find`] found.
#[derive(Debug)]
pub struct Match<'r, 'p, T> {
    /// The value given to [`RouterBuilder::insert`].
    pub value: &'r T,
    /// The text of each variable, left to right, percent-encoded as it came.
    pub variables: Variables<'p>,
}

/// Why a route cannot be inserted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteError {
    /// The method and an equal template are there already; names of variables make no difference.
    Duplicate {
        /// The method.
        method: String,
        /// The template that was to be inserted.
        endpoint: String,
    },
    /// The template cannot be matched.
    Template {
        /// The template.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl fmt::Display for RouteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate { method, endpoint } => {
                write!(
                    formatter,
                    "{method} {endpoint} is there already, or an endpoint that differs in the names of variables only"
                )
            }
            Self::Template { endpoint, reason } => write!(
                formatter,
                "the endpoint `{endpoint}` cannot be matched: {reason}"
            ),
        }
    }
}

impl std::error::Error for RouteError {}

/// Text that is kept beside what it belongs to if it is short, so that comparing it costs no other cache line.
type Text = SmallVec<[u8; 16]>;

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Text, usize, BuildHasherDefault<SegmentHasher>>,
    /// The most literal text first.
    mixed: Vec<(Mixed, usize)>,
    variable: Option<usize>,
    methods: SmallVec<[(Text, usize); 1]>,
}

/// Hashes short text fast. Requests only look names up, so no one can fill a bucket but the author of the document.
#[derive(Default)]
struct SegmentHasher(u64);

impl Hasher for SegmentHasher {
    fn write(&mut self, bytes: &[u8]) {
        // Odd, with its bits spread evenly: the multiplier of splitmix64.
        const SPREAD: u64 = 0xBF58_476D_1CE4_E5B9;
        let mut mix = |word: u64| {
            let product = (self.0 ^ word).wrapping_mul(SPREAD);
            self.0 = product ^ (product >> 29);
        };
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            mix(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        mix(u64::from_le_bytes(last) ^ bytes.len() as u64);
    }

    fn finish(&self) -> u64 {
        // Tables take the low bits for the bucket and the high ones for the tag.
        self.0.wrapping_mul(0x94D0_49BB_1331_11EB).rotate_left(32)
    }
}

impl<T> Default for RouterBuilder<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> RouterBuilder<T> {
    /// No routes.
    pub fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
            values: Vec::new(),
            lookalikes: Lookalikes::new(),
        }
    }

    /// Add a route. Methods are compared byte for byte.
    ///
    /// # Errors
    ///
    /// If the endpoint is no path template, or if the route is there already.
    pub fn insert(&mut self, method: &str, endpoint: &str, value: T) -> Result<(), RouteError> {
        let template = Template::parse(endpoint).map_err(|reason| RouteError::Template {
            endpoint: endpoint.to_owned(),
            reason,
        })?;
        let mut at = 0;
        for segment in &template.segments {
            at = self.child(at, segment);
        }
        let methods = &mut self.nodes[at].methods;
        if methods
            .iter()
            .any(|(known, _)| known.as_slice() == method.as_bytes())
        {
            return Err(RouteError::Duplicate {
                method: method.to_owned(),
                endpoint: endpoint.to_owned(),
            });
        }
        methods.push((Text::from_slice(method.as_bytes()), self.values.len()));
        self.values.push(value);
        self.lookalikes.insert(&template.segments, at);
        Ok(())
    }

    /// The router of all routes inserted.
    pub fn build(self) -> Router<T> {
        Router {
            nodes: self.nodes,
            values: self.values,
            lookalikes: self.lookalikes,
        }
    }

    fn child(&mut self, parent: usize, segment: &Segment) -> usize {
        let next = self.nodes.len();
        let node = &mut self.nodes[parent];
        let child = match segment {
            Segment::Literal(text) => *node
                .literals
                .entry(Text::from_slice(text.as_bytes()))
                .or_insert(next),
            Segment::Variable => *node.variable.get_or_insert(next),
            Segment::Mixed(mixed) => {
                if let Some((_, child)) = node.mixed.iter().find(|(known, _)| known == mixed) {
                    *child
                } else {
                    let more = mixed.literal_bytes();
                    let place = node
                        .mixed
                        .partition_point(|(known, _)| known.literal_bytes() >= more);
                    node.mixed.insert(place, (mixed.clone(), next));
                    next
                }
            }
        };
        if child == next {
            self.nodes.push(Node::default());
        }
        child
    }
}

impl<T> Router<T> {
    /// The most specific route for a method and a path (no query), or `None`.
    ///
    /// Paths are compared segment by segment after decoding percent-encoded unreserved characters, so `/%74emps` is
    /// `/temps`; `%2F` is not a separator, and a trailing slash makes another path.
    pub fn find<'r, 'p>(&'r self, method: &str, path: &'p str) -> Option<Match<'r, 'p, T>> {
        let rest = path.strip_prefix('/')?;
        let mut variables = Variables::new();
        let value = self.descend(0, Some(rest), method, &mut variables)?;
        Some(Match {
            value: &self.values[value],
            variables,
        })
    }

    /// The routes, of any method, whose template the path does not match but might to an origin that reads paths more
    /// loosely: in another case, with a trailing slash, with parameters; see [`loosest_reading`](crate::loosest_reading).
    pub fn lookalikes<'r>(&'r self, path: &str) -> impl Iterator<Item = &'r T> {
        let mut found = self.lookalikes.find(path);
        if !found.is_empty() {
            let mut exact = SmallVec::new();
            self.collect(0, path.strip_prefix('/'), &mut exact);
            found.retain(|leaf| !exact.contains(leaf));
        }
        let methods = found.into_iter().flat_map(|leaf| &self.nodes[leaf].methods);
        methods.map(|(_, value)| &self.values[*value])
    }

    /// All nodes whose template the path matches.
    fn collect(&self, at: usize, rest: Option<&str>, found: &mut SmallVec<[usize; 4]>) {
        let node = &self.nodes[at];
        let Some(rest) = rest else {
            found.push(at);
            return;
        };
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        if let Some(child) = node.literals.get(normalise(segment).as_bytes()) {
            self.collect(*child, rest, found);
        }
        for (mixed, child) in &node.mixed {
            if match_mixed(mixed, segment, &mut Variables::new()) {
                self.collect(*child, rest, found);
            }
        }
        if let Some(child) = node.variable.filter(|_| !segment.is_empty()) {
            self.collect(child, rest, found);
        }
    }

    /// The number of routes.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no routes.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn descend<'p>(
        &self,
        at: usize,
        rest: Option<&'p str>,
        method: &str,
        variables: &mut Variables<'p>,
    ) -> Option<usize> {
        let node = &self.nodes[at];
        let Some(rest) = rest else {
            return node
                .methods
                .iter()
                .find(|(known, _)| known.as_slice() == method.as_bytes())
                .map(|(_, value)| *value);
        };
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        if !node.literals.is_empty()
            && let Some(child) = node.literals.get(normalise(segment).as_bytes())
            && let Some(value) = self.descend(*child, rest, method, variables)
        {
            return Some(value);
        }
        let before = variables.len();
        for (mixed, child) in &node.mixed {
            if match_mixed(mixed, segment, variables)
                && let Some(value) = self.descend(*child, rest, method, variables)
            {
                return Some(value);
            }
            variables.truncate(before);
        }
        let child = node.variable.filter(|_| !segment.is_empty())?;
        variables.push(segment);
        let value = self.descend(child, rest, method, variables);
        if value.is_none() {
            variables.truncate(before);
        }
        value
    }
}

fn match_mixed<'p>(mixed: &Mixed, segment: &'p str, variables: &mut Variables<'p>) -> bool {
    if is_normalised(segment) {
        return mixed.matches(segment, |start, end| variables.push(&segment[start..end]));
    }
    let (normal, offsets) = normalise_with_offsets(segment);
    mixed.matches(&normal, |start, end| {
        let raw = segment.get(offsets[start]..offsets[end]);
        variables.push(raw.unwrap_or_default());
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[(&str, &str)]) -> Router<String> {
        let mut builder = RouterBuilder::new();
        for (method, endpoint) in routes {
            builder
                .insert(method, endpoint, (*endpoint).to_owned())
                .expect(endpoint);
        }
        builder.build()
    }

    /// Template and variables.
    type Wanted<'c> = Option<(&'c str, &'c [&'c str])>;

    #[test]
    fn the_most_specific_template_wins() {
        let router = router(&[
            ("GET", "/"),
            ("GET", "/users/{id}"),
            ("GET", "/users/me"),
            ("PUT", "/users/{id}"),
            ("GET", "/users/{id}/posts"),
            ("GET", "/users/me/posts/{post}"),
            ("GET", "/{any}/{thing}/posts/latest"),
            ("GET", "/files/{name}"),
            ("GET", "/files/{name}.json"),
            ("GET", "/files/a-{name}.json"),
            ("GET", "/slash/"),
        ]);
        let cases: [(&str, &str, Wanted<'_>); 17] = [
            ("GET", "/", Some(("/", &[]))),
            ("GET", "/users/7", Some(("/users/{id}", &["7"]))),
            ("GET", "/users/me", Some(("/users/me", &[]))),
            ("GET", "/%75sers/%6De", Some(("/users/me", &[]))),
            ("PUT", "/users/me", Some(("/users/{id}", &["me"]))),
            (
                "GET",
                "/users/me/posts",
                Some(("/users/{id}/posts", &["me"])),
            ),
            (
                "GET",
                "/users/me/posts/latest",
                Some(("/users/me/posts/{post}", &["latest"])),
            ),
            (
                "GET",
                "/users/7/posts/latest",
                Some(("/{any}/{thing}/posts/latest", &["users", "7"])),
            ),
            ("GET", "/files/x", Some(("/files/{name}", &["x"]))),
            ("GET", "/files/x.json", Some(("/files/{name}.json", &["x"]))),
            (
                "GET",
                "/files/a-x%2Ejson",
                Some(("/files/a-{name}.json", &["x"])),
            ),
            (
                "GET",
                "/files/%61b%2fc.json",
                Some(("/files/{name}.json", &["%61b%2fc"])),
            ),
            ("GET", "/users/", None),
            ("GET", "/users/7/", None),
            ("GET", "/slash/", Some(("/slash/", &[]))),
            ("POST", "/users/7", None),
            ("GET", "users/7", None),
        ];
        for (method, path, wanted) in cases {
            let found = router.find(method, path);
            let found = found
                .as_ref()
                .map(|found| (found.value.as_str(), found.variables.as_slice()));
            assert_eq!(found, wanted, "{method} {path}");
        }
    }

    #[test]
    fn a_path_resembles_the_templates_it_does_not_match() {
        let router = router(&[
            ("GET", "/"),
            ("GET", "/temps"),
            ("POST", "/temps"),
            ("GET", "/Files/{name}.json"),
            ("GET", "/users/{id}"),
            ("PUT", "/users/me"),
            ("GET", "/slash/"),
            ("GET", "/a%20b"),
        ]);
        let cases: [(&str, &[&str]); 19] = [
            ("/temps", &[]),
            ("/Temps", &["/temps", "/temps"]),
            ("/temps/", &["/temps", "/temps"]),
            ("/temps;a=1/", &["/temps", "/temps"]),
            ("/temps%20", &["/temps", "/temps"]),
            ("/temps/x", &[]),
            ("/files/A.JSON", &["/Files/{name}.json"]),
            ("/Files/A.json", &[]),
            ("/users/7/", &["/users/{id}"]),
            ("/USERS/7", &["/users/{id}"]),
            ("/users/7", &[]),
            ("/users/ME", &["/users/me"]),
            ("/users/me;x", &["/users/me"]),
            ("/users/", &[]),
            ("/slash", &["/slash/"]),
            ("/slash/", &[]),
            ("/A%20B", &["/a%20b"]),
            ("/", &[]),
            ("*", &[]),
        ];
        for (path, wanted) in cases {
            let found: Vec<&str> = router.lookalikes(path).map(String::as_str).collect();
            assert_eq!(found, wanted, "{path}");
        }
    }

    #[test]
    fn equal_templates_are_refused() {
        let mut builder = RouterBuilder::new();
        builder.insert("GET", "/a/{x}", ()).expect("the first");
        builder.insert("PUT", "/a/{y}", ()).expect("another method");
        assert!(matches!(
            builder.insert("GET", "/%61/{y}", ()),
            Err(RouteError::Duplicate { .. })
        ));
        assert!(matches!(
            builder.insert("GET", "/a/{y", ()),
            Err(RouteError::Template { .. })
        ));
        assert_eq!(builder.build().len(), 2);
    }
}
