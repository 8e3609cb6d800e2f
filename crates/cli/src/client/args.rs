//! The command line of the client.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Subcommand;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use gambeson_api::{ArrayId, Class, Destination, JobId, JobState, KeyId, StartAsked, Time, WorkerId};
use serde::de::DeserializeOwned;

use crate::args::NetworkChoice;

const SERVER: &str = "Which server";

/// Which server, and how to print what it says.
#[derive(Debug, Clone, clap::Args)]
pub struct ServerOptions {
    /// http://HOST:PORT, https://HOST or unix:/PATH; else GAMBESON_SERVER, else http://127.0.0.1:7373.
    #[arg(long, global = true, value_name = "URL", help_heading = SERVER)]
    pub server: Option<String>,
    /// The key, gmb_...; others on this machine may see it here: GAMBESON_KEY or a profile hides it.
    #[arg(long, global = true, value_name = "KEY", help_heading = SERVER, hide_short_help = true)]
    pub key: Option<String>,
    /// A file of certificates (PEM) to trust; else GAMBESON_CA.
    #[arg(long, global = true, value_name = "FILE", help_heading = SERVER, hide_short_help = true)]
    pub ca: Option<PathBuf>,
    /// A server and key that were noted under this name.
    #[arg(long, global = true, value_name = "NAME", help_heading = SERVER)]
    pub profile: Option<String>,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What a server is asked for.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Run a Python file, or a directory of them, on a server.
    Submit(SubmitOptions),
    /// List jobs, newest first.
    Jobs(JobsOptions),
    /// Say everything about a job; while it waits, also why.
    Job {
        /// Which job.
        id: JobId,
    },
    /// Print what a job wrote.
    Logs(LogsOptions),
    /// End jobs.
    Cancel {
        /// Which jobs.
        #[arg(required_unless_present = "array")]
        ids: Vec<JobId>,
        /// Every element of this array.
        #[arg(long, value_name = "ID", conflicts_with = "ids")]
        array: Option<ArrayId>,
    },
    /// Let jobs run that are held for approval.
    Approve {
        /// Which jobs; of an array all elements.
        #[arg(required = true)]
        ids: Vec<JobId>,
    },
    /// How good the advice was: `gambeson vet --record`.
    #[command(skip)]
    VetRecord,
    /// List what a job left in /work/out, or fetch it.
    Artifacts(ArtifactsOptions),
    /// Print the files and arguments of a job.
    Source {
        /// Which job.
        id: JobId,
    },
    /// Show who waits for what.
    Queue,
    /// Show what was used, and what may be.
    Usage {
        /// Only this project, by name or id.
        #[arg(long)]
        project: Option<String>,
        /// A day (UTC), as 2026-11-25; today when left out.
        #[arg(long)]
        day: Option<String>,
    },
    /// List the workers.
    Workers,
    /// Looks after one; `gambeson worker` is also the role, so that its words are read there.
    #[command(skip)]
    Worker(WorkerCommand),
    /// Servers and keys that are noted under a name.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Tokens by which workers enrol.
    #[command(subcommand)]
    JoinToken(JoinTokenCommand),
    /// Keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Projects: they own jobs, and pay.
    #[command(subcommand)]
    Project(ProjectCommand),
    /// Roles of users.
    #[command(subcommand)]
    Member(MemberCommand),
    /// Users and service accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Questions about access.
    #[command(subcommand)]
    Access(AccessCommand),
    /// Say who the key makes you.
    Whoami,
    /// Show which layers each worker has.
    Posture,
    /// Show what wants attention, with what to do.
    Attention,
    /// Have the server write a copy of its store, on its disk: `gambeson backup NAME`, among the roles' commands.
    #[command(skip)]
    Backup {
        /// The file's name in the data directory's backups/.
        name: String,
    },
    /// Print the completion of this command line for a shell.
    Completion {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes with --wait: the program's own; 128 + N when signal N ended it; 120 usage; 121 a limit was hit;
122 refused; 123 cancelled; 124 lost with its worker; 125 a failure of the platform, or no server.
130 when Ctrl-C left the job running.")]
pub struct SubmitOptions {
    /// The Python file to run, `-` for standard input, or a directory of files.
    pub file: PathBuf,
    /// Arguments of the program.
    #[arg(last = true)]
    pub args: Vec<OsString>,
    /// Stay until it ended: print what it writes as it comes, and end with its exit code.
    #[arg(short, long)]
    pub wait: bool,
    /// Print the job's id and go: what happens without --wait.
    #[arg(long, conflicts_with = "wait")]
    pub detach: bool,
    /// memory=256M, wall=60s, cpu=30s, cpus=1, pids=64, disk=64M, files=4096, open_files=1024, output=8M
    /// are the defaults.
    #[arg(long = "limit", value_name = "KEY=VALUE")]
    pub limits: Vec<String>,
    /// Which sockets the program may make.
    #[arg(long, value_enum, default_value = "none")]
    pub network: NetworkChoice,
    /// Let it connect there, within what the project allows: pypi.org:443, *.example.org:443 (names below it), *:443.
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', conflicts_with = "network")]
    pub network_allow: Vec<Destination>,
    /// Set an environment variable.
    #[arg(long = "env", value_name = "K=V")]
    pub env: Vec<OsString>,
    /// Bring a file or directory to /work.
    #[arg(long = "input", value_name = "PATH")]
    pub inputs: Vec<PathBuf>,
    /// Which file of a directory is run; main.py or __main__.py when left out.
    #[arg(long, value_name = "PATH")]
    pub entry: Option<String>,
    /// The project that pays, by name or id.
    #[arg(long)]
    pub project: Option<String>,
    /// A label for finding it again.
    #[arg(long = "label", value_name = "K=V", value_parser = pair)]
    pub labels: Vec<(String, String)>,
    /// Priority class.
    #[arg(long, default_value = "normal", value_parser = class())]
    pub class: Class,
    /// How its interpreter may start: warm shares a layout in memory with others, fresh and cold do not.
    #[arg(long, default_value = "warm", value_parser = start())]
    pub start: StartAsked,
    /// A second submission with the same key is the first one; a new key when left out.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// It may run again when its worker vanished in the middle.
    #[arg(long)]
    pub may_rerun: bool,
    /// As many jobs as this, each told its own by GAMBESON_ARRAY_INDEX.
    #[arg(long, value_name = "N")]
    pub array: Option<u32>,
    /// What the program reads from standard input; `-` passes on ours.
    #[arg(long, value_name = "FILE")]
    pub stdin: Option<PathBuf>,
    /// At the end, fetch what it left in /work/out to this directory.
    #[arg(long, value_name = "DIR", requires = "wait", conflicts_with = "array")]
    pub output: Option<PathBuf>,
    /// Replace files that are in the directory of --output.
    #[arg(long, requires = "output")]
    pub force: bool,
    /// Let every escape sequence of the program reach the terminal.
    #[arg(long)]
    pub raw: bool,
}

#[derive(Debug, clap::Args)]
pub struct JobsOptions {
    /// Only those in this state.
    #[arg(long, value_parser = state())]
    pub state: Option<JobState>,
    /// Only those of this project, by name or id.
    #[arg(long)]
    pub project: Option<String>,
    /// Only those of this user, by name or id.
    #[arg(long)]
    pub user: Option<String>,
    /// Only those with this label.
    #[arg(long = "label", value_name = "K=V", value_parser = pair)]
    pub labels: Vec<(String, String)>,
    /// Only elements of this array.
    #[arg(long, value_name = "ID")]
    pub array: Option<ArrayId>,
    /// The most on a page.
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// Where the page begins, as said by the page before.
    #[arg(long)]
    pub cursor: Option<String>,
    /// Every page.
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, clap::Args)]
pub struct LogsOptions {
    /// Which job.
    pub id: JobId,
    /// Stay, and print what it writes as it comes, until it ended.
    #[arg(short, long)]
    pub follow: bool,
    /// Let every escape sequence of the program reach the terminal.
    #[arg(long)]
    pub raw: bool,
    /// Begin after the event of this number.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    pub after: u64,
}

#[derive(Debug, clap::Args)]
pub struct ArtifactsOptions {
    /// Which job.
    pub id: JobId,
    /// Only this one; without --output it goes to standard output.
    pub path: Option<String>,
    /// Fetch to this directory.
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Replace files that are there.
    #[arg(long, requires = "output")]
    pub force: bool,
}

#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Note a server and a key; the key is read from standard input, or from GAMBESON_KEY.
    Save {
        /// Under which name.
        name: String,
        /// The server: http://HOST:PORT, https://HOST or unix:/PATH.
        url: String,
        /// Use it when nothing else is named.
        #[arg(long)]
        default: bool,
    },
    /// Forget one.
    Remove {
        /// Which.
        name: String,
    },
    /// List them, with the beginnings of their keys.
    List,
}

#[derive(Debug, Clone, Subcommand)]
pub enum WorkerCommand {
    /// Give it no more jobs; those it has go on, and then it idles.
    Drain {
        /// Which.
        id: WorkerId,
    },
    /// Let one that was drained take jobs again.
    Undrain {
        /// Which.
        id: WorkerId,
    },
}

#[derive(Debug, Subcommand)]
pub enum JoinTokenCommand {
    /// Make one; it works once.
    Create,
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// List keys, newest first.
    List {
        /// Of this user, by name or id; your own when left out.
        #[arg(long)]
        user: Option<String>,
    },
    /// Make a key and print it: it cannot be shown again.
    Create {
        /// What to call it.
        name: String,
        /// Whose it shall be, by name or id; yours when left out.
        #[arg(long)]
        user: Option<String>,
        /// The only project it shall work in, by name or id.
        #[arg(long)]
        project: Option<String>,
        /// What it may be used for: jobs:read, jobs:write, keys, admin:read, admin, audit:read, or *.
        #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',', default_values = ["jobs:read", "jobs:write"])]
        scopes: Vec<String>,
        /// When it stops working, such as 30d from now.
        #[arg(long, value_name = "TIME")]
        expires_in: Option<String>,
    },
    /// Make a key stop working.
    Revoke {
        /// Which.
        id: KeyId,
    },
}

#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// List the projects that you may see.
    List,
    /// Make a project.
    Create {
        /// Its name.
        name: String,
        #[command(flatten)]
        settings: ProjectSettings,
    },
    /// Change a project; what is left out stays.
    Set {
        /// Its name or id.
        project: String,
        #[command(flatten)]
        settings: ProjectSettings,
    },
    /// Say everything about a project.
    Show {
        /// Its name or id.
        project: String,
    },
}

#[derive(Debug, Clone, Default, clap::Args)]
pub struct ProjectSettings {
    /// Whether it takes no jobs.
    #[arg(long, value_name = "BOOL")]
    pub suspended: Option<bool>,
    /// Its share of a full queue, from 1 to 1000.
    #[arg(long)]
    pub weight: Option<u32>,
    /// What it may use at most: running=4, queued=100, cpu_per_day=10h, stored=10G.
    #[arg(long = "quota", value_name = "KEY=VALUE")]
    pub quota: Vec<String>,
    /// The same for each of its users.
    #[arg(long = "user-quota", value_name = "KEY=VALUE")]
    pub user_quota: Vec<String>,
    /// The most that one of its jobs may ask for: memory=1G, wall=1h, as for --limit of submit.
    #[arg(long = "ceiling", value_name = "KEY=VALUE")]
    pub ceiling: Vec<String>,
    /// The highest priority class of its jobs.
    #[arg(long, value_parser = class())]
    pub class_most: Option<Class>,
    /// How the interpreters of its jobs start, at least: warm, fresh or cold.
    #[arg(long, value_parser = start())]
    pub start: Option<StartAsked>,
    /// Where its jobs may ask to connect to, in the place of what was: pypi.org:443,*.example.org:443; `none` for nowhere.
    #[arg(long, value_name = "HOST:PORT,...", value_parser = places)]
    pub network_allow: Option<Places>,
}

/// A list that may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places(pub Vec<Destination>);

fn places(text: &str) -> Result<Places, String> {
    if text == "none" {
        return Ok(Places(Vec::new()));
    }
    let places: Result<_, _> = text.split(',').map(|place| place.trim().parse()).collect();
    places.map(Places).map_err(|error: gambeson_api::BadDestination| error.to_string())
}

#[derive(Debug, Subcommand)]
pub enum MemberCommand {
    /// List who holds which role.
    List {
        /// Only in this project, by name or id.
        #[arg(long)]
        project: Option<String>,
    },
    /// Give a role.
    Add(Member),
    /// Take a role away.
    Remove(Member),
}

#[derive(Debug, clap::Args)]
pub struct Member {
    /// The user, by name or id.
    pub user: String,
    /// owner, operator, submitter, viewer or auditor.
    pub role: String,
    /// The project, by name or id; `platform` for all of them.
    #[arg(long)]
    pub project: String,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// List users.
    List,
    /// Make a user.
    Create {
        /// Its name.
        name: String,
        /// A program's account, not a person's.
        #[arg(long)]
        service: bool,
    },
    /// Refuse all that a user asks.
    Disable {
        /// Its name or id.
        user: String,
    },
    /// Undo disable.
    Enable {
        /// Its name or id.
        user: String,
    },
}

#[derive(Debug, clap::Args)]
pub struct AuditListOptions {
    /// Only rows after this one; with --newest, only those before it.
    #[arg(long, value_name = "SEQ")]
    pub after: Option<u64>,
    /// The most on a page.
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// Only rows of this project, by name or id.
    #[arg(long)]
    pub project: Option<String>,
    /// Only what this one did: a user's name, `worker`, `system` or `nobody`.
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    /// Only this action, such as key.create; `key` means all that begin with `key.`.
    #[arg(long)]
    pub action: Option<String>,
    /// Only rows about this, such as an id.
    #[arg(long, value_name = "ID")]
    pub resource: Option<String>,
    /// Only what was allowed.
    #[arg(long, conflicts_with = "refused")]
    pub allowed: bool,
    /// Only what was refused.
    #[arg(long)]
    pub refused: bool,
    /// Only rows that are not older: a time like 2026-11-25T08:30:00Z.
    #[arg(long, value_name = "TIME")]
    pub from: Option<Time>,
    /// Only rows that are older.
    #[arg(long, value_name = "TIME")]
    pub until: Option<Time>,
    /// The newest first.
    #[arg(long)]
    pub newest: bool,
    /// Every page.
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List rows, oldest first.
    List(AuditListOptions),
    /// Find any edit, deletion or reordering.
    Verify {
        /// A head that was noted before: the log must contain it.
        #[arg(long, value_name = "HEX")]
        head: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum AccessCommand {
    /// Say whether something would be allowed, and which policies decide.
    Explain {
        /// To do what, such as job.cancel.
        action: String,
        /// Whose right, by name or id; yours when left out.
        #[arg(long)]
        user: Option<String>,
        /// In which project, by name or id, or `platform`.
        #[arg(long)]
        project: Option<String>,
        /// On which job.
        #[arg(long, value_name = "ID")]
        job: Option<JobId>,
        /// What else a policy may look at, as JSON or text.
        #[arg(long = "context", value_name = "K=V", value_parser = pair)]
        context: Vec<(String, String)>,
    },
}

/// `K=V`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".into()),
    }
}

/// One of the words that the contract has for a `T`.
fn word<T: DeserializeOwned + Clone + Send + Sync + 'static>(
    words: &'static [&'static str],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words).try_map(|word| serde_json::from_value::<T>(word.into()))
}

fn class() -> impl TypedValueParser<Value = Class> {
    word(&["low", "normal", "high"])
}

pub fn start() -> impl TypedValueParser<Value = StartAsked> {
    word(&["warm", "fresh", "cold"])
}

fn state() -> impl TypedValueParser<Value = JobState> {
    word(&["queued", "starting", "running", "ended"])
}
