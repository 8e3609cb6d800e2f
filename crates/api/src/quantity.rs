//! Sizes, times and counts as people write them: `256M`, `10s`, `0.5`.

use serde::{Deserialize, Deserializer, Serialize};

/// How to write a size, for sentences about one that makes no sense.
pub const SIZE: &str = "a size such as 512K, 64M or 1.5G";
/// How to write a time.
pub const TIME: &str = "a time such as 500ms, 10s or 2m";
/// How to write a number of CPUs.
pub const CPUS: &str = "a number of CPUs such as 1 or 0.5";
/// How to write a count.
pub const COUNT: &str = "a whole number from 1 up";

/// A quantity that cannot be read: the sentence says how to write it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {given:?}; write {how}")]
pub struct BadQuantity {
    name: String,
    given: String,
    how: &'static str,
}

fn bad(name: &str, given: &str, how: &'static str) -> BadQuantity {
    BadQuantity { name: name.to_owned(), given: given.chars().take(60).collect(), how }
}

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

/// Bytes of `value`, such as `512K`, `64M` or `1.5G`; units are powers of 1024.
///
/// # Errors
/// When it is no size, naming `name`.
pub fn bytes(name: &str, value: &str) -> Result<u64, BadQuantity> {
    let (number, unit) = split(value);
    let scale = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => Some(1),
        "K" | "KB" | "KIB" => Some(1 << 10),
        "M" | "MB" | "MIB" => Some(1 << 20),
        "G" | "GB" | "GIB" => Some(1 << 30),
        "T" | "TB" | "TIB" => Some(1u64 << 40),
        _ => None,
    };
    scale.and_then(|scale| scaled(number, scale)).ok_or_else(|| bad(name, value, SIZE))
}

/// Milliseconds of `value`, such as `500ms`, `10s`, `2m`, `1h` or `7d`; without a unit, seconds.
///
/// # Errors
/// When it is no time, naming `name`.
pub fn duration_ms(name: &str, value: &str) -> Result<u64, BadQuantity> {
    let (number, unit) = split(value);
    let scale = match unit {
        "ms" => Some(1),
        "" | "s" => Some(1_000),
        "m" | "min" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000u64),
        _ => None,
    };
    scale.and_then(|scale| scaled(number, scale)).ok_or_else(|| bad(name, value, TIME))
}

/// Thousandths of a CPU of `value`, such as `1` or `0.5`.
///
/// # Errors
/// When it is no such number, naming `name`.
pub fn cpus(name: &str, value: &str) -> Result<u32, BadQuantity> {
    scaled(value, 1000).and_then(|thousandths| u32::try_from(thousandths).ok()).ok_or_else(|| bad(name, value, CPUS))
}

/// A whole number.
///
/// # Errors
/// When it is none, naming `name`.
pub fn count(name: &str, value: &str) -> Result<u32, BadQuantity> {
    value.parse().map_err(|_| bad(name, value, COUNT))
}

/// A quantity in JSON: text with a unit, or a bare number in the unit that text without one has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Quantity(pub String);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Quantity;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, or text such as \"256M\" or \"10s\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Quantity, E> {
                Ok(Quantity(text.to_owned()))
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Quantity, E> {
                Ok(Quantity(number.to_string()))
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Quantity, E> {
                Ok(Quantity(number.to_string()))
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Quantity, E> {
                Ok(Quantity(number.to_string()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Quantity {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::String))
            .item(ObjectBuilder::new().schema_type(Type::Number))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Quantity {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_people_write_them() {
        assert_eq!(bytes("memory", "1.5G"), Ok(3 << 29));
        assert_eq!(bytes("disk", "64m"), Ok(64 << 20));
        assert_eq!(duration_ms("wall", "500ms"), Ok(500));
        assert_eq!(duration_ms("keep", "7d"), Ok(7 * 86_400_000));
        assert_eq!(duration_ms("wall", "0.5"), Ok(500));
        assert_eq!(cpus("cpus", "0.5"), Ok(500));
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_a_sentence() {
        for value in ["-1M", "nan", "inf", "1e99", "99999999999999999999G", "", "M", "1Q"] {
            let said = bytes("memory", value).unwrap_err().to_string();
            assert_eq!(said, format!("memory is {value:?}; write a size such as 512K, 64M or 1.5G"));
        }
        assert!(count("pids", "1.5").is_err());
        assert!(cpus("cpus", "inf").is_err());
    }
}
