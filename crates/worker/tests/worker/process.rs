//! A worker as a process of its own: killed, frozen, and before there is a server.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gambeson_api::{Digest, FileContent, LeaseId};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::server::{Server, dead, lease, listen, listen_at, processes};
use crate::{TTL, config_for};

/// Where a process finds which server is its own.
const SERVER: &str = "server";

/// Not a test: what the processes of the tests below run, in a directory that says what they need.
#[tokio::test]
#[ignore = "is run by other tests"]
async fn be_a_worker() {
    let target = std::fs::read_to_string(SERVER).unwrap().parse().unwrap();
    let state = std::path::absolute("state").unwrap();
    gambeson_worker::run(config_for(target, state), std::future::pending(), || {}).await.unwrap();
}

struct Process(Child);

impl Process {
    fn start(server: &Server, dir: &Path) -> Process {
        std::fs::write(dir.join(SERVER), server.target.to_string()).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--ignored", "process::be_a_worker"]).current_dir(dir);
        Process(command.stdout(Stdio::null()).spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A job that prints without an end, and has begun to.
async fn talker(server: &Server) -> LeaseId {
    let job = server.submit(lease("import time\nprint('ready')\nwhile True:\n    time.sleep(.02)\n    print('on')"));
    server.printed(job, "ready\non\n").await;
    job
}

#[tokio::test]
async fn a_frozen_worker_that_comes_back_after_its_lease_says_nothing_and_kills_its_cell() {
    let ttl = Duration::from_millis(800);
    let server = listen(ttl).await;
    let dir = TempDir::new().unwrap();
    let worker = Process::start(&server, dir.path());
    let job = talker(&server).await;
    worker.signal(Signal::STOP);
    // As long as the lease lasts, however often it was renewed: this is about time.
    tokio::time::sleep(ttl + Duration::from_millis(100)).await;
    let said = server.inner().seen.entries[&job].clone();
    assert!(!processes(job).is_empty(), "the cell goes on while its worker is frozen");
    worker.signal(Signal::CONT);
    dead(job).await;
    let other = server.submit(lease("print('other')"));
    server.settled(other).await;
    let inner = server.inner();
    assert_eq!(inner.seen.entries[&job], said, "the server would have taken it");
    assert!(!inner.seen.settled.contains_key(&job) && !inner.seen.handed_back.contains_key(&job));
}

#[tokio::test]
async fn a_killed_worker_takes_its_cells_along_and_its_next_life_finds_its_place() {
    let server = listen(TTL).await;
    let dir = TempDir::new().unwrap();
    let worker = Process::start(&server, dir.path());
    let job = talker(&server).await;
    let leftover: PathBuf = dir.path().join("state/runs/leftover");
    std::fs::create_dir(&leftover).unwrap();
    drop(worker);
    assert!(dead(job).await < Duration::from_secs(2));
    let polls = server.inner().seen.polls.len();
    let _worker = Process::start(&server, dir.path());
    // Else the former life's last request may get it.
    server.until("the new life asks for work", |inner| (inner.seen.polls.len() > polls).then_some(())).await;
    let other = server.submit(lease("print('other')"));
    server.settled(other).await;
    assert!(!leftover.exists());
    assert_eq!(server.inner().seen.enrolled.len(), 1);
}

#[tokio::test]
async fn a_large_input_is_never_in_the_workers_memory() {
    const SIZE: usize = 64 << 20;
    let server = listen(TTL).await;
    let dir = TempDir::new().unwrap();
    let worker = Process::start(&server, dir.path());
    let small = server.submit(lease("print('small')"));
    server.settled(small).await;
    let peak_kib = || -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", worker.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    };
    let before = peak_kib();
    let bytes = vec![b'x'; SIZE];
    let (digest, size) = (Digest::of(&bytes), Some(SIZE as u64));
    server.change(|inner| inner.blobs.insert(digest, bytes));
    // Once from the server, and once from what was kept.
    for _ in 0..2 {
        let mut large = lease("print(open('data').read().count('x'))");
        large.limits.disk_bytes = 2 * SIZE as u64;
        large.limits.memory_bytes = 4 * SIZE as u64;
        large.files.insert("data".into(), FileContent::Blob { digest, size, executable: false });
        let large = server.submit(large);
        server.settled(large).await;
        assert_eq!(server.stdout(large), format!("{SIZE}\n"));
    }
    let grown = peak_kib() - before;
    assert!(grown < 16 << 10, "the worker grew by {grown} KiB");
}

#[tokio::test]
async fn a_worker_waits_for_a_server_that_is_not_there_yet() {
    let dir = TempDir::new().unwrap();
    let socket = dir.path().join("socket");
    let state = TempDir::new().unwrap();
    let config = config_for(format!("unix:{}", socket.display()).parse().unwrap(), state.path().to_owned());
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running =
        tokio::spawn(gambeson_worker::run(config, async move { drop(stopped.await) }, move || ready.send(()).unwrap()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let server = listen_at(&socket, TTL);
    is_ready.await.unwrap();
    let job = server.submit(lease("print('at last')"));
    server.settled(job).await;
    drop(stop);
    running.await.unwrap().unwrap();
}
