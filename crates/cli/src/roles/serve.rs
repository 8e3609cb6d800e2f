//! `gambeson serve`: the server alone. It never needs root, and keeps no capability that root would have.

use std::fs;
use std::time::Duration;

use gambeson_control::{Clock, Config, Control, Vetting};
use gambeson_server::Options;
use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use super::{LOCAL_TOKEN, ServeOptions, WITH_PARENT, announce, checked, log, runtime, stopping, tracer, whole};
use crate::config::{ConfigProblem, Settings};
use crate::exit_code::ExitCode;
use crate::terminal::complain;

/// Serves until a signal, and returns our exit code.
pub fn serve(options: &ServeOptions) -> ExitCode {
    try_serve(options).unwrap_or_else(|code| code)
}

fn try_serve(options: &ServeOptions) -> Result<ExitCode, ExitCode> {
    let settings = options.settings()?;
    log(&settings);
    // Before any thread: capabilities are a thread's own (capabilities(7)).
    if let Err(error) = give_up_privileges() {
        complain(&format!("privileges could not be given up: {error}"));
        return Err(ExitCode::Fault);
    }
    // Of `up`, which makes cells, its operator decided so (docs/threat-model.md).
    if rustix::process::geteuid().is_root() && std::env::var_os(WITH_PARENT).is_none() {
        tracing::warn!(
            "the server runs as root and needs not: without capabilities it can still read and write every file of root's; \
             start it as a user of its own, as gambeson-server.service does"
        );
    }
    let (tracer, _exporter) = tracer(&settings, "gambeson-server")?;
    let config = Config { tracer, ..checked(config(&settings))? };
    let opened = Control::open(config, Clock::System).map_err(|error| {
        complain(&whole(&error));
        ExitCode::Usage
    })?;
    if let Some(key) = opened.setup_key {
        announce(&format!("setup key: {key}"));
    }
    let control = opened.control;
    let served = runtime()?.block_on(async move {
        let stop = stopping().map_err(|error| error.to_string())?;
        let listening = |addresses: &[gambeson_server::Address]| {
            for address in addresses {
                announce(&format!("listening on {address}"));
            }
        };
        gambeson_server::serve(control, server(&settings), stop, listening).await.map_err(|error| whole(&error))
    });
    match served {
        Ok(()) => Ok(ExitCode::Program(0)),
        Err(message) => {
            complain(&message);
            Err(ExitCode::Usage)
        }
    }
}

/// A server that runs as root is one by accident: it reads and writes its own files, and may listen below 1024.
fn give_up_privileges() -> rustix::io::Result<()> {
    set_no_new_privs(true)?;
    if rustix::process::geteuid().is_root() {
        let kept = CapabilitySet::NET_BIND_SERVICE;
        // Nor may what it executes have more: itself, to read what is submitted.
        for capability in CapabilitySet::all().difference(kept).iter() {
            match remove_capability_from_bounding_set(capability) {
                // An older kernel does not have it at all.
                Ok(()) | Err(Errno::INVAL) => {}
                Err(errno) => return Err(errno),
            }
        }
        set_capabilities(
            None,
            CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() },
        )?;
    }
    Ok(())
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What control is told.
fn config(settings: &Settings) -> Result<Config, ConfigProblem> {
    let Settings { server, queue, limits, quota, retention, .. } = settings;
    let quota_of = |running: u32, queued: u32, cpu: Duration, stored: gambeson_sandbox::Bytes| gambeson_api::Quota {
        running: running.into(),
        queued: queued.into(),
        cpu_ms_per_day: ms(cpu),
        stored_bytes: stored.0,
    };
    Ok(Config {
        policies: policies(&server.policies)?,
        ceiling: limits.most_of_a_job(),
        quota: quota_of(quota.running, quota.queued, quota.cpu_per_day, quota.stored),
        user_quota: quota_of(quota.user_running, quota.user_queued, quota.user_cpu_per_day, quota.user_stored),
        lease_ms: ms(queue.lease),
        attempts_max: queue.attempts_max,
        half_life_ms: ms(queue.half_life),
        age_step_ms: ms(queue.age_step),
        class_ceiling_percent: [queue.ceiling_low.0, queue.ceiling_normal.0, queue.ceiling_high.0],
        rate_per_second: server.rate_per_key,
        rate_burst: server.rate_burst,
        open_per_key: server.open_per_key,
        keys_per_user: server.keys_per_user,
        session_idle_ms: ms(server.session_idle),
        session_most_ms: ms(server.session_most),
        keep_artifacts_ms: ms(retention.artifacts),
        keep_jobs_ms: ms(retention.jobs),
        keep_events_ms: ms(retention.events),
        keep_blobs_ms: ms(retention.blobs),
        blob_max: server.blob_max.0,
        keep_held_ms: ms(retention.held),
        vetting: Vetting::Processes(crate::vet::reader()),
        local_join_token: std::env::var(LOCAL_TOKEN).ok(),
        ..Config::new(&settings.data_dir)
    })
}

/// The operator's own policies: every `*.cedar` of the directory, if there is one.
fn policies(dir: &std::path::Path) -> Result<Vec<(String, String)>, ConfigProblem> {
    let failed = |error: std::io::Error| ConfigProblem::from(format!("server.policies {}: {error}", dir.display()));
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut policies = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "cedar") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            policies.push((name, fs::read_to_string(&path).map_err(failed)?));
        }
    }
    policies.sort();
    Ok(policies)
}

/// What the HTTP side is told.
fn server(settings: &Settings) -> Options {
    let server = &settings.server;
    Options {
        listen: vec![server.listen],
        socket: Some(server.socket.clone()),
        tls: server.tls_certificate.clone().zip(server.tls_key.clone()),
        connections_max: server.connections_max as usize,
        connections_per_address: server.connections_per_address as usize,
        header_timeout: server.header_timeout,
        body_timeout: server.body_timeout,
        body_max: server.body_max.0,
        blob_max: server.blob_max.0,
        drain: server.drain,
        ..Options::default()
    }
}
