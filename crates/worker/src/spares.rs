//! Cells that are ready before their program comes, and the nursery that they are forked from.
//!
//! How many are kept follows what was asked for: of each kind of plan as many as come while one is made, and a few
//! more, within a bound of number and memory. They are made by a thread of their own, off everybody's way.
//!
//! Invariants:
//! 1. A program that finds no spare, or whose spare is no longer there, starts another way: nothing here fails a job.
//! 2. A nursery that died, is old or gave birth often is replaced; cells that came from it go on.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gambeson_sandbox::{Dressed, Environment, HandOver, Host, Layer, Nursery, NurseryError, Plan, Spare, Wanted};
use tracing::{debug, info, warn};

/// What a worker keeps warm.
#[derive(Debug, Clone)]
pub struct Warmth {
    /// The library that makes an interpreter a nursery (the crate `gambeson-nursery-image` has it).
    pub library: &'static [u8],
    /// Modules that the nursery imports ahead of need, by name.
    pub preload: Vec<String>,
    /// Spares at once, of all kinds together.
    pub spares_most: usize,
    /// Memory that they may take together, bytes; one is reckoned with [`Warmth::spare_bytes`].
    pub memory_most: u64,
}

impl Warmth {
    /// With the usual bounds.
    pub fn new(library: &'static [u8]) -> Warmth {
        Warmth { library, preload: Vec::new(), spares_most: 32, memory_most: 256 << 20 }
    }

    /// What one spare is reckoned with, bytes of its own: more where modules were imported.
    pub fn spare_bytes(&self) -> u64 {
        if self.preload.is_empty() { 4 << 20 } else { 12 << 20 }
    }

    fn most(&self) -> usize {
        let by_memory = usize::try_from(self.memory_most / self.spare_bytes()).unwrap_or(usize::MAX);
        self.spares_most.min(by_memory)
    }
}

/// A nursery is replaced after this time, or this many births.
const AGE_MOST: Duration = Duration::from_secs(3600);
const BIRTHS_MOST: u64 = 20_000;
/// One that did not come to be is tried again after this time.
const RETRY: Duration = Duration::from_secs(30);
/// A kind of plan that nobody asked for this long has no spares.
const FORGOTTEN: Duration = Duration::from_secs(120);
/// Kinds of plans that are kept in mind.
const KINDS_MOST: usize = 8;
/// Those of programs that the server knows nothing of, beside them: few spares each, kept for a person's pauses.
const LOCAL_KINDS_MOST: usize = 3;
const LOCAL_SPARES_MOST: usize = 2;
const LOCAL_FORGOTTEN: Duration = Duration::from_secs(900);
/// As many are kept as came in this time, lately.
const HORIZON: Duration = Duration::from_millis(150);
/// While there are some, new ones are made only after nobody has come, and none of their programs has ended, for this long.
const QUIET: Duration = Duration::from_millis(4);
/// A program that runs for less than this is waited for; what runs longer has no use for a CPU that keeps still.
const BRIEF: Duration = Duration::from_millis(50);

/// The spares of a worker.
#[derive(Debug)]
pub(crate) struct Spares {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    warmth: Warmth,
    environment: Environment,
    host: Arc<Host>,
    accept_missing: Vec<Layer>,
    env: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    pool: Mutex<Pool>,
    wake: Condvar,
    nursery: Mutex<Option<Nursery>>,
}

#[derive(Debug, Default)]
struct Pool {
    kinds: Vec<Kind>,
    over: bool,
    /// When somebody came last, or a program ended.
    stirred: Option<Instant>,
    /// Since when programs run.
    running: Vec<Instant>,
}

impl Pool {
    /// Whether to make a cell would be in nobody's way.
    fn is_quiet(&self, now: Instant) -> bool {
        let since = |at: Instant| now.saturating_duration_since(at);
        self.stirred.is_none_or(|at| since(at) >= QUIET) && self.running.iter().all(|at| since(*at) >= BRIEF)
    }
}

/// A program that runs, until this is dropped.
pub(crate) struct Runs {
    shared: Arc<Shared>,
    since: Instant,
}

impl Drop for Runs {
    fn drop(&mut self) {
        let mut pool = lock(&self.shared.pool);
        pool.stirred = Some(Instant::now());
        if let Some(at) = pool.running.iter().position(|since| *since == self.since) {
            pool.running.swap_remove(at);
        }
    }
}

/// Whose programs they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Jobs of the server.
    Jobs,
    /// `gambeson run` on this machine. It never takes, and never makes forgotten, what is kept for jobs.
    Local,
}

/// Programs that can have the same spares.
#[derive(Debug)]
struct Kind {
    plan: Plan,
    whose: Whose,
    spares: VecDeque<Spare>,
    /// How many came lately, each counting less as time goes by.
    weight: f64,
    at: Instant,
}

impl Kind {
    fn is_of(&self, plan: &Plan, whose: Whose) -> bool {
        self.whose == whose && self.plan.has_spares_of(plan)
    }

    fn decayed(&self, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.weight * 0.5f64.powf(seconds / HALF_LIFE)
    }

    /// How many are wanted.
    fn target(&self, now: Instant) -> usize {
        let idle = now.saturating_duration_since(self.at);
        match self.whose {
            Whose::Local if idle > LOCAL_FORGOTTEN => return 0,
            Whose::Local => return LOCAL_SPARES_MOST,
            Whose::Jobs if idle > FORGOTTEN => return 0,
            Whose::Jobs => {}
        }
        // The weight of a steady rate r is r times the half-life over ln 2.
        let rate = self.decayed(now) * std::f64::consts::LN_2 / HALF_LIFE;
        2 + (rate * HORIZON.as_secs_f64()).ceil() as usize
    }
}

/// Seconds after which one that came counts half.
const HALF_LIFE: f64 = 2.0;

/// A program that starts another way, and why.
pub(crate) struct Elsewhere {
    pub(crate) plan: Plan,
    pub(crate) why: String,
}

impl From<HandOver> for Elsewhere {
    fn from(HandOver { plan, why }: HandOver) -> Elsewhere {
        Elsewhere { plan, why }
    }
}

impl Spares {
    /// Starts the thread that makes them. `env` is what every program of this worker has.
    pub(crate) fn start(
        warmth: Warmth,
        environment: Environment,
        host: Arc<Host>,
        accept_missing: Vec<Layer>,
        env: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    ) -> std::io::Result<Spares> {
        let shared = Arc::new(Shared {
            warmth,
            environment,
            host,
            accept_missing,
            env,
            pool: Mutex::default(),
            wake: Condvar::new(),
            nursery: Mutex::new(None),
        });
        let theirs = Arc::clone(&shared);
        thread::Builder::new().name("spares".into()).spawn(move || theirs.keep())?;
        Ok(Spares { shared })
    }

    /// How many wait for a program.
    pub(crate) fn count(&self) -> usize {
        lock(&self.shared.pool).kinds.iter().map(|kind| kind.spares.len()).sum()
    }

    /// A program is about to run.
    pub(crate) fn runs(&self) -> Runs {
        let (shared, since) = (Arc::clone(&self.shared), Instant::now());
        lock(&shared.pool).running.push(since);
        Runs { shared, since }
    }

    /// Hands the program of `plan` to a warm cell, where it waits for the word to run.
    pub(crate) fn dress(&self, mut plan: Plan, whose: Whose) -> Result<Dressed, Box<Elsewhere>> {
        let mut why = String::new();
        // A spare may have died since it was made; another then, or a new one.
        for _ in 0..3 {
            let spare = match self.shared.take(&plan, whose) {
                Some(spare) => spare,
                None => match self.shared.bear(&plan) {
                    Ok(spare) => {
                        self.shared.remember(&plan, whose);
                        spare
                    }
                    Err(error) => {
                        why = error.to_string();
                        break;
                    }
                },
            };
            match spare.dress(plan) {
                Ok(dressed) => return Ok(dressed),
                Err(back) => {
                    debug!(why = back.why, "a spare did not take its program");
                    (plan, why) = (back.plan, back.why);
                }
            }
        }
        Err(Box::new(Elsewhere { plan, why }))
    }
}

impl Drop for Spares {
    fn drop(&mut self) {
        lock(&self.shared.pool).over = true;
        self.shared.wake.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// A spare for this plan, if there is one. That it was asked for is remembered.
    fn take(&self, plan: &Plan, whose: Whose) -> Option<Spare> {
        let now = Instant::now();
        let mut pool = lock(&self.pool);
        pool.stirred = Some(now);
        // Variables that act when an interpreter starts may be others of the same lengths: those spares are another's.
        let kind = pool.kinds.iter_mut().filter(|kind| kind.whose == whose).find(|kind| match kind.spares.front() {
            Some(spare) => spare.fits(plan),
            None => kind.plan.has_spares_of(plan),
        })?;
        (kind.weight, kind.at) = (kind.decayed(now) + 1.0, now);
        let spare = kind.spares.pop_front();
        drop(pool);
        self.wake.notify_one();
        spare
    }

    /// From now on there are spares for such plans: one was born, so that the nursery suits it. Of too many kinds, the one
    /// that was wanted least lately goes.
    fn remember(&self, plan: &Plan, whose: Whose) {
        let now = Instant::now();
        let mut pool = lock(&self.pool);
        if pool.kinds.iter().any(|kind| kind.is_of(plan, whose)) {
            return;
        }
        let most = match whose {
            Whose::Jobs => KINDS_MOST,
            Whose::Local => LOCAL_KINDS_MOST,
        };
        if pool.kinds.iter().filter(|kind| kind.whose == whose).count() >= most {
            let least = pool
                .kinds
                .iter()
                .enumerate()
                .filter(|(_, kind)| kind.whose == whose)
                .min_by(|(_, one), (_, other)| one.decayed(now).total_cmp(&other.decayed(now)));
            if let Some((least, _)) = least {
                pool.kinds.swap_remove(least);
            }
        }
        pool.kinds.push(Kind { plan: plan.for_spares(), whose, spares: VecDeque::new(), weight: 1.0, at: now });
        drop(pool);
        self.wake.notify_one();
    }

    /// One that is made while its program waits. The nursery is held only as long as it takes to fork: how long the cell
    /// builds itself is up to its own share of the CPU.
    fn bear(&self, plan: &Plan) -> Result<Spare, NurseryError> {
        let mut nursery = lock(&self.nursery);
        let Some(mother) = &mut *nursery else { return Err(NurseryError::Unfit("there is no nursery".into())) };
        let born = mother.begin_birth(plan);
        // One that does not answer would make everybody wait; the thread starts another.
        if matches!(born, Err(NurseryError::Failed(_))) {
            *nursery = None;
        }
        drop(nursery);
        born?.end()
    }

    /// The thread: a nursery, and spares as they are wanted.
    fn keep(&self) {
        let mut failed: Option<Instant> = None;
        loop {
            let stale = match &*lock(&self.nursery) {
                Some(nursery) => !nursery.lives() || nursery.age() > AGE_MOST || nursery.births() > BIRTHS_MOST,
                None => true,
            };
            if stale && failed.is_none_or(|at| at.elapsed() > RETRY) {
                failed = self.renew().err().map(|()| Instant::now());
            }
            let wanted = {
                let mut pool = lock(&self.pool);
                let most = self.warmth.most();
                let now = Instant::now();
                for kind in &mut pool.kinds {
                    let target = kind.target(now);
                    // Twice as many as are wanted are let go of slowly, so that a pause costs nothing.
                    if target == 0 || kind.spares.len() > 2 * target {
                        kind.spares.pop_back();
                    }
                }
                pool.kinds.retain(|kind| !kind.spares.is_empty() || kind.target(now) > 0);
                let all: usize = pool.kinds.iter().map(|kind| kind.spares.len()).sum();
                let local = pool.kinds.iter().filter(|kind| kind.whose == Whose::Local);
                let room_for_local = local.map(|kind| kind.spares.len()).sum::<usize>() < most / 4;
                let quiet = pool.is_quiet(now);
                let short = |kind: &&Kind| {
                    kind.spares.len() < kind.target(now)
                        && (quiet || kind.spares.len() < 2)
                        && (kind.whose == Whose::Jobs || room_for_local)
                };
                let next = pool.kinds.iter().filter(short).min_by_key(|kind| kind.spares.len());
                match next {
                    _ if pool.over => return,
                    Some(kind) if all < most && failed.is_none() => Some((kind.plan.clone(), kind.whose)),
                    _ => {
                        let patience = if quiet { Duration::from_secs(1) } else { QUIET };
                        drop(self.wake.wait_timeout(pool, patience));
                        None
                    }
                }
            };
            let Some((plan, whose)) = wanted else { continue };
            match self.bear(&plan) {
                Ok(spare) => {
                    let mut pool = lock(&self.pool);
                    if let Some(kind) = pool.kinds.iter_mut().find(|kind| kind.is_of(&plan, whose)) {
                        kind.spares.push_back(spare);
                    }
                }
                Err(error) => {
                    // It says something of the plan, or of the nursery: of the plan such programs start cold.
                    lock(&self.pool).kinds.retain(|kind| !kind.is_of(&plan, whose));
                    if matches!(error, NurseryError::Failed(_)) {
                        warn!(error = %error, "the nursery gave no birth; a new one takes its place");
                    } else {
                        debug!(error = %error, "no spare was born");
                    }
                }
            }
        }
    }

    fn renew(&self) -> Result<(), ()> {
        let begun = Instant::now();
        let wanted = Wanted {
            environment: &self.environment,
            preload: &self.warmth.preload,
            env: &self.env,
            accept_missing: &self.accept_missing,
            library: self.warmth.library,
        };
        match Nursery::start(&wanted, &self.host) {
            Ok(nursery) => {
                info!(took_ms = begun.elapsed().as_millis() as u64, preload = ?self.warmth.preload, "a nursery is ready");
                *lock(&self.nursery) = Some(nursery);
                Ok(())
            }
            Err(error) => {
                warn!(error = %error, "no nursery: programs start cold");
                *lock(&self.nursery) = None;
                Err(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gambeson_sandbox::{Limits, Network, Spec, Terminal, plan};
    use std::path::Path;

    fn spares() -> Shared {
        Shared {
            warmth: Warmth::new(gambeson_nursery_image::LIBRARY),
            environment: Environment::discover(Path::new("/usr/bin/python3")).unwrap(),
            host: Arc::new(Host::probe()),
            accept_missing: Layer::ALL.to_vec(),
            env: Vec::new(),
            pool: Mutex::default(),
            wake: Condvar::new(),
            nursery: Mutex::new(None),
        }
    }

    /// The plan of a program whose name has so many letters: of each length another kind.
    fn named(shared: &Shared, letters: usize) -> Plan {
        let spec = Spec {
            environment: shared.environment.clone(),
            args: vec!["x".repeat(letters).into()],
            env: Vec::new(),
            files: Vec::new(),
            limits: Limits::default(),
            network: Network::None,
            terminal: Terminal::None,
            accept_missing: shared.accept_missing.clone(),
        };
        plan(&spec, &shared.host).unwrap()
    }

    fn known(shared: &Shared, whose: Whose, letters: usize) -> bool {
        let plan = named(shared, letters);
        lock(&shared.pool).kinds.iter().any(|kind| kind.is_of(&plan, whose))
    }

    #[test]
    fn it_is_quiet_when_nobody_came_or_ended_just_now_and_no_brief_program_runs() {
        let spares = Spares { shared: Arc::new(spares()) };
        let quiet = |at: Instant| lock(&spares.shared.pool).is_quiet(at);
        let stirred = || lock(&spares.shared.pool).stirred.unwrap();
        assert!(quiet(Instant::now()));
        let (one, other) = (spares.runs(), spares.runs());
        let last = other.since;
        assert_eq!([quiet(last + QUIET), quiet(last + BRIEF)], [false, true]);
        drop(one);
        assert_eq!([quiet(last + QUIET), quiet(stirred() + BRIEF)], [false, true]);
        drop(other);
        assert_eq!([quiet(stirred()), quiet(stirred() + QUIET)], [false, true]);
    }

    #[test]
    fn of_too_many_kinds_the_one_that_was_wanted_least_lately_goes() {
        let shared = spares();
        for letters in 1..=KINDS_MOST {
            shared.remember(&named(&shared, letters), Whose::Jobs);
        }
        // All but the fourth are asked for again; none has a spare yet.
        for letters in (1..=KINDS_MOST).filter(|letters| *letters != 4) {
            assert!(shared.take(&named(&shared, letters), Whose::Jobs).is_none());
        }
        assert!(shared.take(&named(&shared, 50), Whose::Jobs).is_none());
        assert!(!known(&shared, Whose::Jobs, 50), "asking alone makes no kind: the nursery may not suit it");
        shared.remember(&named(&shared, 50), Whose::Jobs);
        let left: Vec<usize> = (1..=KINDS_MOST).filter(|letters| known(&shared, Whose::Jobs, *letters)).collect();
        assert_eq!((left, known(&shared, Whose::Jobs, 50)), (vec![1, 2, 3, 5, 6, 7, 8], true));
    }

    #[test]
    fn programs_of_this_machine_make_nothing_forgotten_that_is_kept_for_jobs() {
        let shared = spares();
        shared.remember(&named(&shared, 1), Whose::Jobs);
        for letters in 1..=20 {
            shared.remember(&named(&shared, letters), Whose::Local);
        }
        let pool = lock(&shared.pool);
        let of = |whose| pool.kinds.iter().filter(|kind| kind.whose == whose).count();
        assert_eq!((of(Whose::Jobs), of(Whose::Local)), (1, LOCAL_KINDS_MOST));
        let now = Instant::now();
        let local = pool.kinds.iter().find(|kind| kind.whose == Whose::Local).unwrap();
        assert_eq!(local.target(now), LOCAL_SPARES_MOST);
        assert_eq!(local.target(now + LOCAL_FORGOTTEN + Duration::from_secs(1)), 0);
    }
}
