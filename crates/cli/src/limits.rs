//! `--limit KEY=VALUE`, read as people write it.

use std::time::Duration;

use gambeson_sandbox::{Bytes, LimitOutOfRange, Limits, MilliCpus};

use crate::quantity;

/// A limit that makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub struct BadLimit(String);

impl std::fmt::Display for BadLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadLimit {}

const KEYS: &str = "memory, wall, cpu, cpus, pids, disk, files, open_files, output";

/// Applies `settings` to the defaults, in their order.
///
/// # Errors
/// Says what is wrong with the first that is, and how to write it.
pub fn parse<S: AsRef<str>>(settings: &[S]) -> Result<Limits, BadLimit> {
    let mut limits = Limits::default();
    for setting in settings {
        let setting = setting.as_ref();
        let (key, value) = setting
            .split_once('=')
            .ok_or_else(|| BadLimit(format!("limit {setting:?} has no value; write for example memory=256M")))?;
        match key {
            "memory" => limits.memory = bytes(key, value)?,
            "disk" => limits.disk = bytes(key, value)?,
            "output" => limits.output = bytes(key, value)?,
            "wall" => limits.wall = time(key, value)?,
            "cpu" => limits.cpu = time(key, value)?,
            "cpus" => limits.cpus = cpus(key, value)?,
            "pids" => limits.pids = count(key, value)?,
            "files" => limits.files = count(key, value)?,
            "open_files" => limits.open_files = count(key, value)?,
            _ => return Err(BadLimit(format!("there is no limit {key:?}; there are {KEYS}"))),
        }
    }
    limits.checked().map_err(|error: LimitOutOfRange| BadLimit(error.to_string()))
}

fn bad(key: &str, value: &str, how: &str) -> BadLimit {
    BadLimit(format!("limit {key} is {value:?}; write {how}"))
}

fn bytes(key: &str, value: &str) -> Result<Bytes, BadLimit> {
    quantity::bytes(value).ok_or_else(|| bad(key, value, quantity::SIZE))
}

fn time(key: &str, value: &str) -> Result<Duration, BadLimit> {
    quantity::time(value).ok_or_else(|| bad(key, value, quantity::TIME))
}

fn cpus(key: &str, value: &str) -> Result<MilliCpus, BadLimit> {
    quantity::cpus(value).ok_or_else(|| bad(key, value, quantity::CPUS))
}

fn count(key: &str, value: &str) -> Result<u32, BadLimit> {
    quantity::count(value).ok_or_else(|| bad(key, value, quantity::COUNT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_people_write_them() {
        let limits =
            parse(&["memory=1.5G", "wall=500ms", "cpu=2m", "cpus=0.5", "pids=8", "disk=64m", "output=0"]).unwrap();
        assert_eq!(limits.memory, Bytes(3 << 29));
        assert_eq!(limits.wall, Duration::from_millis(500));
        assert_eq!(limits.cpu, Duration::from_secs(120));
        assert_eq!(limits.cpus, MilliCpus(500));
        assert_eq!((limits.pids, limits.disk, limits.output), (8, Bytes::mebi(64), Bytes(0)));
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_a_sentence() {
        for (given, said) in [
            ("memory", "limit \"memory\" has no value; write for example memory=256M"),
            ("memory=0", "limit memory is 0 bytes; it must be from 16 MiB to 65536 GiB"),
            ("memory=-1M", "limit memory is \"-1M\"; write a size such as 512K, 64M or 1.5G"),
            ("memory=nan", "limit memory is \"nan\"; write a size such as 512K, 64M or 1.5G"),
            (
                "memory=99999999999999999999G",
                "limit memory is \"99999999999999999999G\"; write a size such as 512K, 64M or 1.5G",
            ),
            ("memory=1e99", "limit memory is \"1e99\"; write a size such as 512K, 64M or 1.5G"),
            ("pids=0", "limit pids is 0; it must be from 1 to 1048576"),
            ("pids=1.5", "limit pids is \"1.5\"; write a whole number from 1 up"),
            ("wall=0", "limit wall is 0ns; it must be from 10ms to 2592000s"),
            ("cpus=inf", "limit cpus is \"inf\"; write a number of CPUs such as 1 or 0.5"),
            (
                "memry=1G",
                "there is no limit \"memry\"; there are memory, wall, cpu, cpus, pids, disk, files, open_files, output",
            ),
        ] {
            assert_eq!(parse(&[given]).unwrap_err().to_string(), said);
        }
    }
}
