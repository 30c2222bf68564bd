//! Fuzzes [`hauberk_fuzz::document::check`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hauberk_fuzz::document::check(data));
