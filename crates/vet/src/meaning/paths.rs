//! Where a path leads: into the cell's own places, to what the interpreter needs, outside, or to credentials.

/// What is said of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leads {
    /// Into `/work`, `/tmp`, `/dev/shm`, or to what every cell has.
    Inside,
    /// To what the interpreter needs of a host: it can be read.
    Interpreter,
    /// Out of them.
    Outside,
    /// To where credentials are kept.
    Credentials,
    /// To the variables of a process.
    Environment,
}

/// What programs may use as they like.
const OURS: &[&str] = &["/work", "/tmp", "/dev/shm", "/var/tmp"];

/// What a cell has of its own, and what an interpreter needs of a host.
const OF_EVERY_CELL: &[&str] = &[
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/stderr",
    "/dev/fd",
    "/dev/tty",
    "/proc/self/status",
    "/proc/self/stat",
    "/proc/self/statm",
    "/proc/self/fd",
    "/proc/self/maps",
    "/proc/self/exe",
    "/proc/self/cmdline",
    "/usr/share/zoneinfo",
    "/etc/ssl/certs",
    "/usr/lib/python",
    "/usr/lib64/python",
    "/usr/local/lib/python",
    "/usr/bin/python",
    "/usr/local/bin/python",
];

/// Parts of paths at which credentials are kept.
const CREDENTIALS: &[&str] = &[
    "/.ssh/",
    "/.aws/",
    "/.azure/",
    "/.gnupg/",
    "/.kube/",
    "/.docker/config",
    "/.config/gcloud",
    "/.config/gh/",
    "/.config/hub",
    "/.netrc",
    "/_netrc",
    "/.npmrc",
    "/.pypirc",
    "/.pgpass",
    "/.my.cnf",
    "/.git-credentials",
    "/.vault-token",
    "/.boto",
    "/.s3cfg",
    "/.password-store",
    "/.mozilla/",
    "/.config/google-chrome",
    "/.config/chromium",
    "/.bitcoin",
    "/.ethereum",
    "/.electrum",
    "/.bash_history",
    "/.zsh_history",
    "/.python_history",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/ssh/ssh_host",
    "/etc/kubernetes",
    "/etc/ssl/private",
    "/etc/krb5.keytab",
    "/var/run/secrets",
    "/run/secrets",
    "docker.sock",
    "containerd.sock",
    "/crio.sock",
    "podman.sock",
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    "id_dsa",
    "application_default_credentials",
    "/login data",
    "/key4.db",
    "/logins.json",
    "/wallet.dat",
    "/.terraform.d/credentials",
    "/.cargo/credentials",
    "ntuser.dat",
    "/sam.hive",
];

/// Judges a path, or the beginning of one (`whole` is false).
pub(crate) fn judge(path: &str, whole: bool) -> Leads {
    let lower = format!("/{}", path.to_ascii_lowercase().trim_start_matches("file://"));
    // `~/.ssh` is what `~/.ssh/` is.
    let named = if whole { format!("{lower}/") } else { lower };
    if named.contains("/proc/") && named.contains("/environ") {
        return Leads::Environment;
    }
    if CREDENTIALS.iter().any(|part| named.contains(part)) && !below_work(path) {
        return Leads::Credentials;
    }
    let plain = normal(path);
    let Some(plain) = plain else {
        return Leads::Inside;
    };
    let below = |dir: &str| plain == dir || plain.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'));
    if OURS.iter().any(|dir| below(dir)) || !whole && OURS.iter().any(|dir| dir.starts_with(&plain)) && plain.len() > 1
    {
        return Leads::Inside;
    }
    // Versions follow the name: `/usr/lib/python3.11`.
    if OF_EVERY_CELL.iter().any(|dir| plain.starts_with(dir)) {
        let device = plain.starts_with("/dev/") || plain.starts_with("/proc/");
        return if device { Leads::Inside } else { Leads::Interpreter };
    }
    Leads::Outside
}

fn below_work(path: &str) -> bool {
    normal(path).is_some_and(|plain| OURS.iter().any(|dir| plain.starts_with(dir)))
}

/// The absolute path that this is, if it is one or leads out of where it begins: a program begins in `/work`.
pub(crate) fn normal(path: &str) -> Option<String> {
    if path.is_empty() || path.contains('\0') {
        return None;
    }
    let home = path == "~" || path.starts_with("~/") || path.starts_with("~root") || path.starts_with("$HOME");
    if home {
        return Some(path.to_owned());
    }
    let windows = path.len() > 2
        && path.as_bytes()[1] == b':'
        && path.as_bytes()[0].is_ascii_alphabetic()
        && matches!(path.as_bytes()[2], b'\\' | b'/');
    if windows || path.starts_with("\\\\") {
        return Some(path.to_owned());
    }
    let path = path.strip_prefix("file://").unwrap_or(path);
    if !path.starts_with('/') && path.contains("://") {
        return None;
    }
    let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { vec!["work"] };
    for part in path.split('/').take(256) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::{Leads, judge};

    #[test]
    fn a_path_is_judged_by_where_it_leads() {
        for (path, leads) in [
            ("data.csv", Leads::Inside),
            ("/work/out/a.txt", Leads::Inside),
            ("/tmp/x", Leads::Inside),
            ("/dev/null", Leads::Inside),
            ("/usr/lib/python3.11/os.py", Leads::Interpreter),
            ("a/../../etc/passwd", Leads::Outside),
            ("../data.csv", Leads::Outside),
            ("/etc/passwd", Leads::Outside),
            ("/", Leads::Outside),
            ("~/notes.txt", Leads::Outside),
            ("/tmp/../etc/shadow", Leads::Credentials),
            ("/etc/shadow", Leads::Credentials),
            ("~/.ssh", Leads::Credentials),
            ("~/.aws/credentials", Leads::Credentials),
            ("/var/run/docker.sock", Leads::Credentials),
            ("/proc/1/environ", Leads::Environment),
            ("https://example.org/x", Leads::Inside),
        ] {
            assert_eq!(judge(path, true), leads, "{path}");
        }
    }

    #[test]
    fn the_beginning_of_a_path_is_judged_as_far_as_it_goes() {
        assert_eq!(judge("/etc/", false), Leads::Outside);
        assert_eq!(judge("/home/user/.ssh/", false), Leads::Credentials);
        assert_eq!(judge("out/", false), Leads::Inside);
        assert_eq!(judge("/tm", false), Leads::Inside);
    }
}
