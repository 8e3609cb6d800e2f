//! `gambeson worker`: takes jobs from a server and runs them in cells.

use gambeson_api::work::Room;
use gambeson_sandbox::Missing;
use gambeson_worker::{Config, Local, Warmth, WorkerError};

use super::{LOCAL_TOKEN, WorkerOptions, checked, log, runtime, stopping, tracer, whole};
use crate::config::{ConfigProblem, Settings};
use crate::exit_code::ExitCode;
use crate::python;
use crate::terminal::complain;

/// Works until a signal, and returns our exit code.
pub fn worker(options: &WorkerOptions) -> ExitCode {
    try_worker(options).unwrap_or_else(|code| code)
}

fn try_worker(options: &WorkerOptions) -> Result<ExitCode, ExitCode> {
    let path = |name: &'static str, path: &Option<std::path::PathBuf>| {
        path.as_ref().map(|path| (name, path.display().to_string()))
    };
    let flags: Vec<(&'static str, String)> = [
        options.join.as_ref().map(|join| ("worker.join", join.clone())),
        path("worker.join_token_file", &options.join_token_file),
        path("worker.state_dir", &options.state_dir),
    ]
    .into_iter()
    .flatten()
    .collect();
    let settings = checked(options.sources.load(&flags).map(|(settings, _)| settings))?;
    log(&settings);
    let (tracer, _exporter) = tracer(&settings, "gambeson-worker")?;
    let config = Config { tracer, ..checked(config(&settings))? };
    let worked = runtime()?.block_on(async {
        let stop = stopping().map_err(|error| error.to_string())?;
        let ready = || tracing::info!("the worker is ready");
        Ok::<_, String>(gambeson_worker::run(config, stop, ready).await)
    });
    let fault = |message: String| {
        complain(&message);
        ExitCode::Fault
    };
    match worked.map_err(fault)? {
        Ok(()) => Ok(ExitCode::Program(0)),
        Err(error @ WorkerError::Lacking(_)) => {
            if let WorkerError::Lacking(missing) = &error {
                complain_of_missing(missing);
            }
            complain(&whole(&error));
            Err(ExitCode::Refused)
        }
        Err(error) => Err(fault(whole(&error))),
    }
}

/// Says of each layer what mends it, or how to do without.
pub fn complain_of_missing(missing: &[Missing]) {
    for Missing { layer, why, mend } in missing {
        complain(&format!("this host lacks the layer {layer}: {why}"));
        if layer.may_be_missing() {
            complain(&format!("  mend it ({mend}), or accept it in worker.accept_missing"));
        } else {
            complain(&format!("  mend it ({mend})"));
        }
    }
}

/// What is kept warm.
fn warmth(worker: &crate::config::Worker) -> Option<Warmth> {
    (worker.spares > 0).then(|| Warmth {
        preload: worker.preload.0.clone(),
        spares_most: worker.spares as usize,
        memory_most: worker.spares_memory.0,
        ..Warmth::new(gambeson_nursery_image::LIBRARY)
    })
}

/// What of it is offered to `gambeson run` on this machine.
fn local(settings: &Settings) -> Result<Option<Local>, ConfigProblem> {
    let worker = &settings.worker;
    if worker.local_slots == 0 {
        return Ok(None);
    }
    Ok(Some(Local {
        socket: worker.local_socket.clone(),
        uids: numbers("user", &worker.local_users.users, "/etc/passwd")?,
        gids: numbers("group", &worker.local_users.groups, "/etc/group")?,
        slots: worker.local_slots,
        ceiling: settings.limits.most_of_a_job(),
    }))
}

/// The numbers that names of this machine stand for (passwd(5), group(5)).
fn numbers(what: &str, names: &[String], file: &str) -> Result<Vec<u32>, ConfigProblem> {
    let number = |name: &String| {
        if let Ok(number) = name.parse() {
            return Ok(number);
        }
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let of = |line: &str| {
            let mut fields = line.split(':');
            let is_it = fields.next() == Some(name);
            fields.nth(1).filter(|_| is_it)?.parse().ok()
        };
        text.lines().find_map(of).ok_or_else(|| {
            ConfigProblem::from(format!("worker.local_users: {file} has no {what} {name}; write its number"))
        })
    };
    names.iter().map(number).collect()
}

fn config(settings: &Settings) -> Result<Config, ConfigProblem> {
    let worker = &settings.worker;
    let join = worker.join.as_ref().ok_or_else(|| {
        ConfigProblem::from("name the server to work for, with --join URL or worker.join in the file".to_owned())
    })?;
    let target = join.as_str().parse().map_err(ConfigProblem::from)?;
    let token = match (&worker.join_token_file, std::env::var(LOCAL_TOKEN)) {
        (Some(path), _) => match std::fs::read_to_string(path) {
            Ok(text) => Some(text.trim().to_owned()),
            // Used and removed is as it should be, for a worker that has joined.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(ConfigProblem::from(format!("worker.join_token_file {}: {error}", path.display())));
            }
        },
        (None, Ok(token)) => Some(token),
        (None, Err(_)) => None,
    };
    let python = worker.python.as_ref().map(|program| program.0.as_path());
    let environment = python::environment(python).map_err(ConfigProblem::from)?;
    let room = Room { slots: worker.slots, cpus_milli: worker.cpus.0, memory_bytes: worker.memory.0 };
    Ok(Config {
        ca: worker.server_ca.clone(),
        join_token: token,
        accept_missing: worker.accept_missing.clone(),
        drain: worker.drain,
        warmth: warmth(worker),
        local: local(settings)?,
        ..Config::new(target, worker.state_dir.clone(), worker.name.0.clone(), room, environment)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_users_and_groups_are_those_of_this_machine() {
        let names = ["root".to_owned(), "4711".to_owned()];
        assert_eq!(numbers("user", &names, "/etc/passwd"), Ok(vec![0, 4711]));
        assert_eq!(numbers("group", &names[..1], "/etc/group"), Ok(vec![0]));
        let said = numbers("group", &["no-such-group".to_owned()], "/etc/group").unwrap_err().to_string();
        assert!(said.contains("/etc/group has no group no-such-group"), "{said}");
    }
}
