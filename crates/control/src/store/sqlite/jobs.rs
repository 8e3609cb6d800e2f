use std::collections::BTreeMap;

use gambeson_api::{
    ArrayId, ArrayPlace, Content, Digest, Event, EventBody, JobId, KeyId, LeaseId, OutputStream, ProjectId, Time,
    UserId, WorkerId,
};
use rusqlite::{Row, params, params_from_iter, types::Value};

use super::Sqlite;
use super::row::{Hash, Id, Json, U, class, class_number, json, state, state_number, time};
use crate::house::EventsForgotten;
use crate::store::{JobQuery, JobRow, Jobs, LeaseRow, OpenJob, Remembered, Stored};

const JOB: &str = "job.id, ord, project, user, key, state, class, source, ask, array, array_index, array_size, submitted, \
                   not_before, started, ended, attempt, worker, cancel, report, skipped, input, handed_back, vetted, held, \
                   verdicts";

fn job_row(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    let array = match row.get::<_, Option<Id>>(9)? {
        Some(id) => Some(ArrayPlace { id: ArrayId::from_u128(id.0), index: row.get(10)?, size: row.get(11)? }),
        None => None,
    };
    Ok(JobRow {
        id: JobId::from_u128(row.get::<_, Id>(0)?.0),
        order: row.get::<_, U>(1)?.0,
        project: ProjectId::from_u128(row.get::<_, Id>(2)?.0),
        user: UserId::from_u128(row.get::<_, Id>(3)?.0),
        key: KeyId::from_u128(row.get::<_, Id>(4)?.0),
        state: state(row.get(5)?)?,
        class: class(row.get(6)?)?,
        source: Digest(row.get::<_, Hash>(7)?.0),
        ask: row.get::<_, Json<_>>(8)?.0,
        input: row.get::<_, Option<Hash>>(21)?.map(|hash| Digest(hash.0)),
        array,
        submitted: Time(row.get::<_, U>(12)?.0),
        not_before: Time(row.get::<_, U>(13)?.0),
        started: time(row.get(14)?),
        ended: time(row.get(15)?),
        attempt: row.get(16)?,
        worker: row.get::<_, Option<Id>>(17)?.map(|id| WorkerId::from_u128(id.0)),
        cancel_requested: row.get(18)?,
        report: row.get::<_, Option<Json<_>>>(19)?.map(|report| report.0),
        handed_back: row.get(22)?,
        skipped: row.get::<_, Option<Json<_>>>(20)?.map(|skipped| skipped.0).unwrap_or_default(),
        vetted: row.get(23)?,
        held: row.get::<_, Option<Json<_>>>(24)?.map(|held| held.0),
        verdicts: row.get::<_, Option<Json<_>>>(25)?.map(|verdicts| verdicts.0),
    })
}

fn lease_row(row: &Row<'_>) -> rusqlite::Result<LeaseRow> {
    Ok(LeaseRow {
        id: LeaseId::from_u128(row.get::<_, Id>(0)?.0),
        job: JobId::from_u128(row.get::<_, Id>(1)?.0),
        attempt: row.get(2)?,
        worker: WorkerId::from_u128(row.get::<_, Id>(3)?.0),
        hash: row.get::<_, Hash>(4)?.0,
        appended: row.get::<_, U>(5)?.0,
        started: row.get(6)?,
        granted: Time(row.get::<_, U>(7)?.0),
        ended: time(row.get(8)?),
    })
}

const LEASE: &str = "id, job, attempt, worker, hash, appended, started, granted, ended";

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    let body = match row.get::<_, i64>(3)? {
        0 => row.get::<_, Json<EventBody>>(4)?.0,
        stream => EventBody::Output {
            stream: if stream == 1 { OutputStream::Stdout } else { OutputStream::Stderr },
            data: Content(row.get(4)?),
        },
    };
    Ok(Event { seq: row.get::<_, U>(0)?.0, at: Time(row.get::<_, U>(1)?.0), attempt: row.get(2)?, body })
}

pub(super) const JOBS_OVER: &str =
    "SELECT id, source_id, input_id FROM job WHERE state = 3 AND ended < ? ORDER BY ended LIMIT ?";
pub(super) const EVENTS_OVER: &str =
    "SELECT ended, id FROM job WHERE state = 3 AND ended < ? AND (ended, id) > (?, ?) ORDER BY ended, id LIMIT ?";
pub(super) const JOB_FORGET: [&str; 8] = [
    "DELETE FROM event WHERE job = ?",
    "DELETE FROM lease WHERE job = ?",
    "DELETE FROM artifact WHERE job = ?",
    "DELETE FROM job_label WHERE job = ?",
    "DELETE FROM idempotency WHERE job = ?",
    "DELETE FROM finding WHERE job = ?",
    // Those of an array go with the last of its elements.
    "DELETE FROM finding WHERE job = (SELECT array FROM job WHERE id = ?1) AND NOT EXISTS (SELECT 1 FROM job AS other
        WHERE other.array = (SELECT array FROM job WHERE id = ?1) AND other.id <> ?1)",
    "DELETE FROM job WHERE id = ?",
];
pub(super) const SOURCE_FORGET: &str = "DELETE FROM source WHERE id = ?1
    AND NOT EXISTS (SELECT 1 FROM job WHERE source_id = ?1) AND NOT EXISTS (SELECT 1 FROM job WHERE input_id = ?1)";
/// The oldest first; the last event stays.
pub(super) const SOME_EVENTS_FORGET: &str =
    "DELETE FROM event WHERE job = ?1 AND seq IN (SELECT seq FROM event WHERE job = ?1
    AND seq < (SELECT max(seq) FROM event WHERE job = ?1) ORDER BY seq LIMIT ?2)";

fn blob(id: u128) -> Value {
    Value::Blob(id.to_be_bytes().to_vec())
}

impl Jobs for Sqlite {
    fn source_put(&mut self, digest: &Digest, body: &[u8]) -> Stored<()> {
        let values = params![Hash::from(digest), body];
        self.run("INSERT OR IGNORE INTO source (digest, body) VALUES (?, ?)", values).map(drop)
    }

    fn source(&self, digest: &Digest) -> Stored<Option<Vec<u8>>> {
        self.one("SELECT body FROM source WHERE digest = ?", [Hash::from(digest)], |row| row.get(0))
    }

    fn findings_put(&mut self, holder: JobId, body: &[u8]) -> Stored<()> {
        let values = params![Id(holder.as_u128()), body];
        self.run("INSERT OR REPLACE INTO finding (job, body) VALUES (?, ?)", values).map(drop)
    }

    fn findings(&self, holder: JobId) -> Stored<Option<Vec<u8>>> {
        self.one("SELECT body FROM finding WHERE job = ?", [Id(holder.as_u128())], |row| row.get(0))
    }

    fn vet_record_add(&mut self, what: &str, outcome: &str, count: u64) -> Stored<()> {
        self.run(
            "INSERT INTO vet_record (what, outcome, count) VALUES (?, ?, ?)
             ON CONFLICT (what, outcome) DO UPDATE SET count = count + excluded.count",
            params![what, outcome, U(count)],
        )
        .map(drop)
    }

    fn vet_record(&self) -> Stored<Vec<(String, String, u64)>> {
        self.all("SELECT what, outcome, count FROM vet_record ORDER BY what, outcome", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, U>(2)?.0))
        })
    }

    fn job_insert(&mut self, job: &JobRow) -> Stored<()> {
        self.run(
            "INSERT INTO job (id, ord, project, user, key, state, class, source, ask, array, array_index, array_size,
                 submitted, not_before, attempt, cancel, cpus_milli, memory_bytes, wall_ms, cpu_ms, input,
                 vetted, held, source_id, input_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,
                 (SELECT id FROM source WHERE digest = ?8), (SELECT id FROM source WHERE digest = ?21))",
            params![
                Id(job.id.as_u128()),
                U(job.order),
                Id(job.project.as_u128()),
                Id(job.user.as_u128()),
                Id(job.key.as_u128()),
                state_number(job.state),
                class_number(job.class),
                Hash::from(&job.source),
                json(&job.ask)?,
                job.array.map(|place| Id(place.id.as_u128())),
                job.array.map(|place| place.index),
                job.array.map(|place| place.size),
                U::from(job.submitted),
                U::from(job.not_before),
                job.attempt,
                job.cancel_requested,
                job.ask.limits.cpus_milli,
                U(job.ask.limits.memory_bytes),
                U(job.ask.limits.wall_ms),
                U(job.ask.limits.cpu_ms),
                job.input.as_ref().map(Hash::from),
                job.vetted,
                job.held.as_ref().map(json).transpose()?,
            ],
        )?;
        for (name, value) in &job.ask.labels {
            let values = params![format!("{name}={value}"), Id(job.id.as_u128())];
            self.run("INSERT OR IGNORE INTO job_label (label, job) VALUES (?, ?)", values)?;
        }
        Ok(())
    }

    fn job(&self, id: JobId) -> Stored<Option<JobRow>> {
        self.one(&format!("SELECT {JOB} FROM job WHERE id = ?"), [Id(id.as_u128())], job_row)
    }

    fn job_update(&mut self, job: &JobRow) -> Stored<()> {
        self.run(
            "UPDATE job SET state = ?, not_before = ?, started = ?, ended = ?, attempt = ?, worker = ?, cancel = ?,
                 outcome = ?, report = ?, skipped = ?, handed_back = ?, held = ?, verdicts = ? WHERE id = ?",
            params![
                state_number(job.state),
                U::from(job.not_before),
                job.started.map(U::from),
                job.ended.map(U::from),
                job.attempt,
                job.worker.map(|worker| Id(worker.as_u128())),
                job.cancel_requested,
                job.report.as_ref().map(|report| report.outcome.end.kind()),
                job.report.as_ref().map(json).transpose()?,
                if job.skipped.is_empty() { None } else { Some(json(&job.skipped)?) },
                job.handed_back,
                job.held.as_ref().map(json).transpose()?,
                job.verdicts.as_ref().map(json).transpose()?,
                Id(job.id.as_u128()),
            ],
        )
        .map(drop)
    }

    fn jobs_open(&self, each: &mut dyn FnMut(OpenJob)) -> Stored<()> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, ord, project, user, state, class, submitted, not_before, started, cpus_milli, memory_bytes,
                 wall_ms, cpu_ms, held IS NOT NULL FROM job WHERE state < 3 ORDER BY ord",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(OpenJob {
                id: JobId::from_u128(row.get::<_, Id>(0)?.0),
                order: row.get::<_, U>(1)?.0,
                project: ProjectId::from_u128(row.get::<_, Id>(2)?.0),
                user: UserId::from_u128(row.get::<_, Id>(3)?.0),
                state: state(row.get(4)?)?,
                class: class(row.get(5)?)?,
                submitted: Time(row.get::<_, U>(6)?.0),
                not_before: Time(row.get::<_, U>(7)?.0),
                started: time(row.get(8)?),
                cpus_milli: row.get(9)?,
                memory_bytes: row.get::<_, U>(10)?.0,
                wall_ms: row.get::<_, U>(11)?.0,
                cpu_ms: row.get::<_, U>(12)?.0,
                held: row.get(13)?,
            });
        }
        Ok(())
    }

    fn jobs(&self, query: &JobQuery) -> Stored<Vec<JobRow>> {
        let mut sql = format!("SELECT {JOB} FROM job");
        let mut values: Vec<Value> = Vec::new();
        if let Some(label) = &query.label {
            sql.push_str(" JOIN job_label ON job_label.job = job.id AND job_label.label = ?");
            values.push(Value::Text(label.clone()));
        }
        sql.push_str(" WHERE 1");
        let mut and = |condition: &str, value: Value| {
            sql.push_str(" AND ");
            sql.push_str(condition);
            values.push(value);
        };
        if let Some(state) = query.state {
            and("state = ?", Value::Integer(state_number(state)));
        }
        if let Some(user) = query.user {
            and("user = ?", blob(user.as_u128()));
        }
        if let Some(array) = query.array {
            and("array = ?", blob(array.as_u128()));
        }
        if let Some(before) = query.before {
            and("job.id < ?", blob(before.as_u128()));
        }
        let marks = |count: usize| vec!["?"; count].join(", ");
        sql.push_str(&format!(
            " AND (project IN ({}) OR (user = ? AND project IN ({})))",
            marks(query.projects.len()),
            marks(query.own.len())
        ));
        values.extend(query.projects.iter().map(|project| blob(project.as_u128())));
        values.push(blob(query.me.map_or(0, UserId::as_u128)));
        values.extend(query.own.iter().map(|project| blob(project.as_u128())));
        sql.push_str(" ORDER BY job.id DESC LIMIT ?");
        values.push(Value::Integer(query.limit.into()));
        self.all(&sql, params_from_iter(values), |row| {
            let mut job = job_row(row)?;
            // Row by row, so that a page of them never is in memory.
            job.skipped = Vec::new();
            if let Some(report) = &mut job.report {
                (report.layers, report.denials) = (Vec::new(), Vec::new());
            }
            Ok(job)
        })
    }

    fn order_last(&self) -> Stored<u64> {
        // The ids of later jobs sort later, but for those of one millisecond.
        let recent = self.all("SELECT ord FROM job ORDER BY id DESC LIMIT 20000", [], |row| row.get::<_, U>(0))?;
        let open = self.one("SELECT max(ord) FROM job WHERE state < 3", [], |row| row.get::<_, Option<U>>(0))?;
        Ok(recent.into_iter().chain(open.flatten()).map(|order| order.0).max().unwrap_or(0))
    }

    fn array(
        &self,
        array: ArrayId,
    ) -> Stored<Option<(ProjectId, UserId, u32, BTreeMap<String, u64>, BTreeMap<String, u64>)>> {
        let key = [Id(array.as_u128())];
        let of = self.one("SELECT project, user, array_size FROM job WHERE array = ? LIMIT 1", key, |row| {
            Ok((
                ProjectId::from_u128(row.get::<_, Id>(0)?.0),
                UserId::from_u128(row.get::<_, Id>(1)?.0),
                row.get::<_, u32>(2)?,
            ))
        })?;
        let Some((project, user, size)) = of else { return Ok(None) };
        let (mut states, mut outcomes) = (BTreeMap::new(), BTreeMap::new());
        let counts =
            self.all("SELECT state, outcome, count(*) FROM job WHERE array = ? GROUP BY state, outcome", key, |row| {
                Ok((state(row.get(0)?)?, row.get::<_, Option<String>>(1)?, row.get::<_, U>(2)?.0))
            })?;
        for (state, outcome, count) in counts {
            *states.entry(state.name().to_owned()).or_default() += count;
            if let Some(outcome) = outcome {
                *outcomes.entry(outcome).or_default() += count;
            }
        }
        Ok(Some((project, user, size, states, outcomes)))
    }

    fn array_open(&self, array: ArrayId, after: JobId, count: u32) -> Stored<Vec<JobId>> {
        self.all(
            "SELECT id FROM job WHERE array = ? AND state < 3 AND id > ? ORDER BY id LIMIT ?",
            params![Id(array.as_u128()), Id(after.as_u128()), count],
            |row| Ok(JobId::from_u128(row.get::<_, Id>(0)?.0)),
        )
    }

    fn array_is_open(&self, array: ArrayId) -> Stored<bool> {
        let found =
            self.one("SELECT 1 FROM job WHERE array = ? AND state < 3 LIMIT 1", [Id(array.as_u128())], |_| Ok(()))?;
        Ok(found.is_some())
    }

    fn remembered(&self, user: UserId, project: ProjectId, key: &str) -> Stored<Option<Remembered>> {
        self.one(
            "SELECT fingerprint, job, array, array_size FROM idempotency WHERE user = ? AND project = ? AND key = ?",
            params![Id(user.as_u128()), Id(project.as_u128()), key],
            |row| {
                let array = row.get::<_, Option<Id>>(2)?.zip(row.get::<_, Option<u32>>(3)?);
                Ok(Remembered {
                    fingerprint: row.get::<_, Hash>(0)?.0,
                    job: JobId::from_u128(row.get::<_, Id>(1)?.0),
                    array: array.map(|(id, size)| (ArrayId::from_u128(id.0), size)),
                })
            },
        )
    }

    fn remember(&mut self, user: UserId, project: ProjectId, key: &str, what: &Remembered, at: Time) -> Stored<()> {
        self.run(
            "INSERT INTO idempotency (user, project, key, fingerprint, job, array, array_size, at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                Id(user.as_u128()),
                Id(project.as_u128()),
                key,
                Hash(what.fingerprint),
                Id(what.job.as_u128()),
                what.array.map(|(id, _)| Id(id.as_u128())),
                what.array.map(|(_, size)| size),
                U::from(at),
            ],
        )
        .map(drop)
    }

    fn lease_put(&mut self, lease: &LeaseRow) -> Stored<()> {
        self.run(
            &format!("INSERT OR REPLACE INTO lease ({LEASE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
            params![
                Id(lease.id.as_u128()),
                Id(lease.job.as_u128()),
                lease.attempt,
                Id(lease.worker.as_u128()),
                Hash(lease.hash),
                U(lease.appended),
                lease.started,
                U::from(lease.granted),
                lease.ended.map(U::from),
            ],
        )
        .map(drop)
    }

    fn lease(&self, id: LeaseId) -> Stored<Option<LeaseRow>> {
        self.one(&format!("SELECT {LEASE} FROM lease WHERE id = ?"), [Id(id.as_u128())], lease_row)
    }

    fn leases_open(&self) -> Stored<Vec<LeaseRow>> {
        self.all(&format!("SELECT {LEASE} FROM lease WHERE ended IS NULL ORDER BY id"), [], lease_row)
    }

    fn event_put(&mut self, job: JobId, event: &Event) -> Stored<()> {
        let text;
        let (stream, body): (i64, &[u8]) = match &event.body {
            EventBody::Output { stream: OutputStream::Stdout, data } => (1, &data.0),
            EventBody::Output { stream: OutputStream::Stderr, data } => (2, &data.0),
            other => {
                text = json(other)?;
                (0, text.as_bytes())
            }
        };
        self.run(
            "INSERT INTO event (job, seq, at, attempt, stream, body) VALUES (?, ?, ?, ?, ?, ?)",
            params![Id(job.as_u128()), U(event.seq), U::from(event.at), event.attempt, stream, body],
        )
        .map(drop)
    }

    fn events(&self, job: JobId, after: u64, count: usize, bytes: usize) -> Stored<Vec<Event>> {
        self.some_events(
            "SELECT seq, at, attempt, stream, body FROM event WHERE job = ? AND seq > ? ORDER BY seq LIMIT ?",
            (job, after),
            (count, bytes),
        )
    }

    fn events_of_output(&self, job: JobId, after: u64, count: usize, bytes: usize) -> Stored<Vec<Event>> {
        self.some_events(
            "SELECT seq, at, attempt, stream, body FROM event WHERE job = ? AND seq > ? AND stream > 0 ORDER BY seq LIMIT ?",
            (job, after),
            (count, bytes),
        )
    }

    fn event_last(&self, job: JobId) -> Stored<u64> {
        let last = self
            .one("SELECT max(seq) FROM event WHERE job = ?", [Id(job.as_u128())], |row| row.get::<_, Option<U>>(0))?;
        Ok(last.flatten().map_or(0, |seq| seq.0))
    }

    fn jobs_forget(&mut self, before: Time, count: u32, events: u32) -> Stored<bool> {
        let jobs = self.all(JOBS_OVER, params![U::from(before), count], |row| {
            Ok((row.get::<_, Id>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<i64>>(2)?))
        })?;
        let mut left = events;
        for (job, source, input) in &jobs {
            left -= self.some_events_delete(*job, left)?;
            // A long one takes several turns.
            if left == 0 {
                return Ok(true);
            }
            for sql in JOB_FORGET {
                self.run(sql, [job])?;
            }
            for digest in [Some(source), input.as_ref()].into_iter().flatten() {
                self.run(SOURCE_FORGET, [digest])?;
            }
        }
        Ok(jobs.len() == count as usize)
    }

    fn events_forget(
        &mut self,
        after: EventsForgotten,
        before: Time,
        count: u32,
        events: u32,
    ) -> Stored<(EventsForgotten, bool)> {
        let jobs = self.all(
            EVENTS_OVER,
            params![U::from(before), U::from(after.ended), Id(after.job.as_u128()), count],
            |row| Ok((row.get::<_, U>(0)?, row.get::<_, Id>(1)?)),
        )?;
        let (mut done, mut left) = (after, events);
        for (ended, job) in &jobs {
            left -= self.some_events_delete(*job, left)?;
            if left == 0 {
                return Ok((done, true));
            }
            done = EventsForgotten { ended: Time(ended.0), job: JobId::from_u128(job.0) };
        }
        Ok((done, jobs.len() == count as usize))
    }
}

impl Sqlite {
    fn some_events(&self, sql: &str, (job, after): (JobId, u64), (count, bytes): (usize, usize)) -> Stored<Vec<Event>> {
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query(params![Id(job.as_u128()), U(after), U(count as u64)])?;
        let (mut found, mut size) = (Vec::new(), 0);
        while size < bytes
            && let Some(row) = rows.next()?
        {
            let event = event(row)?;
            if let EventBody::Output { data, .. } = &event.body {
                size += data.0.len();
            }
            found.push(event);
        }
        Ok(found)
    }

    /// Deletes at most `count` of a job's events, the oldest first, but never its last. How many.
    fn some_events_delete(&self, job: Id, count: u32) -> Stored<u32> {
        let deleted = self.run(SOME_EVENTS_FORGET, params![job, count])?;
        Ok(u32::try_from(deleted).unwrap_or(count))
    }
}
