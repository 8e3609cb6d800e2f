//! Every rule: its id, its name, how bad and how sure it is. One table; a page each in `docs/rules/`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How bad it is if it is what it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Unusual.
    Low,
    /// What a careful operator wants to see.
    Medium,
    /// What an attack is made of.
    High,
}

impl Severity {
    /// The word for it on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        }
    }
}

/// How sure it is that the program does what the finding says, if that line runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// A guess by names.
    Low,
    /// By what values can be, not by what they are.
    Medium,
    /// The text says so.
    High,
}

impl Confidence {
    /// The word for it on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// What a cell refuses or allows, in the words that its denials use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the name of what it is")]
pub enum Act {
    Socket,
    Connect,
    Bind,
    Listen,
    Execve,
    Fork,
    Ptrace,
    Mount,
    Namespace,
    Bpf,
    Perf,
    #[serde(rename = "io_uring")]
    IoUring,
    Keyring,
    Signal,
    Open,
    Module,
    Reboot,
    Clock,
    Trace,
    Other,
}

impl Act {
    /// The word for it on the wire, the same as a denial's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Act::Socket => "socket",
            Act::Connect => "connect",
            Act::Bind => "bind",
            Act::Listen => "listen",
            Act::Execve => "execve",
            Act::Fork => "fork",
            Act::Ptrace => "ptrace",
            Act::Mount => "mount",
            Act::Namespace => "namespace",
            Act::Bpf => "bpf",
            Act::Perf => "perf",
            Act::IoUring => "io_uring",
            Act::Keyring => "keyring",
            Act::Signal => "signal",
            Act::Open => "open",
            Act::Module => "module",
            Act::Reboot => "reboot",
            Act::Clock => "clock",
            Act::Trace => "trace",
            Act::Other => "other",
        }
    }
}

macro_rules! rules {
    ($($id:ident $name:literal $severity:ident $summary:literal;)*) => {
        /// What a finding is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the table says it once")]
        pub enum Rule { $($id,)* }

        impl Rule {
            /// All of them, in order.
            pub const ALL: &[Rule] = &[$(Rule::$id,)*];

            /// `V301`.
            pub const fn id(self) -> &'static str {
                match self { $(Rule::$id => stringify!($id),)* }
            }

            /// `network-connect`.
            pub const fn name(self) -> &'static str {
                match self { $(Rule::$id => $name,)* }
            }

            /// How bad it usually is; a finding may say less or more.
            pub const fn severity(self) -> Severity {
                match self { $(Rule::$id => Severity::$severity,)* }
            }

            /// What the rule looks for, as a sentence.
            pub const fn summary(self) -> &'static str {
                match self { $(Rule::$id => $summary,)* }
            }
        }
    };
}

rules! {
    V001 "syntax-error" High "The file is not Python.";
    V002 "too-large-or-deep" Medium "The file is too large or too deeply nested to be read.";
    V003 "module-missing" Medium "A module is imported that is neither Python's own, nor the submission's, nor in the environment.";
    V004 "reader-died" Medium "The process that read the files ended before it had read them.";
    V005 "hidden-text" High "The text does not read as it runs: bidi controls, invisible or look-alike characters.";
    V101 "file-outside" Low "A path outside of /work, /tmp and the environment is used.";
    V102 "file-credential" High "Where credentials are kept is looked at.";
    V103 "file-destroy" High "Something outside of /work and /tmp is removed or overwritten.";
    V201 "process-start" Medium "Another program is started.";
    V202 "process-signal" Medium "Another process is signalled or traced.";
    V203 "fork-thread" Note "Processes or threads of its own are started.";
    V204 "spawn-unbounded" High "Processes or threads are started without end.";
    V301 "network-connect" Medium "The network is used.";
    V302 "network-listen" Medium "It listens for connections.";
    V303 "network-metadata" High "An address of a cloud's metadata service or of a private network is used.";
    V401 "native-code" Medium "Native code is loaded or memory is handled directly.";
    V402 "native-syscall" High "The kernel is called directly.";
    V501 "dynamic-code" Medium "Text that is not a constant is executed as code.";
    V502 "dynamic-import" Low "A module is imported by a name that is a value.";
    V503 "dynamic-attribute" Low "An attribute is looked up by a computed name.";
    V504 "decoded-payload" High "What was decoded, decompressed or joined together is executed.";
    V601 "introspect-subclasses" High "The tree of classes is walked, as escapes from restricted interpreters do.";
    V602 "introspect-frames" Low "Frames or the globals of functions are looked at.";
    V603 "introspect-gc" Low "Objects are found through the garbage collector.";
    V604 "interpreter-hooks" Medium "The interpreter itself is hooked or replaced in part.";
    V701 "deserialise" Medium "Data is deserialised in a way that can run code.";
    V801 "environment-read" Low "All environment variables are read.";
    V802 "secret-in-source" High "A key, token or password stands in the source.";
    V901 "unbounded-loop" Low "A loop has no end.";
    V902 "huge-allocation" Medium "Very much memory is wanted at once, or ever more of it.";
    V903 "disk-or-output-flood" Medium "Output or files are written without end.";
}

impl Rule {
    /// Where the page about it is, from the repository's root.
    pub fn page(self) -> String {
        format!("docs/rules/{}.md", self.id())
    }

    /// Whether a comment in the source may silence it: that a file could not be read is no advice.
    pub const fn can_be_silenced(self) -> bool {
        !matches!(self, Rule::V001 | Rule::V002 | Rule::V004)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// There is no such rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such rule")]
pub struct NoSuchRule;

impl FromStr for Rule {
    type Err = NoSuchRule;

    fn from_str(text: &str) -> Result<Rule, NoSuchRule> {
        Rule::ALL.iter().copied().find(|rule| rule.id() == text).ok_or(NoSuchRule)
    }
}
