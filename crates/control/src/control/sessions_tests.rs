use std::sync::Arc;

use gambeson_api::{NewKey, NewUser, UserChange};

use super::*;
use crate::clock::Hands;
use crate::config::Config;

const MINUTE: u64 = 60_000;

struct House {
    _dir: tempfile::TempDir,
    control: Control,
    hands: Arc<Hands>,
    key: String,
}

fn house() -> House {
    let dir = tempfile::tempdir().unwrap();
    let (clock, hands) = Clock::manual(Time(1_764_059_400_000));
    let config = Config { session_idle_ms: 10 * MINUTE, session_most_ms: 60 * MINUTE, ..Config::new(dir.path()) };
    let opened = Control::open(config, clock).unwrap();
    House { control: opened.control, hands, key: opened.setup_key.unwrap(), _dir: dir }
}

impl House {
    async fn sign_in(&self, key: &str) -> SignedIn {
        self.control.sign_in(key, None).await.unwrap()
    }

    fn reads(&self, signed_in: &SignedIn) -> Answer<Caller> {
        self.control.authenticate_by_session(&signed_in.token, Proof::Reads)
    }

    fn is_over(&self, signed_in: &SignedIn) -> bool {
        match self.reads(signed_in) {
            Ok(_) => false,
            Err(problem) => {
                assert_eq!(problem.code, Code::Unauthenticated, "{problem}");
                true
            }
        }
    }

    /// A key of somebody else.
    async fn key_of(&self, name: &str, expires_in: Option<&str>) -> gambeson_api::CreatedKey {
        let root = self.control.authenticate(Some(&self.key)).unwrap();
        let user = serde_json::from_value::<NewUser>(serde_json::json!({"name": name})).unwrap();
        let _ = self.control.user_create(&root, user).await;
        let new = serde_json::json!({"name": "k", "user": name, "scopes": ["*"], "expires_in": expires_in});
        self.control.key_create(&root, serde_json::from_value::<NewKey>(new).unwrap()).await.unwrap()
    }

    async fn actions(&self) -> Vec<(String, bool, String)> {
        self.hands.pass(2 * MINUTE);
        self.control.tick().await.unwrap();
        let root = self.control.authenticate(Some(&self.key)).unwrap();
        let rows = self.control.audit(&root, None, 0, 1000).await.unwrap().rows;
        let said = |row: AuditRow| (row.action, row.allowed, row.detail["code"].as_str().unwrap_or("").to_owned());
        rows.into_iter().map(said).collect()
    }
}

#[tokio::test]
async fn a_session_ends_after_a_while_without_use_and_at_last_however_much_it_is_used() {
    let house = house();
    let idle = house.sign_in(&house.key).await;
    let used = house.sign_in(&house.key).await;
    assert_eq!(used.session.expires_at, house.control.now().plus_ms(10 * MINUTE));
    for _ in 0..6 {
        house.hands.pass(9 * MINUTE);
        assert!(!house.is_over(&used));
    }
    assert!(house.is_over(&idle));
    let caller = house.reads(&used).unwrap();
    let ends = house.control.session(&caller).await.unwrap().expires_at;
    assert_eq!(ends, house.control.now().plus_ms(6 * MINUTE), "what is left of it in all");
    house.hands.pass(6 * MINUTE);
    assert!(house.is_over(&used));
    // A machine that slept counted no steady time; the date tells.
    let slept = house.sign_in(&house.key).await;
    house.hands.set_wall(house.control.now().plus_ms(10 * MINUTE));
    assert!(house.is_over(&slept));
}

#[tokio::test]
async fn a_session_ends_with_its_key_and_with_its_user() {
    let house = house();
    let root = house.control.authenticate(Some(&house.key)).unwrap();

    let (ada, other) = (house.key_of("ada", None).await, house.key_of("ada", None).await);
    let (of_ada, of_other) = (house.sign_in(&ada.secret).await, house.sign_in(&other.secret).await);
    assert!(!house.is_over(&of_ada));
    house.control.key_revoke(&root, ada.key.id).await.unwrap();
    assert!(house.is_over(&of_ada));
    assert!(!house.is_over(&of_other), "of another key of the same user");

    house.control.user_change(&root, "ada", UserChange { disabled: Some(true) }).await.unwrap();
    assert!(house.is_over(&of_other));
    house.control.user_change(&root, "ada", UserChange { disabled: Some(false) }).await.unwrap();
    assert!(house.is_over(&of_other), "what ended does not begin again");

    let short = house.key_of("ada", Some("5m")).await;
    let of_short = house.sign_in(&short.secret).await;
    assert_eq!(Some(of_short.session.expires_at), short.key.expires_at);
    house.hands.pass(5 * MINUTE);
    assert!(house.is_over(&of_short));
}

#[tokio::test]
async fn signing_in_anew_and_signing_out_end_the_session_and_what_stands_on_it() {
    let house = house();
    let first = house.sign_in(&house.key).await;
    let second = house.control.sign_in(&house.key, Some(&first.token)).await.unwrap();
    assert!(house.is_over(&first) && !house.is_over(&second));
    assert!(first.token != second.token && first.session.csrf != second.session.csrf);

    let caller = house.reads(&second).unwrap();
    let mut standing = house.control.standing(&caller, None).unwrap();
    standing.check().unwrap();
    house.control.sign_out(&caller).await.unwrap();
    assert_eq!(standing.check().unwrap_err().code, Code::Unauthenticated);
    assert!(house.is_over(&second));
    assert_eq!(house.control.sign_out(&caller).await.unwrap_err().code, Code::Unauthenticated);
}

#[tokio::test]
async fn what_changes_something_needs_the_token_of_this_session() {
    let house = house();
    let (mine, other) = (house.sign_in(&house.key).await, house.sign_in(&house.key).await);
    let changes = |csrf| house.control.authenticate_by_session(&mine.token, Proof::Changes(csrf)).map(|_| ());
    changes(Some(&mine.session.csrf)).unwrap();
    for bad in [None, Some(""), Some(other.session.csrf.as_str()), Some(&mine.session.csrf[1..]), Some(&mine.token)] {
        assert_eq!(changes(bad).unwrap_err().code, Code::CsrfFailed, "{bad:?}");
    }
    house.reads(&mine).unwrap();
}

#[tokio::test]
async fn the_log_tells_of_signing_in_and_out_and_counts_who_guesses() {
    let house = house();
    let session = house.sign_in(&house.key).await;
    let caller = house.reads(&session).unwrap();
    let _ = house.control.authenticate_by_session(&session.token, Proof::Changes(None));
    house.control.sign_out(&caller).await.unwrap();
    let replaced = house.sign_in(&house.key).await;
    house.control.sign_in(&house.key, Some(&replaced.token)).await.unwrap();
    for guess in ["", "gmb_1", &house.key.replace('a', "b"), &session.token] {
        assert_eq!(house.control.sign_in(guess, None).await.unwrap_err().code, Code::Unauthenticated);
        assert!(house.control.authenticate_by_session(guess, Proof::Reads).is_err());
    }
    let rows = house.actions().await;
    let said = |action: &str, allowed, code: &str| {
        rows.iter().filter(|row| **row == (action.into(), allowed, code.into())).count()
    };
    assert_eq!((said("session.open", true, ""), said("session.close", true, "")), (3, 2), "{rows:?}");
    assert_eq!(said("authenticate", false, "csrf_failed"), 1);
    assert_eq!(said("authenticate", false, "unauthenticated"), 1, "eight guesses, one row");
}

#[tokio::test]
async fn a_session_asks_no_faster_than_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let (clock, _hands) = Clock::manual(Time(1_764_059_400_000));
    let config = Config { rate_per_second: 1, rate_burst: 5, ..Config::new(dir.path()) };
    let opened = Control::open(config, clock).unwrap();
    let (control, key) = (opened.control, opened.setup_key.unwrap());
    let session = control.sign_in(&key, None).await.unwrap();
    let asked = |n: usize| match n % 2 {
        0 => control.authenticate(Some(&key)).is_ok(),
        _ => control.authenticate_by_session(&session.token, Proof::Reads).is_ok(),
    };
    assert_eq!((0..20).filter(|n| asked(*n)).count(), 4, "both ways take from the same five");
}

#[tokio::test]
async fn a_key_has_so_many_sessions_and_the_one_unused_for_longest_makes_room() {
    let house = house();
    let first = house.sign_in(&house.key).await;
    let second = house.sign_in(&house.key).await;
    for _ in 2..OF_ONE_KEY {
        house.hands.pass(1000);
        house.sign_in(&house.key).await;
    }
    assert!(!house.is_over(&first));
    house.hands.pass(1000);
    house.sign_in(&house.key).await;
    assert!(house.is_over(&second) && !house.is_over(&first));
    assert_eq!(house.control.shared.sessions.open().len(), OF_ONE_KEY);
}

#[tokio::test]
async fn a_user_has_so_many_sessions_however_many_keys() {
    let house = house();
    let now = Moment::of(&house.control.shared.clock);
    let user = UserId::new();
    let sessions = &house.control.shared.sessions;
    for number in 0..OF_ONE_USER + 50 {
        let row = Row { key: KeyId::new(), user, csrf: String::new(), opened: now, used: now };
        assert!(sessions.put(SessionId(secret::hash(&number.to_string())), row));
    }
    assert_eq!(sessions.open().len(), OF_ONE_USER);
}

#[tokio::test]
async fn a_session_says_which_lists_it_may_read_and_asking_for_that_is_no_refusal() {
    let house = house();
    let all = house.sign_in(&house.key).await.session.sees;
    assert!(all.keys && all.users && all.projects && all.usage && all.members && all.members_of.is_empty());
    let ada = house.key_of("ada", None).await;
    let none = Sees { keys: true, users: false, projects: false, usage: false, members: false, members_of: vec![] };
    assert_eq!(house.sign_in(&ada.secret).await.session.sees, none);
    let root = house.control.authenticate(Some(&house.key)).unwrap();
    let mut roles = Vec::new();
    for role in ["submitter", "auditor"] {
        let change = serde_json::json!({"user": "ada", "project": "default", "role": role});
        house.control.member_add(&root, serde_json::from_value(change).unwrap()).await.unwrap();
        let signed_in = house.sign_in(&ada.secret).await;
        roles.push(house.control.session(&house.reads(&signed_in).unwrap()).await.unwrap().sees);
    }
    let project = house.control.projects(&root).await.unwrap().projects[0].id;
    let submitter = Sees { projects: true, usage: true, ..none };
    assert_eq!(roles, [submitter.clone(), Sees { members_of: vec![project], ..submitter }]);
    assert!(house.actions().await.iter().all(|(_, allowed, _)| *allowed), "to be told so is not to be refused");
}
