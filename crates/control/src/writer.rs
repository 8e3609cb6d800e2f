//! The writer's thread: takes operations in the order in which they came, commits as many together as are there.
//!
//! Invariants:
//! 1. An operation is answered after the commit that holds it, or told that there was none.
//! 2. After a failed commit the state in memory is read anew before anything else is done.
//! 3. An operation that is refused has written nothing but what is to stay (its audit row): there is no undoing one
//!    operation of a commit. One that the store fails takes the whole commit with it.
//! 4. Requests for leases that are parked are served from what the same batch brought: a job that comes to an idle
//!    worker is queued and leased by one commit.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use gambeson_api::{Code, Problem};
use tokio::sync::{mpsc, oneshot};

use crate::changes::Touches;
use crate::control::Shared;
use crate::desk::{Act, Desk, Effect, Failure, State};
use crate::house::House;
use crate::store::{StoreError, Stored};

/// Called with the error of the commit, if it failed.
type Reply = Box<dyn FnOnce(Option<&StoreError>) + Send>;

/// What an operation leaves behind: its answer, or that the store failed under it.
type Operation = Box<dyn FnOnce(&mut Desk) -> Result<Reply, (StoreError, Reply)> + Send>;

pub(crate) enum Order {
    Do(Operation),
    Tick,
    Stop(oneshot::Sender<()>),
}

/// Where operations are handed in.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    orders: mpsc::Sender<Order>,
}

/// The same, for whoever does not keep the writer alive.
#[derive(Debug)]
pub(crate) struct WeakWriter(mpsc::WeakSender<Order>);

impl WeakWriter {
    pub(crate) fn upgrade(&self) -> Option<Writer> {
        self.0.upgrade().map(|orders| Writer { orders })
    }
}

/// Operations that wait for the writer; whoever comes then waits to hand in.
const WAITING_MOST: usize = 4096;
/// Operations of one commit, and how long they are gathered.
const BATCH_MOST: usize = 512;
const BATCH_TIME: Duration = Duration::from_millis(5);
/// How often the log says what the writer did, if it wants to know.
const TOLD_EVERY: Duration = Duration::from_secs(5);
/// How often time alone may bring something about.
const TICK: Duration = Duration::from_millis(200);

impl Writer {
    /// Starts the thread, and the one that makes it look at the clock.
    pub(crate) fn start(desk: Desk, shared: Arc<Shared>) -> std::io::Result<Writer> {
        let (orders, inbox) = mpsc::channel(WAITING_MOST);
        std::thread::Builder::new().name("writer".into()).spawn(move || run(desk, &shared, inbox))?;
        let ticks = orders.downgrade();
        std::thread::Builder::new().name("ticks".into()).spawn(move || {
            while let Some(orders) = ticks.upgrade() {
                // A writer that is busy looks at the clock anyway.
                if matches!(orders.try_send(Order::Tick), Err(mpsc::error::TrySendError::Closed(_))) {
                    break;
                }
                drop(orders);
                std::thread::sleep(TICK);
            }
        })?;
        Ok(Writer { orders })
    }

    pub(crate) fn downgrade(&self) -> WeakWriter {
        WeakWriter(self.orders.downgrade())
    }

    pub(crate) fn lives(&self) -> bool {
        !self.orders.is_closed()
    }

    /// Has `act` done, and answers after the commit.
    pub(crate) async fn act<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Desk) -> Act<T> + Send + 'static,
    ) -> Act<T> {
        let (answer, answered) = oneshot::channel();
        let gone = || Failure::from(Problem::new(Code::Unavailable, "the server is stopping").retry_after(5));
        self.orders.send(Order::Do(operation(act, answer))).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Has `act` done some time soon, without waiting for it.
    pub(crate) async fn note(&self, act: impl FnOnce(&mut Desk) -> Act<()> + Send + 'static) {
        let (answer, _) = oneshot::channel();
        let _ = self.orders.send(Order::Do(operation(act, answer))).await;
    }

    /// As [`Writer::note`], from where nobody can wait; dropped where the writer has too much to do.
    pub(crate) fn note_now(&self, act: impl FnOnce(&mut Desk) -> Act<()> + Send + 'static) {
        let (answer, _) = oneshot::channel();
        let _ = self.orders.try_send(Order::Do(operation(act, answer)));
    }

    /// Waits until everything that was handed in is done, and stops.
    pub(crate) async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.orders.send(Order::Stop(done)).await.is_ok() {
            let _ = stopped.await;
        }
    }
}

fn operation<T: Send + 'static>(
    act: impl FnOnce(&mut Desk) -> Act<T> + Send + 'static,
    answer: oneshot::Sender<Act<T>>,
) -> Operation {
    Box::new(move |desk| {
        let result = act(desk);
        let failed = if let Err(Failure::Store(error)) = &result { Some(error.clone()) } else { None };
        let reply: Reply = Box::new(move |error| {
            // Whoever asked may have gone.
            let _ = answer.send(match error {
                None => result,
                Some(error) => Err(Failure::Store(error.clone())),
            });
        });
        match failed {
            None => Ok(reply),
            Some(error) => Err((error, reply)),
        }
    })
}

/// Commits that fail, said when it begins, now and then, and when it is over: on a full disk there are many.
#[derive(Default)]
struct Trouble {
    failed: u64,
    said: Option<Instant>,
}

impl Trouble {
    fn note(&mut self, error: Option<&StoreError>) {
        match error {
            Some(error) => {
                self.failed += 1;
                if self.said.is_none_or(|said| said.elapsed() > Duration::from_secs(10)) {
                    self.said = Some(Instant::now());
                    tracing::error!(failed = self.failed, "a commit failed: {error}");
                }
            }
            None if self.failed > 0 => {
                tracing::info!(failed = self.failed, "commits succeed again");
                *self = Trouble::default();
            }
            None => {}
        }
    }
}

/// What the writer did since the log was told.
struct Done {
    since: Instant,
    commits: u64,
    operations: u64,
    busy: Duration,
    commit: Duration,
}

impl Done {
    fn nothing() -> Done {
        Done { since: Instant::now(), commits: 0, operations: 0, busy: Duration::ZERO, commit: Duration::ZERO }
    }

    fn tell(&mut self) {
        let period = self.since.elapsed();
        if period < TOLD_EVERY {
            return;
        }
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let Done { commits, operations, .. } = *self;
        let (period_ms, busy_ms, commit_ms) = (ms(period), ms(self.busy), ms(self.commit));
        tracing::debug!(
            writer.period_ms = period_ms,
            writer.busy_ms = busy_ms,
            writer.commit_ms = commit_ms,
            writer.commits = commits,
            writer.operations = operations,
            "the writer made {commits} commits of {operations} operations"
        );
        *self = Done::nothing();
    }
}

fn run(mut desk: Desk, shared: &Shared, mut inbox: mpsc::Receiver<Order>) {
    let mut spoiled = false;
    let mut trouble = Trouble::default();
    let mut done_so_far = Done::nothing();
    while let Some(first) = inbox.blocking_recv() {
        let begun = Instant::now();
        let mut replies: Vec<Reply> = Vec::new();
        let mut stop = None;
        desk.look();
        let mut result = if spoiled { reload(&mut desk) } else { Ok(()) };
        let mut next = Some(first);
        let opened = result.is_ok();
        if opened {
            result = desk.store.begin().and_then(|()| desk.confess());
        }
        let sealed = desk.chain.last();
        while let Some(order) = next.take() {
            match order {
                Order::Do(operation) => match &result {
                    Ok(()) => {
                        let (reply, error) = match operation(&mut desk) {
                            Ok(reply) => (reply, None),
                            Err((error, reply)) => (reply, Some(error)),
                        };
                        replies.push(reply);
                        result = error.map_or(Ok(()), Err);
                    }
                    // Dropping it tells whoever asked to come again.
                    Err(_) => drop(operation),
                },
                Order::Tick => {
                    if result.is_ok() {
                        result = tick(&mut desk);
                    }
                }
                Order::Stop(done) => {
                    stop = Some(done);
                    if result.is_ok() {
                        result = desk.tell_counted(true);
                    }
                }
            }
            if stop.is_none() && replies.len() < BATCH_MOST && begun.elapsed() < BATCH_TIME {
                next = inbox.try_recv().ok();
            }
        }
        let mut took = None;
        let result = result
            .and_then(|()| schedule(&mut desk))
            .and_then(|()| if desk.chain.last() == sealed { Ok(()) } else { desk.chain.clone().seal(&mut *desk.store) })
            .and_then(|()| {
                let begun = Instant::now();
                let committed = desk.store.commit();
                took = Some(begun.elapsed());
                committed
            });
        done_so_far.commit += took.unwrap_or_default();
        shared.meters.commit(result.is_ok(), took.unwrap_or_default(), replies.len(), desk.chain.last() - sealed);
        spoiled = result.is_err();
        trouble.note(result.as_ref().err());
        let told = std::mem::take(&mut desk.told);
        if result.is_err() {
            desk.tally.give_back(told);
            if opened {
                desk.store.rollback();
            }
            // What was to be told did not happen; requests that were about to be served are told to come again.
            desk.effects.clear();
            for poll in desk.polls.values_mut() {
                poll.granted.clear();
            }
        }
        let error = result.err();
        // The directory first: whoever is answered next may ask with what was just made.
        let effects = std::mem::take(&mut desk.effects);
        if effects.iter().any(|effect| matches!(effect, Effect::Directory)) {
            shared.publish(desk.state.directory.clone());
        }
        if !replies.is_empty() {
            done_so_far.commits += 1;
            done_so_far.operations += replies.len() as u64;
        }
        for reply in replies {
            reply(error.as_ref());
        }
        if error.is_none() {
            look_back(&desk, shared);
        }
        for effect in effects {
            tell(&mut desk, shared, effect);
        }
        done_so_far.busy += begun.elapsed();
        done_so_far.tell();
        if let Some(done) = stop {
            shared.watchers.close();
            shared.changes.close();
            drop(inbox);
            drop(desk);
            let _ = done.send(());
            return;
        }
    }
}

fn reload(desk: &mut Desk) -> Stored<()> {
    let version = desk.state.directory.version + 1;
    desk.chain = desk.chain.reload(&*desk.store)?;
    desk.house = House::load(&*desk.store, desk.clock.steady_ms())?;
    let mut state = State::load(&*desk.store, &desk.config, (desk.now(), desk.attended()), version)?;
    // Workers are still there, and their requests still parked.
    for (worker, present) in &desk.state.present {
        state.present.insert(*worker, present.clone());
        let asking = desk.polls.values().any(|poll| poll.worker == *worker);
        crate::lease::connect(&mut state, *worker, present.room, asking);
    }
    desk.state = state;
    desk.effects.push(Effect::Directory);
    Ok(())
}

fn plainly(result: Act<()>) -> Stored<()> {
    match result {
        Ok(()) => Ok(()),
        Err(Failure::Store(error)) => Err(error),
        Err(Failure::Refused(problem)) => Err(StoreError::Failed(problem.to_string())),
        Err(Failure::Stale) => Err(StoreError::Failed("a decision of our own was stale".into())),
    }
}

fn tick(desk: &mut Desk) -> Stored<()> {
    plainly(desk.tick())
}

fn schedule(desk: &mut Desk) -> Stored<()> {
    plainly(desk.schedule())
}

/// Closes the step of what is remembered, if it is over.
fn look_back(desk: &Desk, shared: &Shared) {
    let mut past = shared.past.lock().unwrap_or_else(PoisonError::into_inner);
    let steady_ms = desk.clock.steady_ms();
    if past.is_due(steady_ms) {
        past.turn(desk.now(), steady_ms, &desk.state.gauges());
    }
}

fn tell(desk: &mut Desk, shared: &Shared, effect: Effect) {
    match effect {
        Effect::Tell { job, ended, touches } => {
            if ended {
                shared.sampled.forget(job);
            }
            shared.watchers.tell(job, ended);
            shared.changes.note(job, touches);
        }
        Effect::Changed { job } => shared.changes.note(job, Touches::Queue),
        Effect::Sampled { job, attempt, sample } => {
            shared.sampled.put(job, attempt, sample);
            shared.changes.note(job, Touches::Job);
        }
        Effect::Leases { reply, leases } => {
            if let Err(leases) = reply.send(leases) {
                desk.undelivered.extend(leases.iter().map(|lease| lease.id));
            }
        }
        Effect::Beat { reply, answer } => {
            if let Err(answer) = reply.send(answer) {
                // Its time was just over: the next one hears of it.
                for lease in answer.cancel {
                    let job = desk.state.leases.get(&lease);
                    if let Some(live) = job.and_then(|job| desk.state.live.get_mut(job)) {
                        live.cancel_told = false;
                    }
                }
            }
        }
        Effect::Happened(happened) => {
            shared.past.lock().unwrap_or_else(PoisonError::into_inner).note(desk.now(), happened);
        }
        Effect::Count(fact) => shared.meters.count(fact),
        Effect::Trace(span) => shared.config.tracer.tell(span.job, || *span),
        Effect::Directory => {}
        Effect::Forget(digests) => {
            for digest in digests {
                // One that was kept again meanwhile stays; what cannot be asked for now is swept another time.
                if matches!(desk.store.blob_size(&digest), Ok(None)) {
                    shared.depot.forget(&digest);
                }
            }
        }
    }
}
