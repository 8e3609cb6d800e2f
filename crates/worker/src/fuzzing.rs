//! What must hold for whatever bytes a decoder is given: one function a decoder, for libFuzzer (`cargo xtask fuzz`) and
//! for the tests below. Each panics when a promise is broken, and says which.

pub use crate::egress::fuzzing::{hello, request};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// Each seed is a case, too.
    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
        std::fs::read_dir(dir).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
    }

    #[test]
    fn the_seeds_of_fuzzing_break_no_promise() {
        seeds("request").iter().for_each(|seed| super::request(seed));
        seeds("hello").iter().for_each(|seed| super::hello(seed));
    }

    proptest! {
        #[test]
        fn no_bytes_break_a_promise(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            super::request(&bytes);
            super::hello(&bytes);
        }
    }
}
