//! Sizes, times and numbers of CPUs, read as people write them: in `--limit` and in the configuration.

use std::time::Duration;

use gambeson_sandbox::{Bytes, MilliCpus};

/// How to write a size, for sentences about one that makes no sense.
pub const SIZE: &str = "a size such as 512K, 64M or 1.5G";
/// How to write a time.
pub const TIME: &str = "a time such as 500ms, 10s or 2m";
/// How to write a number of CPUs.
pub const CPUS: &str = "a number of CPUs such as 1 or 0.5";
/// How to write a count.
pub const COUNT: &str = "a whole number from 1 up";

/// A number and its unit: digits, perhaps a fraction, then letters.
fn split(value: &str) -> (&str, &str) {
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    value.split_at(end)
}

/// `number * scale`, if it is a finite, positive or zero number that fits.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(scale);
    }
    let value = number.parse::<f64>().ok()? * scale as f64;
    (value.is_finite() && value >= 0.0 && value < u64::MAX as f64).then_some(value as u64)
}

/// A size in binary units: `K`, `M`, `G`, `T`, or bytes without one.
pub fn bytes(value: &str) -> Option<Bytes> {
    let (number, unit) = split(value);
    let scale = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        "T" | "TB" | "TIB" => 1u64 << 40,
        _ => return None,
    };
    scaled(number, scale).map(Bytes)
}

/// A time in `ms`, `s`, `m`, `h`, `d`, or in seconds without a unit.
pub fn time(value: &str) -> Option<Duration> {
    let (number, unit) = split(value);
    let scale_us = match unit {
        "ms" => 1_000,
        "" | "s" => 1_000_000,
        "m" | "min" => 60_000_000,
        "h" => 3_600_000_000u64,
        "d" => 86_400_000_000u64,
        _ => return None,
    };
    scaled(number, scale_us).map(Duration::from_micros)
}

/// A number of CPUs, to a thousandth.
pub fn cpus(value: &str) -> Option<MilliCpus> {
    scaled(value, 1000).and_then(|thousandths| u32::try_from(thousandths).ok()).map(MilliCpus)
}

/// A whole number.
pub fn count(value: &str) -> Option<u32> {
    value.parse().ok()
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
        assert_eq!(time("213503983d"), None);
        assert_eq!(cpus("-1"), None);
    }
}
