//! CPython's own tests in cells, as a person runs them: by the real binary.

mod cpython;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use cpython::{Module, Said};
use serde_json::Value;

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guest/regrtest.py");

/// Generous: what is tested here is Python, not the limits.
const LIMITS: [&str; 8] =
    ["memory=1G", "wall=300s", "cpu=300s", "cpus=2", "pids=256", "disk=512M", "files=65536", "output=16M"];

fn main() -> ExitCode {
    cpython::main_with(run)
}

fn run(module: &Module<'_>) -> Said {
    let mut gambeson = Command::new(env!("CARGO_BIN_EXE_gambeson"));
    gambeson.args(["run", "--json", "--start", "cold", "--network", module.network, "--python"]).arg(cpython::python());
    // Of a run's own; CPython's tests look at what an interpreter does without (test_cmd_line).
    gambeson.args(["--env", "PYTHONUNBUFFERED="]);
    gambeson.args(LIMITS.iter().flat_map(|limit| ["--limit", limit]));
    gambeson.arg(PathBuf::from(PROGRAM)).arg("--").args(module.args());
    let failed = |why: String, stderr: &[u8]| Said {
        end: Err(why),
        stdout: String::new(),
        stderr: String::from_utf8_lossy(stderr).into_owned(),
    };
    let output = match gambeson.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) => return failed(format!("gambeson does not start: {error}"), b""),
    };
    let Ok(report) = serde_json::from_slice::<Value>(&output.stdout) else {
        return failed("gambeson said nothing that is JSON".into(), &output.stderr);
    };
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let outcome = &report["outcome"];
    let well = outcome["kind"] == "exited" && outcome["code"] == 0;
    Said {
        end: if well { Ok(()) } else { Err(word(&outcome["message"])) },
        stdout: word(&report["stdout"]),
        stderr: word(&report["stderr"]),
    }
}
