//! Fuzzes [`hauberk_fuzz::captures::check_access_log`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hauberk_fuzz::captures::check_access_log(data));
