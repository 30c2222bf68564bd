//! Fuzzes [`hauberk_fuzz::rules::check`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hauberk_fuzz::rules::check(data));
