//! `gambeson config check`, as an operator uses it: the real binary, with an environment of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A configuration file that goes with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> File {
        let path = std::env::temp_dir().join(format!("gambeson-check-{}-{name}.toml", std::process::id()));
        fs::write(&path, text).unwrap();
        File(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn check(file: &Path, args: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gambeson"))
        .args(["config", "check", "--config"])
        .arg(file)
        .args(args)
        .env_clear()
        .env("HOME", "/home/nobody")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn every_setting_is_printed_with_its_value_its_origin_and_its_purpose() {
    let file = File::new("origins", "[worker]\nslots = 3\n");
    let output = check(
        &file.0,
        &["--json", "--set", "log.level=warn", "--set", "data_dir=/d"],
        &[("GAMBESON_SERVER_LISTEN", "127.0.0.1:9")],
    );
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let settings = report["settings"].as_array().unwrap();
    let at = format!("{}:2", file.0.display());
    for (name, value, origin) in [
        ("worker.slots", "3", at.as_str()),
        ("server.listen", "127.0.0.1:9", "env GAMBESON_SERVER_LISTEN"),
        ("log.level", "warn", "flag"),
        ("data_dir", "/d", "flag"),
        ("server.socket", "/d/run/gambeson.sock", "default"),
        ("queue.lease", "30s", "default"),
    ] {
        let one = settings.iter().find(|one| one["name"] == name).unwrap();
        assert_eq!((one["value"].as_str(), one["origin"].as_str()), (Some(value), Some(origin)), "{name}");
    }
    let text = String::from_utf8(check(&file.0, &[], &[]).stdout).unwrap();
    for one in settings {
        assert!(text.contains(one["name"].as_str().unwrap()), "{one}");
        assert!(text.contains(one["what"].as_str().unwrap()), "{one}");
    }
}

#[test]
fn what_makes_no_sense_ends_with_120_and_a_sentence_each() {
    let file = File::new("nonsense", "[server]\nlisen = \"x\"\ndrain = \"10x\"\n");
    let at = file.0.display();
    let sentences = [
        format!("{at}:3: server.drain is \"10x\"; write a time such as 500ms, 10s or 2m"),
        format!("{at}:2: there is no setting server.lisen; did you mean server.listen?"),
    ];
    let output = check(&file.0, &[], &[]);
    assert_eq!(output.status.code(), Some(120));
    assert!(output.stdout.is_empty());
    let said: String = sentences.iter().map(|sentence| format!("gambeson: {sentence}\n")).collect();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), said);

    let output = check(&file.0, &["--json"], &[]);
    assert_eq!(output.status.code(), Some(120));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report, serde_json::json!({"problems": sentences}));
}

#[test]
fn a_set_that_sets_nothing_is_refused() {
    let file = File::new("set", "");
    for (set, said) in [
        ("server.drain", "gambeson: --set needs NAME=VALUE, for example server.drain=10s\n"),
        ("server.drian=1s", "gambeson: --set: there is no setting server.drian; did you mean server.drain?\n"),
    ] {
        let output = check(&file.0, &["--set", set], &[]);
        assert_eq!(output.status.code(), Some(120));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), said);
    }
}
