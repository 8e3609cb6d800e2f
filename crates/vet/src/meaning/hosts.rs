//! Destinations: from URLs and addresses to `host:port`, and what kind of address it is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is said of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The machine itself.
    Loopback,
    /// A cloud's metadata service.
    Metadata,
    /// A private or link-local network.
    Private,
    /// Anything else.
    Public,
}

/// Judges a host by its name or address, in any of the spellings that resolvers take.
pub(crate) fn reach(host: &str) -> Reach {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    let host = host.split('%').next().unwrap_or_default();
    let named =
        ["metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal", "metadata"];
    if named.contains(&host) {
        return Reach::Metadata;
    }
    if host == "localhost" || host.ends_with(".localhost") {
        return Reach::Loopback;
    }
    // Names that any resolver turns into the address that they hold.
    let embedded = [".nip.io", ".sslip.io", ".xip.io"].iter().find_map(|end| host.strip_suffix(end));
    let text = embedded.map_or(host.to_owned(), |front| front.replace('-', "."));
    let labels: Vec<&str> = text.split('.').collect();
    let candidate =
        if embedded.is_some() && labels.len() > 4 { labels[labels.len() - 4..].join(".") } else { text.clone() };
    if let Some(v4) = ipv4(&candidate) {
        return of_v4(v4);
    }
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => of_v4(v4),
        Ok(IpAddr::V6(v6)) => of_v6(v6),
        Err(_) => Reach::Public,
    }
}

fn of_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [169, 254, 169, 254] | [169, 254, 170, 2] | [100, 100, 100, 200] | [192, 0, 0, 192] => Reach::Metadata,
        [127, ..] | [0, 0, 0, 0] => Reach::Loopback,
        [10, ..] | [192, 168, ..] | [169, 254, ..] => Reach::Private,
        [172, second, ..] if (16..32).contains(&second) => Reach::Private,
        [100, second, ..] if (64..128).contains(&second) => Reach::Private,
        _ => Reach::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Reach {
    if let Some(v4) = address.to_ipv4_mapped() {
        return of_v4(v4);
    }
    if address == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254) {
        return Reach::Metadata;
    }
    match address.segments()[0] {
        _ if address.is_loopback() || address.is_unspecified() => Reach::Loopback,
        first if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80 => Reach::Private,
        _ => Reach::Public,
    }
}

/// An address as `inet_aton` takes it: fewer than four parts, each decimal, octal or hexadecimal.
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let number = |part: &str| -> Option<u64> {
        if let Some(digits) = part.strip_prefix("0x") {
            return u64::from_str_radix(digits, 16).ok();
        }
        match part.strip_prefix('0') {
            Some(digits) if !digits.is_empty() => u64::from_str_radix(digits, 8).ok(),
            _ => part.parse().ok(),
        }
    };
    let parts: Vec<u64> = text.split('.').map(number).collect::<Option<_>>()?;
    let (last, front) = parts.split_last()?;
    if front.len() > 3 || front.iter().any(|part| *part > 255) || *last >= 1 << (8 * (4 - front.len())) {
        return None;
    }
    let front = front.iter().enumerate().fold(0, |all, (at, part)| all | part << (24 - 8 * at));
    Some(Ipv4Addr::from(u32::try_from(front | last).ok()?))
}

/// Whether every address that begins so is one of a private network or of a metadata service.
pub(crate) fn is_private_beginning(text: &str) -> bool {
    ["10.", "192.168.", "169.254."].iter().any(|front| text.starts_with(front))
        || text
            .strip_prefix("172.")
            .and_then(|rest| rest.split_once('.'))
            .is_some_and(|(second, _)| second.parse::<u8>().is_ok_and(|second| (16..32).contains(&second)))
}

/// Host and port of a URL, or of the beginning of one if the host is whole in it.
pub(crate) fn of_url(url: &str, whole: bool) -> Option<(String, Option<u16>)> {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#', '\\']);
    if end.is_none() && !whole {
        return None;
    }
    let authority = &rest[..end.unwrap_or(rest.len())];
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let port = match scheme.to_ascii_lowercase().as_str() {
        "https" | "wss" => 443,
        "http" | "ws" => 80,
        "ftp" => 21,
        "ssh" | "sftp" | "git+ssh" => 22,
        "redis" => 6379,
        "postgres" | "postgresql" => 5432,
        "mysql" => 3306,
        "mongodb" => 27017,
        "amqp" => 5672,
        "smtp" => 25,
        "file" | "data" | "sqlite" => return None,
        _ => 443,
    };
    let (host, written) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()),
        _ => (authority, None),
    };
    (!host.is_empty() && host.len() < 256).then(|| (host.to_ascii_lowercase(), Some(written.unwrap_or(port))))
}

/// `host:port`.
pub(crate) fn written(host: &str, port: Option<u16>) -> String {
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::{Reach, of_url, reach};

    #[test]
    fn a_host_is_known_in_every_spelling() {
        for (host, is) in [
            ("169.254.169.254", Reach::Metadata),
            ("2852039166", Reach::Metadata),
            ("0xA9FEA9FE", Reach::Metadata),
            ("0xa9.0xfe.0xa9.0xfe", Reach::Metadata),
            ("0251.0376.0251.0376", Reach::Metadata),
            ("169.254.43518", Reach::Metadata),
            ("[::ffff:a9fe:a9fe]", Reach::Metadata),
            ("fd00:ec2::254", Reach::Metadata),
            ("169.254.169.254.nip.io", Reach::Metadata),
            ("metadata.google.internal.", Reach::Metadata),
            ("10.0.0.1", Reach::Private),
            ("172.31.0.1", Reach::Private),
            ("172.32.0.1", Reach::Public),
            ("127.0.0.1", Reach::Loopback),
            ("localhost", Reach::Loopback),
            ("example.org", Reach::Public),
            ("8.8.8.8", Reach::Public),
            ("", Reach::Public),
        ] {
            assert_eq!(reach(host), is, "{host}");
        }
    }

    #[test]
    fn a_url_names_host_and_port() {
        let some = |host: &str, port| Some((host.to_owned(), Some(port)));
        assert_eq!(of_url("https://Example.org/x?y", true), some("example.org", 443));
        assert_eq!(of_url("http://user:word@example.org:8080", true), some("example.org", 8080));
        assert_eq!(of_url("https://example.org/", false), some("example.org", 443));
        assert_eq!(of_url("https://examp", false), None);
        assert_eq!(of_url("http://[::1]:80/", true), some("[::1]", 80));
        assert_eq!(of_url("example.org", true), None);
    }
}
