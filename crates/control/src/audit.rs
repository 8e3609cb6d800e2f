//! The audit log: each row's hash covers the one before, and a seal outside of the store covers the last.
//!
//! Invariants:
//! 1. Rows are numbered from 1 without gaps, and written in the transaction of what they record.
//! 2. `hash = SHA-256(hash of the row before || the row as JSON with an empty hash)`: a row that is changed, removed
//!    or moved breaks the chain there.
//! 3. The last number and hash are kept with an HMAC-SHA-256 under a key that lies in a file beside the store: rows
//!    removed from the end break the seal. It is compared whenever the log is loaded; what does not fit is said by a row,
//!    [`BROKEN`], so that a later seal does not hide it: a log with such a row is never whole again.

use std::fs;
use std::io;
use std::path::Path;

use gambeson_api::{AuditRow, AuditVerdict, Time};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::disk::Part;
use crate::store::{Store, StoreError, Stored};

/// The name of the seal among the store's single values.
const SEAL: &str = "audit.seal";
/// The action of the row which says that the log and its seal did not fit.
const BROKEN: &str = "audit.broken";

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    format!("sha256:{text}").parse::<gambeson_api::Digest>().ok().map(|digest| digest.0)
}

/// A row about something that was allowed, with nothing more to say; its place and hash come when it is appended.
pub(crate) fn row(at: Time, actor: impl Into<String>, action: &str, resource: impl Into<String>) -> AuditRow {
    AuditRow {
        seq: 0,
        at,
        actor: actor.into(),
        key: None,
        action: action.to_owned(),
        resource: resource.into(),
        project: None,
        allowed: true,
        policies: Vec::new(),
        detail: serde_json::Value::Null,
        hash: String::new(),
    }
}

/// The end of the chain, and the key that seals it.
#[derive(Clone)]
pub(crate) struct Chain {
    seq: u64,
    hash: [u8; 32],
    key: [u8; 32],
    /// How the log did not fit its seal when it was loaded; until that is said by a row.
    broken: Option<String>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chain {{ seq: {} }}", self.seq)
    }
}

fn link(before: &[u8; 32], row: &AuditRow) -> Stored<[u8; 32]> {
    let mut bare = row.clone();
    bare.hash.clear();
    let text = serde_json::to_vec(&bare).map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(Sha256::new().chain_update(before).chain_update(text).finalize().into())
}

fn seal(key: &[u8; 32], seq: u64, hash: &[u8; 32]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(&seq.to_be_bytes());
    mac.update(hash);
    [&seq.to_be_bytes()[..], hash, &mac.finalize().into_bytes()].concat()
}

/// How a log that ends with this row and hash does not fit a seal.
fn misfit(sealed: &[u8], key: &[u8; 32], seq: u64, hash: &[u8; 32]) -> Option<String> {
    if sealed == seal(key, seq, hash) {
        return None;
    }
    Some(match sealed_seq(sealed) {
        Some(sealed) if sealed > seq => {
            format!("rows are missing at the end: the log ends with row {seq}, the seal is of row {sealed}")
        }
        Some(sealed) if sealed < seq => {
            format!("the log ends with row {seq}, the seal is of row {sealed}: it is not the seal of this log")
        }
        Some(_) => "the seal is broken: it was made with another key, or for another log".into(),
        None => format!("the log ends with row {seq}, and the seal is none of ours"),
    })
}

fn sealed_seq(sealed: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(sealed.get(..8)?.try_into().ok()?))
}

/// Reads the sealing key, or makes one.
pub(crate) fn sealing_key(path: &Path) -> io::Result<[u8; 32]> {
    match fs::read(path) {
        Ok(bytes) => bytes.try_into().map_err(|_| io::Error::other("it is not 32 bytes long")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(io::Error::other)?;
            // Aside first: half a key in its place would end every later start.
            let part = Part::beside(path)?;
            fs::write(part.path(), key)?;
            part.put(path)?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}

impl Chain {
    /// The chain as the store has it, compared with its seal.
    pub(crate) fn load(store: &dyn Store, key: [u8; 32]) -> Stored<Chain> {
        let last = store.audit_last()?;
        let hash = last.as_ref().and_then(|row| unhex(&row.hash)).unwrap_or_default();
        let seq = last.as_ref().map_or(0, |row| row.seq);
        let broken = match store.meta(SEAL)? {
            Some(sealed) => misfit(&sealed, &key, seq, &hash),
            // At the very first start there is nobody yet.
            None if last.is_none() && store.users()?.is_empty() => None,
            None => Some(format!("the log ends with row {seq}, and the seal is missing")),
        };
        Ok(Chain { seq, hash, key, broken })
    }

    /// Why it does not fit its seal, until that is said.
    pub(crate) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Says by a row, sealed, that the log did not fit its seal, if it did not.
    pub(crate) fn confess(&mut self, store: &mut dyn Store, now: Time) -> Stored<()> {
        let Some(why) = self.broken.take() else { return Ok(()) };
        tracing::error!(audit.seq = self.seq, "the audit log is broken: {why}");
        let detail = serde_json::json!({"says": why});
        self.append(store, AuditRow { detail, ..row(now, "system", BROKEN, "platform") })?;
        self.seal(store)
    }

    /// The same chain as the store has it now, after a commit that failed.
    pub(crate) fn reload(&self, store: &dyn Store) -> Stored<Chain> {
        Chain::load(store, self.key)
    }

    /// Writes the next row: its place and hash are made here.
    pub(crate) fn append(&mut self, store: &mut dyn Store, mut row: AuditRow) -> Stored<()> {
        row.seq = self.seq + 1;
        let hash = link(&self.hash, &row)?;
        row.hash = hex(&hash);
        store.audit_put(&row)?;
        (self.seq, self.hash) = (row.seq, hash);
        Ok(())
    }

    /// Seals what was appended; once, before the commit.
    pub(crate) fn seal(&self, store: &mut dyn Store) -> Stored<()> {
        store.meta_put(SEAL, &seal(&self.key, self.seq, &self.hash))
    }

    /// The number of the last row.
    pub(crate) const fn last(&self) -> u64 {
        self.seq
    }
}

/// Reads the whole log and says whether it is whole.
pub(crate) fn verify(store: &dyn Store, key: &[u8; 32], expected: Option<&str>) -> Stored<AuditVerdict> {
    // The seal first: rows that come while we read lie behind it, and are checked by the chain alone.
    let sealed = store.meta(SEAL)?;
    let mut verdict = AuditVerdict { whole: true, rows: 0, head: String::new(), broken: None };
    let (mut before, mut seq) = ([0; 32], 0);
    let mut at_seal = None;
    let mut expected_seen = expected.is_none();
    let sealed_seq = sealed.as_deref().and_then(sealed_seq);
    let mut confessed = None;
    let broken = 'read: loop {
        let rows = store.audit(None, seq, 1000)?;
        if rows.is_empty() {
            break None;
        }
        for row in rows {
            if row.seq != seq + 1 {
                break 'read Some(format!("row {} is missing: row {} is followed by row {}", seq + 1, seq, row.seq));
            }
            let hash = link(&before, &row)?;
            if hex(&hash) != row.hash {
                break 'read Some(format!("row {} was changed, or a row before it was exchanged", row.seq));
            }
            (seq, before) = (row.seq, hash);
            verdict.rows += 1;
            if row.action == BROKEN && confessed.is_none() {
                let says = row.detail["says"].as_str().unwrap_or("it did not fit its seal");
                confessed = Some(format!("the server found it broken at {} (row {seq}): {says}", row.at));
            }
            if Some(seq) == sealed_seq {
                at_seal = Some(seal(key, seq, &hash));
            }
            expected_seen |= expected == Some(row.hash.as_str());
        }
    };
    verdict.head = hex(&before);
    verdict.broken = broken.or_else(|| match (&sealed, at_seal) {
        (None, _) if seq == 0 => None,
        (None, _) => Some("the seal is missing".into()),
        (Some(sealed), Some(right)) if *sealed == right => None,
        (Some(_), Some(_)) => Some("the seal is broken: it was made with another key, or for another log".into()),
        (Some(_), None) => Some(format!(
            "rows are missing at the end: the log ends with row {seq}, the seal is of row {}",
            sealed_seq.unwrap_or(0)
        )),
    });
    verdict.broken = verdict.broken.or(confessed);
    if verdict.broken.is_none() && !expected_seen {
        verdict.broken = Some("the value that you noted is not in this log: the log was exchanged as a whole".into());
    }
    verdict.whole = verdict.broken.is_none();
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::Sqlite;

    const KEY: [u8; 32] = [7; 32];

    fn row(action: &str) -> AuditRow {
        let detail = serde_json::json!({"z": 1, "a": "é"});
        AuditRow { policies: vec!["submitter".into()], detail, ..super::row(Time(1000), "ada", action, "job_1") }
    }

    /// A log of 2,500 rows, then what somebody does to it, then whether that is found.
    fn after(tampering: &str) -> AuditVerdict {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.sqlite");
        let mut store = Sqlite::open(&path).unwrap();
        let mut chain = Chain::load(&store, KEY).unwrap();
        use crate::store::Transactions;
        store.begin().unwrap();
        for index in 0..2500 {
            chain.append(&mut store, row(&format!("act.{index}"))).unwrap();
        }
        chain.seal(&mut store).unwrap();
        store.commit().unwrap();
        rusqlite::Connection::open(&path).unwrap().execute_batch(tampering).unwrap();
        verify(&store, &KEY, None).unwrap()
    }

    #[test]
    fn an_untouched_log_is_whole() {
        let verdict = after("");
        assert_eq!((verdict.whole, verdict.rows, verdict.broken), (true, 2500, None));
    }

    #[test]
    fn every_edit_deletion_and_reordering_is_found() {
        for (tampering, said) in [
            ("UPDATE audit SET actor = 'eve' WHERE seq = 1200", "row 1200 was changed"),
            ("UPDATE audit SET allowed = 0 WHERE seq = 1", "row 1 was changed"),
            ("UPDATE audit SET at = at + 1 WHERE seq = 2500", "row 2500 was changed"),
            ("UPDATE audit SET detail = '{\"a\":\"é\",\"z\":1}' WHERE seq = 9", "row 9 was changed"),
            ("DELETE FROM audit WHERE seq = 1000", "row 1000 is missing"),
            ("DELETE FROM audit WHERE seq = 1", "row 1 is missing"),
            ("DELETE FROM audit WHERE seq > 2400", "missing at the end"),
            ("DELETE FROM audit", "missing at the end"),
            (
                "DELETE FROM audit; DELETE FROM meta; INSERT INTO meta VALUES ('audit.seal', x'00')",
                "missing at the end",
            ),
            ("DELETE FROM meta", "the seal is missing"),
            (
                "UPDATE audit SET seq = -1 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6;
                 UPDATE audit SET seq = 6 WHERE seq = -1",
                "row 5 was changed",
            ),
        ] {
            let verdict = after(tampering);
            assert!(!verdict.whole, "{tampering}");
            assert!(verdict.broken.as_ref().unwrap().contains(said), "{tampering}: {:?}", verdict.broken);
        }
    }

    #[test]
    fn a_log_that_was_exchanged_as_a_whole_lacks_the_noted_value() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Sqlite::open(&dir.path().join("store.sqlite")).unwrap();
        let mut chain = Chain::load(&store, KEY).unwrap();
        chain.append(&mut store, row("act")).unwrap();
        chain.seal(&mut store).unwrap();
        let head = verify(&store, &KEY, None).unwrap().head;
        assert!(verify(&store, &KEY, Some(&head)).unwrap().whole);
        assert!(!verify(&store, &KEY, Some(&"0".repeat(64))).unwrap().whole);
        assert!(!verify(&store, &[8; 32], None).unwrap().whole, "sealed with another key");
    }

    /// A log of 20 rows whose end is cut off while nobody runs; then two more starts, with rows after each.
    fn after_starts(tampering: &str) -> AuditVerdict {
        use crate::store::Transactions;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.sqlite");
        for start in 0..3 {
            let mut store = Sqlite::open(&path).unwrap();
            let mut chain = Chain::load(&store, KEY).unwrap();
            store.begin().unwrap();
            chain.confess(&mut store, Time(2000)).unwrap();
            for index in 0..20 {
                chain.append(&mut store, row(&format!("act.{index}"))).unwrap();
            }
            chain.seal(&mut store).unwrap();
            store.commit().unwrap();
            drop(store);
            if start == 0 {
                // The store is of an installation that was in use.
                let db = rusqlite::Connection::open(&path).unwrap();
                db.execute_batch(
                    "INSERT INTO user VALUES (x'00000000000000000000000000000001', 'ada', 'person', 0, 1)",
                )
                .unwrap();
                db.execute_batch(tampering).unwrap();
            }
        }
        verify(&Sqlite::open(&path).unwrap(), &KEY, None).unwrap()
    }

    #[test]
    fn what_was_cut_off_while_the_server_was_stopped_is_told_for_ever() {
        assert!(after_starts("").whole);
        for (tampering, said) in [
            ("DELETE FROM audit WHERE seq > 15", "the log ends with row 15, the seal is of row 20"),
            ("DELETE FROM audit", "the log ends with row 0, the seal is of row 20"),
            ("DELETE FROM audit; DELETE FROM meta", "the log ends with row 0, and the seal is missing"),
            ("DELETE FROM audit WHERE seq > 15; UPDATE meta SET value = x'00'", "the seal is none of ours"),
            ("UPDATE meta SET value = x'00000000000000140000'", "another key, or for another log"),
        ] {
            let verdict = after_starts(tampering);
            let broken = verdict.broken.unwrap_or_default();
            assert!(
                !verdict.whole && broken.contains("the server found it broken at") && broken.contains(said),
                "{broken}"
            );
        }
    }
}
