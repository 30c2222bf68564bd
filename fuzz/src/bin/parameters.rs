//! Fuzzes [`hauberk_fuzz::parameters::check`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hauberk_fuzz::parameters::check(data));
