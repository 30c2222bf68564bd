//! Fuzzes [`hauberk_fuzz::body::check`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hauberk_fuzz::body::check(data));
