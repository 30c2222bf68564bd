//! Fuzzes [`hauberk_fuzz::router::check`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hauberk_fuzz::router::check(data));
