//! The types of settings: how each is read from text, and how to write one.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use gambeson_sandbox::{Bytes, Layer, MilliCpus};

use crate::quantity;

/// As what a setting stands in a TOML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// In quotes.
    Text,
    /// In quotes; a relative one counts from the directory of the file, or from the working directory.
    Path,
    /// A whole number, bare.
    Count,
    /// A number with or without a fraction, bare or in quotes.
    Decimal,
    /// `true` or `false`.
    Switch,
    /// An array of texts; one text with commas in flags and variables.
    List,
}

/// A type that a setting may have.
pub trait Value: Sized {
    /// One word for it, in documents.
    const NOUN: &'static str;
    /// How to write one, in sentences about one that makes no sense.
    const HOW: &'static str;
    /// As what it stands in a TOML file.
    const SHAPE: Shape;

    /// `None` where `text` is no such value.
    fn read(text: &str) -> Option<Self>;

    /// The value of a setting that nobody set and that has no default.
    fn unset() -> Option<Self> {
        None
    }

    /// Whether it is from `least` to `most`, for types that have an order.
    fn within(&self, _least: &str, _most: &str) -> bool {
        true
    }
}

impl<T: Value> Value for Option<T> {
    const NOUN: &'static str = T::NOUN;
    const HOW: &'static str = T::HOW;
    const SHAPE: Shape = T::SHAPE;

    fn read(text: &str) -> Option<Self> {
        T::read(text).map(Some)
    }

    fn unset() -> Option<Self> {
        Some(None)
    }

    fn within(&self, least: &str, most: &str) -> bool {
        self.as_ref().is_none_or(|value| value.within(least, most))
    }
}

/// Reads both ends of a range and compares.
macro_rules! ordered {
    () => {
        fn within(&self, least: &str, most: &str) -> bool {
            Self::read(least).is_some_and(|least| *self >= least) && Self::read(most).is_some_and(|most| *self <= most)
        }
    };
}

impl Value for Bytes {
    const NOUN: &'static str = "size";
    const HOW: &'static str = quantity::SIZE;
    const SHAPE: Shape = Shape::Text;

    fn read(text: &str) -> Option<Bytes> {
        quantity::bytes(text)
    }

    ordered!();
}

impl Value for Duration {
    const NOUN: &'static str = "time";
    const HOW: &'static str = quantity::TIME;
    const SHAPE: Shape = Shape::Text;

    fn read(text: &str) -> Option<Duration> {
        quantity::time(text)
    }

    ordered!();
}

impl Value for MilliCpus {
    const NOUN: &'static str = "CPUs";
    const HOW: &'static str = quantity::CPUS;
    const SHAPE: Shape = Shape::Decimal;

    fn read(text: &str) -> Option<MilliCpus> {
        quantity::cpus(text)
    }

    ordered!();
}

impl Value for u32 {
    const NOUN: &'static str = "count";
    const HOW: &'static str = quantity::COUNT;
    const SHAPE: Shape = Shape::Count;

    fn read(text: &str) -> Option<u32> {
        quantity::count(text)
    }

    ordered!();
}

/// A share of a whole, from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub u8);

impl Value for Percent {
    const NOUN: &'static str = "percent";
    const HOW: &'static str = "a whole number of percent, without the sign";
    const SHAPE: Shape = Shape::Count;

    fn read(text: &str) -> Option<Percent> {
        text.parse().ok().map(Percent)
    }

    ordered!();
}

impl Value for bool {
    const NOUN: &'static str = "switch";
    const HOW: &'static str = "true or false";
    const SHAPE: Shape = Shape::Switch;

    fn read(text: &str) -> Option<bool> {
        text.parse().ok()
    }
}

impl Value for PathBuf {
    const NOUN: &'static str = "path";
    const HOW: &'static str = "a path";
    const SHAPE: Shape = Shape::Path;

    fn read(text: &str) -> Option<PathBuf> {
        (!text.is_empty() && !text.contains('\0')).then(|| text.into())
    }
}

/// A program: a path, or a name to look for on the `PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program(pub PathBuf);

impl Value for Program {
    const NOUN: &'static str = "program";
    const HOW: &'static str = "a path, or a name on the PATH";
    const SHAPE: Shape = Shape::Text;

    fn read(text: &str) -> Option<Program> {
        PathBuf::read(text).map(Program)
    }
}

/// What a worker calls itself, in lists and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerName(pub String);

impl Value for WorkerName {
    const NOUN: &'static str = "name";
    const HOW: &'static str = "up to 64 letters, digits, dots, dashes and underscores";
    const SHAPE: Shape = Shape::Text;

    fn read(text: &str) -> Option<WorkerName> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        (plain && (1..=64).contains(&text.len())).then(|| WorkerName(text.to_owned()))
    }
}

impl Value for SocketAddr {
    const NOUN: &'static str = "address";
    const HOW: &'static str = "an address and a port such as 127.0.0.1:7373 or [::1]:7373";
    const SHAPE: Shape = Shape::Text;

    fn read(text: &str) -> Option<SocketAddr> {
        text.parse().ok()
    }
}

/// Where a server is: `http://HOST[:PORT]`, `https://…` or `unix:/PATH`, without user, password, query or
/// trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl(String);

impl ServerUrl {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// The path of a Unix socket, if it is one.
    pub fn socket(&self) -> Option<&std::path::Path> {
        self.0.strip_prefix("unix:").map(std::path::Path::new)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Value for ServerUrl {
    const NOUN: &'static str = "URL";
    const HOW: &'static str = "https://HOST, http://HOST:PORT or unix:/PATH, without a user or password";
    const SHAPE: Shape = Shape::Text;

    fn read(text: &str) -> Option<ServerUrl> {
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return (path.starts_with('/') && path.len() > 1).then(|| ServerUrl(text.to_owned()));
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        if rest.contains(['@', '?', '#', '\\']) {
            return None;
        }
        let authority = rest.split('/').next()?;
        // An IPv6 address stands in brackets, so that its colons are none of a port's.
        let (host, port) = match authority.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(Some((host, port))) => (host.parse::<std::net::Ipv6Addr>().ok().map(|_| host)?, port),
            Some(None) => return None,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port_is_one = port.is_empty() || port.strip_prefix(':')?.parse::<u16>().is_ok_and(|port| port > 0);
        (!host.is_empty() && port_is_one).then(|| ServerUrl(text.trim_end_matches('/').to_owned()))
    }
}

impl Value for Vec<Layer> {
    const NOUN: &'static str = "layers";
    const HOW: &'static str = "names of layers as gambeson doctor prints them";
    const SHAPE: Shape = Shape::List;

    fn read(text: &str) -> Option<Vec<Layer>> {
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(|name| name.parse().ok()).collect()
    }
}

/// Python modules, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modules(pub Vec<String>);

impl Value for Modules {
    const NOUN: &'static str = "modules";
    const HOW: &'static str = "names of Python modules, such as numpy or xml.etree";
    const SHAPE: Shape = Shape::List;

    fn read(text: &str) -> Option<Modules> {
        let is_name = |part: &str| {
            part.starts_with(|first: char| first.is_alphabetic() || first == '_')
                && part.chars().all(|one| one.is_alphanumeric() || one == '_')
        };
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names = names.map(|name| name.split('.').all(is_name).then(|| name.to_owned()));
        names.collect::<Option<_>>().map(Modules)
    }
}

/// Users and groups of this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    /// By name or number.
    pub users: Vec<String>,
    /// The same, written after an `@`.
    pub groups: Vec<String>,
}

impl Value for Users {
    const NOUN: &'static str = "users";
    const HOW: &'static str = "names or numbers of users, and of groups after an @, such as ada, @lab or 1000";
    const SHAPE: Shape = Shape::List;

    fn read(text: &str) -> Option<Users> {
        let mut users = Users::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let (list, name) = match name.strip_prefix('@') {
                Some(name) => (&mut users.groups, name),
                None => (&mut users.users, name),
            };
            let plain = |one: char| one.is_alphanumeric() || "._-$".contains(one);
            if name.is_empty() || name.starts_with('-') || !name.chars().all(plain) {
                return None;
            }
            list.push(name.to_owned());
        }
        Some(users)
    }
}

/// How the log is written to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

impl Value for LogFormat {
    const NOUN: &'static str = "word";
    const HOW: &'static str = "pretty or json";
    const SHAPE: Shape = Shape::Text;

    fn read(text: &str) -> Option<LogFormat> {
        match text {
            "pretty" => Some(LogFormat::Pretty),
            "json" => Some(LogFormat::Json),
            _ => None,
        }
    }
}

/// What is logged: a level, then perhaps `target=level` for parts of the program; what
/// `tracing_subscriber::EnvFilter` reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLevel(pub String);

impl Value for LogLevel {
    const NOUN: &'static str = "level";
    const HOW: &'static str = "error, warn, info, debug, trace or off, perhaps with target=level after a comma";
    const SHAPE: Shape = Shape::Text;

    fn read(text: &str) -> Option<LogLevel> {
        // EnvFilter itself would take a misspelt level for the name of a target, and log that one in full.
        let known = |level: &str| ["off", "error", "warn", "info", "debug", "trace"].contains(&level);
        let directive = |part: &str| match part.trim().split_once('=') {
            Some((target, level)) => !target.is_empty() && known(level),
            None => known(part.trim()),
        };
        text.split(',').all(directive).then(|| LogLevel(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_url_or_a_socket_and_holds_no_password() {
        for good in
            ["http://a", "https://a.b:7373", "http://[::1]:1", "https://a/prefix", "unix:/run/gambeson/gambeson.sock"]
        {
            assert_eq!(ServerUrl::read(good).unwrap().as_str(), good);
        }
        assert_eq!(ServerUrl::read("https://a/").unwrap().as_str(), "https://a");
        for bad in [
            "a:7373",
            "ftp://a",
            "http://",
            "http://:1",
            "http://a:0",
            "http://a:b",
            "http://[::1",
            "http://[zz]",
            "http://[::1]1",
            "https://user:word@a",
            "https://a?x=1",
            "https://a b",
            "unix:",
            "unix:/",
            "unix:relative",
        ] {
            assert_eq!(ServerUrl::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_misspelt_level_is_no_target() {
        assert!(LogLevel::read("info").is_some());
        assert!(LogLevel::read("warn,gambeson_server=debug").is_some());
        assert_eq!(LogLevel::read("inof"), None);
        assert_eq!(LogLevel::read("info,tower_http"), None);
        assert_eq!(LogLevel::read(""), None);
    }

    #[test]
    fn a_range_includes_its_ends() {
        assert!(Duration::from_secs(1).within("1s", "1m"));
        assert!(Duration::from_secs(60).within("1s", "1m"));
        assert!(!Duration::from_millis(999).within("1s", "1m"));
        assert!(!Some(Percent(0)).within("1", "100"));
        assert!(None::<Percent>.within("1", "100"));
    }

    #[test]
    fn groups_are_told_from_users_by_their_mark() {
        let read = Users::read("ada, @lab,1000,@100").unwrap();
        assert_eq!((read.users, read.groups), (vec!["ada".into(), "1000".into()], vec!["lab".into(), "100".into()]));
        assert_eq!(Users::read(""), Some(Users::default()));
        for bad in ["@", "a b", "a:b", "-x", "@@x", "a/b"] {
            assert_eq!(Users::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_list_is_read_with_or_without_spaces() {
        assert_eq!(Vec::<Layer>::read("landlock, cgroup.cpu"), Some(vec![Layer::Landlock, Layer::CgroupCpu]));
        assert_eq!(Vec::<Layer>::read(""), Some(Vec::new()));
        assert_eq!(Vec::<Layer>::read("landlok"), None);
    }
}
