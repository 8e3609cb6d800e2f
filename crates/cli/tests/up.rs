//! `gambeson up`: what becomes of its worker.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gambeson_api::client::Listener;
use gambeson_api::{Change, JobState, Submission};
use gambeson_testkit::{Platform, Process, until};

fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_gambeson").into()
}

/// Whatever this machine lacks: these tests are about something else.
const ACCEPT: [&str; 2] = [
    "--set",
    "worker.accept_missing=cgroup.memory,cgroup.pids,cgroup.cpu,namespace.user,namespace.time,namespace.cgroup,landlock",
];

struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_drained_local_worker_is_not_started_again_and_works_again_when_it_is_undrained() {
    let platform = Platform::up(&binary(), &ACCEPT);
    let (_, worker) = platform.children();
    runtime().block_on(async {
        let client = platform.client();
        let ready = async || client.worker_list().await.unwrap().workers.into_iter().find(|worker| worker.connected);
        let id = loop {
            if let Some(worker) = ready().await {
                break worker.id;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert!(client.worker_drain(id).await.unwrap().draining);
        let accepted = client.job_submit(&Submission::of_source("print('undrained')"), None).await.unwrap();
        let gambeson_api::Accepted::Job(job) = accepted else { panic!("no array") };
        // It heard of it: a second heartbeat comes only after the first was answered.
        let waited = client.job(job.id, Some(Duration::from_secs(4))).await.unwrap();
        assert_eq!(waited.state, JobState::Queued);
        assert_eq!(platform.children().1, worker, "it was started again");
        assert!(!client.worker_undrain(id).await.unwrap().draining);
        let ended = client.job(job.id, Some(Duration::from_secs(30))).await.unwrap();
        assert_eq!(ended.state, JobState::Ended, "{ended:?}");
        assert_eq!(platform.children().1, worker, "it was started again");
    });
    assert!(!platform.process.said().contains("started again"), "{}", platform.process.said());
}

#[test]
fn the_local_join_token_is_made_only_for_a_worker_without_a_credential() {
    let mut platform = Platform::up(&binary(), &ACCEPT);
    let armed = |platform: &Platform| {
        let environment = |pid: u32| std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        let token = |pid: u32| String::from_utf8_lossy(&environment(pid)).contains("GAMBESON_LOCAL_JOIN_TOKEN=");
        let (server, worker) = platform.children();
        (token(server), token(worker))
    };
    assert_eq!(armed(&platform), (true, true));
    let credential = platform.data.join("worker/credential.json");
    until("the worker is enrolled", || credential.exists().then_some(()));
    platform.restart();
    assert_eq!(armed(&platform), (false, false));
}

#[test]
fn a_worker_that_the_host_lacks_layers_for_takes_no_job_and_the_server_goes_on() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Scratch(std::env::temp_dir().join(format!("gambeson-up-{}", std::process::id())));
    std::fs::create_dir(&dir.0).unwrap();
    std::fs::set_permissions(&dir.0, std::fs::Permissions::from_mode(0o777)).unwrap();
    let program = dir.0.join("gambeson");
    std::fs::copy(binary(), &program).unwrap();
    // An ordinary user has no cgroup of its own.
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    command.args(["up", "--listen", "127.0.0.1:0", "--set", "worker.python=/usr/bin/python3", "--data-dir"]);
    command.arg(dir.0.join("data")).env("HOME", "/nonexistent").env_remove("GAMBESON_CONFIG");
    let (mut process, lines) = Process::start(&mut command);
    let lines: Vec<String> = lines.take(3).collect();
    assert!(lines[2].starts_with("listening on unix:"), "{lines:?}");
    until("up says that the worker is left alone", || process.said().contains("is not started again").then_some(()));
    let said = process.said();
    assert!(said.contains("this host lacks the layer cgroup.memory: "), "{said}");
    assert!(said.contains("or accept it in worker.accept_missing"), "{said}");
    assert_eq!(said.matches("this worker takes no jobs").count(), 1, "{said}");
    let url = lines[1].strip_prefix("listening on http://").unwrap();
    assert!(std::net::TcpStream::connect(url).is_ok());
    assert_eq!(process.wait(Duration::from_millis(300)), None, "the platform goes on");
}

#[test]
fn a_job_may_connect_where_its_project_says_and_is_told_what_it_may_not() {
    let platform = Platform::up(&binary(), &ACCEPT);
    let dir = Scratch(std::env::temp_dir().join(format!("gambeson-egress-{}", std::process::id())));
    std::fs::create_dir_all(&dir.0).unwrap();
    let program = dir.0.join("main.py");
    let source = "import urllib.request\ntry:\n    urllib.request.urlopen('https://b.org.invalid')\nexcept OSError as error:\n    print(error)";
    std::fs::write(&program, source).unwrap();
    let run = |args: &[&str]| {
        let output = platform.command(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let submit = ["submit", "--wait", "--network-allow", "a.org.invalid:443", program.to_str().unwrap()];
    let (_, _, said) = run(&submit);
    assert!(said.contains("project default allows no place"), "{said}");
    let (code, shown, said) = run(&["project", "set", "default", "--network-allow", "*.org.invalid:443"]);
    assert!(code == Some(0) && shown.contains("*.org.invalid:443"), "{shown}{said}");
    let (code, printed, said) = run(&submit);
    assert_eq!(code, Some(0), "{said}");
    assert!(printed.contains("403 b.org.invalid:443: not in this job's network.allow"), "{printed}");
    let permitted = "Ask for network.allow = [\"b.org.invalid:443\"], which project \"default\" permits.";
    let jobs = runtime().block_on(platform.client().job_list(&Default::default())).unwrap();
    let (_, shown, said) = run(&["job", &jobs.jobs[0].id.to_string()]);
    assert!(shown.contains(permitted) && shown.contains("allow a.org.invalid:443"), "{shown}{said}");
}

#[test]
fn a_listener_hears_a_job_and_after_a_restart_that_it_is_to_read_lists_again() {
    let mut platform = Platform::up(&binary(), &ACCEPT);
    runtime().block_on(async {
        let client = platform.client();
        let mut listener = client.changes(None).await.unwrap();
        let next = async |listener: &mut Listener| {
            tokio::time::timeout(Duration::from_secs(60), listener.next()).await.expect("something changes").unwrap()
        };
        client.job_submit(&Submission::of_source("print(1)"), None).await.unwrap();
        loop {
            if let Change::Job { job } = next(&mut listener).await
                && job.state == JobState::Ended
            {
                break;
            }
        }
        let none: Vec<String> = Vec::new();
        let matters = client.attention().await.unwrap().matters;
        let kinds = matters.iter().map(|matter| matter.kind.clone());
        assert_eq!(kinds.filter(|kind| kind != "layer_missing" && kind != "disk_low").collect::<Vec<_>>(), none);
        assert_eq!(client.history(None, Some("15m")).await.unwrap().step_ms, 5000);
        let (server, _) = platform.children();
        platform.process.kill();
        until("the server let go of its data", || (!Path::new(&format!("/proc/{server}")).exists()).then_some(()));
        platform.restart();
        while next(&mut listener).await != (Change::Missed {}) {}
        client.job_submit(&Submission::of_source("print(2)"), None).await.unwrap();
        while !matches!(next(&mut listener).await, Change::Job { .. }) {}
    });
}
