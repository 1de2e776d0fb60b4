#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| abmatic_sync_fuzz_entry::filter(data));
