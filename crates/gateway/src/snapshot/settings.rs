//! The settings of a snapshot: what is accepted, how strictly it is read, and how long is waited.
//!
//! Each has a default, so that a snapshot from before the setting was known is still one.

use std::ops::RangeInclusive;

use serde::Deserialize;

/// Limits, timeouts and choices for requests.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) max_body_bytes: usize,
    pub(crate) max_held_bytes: usize,
    pub(crate) max_stream_bytes: u64,
    pub(crate) oversize_body: OversizeBody,
    pub(crate) max_header_bytes: usize,
    pub(crate) max_header_count: usize,
    pub(crate) header_timeout_seconds: u64,
    pub(crate) body_timeout_seconds: u64,
    pub(crate) upstream_connect_timeout_seconds: u64,
    pub(crate) upstream_response_timeout_seconds: u64,
    pub(crate) idle_timeout_seconds: u64,
    pub(crate) lookalike_paths: Suspicious,
    pub(crate) method_override_headers: Suspicious,
    pub(crate) undeclared_query: Departure,
    pub(crate) undeclared_body: Departure,
    pub(crate) repeated_parameters: Departure,
    pub(crate) strict_numbers: bool,
    pub(crate) content_encoding: ContentEncoding,
    pub(crate) max_unpacked_bytes: usize,
    pub(crate) max_unpack_ratio: u32,
    pub(crate) xml: Suspicious,
    pub(crate) read_only: ReadOnly,
    pub(crate) max_json_depth: usize,
    pub(crate) max_json_members: usize,
    pub(crate) max_parts: usize,
    /// The share of responses that is judged, to tell of them: 0 is none, 1 is all.
    pub(crate) response_validation: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_body_bytes: 1024 * 1024,
            max_held_bytes: 256 * 1024 * 1024,
            max_stream_bytes: 1024 * 1024 * 1024,
            oversize_body: OversizeBody::Reject,
            max_header_bytes: 64 * 1024,
            max_header_count: 100,
            header_timeout_seconds: 10,
            body_timeout_seconds: 30,
            upstream_connect_timeout_seconds: 5,
            upstream_response_timeout_seconds: 60,
            idle_timeout_seconds: 60,
            lookalike_paths: Suspicious::Refuse,
            method_override_headers: Suspicious::Refuse,
            undeclared_query: Departure::Reject,
            undeclared_body: Departure::Reject,
            repeated_parameters: Departure::Reject,
            strict_numbers: true,
            content_encoding: ContentEncoding::Refuse,
            max_unpacked_bytes: 1024 * 1024,
            max_unpack_ratio: 100,
            xml: Suspicious::Refuse,
            read_only: ReadOnly::Allow,
            max_json_depth: 64,
            max_json_members: 10_000,
            max_parts: 100,
            response_validation: 0.0,
        }
    }
}

/// A day. Timers count in milliseconds and are added to clocks; far beyond this they would overflow.
const TIMEOUT_SECONDS: RangeInclusive<u64> = 1..=86_400;

impl Settings {
    /// Whether each value is within what makes sense: no timeout at all would let a client or an upstream hold a request
    /// for ever, a depth of millions would let it use up the stack.
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, seconds) in [
            ("header_timeout_seconds", self.header_timeout_seconds),
            ("body_timeout_seconds", self.body_timeout_seconds),
            (
                "upstream_connect_timeout_seconds",
                self.upstream_connect_timeout_seconds,
            ),
            (
                "upstream_response_timeout_seconds",
                self.upstream_response_timeout_seconds,
            ),
            ("idle_timeout_seconds", self.idle_timeout_seconds),
        ] {
            within(name, seconds, TIMEOUT_SECONDS)?;
        }
        within("max_json_depth", self.max_json_depth, 1..=256)?;
        within("max_unpack_ratio", self.max_unpack_ratio, 1..=u32::MAX)?;
        within("response_validation", self.response_validation, 0.0..=1.0)
    }
}

fn within<T: PartialOrd + Copy + std::fmt::Display>(
    name: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    let (least, most) = range.into_inner();
    Err(format!("{name} should be between {least} and {most}"))
}

/// What becomes of a body that is too large to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OversizeBody {
    /// 413.
    Reject,
    /// It streams on, and an event says so.
    Pass,
}

/// What becomes of something the document does not say, such as a query parameter it does not declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Departure {
    /// It is a violation.
    Reject,
    /// It is passed on.
    Allow,
}

/// What becomes of something that has honest uses, but lets a request be read in another way or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Suspicious {
    /// It is not let through.
    Refuse,
    /// It is passed on.
    Pass,
}

/// What becomes of a request with a content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ContentEncoding {
    /// It is a violation.
    Refuse,
    /// A copy is unpacked and judged.
    Unpack,
}

/// What becomes of properties that the document calls read-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReadOnly {
    /// They are passed on.
    Allow,
    /// They are a violation.
    Refuse,
}
