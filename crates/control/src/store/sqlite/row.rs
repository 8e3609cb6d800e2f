//! How values of ours are columns.

use gambeson_api::{Class, Digest, JobState, Time};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{StoreError, Stored};

/// A `u128` id as sixteen bytes, most significant first, so that they sort as numbers do.
#[derive(Clone, Copy)]
pub(super) struct Id(pub u128);

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(self.0.to_be_bytes().to_vec().into()))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Id> {
        let bytes: [u8; 16] = value.as_blob()?.try_into().map_err(|_| FromSqlError::InvalidType)?;
        Ok(Id(u128::from_be_bytes(bytes)))
    }
}

/// An id that may be absent, where the column is part of a key: an empty blob.
pub(super) struct OrEmpty(pub Option<u128>);

impl ToSql for OrEmpty {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(self.0.map_or_else(Vec::new, |id| id.to_be_bytes().to_vec()).into()))
    }
}

impl FromSql for OrEmpty {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<OrEmpty> {
        if value.as_blob()?.is_empty() {
            Ok(OrEmpty(None))
        } else {
            Id::column_result(value).map(|id| OrEmpty(Some(id.0)))
        }
    }
}

/// Thirty-two bytes: a digest or a hash.
#[derive(Clone, Copy)]
pub(super) struct Hash(pub [u8; 32]);

impl ToSql for Hash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for Hash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Hash> {
        Ok(Hash(value.as_blob()?.try_into().map_err(|_| FromSqlError::InvalidType)?))
    }
}

impl From<&Digest> for Hash {
    fn from(digest: &Digest) -> Hash {
        Hash(digest.0)
    }
}

/// An unsigned number; SQLite's are signed. What does not fit is a mistake of ours, refused when written.
#[derive(Clone, Copy)]
pub(super) struct U(pub u64);

impl ToSql for U {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let signed = i64::try_from(self.0).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(ToSqlOutput::Owned(signed.into()))
    }
}

impl FromSql for U {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<U> {
        u64::try_from(value.as_i64()?).map(U).map_err(|_| FromSqlError::InvalidType)
    }
}

impl From<Time> for U {
    fn from(time: Time) -> U {
        U(time.0)
    }
}

pub(super) fn time(value: Option<U>) -> Option<Time> {
    value.map(|ms| Time(ms.0))
}

pub(super) const fn state_number(state: JobState) -> i64 {
    match state {
        JobState::Queued => 0,
        JobState::Starting => 1,
        JobState::Running => 2,
        JobState::Ended => 3,
    }
}

pub(super) fn state(number: i64) -> rusqlite::Result<JobState> {
    [JobState::Queued, JobState::Starting, JobState::Running, JobState::Ended]
        .into_iter()
        .find(|state| state_number(*state) == number)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(0, number))
}

pub(super) const fn class_number(class: Class) -> i64 {
    match class {
        Class::Low => 0,
        Class::Normal => 1,
        Class::High => 2,
    }
}

pub(super) fn class(number: i64) -> rusqlite::Result<Class> {
    [Class::Low, Class::Normal, Class::High]
        .into_iter()
        .find(|class| class_number(*class) == number)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(0, number))
}

pub(super) fn json(value: &impl Serialize) -> Stored<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(error.to_string()))
}

/// A column of JSON.
pub(super) struct Json<T>(pub T);

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Json<T>> {
        let bytes = match value {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
            _ => return Err(FromSqlError::InvalidType),
        };
        serde_json::from_slice(bytes).map(Json).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}
