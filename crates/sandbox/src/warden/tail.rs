//! What a program's last words tell of a refusal that no filter sees.
//!
//! An open that Landlock or the mount tree refuses, a signal beyond the cell, a connection without a route: the kernel
//! answers these by itself, and to ask about each call that may end so would cost every program. So what the program
//! says of its own end is read: a traceback, as the interpreter writes it. It is the program's own claim in whole, and
//! says so; one that catches its errors is not seen.

use crate::exit::{Act, Denial};
use crate::host::Layer;
use crate::plan::Plan;
use crate::spec::Network;
use crate::step::Step;

use super::explain::{TARGET_MOST, cut};
use crate::frames::Claim;

/// What such a denial says that it was refused by.
const RULE: &str = "the program's own traceback";
const SCRATCH: [&str; 3] = ["/work", "/tmp", "/dev/shm"];

/// An uncaught error, as the interpreter writes it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Uncaught {
    errno: i32,
    path: Option<String>,
    at: Option<Claim>,
    /// It was about to start another program.
    starts: bool,
    /// It was about to send a signal.
    signals: bool,
}

/// The refusal that the end of a program's standard error tells of, if it does.
pub(crate) fn last_words(tail: &[u8], plan: &Plan) -> Option<Denial> {
    let Uncaught { errno, path, at, starts, signals } = uncaught(&String::from_utf8_lossy(tail))?;
    let has = |layer: Layer| plan.steps.iter().any(|step| step.layer() == Some(layer));
    let files = if has(Layer::Landlock) { Layer::Landlock } else { Layer::RootReadOnly };
    let input = "bring it as input, or as part of the environment";
    let (act, layer, why, remedy) = match (errno, path.as_deref()) {
        (libc::ENOENT, Some(_)) if starts => (Act::Execve, Layer::Root, "the cell has no such program", input),
        (libc::EACCES, Some(path)) if starts && !below(path, &SCRATCH) => {
            (Act::Execve, files, "only what the environment has is executed", input)
        }
        (libc::ENOENT, Some(path)) if path.starts_with('/') && !is_shown(plan, path) => {
            (Act::Open, Layer::Root, "nothing of the host is in a cell but its interpreter", input)
        }
        (libc::EACCES | libc::EPERM, Some(path)) if path.starts_with('/') && !below(path, &SCRATCH) => {
            (Act::Open, files, "outside of /work and /tmp there is only reading", "write below /work or /tmp")
        }
        (libc::EROFS, Some(_)) => (
            Act::Open,
            Layer::RootReadOnly,
            "outside of /work and /tmp there is only reading",
            "write below /work or /tmp",
        ),
        (libc::EPERM, None) if signals => {
            (Act::Signal, files, "signals stay within the cell", "signal only processes that the program started")
        }
        (libc::ENETUNREACH, None) if network(plan) == Network::Loopback => {
            let remedy = "ask for network.allow with the hosts and ports that it needs";
            (Act::Connect, Layer::NamespaceNet, "this job's network is its own loopback", remedy)
        }
        (libc::ENETUNREACH, None) if network(plan) == Network::Allow => {
            let remedy = "connect through the proxy that HTTPS_PROXY names: CONNECT, or a request for http://";
            (Act::Connect, Layer::NamespaceNet, "what leaves this cell goes through its proxy", remedy)
        }
        _ => return None,
    };
    let target = path.map(|path| cut(path, TARGET_MOST));
    let mut denial = Denial {
        act,
        target,
        rule: RULE.into(),
        layer,
        why: why.into(),
        remedy: remedy.into(),
        at,
        source: None,
        count: 1,
    };
    denial.source = plan.source_of(&denial);
    Some(denial)
}

pub(crate) fn network(plan: &Plan) -> Network {
    let has = |step: fn(&Step) -> bool| plan.steps.iter().any(step);
    if has(|step| matches!(step, Step::Listen { .. })) {
        Network::Allow
    } else if has(|step| *step == Step::LoopbackUp) {
        Network::Loopback
    } else {
        Network::None
    }
}

fn below(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        || !path.starts_with('/')
}

/// Whether it is of the host's and in the cell, or the cell's own: then that it is not there is nobody's refusal.
fn is_shown(plan: &Plan, path: &str) -> bool {
    let shown = plan.steps.iter().filter_map(|step| match step {
        Step::Show { path, .. } => path.to_str().ok(),
        _ => None,
    });
    below(path, &SCRATCH) || shown.into_iter().any(|place| below(path, &[place]))
}

fn uncaught(text: &str) -> Option<Uncaught> {
    let text = text.trim_end();
    let mut lines = text.lines().rev();
    let last = lines.next()?;
    let (head, rest) = last.split_once(": [Errno ")?;
    if !head.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_')) {
        return None;
    }
    let (errno, words) = rest.split_once(']')?;
    let mut found = Uncaught { errno: errno.parse().ok()?, path: quoted(words), ..Uncaught::default() };
    let mut innermost = None;
    let mut said = "";
    for line in lines {
        if line.starts_with("Traceback ") {
            break;
        }
        let Some(frame) = frame(line) else {
            said = line;
            continue;
        };
        if innermost.is_none() {
            found.starts = frame.file.ends_with("/subprocess.py") || says(said, &["os.exec", "os.posix_spawn"]);
            found.signals = says(said, &["os.kill", "signal.pidfd_send_signal", "pthread_kill"]);
        }
        match frame.file.strip_prefix("/work/") {
            Some(own) if !own.starts_with(".local/") => {
                found.at = Some(Claim { file: own.to_owned(), ..frame });
                break;
            }
            _ => innermost = innermost.or(Some(frame)),
        }
    }
    found.at = found.at.or(innermost);
    Some(found)
}

fn says(line: &str, words: &[&str]) -> bool {
    words.iter().any(|word| line.contains(word))
}

/// `  File "/work/main.py", line 3, in <module>`.
fn frame(line: &str) -> Option<Claim> {
    let (file, rest) = line.strip_prefix("  File \"")?.split_once("\", line ")?;
    let (line, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    let line = line.trim().parse().ok().filter(|line| *line > 0)?;
    Some(Claim { file: cut(file.to_owned(), TARGET_MOST), line, function: cut(function.to_owned(), TARGET_MOST) })
}

/// The path that ends ` Permission denied: '/path'`, as Python quotes it.
fn quoted(words: &str) -> Option<String> {
    let (_, path) = words.split_once(": ")?;
    let quote = path.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let path = &path[1..];
    let end = path.find(quote)?;
    Some(path[..end].to_owned()).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uncaught_error_is_read_with_the_line_that_is_the_programs_own() {
        let text = "Traceback (most recent call last):\n  File \"/work/main.py\", line 7, in <module>\n    go()\n  \
                    File \"/work/lib/a.py\", line 3, in go\n    subprocess.run(['git'])\n    ~~~~~~~~~~~~~~^^\n  \
                    File \"/usr/lib/python3.11/subprocess.py\", line 1955, in _execute_child\n    raise child\n\
                    FileNotFoundError: [Errno 2] No such file or directory: 'git'\n";
        let found = uncaught(text).unwrap();
        assert_eq!((found.errno, found.path.as_deref(), found.starts), (2, Some("git"), true));
        assert_eq!(found.at, Some(Claim { file: "lib/a.py".into(), line: 3, function: "go".into() }));
        let text = "  File \"/work/main.py\", line 1, in <module>\n    os.kill(1, 9)\nPermissionError: [Errno 1] Operation not permitted";
        let found = uncaught(text).unwrap();
        assert!(found.signals && !found.starts && found.path.is_none(), "{found:?}");
    }

    #[test]
    fn what_is_no_such_error_is_nothing() {
        for text in
            ["", "done", "KeyError: 'x'", "say: [Errno 2] x", "a b: [Errno 2]", "OSError: [Errno x] y", "E: [Errno "]
        {
            assert!(uncaught(text).is_none_or(|found| found.path.is_none() && found.at.is_none()), "{text}");
        }
    }
}
