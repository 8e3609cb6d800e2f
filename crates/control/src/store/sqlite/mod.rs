//! The embedded store: SQLite with a write-ahead log, one writing connection, any number of reading ones.
//!
//! `synchronous=FULL`: a commit is on the disk when it returns (sqlite.org/pragma.html#pragma_synchronous).

mod audit;
mod blobs;
mod jobs;
mod people;
mod row;

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, ffi};

use super::{StoreError, Stored, Transactions};

/// One connection.
#[derive(Debug)]
pub(crate) struct Sqlite {
    db: Connection,
}

/// Each migration goes forward once, in its own transaction; its number is the store's version after it.
const MIGRATIONS: [&str; 2] = [include_str!("schema.sql"), include_str!("vetting.sql")];

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            // A full disk also shows as a failed write of the log.
            Some(ErrorCode::SystemIoFailure) if error.to_string().contains("full") => StoreError::Full,
            // And as an index of the log, shared by all connections, that cannot grow.
            _ if error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_IOERR_SHMSIZE) => {
                StoreError::Full
            }
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

/// Statements are planned when they are first used, and `count` of them are kept. Built with STAT4 as it is here, SQLite would
/// plan a statement anew each time that a value is bound to it, in case the value makes another plan better
/// (sqlite.org/queryplanner-ng.html#qpstab).
fn prepare_once(db: &Connection, count: usize) -> Stored<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.set_prepared_statement_cache_capacity(count);
    Ok(())
}

impl Sqlite {
    /// Opens the writing connection; makes and migrates the store.
    pub(crate) fn open(path: &Path) -> Stored<Sqlite> {
        // SQLite gives its log and the log's index the mode of the file.
        match crate::disk::create(path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(StoreError::Failed(format!("the file cannot be made: {error}")));
            }
            _ => {}
        }
        let db = Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "synchronous", "full")?;
        // Fewer, larger checkpoints than by default: each waits for the disk twice.
        db.pragma_update(None, "wal_autocheckpoint", 4000)?;
        db.pragma_update(None, "journal_size_limit", 64 << 20)?;
        db.pragma_update(None, "cache_size", -65_536)?;
        db.pragma_update(None, "temp_store", "memory")?;
        prepare_once(&db, 128)?;
        let mut store = Sqlite { db };
        store.migrate()?;
        Ok(store)
    }

    /// Opens a reading connection to a store that is there.
    pub(crate) fn open_reader(path: &Path) -> Stored<Sqlite> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.pragma_update(None, "cache_size", -16_384)?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        prepare_once(&db, 64)?;
        Ok(Sqlite { db })
    }

    /// What SQLite finds wrong with the file, if anything. Reads all of it.
    pub(crate) fn damage(&self) -> Stored<Option<String>> {
        let said: String = self.db.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
        Ok(Some(said).filter(|said| said != "ok"))
    }

    fn migrate(&mut self) -> Stored<()> {
        let version: u32 = self.db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let version = version as usize;
        if version > MIGRATIONS.len() {
            return Err(StoreError::Failed(format!(
                "it has version {version}, written by a newer Gambeson; this one knows up to {}",
                MIGRATIONS.len()
            )));
        }
        for (index, migration) in MIGRATIONS.iter().enumerate().skip(version) {
            let transaction = self.db.transaction()?;
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", index as u32 + 1)?;
            transaction.commit()?;
        }
        Ok(())
    }

    fn run(&self, sql: &str, values: impl rusqlite::Params) -> Stored<usize> {
        Ok(self.db.prepare_cached(sql)?.execute(values)?)
    }

    fn one<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Stored<Option<T>> {
        Ok(self.db.prepare_cached(sql)?.query_row(values, read).optional()?)
    }

    fn all<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Stored<Vec<T>> {
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map(values, read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Transactions for Sqlite {
    fn begin(&mut self) -> Stored<()> {
        self.run("BEGIN IMMEDIATE", []).map(drop)
    }

    fn commit(&mut self) -> Stored<()> {
        self.run("COMMIT", []).map(drop)
    }

    fn rollback(&mut self) {
        // A transaction that SQLite ended by itself, as it does on a full disk, is over already.
        if !self.db.is_autocommit() {
            let _ = self.run("ROLLBACK", []);
        }
    }

    fn backup(&self, to: &Path) -> Stored<()> {
        use rusqlite::backup::{Backup, StepResult};
        let mut target = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // All pages in one step, which is one read transaction: between two steps another connection's commit would
        // make the copy begin anew (sqlite.org/c3ref/backup_finish.html), and under steady writes it would never end.
        // Meanwhile the writer goes on; its log grows by what it writes.
        match Backup::new(&self.db, &mut target)?.step(-1)? {
            StepResult::Done => Ok(()),
            other => Err(StoreError::Failed(format!("a copy could not be made: {other:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn house_keeping_never_reads_a_whole_table() {
        use super::{blobs::*, jobs::*};
        let dir = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&dir.path().join("store.sqlite")).unwrap();
        let single = [HOLDS_OVER, HOLD_FORGET, ARTIFACT_FORGET, BLOBS_LOOK, BLOB_FORGET, JOBS_OVER, SOURCE_FORGET];
        for sql in single.iter().chain(&JOB_FORGET).chain(&[EVENTS_OVER, SOME_EVENTS_FORGET]) {
            let mut statement = store.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            for index in 1..=statement.parameter_count() {
                statement.raw_bind_parameter(index, 0).unwrap();
            }
            let mut rows = statement.raw_query();
            let mut plan = Vec::new();
            while let Some(row) = rows.next().unwrap() {
                plan.push(row.get::<_, String>(3).unwrap());
            }
            let bad =
                |line: &String| line.contains("SCAN ") && line != "SCAN CONSTANT ROW" || line.contains("TEMP B-TREE");
            assert!(!plan.is_empty() && !plan.iter().any(bad), "{sql}: {plan:?}");
        }
    }

    #[test]
    fn unused_blobs_are_found_in_parts_and_those_that_are_kept_stay() {
        use crate::store::{BlobHold, Blobs};
        use gambeson_api::{Digest, ProjectId, Time, UserId};
        let dir = tempfile::tempdir().unwrap();
        let mut store = Sqlite::open(&dir.path().join("store.sqlite")).unwrap();
        let (project, user) = (ProjectId::new(), UserId::new());
        store.begin().unwrap();
        let digest = |index: u32| Digest::of(&index.to_be_bytes());
        for index in 0..5000 {
            store.blob_put(&digest(index), 1, Time(1000 + u64::from(index % 2) * 1000)).unwrap();
            if index % 5 == 0 {
                let until = Some(Time(1000));
                store.hold_put(&BlobHold { digest: digest(index), project, user, job: None, size: 1, until }).unwrap();
            }
        }
        // Even ones are old, and each fifth is kept.
        let (mut found, mut after) = (Vec::new(), None);
        for _ in 0..20 {
            let (some, next) = store.blobs_forget(after.as_ref(), Time(1500), 300).unwrap();
            found.extend(some);
            after = next;
        }
        let mut expected: Vec<Digest> = (0..5000).filter(|index| index % 2 == 0 && index % 5 > 0).map(digest).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert!(found == expected, "{} found, {} expected", found.len(), expected.len());
        // What is no longer kept is named, once, and found in the next round.
        let over: Vec<_> = (0..3).flat_map(|_| store.holds_forget(Time(2000), 400).unwrap()).collect();
        assert_eq!((over.len(), (over[0].1, over[0].2, over[0].3)), (1000, (project, user, 1)));
        assert_eq!(store.blobs_forget(None, Time(1500), 5000).unwrap().0.len(), 500);
    }

    #[test]
    fn a_store_of_a_newer_version_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.sqlite");
        Sqlite::open(&path).unwrap().db.pragma_update(None, "user_version", 99).unwrap();
        let said = Sqlite::open(&path).unwrap_err().to_string();
        assert!(said.contains("version 99"), "{said}");
    }

    #[test]
    fn a_transaction_that_is_rolled_back_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        use crate::store::People;
        let mut store = Sqlite::open(&dir.path().join("store.sqlite")).unwrap();
        for (name, keep) in [("kept", true), ("undone", false)] {
            store.begin().unwrap();
            store.meta_put(name, b"1").unwrap();
            if keep { store.commit().unwrap() } else { store.rollback() }
        }
        assert_eq!(store.meta("kept").unwrap(), Some(b"1".to_vec()));
        assert_eq!(store.meta("undone").unwrap(), None);
    }

    #[test]
    fn a_copy_is_finished_while_another_connection_commits_all_the_time() {
        use crate::store::People;
        use std::sync::atomic::{AtomicU64, Ordering};
        let dir = tempfile::tempdir().unwrap();
        let (path, copy) = (dir.path().join("store.sqlite"), dir.path().join("copy"));
        let mut store = Sqlite::open(&path).unwrap();
        for index in 0..64u8 {
            let values = rusqlite::params![[index; 32], vec![index; 1 << 20]];
            store.run("INSERT INTO source (digest, body) VALUES (?, ?)", values).unwrap();
        }
        let commits = AtomicU64::new(0);
        let (done, finished) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::fs::File::create(&copy).unwrap();
                done.send(Sqlite::open_reader(&path).unwrap().backup(&copy)).unwrap();
            });
            let begun = std::time::Instant::now();
            let result = loop {
                store.meta_put("count", &commits.fetch_add(1, Ordering::Relaxed).to_be_bytes()).unwrap();
                match finished.try_recv() {
                    Ok(result) => break Some(result),
                    Err(_) if begun.elapsed() > std::time::Duration::from_secs(60) => break None,
                    Err(_) => {}
                }
            };
            result.expect("it never ends").unwrap();
        });
        let copied = Sqlite::open_reader(&copy).unwrap();
        assert_eq!(copied.damage().unwrap(), None);
        assert!(commits.load(Ordering::Relaxed) > 1);
    }
}
