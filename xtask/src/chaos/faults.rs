//! What goes wrong, at random points: one fault after the other, each kind as often as the others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use gambeson_testkit::{Platform, Process, signal_to};
use rustix::process::Signal;

use super::chance::Chance;
use super::proxy::Proxy;
use super::scene::Disk;
use super::work::Ledger;

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    KillServer,
    KillWorker,
    KillSecondWorker,
    KillServerAndWorker,
    FreezeWorker,
    FreezeSecondWorker,
    FillDisk,
    CutConnections,
}

impl Fault {
    const ALL: [Fault; 8] = [
        Fault::KillServer,
        Fault::KillWorker,
        Fault::KillSecondWorker,
        Fault::KillServerAndWorker,
        Fault::FreezeWorker,
        Fault::FreezeSecondWorker,
        Fault::FillDisk,
        Fault::CutConnections,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Fault::KillServer => "server killed",
            Fault::KillWorker => "worker killed",
            Fault::KillSecondWorker => "second worker killed",
            Fault::KillServerAndWorker => "both killed",
            Fault::FreezeWorker => "worker frozen past its lease",
            Fault::FreezeSecondWorker => "second worker frozen past its lease",
            Fault::FillDisk => "disk filled",
            Fault::CutConnections => "connections cut",
        }
    }
}

/// A worker beside that of `up`, started again when it is gone.
pub(crate) struct SecondWorker {
    command: Command,
    process: Process,
    said: String,
}

impl SecondWorker {
    /// Starts it, to work for `url`.
    pub(crate) fn start(binary: &PathBuf, url: &str, token_file: PathBuf, state_dir: PathBuf) -> SecondWorker {
        let mut command = Command::new(binary);
        command.args(["worker", "--join", url, "--join-token-file"]).arg(token_file);
        command.arg("--state-dir").arg(state_dir).args(super::WORKER_SETTINGS).args(["--set", "worker.name=second"]);
        for name in ["GAMBESON_SERVER", "GAMBESON_KEY", "GAMBESON_CONFIG", "GAMBESON_PROFILE"] {
            command.env_remove(name);
        }
        let (process, _) = Process::start(&mut command);
        SecondWorker { command, process, said: String::new() }
    }

    fn tend(&mut self) {
        if self.process.wait(Duration::ZERO).is_some() {
            self.said += &self.process.said();
            self.process = Process::start(&mut self.command).0;
        }
    }

    /// Has it end. What it said in all its lives, and whether it ended by itself.
    pub(crate) fn stop(mut self) -> (String, bool) {
        self.process.signal(Signal::TERM);
        let ended = self.process.wait(Duration::from_secs(60)).is_some();
        self.process.kill();
        (self.said + &self.process.said(), ended)
    }
}

/// All that faults are done to.
pub(crate) struct Faults {
    pub(crate) platform: Arc<Platform>,
    pub(crate) second: SecondWorker,
    pub(crate) disk: Arc<Disk>,
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) chance: Chance,
    /// The pause between two, milliseconds.
    pub(crate) pause_ms: std::ops::Range<u64>,
    pub(crate) counts: BTreeMap<Fault, u64>,
    /// Every worker that ever was.
    pub(crate) workers: BTreeSet<u32>,
}

/// What is left when they are over.
pub(crate) struct Done {
    pub(crate) second: SecondWorker,
    pub(crate) counts: BTreeMap<Fault, u64>,
    pub(crate) workers: BTreeSet<u32>,
}

impl Faults {
    /// Does them until `until`, then undoes what can be.
    pub(crate) fn go_on(mut self, until: Instant) -> Done {
        let mut running = Vec::new();
        let mut order: Vec<Fault> = Vec::new();
        while Instant::now() < until && !self.ledger.is_over() {
            self.wait(until);
            if order.is_empty() {
                order = Fault::ALL.to_vec();
                self.chance.shuffle(&mut order);
            }
            running.retain(|(_, thread): &(Fault, thread::JoinHandle<()>)| !thread.is_finished());
            let Some(fault) = order.pop() else { continue };
            // One that lasts is not begun again before it is over.
            if running.iter().all(|(other, _)| *other != fault) {
                self.inflict(fault, &mut running);
            }
        }
        for (_, thread) in running {
            let _ = thread.join();
        }
        self.disk.clear();
        self.second.tend();
        let (_, worker) = self.platform.children();
        self.workers.extend([worker, self.second.process.pid()]);
        Done { second: self.second, counts: self.counts, workers: self.workers }
    }

    /// A pause, in which the second worker is looked after.
    fn wait(&mut self, until: Instant) {
        let end = (Instant::now() + self.chance.ms(self.pause_ms.clone())).min(until);
        while Instant::now() < end && !self.ledger.is_over() {
            thread::sleep(Duration::from_millis(50));
            self.second.tend();
            self.workers.insert(self.second.process.pid());
        }
    }

    fn inflict(&mut self, fault: Fault, running: &mut Vec<(Fault, thread::JoinHandle<()>)>) {
        let second = self.second.process.pid();
        let children = || self.platform.children();
        match fault {
            Fault::KillServer => signal_to(children().0, Signal::KILL),
            Fault::KillWorker => {
                let worker = children().1;
                self.workers.insert(worker);
                signal_to(worker, Signal::KILL);
            }
            Fault::KillSecondWorker => signal_to(second, Signal::KILL),
            Fault::KillServerAndWorker => {
                let (server, worker) = children();
                self.workers.insert(worker);
                for pid in [server, worker] {
                    signal_to(pid, Signal::KILL);
                }
            }
            Fault::FreezeWorker | Fault::FreezeSecondWorker => {
                let worker = if fault == Fault::FreezeWorker { children().1 } else { second };
                self.workers.insert(worker);
                let time = super::LEASE + self.chance.ms(300..2000);
                running.push((
                    fault,
                    thread::spawn(move || {
                        signal_to(worker, Signal::STOP);
                        thread::sleep(time);
                        signal_to(worker, Signal::CONT);
                    }),
                ));
            }
            Fault::FillDisk => {
                let (disk, end) = (Arc::clone(&self.disk), Instant::now() + self.chance.ms(1500..4000));
                running.push((
                    fault,
                    thread::spawn(move || {
                        let _ = disk.fill(end);
                        disk.clear();
                    }),
                ));
            }
            Fault::CutConnections => {
                self.proxy.cut();
            }
        }
        *self.counts.entry(fault).or_default() += 1;
    }
}
