//! One program for all groups, because it is optimised as a whole and that takes its time.

mod body;
mod document;
mod parameters;
mod router;

use criterion::{criterion_group, criterion_main};
use hauberk_validation_benchmarks as common;

criterion_group! {
    name = benches;
    config = common::criterion();
    targets = router::bench, parameters::bench, body::bench, document::bench
}
criterion_main!(benches);
