//! The words that labels may have. What comes from workers is theirs to choose, and must not make series without end.

/// What every word counts as that is not known.
pub(super) const OTHER: &str = "other";

fn known(words: &[&'static str], word: &str) -> &'static str {
    words.iter().find(|known| **known == word).copied().unwrap_or(OTHER)
}

pub(super) const CLASSES: [&str; 3] = ["low", "normal", "high"];
pub(super) const STARTS: [&str; 2] = ["cold", "warm"];

/// Acts that are refused, as `Denial::act` lists them.
const ACTS: [&str; 20] = [
    "socket",
    "connect",
    "bind",
    "listen",
    "execve",
    "fork",
    "ptrace",
    "mount",
    "namespace",
    "bpf",
    "perf",
    "io_uring",
    "keyring",
    "signal",
    "open",
    "module",
    "reboot",
    "clock",
    "trace",
    OTHER,
];

/// Settings and policies by which acts are refused, and layers for want of which runs are.
const RULES: [&str; 36] = [
    "seccomp.policy",
    "architecture",
    "input",
    "the program's own traceback",
    "network",
    "network.allow",
    "egress.addresses",
    "egress.tls",
    "landlock",
    "cgroup.memory",
    "cgroup.pids",
    "cgroup.cpu",
    "namespace.user",
    "namespace.mount",
    "namespace.pid",
    "namespace.net",
    "namespace.ipc",
    "namespace.uts",
    "namespace.cgroup",
    "namespace.time",
    "root",
    "root.readonly",
    "proc",
    "scratch",
    "descriptors",
    "rlimits",
    "identity",
    "capabilities",
    "no-new-privileges",
    "not-dumpable",
    "selinux",
    "seccomp",
    "deadline.wall",
    "deadline.cpu",
    "output.bound",
    OTHER,
];

/// Limits that can be reached.
pub(super) const LIMITS: [&str; 9] = ["memory", "pids", "cpu", "wall", "disk", "files", "open_files", "output", OTHER];

pub(super) fn act(word: &str) -> &'static str {
    known(&ACTS, word)
}

/// Lines of a policy count as the policy: they move with every version.
pub(super) fn rule(word: &str) -> &'static str {
    let policy = word.split_once(':').filter(|(_, line)| line.bytes().all(|byte| byte.is_ascii_digit()));
    known(&RULES, policy.map_or(word, |(policy, _)| policy))
}

pub(super) fn limit(word: &str) -> &'static str {
    known(&LIMITS, word)
}

/// How requests may be made; others are refused, and many.
pub(super) fn method(word: &str) -> &'static str {
    known(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], word)
}

pub(super) fn status(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        500..=599 => "5xx",
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_counts_as_other() {
        assert_eq!((act("socket"), act("Socket"), act("")), ("socket", OTHER, OTHER));
        assert_eq!((rule("seccomp.policy:17"), rule("seccomp.policy")), ("seccomp.policy", "seccomp.policy"));
        assert_eq!((rule("seccomp.policy:x"), rule("a:1"), rule(":")), (OTHER, OTHER, OTHER));
        assert_eq!((limit("memory"), limit("patience")), ("memory", OTHER));
        assert_eq!((method("GET"), method("BREW"), status(204), status(999)), ("GET", OTHER, "2xx", OTHER));
    }
}
