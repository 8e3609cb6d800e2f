use gambeson_api::{Artifact, Digest, JobId, ProjectId, Time, UserId};
use rusqlite::params;

use super::Sqlite;
use super::row::{Hash, Id, OrEmpty, U};
use crate::store::{BlobHold, Blobs, Stored, UsageRow};

pub(super) const HOLDS_OVER: &str =
    "SELECT digest, project, user, job, size FROM hold WHERE until IS NOT NULL AND until < ? LIMIT ?";
pub(super) const HOLD_FORGET: &str = "DELETE FROM hold WHERE digest = ? AND project = ? AND user = ? AND job = ?";
pub(super) const ARTIFACT_FORGET: &str = "DELETE FROM artifact WHERE job = ? AND digest = ?";
pub(super) const BLOBS_LOOK: &str = "
    SELECT digest, at < ?2 AND NOT EXISTS (SELECT 1 FROM hold WHERE hold.digest = blob.digest)
    FROM blob WHERE digest > ?1 ORDER BY digest LIMIT ?3";
pub(super) const BLOB_FORGET: &str = "DELETE FROM blob WHERE digest = ?";

impl Blobs for Sqlite {
    fn artifact_put(&mut self, job: JobId, artifact: &Artifact) -> Stored<()> {
        self.run(
            "INSERT OR REPLACE INTO artifact (job, path, digest, size) VALUES (?, ?, ?, ?)",
            params![Id(job.as_u128()), artifact.path, Hash::from(&artifact.digest), U(artifact.size)],
        )
        .map(drop)
    }

    fn artifacts(&self, job: JobId) -> Stored<Vec<Artifact>> {
        self.all("SELECT path, digest, size FROM artifact WHERE job = ? ORDER BY path", [Id(job.as_u128())], |row| {
            Ok(Artifact { path: row.get(0)?, digest: Digest(row.get::<_, Hash>(1)?.0), size: row.get::<_, U>(2)?.0 })
        })
    }

    fn blob_size(&self, digest: &Digest) -> Stored<Option<u64>> {
        self.one("SELECT size FROM blob WHERE digest = ?", [Hash::from(digest)], |row| Ok(row.get::<_, U>(0)?.0))
    }

    fn blobs(&self, after: Option<&Digest>, count: u32) -> Stored<Vec<(Digest, u64)>> {
        // Every digest sorts after the empty one.
        let after = after.map_or(&[][..], |digest| &digest.0);
        let sql = "SELECT digest, size FROM blob WHERE digest > ? ORDER BY digest LIMIT ?";
        self.all(sql, params![after, count], |row| Ok((Digest(row.get::<_, Hash>(0)?.0), row.get::<_, U>(1)?.0)))
    }

    fn blob_put(&mut self, digest: &Digest, size: u64, at: Time) -> Stored<()> {
        // A blob that comes again is as good as new: it is not forgotten while somebody is about to name it.
        self.run(
            "INSERT INTO blob (digest, size, at) VALUES (?, ?, ?) ON CONFLICT (digest) DO UPDATE SET at = excluded.at",
            params![Hash::from(digest), U(size), U::from(at)],
        )
        .map(drop)
    }

    fn hold_put(&mut self, hold: &BlobHold) -> Stored<()> {
        // A hold only ever gets longer: what a job names is not let go because it is also uploaded.
        self.run(
            "INSERT INTO hold (digest, project, user, job, size, until) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (digest, project, user, job) DO UPDATE SET until =
                 CASE WHEN until IS NULL OR excluded.until IS NULL THEN NULL ELSE max(until, excluded.until) END",
            params![
                Hash::from(&hold.digest),
                Id(hold.project.as_u128()),
                Id(hold.user.as_u128()),
                OrEmpty(hold.job.map(JobId::as_u128)),
                U(hold.size),
                hold.until.map(U::from),
            ],
        )
        .map(drop)
    }

    fn is_held(&self, digest: &Digest, project: ProjectId) -> Stored<bool> {
        let found = self.one(
            "SELECT 1 FROM hold WHERE digest = ? AND project = ? LIMIT 1",
            params![Hash::from(digest), Id(project.as_u128())],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    fn is_kept(&self, digest: &Digest, project: ProjectId, user: UserId) -> Stored<bool> {
        let found = self.one(
            "SELECT 1 FROM hold WHERE digest = ? AND project = ? AND user = ? LIMIT 1",
            params![Hash::from(digest), Id(project.as_u128()), Id(user.as_u128())],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    fn is_held_by(&self, digest: &Digest, project: ProjectId, user: UserId, job: JobId) -> Stored<bool> {
        let found = self.one(
            "SELECT 1 FROM hold WHERE digest = ? AND project = ? AND user = ? AND job = ?",
            params![Hash::from(digest), Id(project.as_u128()), Id(user.as_u128()), Id(job.as_u128())],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    fn holders(&self, digest: &Digest) -> Stored<Vec<(ProjectId, UserId)>> {
        self.all("SELECT DISTINCT project, user FROM hold WHERE digest = ?", [Hash::from(digest)], |row| {
            Ok((ProjectId::from_u128(row.get::<_, Id>(0)?.0), UserId::from_u128(row.get::<_, Id>(1)?.0)))
        })
    }

    fn stored(&self) -> Stored<Vec<(ProjectId, UserId, u64)>> {
        self.all(
            "SELECT project, user, sum(size) FROM
                 (SELECT project, user, max(size) AS size FROM hold GROUP BY project, user, digest)
             GROUP BY project, user",
            [],
            |row| {
                Ok((
                    ProjectId::from_u128(row.get::<_, Id>(0)?.0),
                    UserId::from_u128(row.get::<_, Id>(1)?.0),
                    row.get::<_, U>(2)?.0,
                ))
            },
        )
    }

    fn blob_bytes(&self) -> Stored<u64> {
        let bytes = self.one("SELECT coalesce(sum(size), 0) FROM blob", [], |row| Ok(row.get::<_, U>(0)?.0))?;
        Ok(bytes.unwrap_or_default())
    }

    fn holds_end(&mut self, job: JobId, until: Time) -> Stored<Vec<(Digest, u64)>> {
        let job = Id(job.as_u128());
        let unnamed = self.all("SELECT digest, size FROM hold WHERE job = ? AND until IS NOT NULL", [job], |row| {
            Ok((Digest(row.get::<_, Hash>(0)?.0), row.get::<_, U>(1)?.0))
        })?;
        if !unnamed.is_empty() {
            self.run("DELETE FROM hold WHERE job = ? AND until IS NOT NULL", [job])?;
        }
        self.run("UPDATE hold SET until = ? WHERE job = ?", params![U::from(until), job])?;
        Ok(unnamed)
    }

    fn holds_forget(&mut self, now: Time, count: u32) -> Stored<Vec<(Digest, ProjectId, UserId, u64)>> {
        let over = self.all(HOLDS_OVER, params![U::from(now), count], |row| {
            let key = (row.get::<_, Hash>(0)?, row.get::<_, Id>(1)?, row.get::<_, Id>(2)?);
            Ok((key, row.get::<_, OrEmpty>(3)?, row.get::<_, U>(4)?))
        })?;
        let mut forgotten = Vec::new();
        for ((digest, project, user), job, size) in over {
            self.run(HOLD_FORGET, params![digest, project, user, job])?;
            if job.0.is_some() {
                self.run(ARTIFACT_FORGET, params![job, digest])?;
            }
            let (project, user) = (ProjectId::from_u128(project.0), UserId::from_u128(user.0));
            forgotten.push((Digest(digest.0), project, user, size.0));
        }
        Ok(forgotten)
    }

    fn blobs_forget(
        &mut self,
        after: Option<&Digest>,
        before: Time,
        count: u32,
    ) -> Stored<(Vec<Digest>, Option<Digest>)> {
        // Every digest sorts after the empty one.
        let after = after.map_or(&[][..], |digest| &digest.0);
        let looked = self.all(BLOBS_LOOK, params![after, U::from(before), count], |row| {
            Ok((Digest(row.get::<_, Hash>(0)?.0), row.get::<_, bool>(1)?))
        })?;
        let next = looked.last().filter(|_| looked.len() == count as usize).map(|(digest, _)| *digest);
        let unused: Vec<Digest> = looked.into_iter().filter(|(_, unused)| *unused).map(|(digest, _)| digest).collect();
        for digest in &unused {
            self.run(BLOB_FORGET, [Hash::from(digest)])?;
        }
        Ok((unused, next))
    }

    fn usage_add(&mut self, day: u32, row: &UsageRow) -> Stored<()> {
        self.run(
            "INSERT INTO usage (day, project, user, jobs, cpu_ms) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (day, project, user) DO UPDATE SET jobs = jobs + excluded.jobs, cpu_ms = cpu_ms + excluded.cpu_ms",
            params![day, Id(row.project.as_u128()), Id(row.user.as_u128()), U(row.jobs), U(row.cpu_ms)],
        )
        .map(drop)
    }

    fn usage(&self, day: u32) -> Stored<Vec<UsageRow>> {
        self.all("SELECT project, user, jobs, cpu_ms FROM usage WHERE day = ? ORDER BY project, user", [day], |row| {
            Ok(UsageRow {
                project: ProjectId::from_u128(row.get::<_, Id>(0)?.0),
                user: UserId::from_u128(row.get::<_, Id>(1)?.0),
                jobs: row.get::<_, U>(2)?.0,
                cpu_ms: row.get::<_, U>(3)?.0,
            })
        })
    }
}
