//! Fuzzes [`hauberk_fuzz::discover::check`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hauberk_fuzz::discover::check(data));
