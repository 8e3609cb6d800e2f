//! What a decision is made from: plain values, which the caller has read from the store in one transaction.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::names::{KeyScope, Kind, Role, Scope};

/// Who asks: a user, by one of its keys.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The user for whom the key acts.
    pub user: UserFacts,
    /// Every role that the user holds, wherever.
    pub roles: Vec<(Scope, Role)>,
    /// The key that the request came with.
    pub key: KeyUsed,
}

/// The key that a request came with.
#[derive(Debug, Clone)]
pub struct KeyUsed {
    /// Its id, `key_…`.
    pub id: String,
    /// What it may be used for.
    pub scopes: BTreeSet<KeyScope>,
    /// The id of the project that it is bound to, if it is bound.
    pub project: Option<String>,
}

impl KeyUsed {
    /// The scopes of the key with what they imply.
    pub fn scopes_implied(&self) -> BTreeSet<KeyScope> {
        self.scopes.iter().flat_map(|scope| scope.implied().iter().copied()).collect()
    }
}

/// What is known about a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFacts {
    /// Its id, `usr_…`.
    pub id: String,
    /// Whether it may do anything at all.
    pub standing: Standing,
    /// Whether a person signs in as this user.
    pub nature: Nature,
}

/// Whether a user may do anything at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As its roles say.
    Enabled,
    /// Nothing, whatever its roles say.
    Disabled,
}

/// Whether a person signs in as a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// A person.
    Person,
    /// A program; people make keys for it.
    Service,
}

impl UserFacts {
    /// An enabled person.
    pub fn person(id: impl Into<String>) -> UserFacts {
        UserFacts { id: id.into(), standing: Standing::Enabled, nature: Nature::Person }
    }
}

/// What is known about a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFacts {
    /// Its id, `prj_…`.
    pub id: String,
    /// Its name, for sentences and for operators' policies.
    pub name: String,
    /// Whether it takes nothing new.
    pub suspended: bool,
}

/// What is known about a job.
#[derive(Debug, Clone)]
pub struct JobFacts {
    /// Its id, `job_…`.
    pub id: String,
    /// The project that it belongs to.
    pub project: ProjectFacts,
    /// The user who submitted it.
    pub submitted_by: UserFacts,
}

/// What is known about a key that is looked at, made or revoked.
#[derive(Debug, Clone)]
pub struct KeyFacts {
    /// Its id, `key_…`.
    pub id: String,
    /// The user for whom it acts.
    pub user: UserFacts,
    /// The project that it is bound to, if it is bound.
    pub project: Option<ProjectFacts>,
}

/// What an action is asked of.
#[derive(Debug, Clone)]
pub enum Resource {
    /// The whole installation.
    Platform,
    /// A project.
    Project(ProjectFacts),
    /// A job.
    Job(JobFacts),
    /// A key; one that is to be made has the id that it will get.
    Key(KeyFacts),
    /// A user.
    User(UserFacts),
}

impl Resource {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Resource::Platform => Kind::Platform,
            Resource::Project(_) => Kind::Project,
            Resource::Job(_) => Kind::Job,
            Resource::Key(_) => Kind::Key,
            Resource::User(_) => Kind::User,
        }
    }

    /// The project in which it lies, if it lies in one.
    pub fn project(&self) -> Option<&ProjectFacts> {
        match self {
            Resource::Project(project) => Some(project),
            Resource::Job(job) => Some(&job.project),
            Resource::Key(key) => key.project.as_ref(),
            Resource::Platform | Resource::User(_) => None,
        }
    }

    /// Whose it is, if it is somebody's.
    pub(super) fn user_mut(&mut self) -> Option<&mut UserFacts> {
        match self {
            Resource::Job(job) => Some(&mut job.submitted_by),
            Resource::Key(key) => Some(&mut key.user),
            Resource::Platform | Resource::Project(_) | Resource::User(_) => None,
        }
    }

    pub(super) fn project_mut(&mut self) -> Option<&mut ProjectFacts> {
        match self {
            Resource::Project(project) => Some(project),
            Resource::Job(job) => Some(&mut job.project),
            Resource::Key(key) => key.project.as_mut(),
            Resource::Platform | Resource::User(_) => None,
        }
    }

    /// In words: "the platform", "project lab", "job_01 in project lab", "usr_01".
    pub fn in_words(&self) -> String {
        match self {
            Resource::Platform => "the platform".to_owned(),
            Resource::Project(project) => format!("project {}", project.name),
            Resource::Job(job) => format!("{} in project {}", job.id, job.project.name),
            Resource::Key(KeyFacts { id, project: Some(project), .. }) => format!("{id} in project {}", project.name),
            Resource::Key(key) => key.id.clone(),
            Resource::User(user) => user.id.clone(),
        }
    }
}

/// When it is asked, and what more is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Hour of the day in UTC, 0 to 23.
    pub hour_utc: u8,
    /// Day of the week in UTC, 1 (Monday) to 7 (Sunday).
    pub weekday_utc: u8,
    /// What more is known.
    pub details: Details,
}

/// What more is known of a request; which of these an action needs, its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Details {
    /// Nothing.
    None,
    /// For `job.submit` and what is asked of a submission beside it.
    Submission(Box<SubmissionFacts>),
    /// For `key.create`: the scopes that are asked for.
    NewKey(BTreeSet<KeyScope>),
}

/// What is known of a submission before it is admitted: the limits are those that would be in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubmissionFacts {
    /// "low", "normal" or "high".
    pub class: String,
    /// Thousandths of a CPU.
    pub cpus_milli: u64,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Milliseconds of wall time.
    pub wall_ms: u64,
    /// "none", "loopback" or "allow".
    pub network: String,
    /// Where it wants to connect to, each `host:port`.
    pub network_allow: Vec<String>,
    /// Labels, each `name=value`.
    pub labels: Vec<String>,
    /// What was remarked when its source was read.
    pub findings: FindingsFacts,
}

/// What was remarked about a source. Advice: a program that wants to deceive its reader can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingsFacts {
    /// The rules that found something, silenced or not: `V301`.
    pub rules: Vec<String>,
    /// Those of which a comment in the source silenced something.
    pub silenced: Vec<String>,
    /// Those of which something will be refused at run time.
    pub refused: Vec<String>,
    /// The worst severity: "none", "note", "low", "medium" or "high".
    pub highest: String,
    /// How many are of severity high.
    pub high: u64,
    /// How many are of severity medium.
    pub medium: u64,
    /// Whether something was left unread, or everything.
    pub unread: bool,
}

impl FindingsFacts {
    /// Of a source in which there was nothing to remark.
    pub fn nothing() -> FindingsFacts {
        FindingsFacts {
            rules: Vec::new(),
            silenced: Vec::new(),
            refused: Vec::new(),
            highest: "none".into(),
            high: 0,
            medium: 0,
            unread: false,
        }
    }

    /// Of a source that nobody read.
    pub fn unread() -> FindingsFacts {
        FindingsFacts { unread: true, ..FindingsFacts::nothing() }
    }
}

impl Context {
    /// A request at this time, of which nothing more is known.
    pub fn at(now: jiff::Timestamp) -> Context {
        let now = now.to_zoned_datetime(jiff::tz::TimeZone::UTC);
        Context {
            hour_utc: now.hour().unsigned_abs(),
            weekday_utc: now.weekday().to_monday_one_offset().unsigned_abs(),
            details: Details::None,
        }
    }

    /// The same, for this submission.
    #[must_use]
    pub fn submitting(self, submission: SubmissionFacts) -> Context {
        Context { details: Details::Submission(Box::new(submission)), ..self }
    }

    /// The same, for a key with these scopes.
    #[must_use]
    pub fn making_key(self, scopes: impl IntoIterator<Item = KeyScope>) -> Context {
        Context { details: Details::NewKey(scopes.into_iter().collect()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_weekdays_are_those_of_utc() {
        let sunday: jiff::Timestamp = "2024-03-10T23:59:00-05:00".parse().unwrap();
        let context = Context::at(sunday);
        assert_eq!((context.hour_utc, context.weekday_utc), (4, 1));
    }
}
