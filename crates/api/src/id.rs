//! Ids: a word for the kind, an underscore, and 32 hexadecimal digits of a UUID version 7 (RFC 9562), which sorts by
//! the time of its making.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Text that is no id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no id of a {kind}; such an id looks like {prefix}_0192f0c1d2e37abc8def0123456789ab")]
pub struct BadId {
    given: String,
    kind: &'static str,
    prefix: &'static str,
}

macro_rules! ids {
    ($($name:ident $prefix:literal $kind:literal)*) => {$(
        #[doc = concat!("The id of a ", $kind, ": `", $prefix, "_` and 32 hexadecimal digits.")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What its text begins with.
            pub const PREFIX: &str = $prefix;

            /// A new one; later ones sort after earlier ones, to the millisecond.
            pub fn new() -> $name {
                $name(Uuid::now_v7().as_u128())
            }

            /// From its number, as stored.
            pub const fn from_u128(number: u128) -> $name {
                $name(number)
            }

            /// Its number.
            pub const fn as_u128(self) -> u128 {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> $name {
                $name::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{:032x}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<$name, BadId> {
                let bad = || BadId { given: text.chars().take(80).collect(), kind: $kind, prefix: $prefix };
                let digits = text.strip_prefix(concat!($prefix, "_")).ok_or_else(bad)?;
                // from_str_radix would take a sign and capitals too: one id has one text.
                let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                if digits.len() != 32 || !digits.bytes().all(plain) {
                    return Err(bad());
                }
                u128::from_str_radix(digits, 16).map($name).map_err(|_| bad())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-9a-f]{32}$")))
                    .into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

ids! {
    JobId "job" "job"
    ArrayId "arr" "job array"
    ProjectId "prj" "project"
    UserId "usr" "user"
    KeyId "key" "key"
    WorkerId "wrk" "worker"
    LeaseId "lse" "lease"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_text_and_no_other() {
        let id = JobId::new();
        assert_eq!(id.to_string().parse::<JobId>(), Ok(id));
        for bad in ["", "job_", "job_1", &id.to_string().to_uppercase(), &format!("{id} "), &id.to_string()[4..]] {
            assert!(bad.parse::<JobId>().is_err(), "{bad}");
        }
        assert!(id.to_string().parse::<UserId>().is_err());
        assert!(format!("job_+{:031x}", 1).parse::<JobId>().is_err());
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let ids: Vec<JobId> = (0..1000).map(|_| JobId::new()).collect();
        assert!(ids.is_sorted());
    }
}
