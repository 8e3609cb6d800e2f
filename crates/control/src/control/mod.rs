//! What the server may ask for. Every operation is authenticated, decided and audited here.
//!
//! An operation that changes something is decided on a snapshot of the directory, and carried out by the writer only if
//! that is still the newest; its audit row is in the same transaction. The row of a refusal is durable before the answer. An
//! operation that only reads has its row written by the next commit, and one row a minute with its like ([`Tally`]).

mod attention;
mod blobs;
mod changes;
mod follower;
mod jobs;
mod past;
mod people;
mod platform;
mod sessions;
mod standing;
mod vet;
mod work;

use std::collections::HashSet;
use std::fmt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use gambeson_api::trace::Link;
use gambeson_api::{AuditRow, Code, JobId, KeyId, Problem, Project, ProjectId, Time, User, UserId, UserKind, WorkerId};

use crate::access::{self, Action, Authority, Resource};
use crate::audit::{self, Chain};
use crate::changes::Changes;
use crate::clock::{Attention, Clock};
use crate::config::Config;
use crate::depot::Depot;
use crate::desk::{Act, Desk, Failure, State};
use crate::directory::Directory;
use crate::disk::{self, remove_parts};
use crate::house::House;
use crate::meters::Meters;
use crate::past::Past;
use crate::rate::Rates;
use crate::reading::{Readers, store_problem};
use crate::ready;
use crate::sampled::Sampled;
use crate::secret;
use crate::store::sqlite::Sqlite;
use crate::store::{JobRow, KeyRow, MemberRow, People, Store, Stored, Transactions};
use crate::sweep;
use crate::tally::Tally;
use crate::uploads::Uploads;
use crate::vetting::Reading;
use crate::watch::Watchers;
use crate::writer::Writer;

pub use blobs::{BlobWriter, OpenBlob};
pub use changes::{Listener, News};
pub use follower::Follower;
pub use jobs::JobFilter;
pub use platform::AuditFilter;
pub(crate) use platform::shown_worker;
pub use sessions::{Proof, SignedIn};
pub use standing::Standing;

/// Forecasts at once: one leaves a CPU to everybody else, even on the smallest machine.
const FORECASTS_MOST: usize = 1;
/// Those that are made or waited for.
const FORECASTS_ASKED_MOST: usize = 8;

/// An answer, or a problem for whoever asked.
pub type Answer<T> = Result<T, Problem>;

/// Somebody who showed a valid key.
#[derive(Debug, Clone)]
pub struct Caller {
    key: KeyId,
    user: UserId,
    /// What of theirs led to this, where they said it.
    link: Option<Link>,
    /// The session that stood for the key, if it came by one.
    session: Option<sessions::SessionId>,
}

impl Caller {
    /// The same, led by a span of their own.
    #[must_use]
    pub fn led_by(self, link: Option<Link>) -> Caller {
        Caller { link, ..self }
    }

    /// The user's id.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// The key's id.
    pub fn key(&self) -> KeyId {
        self.key
    }
}

/// A worker that showed its credential.
#[derive(Debug, Clone)]
pub struct WorkerCaller {
    worker: WorkerId,
}

/// What was opened.
pub struct Opened {
    /// All authority.
    pub control: Control,
    /// The owner's key, at the first start only: it cannot be shown again.
    pub setup_key: Option<String>,
}

/// Why an installation could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(String);

/// What the writer and those who ask share.
pub(crate) struct Shared {
    pub config: Arc<Config>,
    pub clock: Clock,
    pub watchers: Watchers,
    pub views: changes::Views,
    pub sampled: Sampled,
    pub changes: Changes<changes::Round>,
    pub past: Mutex<Past>,
    /// Why the audit log is known not to be whole.
    audit_broken: Mutex<Option<String>>,
    pub depot: Depot,
    pub uploads: Arc<Uploads>,
    pub readers: Arc<Readers>,
    pub reading: Reading,
    pub meters: Arc<Meters>,
    pub ready: ready::Last,
    directory: RwLock<Arc<Directory>>,
    authority: Authority,
    rates: Rates,
    open_answers: standing::OpenAnswers,
    sessions: sessions::Sessions,
    sealing_key: [u8; 32],
    /// Each takes a CPU for tens of milliseconds when a million jobs wait.
    forecasts: tokio::sync::Semaphore,
    forecasts_asked: tokio::sync::Semaphore,
    /// Reads, and refusals of those who did not show who they are.
    pub tally: Arc<Tally>,
}

impl Shared {
    pub(crate) fn publish(&self, directory: Directory) {
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(directory);
    }

    /// Why the audit log is known not to be whole: since the server found it so when it started, or was asked to look.
    pub(crate) fn audit_broken(&self) -> Option<String> {
        self.audit_broken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn audit_looked_at(&self, broken: Option<String>) {
        *self.audit_broken.lock().unwrap_or_else(PoisonError::into_inner) = broken;
    }

    pub(crate) fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// All authority of an installation. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    pub(crate) shared: Arc<Shared>,
    pub(crate) writer: Writer,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Control({})", self.shared.config.data_dir.display())
    }
}

/// What an action is asked of, by id.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Platform,
    Project(ProjectId),
    Job(JobId, ProjectId, UserId),
    Key(KeyId, UserId, Option<ProjectId>),
}

impl Target {
    pub(crate) fn job(row: &JobRow) -> Target {
        Target::Job(row.id, row.project, row.user)
    }

    fn facts(self, directory: &Directory) -> Resource {
        match self {
            Target::Platform => Resource::Platform,
            Target::Project(project) => Resource::Project(directory.project_facts(project)),
            Target::Job(id, project, user) => Resource::Job(access::JobFacts {
                id: id.to_string(),
                project: directory.project_facts(project),
                submitted_by: directory.user_facts(user),
            }),
            Target::Key(id, user, project) => Resource::Key(access::KeyFacts {
                id: id.to_string(),
                user: directory.user_facts(user),
                project: project.map(|project| directory.project_facts(project)),
            }),
        }
    }

    fn project(self) -> Option<ProjectId> {
        match self {
            Target::Project(project) | Target::Job(_, project, _) => Some(project),
            Target::Key(_, _, project) => project,
            Target::Platform => None,
        }
    }

    /// Whose key it is.
    fn user(self) -> Option<UserId> {
        match self {
            Target::Key(_, user, _) => Some(user),
            Target::Platform | Target::Project(_) | Target::Job(..) => None,
        }
    }

    fn id(self) -> String {
        match self {
            Target::Platform => "platform".into(),
            Target::Project(id) => id.to_string(),
            Target::Job(id, ..) => id.to_string(),
            Target::Key(id, ..) => id.to_string(),
        }
    }

    /// The action that shows that the thing exists.
    const fn seeing(self) -> Option<Action> {
        match self {
            Target::Platform => None,
            Target::Project(_) => Some(Action::ProjectView),
            Target::Job(..) => Some(Action::JobView),
            Target::Key(..) => Some(Action::KeyView),
        }
    }
}

/// A decision, with the row that records it.
pub(crate) struct Ticket {
    pub version: u64,
    pub row: AuditRow,
    /// If it was refused: what whoever asked hears.
    pub refusal: Option<Problem>,
}

impl Control {
    /// Opens an installation, and makes it at the first start.
    ///
    /// # Errors
    /// In a sentence, when the directory, the store or a policy cannot be used.
    pub fn open(config: Config, clock: Clock) -> Result<Opened, OpenError> {
        let failed = |what: &str| {
            let place = config.data_dir.display().to_string();
            let what = what.to_owned();
            move |error: &dyn fmt::Display| OpenError(format!("{place}: {what}: {error}"))
        };
        let authority = Authority::load(&config.policies).map_err(|problem| OpenError(problem.to_string()))?;
        disk::data_dir(&config.data_dir).map_err(|why| OpenError(format!("{}: {why}", config.data_dir.display())))?;
        if config.data_dir.join(crate::backup::RESTORING).exists() {
            let why = "a restoration did not finish here: empty the directory, and restore again";
            return Err(OpenError(format!("{}: {why}", config.data_dir.display())));
        }
        let lock = Self::lock(&config.data_dir)?;
        let sealing_key = audit::sealing_key(&config.data_dir.join("audit.key"))
            .map_err(|error| failed("audit.key cannot be used")(&error))?;
        let depot = Depot::open(config.data_dir.join("blobs"))
            .map_err(|error| failed("the directory of blobs cannot be used")(&error))?;
        remove_parts(&config.data_dir.join("backups"))
            .map_err(|error| failed("the directory of backups cannot be used")(&error))?;
        let path = config.data_dir.join(disk::STORE);
        let store_failed = failed("the store cannot be used");
        let mut store = Sqlite::open(&path).map_err(|error| store_failed(&error))?;
        let now = clock.now();
        let mut chain = Chain::load(&store, sealing_key).map_err(|error| store_failed(&error))?;
        let audit_broken = chain.broken().map(str::to_owned);
        let mut prepare = || -> Stored<Option<String>> {
            store.begin()?;
            // The server starts all the same: an operator must be able to look.
            chain.confess(&mut store, now)?;
            let setup_key = set_up(&mut store, &mut chain, &config, now)?;
            if let Some(token) = &config.local_join_token {
                store.join_token_put(&secret::hash(token), now.plus_ms(600_000))?;
            }
            store.commit()?;
            Ok(setup_key)
        };
        let setup_key = prepare().map_err(|error| store_failed(&error))?;
        // The names of all that was made just now: the key is told only once.
        disk::sync_dir(&config.data_dir).map_err(|error| failed("the directory cannot be synced")(&error))?;
        let house = House::load(&store, clock.steady_ms()).map_err(|error| store_failed(&error))?;
        let attention = Attention::from(clock.steady_ms());
        let state = State::load(&store, &config, (now, attention.now()), 1).map_err(|error| store_failed(&error))?;
        let config = Arc::new(config);
        let tally = Arc::new(Tally::default());
        let shared = Arc::new(Shared {
            rates: Rates::new(config.rate_per_second, config.rate_burst),
            open_answers: standing::OpenAnswers::default(),
            sessions: sessions::Sessions::new(config.session_idle_ms, config.session_most_ms),
            config: Arc::clone(&config),
            clock: clock.clone(),
            watchers: Watchers::default(),
            views: changes::Views::default(),
            sampled: Sampled::default(),
            changes: Changes::default(),
            past: Mutex::default(),
            audit_broken: Mutex::new(audit_broken),
            depot,
            meters: Arc::default(),
            ready: ready::Last::default(),
            uploads: Arc::default(),
            readers: Arc::new(Readers::new(path)),
            reading: Reading::start(&config.vetting)
                .map_err(|error| OpenError(format!("a thread cannot be started: {error}")))?,
            directory: RwLock::new(Arc::new(state.directory.clone())),
            authority,
            sealing_key,
            forecasts: tokio::sync::Semaphore::new(FORECASTS_MOST),
            forecasts_asked: tokio::sync::Semaphore::new(FORECASTS_ASKED_MOST),
            tally: Arc::clone(&tally),
        });
        let desk = Desk {
            store: Box::new(store),
            config: Arc::clone(&config),
            clock,
            attention,
            chain,
            tally,
            told: Vec::new(),
            state,
            effects: Vec::new(),
            polls: std::collections::BTreeMap::new(),
            next_poll: 0,
            beats: std::collections::HashMap::new(),
            undelivered: Vec::new(),
            draining: false,
            house,
            _lock: lock,
        };
        let writer = Writer::start(desk, Arc::clone(&shared))
            .and_then(|writer| sweep::start(&shared, &writer).map(|()| writer))
            .map_err(|error| OpenError(format!("a thread cannot be started: {error}")))?;
        Ok(Opened { control: Control { shared, writer }, setup_key })
    }

    /// One server at a time: two would each believe to be the only writer.
    fn lock(data_dir: &std::path::Path) -> Result<std::fs::File, OpenError> {
        let path: PathBuf = data_dir.join("lock");
        let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|error| OpenError(format!("{}: {error}", path.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(OpenError(format!("{} is in use by another server", data_dir.display())))
            }
            Err(std::fs::TryLockError::Error(error)) => Err(OpenError(format!("{}: {error}", path.display()))),
        }
    }

    /// No more leases are granted; parked requests and followers are let go.
    pub async fn drain(&self) {
        let _ = self
            .writer
            .act(|desk| {
                desk.draining = true;
                desk.polls.clear();
                desk.beats.clear();
                Ok(())
            })
            .await;
        self.shared.watchers.close();
        self.shared.changes.close();
    }

    /// Commits what is under way, and stops the writer.
    pub async fn close(&self) {
        self.writer.stop().await;
    }

    /// Has the writer look at the clock now, as it does a few times a second by itself: for tests that own the clock.
    ///
    /// # Errors
    /// When the store fails, or the server stops.
    #[doc(hidden)]
    pub async fn tick(&self) -> Answer<()> {
        self.act(Desk::tick).await
    }

    /// Whether the writer lives.
    pub fn healthy(&self) -> bool {
        self.writer.lives()
    }

    pub(crate) fn now(&self) -> Time {
        self.shared.clock.now()
    }

    /// Who shows this key: what follows `Bearer ` in the header `Authorization`.
    ///
    /// # Errors
    /// `unauthenticated` without a valid one; `rate_limited` when it asks too often.
    pub fn authenticate(&self, bearer: Option<&str>) -> Answer<Caller> {
        let now = self.now();
        let Some(bearer) = bearer else {
            return Err(Problem::new(Code::Unauthenticated, "no key came with the request"));
        };
        let directory = self.shared.directory();
        let id = secret::id_of("gmb", bearer).map(KeyId::from_u128);
        let key = id.and_then(|id| directory.keys.get(&id)).filter(|key| secret::matches(bearer, &key.hash));
        let none = || Problem::new(Code::Unauthenticated, "there is no such key");
        let key = key.ok_or_else(none).and_then(|key| opens(key, now).map(|()| key)).inspect_err(|_| {
            self.note_stranger("authenticate", "unauthenticated");
        })?;
        self.let_in(&directory, key, now)
    }

    /// What everybody passes whose key is good, however it was shown.
    fn let_in(&self, directory: &Directory, key: &KeyRow, now: Time) -> Answer<Caller> {
        if let Err(wait_ms) = self.shared.rates.take(key.id, self.shared.clock.steady_ms()) {
            self.note_refused(directory, key, now, Code::RateLimited, Vec::new());
            self.shared.meters.rate_limited();
            let detail = format!("a key may ask {} times a second", self.shared.config.rate_per_second);
            return Err(Problem::new(Code::RateLimited, detail).retry_after(wait_ms.div_ceil(1000)));
        }
        // The policies say so too, but not every answer asks them: a list may be empty, a key knows whose it is.
        if directory.users.get(&key.user).is_none_or(|user| user.disabled) {
            self.note_refused(directory, key, now, Code::Forbidden, vec!["user-disabled".into()]);
            return Err(Problem::new(Code::Forbidden, "this user is disabled"));
        }
        if key.last_used.is_none_or(|used| now.since_ms(used) > 60_000) {
            let id = key.id;
            self.writer.note_now(move |desk| {
                let newer = desk.state.directory.keys.get_mut(&id);
                if let Some(key) = newer.filter(|key| key.last_used.is_none_or(|used| now.since_ms(used) > 60_000)) {
                    key.last_used = Some(now);
                    desk.store.key_used(id, now)?;
                    desk.directory_touched();
                }
                Ok(())
            });
        }
        Ok(Caller { key: key.id, user: key.user, link: None, session: None })
    }

    /// Refusals of those who did not show who they are are counted, and told to the audit log once a minute: a row for each
    /// would let anybody fill the disk.
    pub(crate) fn note_stranger(&self, action: &str, code: &str) {
        let row = audit::row(self.now(), "nobody", action, "platform");
        self.shared.tally.note(AuditRow { allowed: false, detail: serde_json::json!({"code": code}), ..row });
    }

    /// A key that is refused whatever it asks for: counted as well, for each key.
    fn note_refused(&self, directory: &Directory, key: &KeyRow, now: Time, code: Code, policies: Vec<String>) {
        self.shared.tally.note(AuditRow {
            key: Some(key.id),
            allowed: false,
            policies,
            detail: serde_json::json!({"code": code}),
            ..audit::row(now, directory.name_of_user(key.user), "authenticate", "platform")
        });
    }

    /// Refuses something that no policy was asked about, such as what is not there: its row is durable before the answer,
    /// as that of any other refusal.
    pub(crate) async fn refuse<T>(
        &self,
        directory: &Directory,
        caller: &Caller,
        action: Action,
        resource: impl Into<String>,
        problem: Problem,
    ) -> Answer<T> {
        let row = AuditRow {
            key: Some(caller.key),
            allowed: false,
            detail: serde_json::json!({"code": problem.code, "says": problem.detail}),
            ..audit::row(self.now(), directory.name_of_user(caller.user), action.name(), resource)
        };
        self.act(move |desk| Ok(desk.audit(row)?)).await?;
        Err(problem)
    }

    /// A project, by name or id, for an action. That there is none is recorded.
    pub(crate) async fn named_project(
        &self,
        directory: &Directory,
        caller: &Caller,
        action: Action,
        name: &str,
    ) -> Answer<ProjectId> {
        match directory.project(name) {
            Ok(project) => Ok(project.id),
            Err(problem) => self.refuse(directory, caller, action, "platform", problem).await,
        }
    }

    fn key_row<'a>(directory: &'a Directory, caller: &Caller) -> Answer<&'a KeyRow> {
        let key = directory.keys.get(&caller.key).filter(|key| key.revoked.is_none());
        key.ok_or_else(|| Problem::new(Code::Unauthenticated, "the key was revoked"))
    }

    pub(crate) fn context(&self) -> access::Context {
        let ms = i64::try_from(self.now().0).unwrap_or(i64::MAX);
        access::Context::at(jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
    }

    /// Whether somebody may do something, for lists: no row, no reason.
    pub(crate) fn may(&self, directory: &Directory, caller: &Caller, action: Action, target: Target) -> Answer<bool> {
        let principal = directory.principal(caller.user, Some(Self::key_row(directory, caller)?));
        Ok(self.shared.authority.allows(&principal, action, &target.facts(directory), &self.context()))
    }

    /// The projects, by name, of which the caller may be allowed one of `actions`: ours allow nothing to who has no role there nor on the
    /// platform (`policies/access/`), and to ask about each of all projects would let who has none cost as much as who has all.
    pub(crate) fn within_reach(
        &self,
        directory: &Directory,
        caller: &Caller,
        actions: &[Action],
    ) -> Answer<Vec<ProjectId>> {
        let bound = Self::key_row(directory, caller)?.project;
        let all = directory.roles(caller.user).any(|role| role.project.is_none())
            || actions.iter().any(|action| self.shared.authority.has_operators(*action));
        let own: HashSet<ProjectId> = directory.roles(caller.user).filter_map(|role| role.project).collect();
        let reached = |id: &ProjectId| (all || own.contains(id)) && bound.is_none_or(|bound| bound == *id);
        if all {
            return Ok(directory.project_names().values().copied().filter(reached).collect());
        }
        let mut reached: Vec<ProjectId> = own.iter().copied().filter(|id| reached(id)).collect();
        reached.sort_by_cached_key(|id| directory.name_of_project(*id));
        Ok(reached)
    }

    /// The projects, by name, in which the caller may do something.
    pub(crate) fn projects_where(
        &self,
        directory: &Directory,
        caller: &Caller,
        action: Action,
    ) -> Answer<Vec<ProjectId>> {
        let mut projects = Vec::new();
        for id in self.within_reach(directory, caller, &[action])? {
            if self.may(directory, caller, action, Target::Project(id))? {
                projects.push(id);
            }
        }
        Ok(projects)
    }

    /// Whether somebody sees all jobs of a project, or the own ones only: what may be seen of the job of a user who does
    /// not exist may be seen of every job.
    pub(crate) fn sees_all(&self, directory: &Directory, caller: &Caller, project: ProjectId) -> Answer<bool> {
        let anybodys = Target::Job(JobId::from_u128(0), project, UserId::from_u128(0));
        self.may(directory, caller, Action::JobView, anybodys)
    }

    /// Decides, and prepares the row that records it.
    pub(crate) fn ticket(
        &self,
        directory: &Directory,
        caller: &Caller,
        action: Action,
        target: Target,
        context: &access::Context,
    ) -> Answer<Ticket> {
        let key = Self::key_row(directory, caller)?;
        let principal = directory.principal(caller.user, Some(key));
        let facts = target.facts(directory);
        let decision = self.shared.authority.decide(&principal, action, &facts, context);
        let refusal = if decision.allowed {
            None
        } else {
            let seeing = target.seeing();
            let visible = match seeing {
                // Everybody knows that there is a platform.
                None => true,
                // Nothing is there yet, and nobody is a secret to themself.
                Some(_) if action == Action::KeyCreate && target.user() == Some(caller.user) => true,
                Some(seeing) if seeing == action => false,
                Some(seeing) => self.shared.authority.allows(&principal, seeing, &facts, &self.context()),
            };
            Some(if visible {
                Problem::new(Code::Forbidden, decision.says.clone())
            } else {
                Problem::new(Code::NotFound, no_such(&target.id()))
            })
        };
        let detail =
            if decision.allowed { serde_json::Value::Null } else { serde_json::json!({"says": decision.says}) };
        Ok(Ticket {
            version: directory.version,
            row: AuditRow {
                key: Some(caller.key),
                project: target.project(),
                allowed: decision.allowed,
                policies: decision.policies,
                detail,
                ..audit::row(self.now(), directory.name_of_user(caller.user), action.name(), target.id())
            },
            refusal,
        })
    }

    /// Decides about an operation that only reads; its row is written by the next commit, a refusal's before the answer.
    pub(crate) async fn look(&self, caller: &Caller, action: Action, target: Target) -> Answer<Arc<Directory>> {
        let directory = self.shared.directory();
        let ticket = self.ticket(&directory, caller, action, target, &self.context())?;
        self.record(ticket).await?;
        Ok(directory)
    }

    /// Has a decision recorded. A refusal waits for it, and comes back as a problem.
    pub(crate) async fn record(&self, ticket: Ticket) -> Answer<()> {
        let row = ticket.row;
        match ticket.refusal {
            None => {
                if self.shared.tally.is_first(&row, self.shared.clock.steady_ms()) {
                    self.writer.note(move |desk| Ok(desk.audit(row)?)).await;
                }
                Ok(())
            }
            Some(problem) => {
                self.act(move |desk| Ok(desk.audit(row)?)).await?;
                Err(problem)
            }
        }
    }

    /// A list over all projects shows nothing. With a key that could not list anything anywhere that is said, and recorded;
    /// else the list is empty.
    pub(crate) async fn nothing_to_list(&self, directory: &Directory, caller: &Caller, action: Action) -> Answer<()> {
        let Some(project) = directory.projects.keys().next() else { return Ok(()) };
        let mut ticket = self.ticket(directory, caller, action, Target::Project(*project), &self.context())?;
        // The project is any: neither the answer nor the row may be about it.
        (ticket.row.resource, ticket.row.project) = ("platform".into(), None);
        if ticket.refusal.is_some() {
            let by_scope = ticket.row.policies.iter().any(|policy| policy.starts_with("key-scope-"));
            let says = ticket.row.detail["says"].as_str().unwrap_or_default().to_owned();
            ticket.refusal = by_scope.then(|| Problem::new(Code::Forbidden, says));
        }
        self.record(ticket).await
    }

    /// Decides about an operation that changes something, and has it carried out in the transaction of its row.
    pub(crate) async fn perform<T: Send + 'static>(
        &self,
        caller: &Caller,
        action: Action,
        target: Target,
        context: access::Context,
        act: impl FnOnce(&mut Desk) -> Act<T> + Clone + Send + 'static,
    ) -> Answer<T> {
        self.perform_as(caller, action, target, context, |_| Ok(act.clone())).await
    }

    /// The same where more than the ticket is decided on the directory: `decide` makes the act of it.
    pub(crate) async fn perform_as<T: Send + 'static, F: FnOnce(&mut Desk) -> Act<T> + Send + 'static>(
        &self,
        caller: &Caller,
        action: Action,
        target: Target,
        context: access::Context,
        decide: impl Fn(&Directory) -> Answer<F>,
    ) -> Answer<T> {
        // Few attempts are needed: the directory changes seldom.
        for _ in 0..20 {
            let directory = self.shared.directory();
            let ticket = self.ticket(&directory, caller, action, target, &context)?;
            if ticket.refusal.is_some() {
                self.record(ticket).await?;
                continue;
            }
            let act = decide(&directory)?;
            let done = self
                .writer
                .act(move |desk| {
                    desk.check(ticket.version)?;
                    match act(desk) {
                        Ok(value) => {
                            desk.audit(ticket.row)?;
                            Ok(value)
                        }
                        // Allowed by policy, and still not done: the row says so.
                        Err(Failure::Refused(problem)) => {
                            let detail = serde_json::json!({"code": problem.code, "says": problem.detail});
                            desk.audit(AuditRow { allowed: false, detail, ..ticket.row })?;
                            Err(Failure::Refused(problem))
                        }
                        Err(other) => Err(other),
                    }
                })
                .await;
            match done {
                Err(Failure::Stale) => tokio::task::yield_now().await,
                other => return other.map_err(problem),
            }
        }
        Err(Problem::new(Code::Unavailable, "who may do what is being changed right now").retry_after(1))
    }

    /// Has something done that is not a caller's.
    pub(crate) async fn act<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Desk) -> Act<T> + Send + 'static,
    ) -> Answer<T> {
        self.writer.act(act).await.map_err(problem)
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Stored<T> + Send + 'static,
    ) -> Answer<T> {
        self.shared.readers.read(read).await
    }

    /// The project that a request is about: as named, or the key's own, or the only one.
    pub(crate) async fn project_of(
        &self,
        directory: &Directory,
        caller: &Caller,
        action: Action,
        named: Option<&str>,
    ) -> Answer<ProjectId> {
        if let Some(name) = named {
            return self.named_project(directory, caller, action, name).await;
        }
        if let Some(project) = Self::key_row(directory, caller)?.project {
            return Ok(project);
        }
        let mut own: Vec<ProjectId> = directory.roles(caller.user).filter_map(|member| member.project).collect();
        own.dedup();
        match own[..] {
            [project] => Ok(project),
            // Who has a role on the whole platform means the first project, unless there is a choice to make.
            [] if directory.projects.len() == 1 => {
                directory.projects.keys().next().copied().ok_or_else(|| crate::directory::no_project("default"))
            }
            _ => {
                let detail = "name the project: you have a role in none, or in several";
                Err(Problem::new(Code::InvalidSubmission, detail))
            }
        }
    }
}

/// For a project that was asked for by name: whoever may not see it must not learn from the words that it is there.
pub(crate) fn unseen(id: ProjectId, name: Option<&str>) -> impl Fn(Problem) -> Problem {
    move |problem| match name {
        Some(name) if is_unseen(&problem, &Target::Project(id)) => crate::directory::no_project(name),
        _ => problem,
    }
}

/// Whether a problem says that there is no such thing as this, of something that is there.
pub(crate) fn is_unseen(problem: &Problem, target: &Target) -> bool {
    problem.code == Code::NotFound && problem.detail == no_such(&target.id())
}

/// Whether a key still opens anything.
fn opens(key: &KeyRow, now: Time) -> Answer<()> {
    let why = match (key.revoked, key.expires) {
        (Some(_), _) => "the key was revoked",
        (None, Some(expires)) if expires <= now => "the key has expired",
        _ => return Ok(()),
    };
    Err(Problem::new(Code::Unauthenticated, why))
}

fn no_such(id: &impl fmt::Display) -> String {
    format!("there is no {id} that you may see")
}

fn problem(failure: Failure) -> Problem {
    match failure {
        Failure::Stale => Problem::new(Code::Unavailable, "it was changed at the same moment").retry_after(1),
        Failure::Refused(problem) => *problem,
        Failure::Store(error) => store_problem(&error),
    }
}

/// At the first start: an owner, a project, and a key.
fn set_up(store: &mut Sqlite, chain: &mut Chain, config: &Config, now: Time) -> Stored<Option<String>> {
    if !store.users()?.is_empty() {
        return Ok(None);
    }
    let user =
        User { id: UserId::new(), name: "owner".into(), kind: UserKind::Person, disabled: false, created_at: now };
    store.user_put(&user)?;
    store.member_put(&MemberRow { user: user.id, project: None, role: "owner".into() })?;
    store.project_put(&people::new_project("default".into(), config, now))?;
    let id = KeyId::new();
    let fresh = secret::fresh(&format!("gmb_{:032x}", id.as_u128()))?;
    store.key_put(&KeyRow {
        id,
        name: "setup".into(),
        user: user.id,
        project: None,
        scopes: vec!["*".into()],
        hash: fresh.hash,
        created: now,
        expires: None,
        last_used: None,
        revoked: None,
    })?;
    let row = audit::row(now, "system", "setup", "platform");
    chain.append(store, AuditRow { key: Some(id), ..row })?;
    chain.seal(store)?;
    Ok(Some(fresh.text))
}

pub(crate) fn as_project(directory: &Directory, id: ProjectId) -> Answer<&Project> {
    directory.projects.get(&id).ok_or_else(|| crate::directory::no_project(&id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn that_a_key_was_used_makes_no_decision_stale() {
        let dir = tempfile::tempdir().unwrap();
        let (clock, hands) = Clock::manual(Time(1_764_059_400_000));
        let opened = Control::open(Config::new(dir.path()), clock).unwrap();
        let (control, key) = (opened.control, opened.setup_key.unwrap());
        for _ in 0..3 {
            hands.pass(61_000);
            let caller = control.authenticate(Some(&key)).unwrap();
            control.tick().await.unwrap();
            let directory = control.shared.directory();
            assert_eq!(directory.keys[&caller.key].last_used, Some(control.now()));
            assert_eq!(directory.version, 1);
        }
    }

    #[tokio::test]
    async fn who_would_wait_for_many_forecasts_is_told_the_reason_only() {
        let dir = tempfile::tempdir().unwrap();
        let opened = Control::open(Config::new(dir.path()), Clock::System).unwrap();
        let control = opened.control;
        let caller = control.authenticate(opened.setup_key.as_deref()).unwrap();
        let submission = gambeson_api::Submission::of_source("1");
        let accepted = control.submit(&caller, submission, std::time::Duration::ZERO).await.unwrap();
        let gambeson_api::Accepted::Job(job) = accepted else { panic!("a job") };
        let waiting = async || control.job(&caller, job.id, std::time::Duration::ZERO).await.unwrap().waiting.unwrap();
        assert_eq!(waiting().await.position, Some(0));
        let all = FORECASTS_ASKED_MOST as u32;
        let _asked = control.shared.forecasts_asked.acquire_many(all).await.unwrap();
        let _made = control.shared.forecasts.acquire().await.unwrap();
        let told = waiting().await;
        assert_eq!(told.position, None);
        assert!(told.why.starts_with("no worker is connected; ") && told.why.contains("not computed"), "{}", told.why);
    }
}
