//! What the owner of an API has said of its templates. It wins over what was found, and goes on to with more traffic.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::operations::render;
use super::spelling::normalise_host;

/// The owner's corrections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OwnerRules {
    /// Endpoints that stand: every path that matches one is counted for it. This is how templates are merged, made more
    /// general or more special, or kept as they were.
    pub pins: Vec<Pin>,

    /// Variables that are none: each of their values is fixed text.
    pub splits: Vec<Split>,
}

/// An endpoint that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The host, as operations have it; a label may be a variable.
    pub host: String,

    /// The method; none for all.
    #[serde(default)]
    pub method: Option<String>,

    /// Path template; what its variables are called does not matter.
    pub endpoint: String,
}

/// A variable whose values are to be told apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The host, as operations have it.
    pub host: String,

    /// The method; none for all.
    #[serde(default)]
    pub method: Option<String>,

    /// The path template with the variable.
    pub endpoint: String,

    /// Which of its segments, from 0.
    pub segment: usize,
}

/// Why a rule cannot be followed. Such a rule changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    endpoint: String,
    reason: &'static str,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the endpoint {:?} {}", self.endpoint, self.reason)
    }
}

impl std::error::Error for RuleError {}

impl OwnerRules {
    /// Checks that every rule can be followed.
    ///
    /// # Errors
    ///
    /// The first rule whose endpoint is no path template, or that splits a segment without a variable.
    pub fn check(&self) -> Result<(), RuleError> {
        let failed = |endpoint: &str, reason| RuleError {
            endpoint: endpoint.to_owned(),
            reason,
        };
        for pin in &self.pins {
            Pattern::parse(&pin.endpoint).map_err(|reason| failed(&pin.endpoint, reason))?;
        }
        for split in &self.splits {
            let pattern = Pattern::parse(&split.endpoint);
            let pattern = pattern.map_err(|reason| failed(&split.endpoint, reason))?;
            match pattern.segments.get(split.segment) {
                None => {
                    return Err(failed(
                        &split.endpoint,
                        "has fewer segments than the one to split",
                    ));
                }
                Some(texts) if texts.len() < 2 => {
                    return Err(failed(
                        &split.endpoint,
                        "has no variable in the segment to split",
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The hosts that a rule names, in their normal spelling.
    pub(super) fn hosts(&self) -> impl Iterator<Item = String> + '_ {
        let pins = self.pins.iter().map(|pin| &pin.host);
        let splits = self.splits.iter().map(|split| &split.host);
        pins.chain(splits).map(|host| normalise_host(host))
    }

    /// Those for a host, made ready.
    pub(super) fn of_host(&self, host: &str) -> HostRules<'_> {
        let host = host_pattern(host);
        let mut pins: Vec<_> = self
            .pins
            .iter()
            .filter(|pin| host_pattern(&pin.host) == host)
            .filter_map(|pin| Some((pin.method.as_deref(), Pattern::parse(&pin.endpoint).ok()?)))
            .collect();
        // As the gateway's router: the most specific first; a rule for one method before one for all.
        pins.sort_by_cached_key(|(method, pattern)| {
            (pattern.generality(), method.is_none(), pattern.spelled())
        });
        let splits = self
            .splits
            .iter()
            .filter(|split| host_pattern(&split.host) == host)
            .filter_map(|split| {
                let pattern = Pattern::parse(&split.endpoint).ok()?;
                Some((split.method.as_deref(), pattern, split.segment))
            })
            .collect();
        HostRules { pins, splits }
    }
}

/// A host whose variables have no names.
fn host_pattern(host: &str) -> String {
    let host = normalise_host(host);
    let labels = host
        .split('.')
        .map(|label| if label.starts_with('{') { "{}" } else { label });
    labels.collect::<Vec<_>>().join(".")
}

/// The rules for one host.
pub(super) struct HostRules<'r> {
    pins: Vec<(Option<&'r str>, Pattern)>,
    splits: Vec<(Option<&'r str>, Pattern, usize)>,
}

impl HostRules<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.pins.is_empty() && self.splits.is_empty()
    }

    /// The endpoint of a path for which `found` was found, segment by segment.
    pub(super) fn apply(&self, method: &str, path: &[Option<&str>], found: &[String]) -> String {
        let is_for = |rule: Option<&str>| rule.is_none_or(|rule| rule.eq_ignore_ascii_case(method));
        let pin = self
            .pins
            .iter()
            .find(|(rule, pattern)| is_for(*rule) && pattern.matches(path));
        if let Some((_, pattern)) = pin {
            return pattern.spelled();
        }
        let mut pieces: Vec<&str> = found.iter().map(String::as_str).collect();
        for (rule, pattern, segment) in &self.splits {
            if is_for(*rule)
                && pattern.matches(path)
                && let Some(Some(value)) = path.get(*segment)
            {
                pieces[*segment] = value;
            }
        }
        render(pieces.into_iter())
    }

    /// Whether a pin takes this path.
    pub(super) fn pins(&self, method: &str, path: &[Option<&str>]) -> bool {
        self.pins.iter().any(|(rule, pattern)| {
            rule.is_none_or(|rule| rule.eq_ignore_ascii_case(method)) && pattern.matches(path)
        })
    }

    /// Whether a split takes the variable from this segment of the path.
    pub(super) fn splits(&self, method: &str, path: &[Option<&str>], at: usize) -> bool {
        self.splits.iter().any(|(rule, pattern, segment)| {
            *segment == at
                && rule.is_none_or(|rule| rule.eq_ignore_ascii_case(method))
                && pattern.matches(path)
        })
    }
}

/// A path template, segment by segment: the texts before, between and after the variables.
#[derive(Debug)]
struct Pattern {
    segments: Vec<Vec<String>>,
}

impl Pattern {
    fn parse(endpoint: &str) -> Result<Self, &'static str> {
        if !endpoint.starts_with('/') {
            return Err("must begin with '/'");
        }
        if endpoint.contains(['?', '#']) {
            return Err("must be a path alone: no query ('?') and no fragment ('#')");
        }
        let segments = endpoint.split('/').skip(1).map(|segment| {
            let mut texts = Vec::new();
            let mut rest = segment;
            while let Some((text, more)) = rest.split_once('{') {
                let (name, after) = more.split_once('}').ok_or("has braces that do not pair")?;
                if text.contains('}') || name.contains('{') {
                    return Err("has braces that do not pair");
                }
                if text.is_empty() && !texts.is_empty() {
                    return Err("has two variables that touch");
                }
                texts.push(text);
                rest = after;
            }
            if rest.contains('}') {
                return Err("has braces that do not pair");
            }
            texts.push(rest);
            let spelled = |text: &str| super::spelling::spell(text);
            Ok(texts.into_iter().map(spelled).collect())
        });
        Ok(Self {
            segments: segments.collect::<Result<_, _>>()?,
        })
    }

    /// The endpoint in the one spelling.
    fn spelled(&self) -> String {
        let pieces: Vec<String> = self.segments.iter().map(|texts| texts.join("{}")).collect();
        render(pieces.iter().map(String::as_str))
    }

    /// 0 for fixed text, 1 for a mixed segment, 2 for a variable: the lesser the more special.
    fn generality(&self) -> Vec<u8> {
        let kind = |texts: &Vec<String>| match texts.as_slice() {
            [_] => 0,
            [before, after] if before.is_empty() && after.is_empty() => 2,
            _ => 1,
        };
        self.segments.iter().map(kind).collect()
    }

    fn matches(&self, path: &[Option<&str>]) -> bool {
        self.segments.len() == path.len()
            && self
                .segments
                .iter()
                .zip(path)
                .all(|(texts, segment)| match segment {
                    Some(segment) => matches(texts, segment),
                    // The value was not kept; only a variable takes any.
                    None => texts.len() == 2 && texts.iter().all(String::is_empty),
                })
    }
}

/// Whether a segment has these texts with at least one character between each two.
fn matches(texts: &[String], segment: &str) -> bool {
    let [first, between @ .., last] = texts else {
        return texts.first().is_some_and(|text| text == segment);
    };
    let Some(mut rest) = segment.strip_prefix(first.as_str()) else {
        return false;
    };
    for text in between {
        let Some(at) = rest.get(1..).and_then(|rest| rest.find(text.as_str())) else {
            return false;
        };
        rest = &rest[1 + at + text.len()..];
    }
    rest.len() > last.len() && rest.ends_with(last.as_str())
}
