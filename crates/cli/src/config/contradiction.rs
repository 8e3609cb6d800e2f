//! Settings that make no sense together.

use std::time::Duration;

use gambeson_sandbox::Limits;

use super::table::{Ceilings, Settings};

/// The longest path of a Unix socket (`sun_path`, unix(7), less its NUL).
const SOCKET_PATH_MAX: usize = 107;

/// A sentence for each contradiction.
pub(super) fn contradictions(settings: &Settings) -> Vec<String> {
    let mut found = Vec::new();
    let Settings { server, worker, retention, limits, .. } = settings;
    match (&server.tls_certificate, &server.tls_key) {
        (Some(_), None) => found.push("server.tls_certificate is set and server.tls_key is not; set both".to_owned()),
        (None, Some(_)) => found.push("server.tls_key is set and server.tls_certificate is not; set both".to_owned()),
        (None, None) if !server.listen.ip().is_loopback() && !server.allow_plaintext => found.push(format!(
            "server.listen is {}, which others can reach, without TLS; set server.tls_certificate and server.tls_key, or \
             server.allow_plaintext = true where something in front encrypts",
            server.listen
        )),
        _ => {}
    }
    for (name, socket) in [("server.socket", &server.socket), ("worker.local_socket", &worker.local_socket)] {
        let length = socket.as_os_str().len();
        if length > SOCKET_PATH_MAX {
            found.push(format!(
                "{name} is a path of {length} bytes, and a Unix socket's may have {SOCKET_PATH_MAX}; set a shorter one"
            ));
        }
    }
    if server.public_url.as_ref().is_some_and(|url| url.socket().is_some()) {
        found.push("server.public_url is a Unix socket, which no link can name; write https://HOST".to_owned());
    }
    if worker.server_ca.is_some() && worker.join.as_ref().is_some_and(|url| !url.is_https()) {
        found
            .push("worker.server_ca is set and worker.join is no https:// URL, so nothing would be checked".to_owned());
    }
    for layer in worker.accept_missing.iter().filter(|layer| !layer.may_be_missing()) {
        found.push(format!("worker.accept_missing has {layer}, without which nothing may run; take it out"));
    }
    for (name, kept) in [("events", retention.events), ("artifacts", retention.artifacts)] {
        if kept > retention.jobs {
            found.push(format!(
                "retention.{name} is {}, longer than the {} of retention.jobs, with which they go",
                days(kept),
                days(retention.jobs)
            ));
        }
    }
    if let Err(error) = limits.most().checked() {
        found.push(format!(
            "limits.ceiling_{} is {}; it must be from {} to {}",
            error.limit, error.given, error.least, error.most
        ));
    }
    found
}

fn days(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 86_400, seconds % 86_400) {
        (days, 0) => format!("{days}d"),
        _ => format!("{seconds}s"),
    }
}

impl Ceilings {
    /// The ceilings in the words of the contract.
    pub fn most_of_a_job(&self) -> gambeson_api::Limits {
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        gambeson_api::Limits {
            memory_bytes: self.ceiling_memory.0,
            wall_ms: ms(self.ceiling_wall),
            cpu_ms: ms(self.ceiling_cpu),
            cpus_milli: self.ceiling_cpus.0,
            pids: self.ceiling_pids,
            disk_bytes: self.ceiling_disk.0,
            files: self.ceiling_files,
            open_files: self.ceiling_open_files,
            output_bytes: self.ceiling_output.0,
        }
    }

    /// The ceilings as limits of a cell.
    pub fn most(&self) -> Limits {
        Limits {
            memory: self.ceiling_memory,
            pids: self.ceiling_pids,
            cpu: self.ceiling_cpu,
            cpus: self.ceiling_cpus,
            wall: self.ceiling_wall,
            disk: self.ceiling_disk,
            files: self.ceiling_files,
            open_files: self.ceiling_open_files,
            output: self.ceiling_output,
        }
    }
}
