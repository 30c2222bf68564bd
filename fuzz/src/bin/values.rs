//! Fuzzes [`hauberk_fuzz::values::check`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hauberk_fuzz::values::check(data));
