//! The saved operations of a host, and which of them a request is for.

use std::collections::HashMap;
use std::sync::Arc;

use hauberk_openapi::{Match, RouteError, Router, RouterBuilder};

pub(crate) use super::document::Mitigation;

/// One operation of the zone, with what is done about requests that depart from its schema.
pub(crate) struct SavedOperation {
    pub(crate) id: Box<str>,
    pub(crate) endpoint: Box<str>,
    /// How requests are judged; none when the operation has no schema, or nothing would come of it.
    pub(crate) validation: Option<Validation>,
}

impl SavedOperation {
    /// What is done about requests that depart from it.
    pub(crate) fn action(&self) -> Mitigation {
        let validation = self.validation.as_ref();
        validation.map_or(Mitigation::None, |validation| validation.action)
    }
}

/// A schema in force.
pub(crate) struct Validation {
    pub(crate) operation: hauberk_openapi::Operation,
    /// Log or block.
    pub(crate) action: Mitigation,
}

/// The operations that requests to one host entry can be for.
#[derive(Default)]
pub(crate) struct Operations {
    /// Most specific host pattern first.
    groups: Vec<Group>,
}

struct Group {
    /// What the host asked for must look like; none when each host of the entry does.
    pattern: Option<HostPattern>,
    router: Router<Arc<SavedOperation>>,
}

impl Operations {
    /// Collects those operations of a zone that the host entry `name` can serve.
    ///
    /// # Errors
    ///
    /// Two operations of the same method, host and endpoint, or an endpoint that is no path template.
    pub(super) fn for_host(
        name: &str,
        operations: &[(HostPattern, String, Arc<SavedOperation>)],
    ) -> Result<Self, RouteError> {
        let mut builders: HashMap<&HostPattern, RouterBuilder<Arc<SavedOperation>>> =
            HashMap::new();
        for (pattern, method, operation) in operations {
            if pattern.overlaps(name) {
                builders.entry(pattern).or_default().insert(
                    method,
                    &operation.endpoint,
                    Arc::clone(operation),
                )?;
            }
        }
        let mut sorted: Vec<_> = builders.into_iter().collect();
        sorted.sort_by(|(left, _), (right, _)| left.by_specificity(right));
        let groups = sorted.into_iter().map(|(pattern, builder)| Group {
            pattern: (!pattern.covers(name)).then(|| pattern.clone()),
            router: builder.build(),
        });
        Ok(Self {
            groups: groups.collect(),
        })
    }

    /// The most specific operation: host first, then path.
    pub(crate) fn find<'r, 'p>(
        &'r self,
        host: &str,
        method: &str,
        path: &'p str,
    ) -> Option<Match<'r, 'p, Arc<SavedOperation>>> {
        self.serving(host)
            .find_map(|group| group.router.find(method, path))
    }

    /// Of the operations whose path this one is not, but may be to the origin, the one that does most about violations.
    pub(crate) fn lookalike(&self, host: &str, path: &str) -> Option<&Arc<SavedOperation>> {
        let alike = self
            .serving(host)
            .flat_map(|group| group.router.lookalikes(path));
        alike.max_by_key(|operation| operation.action())
    }

    /// The groups that a host asked for belongs to.
    fn serving(&self, host: &str) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(move |group| {
            let pattern = group.pattern.as_ref();
            pattern.is_none_or(|pattern| pattern.covers(host))
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

/// The host of an operation: labels, some of them variables (`{hostVar1}.example.com`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct HostPattern {
    /// None is a variable.
    labels: Vec<Option<Box<str>>>,
}

impl HostPattern {
    pub(super) fn new(host: &str) -> Self {
        let label = |label: &str| {
            let variable = label.starts_with('{') && label.ends_with('}');
            (!variable).then(|| label.to_ascii_lowercase().into_boxed_str())
        };
        Self {
            labels: host.split('.').map(label).collect(),
        }
    }

    /// Whether each host of the entry is one of the pattern: `{x}.example.com` covers `*.example.com`.
    fn covers(&self, name: &str) -> bool {
        self.compare(name, |literal, label| literal == label)
    }

    /// Whether some host of the entry may be one of the pattern.
    fn overlaps(&self, name: &str) -> bool {
        self.compare(name, |literal, label| label == "*" || literal == label)
    }

    fn compare(&self, name: &str, same: impl Fn(&str, &str) -> bool) -> bool {
        let mut labels = name.split('.');
        let fits = self.labels.iter().all(|pattern| {
            labels
                .next()
                .is_some_and(|label| pattern.as_ref().is_none_or(|literal| same(literal, label)))
        });
        fits && labels.next().is_none()
    }

    /// A literal label before a variable, from the left; what remains is put in some fixed order.
    fn by_specificity(&self, other: &Self) -> std::cmp::Ordering {
        let key =
            |pattern: &Self| -> Vec<bool> { pattern.labels.iter().map(Option::is_none).collect() };
        key(self)
            .cmp(&key(other))
            .then_with(|| self.labels.cmp(&other.labels))
    }
}
