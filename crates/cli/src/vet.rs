//! `gambeson vet`: what a cell would do about files, without a server and without running them. And the process that reads:
//! ours, started again with a word that no person types.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use gambeson_api::Destination;
use gambeson_vet::process::{Reader, serve};
use gambeson_vet::{
    MOST_BYTES_OF_FILE, MOST_FILES, Network, Policy, PredictedFinding, Report, Severity, Source, Style, predict_all,
    sarif, text,
};

use crate::args::NetworkChoice;
use crate::exit_code::ExitCode;
use crate::limits;
use crate::terminal::{complain, print};

/// The first argument of the process that reads.
pub const READER: &str = "vet-reader";

/// What it may ask of the kernel, from before it looks at the first file.
const FILTER: &str = include_str!("../../../policies/reader.policy");

/// Directories are not looked into deeper than this.
const DEEPEST: usize = 32;
/// Names in directories that are looked at.
const NAMES_MOST: usize = 100_000;

/// `gambeson vet`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing is run, and no server is asked (--record asks one). The first FILE is the program; of a directory, main.py or
__main__.py. What is said is advice: whoever wants to deceive a reader can, and what stops a program is its cell.
Exit codes: 0, also with findings; 1 with a finding that --fail-on names; 120 usage; 125 our own failure.")]
pub struct VetOptions {
    /// Python files, or directories of them; read together, as files of one project.
    #[arg(required_unless_present = "record", value_name = "FILE|DIR")]
    pub files: Vec<PathBuf>,
    /// Print a SARIF 2.1.0 log, for code-scanning pages.
    #[arg(long)]
    pub sarif: bool,
    /// End with 1 if there is a finding as bad as this, or worse: error (high) or warning (medium).
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<FailOn>,
    /// Which sockets the program is to be allowed to make.
    #[arg(long, value_enum, default_value = "none")]
    pub network: NetworkChoice,
    /// Where the program is to be let connect: pypi.org:443, *.example.org:443 (names below it), *:443 (any name).
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', conflicts_with = "network")]
    pub network_allow: Vec<Destination>,
    /// Limits that the job is to have, as for gambeson run.
    #[arg(long = "limit", value_name = "KEY=VALUE")]
    pub limits: Vec<String>,
    /// Ask the server how good its advice was: what was foretold, and what happened.
    #[arg(long, conflicts_with_all = ["files", "sarif", "fail_on", "limits", "network_allow"])]
    pub record: bool,
}

/// From which severity on a finding is a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// High.
    Error,
    /// Medium or high.
    Warning,
}

/// How a process that reads is started: this program, whatever its file is called by now.
pub fn reader() -> Reader {
    Reader::new("/proc/self/exe", [READER])
}

/// Puts the thread that reads behind the filter.
fn confine() -> io::Result<()> {
    let none = (gambeson_sandbox::Network::None, gambeson_sandbox::Terminal::None);
    gambeson_sandbox::Policy::parse(FILTER, none.0, none.1).map_err(io::Error::other)?.confine_thread()
}

/// Is the process that reads.
pub fn be_reader() -> std::process::ExitCode {
    match serve(confine) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(_) => std::process::ExitCode::FAILURE,
    }
}

/// Reads files, says what there is to remark, and returns our exit code.
pub fn vet(options: &VetOptions, json: bool) -> ExitCode {
    let usage = |message: String| {
        complain(&message);
        ExitCode::Usage
    };
    if json && options.sarif {
        return usage("--json and --sarif are two forms of the same; choose one".into());
    }
    let policy = match policy(options) {
        Ok(policy) => policy,
        Err(message) => return usage(message),
    };
    let source = match gather(&options.files) {
        Ok(source) => source,
        Err(message) => return usage(message),
    };
    let report = match reader().read(&source) {
        Ok(report) => report,
        Err(error) => {
            complain(&match std::error::Error::source(&error) {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            });
            return ExitCode::Fault;
        }
    };
    let predicted = predict_all(&report.findings, &policy);
    if options.sarif {
        print(&format!("{}\n", serde_json::to_string_pretty(&sarif(&report, Some(&predicted))).unwrap_or_default()));
    } else if json {
        print(&format!("{}\n", as_json(&report, &predicted, &predict_all(&report.silenced, &policy))));
    } else {
        let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        print(&text(&report, &source, Some(&predicted), Style { color }));
    }
    let least = match options.fail_on {
        None => return ExitCode::Program(0),
        Some(FailOn::Error) => Severity::High,
        Some(FailOn::Warning) => Severity::Medium,
    };
    ExitCode::Program(u8::from(report.worst() >= Some(least)))
}

/// The same words as `POST /v1/vet` answers, as far as no server is needed for them.
fn as_json(report: &Report, predicted: &[PredictedFinding], silenced: &[PredictedFinding]) -> String {
    let told = |findings: &[PredictedFinding]| findings.iter().map(gambeson_control::told).collect::<Vec<_>>();
    let said = serde_json::json!({
        "findings": told(predicted),
        "silenced": told(silenced),
        "more": report.more.values().sum::<u64>(),
        "modules": report.modules.iter().map(gambeson_control::told_module).collect::<Vec<_>>(),
        "files_read": report.files_read,
        "bytes_read": report.bytes_read,
        "incomplete": report.incomplete,
    });
    serde_json::to_string_pretty(&said).unwrap_or_default()
}

/// What the cell would be allowed.
fn policy(options: &VetOptions) -> Result<Policy, String> {
    let limits = limits::parse(&options.limits).map_err(|error| error.to_string())?;
    let ms = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Ok(Policy {
        network: match options.network {
            _ if !options.network_allow.is_empty() => {
                Network::Allow(options.network_allow.iter().map(ToString::to_string).collect())
            }
            NetworkChoice::None => Network::None,
            NetworkChoice::Loopback => Network::Loopback,
        },
        memory: Some(limits.memory.0),
        disk: Some(limits.disk.0),
        output: Some(limits.output.0),
        pids: Some(limits.pids),
        cpu_ms: Some(ms(limits.cpu)),
        wall_ms: Some(ms(limits.wall)),
        ..Policy::default()
    })
}

/// Reads what is named: a file whatever its name, of a directory what is Python by its name.
fn gather(paths: &[PathBuf]) -> Result<Source, String> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    let mut looked = 0;
    for path in paths {
        let said = path.display();
        let metadata = fs::metadata(path).map_err(|error| format!("{said}: {error}"))?;
        if metadata.is_dir() {
            let before = found.len();
            walk(path, "", 0, &mut looked, &mut found)?;
            if found.len() == before {
                return Err(format!("{said} has no Python files"));
            }
            // The program comes first.
            let main = found[before..].iter().position(|(name, _)| ["main.py", "__main__.py"].contains(&name.as_str()));
            if let Some(at) = main {
                found[before..=before + at].rotate_right(1);
            }
        } else if metadata.is_file() {
            let name = path.file_name().unwrap_or(OsStr::new("main.py")).to_string_lossy().into_owned();
            // Two files of one name are told apart by how they were named.
            let taken = found.iter().any(|(other, _)| *other == name);
            found.push((if taken { said.to_string() } else { name }, path.clone()));
        } else {
            return Err(format!("{said} is neither a file nor a directory"));
        }
    }
    let mut source = Source::default();
    let mut seen = BTreeSet::new();
    for (name, path) in found {
        if !seen.insert(path.clone()) {
            continue;
        }
        let mut bytes = Vec::new();
        // One more byte than is read of a file is enough to see that it is too large.
        fs::File::open(&path)
            .and_then(|file| file.take(MOST_BYTES_OF_FILE as u64 + 1).read_to_end(&mut bytes))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        source.add(&name, &bytes);
    }
    Ok(source)
}

/// Finds the Python files below a directory, in order; no link is followed, and what is no part of a project is left out.
fn walk(
    directory: &Path,
    name: &str,
    depth: usize,
    looked: &mut usize,
    found: &mut Vec<(String, PathBuf)>,
) -> Result<(), String> {
    let said = directory.display();
    if depth > DEEPEST {
        return Err(format!("{said} lies deeper than {DEEPEST} directories"));
    }
    let entries = fs::read_dir(directory).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let mut entries = entries.map_err(|error| format!("{said}: {error}"))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        *looked += 1;
        if *looked > NAMES_MOST {
            return Err(format!("{said}: there are more than {NAMES_MOST} names; name what is to be read"));
        }
        let (path, own) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let kind = entry.file_type().map_err(|error| format!("{}: {error}", path.display()))?;
        let name = if name.is_empty() { own.clone() } else { format!("{name}/{own}") };
        if kind.is_dir() {
            let left_out = own.starts_with('.') || own == "__pycache__" || path.join("pyvenv.cfg").exists();
            if !left_out {
                walk(&path, &name, depth + 1, looked, found)?;
            }
        } else if kind.is_file() && [".py", ".pyw", ".pyi"].iter().any(|ending| own.ends_with(ending)) {
            // What is beyond what is read is named once, and that is said.
            if found.len() <= MOST_FILES {
                found.push((name, path));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_that_reads_can_open_nothing_and_say_nothing() {
        let tries = || {
            let open = fs::File::open("/dev/null").map(drop).map_err(|error| error.kind());
            let (read, write) = rustix::pipe::pipe().unwrap();
            drop(read);
            (open, rustix::io::write(&write, b"x"))
        };
        let ended = std::thread::spawn(move || {
            // The control: the same without the filter. What is written to a pipe that nobody reads is told apart.
            let before = tries();
            let pipe = rustix::pipe::pipe().unwrap();
            rustix::thread::set_no_new_privs(true).unwrap();
            confine().unwrap();
            let open = fs::File::open("/dev/null").map(drop).map_err(|error| error.kind());
            let said = rustix::io::write(&pipe.1, b"x");
            let made = rustix::pipe::pipe().map(drop);
            // Reading goes on.
            let findings = gambeson_vet::read(&Source::of("main.py", "import os\nos.system('id')\n")).findings.len();
            (before, open, said, made, findings)
        });
        let (before, open, said, made, findings) = ended.join().unwrap();
        assert_eq!(before, (Ok(()), Err(rustix::io::Errno::PIPE)));
        assert_eq!(open, Err(io::ErrorKind::PermissionDenied));
        assert_eq!((said, made), (Err(rustix::io::Errno::PERM), Err(rustix::io::Errno::PERM)));
        assert_eq!(findings, 1, "a thread to read in cannot be had any more, and that is a finding");
    }
}
