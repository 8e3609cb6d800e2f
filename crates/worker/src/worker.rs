//! The worker itself: it becomes known, asks for work while it has room, and ends in order.

use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use gambeson_api::client::worker::WorkerClient;
use gambeson_api::client::{ClientError, Connection};
use gambeson_api::work::{Enrol, HandBack, Lease, LeaseRequest, Leases};
use gambeson_api::{Digest, LayerReport, LayerState, LeaseId};
use gambeson_sandbox::{Authority, Host, Layer, Missing};
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{error, info, warn};

use crate::asking::Asking;
use crate::beat::{Beat, is_unknown};
use crate::blobs::Blobs;
use crate::boot_time::BootTime;
use crate::config::Config;
use crate::egress::Egress;
use crate::holding::{Gone, Holding, Holdings, Verdict};
use crate::job::{self, Place};
use crate::local::{Means, Offer};
use crate::outage::{Outage, chance, pause};
use crate::room::{Rooms, share};
use crate::spares::Spares;
use crate::state_dir::{Credential, StateDir, StateError};
use crate::translate::{common_variables, posture};
use crate::vitals::{Running, vitals};

/// Why a worker ended, or did not start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Its state directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// It was never made known to this server.
    #[error("this worker is not enrolled at {server}; start it once with a join token (gmj_...)")]
    NotEnrolled {
        /// Which.
        server: String,
    },
    /// The server did not take its join token.
    #[error("{server} did not take the join token; each serves once and for a short time: make a new one")]
    JoinRefused {
        /// Which.
        server: String,
        /// What it said.
        source: Box<ClientError>,
    },
    /// The server no longer knows it.
    #[error("{server} no longer knows this worker; remove {credential} and start once with a new join token")]
    CredentialRefused {
        /// Which.
        server: String,
        /// The file with its credential.
        credential: PathBuf,
    },
    /// The connection cannot be set up, or what answers is no server of ours.
    #[error("the worker cannot speak with its server")]
    Client(#[source] Box<ClientError>),
    /// This host lacks layers that nobody accepted the absence of.
    #[error(
        "this worker takes no jobs, since it would refuse every one: this host lacks {}",
        .0.iter().map(|missing| missing.layer.name()).collect::<Vec<_>>().join(", ")
    )]
    Lacking(Vec<Missing>),
    /// It has nothing to give.
    #[error("a worker needs at least one slot, some of a CPU and some memory")]
    NoRoom,
}

/// The layers that `host` lacks and every run on it would be refused for (as `gambeson_sandbox::plan` does), in the
/// order in which a cell has them.
pub fn lacking(host: &Host, accepted: &[Layer]) -> Vec<Missing> {
    let refused_for = |missing: &&Missing| {
        let accepted = missing.layer.may_be_missing() && accepted.contains(&missing.layer);
        // Without a user namespace only root can build a cell at all.
        let needed = missing.layer == Layer::NamespaceUser && host.authority != Authority::Root;
        !missing.layer.is_extra() && (needed || !accepted)
    };
    let mut lacking: Vec<Missing> = host.missing.iter().filter(refused_for).cloned().collect();
    lacking.sort_by_key(|missing| missing.layer);
    lacking
}

fn client_error(error: ClientError) -> WorkerError {
    WorkerError::Client(Box::new(error))
}

/// Runs a worker until `stop`. One that the server drains idles until it is undrained. `ready` is called once, when the server knows it.
///
/// After `stop` it takes no more work, hands back what it has not started, and gives what runs the time that
/// [`Config::drain`] says; then it kills it and reports nothing: its lease runs out, and the server decides.
///
/// # Errors
/// As [`WorkerError`] says. That the server cannot be reached is none: it is tried again.
pub async fn run(config: Config, stop: impl Future<Output = ()>, ready: impl FnOnce()) -> Result<(), WorkerError> {
    let rooms = Rooms::new(config.room);
    if !rooms.has_some() {
        return Err(WorkerError::NoRoom);
    }
    let mut stop = pin!(stop);
    let state = StateDir::open(&config.state_dir)?;
    let host = Host::probe();
    let lacking = lacking(&host, &config.accept_missing);
    if !lacking.is_empty() {
        return Err(WorkerError::Lacking(lacking));
    }
    for missing in host.missing.iter().filter(|missing| !missing.layer.is_extra()) {
        warn!(layer = missing.layer.name(), why = missing.why, "this host lacks a layer, which was accepted");
    }
    let layers = posture(&host);
    let connection = Connection::new(config.target.clone(), None, config.ca.as_deref()).map_err(client_error)?;
    let outage = Arc::new(Outage::default());
    let credential = tokio::select! {
        () = &mut stop => return Ok(()),
        credential = credential(&config, &state, &connection, &layers, &outage) => credential?,
    };
    let client = WorkerClient::new(connection.with_token(credential.credential));
    let beat = Beat {
        client: client.clone(),
        outage: Arc::clone(&outage),
        holdings: Arc::new(Holdings::default()),
        drain: watch::Sender::new(false),
        ttl: watch::Sender::new(Duration::from_secs(1)),
    };
    let refused = |error: ClientError| {
        if is_unknown(&error) {
            let (server, credential) = (config.target.to_string(), state.credential_path());
            WorkerError::CredentialRefused { server, credential }
        } else {
            client_error(error)
        }
    };
    tokio::select! {
        () = &mut stop => return Ok(()),
        first = beat.first() => first.map_err(refused)?,
    }
    info!(worker.id = %credential.worker, server = %config.target, "ready for work");
    ready();
    let host = Arc::new(host);
    let spares = config.warmth.clone().and_then(|warmth| {
        let (environment, accepted) = (config.environment.clone(), config.accept_missing.clone());
        let started = Spares::start(warmth, environment, Arc::clone(&host), accepted, common_variables());
        started.map_err(|error| warn!(error = %error, "nothing is kept warm: a thread could not be started")).ok()
    });
    let spares = spares.map(Arc::new);
    let running = Arc::<Running>::default();
    let offer = match (&config.local, &spares) {
        (Some(local), Some(spares)) if local.slots > 0 => Offer::start(
            local.clone(),
            Means {
                host: Arc::clone(&host),
                environment: config.environment.clone(),
                spares: Arc::clone(spares),
                rooms: Arc::clone(&rooms),
                running: Arc::clone(&running),
                runs: state.runs(),
            },
        )
        .map_err(|error| {
            let (socket, error) = (local.socket.display(), error.to_string());
            warn!(socket = %socket, error, "no warm cells for gambeson run on this machine");
        })
        .ok(),
        _ => None,
    };
    let place = Place {
        client,
        outage,
        host,
        spares,
        running,
        environment: config.environment.clone(),
        accept_missing: config.accept_missing.clone(),
        flush: config.flush,
        tracer: config.tracer.clone(),
        blobs: Arc::new(Blobs::new(state.blobs(), config.blobs_most)),
        runs: state.runs(),
        egress: Egress::new(usize::try_from(config.room.slots).unwrap_or(usize::MAX)),
    };
    let floor = Floor {
        rooms,
        offer,
        jobs: JoinSet::new(),
        taken: Vec::new(),
        layers: Some(layers),
        failed: 0,
        drained: false,
        place: Arc::new(place),
        config: &config,
        beat: &beat,
    };
    floor.work(stop).await.map_err(refused)
}

/// The credential for this server: the one that is kept, or one for the join token.
async fn credential(
    config: &Config,
    state: &StateDir,
    connection: &Connection,
    layers: &[LayerReport],
    outage: &Outage,
) -> Result<Credential, WorkerError> {
    let server = config.target.to_string();
    if let Some(kept) = state.credential()?.filter(|kept| kept.server == server) {
        return Ok(kept);
    }
    let Some(token) = &config.join_token else { return Err(WorkerError::NotEnrolled { server }) };
    let client = WorkerClient::new(connection.with_token(token));
    let credential = state.credential_to_join(&server)?;
    let enrol = Enrol {
        worker: credential.worker,
        credential: Digest::of(credential.credential.as_bytes()),
        name: config.name.clone(),
        room: config.room,
        version: env!("CARGO_PKG_VERSION").into(),
        environment: environment(config),
        layers: layers.to_vec(),
    };
    let mut failed = 0;
    loop {
        match client.enrol(&enrol).await {
            Ok(_) => break,
            Err(error) if error.is_passing() => outage.failed(&error),
            Err(error @ ClientError::Problem(_)) => {
                return Err(WorkerError::JoinRefused { server, source: Box::new(error) });
            }
            Err(error) => return Err(client_error(error)),
        }
        sleep(pause(failed, Duration::from_secs(5), chance())).await;
        failed += 1;
    }
    outage.over();
    state.keep_credential(&credential)?;
    let held = layers.iter().filter(|layer| layer.state == LayerState::Held).count();
    info!(worker.id = %credential.worker, layers_held = held, "enrolled as {}", config.name);
    Ok(credential)
}

fn environment(config: &Config) -> String {
    format!("CPython {}", config.environment.version)
}

type Poll = Pin<Box<dyn Future<Output = Result<(BootTime, Leases), ClientError>> + Send>>;

/// How long a request for work waits while a job may end and leave more room than the request says.
const GROWING: Duration = Duration::from_millis(500);

/// How long a job waits for room that another has, before it is handed back.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where the jobs are.
struct Floor<'a> {
    rooms: Arc<Rooms>,
    /// What is offered to programs that the server knows nothing of.
    offer: Option<Offer>,
    jobs: JoinSet<()>,
    /// Which of them has which lease.
    taken: Vec<(Id, LeaseId)>,
    /// Our layers, until the server was told.
    layers: Option<Vec<LayerReport>>,
    /// Requests for work in a row that came to nothing.
    failed: u32,
    /// Whether the server wants us to take nothing more.
    drained: bool,
    place: Arc<Place>,
    config: &'a Config,
    beat: &'a Beat,
}

impl Floor<'_> {
    /// Works until the end.
    async fn work(mut self, mut stop: Pin<&mut impl Future<Output = ()>>) -> Result<(), ClientError> {
        let beat = self.beat;
        let place = Arc::clone(&self.place);
        let vitals = || vitals(&place.running, place.spares.as_deref());
        let mut beating = pin!(beat.go_on(vitals));
        let mut drain = beat.drain.subscribe();
        let mut poll: Option<Poll> = None;
        // When what still runs is killed.
        let mut stopping: Option<Instant> = None;
        let mut killed = false;
        let mut changes = self.rooms.watch();
        let end = loop {
            let drained = *drain.borrow_and_update();
            if drained != self.drained {
                self.drained = drained;
                if drained {
                    info!(jobs = self.jobs.len(), "drained: no more work is taken until the server says so");
                } else {
                    info!("no longer drained: work is taken again");
                }
            }
            if let Some(offer) = &self.offer {
                offer.close(stopping.is_some() || drained);
            }
            if stopping.is_some() || drained {
                // A lease that is granted to a request that nobody listens to runs out by itself.
                poll = None;
                beat.holdings.raise_all(Verdict::HandBack);
                // Who is drained idles: it may be undone, and whoever supervises us would only start us again.
                if stopping.is_some() && self.jobs.is_empty() && (killed || self.rooms.local() == 0) {
                    break Ok(());
                }
            } else if poll.is_none() && self.rooms.has_some() {
                poll = Some(self.ask());
            }
            tokio::select! {
                () = &mut stop, if stopping.is_none() => {
                    info!(jobs = self.jobs.len(), drain_ms = self.config.drain.as_millis() as u64, "stopping");
                    // A moment in any case, for what is handed back.
                    stopping = Some(Instant::now() + self.config.drain.max(Duration::from_millis(500)));
                }
                () = until(stopping), if stopping.is_some() && !killed => {
                    warn!(jobs = self.jobs.len(), "the time to finish is over; killing what still runs");
                    beat.holdings.raise_all(Verdict::Gone(Gone::Drained));
                    killed = true;
                }
                Some(ended) = self.jobs.join_next_with_id() => {
                    let id = match ended {
                        Ok((id, ())) => id,
                        Err(panicked) => {
                            error!(error = %panicked, "a job's own watch failed; its cell is dead");
                            panicked.id()
                        }
                    };
                    self.leave(id);
                }
                answer = answered(&mut poll) => {
                    poll = None;
                    match answer {
                        Ok((sent, leases)) => self.granted(sent, leases),
                        Err(error) if is_unknown(&error) => break Err(error),
                        Err(error) => {
                            self.place.outage.failed(&error);
                            self.failed += 1;
                        }
                    }
                }
                error = &mut beating => break Err(error),
                // Looked at above.
                _ = drain.changed() => {}
                () = changes.next() => {}
            }
        };
        if self.offer.take().is_some() {
            // Time to say so to those who wait.
            let quiet = async {
                while self.rooms.local() > 0 {
                    changes.next().await;
                }
            };
            let _ = tokio::time::timeout(Duration::from_secs(1), quiet).await;
        }
        beat.holdings.raise_all(Verdict::Gone(Gone::Lost));
        while self.jobs.join_next().await.is_some() {}
        end
    }

    /// One request for work.
    fn ask(&self) -> Poll {
        // What is granted holds from the sending of the request on: most of that time must be left when it comes.
        let mut wait = self.config.poll.min(*self.beat.ttl.borrow() / 3);
        if self.rooms.free() != self.rooms.whole() {
            // More may become free meanwhile, and something that waits for it must not wait long.
            wait = wait.min(GROWING);
        }
        let request = LeaseRequest {
            room: self.rooms.whole(),
            free: self.rooms.free(),
            wait_ms: wait.as_millis() as u64,
            version: env!("CARGO_PKG_VERSION").into(),
            environment: environment(self.config),
            layers: self.layers.clone(),
        };
        let client = self.place.client.clone();
        let first = match self.failed {
            0 => Duration::ZERO,
            failed => pause(failed - 1, Duration::from_secs(5), chance()),
        };
        Box::pin(async move {
            sleep(first).await;
            let sent = BootTime::now();
            client.leases(&request).await.map(|leases| (sent, leases))
        })
    }

    /// Begins what was granted.
    fn granted(&mut self, sent: BootTime, leases: Leases) {
        self.failed = 0;
        self.layers = None;
        self.place.outage.over();
        for lease in leases.leases {
            if self.taken.iter().any(|(_, taken)| *taken == lease.id) {
                warn!(lease.id = %lease.id, "the server grants a lease that is held already");
                continue;
            }
            let room = share(&lease.limits);
            let deadline = sent.plus(Duration::from_millis(lease.ttl_ms));
            let holding = self.beat.holdings.add(lease.id, deadline);
            let (id, place, rooms) = (lease.id, Arc::clone(&self.place), Arc::clone(&self.rooms));
            let taken = rooms.take(room);
            let started = self.jobs.spawn(async move {
                let taken = match taken {
                    // The server grants what a job had as soon as its end is recorded, which the job has yet to hear. Or a program of
                    // this machine's may have it, since we asked; most of those are short.
                    None => rooms.take_soon(room, PATIENCE).await,
                    taken => taken,
                };
                match taken {
                    Some(share) => {
                        job::carry_out(place, lease, holding).await;
                        drop(share);
                    }
                    None => {
                        warn!(job.id = %lease.job, "the server grants more than is free");
                        hand_back(place, lease, holding).await;
                    }
                }
            });
            self.taken.push((started.id(), id));
        }
    }

    /// Forgets the lease of a job that is over.
    fn leave(&mut self, id: Id) {
        if let Some(at) = self.taken.iter().position(|(task, _)| *task == id) {
            let (_, lease) = self.taken.swap_remove(at);
            self.beat.holdings.remove(lease);
        }
    }
}

/// Gives back what there is no room for.
async fn hand_back(place: Arc<Place>, lease: Lease, holding: Arc<Holding>) {
    let client = place.client.lease(lease.id, &lease.token);
    let asking = Asking { client, holding, outage: Arc::clone(&place.outage) };
    let hand_back = &HandBack { why: "the worker has no room for it".into() };
    // If it is gone, somebody else has it already.
    let _ = asking.insist_or_lose(|client| async move { client.hand_back(hand_back).await }).await;
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn answered(poll: &mut Option<Poll>) -> Result<(BootTime, Leases), ClientError> {
    match poll {
        Some(poll) => poll.await,
        None => std::future::pending().await,
    }
}
