//! What workers ask.

use std::sync::Arc;
use std::time::Duration;

use gambeson_api::work::{
    Append, Appended, Done, Enrol, Enrolled, HandBack, Heartbeat, HeartbeatAnswer, LeaseRequest, Leases, Settle,
};
use gambeson_api::{AuditRow, Code, LeaseId, Problem, WorkerId};
use tokio::sync::oneshot;

use super::{Answer, Control, WorkerCaller};
use crate::audit;
use crate::secret;
use crate::store::WorkerRow;
use crate::writer::Writer;

/// The longest that a request is parked.
const PARKED_MOST: Duration = Duration::from_secs(60);

/// A token of a kind, by what it begins with. What is of another kind is as good as none: whoever shows a user's key must
/// not even learn whether there is such a lease.
pub(super) fn token(kind: &str, token: Option<&str>) -> Answer<String> {
    let fits = |token: &&str| token.strip_prefix(kind).is_some_and(|rest| rest.starts_with('_'));
    let none = || Problem::new(Code::Unauthenticated, format!("no token {kind}_... came with the request"));
    token.filter(fits).map(str::to_owned).ok_or_else(none)
}

/// Gives a parked request's place up when whoever asked has gone.
struct Place {
    writer: Writer,
    poll: Option<u64>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(poll) = self.poll {
            self.writer.note_now(move |desk| {
                desk.unpark(poll);
                Ok(())
            });
        }
    }
}

fn text(given: &str, most: usize) -> String {
    given.chars().filter(|c| !c.is_control()).take(most).collect()
}

impl Control {
    /// Which worker shows this credential.
    ///
    /// # Errors
    /// `unauthenticated` without a valid one.
    pub fn authenticate_worker(&self, bearer: Option<&str>) -> Answer<WorkerCaller> {
        let unknown =
            || Problem::new(Code::Unauthenticated, "no worker has this credential: enrol it with a join token");
        let bearer = bearer.ok_or_else(unknown)?;
        let id = secret::id_of("gmw", bearer).map(WorkerId::from_u128);
        let workers = Arc::clone(&self.shared.directory().workers);
        match id.and_then(|id| Some((id, workers.get(&id)?))) {
            Some((id, hash)) if secret::matches(bearer, hash) => Ok(WorkerCaller { worker: id }),
            _ => {
                self.note_stranger("worker.authenticate", "unauthenticated");
                Err(unknown())
            }
        }
    }

    /// Enrols a worker that has a join token, which is used up. Asked again by the same worker, it is the same answer.
    ///
    /// # Errors
    /// `unauthenticated` without a valid one.
    pub async fn worker_enrol(&self, join_token: Option<&str>, enrol: Enrol) -> Answer<Enrolled> {
        let join_token = token("gmj", join_token)?;
        let (id, hash) = (enrol.worker, enrol.credential.0);
        self.act(move |desk| {
            let now = desk.now();
            let known = desk.state.workers.get(&id).map(|row| row.hash);
            // Its answer got lost. It hears nothing that it did not say itself.
            if known == Some(hash) {
                return Ok(());
            }
            // An id that is taken is no reason to use the token up.
            if known.is_some() || !desk.store.join_token_take(&secret::hash(&join_token), now)? {
                desk.note_stranger("worker.enrol");
                let detail = "the join token is not known, was used, or has expired";
                return Err(Problem::new(Code::Unauthenticated, detail).into());
            }
            let mut layers = enrol.layers;
            layers.truncate(100);
            let row = WorkerRow {
                id,
                name: text(&enrol.name, 64),
                hash,
                room: enrol.room,
                version: text(&enrol.version, 64),
                environment: text(&enrol.environment, 100),
                layers,
                draining: false,
                enrolled: now,
                seen: now,
            };
            desk.store.worker_put(&row)?;
            let detail = serde_json::json!({"name": row.name});
            desk.audit(AuditRow { detail, ..audit::row(now, "worker", "worker.enrol", id.to_string()) })?;
            Arc::make_mut(&mut desk.state.directory.workers).insert(id, hash);
            desk.state.workers.insert(id, row);
            desk.directory_changed();
            Ok(())
        })
        .await?;
        Ok(Enrolled { worker: id })
    }

    /// Parks until there is work, or the time is over. Dropping the future gives up the place.
    ///
    /// # Errors
    /// When the server stops.
    pub async fn worker_lease(&self, worker: &WorkerCaller, request: LeaseRequest) -> Answer<Leases> {
        let id = worker.worker;
        let wait = Duration::from_millis(request.wait_ms).min(PARKED_MOST);
        let (reply, mut answered) = oneshot::channel();
        let poll = self
            .act(move |desk| {
                if desk.draining {
                    return Err(Problem::new(Code::Unavailable, "the server is stopping").retry_after(5).into());
                }
                desk.describe(id, &request)?;
                desk.poll(id, request.room, reply)
            })
            .await?;
        let mut place = Place { writer: self.writer.clone(), poll: Some(poll) };
        let leases = match tokio::time::timeout(wait, &mut answered).await {
            Ok(Ok(leases)) => leases,
            // Let go: the server stops, the commit failed, or the worker asked again elsewhere.
            Ok(Err(_)) => {
                place.poll = None;
                return Err(Problem::new(Code::Unavailable, "nothing can be given out now").retry_after(1));
            }
            Err(_) => {
                // What is granted at this very moment must not be lost: the place is given up first.
                self.act(move |desk| {
                    desk.unpark(poll);
                    Ok(())
                })
                .await?;
                answered.try_recv().unwrap_or_default()
            }
        };
        place.poll = None;
        Ok(Leases { leases })
    }

    /// Renews leases, and tells what there is to do.
    ///
    /// # Errors
    /// When the server stops.
    pub async fn worker_heartbeat(&self, worker: &WorkerCaller, beat: Heartbeat) -> Answer<HeartbeatAnswer> {
        if beat.leases.len() > 10_000 {
            return Err(Problem::new(Code::TooLarge, "too many leases in one heartbeat"));
        }
        let id = worker.worker;
        let most = Duration::from_millis(self.shared.config.lease_ms / 2);
        let wait = Duration::from_millis(beat.wait_ms).min(most);
        let (reply, answered) = oneshot::channel();
        let quiet = self
            .act(move |desk| {
                desk.beat(id, &beat.leases, beat.vitals, reply)?;
                Ok(desk.quiet_beat(id))
            })
            .await?;
        match tokio::time::timeout(wait, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) | Err(_) => Ok(quiet),
        }
    }

    /// Whether this is the token of a lease that is held, before more is read of a request about it.
    ///
    /// # Errors
    /// `lease_lost` when it is no longer the worker's, `unauthenticated` when the token is another's.
    pub async fn lease_check(&self, lease: LeaseId, bearer: Option<&str>) -> Answer<()> {
        let token = token("gml", bearer)?;
        self.act(move |desk| match desk.leased(lease, &token) {
            Ok(_) => Ok(()),
            // It may be the second time that the end is told, which is heard.
            Err(refused) => match desk.store.lease(lease)? {
                Some(row) if secret::matches(&token, &row.hash) => Ok(()),
                _ => Err(refused),
            },
        })
        .await
    }

    /// Records what happened in an attempt.
    ///
    /// # Errors
    /// `lease_lost` when it is no longer the worker's.
    pub async fn lease_append(&self, lease: LeaseId, bearer: Option<&str>, append: Append) -> Answer<Appended> {
        let token = token("gml", bearer)?;
        self.act(move |desk| desk.append(lease, &token, append)).await
    }

    /// Ends an attempt.
    ///
    /// # Errors
    /// `lease_lost` when it is no longer the worker's.
    pub async fn lease_settle(&self, lease: LeaseId, bearer: Option<&str>, settle: Settle) -> Answer<Done> {
        let token = token("gml", bearer)?;
        self.act(move |desk| desk.settle(lease, &token, settle)).await?;
        Ok(Done {})
    }

    /// Gives a job back that was not started.
    ///
    /// # Errors
    /// `lease_lost` when it is no longer the worker's.
    pub async fn lease_hand_back(&self, lease: LeaseId, bearer: Option<&str>, back: HandBack) -> Answer<Done> {
        let token = token("gml", bearer)?;
        self.act(move |desk| desk.hand_back(lease, &token, &back.why)).await?;
        Ok(Done {})
    }
}

impl crate::desk::Desk {
    /// Notes what a worker says of itself at its start.
    fn describe(&mut self, worker: WorkerId, request: &LeaseRequest) -> crate::desk::Act<()> {
        let Some(row) = self.state.workers.get_mut(&worker) else { return Ok(()) };
        let (version, environment) = (text(&request.version, 64), text(&request.environment, 100));
        let layers = request.layers.as_ref().filter(|layers| layers.len() <= 100 && **layers != row.layers);
        if layers.is_none() && row.version == version && row.environment == environment {
            return Ok(());
        }
        row.version = version;
        row.environment = environment;
        if let Some(layers) = layers {
            row.layers.clone_from(layers);
        }
        Ok(self.store.worker_put(row)?)
    }
}
