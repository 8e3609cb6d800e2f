//! The documents that are made of the table: `deploy/gambeson.toml` and `docs/operate/configuration.md`.

use std::fs;
use std::path::Path;

use super::table::{Otherwise, SECTIONS, SETTINGS, Setting};
use super::value::Shape;

/// The commented file. A `#` with a space begins prose, one without begins a setting.
pub(super) fn example() -> String {
    let mut text = String::from(
        "# The configuration of gambeson up, gambeson serve and gambeson worker.\n\
         # Copy it to /etc/gambeson/gambeson.toml, or name it with --config or GAMBESON_CONFIG.\n\
         #\n\
         # What is commented out is the default, or an example where there is none. A flag beats an environment\n\
         # variable, a variable beats this file. gambeson config check prints what is in force, and from where.\n\
         # This file is made of crates/cli/src/config/table.rs, and so is docs/operate/configuration.md.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            text.push_str(&format!("\n# {}\n[{section}]\n", about(section)));
        }
        text.push('\n');
        for line in wrapped(setting.what(), 108) {
            text.push_str(&format!("# {line}\n"));
        }
        text.push_str(&format!("# {}\n#{} = {}\n", remark(setting), setting.key, literal(setting)));
    }
    text
}

/// Type, range and, where the line below does not show it, the default.
fn remark(setting: &Setting) -> String {
    let range = setting.range.map(|(least, most)| format!(", from {least} to {most}")).unwrap_or_default();
    let default = match &setting.otherwise {
        Otherwise::Is(_) => String::new(),
        Otherwise::Unset { meaning, .. } => format!(" Not set by default: {meaning}."),
        Otherwise::Found { says, .. } => format!(" Default: {says}."),
    };
    format!("({}{range}){default}", setting.noun)
}

/// The default or the example, as it stands in TOML.
fn literal(setting: &Setting) -> String {
    let (Otherwise::Is(text) | Otherwise::Unset { example: text, .. } | Otherwise::Found { example: text, .. }) =
        &setting.otherwise;
    match setting.shape {
        Shape::Text | Shape::Path => format!("{text:?}"),
        Shape::Count | Shape::Decimal | Shape::Switch => (*text).to_owned(),
        Shape::List if text.is_empty() => "[]".into(),
        Shape::List => format!("[{}]", text.split(',').map(|item| format!("{item:?}")).collect::<Vec<_>>().join(", ")),
    }
}

fn about(section: &str) -> &'static str {
    SECTIONS.iter().find(|(name, _)| *name == section).map_or("", |(_, about)| about.trim())
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= width => line.push_str(&format!(" {word}")),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The reference of all settings.
pub(super) fn reference() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         <!-- Made of crates/cli/src/config/table.rs; GAMBESON_WRITE_DOCS=1 cargo test -p gambeson config writes it. -->\n\n\
         `gambeson up`, `gambeson serve` and `gambeson worker` read a TOML file, environment variables and flags. A flag\n\
         beats a variable, a variable beats the file, the file beats the default. `gambeson config check` prints every\n\
         setting in force and where it came from, and exits with 120 and a sentence for each thing that makes no sense.\n\n\
         - **File**: the one that `--config FILE` or `GAMBESON_CONFIG` names, else `/etc/gambeson/gambeson.toml` where that\n  \
         exists. [`deploy/gambeson.toml`](../../deploy/gambeson.toml) is one with every setting, commented. A name that is\n  \
         no setting ends the start. A relative path counts from the directory of the file.\n\
         - **Variable**: `GAMBESON_`, then the name in capitals with `_` for the dot: `GAMBESON_SERVER_LISTEN`. One\n  \
         that is empty is not set. Lists are written with commas.\n\
         - **Flag**: `--set server.listen=127.0.0.1:8080`, and the flags of a role such as `--listen`.\n\n\
         Sizes read `512K`, `64M`, `1.5G` and are binary; times read `500ms`, `10s`, `2m`, `1h`, `7d`; both stand in quotes in\n\
         the file. A number without a unit is in bytes or in seconds. Settings name the files of secrets and never hold one.\n",
    );
    let mut section = "a section that there is not";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            let head = if section.is_empty() {
                "\n## Above the first section\n".to_owned()
            } else {
                format!("\n## `[{section}]`\n\n{}\n", about(section))
            };
            text.push_str(&format!("{head}\n| setting | type | default | what it does |\n|---|---|---|---|\n"));
        }
        let range = setting.range.map(|(least, most)| format!(", {least} to {most}")).unwrap_or_default();
        let default = match &setting.otherwise {
            Otherwise::Is(_) => format!("`{}`", literal(setting)),
            Otherwise::Unset { meaning, .. } => format!("not set: {meaning}"),
            Otherwise::Found { says, .. } => (*says).to_owned(),
        };
        text.push_str(&format!("| `{}` | {}{range} | {default} | {} |\n", setting.key, setting.noun, setting.what()));
    }
    text.push_str(
        "\n## What contradicts\n\n\
         These end the start, with a sentence that says what to change:\n\n\
         - `server.listen` beyond loopback without TLS, unless `server.allow_plaintext = true`;\n\
         - one of `server.tls_certificate` and `server.tls_key` without the other;\n\
         - a `server.socket` or `worker.local_socket` longer than the path of a Unix socket may be;\n\
         - a `server.public_url` that is a Unix socket;\n\
         - `worker.server_ca` where `worker.join` is no `https://` URL;\n\
         - a layer in `worker.accept_missing` without which nothing may run;\n\
         - `retention.events` or `retention.artifacts` longer than `retention.jobs`;\n\
         - a ceiling in `[limits]` that no cell can have.\n",
    );
    text
}

/// Compares a document with what it should be; writes it instead where `GAMBESON_WRITE_DOCS` is set.
fn compare(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os("GAMBESON_WRITE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let remedy = "GAMBESON_WRITE_DOCS=1 cargo test -p gambeson config";
    assert!(found == expected, "{} is not what the table says; {remedy} writes it", path.display());
}

#[test]
fn the_commented_file_is_what_the_table_says() {
    compare("deploy/gambeson.toml", &example());
}

#[test]
fn the_reference_is_what_the_table_says() {
    compare("docs/operate/configuration.md", &reference());
}

#[test]
fn every_line_of_the_documents_fits() {
    for line in example().lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
}
