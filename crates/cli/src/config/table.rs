//! The one table of settings. From it come the typed [`Settings`], the decoder of files, the names of
//! environment variables, `deploy/gambeson.toml` and `docs/operate/configuration.md`.
//!
//! To add a setting: a line here, then `GAMBESON_WRITE_DOCS=1 cargo test -p gambeson config`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use gambeson_sandbox::{Bytes, Layer, MilliCpus};

use super::machine::Machine;
use super::value::{LogFormat, LogLevel, Modules, Percent, Program, ServerUrl, Shape, Users, Value, WorkerName};

/// One line of the table.
pub struct Setting {
    /// As in sentences, flags and reports: `server.listen`.
    pub name: &'static str,
    /// The section of the file; empty above the first.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the documents, which a test writes, show it"))]
    pub section: &'static str,
    /// The name within its section.
    pub key: &'static str,
    /// One sentence on what it does.
    what: &'static str,
    /// One word for its type.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the documents, which a test writes, show it"))]
    pub noun: &'static str,
    /// How to write a value.
    pub how: &'static str,
    /// As what it stands in a file.
    pub shape: Shape,
    /// What holds when nobody sets it.
    pub otherwise: Otherwise,
    /// The least and the most, both allowed.
    pub range: Option<(&'static str, &'static str)>,
    /// Whether a text is a value, and in the range.
    pub(super) verdict: fn(&Setting, &str) -> Verdict,
}

/// What holds when nobody sets a setting.
pub enum Otherwise {
    /// This text.
    Is(&'static str),
    /// Nothing. `meaning` says what that means, `example` is shown in the commented file.
    Unset {
        meaning: &'static str,
        #[cfg_attr(not(test), expect(dead_code, reason = "only the documents, which a test writes, show it"))]
        example: &'static str,
    },
    /// What is found on this machine. `None` where it cannot be found.
    Found {
        says: &'static str,
        #[cfg_attr(not(test), expect(dead_code, reason = "only the documents, which a test writes, show it"))]
        example: &'static str,
        from: fn(&Basis<'_>) -> Option<String>,
    },
}

/// What a default is found from.
pub struct Basis<'a> {
    pub(super) machine: &'a Machine,
    pub(super) environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// The data directory in force; it is settled first.
    pub(super) data_dir: Option<&'a str>,
}

/// What is thought of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    NoSuchValue,
    OutOfRange,
}

impl Setting {
    /// One sentence on what it does.
    pub fn what(&self) -> &'static str {
        self.what.trim()
    }

    /// The environment variable that sets it.
    pub fn variable(&self) -> String {
        format!("GAMBESON_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }
}

fn verdict<T: Value>(setting: &Setting, text: &str) -> Verdict {
    match T::read(text) {
        None => Verdict::NoSuchValue,
        Some(value) => match setting.range {
            Some((least, most)) if !value.within(least, most) => Verdict::OutOfRange,
            _ => Verdict::Good,
        },
    }
}

/// Where the table's macro finds the texts in force.
pub(super) trait Texts {
    /// The text in force, if there is one.
    fn text(&self, name: &'static str) -> Option<&str>;

    fn value<T: Value>(&self, name: &'static str) -> Option<T> {
        match self.text(name) {
            Some(text) => T::read(text),
            None => T::unset(),
        }
    }
}

macro_rules! range {
    () => {
        None
    };
    ($least:literal $most:literal) => {
        Some(($least, $most))
    };
}

macro_rules! settings {
    (
        { $($(#[doc = $top_what:literal])+ $top:ident: $Top:ty = $top_otherwise:expr;)* }
        $(
            $(#[doc = $about:literal])+
            $section:ident: $Section:ident {
                $(
                    $(#[doc = $what:literal])+
                    $key:ident: $Type:ty = $otherwise:expr $(, $least:literal ..= $most:literal)?;
                )*
            }
        )*
    ) => {
        /// Every setting in force, with its type.
        #[derive(Debug, Clone)]
        pub struct Settings {
            $($(#[doc = $top_what])+ pub $top: $Top,)*
            $($(#[doc = $about])+ pub $section: $Section,)*
        }

        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone)]
            pub struct $Section {
                $($(#[doc = $what])+ pub $key: $Type,)*
            }
        )*

        /// Every setting, in the order of the documents.
        pub static SETTINGS: &[Setting] = &[
            $(Setting {
                name: stringify!($top),
                section: "",
                key: stringify!($top),
                what: concat!($($top_what),+),
                noun: <$Top as Value>::NOUN,
                how: <$Top as Value>::HOW,
                shape: <$Top as Value>::SHAPE,
                otherwise: $top_otherwise,
                range: None,
                verdict: verdict::<$Top>,
            },)*
            $($(Setting {
                name: concat!(stringify!($section), ".", stringify!($key)),
                section: stringify!($section),
                key: stringify!($key),
                what: concat!($($what),+),
                noun: <$Type as Value>::NOUN,
                how: <$Type as Value>::HOW,
                shape: <$Type as Value>::SHAPE,
                otherwise: $otherwise,
                range: range!($($least $most)?),
                verdict: verdict::<$Type>,
            },)*)*
        ];

        /// The sections, and what each is about.
        pub(super) static SECTIONS: &[(&str, &str)] = &[$((stringify!($section), concat!($($about),+)),)*];

        impl Settings {
            /// `None` if a text is no value of its setting's type; each had its verdict before.
            pub(super) fn from_texts(texts: &impl Texts) -> Option<Settings> {
                Some(Settings {
                    $($top: texts.value(stringify!($top))?,)*
                    $($section: $Section {
                        $($key: texts.value(concat!(stringify!($section), ".", stringify!($key)))?,)*
                    },)*
                })
            }
        }
    };
}

use Otherwise::{Found, Is, Unset};

settings! {
    {
        /// Where the database, the blobs and the state of this machine are; made with mode 0700.
        data_dir: PathBuf = Found {
            says: "/var/lib/gambeson as root, else $XDG_DATA_HOME/gambeson or ~/.local/share/gambeson",
            example: "/var/lib/gambeson",
            from: data_dir,
        };
    }

    /// What the server listens on, and what it takes from a client.
    server: Server {
        /// The address and port for clients and workers.
        listen: SocketAddr = Is("127.0.0.1:7373");
        /// Listen beyond loopback without TLS. Keys and programs then cross the network readable, unless
        /// something in front encrypts.
        allow_plaintext: bool = Is("false");
        /// The certificate chain, PEM. TLS is on when this and the key are set.
        tls_certificate: Option<PathBuf> = Unset { meaning: "no TLS", example: "/etc/gambeson/tls/server.pem" };
        /// The private key of the certificate, PEM.
        tls_key: Option<PathBuf> = Unset { meaning: "no TLS", example: "/etc/gambeson/tls/server.key" };
        /// The Unix socket for workers and clients on this machine.
        socket: PathBuf = Found {
            says: "run/gambeson.sock in data_dir",
            example: "/var/lib/gambeson/run/gambeson.sock",
            from: |basis| basis.below_data_dir("run/gambeson.sock"),
        };
        /// The most connections at once; more wait to be accepted.
        connections_max: u32 = Is("4096"), "16" ..= "1000000";
        /// The most connections at once from one address (of IPv6, from one /64); more are closed at once. Set it higher
        /// where a proxy stands before the server.
        connections_per_address: u32 = Is("256"), "1" ..= "1000000";
        /// How long a client may take for the head of a request.
        header_timeout: Duration = Is("10s"), "100ms" ..= "10m";
        /// How long a client may pause within the body of a request.
        body_timeout: Duration = Is("60s"), "100ms" ..= "1h";
        /// The largest JSON body.
        body_max: Bytes = Is("8M"), "64K" ..= "1G";
        /// The largest upload.
        blob_max: Bytes = Is("1G"), "64K" ..= "1T";
        /// How long requests may go on after the server was told to stop.
        drain: Duration = Is("30s"), "0s" ..= "1h";
        /// The directory with the operator's own access policies, *.cedar; it need not exist.
        policies: PathBuf = Found {
            says: "policies in data_dir",
            example: "/var/lib/gambeson/policies",
            from: |basis| basis.below_data_dir("policies"),
        };
        /// Requests per second that one key may make in the long run.
        rate_per_key: u32 = Is("200"), "1" ..= "1000000";
        /// Requests that one key may make at once after a pause.
        rate_burst: u32 = Is("400"), "1" ..= "1000000";
        /// Waits, followed jobs and downloads that one key may have at once.
        open_per_key: u32 = Is("64"), "1" ..= "1000000";
        /// Valid keys that one user may have, each with requests of its own.
        keys_per_user: u32 = Is("50"), "1" ..= "1000000";
        /// After this time without use a browser has to sign in to the console again.
        session_idle: Duration = Is("1h"), "1m" ..= "30d";
        /// After this time it has to however much it is used.
        session_most: Duration = Is("12h"), "1m" ..= "30d";
        /// Where clients reach the server, for links in answers.
        public_url: Option<ServerUrl> = Unset {
            meaning: "links are relative",
            example: "https://gambeson.example.org",
        };
    }

    /// A machine that runs jobs.
    worker: Worker {
        /// The server to work for.
        join: Option<ServerUrl> = Unset {
            meaning: "gambeson up: its own server; gambeson worker needs it",
            example: "https://gambeson.example.org",
        };
        /// The file with the one-time token of gambeson join-token create; read at the first start only.
        join_token_file: Option<PathBuf> = Unset {
            meaning: "the worker has joined before",
            example: "/etc/gambeson/join-token",
        };
        /// Where the worker keeps its identity and the files of running jobs.
        state_dir: PathBuf = Found {
            says: "worker in data_dir",
            example: "/var/lib/gambeson/worker",
            from: |basis| basis.below_data_dir("worker"),
        };
        /// The name in lists and metrics.
        name: WorkerName = Found { says: "the host's name", example: "worker-1", from: |basis| basis.host_name() };
        /// The most cells at once.
        slots: u32 = Found {
            says: "twice the number of CPUs",
            example: "8",
            from: |basis| Some((basis.machine.cpus * 2).min(4096).to_string()),
        }, "1" ..= "4096";
        /// The CPUs that cells may have together.
        cpus: MilliCpus = Found {
            says: "all CPUs",
            example: "4",
            from: |basis| Some(basis.machine.cpus.to_string()),
        }, "0.1" ..= "4096";
        /// The memory that cells may have together.
        memory: Bytes = Found {
            says: "80 % of the machine's memory",
            example: "6G",
            from: |basis| basis.most_memory(),
        }, "16M" ..= "64T";
        /// The interpreter of the environment "host".
        python: Option<Program> = Unset {
            meaning: "the first python3 on the PATH",
            example: "/usr/bin/python3",
        };
        /// Cells that are kept ready, at most: a job finds one built, its interpreter started. 0 starts every job cold.
        spares: u32 = Is("32"), "0" ..= "1024";
        /// The memory that they may have together, beside what they share.
        spares_memory: Bytes = Is("256M"), "4M" ..= "1T";
        /// Modules of the environment that are imported before a job comes; trusted as the interpreter is.
        preload: Modules = Is("");
        /// Cells at once, of those that are kept ready, for gambeson run on this machine; counted among the slots. 0 offers none.
        local_slots: u32 = Found {
            says: "half the number of CPUs, at least 1",
            example: "1",
            from: |basis| Some((basis.machine.cpus / 2).clamp(1, 4096).to_string()),
        }, "0" ..= "4096";
        /// The Unix socket at which gambeson run asks for one; it looks at the default and where GAMBESON_CELLS says.
        local_socket: PathBuf = Found {
            says: "/run/gambeson-worker/cells.sock with root's data_dir, else run/cells.sock in data_dir",
            example: "/run/gambeson-worker/cells.sock",
            from: |basis| basis.local_socket(),
        };
        /// Users, and groups after an @, by name or number, that it is offered to beside the worker's own user.
        local_users: Users = Is("");
        /// Layers that may be missing on this machine; each run says which held.
        accept_missing: Vec<Layer> = Is("");
        /// How long running jobs may go on after the worker was told to stop; then they are handed back.
        drain: Duration = Is("60s"), "0s" ..= "1d";
        /// The certificates that the server is trusted by, PEM.
        server_ca: Option<PathBuf> = Unset {
            meaning: "the system's certificates",
            example: "/etc/gambeson/tls/ca.pem",
        };
    }

    /// Who is next.
    queue: Queue {
        /// After this time, what a project used counts half against it.
        half_life: Duration = Is("1h"), "1m" ..= "30d";
        /// After each such time, a waiting job counts as one class more urgent.
        age_step: Duration = Is("10m"), "1s" ..= "7d";
        /// The share of all capacity that jobs of class low may hold.
        ceiling_low: Percent = Is("100"), "1" ..= "100";
        /// The share of all capacity that jobs of class normal may hold.
        ceiling_normal: Percent = Is("100"), "1" ..= "100";
        /// The share of all capacity that jobs of class high may hold.
        ceiling_high: Percent = Is("50"), "1" ..= "100";
        /// How long a worker may be silent before its jobs are taken from it.
        lease: Duration = Is("30s"), "1s" ..= "10m";
        /// How often a job is tried that its worker lost before the program started; if workers give it back, ten times that.
        attempts_max: u32 = Is("3"), "1" ..= "100";
    }

    /// The most that any job may ask for. A project's own ceiling may be lower.
    limits: Ceilings {
        /// Memory of the whole process tree, scratch files included.
        ceiling_memory: Bytes = Is("4G");
        /// Time on the clock.
        ceiling_wall: Duration = Is("1h");
        /// CPU time of the whole process tree.
        ceiling_cpu: Duration = Is("1h");
        /// CPUs busy at once.
        ceiling_cpus: MilliCpus = Is("4");
        /// Processes and threads at once.
        ceiling_pids: u32 = Is("512");
        /// Bytes under /work, /tmp and /dev/shm.
        ceiling_disk: Bytes = Is("2G");
        /// Files and directories in the same places.
        ceiling_files: u32 = Is("262144");
        /// Open descriptors of one process.
        ceiling_open_files: u32 = Is("16384");
        /// Bytes on stdout and stderr together.
        ceiling_output: Bytes = Is("64M");
    }

    /// What a new project, and each user, may hold. Changing these changes no project that exists.
    quota: Quota {
        /// Jobs of a project that run at once.
        running: u32 = Is("64"), "1" ..= "1000000";
        /// Jobs of a project that wait.
        queued: u32 = Is("100000"), "1" ..= "10000000";
        /// CPU time of a project in 24 hours.
        cpu_per_day: Duration = Is("100h"), "1s" ..= "36500d";
        /// Bytes that a project stores: sources, outputs and artifacts.
        stored: Bytes = Is("10G"), "1M" ..= "1024T";
        /// Jobs of a user that run at once.
        user_running: u32 = Is("64"), "1" ..= "1000000";
        /// Jobs of a user that wait.
        user_queued: u32 = Is("100000"), "1" ..= "10000000";
        /// CPU time of a user in 24 hours.
        user_cpu_per_day: Duration = Is("100h"), "1s" ..= "36500d";
        /// Bytes that a user stores.
        user_stored: Bytes = Is("10G"), "1M" ..= "1024T";
    }

    /// How long things are kept.
    retention: Retention {
        /// Files that jobs left, from the job's end.
        artifacts: Duration = Is("7d"), "1m" ..= "36500d";
        /// Jobs that ended, with their outcome and usage.
        jobs: Duration = Is("30d"), "1m" ..= "36500d";
        /// Events and output of jobs that ended.
        events: Duration = Is("7d"), "1m" ..= "36500d";
        /// Uploads that no job refers to.
        blobs: Duration = Is("1d"), "1m" ..= "36500d";
        /// Jobs that a policy holds for an approval, until they are given up.
        held: Duration = Is("7d"), "1m" ..= "36500d";
    }

    /// The log, on standard error.
    log: Log {
        /// pretty for people, json for machines.
        format: LogFormat = Is("pretty");
        /// The least urgent message that is written.
        level: LogLevel = Is("info");
    }

    /// Traces of jobs, for a collector of OpenTelemetry's (OTLP over HTTP).
    observe: Observe {
        /// The collector. /v1/traces is added where there is no path. Server and worker each send what they see.
        otlp: Option<ServerUrl> = Unset { meaning: "no traces", example: "http://127.0.0.1:4318" };
        /// The part of all jobs that is traced; set it alike on server and workers.
        otlp_sample: Percent = Is("100"), "1" ..= "100";
    }
}

fn data_dir(basis: &Basis<'_>) -> Option<String> {
    if basis.machine.root {
        return Some(DATA_DIR_OF_ROOT.into());
    }
    let directory = |variable: &str| {
        let value = PathBuf::from((basis.environment)(variable)?);
        value.is_absolute().then_some(value)
    };
    let data = directory("XDG_DATA_HOME").or_else(|| Some(directory("HOME")?.join(".local/share")))?;
    Some(data.join("gambeson").to_str()?.to_owned())
}

/// Where `gambeson run` looks for a worker's cells.
pub const LOCAL_SOCKET: &str = "/run/gambeson-worker/cells.sock";
const DATA_DIR_OF_ROOT: &str = "/var/lib/gambeson";

impl Basis<'_> {
    /// The worker of the machine is found where everybody looks; one with a place of its own is not in its way.
    fn local_socket(&self) -> Option<String> {
        match self.data_dir {
            Some(DATA_DIR_OF_ROOT) if self.machine.root => Some(LOCAL_SOCKET.into()),
            _ => self.below_data_dir("run/cells.sock"),
        }
    }

    fn below_data_dir(&self, path: &str) -> Option<String> {
        Some(format!("{}/{path}", self.data_dir?.trim_end_matches('/')))
    }

    /// A host's name may hold what a worker's may not.
    fn host_name(&self) -> Option<String> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let name: String = self.machine.host_name.trim().chars().take(64).map(plain).collect();
        Some(if name.is_empty() { "worker".into() } else { name })
    }

    /// In whole MiB, so that people can read it.
    fn most_memory(&self) -> Option<String> {
        Some(format!("{}M", (self.machine.memory.0 / 5 * 4) >> 20))
    }
}
