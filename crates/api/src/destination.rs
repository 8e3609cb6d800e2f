//! Where a job may connect to: what `network.allow` of a submission and of a project is made of.
//!
//! A destination is read once, into a form that compares by bytes: names are ASCII (IDNA, UTS #46) and lower case. What
//! programs read differently from each other (`127.1`, `0x7f.1`, `2130706433`) is none.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One place, or several: `pypi.org:443`, `*.example.org:443`, `*:443`, `93.184.215.14:443`, `[2606:2800::1]:443`.
///
/// `*.example.org` is every name below `example.org`, at any depth, and not `example.org` itself; `*` is every name.
/// Neither stands for an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Destination {
    hosts: Hosts,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Hosts {
    Any,
    Below(String),
    One(Host),
}

/// A host as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name: ASCII, lower case, without a dot at the end.
    Name(String),
    /// An address, as nobody can read it otherwise.
    Address(IpAddr),
}

/// Text that names no place, or none that a job may ask for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} {why}")]
pub struct BadDestination {
    text: String,
    why: &'static str,
}

impl Destination {
    /// The most of one job.
    pub const JOB_MOST: usize = 64;
    /// The most of one project.
    pub const PROJECT_MOST: usize = 256;

    /// Whether `host` at `port` is among them.
    pub fn includes(&self, host: &Host, port: u16) -> bool {
        self.port == port
            && match (&self.hosts, host) {
                (Hosts::One(one), host) => one == host,
                (Hosts::Any, Host::Name(_)) => true,
                (Hosts::Below(above), Host::Name(name)) => is_below(name, above),
                (Hosts::Any | Hosts::Below(_), Host::Address(_)) => false,
            }
    }

    /// Whether everything that `other` stands for is among them.
    pub fn covers(&self, other: &Destination) -> bool {
        match (&self.hosts, &other.hosts) {
            (_, Hosts::One(host)) => self.includes(host, other.port),
            (Hosts::Any, Hosts::Any | Hosts::Below(_)) => self.port == other.port,
            (Hosts::Below(above), Hosts::Below(name)) => {
                self.port == other.port && (name == above || is_below(name, above))
            }
            (Hosts::Below(_) | Hosts::One(_), Hosts::Any) | (Hosts::One(_), Hosts::Below(_)) => false,
        }
    }
}

fn is_below(name: &str, above: &str) -> bool {
    name.strip_suffix(above).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

impl FromStr for Destination {
    type Err = BadDestination;

    fn from_str(text: &str) -> Result<Destination, BadDestination> {
        let bad = |why| BadDestination { text: text.chars().take(80).collect(), why };
        let (host, port) = split(text).map_err(bad)?;
        let hosts = match host.strip_prefix('*') {
            Some("") => Hosts::Any,
            Some(rest) => match rest.strip_prefix('.').map(Host::from_str) {
                Some(Ok(Host::Name(name))) => Hosts::Below(name),
                _ => return Err(bad("has a '*' that is not the whole first label of a name")),
            },
            None => Hosts::One(Host::from_str(host).map_err(|error| bad(error.why))?),
        };
        if let Hosts::One(Host::Address(address)) = &hosts {
            address_is_public(*address).map_err(bad)?;
        }
        Ok(Destination { hosts, port })
    }
}

/// `HOST:PORT`, the host in brackets where it has colons itself.
///
/// # Errors
/// What is wrong with it.
pub fn split(text: &str) -> Result<(&str, u16), &'static str> {
    const FORM: &str = "is not written HOST:PORT, such as pypi.org:443";
    let (host, port) = text.rsplit_once(':').ok_or(FORM)?;
    // `u16::from_str` would take a sign, and zeros before it that other programs read as octal.
    if port.is_empty() || port.starts_with('0') || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("has no port from 1 to 65535");
    }
    let port = port.parse().map_err(|_| "has no port from 1 to 65535")?;
    let bracketed = host.starts_with('[') && host.ends_with(']');
    if host.is_empty() || (host.contains([':', '[', ']']) && !bracketed) {
        return Err(FORM);
    }
    Ok((host, port))
}

impl FromStr for Host {
    type Err = BadDestination;

    fn from_str(text: &str) -> Result<Host, BadDestination> {
        let bad = |why| BadDestination { text: text.chars().take(80).collect(), why };
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address: Ipv6Addr = inner.parse().map_err(|_| bad("is no IPv6 address"))?;
            return Ok(Host::Address(address.into()));
        }
        // Nothing that a decoder could see in another way than we do gets to one.
        if text.len() > 1024 || text.bytes().any(|byte| byte <= b' ' || byte == 0x7f || b"%/\\@:?#[]*".contains(&byte))
        {
            return Err(bad("is no host name"));
        }
        let ascii = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::STD3);
        let ascii = ascii.map_err(|_| bad("is no host name (IDNA)"))?;
        let name = ascii.strip_suffix('.').unwrap_or(&ascii).to_ascii_lowercase();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(plain);
        if name.len() > 253 || !name.split('.').all(label) {
            return Err(bad("is no host name"));
        }
        // What ends in a number is an address or nothing (URL standard, "ends in a number checker").
        let last = name.rsplit('.').next().unwrap_or_default();
        let hex = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if hex || last.bytes().all(|byte| byte.is_ascii_digit()) {
            // The standard library's reading is strict: four decimal numbers, no zeros before them.
            let address: Ipv4Addr = name.parse().map_err(|_| bad("is no address as four decimal numbers"))?;
            return Ok(Host::Address(address.into()));
        }
        Ok(Host::Name(name))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(address)) => address.fmt(f),
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Hosts::Any => write!(f, "*:{}", self.port),
            Hosts::Below(above) => write!(f, "*.{above}:{}", self.port),
            Hosts::One(host) => write!(f, "{host}:{}", self.port),
        }
    }
}

impl TryFrom<String> for Destination {
    type Error = BadDestination;

    fn try_from(text: String) -> Result<Destination, BadDestination> {
        text.parse()
    }
}

impl From<Destination> for String {
    fn from(destination: Destination) -> String {
        destination.to_string()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Destination {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("A place: `pypi.org:443`, `*.example.org:443` (names below it), `*:443` (any name)."))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Destination {}

/// Whether an address is one of the public Internet, as the registries of special addresses say (IANA, RFC 6890).
///
/// # Errors
/// What else it is.
pub fn address_is_public(address: IpAddr) -> Result<(), &'static str> {
    match address {
        IpAddr::V4(address) => v4_is_public(address),
        IpAddr::V6(address) => v6_is_public(address),
    }
}

fn v4_is_public(address: Ipv4Addr) -> Result<(), &'static str> {
    let within = |[a, b, c, d]: [u8; 4], bits: u32| {
        let mask = u32::MAX << (32 - bits);
        address.to_bits() & mask == Ipv4Addr::new(a, b, c, d).to_bits() & mask
    };
    // These first: some lie within ranges that are refused for another reason, one in none.
    const METADATA: [[u8; 4]; 4] = [[169, 254, 169, 254], [100, 100, 100, 200], [192, 0, 0, 192], [168, 63, 129, 16]];
    if METADATA.contains(&address.octets()) {
        return Err("is where a cloud tells a machine its secrets");
    }
    for (network, bits, why) in [
        ([0, 0, 0, 0], 8, "is an address of this machine"),
        ([10, 0, 0, 0], 8, "is a private address"),
        ([100, 64, 0, 0], 10, "is an address behind a carrier's translation"),
        ([127, 0, 0, 0], 8, "is a loopback address"),
        ([169, 254, 0, 0], 16, "is a link-local address"),
        ([172, 16, 0, 0], 12, "is a private address"),
        ([192, 0, 0, 0], 24, "is an address for protocols"),
        ([192, 0, 2, 0], 24, "is an address for documentation"),
        ([192, 88, 99, 0], 24, "is an address of 6to4 relays"),
        ([192, 168, 0, 0], 16, "is a private address"),
        ([198, 18, 0, 0], 15, "is an address for benchmarks"),
        ([198, 51, 100, 0], 24, "is an address for documentation"),
        ([203, 0, 113, 0], 24, "is an address for documentation"),
        ([224, 0, 0, 0], 4, "is a multicast address"),
        ([240, 0, 0, 0], 4, "is a reserved or a broadcast address"),
    ] {
        if within(network, bits) {
            return Err(why);
        }
    }
    Ok(())
}

fn v6_is_public(address: Ipv6Addr) -> Result<(), &'static str> {
    let within = |network: [u16; 2], bits: u32| {
        let [first, second, ..] = address.segments();
        let (given, wanted) =
            (u32::from(first) << 16 | u32::from(second), u32::from(network[0]) << 16 | u32::from(network[1]));
        let mask = u32::MAX << (32 - bits);
        given & mask == wanted & mask
    };
    // Only what is given out to the Internet; so that ::1, ::ffff:0:0/96 and ::/96 (mapped and compatible IPv4
    // addresses), 64:ff9b::/96 and 64:ff9b:1::/48 (NAT64), fc00::/7 with the metadata services of clouds, fe80::/10 and
    // ff00::/8 are none.
    if !within([0x2000, 0], 3) {
        return Err("is no public IPv6 address");
    }
    for (network, bits, why) in [
        ([0x2001, 0], 23, "is an IPv6 address for protocols, such as Teredo"),
        ([0x2001, 0xdb8], 32, "is an address for documentation"),
        ([0x2002, 0], 16, "is a 6to4 address, which holds an IPv4 address"),
        ([0x3ffe, 0], 16, "is an address of a network that is no more"),
        ([0x3fff, 0], 20, "is an address for documentation"),
    ] {
        if within(network, bits) {
            return Err(why);
        }
    }
    // ISATAP puts an IPv4 address behind these 32 bits (RFC 5214), in any network.
    if matches!(address.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, _, _]) {
        return Err("is an ISATAP address, which holds an IPv4 address");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Destination {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn destinations_are_read_in_one_form() {
        for (given, kept) in [
            ("pypi.org:443", "pypi.org:443"),
            ("PyPI.org.:443", "pypi.org:443"),
            ("*.Example.ORG:443", "*.example.org:443"),
            ("*:80", "*:80"),
            ("bücher.example:443", "xn--bcher-kva.example:443"),
            ("XN--BCHER-KVA.example:443", "xn--bcher-kva.example:443"),
            ("93.184.215.14:8443", "93.184.215.14:8443"),
            ("[2606:2800:0220:1::1]:443", "[2606:2800:220:1::1]:443"),
            // Full-width letters and dots are the plain ones (UTS #46).
            ("ｐypi。org:443", "pypi.org:443"),
        ] {
            assert_eq!(read(given).to_string(), kept);
            assert_eq!(read(kept), read(given));
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_no_destination() {
        for bad in [
            "",
            "pypi.org",
            "pypi.org:",
            ":443",
            "pypi.org:0",
            "pypi.org:65536",
            "pypi.org:+443",
            "pypi.org:0443",
            "pypi.org:443 ",
            " pypi.org:443",
            "pypi.org :443",
            "a@pypi.org:443",
            "pypi.org:443@evil.org:443",
            "http://pypi.org:443",
            "pypi.org/x:443",
            "pypi..org:443",
            ".pypi.org:443",
            "pypi.org..:443",
            "*pypi.org:443",
            "a.*.org:443",
            "**.org:443",
            "*.:443",
            "*.*.org:443",
            "py%70i.org:443",
            "py\0pi.org:443",
            "py\npi.org:443",
            "127.1:80",
            "0x7f.0.0.1:80",
            "0177.0.0.1:80",
            "2130706433:80",
            "0x7f000001:80",
            "1.2.3.04:80",
            "1.2.3.4.:80x",
            "a.0x1:80",
            "a.1:80",
            "::1:80",
            "[::1:80",
            "[fe80::1%eth0]:80",
            "[1.2.3.4]:80",
            "*.1.2.3.4:80",
            "xn--a:80",
            "a_b.org:443",
            "-\u{202e}.org:443",
        ] {
            assert!(bad.parse::<Destination>().is_err(), "{bad:?} is read as {}", read(bad));
        }
        assert!(format!("{}.org:443", "a".repeat(64)).parse::<Destination>().is_err());
        assert!(format!("{}org:443", "a.".repeat(126)).parse::<Destination>().is_err());
    }

    #[test]
    fn an_address_that_is_listed_is_a_public_one() {
        for bad in ["127.0.0.1:80", "10.0.0.1:80", "169.254.169.254:80", "[::1]:80", "[::ffff:8.8.8.8]:80"] {
            assert!(bad.parse::<Destination>().is_err(), "{bad}");
        }
        assert!("8.8.8.8:53".parse::<Destination>().is_ok());
    }

    #[test]
    fn a_wildcard_is_every_name_below_and_no_address() {
        let host = |text: &str| text.parse::<Host>().unwrap();
        for (destination, given, port, included) in [
            ("pypi.org:443", "PYPI.org.", 443, true),
            ("pypi.org:443", "pypi.org", 80, false),
            ("pypi.org:443", "a.pypi.org", 443, false),
            ("*.pypi.org:443", "a.pypi.org", 443, true),
            ("*.pypi.org:443", "a.b.pypi.org", 443, true),
            ("*.pypi.org:443", "pypi.org", 443, false),
            ("*.pypi.org:443", "evilpypi.org", 443, false),
            ("*:443", "pypi.org", 443, true),
            ("*:443", "8.8.8.8", 443, false),
            ("*:443", "[2606:2800::1]", 443, false),
            ("8.8.8.8:443", "8.8.8.8", 443, true),
        ] {
            assert_eq!(read(destination).includes(&host(given), port), included, "{destination} {given}:{port}");
        }
    }

    #[test]
    fn a_project_covers_what_is_no_more_than_its_own() {
        for (project, job, covered) in [
            ("pypi.org:443", "pypi.org:443", true),
            ("*.pypi.org:443", "a.pypi.org:443", true),
            ("*.pypi.org:443", "*.pypi.org:443", true),
            ("*.pypi.org:443", "*.a.pypi.org:443", true),
            ("*:443", "*.pypi.org:443", true),
            ("*:443", "*:443", true),
            ("*.a.pypi.org:443", "*.pypi.org:443", false),
            ("*.pypi.org:443", "*:443", false),
            ("*.pypi.org:443", "pypi.org:443", false),
            ("pypi.org:443", "*.pypi.org:443", false),
            ("pypi.org:443", "pypi.org:80", false),
            ("*:443", "8.8.8.8:443", false),
            ("*.pypi.org:443", "*.evilpypi.org:443", false),
        ] {
            assert_eq!(read(project).covers(&read(job)), covered, "{project} {job}");
        }
    }

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        let public = |text: &str| address_is_public(text.parse().unwrap()).is_ok();
        for address in [
            "8.8.8.8",
            "1.1.1.1",
            "172.32.0.1",
            "172.15.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "223.255.255.255",
            "198.20.0.1",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
        ] {
            assert!(public(address), "{address}");
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::ffff:127.0.0.1",
            "::8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::8.8.8.8",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2001:10::1",
            "2001:20::1",
            "2001:2::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "3ffe::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2606:4700::5efe:a9fe:a9fe",
            "2606:4700::200:5efe:a9fe:a9fe",
            "4000::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_so_that_it_is_read_the_same(text in "\\PC{0,40}:[0-9]{1,5}|[*]?[.]?[a-zA-Z0-9.-]{0,20}:[0-9]{1,5}") {
            if let Ok(destination) = text.parse::<Destination>() {
                let written = destination.to_string();
                prop_assert!(written.is_ascii());
                prop_assert_eq!(written.parse::<Destination>(), Ok(destination));
            }
        }

        #[test]
        fn what_covers_includes_all_that_the_other_does(
            one in "([*]|([*][.])?[ab]([.][ab]){0,2}):[12]",
            other in "([*]|([*][.])?[ab]([.][ab]){0,2}):[12]",
            host in "[ab]([.][ab]){0,3}",
        ) {
            let (one, other, host): (Destination, Destination, Host) =
                (one.parse().unwrap(), other.parse().unwrap(), host.parse().unwrap());
            for port in [1, 2] {
                prop_assert!(!one.covers(&other) || !other.includes(&host, port) || one.includes(&host, port));
            }
        }
    }
}
