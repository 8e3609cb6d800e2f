//! Who is who: a snapshot of users, projects, roles and keys, small enough to be held whole.
//!
//! The writer makes a new one after each commit that changed it; whoever looks has one that is consistent in itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gambeson_api::{Code, Key, KeyId, Membership, Problem, Project, ProjectId, User, UserId, UserKind, WorkerId};

use crate::access::{self, KeyScope, Nature, Role, Scope, Standing};
use crate::admit::short;
use crate::store::{KeyRow, MemberRow, Store, Stored};

/// Which users, projects and roles there were: never the same after a change, whatever was undone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rights(u64);

impl Rights {
    fn change(&mut self) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        self.0 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
}

/// The snapshot.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    /// Changes with every new snapshot.
    pub version: u64,
    /// Changes with users, projects and roles, and not with keys, of which everybody makes their own.
    pub rights: Rights,
    pub users: HashMap<UserId, User>,
    pub projects: HashMap<ProjectId, Project>,
    members: BTreeSet<MemberRow>,
    pub keys: HashMap<KeyId, KeyRow>,
    /// The hash of each worker's credential.
    pub workers: Arc<HashMap<WorkerId, [u8; 32]>>,
    user_names: BTreeMap<String, UserId>,
    project_names: BTreeMap<String, ProjectId>,
}

impl Directory {
    pub(crate) fn load(store: &dyn Store, version: u64) -> Stored<Directory> {
        let mut directory = Directory { version, ..Directory::default() };
        for user in store.users()? {
            directory.put_user(user);
        }
        for project in store.projects()? {
            directory.put_project(project);
        }
        directory.members = store.members()?.into_iter().collect();
        directory.rights.change();
        directory.workers = Arc::new(store.workers()?.into_iter().map(|row| (row.id, row.hash)).collect());
        directory.keys = store.keys()?.into_iter().map(|key| (key.id, key)).collect();
        Ok(directory)
    }

    pub(crate) fn put_user(&mut self, user: User) {
        self.user_names.insert(user.name.clone(), user.id);
        self.users.insert(user.id, user);
        self.rights.change();
    }

    pub(crate) fn put_project(&mut self, project: Project) {
        self.project_names.insert(project.name.clone(), project.id);
        self.projects.insert(project.id, project);
        self.rights.change();
    }

    /// All roles.
    pub(crate) fn members(&self) -> &BTreeSet<MemberRow> {
        &self.members
    }

    pub(crate) fn put_member(&mut self, member: MemberRow) {
        self.members.insert(member);
        self.rights.change();
    }

    pub(crate) fn remove_member(&mut self, member: &MemberRow) {
        self.members.remove(member);
        self.rights.change();
    }

    /// A user, by name or id.
    pub(crate) fn user(&self, name: &str) -> Result<&User, Problem> {
        let id = name.parse().ok().or_else(|| self.user_names.get(name).copied());
        id.and_then(|id| self.users.get(&id)).ok_or_else(|| no_user(name))
    }

    /// A project, by name or id.
    pub(crate) fn project(&self, name: &str) -> Result<&Project, Problem> {
        let id = name.parse().ok().or_else(|| self.project_names.get(name).copied());
        id.and_then(|id| self.projects.get(&id)).ok_or_else(|| no_project(name))
    }

    pub(crate) fn user_names(&self) -> &BTreeMap<String, UserId> {
        &self.user_names
    }

    pub(crate) fn project_names(&self) -> &BTreeMap<String, ProjectId> {
        &self.project_names
    }

    pub(crate) fn name_of_user(&self, id: UserId) -> String {
        self.users.get(&id).map_or_else(|| id.to_string(), |user| user.name.clone())
    }

    pub(crate) fn name_of_project(&self, id: ProjectId) -> String {
        self.projects.get(&id).map_or_else(|| id.to_string(), |project| project.name.clone())
    }

    pub(crate) fn user_facts(&self, id: UserId) -> access::UserFacts {
        let user = self.users.get(&id);
        access::UserFacts {
            id: id.to_string(),
            standing: match user {
                Some(user) if !user.disabled => Standing::Enabled,
                _ => Standing::Disabled,
            },
            nature: match user.map(|user| user.kind) {
                Some(UserKind::Service) => Nature::Service,
                _ => Nature::Person,
            },
        }
    }

    pub(crate) fn project_facts(&self, id: ProjectId) -> access::ProjectFacts {
        let project = self.projects.get(&id);
        access::ProjectFacts {
            id: id.to_string(),
            name: self.name_of_project(id),
            suspended: project.is_none_or(|project| project.suspended),
        }
    }

    pub(crate) fn roles(&self, user: UserId) -> impl Iterator<Item = &MemberRow> {
        let first = MemberRow { user, project: None, role: String::new() };
        self.members.range(first..).take_while(move |member| member.user == user)
    }

    /// Who asks, as the policies see it.
    pub(crate) fn principal(&self, user: UserId, key: Option<&KeyRow>) -> access::Principal {
        let roles = self.roles(user).filter_map(|member| {
            let scope = match member.project {
                Some(project) => Scope::Project(project.to_string()),
                None => Scope::Platform,
            };
            Some((scope, member.role.parse::<Role>().ok()?))
        });
        let key = match key {
            Some(key) => access::KeyUsed {
                id: key.id.to_string(),
                scopes: key.scopes.iter().filter_map(|scope| scope.parse::<KeyScope>().ok()).collect(),
                project: key.project.map(|project| project.to_string()),
            },
            // To ask about a user and not about a key: a key that narrows nothing.
            None => access::KeyUsed { id: "key_any".into(), scopes: [KeyScope::All].into(), project: None },
        };
        access::Principal { user: self.user_facts(user), roles: roles.collect(), key }
    }

    pub(crate) fn shown_key(&self, key: &KeyRow) -> Key {
        Key {
            id: key.id,
            name: key.name.clone(),
            user: key.user,
            user_name: self.name_of_user(key.user),
            project: key.project,
            scopes: key.scopes.clone(),
            created_at: key.created,
            expires_at: key.expires,
            last_used_at: key.last_used,
            revoked_at: key.revoked,
        }
    }

    pub(crate) fn shown_member(&self, member: &MemberRow) -> Membership {
        Membership {
            project: member.project,
            project_name: member.project.map_or_else(|| "platform".into(), |project| self.name_of_project(project)),
            user: member.user,
            user_name: self.name_of_user(member.user),
            role: member.role.clone(),
        }
    }
}

pub(crate) fn no_project(name: &str) -> Problem {
    Problem::new(Code::NotFound, format!("there is no project {:?} that you may see", short(name)))
}

pub(crate) fn no_user(name: &str) -> Problem {
    Problem::new(Code::NotFound, format!("there is no user {:?} that you may see", short(name)))
}
