//! Features of the query and of the host name.

use super::feature::{At, Vector};
use super::media::lower;
use super::path::{MAX_BYTES, MAX_WORD_BYTES, without_number};
use super::words::{Parameter, Word, host_word, parameter};

/// As many parameters of a query are looked up.
const MAX_PARAMETERS: usize = 32;

pub(super) fn query_features(query: Option<&str>, vector: &mut Vector) {
    let query = query.unwrap_or_default();
    let bytes = &query.as_bytes()[..query.len().min(MAX_BYTES)];
    let (mut parameters, mut paging, mut fresh, mut tracking, mut keys) = (0, 0, 0, 0, 0);
    let (mut callback, mut operation, mut format) = (false, false, 0_u8);
    for pair in bytes.split(|byte| *byte == b'&') {
        if pair.is_empty() {
            continue;
        }
        parameters += 1;
        if parameters > MAX_PARAMETERS {
            continue;
        }
        let name_end = pair
            .iter()
            .position(|byte| *byte == b'=')
            .unwrap_or(pair.len());
        let mut buffer = [0; MAX_WORD_BYTES];
        let name = lower(&pair[..name_end], &mut buffer);
        match parameter(name) {
            Some(Parameter::Paging) => paging += 1,
            Some(Parameter::Fresh) => fresh += 1,
            Some(Parameter::Callback) => callback = true,
            Some(Parameter::Tracking) => tracking += 1,
            Some(Parameter::Key) => keys += 1,
            Some(Parameter::Operation) => operation = true,
            Some(Parameter::Format) => format = format.max(asked_format(&pair[name_end..])),
            None => {}
        }
    }
    vector.count(At::QueryParameters, parameters);
    vector.count(At::QueryLength, query.len());
    vector.count(At::QueryPaging, paging);
    vector.count(At::QueryFresh, fresh);
    vector.set(At::QueryCallback, callback);
    vector.count(At::QueryTracking, tracking);
    vector.set(At::QueryFormat, format);
    vector.count(At::QueryKey, keys);
    vector.set(At::QueryOperation, operation);
    vector.set(At::QueryStructured, is_structured(bytes));
    vector.set(At::QueryBare, parameters > 0 && !bytes.contains(&b'='));
}

/// As the feature `query_format` numbers it; the value comes with its `=`.
fn asked_format(value: &[u8]) -> u8 {
    let mut buffer = [0; 8];
    let value = lower(value.get(1..).unwrap_or_default(), &mut buffer);
    if value.starts_with(b"json") || value.starts_with(b"xml") {
        2
    } else {
        1
    }
}

fn is_structured(query: &[u8]) -> bool {
    query.iter().enumerate().any(|(at, byte)| match byte {
        b'[' | b'{' => true,
        b'%' => matches!(query.get(at + 1..at + 3), Some([b'5' | b'7', b'B' | b'b'])),
        _ => false,
    })
}

pub(super) fn host_features(host: &str, vector: &mut Vector) {
    let (mut api, mut files, mut beacon) = (0, 0, 0);
    let bytes = &host.as_bytes()[..host.len().min(MAX_BYTES)];
    for word in bytes.split(|byte| !byte.is_ascii_alphanumeric()).take(16) {
        let mut buffer = [0; MAX_WORD_BYTES];
        match host_word(lower(without_number(word), &mut buffer)) {
            Some(Word::Api) => api += 1,
            Some(Word::Static) => files += 1,
            Some(Word::Beacon) => beacon += 1,
            _ => {}
        }
    }
    vector.count(At::HostApi, api);
    vector.count(At::HostStatic, files);
    vector.count(At::HostBeacon, beacon);
}
