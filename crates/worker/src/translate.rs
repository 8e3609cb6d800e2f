//! Between the two languages: a lease becomes a spec of the sandbox, and what the sandbox says of a run becomes a
//! report of the contract. Nothing else in the platform knows both.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use gambeson_api as api;
use gambeson_api::work::Lease;
use gambeson_sandbox as sandbox;
use sandbox::{
    Amount, Bytes, End, Environment, Exit, Held, Host, Layer, MilliCpus, OpenFile, Refusal, Spec, Staged, Terminal,
};

/// A file of a job, with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) path: String,
    pub(crate) executable: bool,
    pub(crate) contents: Contents,
}

/// Where a file's content is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Contents {
    /// It came with the lease.
    Inline(Vec<u8>),
    /// In the file of the job's inputs.
    Input { from: OpenFile, offset: u64, size: u64 },
}

/// A lease that cannot be carried out as it stands. The server checks the same, so that this is rare.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error(transparent)]
    Limits(#[from] sandbox::LimitOutOfRange),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Unfit {
    pub(crate) fn report(&self) -> api::Report {
        match self {
            Unfit::Refused(refused) => refusal(refused),
            Unfit::Limits(error) => {
                report_of_end(&End::Fault { step: "read the limits".into(), why: error.to_string(), mend: None })
            }
        }
    }
}

/// What the cell of this lease may use.
pub(crate) fn limits(limits: &api::Limits) -> Result<sandbox::Limits, sandbox::LimitOutOfRange> {
    sandbox::Limits {
        memory: Bytes(limits.memory_bytes),
        pids: limits.pids,
        cpu: Duration::from_millis(limits.cpu_ms),
        cpus: MilliCpus(limits.cpus_milli),
        wall: Duration::from_millis(limits.wall_ms),
        disk: Bytes(limits.disk_bytes),
        files: limits.files,
        open_files: limits.open_files,
        output: Bytes(limits.output_bytes),
    }
    .checked()
}

/// What is wanted of the cell of this lease. `files` are the lease's, with their contents.
pub(crate) fn spec(
    lease: &Lease,
    files: Vec<Fetched>,
    environment: &Environment,
    accept_missing: &[Layer],
) -> Result<Spec, Unfit> {
    let limits = limits(&lease.limits)?;
    if !files.iter().any(|file| file.path == lease.entry) {
        let path = PathBuf::from(&lease.entry);
        return Err(Refusal::Input { path, why: "is to be run and is not among the files" }.into());
    }
    // A name that begins with a dash would be an option of the interpreter.
    let dashed = if lease.entry.starts_with('-') { "./" } else { "" };
    let mut args: Vec<OsString> = vec![format!("{dashed}{}", lease.entry).into()];
    args.extend(lease.args.iter().map(OsString::from));
    Ok(Spec {
        environment: environment.clone(),
        args,
        env: variables(lease),
        files: staged(files)?,
        limits,
        network: match &lease.network {
            api::Network::None => sandbox::Network::None,
            api::Network::Loopback => sandbox::Network::Loopback,
            api::Network::Allow(_) => sandbox::Network::Allow,
        },
        terminal: Terminal::None,
        accept_missing: accept_missing.to_vec(),
    })
}

/// Those of every program: it sees a pipe and would keep its lines to itself until it ends. Its author may say
/// otherwise.
pub(crate) fn common_variables() -> Vec<(OsString, OsString)> {
    vec![("PYTHONUNBUFFERED".into(), "1".into())]
}

/// A later one wins.
fn variables(lease: &Lease) -> Vec<(OsString, OsString)> {
    let mut env = common_variables();
    env.extend(lease.env.iter().map(|(name, value)| (name.into(), value.into())));
    env.push(("GAMBESON_JOB_ID".into(), lease.job.to_string().into()));
    if let Some(array) = &lease.array {
        env.push(("GAMBESON_ARRAY_INDEX".into(), array.index.to_string().into()));
        env.push(("GAMBESON_ARRAY_SIZE".into(), array.size.to_string().into()));
    }
    env
}

/// The files, and before them each directory that one of them lies in.
fn staged(files: Vec<Fetched>) -> Result<Vec<Staged>, Refusal> {
    let mut directories = BTreeSet::new();
    for file in &files {
        // Stricter than the sandbox, to which "a//b" and "a/./b" are "a/b": here one name is one file.
        if file.path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(Refusal::Input { path: file.path.clone().into(), why: "does not lie below /work" });
        }
        directories.extend(file.path.match_indices('/').map(|(at, _)| PathBuf::from(&file.path[..at])));
    }
    // Sorted, so that a directory comes before what lies in it.
    let mut staged: Vec<Staged> = directories.into_iter().map(|path| Staged::Directory { path }).collect();
    staged.extend(files.into_iter().map(|Fetched { path, executable, contents }| {
        let path = path.into();
        match contents {
            Contents::Inline(contents) => Staged::File { path, executable, contents },
            Contents::Input { from, offset, size } => Staged::Part { path, executable, from, offset, size },
        }
    }));
    Ok(staged)
}

/// What is said of a run.
pub fn report(exit: &Exit) -> api::Report {
    let Exit { end, at: _, start, usage, layers, denials } = exit;
    let last = if let End::Refused(denial) = end { Some(denial) } else { None };
    api::Report {
        outcome: api::Outcome { end: outcome(end), message: exit.message() },
        usage: api::Usage {
            wall_ms: round_ms(usage.wall),
            cpu_ms: round_ms(usage.cpu),
            memory_peak_bytes: usage.memory_peak.map(|bytes| bytes.0),
            pids_peak: usage.pids_peak,
            disk_bytes: usage.disk.0,
            output_bytes: usage.output.0,
        },
        layers: layers.iter().map(layer).collect(),
        denials: denials.iter().chain(last).map(denial).collect(),
        start: match start {
            sandbox::Start::Cold => api::Start::Cold,
            sandbox::Start::Warm => api::Start::Warm,
        },
    }
}

/// One refused act.
pub(crate) fn denial(denial: &sandbox::Denial) -> api::Denial {
    let sandbox::Denial { act, target, rule, layer, why, remedy, at, source, count } = denial;
    api::Denial {
        act: act.name().into(),
        target: target.clone(),
        rule: rule.clone(),
        layer: layer.name().into(),
        why: why.clone(),
        remedy: remedy.clone(),
        file: at.as_ref().map(|at| at.file.clone()),
        line: at.as_ref().map(|at| at.line),
        source: source.clone(),
        count: *count,
    }
}

/// What a program uses at one moment.
pub(crate) fn sample(sample: &sandbox::Sample) -> api::Sample {
    let sandbox::Sample { wall, cpu, memory, pids, disk, read, written } = *sample;
    let bytes = |count: Option<Bytes>| count.map(|Bytes(count)| count);
    api::Sample {
        wall_ms: wall.as_millis() as u64,
        cpu_ms: cpu.as_millis() as u64,
        memory_bytes: bytes(memory),
        pids,
        disk_bytes: bytes(disk),
        read_bytes: bytes(read),
        write_bytes: bytes(written),
    }
}

/// What is said of a run that never began.
pub fn report_of_end(end: &End) -> api::Report {
    report(&Exit {
        end: end.clone(),
        at: None,
        start: sandbox::Start::Cold,
        usage: sandbox::Usage::default(),
        layers: Vec::new(),
        denials: Vec::new(),
    })
}

/// What is said of a run that there is no plan for.
pub fn refusal(refusal: &Refusal) -> api::Report {
    let of_input = |remedy: String| {
        let why = refusal.to_string();
        let message = format!("this run was refused by input: {why}; {remedy}");
        let denial = api::Denial {
            act: sandbox::Act::Other.name().into(),
            target: Some("this run".into()),
            rule: "input".into(),
            layer: "input".into(),
            why,
            remedy,
            file: None,
            line: None,
            source: None,
            count: 1,
        };
        let mut report = report_of_end(&End::Cancelled);
        report.outcome = api::Outcome { end: api::End::Refused {}, message };
        report.denials = vec![denial];
        report
    };
    match refusal {
        Refusal::Missing(missing) => report_of_end(&End::Refused(sandbox::Denial::of_run(missing))),
        Refusal::InputTooLarge { limit, .. } => of_input(format!("ask for more with --limit {limit}=...")),
        Refusal::Nul(_) | Refusal::Variable { .. } | Refusal::Input { .. } => of_input("leave it out".into()),
    }
}

/// What this host can be seen to offer, before any cell was built.
pub fn posture(host: &Host) -> Vec<api::LayerReport> {
    let said = |layer: &Layer| match host.missing(*layer) {
        Some(missing) => (api::LayerState::Missing, missing.why.clone()),
        None => (api::LayerState::Held, layer.what().to_owned()),
    };
    let layer = |layer: &Layer| {
        let (state, detail) = said(layer);
        api::LayerReport { name: layer.name().into(), state, detail }
    };
    Layer::ALL.iter().map(layer).collect()
}

fn outcome(end: &End) -> api::End {
    match end {
        End::Exited(code) => api::End::Exited { code: *code },
        End::Signalled(signal) => api::End::Signalled { signal: *signal },
        End::LimitHit { limit, used, allowed } => {
            api::End::LimitHit { limit: limit.name().into(), used: amount(used), allowed: amount(allowed) }
        }
        End::Refused(_) => api::End::Refused {},
        End::Cancelled => api::End::Cancelled {},
        End::Fault { step, .. } => api::End::Fault { step: step.clone() },
    }
}

/// Bytes, a count, or milliseconds.
fn amount(amount: &Amount) -> u64 {
    match amount {
        Amount::Bytes(bytes) => bytes.0,
        Amount::Count(count) => *count,
        Amount::Time(time) => time.as_millis() as u64,
    }
}

fn round_ms(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}

fn layer(report: &sandbox::LayerReport) -> api::LayerReport {
    let state = match report.held {
        Held::Held => api::LayerState::Held,
        Held::Missing => api::LayerState::Missing,
    };
    api::LayerReport { name: report.layer.name().into(), state, detail: report.detail.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{ArrayId, ArrayPlace, Content, FileContent, JobId, LeaseId};

    #[test]
    fn who_reads_a_report_knows_the_same_layers_for_extras() {
        for report in posture(&Host::probe()) {
            let layer = Layer::ALL.iter().find(|layer| layer.name() == report.name).unwrap();
            assert_eq!(report.is_extra(), layer.is_extra(), "{layer}");
        }
    }

    fn lease() -> Lease {
        Lease {
            id: LeaseId::new(),
            token: "gml_x".into(),
            job: JobId::new(),
            attempt: 1,
            ttl_ms: 1000,
            files: [("main.py".to_owned(), FileContent::text("print(1)"))].into(),
            entry: "main.py".into(),
            args: vec!["--fast".into()],
            env: Default::default(),
            stdin: Content::default(),
            limits: api::Limits::default(),
            network: api::Network::None,
            start: Default::default(),
            array: None,
            denials: true,
            samples: false,
            may_rerun: false,
        }
    }

    fn environment() -> Environment {
        Environment {
            executable: "/usr/bin/python3".into(),
            version: "3.11.2".into(),
            directories: Vec::new(),
            files: Vec::new(),
            links: Vec::new(),
            layout: Err("it was not asked".into()),
        }
    }

    fn files(paths: &[&str]) -> Vec<Fetched> {
        paths
            .iter()
            .map(|path| Fetched { path: (*path).into(), executable: false, contents: Contents::Inline(b"x".to_vec()) })
            .collect()
    }

    fn spec_of(lease: &Lease, paths: &[&str]) -> Result<Spec, Unfit> {
        spec(lease, files(paths), &environment(), &[])
    }

    fn refused(why: Result<Spec, Unfit>) -> api::Report {
        match why {
            Ok(_) => panic!("it is accepted"),
            Err(unfit) => unfit.report(),
        }
    }

    #[test]
    fn the_defaults_of_both_languages_are_the_same() {
        assert_eq!(limits(&api::Limits::default()), Ok(sandbox::Limits::default()));
    }

    #[test]
    fn a_file_comes_after_every_directory_that_it_lies_in() {
        let spec = spec_of(&lease(), &["b/c/d.py", "main.py", "b/a.py"]).unwrap();
        let paths: Vec<&str> = spec.files.iter().map(|file| file.path().to_str().unwrap()).collect();
        assert_eq!(paths, ["b", "b/c", "b/c/d.py", "main.py", "b/a.py"]);
        assert_eq!(spec.args, ["main.py", "--fast"]);
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused_with_a_reason() {
        for path in ["/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", ""] {
            let report = refused(spec_of(&lease(), &["main.py", path]));
            assert_eq!(report.outcome.end, api::End::Refused {}, "{path:?}");
            assert_eq!(report.denials.len(), 1, "{path:?}");
        }
        assert!(spec_of(&lease(), &["other.py"]).is_err(), "the entry is not there");
    }

    #[test]
    fn limits_that_no_cell_can_have_are_a_fault_of_ours() {
        let mut lease = lease();
        lease.limits.memory_bytes = 1;
        assert_eq!(refused(spec_of(&lease, &["main.py"])).outcome.end.kind(), "fault");
    }

    #[test]
    fn an_entry_that_begins_with_a_dash_is_no_option() {
        let mut lease = lease();
        lease.entry = "-c".into();
        assert_eq!(spec_of(&lease, &["-c"]).unwrap().args[0], "./-c");
    }

    #[test]
    fn a_job_can_buffer_its_output_but_not_forge_its_place() {
        let mut lease = lease();
        lease.env = [("PYTHONUNBUFFERED", ""), ("GAMBESON_ARRAY_INDEX", "9")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        lease.array = Some(ArrayPlace { id: ArrayId::new(), index: 3, size: 7 });
        let env = spec_of(&lease, &["main.py"]).unwrap().env;
        let last = |name: &str| env.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.clone());
        assert_eq!(last("PYTHONUNBUFFERED"), Some("".into()));
        assert_eq!(last("GAMBESON_ARRAY_INDEX"), Some("3".into()));
        assert_eq!(last("GAMBESON_ARRAY_SIZE"), Some("7".into()));
        assert_eq!(last("GAMBESON_JOB_ID"), Some(lease.job.to_string().into()));
    }

    #[test]
    fn a_missing_layer_is_refused_with_the_words_of_gambeson_run() {
        let missing =
            sandbox::Missing { layer: Layer::Landlock, why: "no Landlock".into(), mend: "boot with it".into() };
        let report = refusal(&Refusal::Missing(missing));
        assert_eq!(
            report.outcome.message,
            "this run was refused by landlock: this host lacks it: no Landlock; mend it (boot with it), or accept it \
             with --accept-missing landlock"
        );
        assert_eq!(report.denials[0].layer, "landlock");
        assert!(report.layers.is_empty());
    }

    #[test]
    fn a_limit_says_its_amounts_in_its_own_unit() {
        let end = End::LimitHit {
            limit: sandbox::Limit::Wall,
            used: Amount::Time(Duration::from_micros(1_500_700)),
            allowed: Amount::Time(Duration::from_secs(1)),
        };
        let exit = Exit {
            start: sandbox::Start::Cold,
            end,
            at: None,
            usage: sandbox::Usage { wall: Duration::from_nanos(1_500_700_999), ..sandbox::Usage::default() },
            layers: Vec::new(),
            denials: Vec::new(),
        };
        let report = report(&exit);
        assert_eq!(report.outcome.end, api::End::LimitHit { limit: "wall".into(), used: 1500, allowed: 1000 });
        assert_eq!(report.usage.wall_ms, 1500.7);
    }

    #[test]
    fn the_posture_names_every_layer_once() {
        let posture = posture(&Host::probe());
        let names: Vec<&str> = posture.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, Layer::ALL.iter().map(|layer| layer.name()).collect::<Vec<_>>());
    }
}
