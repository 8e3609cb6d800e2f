use gambeson_api::{AuditRow, KeyId, ProjectId, Time};
use rusqlite::{Row, params};

use super::Sqlite;
use super::row::{Hash, Id, Json, U, json};
use crate::store::{AuditSearch, Audits, StoreError, Stored};

const AUDIT: &str = "seq, at, actor, key, action, resource, project, allowed, policies, detail, hash";

fn audit_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    Ok(AuditRow {
        seq: row.get::<_, U>(0)?.0,
        at: Time(row.get::<_, U>(1)?.0),
        actor: row.get(2)?,
        key: row.get::<_, Option<Id>>(3)?.map(|id| KeyId::from_u128(id.0)),
        action: row.get(4)?,
        resource: row.get(5)?,
        project: row.get::<_, Option<Id>>(6)?.map(|id| ProjectId::from_u128(id.0)),
        allowed: row.get(7)?,
        policies: row.get::<_, Json<_>>(8)?.0,
        detail: row.get::<_, Json<_>>(9)?.0,
        hash: crate::audit::hex(&row.get::<_, Hash>(10)?.0),
    })
}

impl Audits for Sqlite {
    fn audit_put(&mut self, row: &AuditRow) -> Stored<()> {
        let hash = crate::audit::unhex(&row.hash).ok_or_else(|| StoreError::Failed("a hash that is none".into()))?;
        self.run(
            &format!("INSERT INTO audit ({AUDIT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
            params![
                U(row.seq),
                U::from(row.at),
                row.actor,
                row.key.map(|key| Id(key.as_u128())),
                row.action,
                row.resource,
                row.project.map(|project| Id(project.as_u128())),
                row.allowed,
                json(&row.policies)?,
                json(&row.detail)?,
                Hash(hash),
            ],
        )
        .map(drop)
    }

    fn audit(&self, project: Option<ProjectId>, after: u64, limit: u32) -> Stored<Vec<AuditRow>> {
        match project {
            Some(project) => self.all(
                &format!("SELECT {AUDIT} FROM audit WHERE project = ? AND seq > ? ORDER BY seq LIMIT ?"),
                params![Id(project.as_u128()), U(after), limit],
                audit_row,
            ),
            None => self.all(
                &format!("SELECT {AUDIT} FROM audit WHERE seq > ? ORDER BY seq LIMIT ?"),
                params![U(after), limit],
                audit_row,
            ),
        }
    }

    fn audit_search(&self, search: &AuditSearch) -> Stored<Vec<AuditRow>> {
        let order = if search.newest_first { "DESC" } else { "ASC" };
        let (first, last) = search.places;
        // Written so that the index of projects is used.
        let project = if search.project.is_some() { "project = ?3" } else { "?3 IS NULL" };
        // The places bound what is read, however little fits: there is no other index.
        let sql = format!(
            "SELECT {AUDIT} FROM audit WHERE seq >= ?1 AND seq <= ?2 AND {project} \
             AND (?4 IS NULL OR actor = ?4) AND (?5 IS NULL OR action = ?5 OR substr(action, 1, length(?5) + 1) = ?5 || '.') \
             AND (?6 IS NULL OR resource = ?6) AND (?7 IS NULL OR allowed = ?7) AND (?8 IS NULL OR at >= ?8) \
             AND (?9 IS NULL OR at < ?9) ORDER BY seq {order} LIMIT ?10"
        );
        let values = params![
            U(first),
            U(last),
            search.project.map(|project| Id(project.as_u128())),
            search.actor,
            search.action,
            search.resource,
            search.allowed,
            search.from.map(U::from),
            search.until.map(U::from),
            search.limit,
        ];
        self.all(&sql, values, audit_row)
    }

    fn audit_last(&self) -> Stored<Option<AuditRow>> {
        self.one(&format!("SELECT {AUDIT} FROM audit ORDER BY seq DESC LIMIT 1"), [], audit_row)
    }
}
