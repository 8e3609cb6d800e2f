//! How a cell ended, what it used, and which layers held while it ran.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::frames::Claim;
use crate::host::{Layer, Missing};
use crate::limits::{Bytes, Limit};

/// How a cell ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The program ended with this code.
    Exited(u8),
    /// A signal ended the program.
    Signalled(i32),
    /// A limit was reached: it killed the cell, or the program failed for it.
    LimitHit {
        /// Which.
        limit: Limit,
        /// How much was used, in the limit's own unit.
        used: Amount,
        /// How much was allowed.
        allowed: Amount,
    },
    /// The program was killed for an act that no policy allows.
    Refused(Denial),
    /// Somebody asked for its end.
    Cancelled,
    /// Our own failure; the program did not run, or not to its end.
    Fault {
        /// What we tried.
        step: String,
        /// What the system answered.
        why: String,
        /// What a person can do about it.
        mend: Option<String>,
    },
}

macro_rules! acts {
    ($($variant:ident $name:literal $what:literal,)*) => {
        /// A kind of act that is refused, in a word that stays the same.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Act { $(#[doc = $what] $variant,)* }

        impl Act {
            /// Every one.
            pub const ALL: &[Act] = &[$(Act::$variant,)*];

            /// Its word.
            pub const fn name(self) -> &'static str {
                match self { $(Act::$variant => $name,)* }
            }
        }
    };
}

acts! {
    Socket "socket" "To make a socket.",
    Connect "connect" "To connect to somebody.",
    Bind "bind" "To take an address.",
    Listen "listen" "To wait for connections.",
    Execve "execve" "To execute a program.",
    Fork "fork" "To make a process or a thread.",
    Ptrace "ptrace" "To trace, read or write another process.",
    Mount "mount" "To change what file systems are where.",
    Namespace "namespace" "To make or enter a namespace.",
    Bpf "bpf" "To load a program into the kernel.",
    Perf "perf" "To count what the processor does.",
    IoUring "io_uring" "To use the kernel's second interface.",
    Keyring "keyring" "To use the kernel's keyrings.",
    Signal "signal" "To signal a process.",
    Open "open" "To open or change a file.",
    Module "module" "To load code into the kernel.",
    Reboot "reboot" "To restart the machine, or another kernel.",
    Clock "clock" "To set a clock.",
    Trace "trace" "To watch what the system does.",
    Other "other" "Anything else; its target says what.",
}

/// One refused act, or several that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// What was tried.
    pub act: Act,
    /// On what.
    pub target: Option<String>,
    /// Which line of a policy, or which setting, refused it.
    pub rule: String,
    /// Who refused it.
    pub layer: Layer,
    /// Why.
    pub why: String,
    /// What its author can do.
    pub remedy: String,
    /// Where the program says that it was.
    pub at: Option<Claim>,
    /// What that line says, where the file is one that the program came with.
    pub source: Option<String>,
    /// How often.
    pub count: u64,
}

impl Denial {
    /// Of a run that this host is not fit for.
    pub fn of_run(missing: &Missing) -> Denial {
        let Missing { layer, why, mend } = missing;
        let remedy = if layer.may_be_missing() {
            format!("mend it ({mend}), or accept it with --accept-missing {layer}")
        } else {
            format!("mend it ({mend})")
        };
        Denial {
            act: Act::Other,
            target: Some("this run".into()),
            rule: layer.name().into(),
            layer: *layer,
            why: format!("this host lacks it: {why}"),
            remedy,
            at: None,
            source: None,
            count: 1,
        }
    }
}

/// A quantity of what a limit bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Bytes.
    Bytes(Bytes),
    /// Processes, files, descriptors.
    Count(u64),
    /// Time.
    Time(Duration),
}

impl Amount {
    /// A quarter more, in round numbers, as it is asked for.
    fn more(&self) -> String {
        const MEBI: u64 = 1 << 20;
        let quarter_more = |value: u64| value.saturating_add(value.div_ceil(4)).max(1);
        match self {
            Amount::Bytes(bytes) => format!("{}M", quarter_more(bytes.0).div_ceil(MEBI)),
            Amount::Count(count) => quarter_more(*count).to_string(),
            Amount::Time(time) => format!("{}s", quarter_more(time.as_millis() as u64).div_ceil(1000)),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Bytes(bytes) => bytes.fmt(f),
            Amount::Count(count) => count.fmt(f),
            Amount::Time(time) => write!(f, "{:.2} s", time.as_secs_f64()),
        }
    }
}

/// What a cell used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on the clock, from the decision to build the cell to its end.
    pub wall: Duration,
    /// CPU time of the whole tree, building included.
    pub cpu: Duration,
    /// The most memory at once, where it is counted.
    pub memory_peak: Option<Bytes>,
    /// The most processes and threads at once, the reaper not counted, where they are counted.
    pub pids_peak: Option<u64>,
    /// The most bytes seen in the scratch space: sampled while the program runs and at its end.
    pub disk: Bytes,
    /// Bytes on stdout and stderr, those that were not kept included.
    pub output: Bytes,
}

/// Whether a layer held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Its step succeeded, and where the kernel shows it from outside, it was seen.
    Held,
    /// The host lacks it; this was accepted, or it is an extra.
    Missing,
}

/// One layer of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerReport {
    /// Which.
    pub layer: Layer,
    /// Whether it held.
    pub held: Held,
    /// With which values, and how we know.
    pub detail: String,
}

/// How an interpreter came to a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It was executed for this program.
    Cold,
    /// It was forked from a nursery, whose layout in memory it shares with its siblings.
    Warm,
}

/// How a cell ended: everything that is known about one run.
#[derive(Debug, Clone)]
pub struct Exit {
    /// How it ended.
    pub end: End,
    /// Where the program says that it was when it was killed, or shortly before its memory was at its limit.
    pub at: Option<Claim>,
    /// How its interpreter came to it.
    pub start: Start,
    /// What it used.
    pub usage: Usage,
    /// What held. Empty where no cell was built.
    pub layers: Vec<LayerReport>,
    /// What was refused and came to our notice: a bounded number of kinds.
    pub denials: Vec<Denial>,
}

impl Exit {
    /// A sentence for the program's author: what happened, where if that is known, and what to do about it.
    pub fn message(&self) -> String {
        self.end.message_at(self.at.as_ref())
    }

    /// Whether this was a warm cell that never took its program: nothing of it ran, and it can start another way.
    pub fn never_began(&self) -> bool {
        let hand_over = crate::birth::act::name(crate::birth::act::HAND_OVER);
        self.start == Start::Warm && matches!(&self.end, End::Fault { step, .. } if step == hand_over)
    }
}

impl End {
    /// A sentence for the program's author: what happened, and what to do about it.
    pub fn message(&self) -> String {
        self.message_at(None)
    }

    fn message_at(&self, at: Option<&Claim>) -> String {
        match self {
            End::Exited(0) => "the program ended normally".into(),
            End::Exited(code) => format!("the program ended with exit code {code}; its own output says why"),
            End::Signalled(signal) => {
                let name = signal_name(*signal).unwrap_or("unknown");
                let hint = match *signal {
                    libc::SIGSEGV | libc::SIGBUS => "; native code went wrong: python -X faulthandler shows where",
                    libc::SIGABRT => "; something called abort(): its last output may say why",
                    libc::SIGKILL => "; the program itself or another of its processes sent it",
                    _ => "",
                };
                format!("the program was ended by signal {signal} ({name}){hint}")
            }
            End::LimitHit { limit, used, allowed } => {
                let (subject, advice) = match limit {
                    Limit::Memory => ("memory: peak", "use less at once"),
                    Limit::Pids => ("pids: peak", "start fewer processes or threads"),
                    Limit::Cpu => ("CPU time: used", "compute less"),
                    Limit::Wall => ("time: ran", "finish sooner"),
                    Limit::Disk => ("disk: used", "write less, or delete what is no longer needed"),
                    Limit::Files => ("files: made", "make fewer, or delete what is no longer needed"),
                    Limit::OpenFiles => ("open files: had", "close what is no longer needed"),
                    Limit::Output => ("output: wrote", "print less, or write to a file in /work/out"),
                };
                let at = at.map_or(String::new(), |at| format!(" at {} line {}", at.file, at.line));
                let more = allowed.more();
                format!("{subject} {used} of {allowed}{at}; {advice}, or try --limit {limit}={more}")
            }
            End::Refused(denial) => {
                let Denial { act, target, layer, why, remedy, .. } = denial;
                let tried = target.as_deref().unwrap_or(act.name());
                format!("{tried} was refused by {layer}: {why}; {remedy}")
            }
            End::Cancelled => "cancelled on request".into(),
            End::Fault { step, why, mend } => {
                let mend = mend.as_deref().map_or(String::new(), |mend| format!("; {mend}"));
                format!("not the program's fault: failed to {step}: {why}{mend}")
            }
        }
    }
}

/// The name of a signal as signal(7) gives it.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGUSR2 => "SIGUSR2",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGALRM => "SIGALRM",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        libc::SIGSYS => "SIGSYS",
        libc::SIGVTALRM => "SIGVTALRM",
        libc::SIGPROF => "SIGPROF",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_says_where_it_was_reached_and_what_to_ask_for() {
        let end = End::LimitHit {
            limit: Limit::Memory,
            used: Amount::Bytes(Bytes::mebi(268)),
            allowed: Amount::Bytes(Bytes::mebi(256)),
        };
        assert_eq!(end.message(), "memory: peak 268 MiB of 256 MiB; use less at once, or try --limit memory=320M");
        let at = Claim { file: "main.py".into(), line: 40, function: "f".into() };
        assert_eq!(
            end.message_at(Some(&at)),
            "memory: peak 268 MiB of 256 MiB at main.py line 40; use less at once, or try --limit memory=320M"
        );
        let time = |ms| Amount::Time(Duration::from_millis(ms)).more();
        assert_eq!((time(500).as_str(), time(60_000).as_str()), ("1s", "75s"));
        assert_eq!(Amount::Count(64).more(), "80");
    }
}
