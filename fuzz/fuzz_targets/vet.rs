#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| gambeson_vet::fuzzing::reading(data));
