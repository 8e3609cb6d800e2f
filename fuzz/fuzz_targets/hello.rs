#![no_main]

#[path = "../../crates/worker/src/egress/fuzzing.rs"]
#[allow(dead_code)]
mod fuzzing;
#[path = "../../crates/worker/src/egress/hello.rs"]
mod hello;
#[path = "../../crates/worker/src/egress/request.rs"]
mod request;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::hello(data));
