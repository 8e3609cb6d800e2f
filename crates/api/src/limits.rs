//! What a job may use: as asked for, and as decided.

use serde::{Deserialize, Serialize};

use crate::quantity::{self, Quantity};

/// Limits as a submission asks for them; what is left out has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LimitsAsked {
    /// Memory of the whole process tree, files in `/work` and `/tmp` included: `256M`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Quantity>,
    /// Time on the clock: `60s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall: Option<Quantity>,
    /// CPU time of the whole tree: `30s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Quantity>,
    /// CPUs busy at once: `1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<Quantity>,
    /// Processes and threads at once: `64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids: Option<Quantity>,
    /// Bytes written to `/work`, `/tmp` and `/dev/shm`: `64M`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Quantity>,
    /// Files and directories in the same places: `4096`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Quantity>,
    /// Descriptors that one process may have open: `1024`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_files: Option<Quantity>,
    /// Bytes of stdout and stderr together: `8M`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Quantity>,
}

/// Limits of one job, decided. Sizes in bytes, times in milliseconds, CPUs in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Memory of the whole process tree, bytes.
    pub memory_bytes: u64,
    /// Time on the clock, milliseconds.
    pub wall_ms: u64,
    /// CPU time of the whole tree, milliseconds.
    pub cpu_ms: u64,
    /// CPUs busy at once, thousandths.
    pub cpus_milli: u32,
    /// Processes and threads at once.
    pub pids: u32,
    /// Bytes written to `/work`, `/tmp` and `/dev/shm`.
    pub disk_bytes: u64,
    /// Files and directories in the same places.
    pub files: u32,
    /// Descriptors that one process may have open.
    pub open_files: u32,
    /// Bytes of stdout and stderr together.
    pub output_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_bytes: 256 << 20,
            wall_ms: 60_000,
            cpu_ms: 30_000,
            cpus_milli: 1000,
            pids: 64,
            disk_bytes: 64 << 20,
            files: 4096,
            open_files: 1024,
            output_bytes: 8 << 20,
        }
    }
}

/// Limits that make no sense, or exceed what may be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitsProblem {
    /// It cannot be read.
    #[error("limit {0}")]
    Unreadable(#[from] quantity::BadQuantity),
    /// Nobody can run with so little, or so much.
    #[error("limit {name} is {given}; it must be from {least} to {most}")]
    OutOfRange {
        /// Which.
        name: &'static str,
        /// As asked for, in its own unit.
        given: u64,
        /// The least that a cell can run with.
        least: u64,
        /// The most that can be enforced.
        most: u64,
    },
    /// More than this project, or this installation, allows.
    #[error("limit {name} is {given}; {whose} allows at most {most}")]
    AboveCeiling {
        /// Which.
        name: &'static str,
        /// As asked for.
        given: u64,
        /// The most.
        most: u64,
        /// Whose ceiling it is.
        whose: &'static str,
    },
}

const LONGEST_MS: u64 = 30 * 86_400_000;

impl Limits {
    /// `asked` over `defaults`, each value read and in the range that a cell can enforce.
    ///
    /// # Errors
    /// Names the first limit that makes no sense.
    pub fn from_asked(asked: &LimitsAsked, defaults: Limits) -> Result<Limits, LimitsProblem> {
        let mut limits = defaults;
        if let Some(Quantity(value)) = &asked.memory {
            limits.memory_bytes = quantity::bytes("memory", value)?;
        }
        if let Some(Quantity(value)) = &asked.wall {
            limits.wall_ms = quantity::duration_ms("wall", value)?;
        }
        if let Some(Quantity(value)) = &asked.cpu {
            limits.cpu_ms = quantity::duration_ms("cpu", value)?;
        }
        if let Some(Quantity(value)) = &asked.cpus {
            limits.cpus_milli = quantity::cpus("cpus", value)?;
        }
        if let Some(Quantity(value)) = &asked.pids {
            limits.pids = quantity::count("pids", value)?;
        }
        if let Some(Quantity(value)) = &asked.disk {
            limits.disk_bytes = quantity::bytes("disk", value)?;
        }
        if let Some(Quantity(value)) = &asked.files {
            limits.files = quantity::count("files", value)?;
        }
        if let Some(Quantity(value)) = &asked.open_files {
            limits.open_files = quantity::count("open_files", value)?;
        }
        if let Some(Quantity(value)) = &asked.output {
            limits.output_bytes = quantity::bytes("output", value)?;
        }
        // The same ranges as the sandbox's own: there a fault would be ours, here it is the caller's mistake.
        let ranges: [(u64, u64); 9] = [
            (16 << 20, 1 << 46),
            (10, LONGEST_MS),
            (10, LONGEST_MS),
            (10, 4_096_000),
            (1, 1 << 20),
            (1 << 16, 1 << 46),
            (16, 1 << 30),
            (16, 1 << 20),
            (0, 1 << 40),
        ];
        for ((name, given), (least, most)) in limits.named().into_iter().zip(ranges) {
            if given < least || given > most {
                return Err(LimitsProblem::OutOfRange { name, given, least, most });
            }
        }
        Ok(limits)
    }

    /// Every limit with its name on the wire.
    pub const fn named(&self) -> [(&'static str, u64); 9] {
        [
            ("memory", self.memory_bytes),
            ("wall", self.wall_ms),
            ("cpu", self.cpu_ms),
            ("cpus", self.cpus_milli as u64),
            ("pids", self.pids as u64),
            ("disk", self.disk_bytes),
            ("files", self.files as u64),
            ("open_files", self.open_files as u64),
            ("output", self.output_bytes),
        ]
    }

    /// Whether no limit exceeds `ceiling`, which is `whose`.
    ///
    /// # Errors
    /// Names the first that does.
    pub fn within(&self, ceiling: &Limits, whose: &'static str) -> Result<(), LimitsProblem> {
        for ((name, given), (_, most)) in self.named().into_iter().zip(ceiling.named()) {
            if given > most {
                return Err(LimitsProblem::AboveCeiling { name, given, most, whose });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(json: &str) -> LimitsAsked {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn limits_are_text_or_numbers_and_the_rest_is_default() {
        let limits = Limits::from_asked(&asked(r#"{"memory":"128M","wall":2,"cpus":0.5}"#), Limits::default()).unwrap();
        assert_eq!(limits, Limits { memory_bytes: 128 << 20, wall_ms: 2000, cpus_milli: 500, ..Limits::default() });
    }

    #[test]
    fn zero_negative_and_overflowing_limits_are_refused() {
        for bad in [
            r#"{"wall":0}"#,
            r#"{"wall":-1}"#,
            r#"{"memory":18446744073709551615}"#,
            r#"{"memory":"99999999999G"}"#,
            r#"{"pids":0}"#,
            r#"{"cpus":1e300}"#,
            r#"{"cpu":"forever"}"#,
        ] {
            assert!(Limits::from_asked(&asked(bad), Limits::default()).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<LimitsAsked>(r#"{"memry":"1G"}"#).is_err());
    }

    #[test]
    fn a_ceiling_names_the_limit_that_exceeds_it() {
        let ceiling = Limits { wall_ms: 10_000, ..Limits::default() };
        let said = Limits::default().within(&ceiling, "the project").unwrap_err().to_string();
        assert_eq!(said, "limit wall is 60000; the project allows at most 10000");
    }
}
