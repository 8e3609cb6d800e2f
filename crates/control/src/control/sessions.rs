//! Browsers that are signed in: a key was shown once, and a cookie stands for it until it is over.
//!
//! Invariants:
//! 1. A session is its key, seen later: whoever shows one passes the same door as who shows the key, and may no more.
//! 2. Of a token its hash is kept, in memory alone: a server that starts anew has everybody sign in again.
//! 3. A session ends by itself after a while without use, and at last however much it is used; and at once when its key is
//!    revoked, its user disabled, or when it is signed out. Long answers that stand on it end with it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gambeson_api::{AuditRow, Code, KeyId, Problem, Sees, Session, Time, UserId};
use subtle::ConstantTimeEq;

use super::{Answer, Caller, Control, Target};
use crate::access::Action;
use crate::audit;
use crate::clock::Clock;
use crate::reading::store_problem;
use crate::secret;

/// Sessions of one key at once: the one that was not used for longest makes room.
const OF_ONE_KEY: usize = 32;
/// Sessions of one user at once, in the same way: a user may have many keys.
const OF_ONE_USER: usize = 256;
/// Sessions at once.
const IN_ALL: usize = 20_000;

/// The hash of a session's token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionId([u8; 32]);

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId")
    }
}

/// What a request that comes with a session is about to do, and what it shows beside the cookie, which a browser sends by
/// itself.
#[derive(Debug, Clone, Copy)]
pub enum Proof<'a> {
    /// It only reads.
    Reads,
    /// It may change something: a page of ours adds the session's `csrf`.
    Changes(Option<&'a str>),
}

/// A browser that signed in just now.
pub struct SignedIn {
    /// What its cookie holds; shown this once.
    pub token: String,
    /// What its pages may know.
    pub session: Session,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedIn({})", self.session.who.key.id)
    }
}

/// One moment by both clocks: that which nobody sets may stand while the machine sleeps, the other may be set. What is
/// over by either is over.
#[derive(Debug, Clone, Copy)]
struct Moment {
    steady_ms: u64,
    wall: Time,
}

impl Moment {
    fn of(clock: &Clock) -> Moment {
        Moment { steady_ms: clock.steady_ms(), wall: clock.now() }
    }

    fn since_ms(self, earlier: Moment) -> u64 {
        self.steady_ms.saturating_sub(earlier.steady_ms).max(self.wall.since_ms(earlier.wall))
    }
}

/// One session.
#[derive(Clone)]
struct Row {
    key: KeyId,
    user: UserId,
    csrf: String,
    opened: Moment,
    used: Moment,
}

/// All sessions.
pub(crate) struct Sessions {
    idle_ms: u64,
    most_ms: u64,
    open: Mutex<HashMap<SessionId, Row>>,
}

impl Sessions {
    pub(crate) fn new(idle_ms: u64, most_ms: u64) -> Sessions {
        Sessions { idle_ms, most_ms, open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<SessionId, Row>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is left of it, milliseconds; 0 when it is over.
    fn left_ms(&self, row: &Row, now: Moment) -> u64 {
        let idle = self.idle_ms.saturating_sub(now.since_ms(row.used));
        idle.min(self.most_ms.saturating_sub(now.since_ms(row.opened)))
    }

    /// Opens one, for which others of its key, and of its user, make room. False when there are too many in all.
    fn put(&self, id: SessionId, row: Row) -> bool {
        let mut open = self.open();
        let now = row.opened;
        open.retain(|_, row| self.left_ms(row, now) > 0);
        let mut make_room = |most: usize, is_own: &dyn Fn(&Row) -> bool| {
            while open.values().filter(|other| is_own(other)).count() >= most {
                let own = open.iter().filter(|(_, other)| is_own(other));
                let Some(id) = own.max_by_key(|(_, other)| now.since_ms(other.used)).map(|(id, _)| *id) else { break };
                open.remove(&id);
            }
        };
        make_room(OF_ONE_KEY, &|other| other.key == row.key);
        make_room(OF_ONE_USER, &|other| other.user == row.user);
        if open.len() >= IN_ALL {
            return false;
        }
        open.insert(id, row);
        true
    }

    /// The session, which is used by this; `None` when there is none, or it is over.
    fn seen(&self, id: SessionId, now: Moment) -> Option<Row> {
        let mut open = self.open();
        let row = open.get_mut(&id)?;
        if self.left_ms(row, now) == 0 {
            open.remove(&id);
            return None;
        }
        row.used = now;
        Some(row.clone())
    }

    fn end(&self, id: SessionId) -> Option<Row> {
        self.open().remove(&id)
    }

    /// Ends those of a key.
    pub(super) fn end_of_key(&self, key: KeyId) {
        self.open().retain(|_, row| row.key != key);
    }

    /// Ends those of a user.
    pub(super) fn end_of_user(&self, user: UserId) {
        self.open().retain(|_, row| row.user != user);
    }
}

fn over() -> Problem {
    Problem::new(Code::Unauthenticated, "the session is over: sign in again")
}

impl Control {
    /// Signs a browser in by a key. The session of the token that it came with, if any, ends.
    ///
    /// # Errors
    /// As of [`Control::authenticate`]; `unavailable` when too many are signed in.
    pub async fn sign_in(&self, key: &str, before: Option<&str>) -> Answer<SignedIn> {
        let caller = self.authenticate(Some(key))?;
        let fault = |error| store_problem(&error);
        let fresh = secret::fresh("gms").map_err(fault)?;
        let csrf = secret::fresh("gmc").map_err(fault)?.text;
        let id = SessionId(fresh.hash);
        let now = Moment::of(&self.shared.clock);
        if let Some(ended) = before.and_then(|before| self.shared.sessions.end(SessionId(secret::hash(before)))) {
            let whose = Caller { key: ended.key, user: ended.user, session: None, link: None };
            self.note_session(&whose, "session.close").await?;
        }
        // In the log before it works.
        self.note_session(&caller, "session.open").await?;
        let row = Row { key: caller.key, user: caller.user, csrf, opened: now, used: now };
        if !self.shared.sessions.put(id, row) {
            return Err(Problem::new(Code::Unavailable, "too many browsers are signed in").retry_after(60));
        }
        let session = self.session(&Caller { session: Some(id), ..caller }).await?;
        Ok(SignedIn { token: fresh.text, session })
    }

    /// Who shows this session: what the cookie holds.
    ///
    /// # Errors
    /// `unauthenticated` without a valid one, and as of its key; `csrf_failed` when what would change something does not
    /// show that a page of ours sent it.
    pub fn authenticate_by_session(&self, token: &str, proof: Proof<'_>) -> Answer<Caller> {
        let id = SessionId(secret::hash(token));
        let Some(row) = self.shared.sessions.seen(id, Moment::of(&self.shared.clock)) else {
            self.note_stranger("authenticate", "unauthenticated");
            return Err(over());
        };
        let now = self.now();
        let directory = self.shared.directory();
        let key = directory.keys.get(&row.key).ok_or_else(over);
        let opened = key.and_then(|key| super::opens(key, now).map(|()| key)).inspect_err(|_| {
            self.shared.sessions.end(id);
            self.note_stranger("authenticate", "unauthenticated");
        })?;
        let caller = self.let_in(&directory, opened, now)?;
        if let Proof::Changes(shown) = proof
            && !bool::from(shown.unwrap_or_default().as_bytes().ct_eq(row.csrf.as_bytes()))
        {
            self.note_refused(&directory, opened, now, Code::CsrfFailed, Vec::new());
            return Err(Problem::new(Code::CsrfFailed, "X-CSRF-Token is not that of the session"));
        }
        Ok(Caller { session: Some(id), ..caller })
    }

    /// The session that the caller came with.
    ///
    /// # Errors
    /// `unauthenticated` when it was a key, or the session is over.
    pub async fn session(&self, caller: &Caller) -> Answer<Session> {
        let of_key = || Problem::new(Code::Unauthenticated, "the request came with a key, which is no session");
        let id = caller.session.ok_or_else(of_key)?;
        let now = Moment::of(&self.shared.clock);
        let row = self.shared.sessions.seen(id, now).ok_or_else(over)?;
        let who = self.whoami(caller).await?;
        let ends = now.wall.plus_ms(self.shared.sessions.left_ms(&row, now));
        let expires_at = who.key.expires_at.map_or(ends, |key_ends| key_ends.min(ends));
        Ok(Session { who, csrf: row.csrf, expires_at, sees: self.sees(caller)? })
    }

    /// Which lists the caller may read: decided as when they are asked for, and not recorded, since nothing is shown.
    fn sees(&self, caller: &Caller) -> Answer<Sees> {
        let directory = self.shared.directory();
        let may = |action, target| self.may(&directory, caller, action, target);
        let anywhere = |action| {
            for project in self.within_reach(&directory, caller, &[action])? {
                if may(action, Target::Project(project))? {
                    return Ok(true);
                }
            }
            Ok::<bool, Problem>(false)
        };
        let key = Self::key_row(&directory, caller)?;
        let members = may(Action::MemberView, Target::Platform)?;
        Ok(Sees {
            keys: may(Action::KeyView, Target::Key(key.id, key.user, key.project))?,
            users: may(Action::UserView, Target::Platform)?,
            projects: anywhere(Action::ProjectView)?,
            usage: anywhere(Action::UsageView)?,
            members,
            members_of: if members { Vec::new() } else { self.projects_where(&directory, caller, Action::MemberView)? },
        })
    }

    /// Ends the session that the caller came with.
    ///
    /// # Errors
    /// `unauthenticated` when there is none.
    pub async fn sign_out(&self, caller: &Caller) -> Answer<()> {
        let ended = caller.session.and_then(|id| self.shared.sessions.end(id));
        if ended.is_none() {
            return Err(Problem::new(Code::Unauthenticated, "there is no session that could end"));
        }
        self.note_session(caller, "session.close").await
    }

    /// Whether what the caller came with still opens anything; a long answer uses its session all the while.
    pub(super) fn session_holds(&self, caller: &Caller) -> Answer<()> {
        let Some(id) = caller.session else { return Ok(()) };
        self.shared.sessions.seen(id, Moment::of(&self.shared.clock)).map(|_| ()).ok_or_else(over)
    }

    async fn note_session(&self, caller: &Caller, action: &str) -> Answer<()> {
        let actor = self.shared.directory().name_of_user(caller.user);
        let row = AuditRow { key: Some(caller.key), ..audit::row(self.now(), actor, action, "platform") };
        self.act(move |desk| Ok(desk.audit(row)?)).await
    }
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
