use gambeson_api::{KeyId, Project, ProjectId, Time, User, UserId, UserKind, WorkerId};
use rusqlite::params;

use super::Sqlite;
use super::row::{Hash, Id, Json, OrEmpty, U, json, time};
use crate::store::{KeyRow, MemberRow, People, Stored, WorkerRow};

impl People for Sqlite {
    fn meta(&self, name: &str) -> Stored<Option<Vec<u8>>> {
        self.one("SELECT value FROM meta WHERE name = ?", [name], |row| row.get(0))
    }

    fn meta_put(&mut self, name: &str, value: &[u8]) -> Stored<()> {
        self.run("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", params![name, value]).map(drop)
    }

    fn users(&self) -> Stored<Vec<User>> {
        self.all("SELECT id, name, kind, disabled, created FROM user ORDER BY name", [], |row| {
            Ok(User {
                id: UserId::from_u128(row.get::<_, Id>(0)?.0),
                name: row.get(1)?,
                kind: if row.get::<_, String>(2)? == "service" { UserKind::Service } else { UserKind::Person },
                disabled: row.get(3)?,
                created_at: Time(row.get::<_, U>(4)?.0),
            })
        })
    }

    fn user_put(&mut self, user: &User) -> Stored<()> {
        let kind = match user.kind {
            UserKind::Person => "person",
            UserKind::Service => "service",
        };
        self.run(
            "INSERT OR REPLACE INTO user (id, name, kind, disabled, created) VALUES (?, ?, ?, ?, ?)",
            params![Id(user.id.as_u128()), user.name, kind, user.disabled, U::from(user.created_at)],
        )
        .map(drop)
    }

    fn projects(&self) -> Stored<Vec<Project>> {
        self.all("SELECT body FROM project ORDER BY name", [], |row| Ok(row.get::<_, Json<Project>>(0)?.0))
    }

    fn project_put(&mut self, project: &Project) -> Stored<()> {
        self.run(
            "INSERT OR REPLACE INTO project (id, name, body) VALUES (?, ?, ?)",
            params![Id(project.id.as_u128()), project.name, json(project)?],
        )
        .map(drop)
    }

    fn members(&self) -> Stored<Vec<MemberRow>> {
        self.all("SELECT user, project, role FROM member ORDER BY user, project, role", [], |row| {
            Ok(MemberRow {
                user: UserId::from_u128(row.get::<_, Id>(0)?.0),
                project: row.get::<_, OrEmpty>(1)?.0.map(ProjectId::from_u128),
                role: row.get(2)?,
            })
        })
    }

    fn member_put(&mut self, member: &MemberRow) -> Stored<()> {
        let project = OrEmpty(member.project.map(ProjectId::as_u128));
        self.run(
            "INSERT OR IGNORE INTO member (user, project, role) VALUES (?, ?, ?)",
            params![Id(member.user.as_u128()), project, member.role],
        )
        .map(drop)
    }

    fn member_delete(&mut self, member: &MemberRow) -> Stored<bool> {
        let project = OrEmpty(member.project.map(ProjectId::as_u128));
        let deleted = self.run(
            "DELETE FROM member WHERE user = ? AND project = ? AND role = ?",
            params![Id(member.user.as_u128()), project, member.role],
        )?;
        Ok(deleted > 0)
    }

    fn keys(&self) -> Stored<Vec<KeyRow>> {
        self.all(
            "SELECT id, name, user, project, scopes, hash, created, expires, last_used, revoked FROM key ORDER BY id DESC",
            [],
            |row| {
                Ok(KeyRow {
                    id: KeyId::from_u128(row.get::<_, Id>(0)?.0),
                    name: row.get(1)?,
                    user: UserId::from_u128(row.get::<_, Id>(2)?.0),
                    project: row.get::<_, Option<Id>>(3)?.map(|id| ProjectId::from_u128(id.0)),
                    scopes: row.get::<_, String>(4)?.split(' ').map(str::to_owned).collect(),
                    hash: row.get::<_, Hash>(5)?.0,
                    created: Time(row.get::<_, U>(6)?.0),
                    expires: time(row.get(7)?),
                    last_used: time(row.get(8)?),
                    revoked: time(row.get(9)?),
                })
            },
        )
    }

    fn key_put(&mut self, key: &KeyRow) -> Stored<()> {
        self.run(
            "INSERT OR REPLACE INTO key (id, name, user, project, scopes, hash, created, expires, last_used, revoked)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                Id(key.id.as_u128()),
                key.name,
                Id(key.user.as_u128()),
                key.project.map(|project| Id(project.as_u128())),
                key.scopes.join(" "),
                Hash(key.hash),
                U::from(key.created),
                key.expires.map(U::from),
                key.last_used.map(U::from),
                key.revoked.map(U::from),
            ],
        )
        .map(drop)
    }

    fn key_delete(&mut self, key: KeyId) -> Stored<()> {
        self.run("DELETE FROM key WHERE id = ?", [Id(key.as_u128())]).map(drop)
    }

    fn key_used(&mut self, key: KeyId, at: Time) -> Stored<()> {
        self.run("UPDATE key SET last_used = ? WHERE id = ?", params![U::from(at), Id(key.as_u128())]).map(drop)
    }

    fn workers(&self) -> Stored<Vec<WorkerRow>> {
        self.all(
            "SELECT id, name, hash, room, version, environment, layers, draining, enrolled, seen FROM worker ORDER BY name, id",
            [],
            |row| {
                Ok(WorkerRow {
                    id: WorkerId::from_u128(row.get::<_, Id>(0)?.0),
                    name: row.get(1)?,
                    hash: row.get::<_, Hash>(2)?.0,
                    room: row.get::<_, Json<_>>(3)?.0,
                    version: row.get(4)?,
                    environment: row.get(5)?,
                    layers: row.get::<_, Json<_>>(6)?.0,
                    draining: row.get(7)?,
                    enrolled: Time(row.get::<_, U>(8)?.0),
                    seen: Time(row.get::<_, U>(9)?.0),
                })
            },
        )
    }

    fn worker_put(&mut self, worker: &WorkerRow) -> Stored<()> {
        self.run(
            "INSERT OR REPLACE INTO worker
                 (id, name, hash, room, version, environment, layers, draining, enrolled, seen)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                Id(worker.id.as_u128()),
                worker.name,
                Hash(worker.hash),
                json(&worker.room)?,
                worker.version,
                worker.environment,
                json(&worker.layers)?,
                worker.draining,
                U::from(worker.enrolled),
                U::from(worker.seen),
            ],
        )
        .map(drop)
    }

    fn join_token_put(&mut self, hash: &[u8; 32], expires: Time) -> Stored<()> {
        let values = params![Hash(*hash), U::from(expires)];
        self.run("INSERT OR REPLACE INTO join_token (hash, expires) VALUES (?, ?)", values).map(drop)
    }

    fn join_token_take(&mut self, hash: &[u8; 32], now: Time) -> Stored<bool> {
        self.run("DELETE FROM join_token WHERE expires <= ?", [U::from(now)])?;
        Ok(self.run("DELETE FROM join_token WHERE hash = ?", [Hash(*hash)])? > 0)
    }
}
