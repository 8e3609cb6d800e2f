//! The names of roles, scopes, actions: one table each, the same words as in policies, keys, the API and the audit log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that is not one of the names of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {kind} {given:?}; there are: {known}")]
pub struct UnknownName {
    /// What was looked for: "role", "action", "scope of a key".
    pub kind: &'static str,
    /// The word that was given, cut short.
    pub given: String,
    /// The words that there are, with commas between.
    pub known: String,
}

/// Gives an enum its names, in both directions, and the list of its values.
macro_rules! named {
    ($kind:literal, $(#[$about:meta])* $Enum:ident { $($(#[$doc:meta])* $Variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $Enum {
            $($(#[$doc])* #[serde(rename = $name)] $Variant),+
        }

        impl $Enum {
            /// All of them, in the order of their definition.
            pub const ALL: &'static [$Enum] = &[$($Enum::$Variant),+];

            /// The name, as policies and the API write it.
            pub const fn name(self) -> &'static str {
                match self { $($Enum::$Variant => $name),+ }
            }
        }

        impl fmt::Display for $Enum {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl FromStr for $Enum {
            type Err = UnknownName;

            fn from_str(given: &str) -> Result<$Enum, UnknownName> {
                $Enum::ALL.iter().copied().find(|one| one.name() == given).ok_or_else(|| UnknownName {
                    kind: $kind,
                    given: given.chars().take(64).collect(),
                    known: [$($name),+].join(", "),
                })
            }
        }
    };
}

named! { "role",
/// What a user is in a scope. `policies/access/` says, role by role, what each may do.
Role {
    /// Everything in its scope.
    Owner = "owner",
    /// Runs the place; does not see into jobs.
    Operator = "operator",
    /// Submits, and sees its own jobs.
    Submitter = "submitter",
    /// Reads the jobs of a project, changes nothing.
    Viewer = "viewer",
    /// Reads records, not jobs' content.
    Auditor = "auditor",
}
}

named! { "scope of a key",
/// What a key may be used for, of what its user may do.
KeyScope {
    /// See jobs, queue, usage, blobs, projects.
    JobsRead = "jobs:read",
    /// Submit, upload, cancel. Does not imply reading.
    JobsWrite = "jobs:write",
    /// See, make and revoke keys.
    Keys = "keys",
    /// See members, users, workers, posture.
    AdminRead = "admin:read",
    /// Change projects, members, users, workers. Implies `admin:read`.
    Admin = "admin",
    /// Read and verify the audit log, explain access.
    AuditRead = "audit:read",
    /// All of them.
    All = "*",
}
}

impl KeyScope {
    /// The scopes that come with this one, itself among them.
    pub fn implied(self) -> &'static [KeyScope] {
        match self {
            KeyScope::All => KeyScope::ALL,
            KeyScope::Admin => &[KeyScope::Admin, KeyScope::AdminRead],
            KeyScope::JobsRead => &[KeyScope::JobsRead],
            KeyScope::JobsWrite => &[KeyScope::JobsWrite],
            KeyScope::Keys => &[KeyScope::Keys],
            KeyScope::AdminRead => &[KeyScope::AdminRead],
            KeyScope::AuditRead => &[KeyScope::AuditRead],
        }
    }
}

named! { "action",
/// Everything that can be asked for.
Action {
    /// Submit a job to a project.
    JobSubmit = "job.submit",
    /// Have a submitted job run without somebody's approval. Asked of what may be submitted: if not, it is held.
    JobSubmitUnheld = "job.submit.unheld",
    /// Have a submitted job start warm. Asked of what may be submitted: if not, it has a layout in memory of its own.
    JobSubmitWarm = "job.submit.warm",
    /// Have a source read that is not submitted, and hear what is remarked.
    JobVet = "job.vet",
    /// List jobs of a project; which ones, [`Action::JobView`] says for each.
    JobList = "job.list",
    /// See what a job is: state, limits, labels, usage, outcome.
    JobView = "job.view",
    /// See what came out of a job: output, events, artifacts.
    JobOutput = "job.output",
    /// See what went into a job: files, arguments, environment, standard input.
    JobSource = "job.source",
    /// Cancel a job.
    JobCancel = "job.cancel",
    /// Let a job run that is held for approval.
    JobApprove = "job.approve",
    /// Upload a blob to a project.
    BlobWrite = "blob.write",
    /// Download a blob of a project, by digest.
    BlobRead = "blob.read",
    /// See the queue of a project.
    QueueView = "queue.view",
    /// See the usage of a project.
    UsageView = "usage.view",
    /// Make a project.
    ProjectCreate = "project.create",
    /// See a project.
    ProjectView = "project.view",
    /// Change a project: name, limits, quotas, whether it is suspended.
    ProjectUpdate = "project.update",
    /// See who has which role in a scope.
    MemberView = "member.view",
    /// Give and take roles in a scope.
    MemberWrite = "member.write",
    /// See a user, or all of them.
    UserView = "user.view",
    /// Make, change and disable users.
    UserWrite = "user.write",
    /// See what is known about a key.
    KeyView = "key.view",
    /// Make a key.
    KeyCreate = "key.create",
    /// Revoke a key.
    KeyRevoke = "key.revoke",
    /// See the workers.
    WorkerView = "worker.view",
    /// Make a token with which a worker joins.
    WorkerJoin = "worker.join",
    /// Give a worker no more jobs.
    WorkerDrain = "worker.drain",
    /// Let a drained worker take jobs again.
    WorkerUndrain = "worker.undrain",
    /// See which layers hold and which are missing.
    PostureView = "posture.view",
    /// Read the figures that monitoring collects.
    MetricsView = "metrics.view",
    /// Read the audit log of a scope.
    AuditView = "audit.view",
    /// Verify the audit log.
    AuditVerify = "audit.verify",
    /// Have a decision explained.
    AccessExplain = "access.explain",
    /// Make a backup.
    BackupCreate = "backup.create",
}
}

named! { "kind of resource",
/// What an action can be asked of.
Kind {
    /// The whole installation.
    Platform = "platform",
    /// One project.
    Project = "project",
    /// One job.
    Job = "job",
    /// One key.
    Key = "key",
    /// One user.
    User = "user",
}
}

impl Action {
    /// The scope that a key must have for this action. The schema says the same by its groups; a test compares.
    pub const fn scope(self) -> KeyScope {
        match self {
            Action::JobList
            | Action::JobView
            | Action::JobOutput
            | Action::JobSource
            | Action::BlobRead
            | Action::QueueView
            | Action::UsageView
            | Action::ProjectView => KeyScope::JobsRead,
            Action::JobSubmit
            | Action::JobSubmitUnheld
            | Action::JobSubmitWarm
            | Action::JobVet
            | Action::JobCancel
            | Action::JobApprove
            | Action::BlobWrite => KeyScope::JobsWrite,
            Action::KeyView | Action::KeyCreate | Action::KeyRevoke => KeyScope::Keys,
            Action::MemberView | Action::UserView | Action::WorkerView | Action::PostureView | Action::MetricsView => {
                KeyScope::AdminRead
            }
            Action::ProjectCreate
            | Action::ProjectUpdate
            | Action::MemberWrite
            | Action::UserWrite
            | Action::WorkerJoin
            | Action::WorkerDrain
            | Action::WorkerUndrain
            | Action::BackupCreate => KeyScope::Admin,
            Action::AuditView | Action::AuditVerify | Action::AccessExplain => KeyScope::AuditRead,
        }
    }

    /// What this action can be asked of. The schema says the same by `appliesTo`; a test compares.
    pub const fn kinds(self) -> &'static [Kind] {
        match self {
            Action::JobView | Action::JobOutput | Action::JobSource | Action::JobCancel | Action::JobApprove => {
                &[Kind::Job]
            }
            Action::JobSubmit
            | Action::JobSubmitUnheld
            | Action::JobSubmitWarm
            | Action::JobVet
            | Action::JobList
            | Action::BlobWrite
            | Action::BlobRead
            | Action::QueueView
            | Action::UsageView
            | Action::ProjectView
            | Action::ProjectUpdate => &[Kind::Project],
            Action::MemberView | Action::MemberWrite | Action::AuditView | Action::AccessExplain => {
                &[Kind::Platform, Kind::Project]
            }
            Action::UserView => &[Kind::Platform, Kind::User],
            Action::KeyView | Action::KeyCreate | Action::KeyRevoke => &[Kind::Key],
            Action::ProjectCreate
            | Action::UserWrite
            | Action::WorkerView
            | Action::WorkerJoin
            | Action::WorkerDrain
            | Action::WorkerUndrain
            | Action::PostureView
            | Action::MetricsView
            | Action::AuditVerify
            | Action::BackupCreate => &[Kind::Platform],
        }
    }

    /// Whether it is asked with the facts of a submission.
    pub const fn is_of_submission(self) -> bool {
        matches!(self, Action::JobSubmit | Action::JobSubmitUnheld | Action::JobSubmitWarm)
    }
}

/// Where a role is held: in a project, or on the platform and thereby in every project.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The whole installation.
    Platform,
    /// The project with this id.
    Project(String),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Platform => f.pad("platform"),
            Scope::Project(id) => f.pad(id),
        }
    }
}

impl FromStr for Scope {
    type Err = UnknownName;

    fn from_str(given: &str) -> Result<Scope, UnknownName> {
        let plain = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match given {
            "platform" => Ok(Scope::Platform),
            _ if given.strip_prefix("prj_").is_some_and(plain) => Ok(Scope::Project(given.to_owned())),
            _ => Err(UnknownName {
                kind: "scope",
                given: given.chars().take(64).collect(),
                known: "platform, prj_…".to_owned(),
            }),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Scope, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_to_what_it_names() {
        for role in Role::ALL {
            assert_eq!(role.name().parse::<Role>().as_ref(), Ok(role));
        }
        for scope in KeyScope::ALL {
            assert_eq!(scope.name().parse::<KeyScope>().as_ref(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.name());
        }
        for action in Action::ALL {
            assert_eq!(action.name().parse::<Action>().as_ref(), Ok(action));
            assert_eq!(serde_json::to_value(action).unwrap(), action.name());
        }
        for scope in [Scope::Platform, Scope::Project("prj_00ff".into())] {
            assert_eq!(scope.to_string().parse::<Scope>().as_ref(), Ok(&scope));
        }
    }

    #[test]
    fn a_word_that_names_nothing_is_refused_with_the_words_that_do() {
        let refused = "root".parse::<Role>().unwrap_err();
        assert_eq!(
            refused.to_string(),
            r#"there is no role "root"; there are: owner, operator, submitter, viewer, auditor"#
        );
        for given in ["", "prj_", "prj_a/owner", "lab", "platform/owner"] {
            assert!(given.parse::<Scope>().is_err(), "{given:?}");
        }
    }
}
