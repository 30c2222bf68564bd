//! Fuzzes [`hauberk_fuzz::captures::check_har`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hauberk_fuzz::captures::check_har(data));
