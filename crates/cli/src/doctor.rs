//! `gambeson doctor`: what this host enforces, by trying it.

use std::fs;
use std::path::Path;

use gambeson_sandbox::{
    End, Frames, Held, Host, Layer, LayerReport, Limits, Missing, Network, Spec, Staged, Streams, Terminal, launch,
    plan,
};
use serde_json::{Value, json};

use crate::args::DoctorOptions;
use crate::exit_code::ExitCode;
use crate::python;
use crate::terminal::{complain, print};

/// A fact about the host that no cell can change, and what to think of it.
struct Posture {
    name: &'static str,
    value: String,
    advice: Option<String>,
}

struct Row {
    layer: Layer,
    held: bool,
    detail: String,
    mend: Option<String>,
}

/// Prints the table and returns our exit code: 0 when nothing is missing that a run would refuse for.
pub fn doctor(options: &DoctorOptions) -> ExitCode {
    let host = Host::probe();
    let mut missing = host.missing.clone();
    for tried in host.try_namespaces() {
        if !missing.iter().any(|known| known.layer == tried.layer) {
            missing.push(tried);
        }
    }
    let trial = trial(options, &host);
    let rows: Vec<Row> = Layer::ALL.iter().map(|layer| row(*layer, &missing, &trial)).collect();
    let mut posture = posture(&host);
    posture.push(lines(options));
    if options.json {
        print(&format!("{}\n", to_json(&rows, &posture, &trial)));
    } else {
        print_table(&rows, &posture, &trial);
    }
    let sound = rows.iter().all(|row| row.held || row.layer.is_extra());
    if sound && trial.is_ok() { ExitCode::Program(0) } else { ExitCode::Refused }
}

/// Runs a real program in a real cell, accepting whatever is missing, and says which layers held.
fn trial(options: &DoctorOptions, host: &Host) -> Result<Vec<LayerReport>, String> {
    let environment = python::environment(options.python.as_deref())?;
    let spec = Spec {
        environment,
        args: vec!["trial.py".into()],
        env: Vec::new(),
        files: vec![Staged::File {
            path: "trial.py".into(),
            executable: false,
            contents: b"import time; print(sum(range(10)))".into(),
        }],
        limits: Limits::default(),
        network: Network::None,
        terminal: Terminal::None,
        accept_missing: Layer::ALL.to_vec(),
    };
    let plan = plan(&spec, host).map_err(|refusal| refusal.to_string())?;
    let cell = launch(plan, host).map_err(|error| error.end().message())?;
    let ended = cell.wait(Streams::kept());
    match ended.exit.end {
        End::Exited(0) if ended.stdout == b"45\n" => Ok(ended.exit.layers),
        end => Err(format!("{} {}", end.message(), String::from_utf8_lossy(&ended.stderr)).trim().to_owned()),
    }
}

fn row(layer: Layer, missing: &[Missing], trial: &Result<Vec<LayerReport>, String>) -> Row {
    if let Some(missing) = missing.iter().find(|missing| missing.layer == layer) {
        return Row { layer, held: false, detail: missing.why.clone(), mend: Some(missing.mend.clone()) };
    }
    match trial {
        Ok(reports) => match reports.iter().find(|report| report.layer == layer) {
            Some(report) => Row { layer, held: report.held == Held::Held, detail: report.detail.clone(), mend: None },
            None => Row { layer, held: false, detail: "not in the trial's plan".into(), mend: None },
        },
        Err(_) => Row { layer, held: false, detail: "the trial cell did not run, see below".into(), mend: None },
    }
}

fn posture(host: &Host) -> Vec<Posture> {
    let read = |path: &str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let mut facts = Vec::new();
    let mut fact = |name, value: String, advice: Option<&str>| {
        facts.push(Posture { name, value, advice: advice.map(str::to_owned) });
    };
    match read("/sys/devices/system/cpu/smt/active").as_deref() {
        Some("1") => fact(
            "SMT",
            "active: two cells may share a core's caches".into(),
            Some("echo off > /sys/devices/system/cpu/smt/control, where tenants do not trust each other"),
        ),
        Some(_) => fact("SMT", "off".into(), None),
        None => fact("SMT", "the kernel does not say".into(), None),
    }
    match read("/sys/kernel/mm/ksm/run").as_deref() {
        Some("0") => fact("KSM", "off".into(), None),
        None => fact("KSM", "not in this kernel".into(), None),
        Some(_) => fact(
            "KSM",
            "on: equal pages of different cells are merged, which timing shows (CVE-2015-2877)".into(),
            Some("echo 2 > /sys/kernel/mm/ksm/run"),
        ),
    }
    let vulnerable: Vec<String> = fs::read_dir("/sys/devices/system/cpu/vulnerabilities")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| read(&entry.path().to_string_lossy()).is_some_and(|text| text.starts_with("Vulnerable")))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    if vulnerable.is_empty() {
        fact("mitigations", "the kernel reports no unmitigated CPU vulnerability".into(), None);
    } else {
        fact(
            "mitigations",
            format!("not mitigated: {}", vulnerable.join(", ")),
            Some("update the microcode, and boot without mitigations=off"),
        );
    }
    let namespaces = [
        "/proc/sys/user/max_user_namespaces",
        "/proc/sys/kernel/unprivileged_userns_clone",
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    ];
    let said: Vec<String> = namespaces
        .iter()
        .filter_map(|path| Some(format!("{}={}", Path::new(path).file_name()?.to_string_lossy(), read(path)?)))
        .collect();
    fact("user namespaces", said.join(", "), None);
    for layer in [Layer::CgroupMemory, Layer::CgroupPids, Layer::CgroupCpu] {
        let described = host.cgroups.describe(layer);
        if !described.is_empty() {
            fact(layer.name(), described, None);
        }
    }
    let who = match host.authority {
        gambeson_sandbox::Authority::Root => "root: each cell gets a user id of its own".to_owned(),
        gambeson_sandbox::Authority::User { uid, .. } => format!("user {uid}: cells share this user's id outside"),
    };
    fact("authority", who, None);
    facts
}

/// Whether a refusal can say at which line of Python it met the program.
fn lines(options: &DoctorOptions) -> Posture {
    let found = python::environment(options.python.as_deref())
        .and_then(|environment| Frames::of(&environment).map(|_| environment.version));
    let (value, advice) = match found {
        // What forbids every process to read another's memory (Documentation/admin-guide/LSM/Yama.rst).
        Ok(_) if fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").is_ok_and(|scope| scope.trim() == "3") => (
            "not told: kernel.yama.ptrace_scope is 3, so that no program's memory can be read".to_owned(),
            Some("sysctl kernel.yama.ptrace_scope=2, after a restart".to_owned()),
        ),
        Ok(version) => (format!("told of programs of Python {version}"), None),
        Err(why) => (format!("not told: {why}"), None),
    };
    Posture { name: "lines", value, advice }
}

fn to_json(rows: &[Row], posture: &[Posture], trial: &Result<Vec<LayerReport>, String>) -> Value {
    json!({
        "layers": rows.iter().map(|row| json!({
            "name": row.layer.name(),
            "state": state(row),
            "what": row.layer.what(),
            "detail": row.detail,
            "mend": row.mend,
            "may_be_missing": row.layer.may_be_missing(),
        })).collect::<Vec<_>>(),
        "posture": posture.iter().map(|fact| json!({
            "name": fact.name, "value": fact.value, "advice": fact.advice,
        })).collect::<Vec<_>>(),
        "trial": match trial {
            Ok(_) => json!({"ran": true}),
            Err(why) => json!({"ran": false, "why": why}),
        },
    })
}

fn state(row: &Row) -> &'static str {
    if row.held { "held" } else { "missing" }
}

fn print_table(rows: &[Row], posture: &[Posture], trial: &Result<Vec<LayerReport>, String>) {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(line.trim_end());
        text.push('\n');
    };
    for row in rows {
        line(format!("{:18} {:8} {}", row.layer.name(), state(row), row.layer.what()));
        if !row.held {
            line(format!("{:27} why:  {}", "", row.detail));
            if let Some(mend) = &row.mend {
                line(format!("{:27} mend: {mend}", ""));
            }
        }
    }
    line(String::new());
    for fact in posture {
        line(format!("{:18} {}", fact.name, fact.value));
        if let Some(advice) = &fact.advice {
            line(format!("{:18} mend: {advice}", ""));
        }
    }
    line(String::new());
    if trial.is_ok() {
        line("A trial cell ran, and what is called held was seen in it.".into());
    }
    print(&text);
    if let Err(why) = trial {
        complain(&format!("a trial cell did not run: {why}"));
    }
}
