//! Sizes, times and numbers of CPUs, read as people write them: in `--limit` and in the configuration.

use std::time::Duration;

use gambeson_sandbox::{Bytes, MilliCpus};

pub use gambeson_api::{COUNT, CPUS, SIZE, TIME};

/// A size in binary units: `K`, `M`, `G`, `T`, or bytes without one.
pub fn bytes(value: &str) -> Option<Bytes> {
    gambeson_api::bytes("size", value).ok().map(Bytes)
}

/// A time in `ms`, `s`, `m`, `h`, `d`, or in seconds without a unit; to a millisecond.
pub fn time(value: &str) -> Option<Duration> {
    gambeson_api::duration_ms("time", value).ok().map(Duration::from_millis)
}

/// A number of CPUs, to a thousandth.
pub fn cpus(value: &str) -> Option<MilliCpus> {
    gambeson_api::cpus("cpus", value).ok().map(MilliCpus)
}

/// A whole number.
pub fn count(value: &str) -> Option<u32> {
    gambeson_api::count("count", value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_scales_its_number() {
        assert_eq!(bytes("1.5G"), Some(Bytes(3 << 29)));
        assert_eq!(bytes("10"), Some(Bytes(10)));
        assert_eq!(time("7d"), Some(Duration::from_secs(7 * 86_400)));
        assert_eq!(time("0.5h"), Some(Duration::from_secs(1800)));
        assert_eq!(cpus("0.25"), Some(MilliCpus(250)));
    }

    #[test]
    fn another_unit_and_a_product_that_does_not_fit_are_nothing() {
        assert_eq!(time("10M"), None);
        assert_eq!(time("7w"), None);
        assert_eq!(bytes("10s"), None);
        assert_eq!(bytes("18446744073709551615K"), None);
        assert_eq!(time("213503982335d"), None);
        assert_eq!(cpus("-1"), None);
    }
}
