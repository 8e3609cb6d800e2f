//! `cargo xtask schemathesis`: every operation of the OpenAPI document, asked what its schema allows and what it does not,
//! by Schemathesis (<https://schemathesis.io>) from PyPI, with the owner's key.
//!
//! Held against each answer: no failure of ours, a documented status and media type, a body of its schema, within 5 s; and
//! nothing taken that the schema forbids. Schemathesis uses what answers tell it, ids above all: what would lock its own
//! key out is pointed at something spare, and a run that ends without a valid key has failed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

const USAGE: &str = "usage: cargo xtask schemathesis [--short] [--seed N]";

/// What is installed, by version.
const WANTED: &str = include_str!("../schemathesis.txt");

/// Examples of an operation: about two minutes in all; `--short`: about half a minute.
const EXAMPLES: u32 = 60;
const EXAMPLES_SHORT: u32 = 8;

pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut short, mut seed) = (false, None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--short" => short = true,
            "--seed" => seed = Some(args.next().and_then(|text| text.parse::<u64>().ok()).context(USAGE)?),
            _ => bail!("{USAGE}"),
        }
    }
    let venv = PathBuf::from("target/schemathesis");
    if let Err(error) = install(&venv) {
        // Without a network there is nothing to install from: that is not a failure of what is to be tested.
        ensure!(short, "{error:#}");
        println!("skipped: Schemathesis cannot be installed: {error:#}");
        println!("0 passed, 0 failed, 1 skipped");
        return Ok(());
    }
    let built = Command::new("cargo").args(["build", "-q", "-p", "gambeson"]).status()?;
    ensure!(built.success(), "the build failed");
    let data = std::env::temp_dir().join(format!("gambeson-schemathesis-{}", std::process::id()));
    let ended = Server::start(&data).and_then(|server| attack(&server, &venv, short, seed));
    let _ = fs::remove_dir_all(&data);
    ended?;
    println!("1 passed, 0 failed, 0 skipped");
    Ok(())
}

/// Makes a venv with exactly the wanted versions, unless it is there.
fn install(venv: &Path) -> Result<()> {
    let mark = venv.join("installed.txt");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == WANTED) {
        return Ok(());
    }
    println!("installing Schemathesis into {}", venv.display());
    let quiet = |command: &mut Command| -> Result<()> {
        let output = command.stdin(Stdio::null()).output().context("python3 cannot be started")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}", said.trim().lines().last().unwrap_or("pip failed and did not say why"));
        Ok(())
    };
    quiet(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    let wanted = venv.join("wanted.txt");
    fs::write(&wanted, WANTED)?;
    let pip = ["-m", "pip", "install", "-q", "--no-deps", "--retries", "1", "--timeout", "15", "-r"];
    quiet(Command::new(venv.join("bin/python")).args(pip).arg(&wanted))?;
    fs::write(&mark, WANTED)?;
    Ok(())
}

/// A server on loopback, killed when dropped.
struct Server {
    child: Child,
    url: String,
    key: String,
    log: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(data: &Path) -> Result<Server> {
        fs::create_dir_all(data)?;
        let log = data.join("server.log");
        let mut child = Command::new("target/debug/gambeson")
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.join("data"))
            .args(["--set", "server.rate_per_key=100000", "--set", "server.rate_burst=100000"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log)?)
            .spawn()
            .context("failed to start target/debug/gambeson")?;
        let lines = BufReader::new(child.stdout.take().context("it has a stdout")?).lines();
        let mut server = Server { child, url: String::new(), key: String::new(), log };
        for line in lines {
            let line = line?;
            if let Some(key) = line.strip_prefix("setup key: ") {
                server.key = key.to_owned();
            } else if let Some(url) = line.strip_prefix("listening on http") {
                server.url = format!("http{url}");
                return Ok(server);
            }
        }
        bail!("the server did not start: {}", fs::read_to_string(&server.log).unwrap_or_default())
    }

    /// What a command of the client prints, which must succeed.
    fn client(&self, args: &[&str]) -> Result<String> {
        let output = Command::new("target/debug/gambeson")
            .args(args)
            .env("GAMBESON_SERVER", &self.url)
            .env("GAMBESON_KEY", &self.key)
            .stdin(Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "gambeson {}: {}", args.join(" "), said.trim());
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn attack(server: &Server, venv: &Path, short: bool, seed: Option<u64>) -> Result<()> {
    let made: serde_json::Value = serde_json::from_str(&server.client(&["key", "create", "spare", "--json"])?)?;
    let spare = made["key"]["id"].as_str().context("the key has an id")?;
    server.client(&["user", "create", "spare"])?;
    server.client(&["submit", "--detach", "bench/programs/nbody.py"])?;
    let venv = fs::canonicalize(venv)?;
    fs::write(venv.join("schemathesis.toml"), configuration(spare))?;

    let examples = if short { EXAMPLES_SHORT } else { EXAMPLES };
    let mut command = Command::new(venv.join("bin/st"));
    // What it leaves for the next run stays there too; it reads schemathesis.toml where it is started.
    command.current_dir(&venv);
    command.args(["run", &format!("{}/openapi.json", server.url), "--warnings", "off", "--request-timeout", "5"]);
    command.args(["--continue-on-failure", "--max-examples", &examples.to_string()]);
    command.args(seed.map(|seed| format!("--seed={seed}")));
    let passed = command.env("GAMBESON_KEY", &server.key).stdin(Stdio::null()).status()?.success();

    server.client(&["whoami"]).context("the key was lost on the way: most was asked without one")?;
    let log = fs::read_to_string(&server.log)?;
    let failures: Vec<&str> =
        log.lines().filter(|line| line.contains(" ERROR ") || line.contains("panicked")).collect();
    ensure!(failures.is_empty(), "the server failed:\n{}", failures.join("\n"));
    ensure!(passed, "Schemathesis found something; it says how to repeat it, and the seed");
    Ok(())
}

/// What is fixed, and what is held against which operation.
fn configuration(spare: &str) -> String {
    format!(
        r#"headers = {{ Authorization = "Bearer ${{GAMBESON_KEY}}" }}

[checks]
# A schema cannot say everything: that a role exists, that files do not lie below files.
positive_data_acceptance.enabled = false

[[operations]]
include-operation-id = "job_events"
parameters = {{ "query.follow" = "false" }}
# OpenAPI 3.1 has no words for events: the text is described, and Schemathesis takes that for the schema of each.
checks.response_schema_conformance.enabled = false
# An id above 2^63 is none that was given out, and nothing comes after it.
checks.negative_data_rejection.enabled = false

[[operations]]
include-operation-id = "change_listen"
parameters = {{ "query.wait" = "10ms" }}
checks.response_schema_conformance.enabled = false

[[operations]]
include-operation-id-regex = "^job_(submit|read)$"
parameters = {{ "query.wait" = "0s" }}

[[operations]]
include-operation-id = "key_revoke"
parameters = {{ "path.id" = "{spare}" }}

[[operations]]
include-operation-id = "user_change"
parameters = {{ "path.name" = "spare" }}
"#
    )
}
