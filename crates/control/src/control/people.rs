//! Users, projects, roles and keys.

use gambeson_api::{
    Class, Code, CreatedKey, Destination, Key, KeyId, KeyList, Limits, MemberChange, MemberList, Membership, NewKey,
    NewProject, NewUser, Problem, Project, ProjectChange, ProjectId, ProjectList, StartAsked, Time, User, UserChange,
    UserId, UserList, WhoAmI,
};

use super::{Answer, Caller, Control, Target, as_project, unseen};
use crate::access::{Action, KeyScope, Role};
use crate::admit::name_is_plain;
use crate::config::Config;
use crate::desk::{Act, Desk, project_rules};
use crate::directory::Directory;
use crate::queue::{ProjectKey, UserKey, UserRules};
use crate::reading::store_problem;
use crate::secret;
use crate::store::{KeyRow, MemberRow};

/// So many times the keys that a user may have are known at most, those included that are over and not yet forgotten.
const ENDED_KEYS: usize = 20;

/// A project with the installation's defaults.
pub(super) fn new_project(name: String, config: &Config, now: Time) -> Project {
    Project {
        id: ProjectId::new(),
        name,
        suspended: false,
        weight: 1,
        quota: config.quota,
        user_quota: config.user_quota,
        ceiling: config.ceiling,
        class_most: Class::High,
        start: StartAsked::Warm,
        network_allow: Vec::new(),
        created_at: now,
    }
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidValue, detail)
}

fn change_project(project: &Project, change: &ProjectChange, config: &Config) -> Answer<Project> {
    let mut changed = project.clone();
    if let Some(suspended) = change.suspended {
        changed.suspended = suspended;
    }
    if let Some(weight) = change.weight {
        if !(1..=1000).contains(&weight) {
            return Err(invalid(format!("weight is {weight}; it is from 1 to 1000")));
        }
        changed.weight = weight;
    }
    for (quota, place) in [(&change.quota, &mut changed.quota), (&change.user_quota, &mut changed.user_quota)] {
        if let Some(quota) = quota {
            // SQLite's numbers, and sums of them, must hold it.
            let largest = [quota.running, quota.queued, quota.cpu_ms_per_day, quota.stored_bytes].into_iter().max();
            if largest.is_some_and(|largest| largest > 1 << 53) {
                return Err(invalid("a quota is above 9,007,199,254,740,992"));
            }
            *place = *quota;
        }
    }
    if let Some(asked) = &change.ceiling {
        changed.ceiling = Limits::from_asked(asked, project.ceiling)
            .and_then(|ceiling| ceiling.within(&config.ceiling, "this installation").map(|()| ceiling))
            .map_err(|error| Problem::new(Code::InvalidLimits, error.to_string()))?;
    }
    if let Some(class) = change.class_most {
        changed.class_most = class;
    }
    if let Some(start) = change.start {
        changed.start = start;
    }
    if let Some(places) = &change.network_allow {
        let most = Destination::PROJECT_MOST;
        if places.len() > most {
            return Err(invalid(format!("network_allow has {} places; at most {most}", places.len())));
        }
        changed.network_allow.clone_from(places);
        changed.network_allow.sort();
        changed.network_allow.dedup();
    }
    Ok(changed)
}

impl Desk {
    /// Stores a project, and lets the queue know its rules.
    fn put_project(&mut self, project: Project) -> Act<()> {
        self.store.project_put(&project)?;
        let key = ProjectKey(project.id.as_u128());
        self.state.queue.set_project(key, project_rules(&project));
        let running_max = u32::try_from(project.user_quota.running).unwrap_or(u32::MAX);
        let users: Vec<UserId> =
            self.state.books.users().filter(|((at, _), _)| *at == project.id).map(|((_, user), _)| *user).collect();
        for user in users {
            self.state.queue.set_user(key, UserKey(user.as_u128()), UserRules { weight: 1, running_max });
        }
        self.state.directory.put_project(project);
        self.directory_changed();
        Ok(())
    }
}

impl Control {
    /// The projects that the caller may see, by name.
    ///
    /// # Errors
    /// When the key is not valid any more.
    pub async fn projects(&self, caller: &Caller) -> Answer<ProjectList> {
        let directory = self.shared.directory();
        let seen = self.projects_where(&directory, caller, Action::ProjectView)?;
        let projects: Vec<Project> = seen.iter().filter_map(|id| directory.projects.get(id).cloned()).collect();
        match projects.first() {
            Some(first) => drop(self.look(caller, Action::ProjectView, Target::Project(first.id)).await?),
            None => self.nothing_to_list(&directory, caller, Action::ProjectView).await?,
        }
        Ok(ProjectList { projects })
    }

    /// A project, by name or id.
    ///
    /// # Errors
    /// When there is none that the caller may see.
    pub async fn project(&self, caller: &Caller, name: &str) -> Answer<Project> {
        let directory = self.shared.directory();
        let id = self.named_project(&directory, caller, Action::ProjectView, name).await?;
        let looked = self.look(caller, Action::ProjectView, Target::Project(id)).await;
        let directory = looked.map_err(unseen(id, Some(name)))?;
        as_project(&directory, id).cloned()
    }

    /// Makes a project.
    ///
    /// # Errors
    /// When the caller may not, the name is taken, or a value makes no sense.
    pub async fn project_create(&self, caller: &Caller, new: NewProject) -> Answer<Project> {
        name_is_plain(&new.name)?;
        let fresh = new_project(new.name, &self.shared.config, self.now());
        let project = change_project(&fresh, &new.settings, &self.shared.config)?;
        let made = project.clone();
        let act = move |desk: &mut Desk| {
            if desk.state.directory.project(&project.name).is_ok() {
                return Err(Problem::new(Code::NameTaken, format!("there is a project {:?}", project.name)).into());
            }
            desk.put_project(project)
        };
        self.perform(caller, Action::ProjectCreate, Target::Platform, self.context(), act).await?;
        Ok(made)
    }

    /// Changes a project.
    ///
    /// # Errors
    /// When the caller may not, or a value makes no sense.
    pub async fn project_change(&self, caller: &Caller, name: &str, change: ProjectChange) -> Answer<Project> {
        let directory = self.shared.directory();
        let id = self.named_project(&directory, caller, Action::ProjectUpdate, name).await?;
        let config = std::sync::Arc::clone(&self.shared.config);
        let act = move |desk: &mut Desk| {
            let changed = change_project(as_project(&desk.state.directory, id)?, &change, &config)?;
            desk.put_project(changed.clone())?;
            Ok(changed)
        };
        let done = self.perform(caller, Action::ProjectUpdate, Target::Project(id), self.context(), act).await;
        done.map_err(unseen(id, Some(name)))
    }

    /// All users, by name.
    ///
    /// # Errors
    /// When the caller may not see them.
    pub async fn users(&self, caller: &Caller) -> Answer<UserList> {
        let directory = self.look(caller, Action::UserView, Target::Platform).await?;
        let users = directory.user_names().values().filter_map(|id| directory.users.get(id)).cloned().collect();
        Ok(UserList { users })
    }

    /// Makes a user.
    ///
    /// # Errors
    /// When the caller may not, or the name is taken.
    pub async fn user_create(&self, caller: &Caller, new: NewUser) -> Answer<User> {
        name_is_plain(&new.name)?;
        if matches!(new.name.as_str(), "worker" | "system" | "nobody") {
            return Err(Problem::new(Code::InvalidName, format!("{:?} has a meaning in the audit log", new.name)));
        }
        let user = User { id: UserId::new(), name: new.name, kind: new.kind, disabled: false, created_at: self.now() };
        let made = user.clone();
        let act = move |desk: &mut Desk| {
            if desk.state.directory.user(&user.name).is_ok() {
                return Err(Problem::new(Code::NameTaken, format!("there is a user {:?}", user.name)).into());
            }
            desk.store.user_put(&user)?;
            desk.state.directory.put_user(user);
            desk.directory_changed();
            Ok(())
        };
        self.perform(caller, Action::UserWrite, Target::Platform, self.context(), act).await?;
        Ok(made)
    }

    /// Disables or enables a user.
    ///
    /// # Errors
    /// When the caller may not, or it is the last owner.
    pub async fn user_change(&self, caller: &Caller, name: &str, change: UserChange) -> Answer<User> {
        let name = name.to_owned();
        let act = move |desk: &mut Desk| {
            let mut user = desk.state.directory.user(&name)?.clone();
            if let Some(disabled) = change.disabled {
                user.disabled = disabled;
                if disabled {
                    desk.keep_an_owner(|member| member.user != user.id)?;
                }
            }
            desk.store.user_put(&user)?;
            desk.state.directory.put_user(user.clone());
            desk.directory_changed();
            Ok(user)
        };
        let user = self.perform(caller, Action::UserWrite, Target::Platform, self.context(), act).await?;
        if user.disabled {
            self.shared.sessions.end_of_user(user.id);
        }
        Ok(user)
    }

    /// Who holds which role: in a project, or everywhere that the caller may look.
    ///
    /// # Errors
    /// When the caller may not see it.
    pub async fn members(&self, caller: &Caller, project: Option<&str>) -> Answer<MemberList> {
        let directory = self.shared.directory();
        let target = match project {
            None | Some("platform") => Target::Platform,
            Some(name) => Target::Project(self.named_project(&directory, caller, Action::MemberView, name).await?),
        };
        let looked = self.look(caller, Action::MemberView, target).await;
        let directory = match target.project() {
            Some(id) => looked.map_err(unseen(id, project))?,
            None => looked?,
        };
        let members = directory.members().iter().filter(|member| match (target, project) {
            (Target::Project(id), _) => member.project == Some(id),
            (_, Some(_)) => member.project.is_none(),
            _ => true,
        });
        Ok(MemberList { members: members.map(|member| directory.shown_member(member)).collect() })
    }

    /// Changes who holds which role. Whether there is such a user is for those to know who may do this.
    async fn member_change<T: Send + 'static>(
        &self,
        caller: &Caller,
        change: MemberChange,
        act: impl FnOnce(&mut Desk, MemberRow) -> Act<T> + Clone + Send + 'static,
    ) -> Answer<T> {
        let role: Role = change.role.parse().map_err(|error| invalid(format!("{error}")))?;
        let project = match change.project.as_str() {
            "platform" => None,
            name => {
                let directory = self.shared.directory();
                Some(self.named_project(&directory, caller, Action::MemberWrite, name).await?)
            }
        };
        let target = project.map_or(Target::Platform, Target::Project);
        let user = change.user;
        let act = move |desk: &mut Desk| {
            let user = desk.state.directory.user(&user)?.id;
            act(desk, MemberRow { user, project, role: role.name().to_owned() })
        };
        let done = self.perform(caller, Action::MemberWrite, target, self.context(), act).await;
        match project {
            Some(id) => done.map_err(unseen(id, Some(&change.project))),
            None => done,
        }
    }

    /// Gives a role.
    ///
    /// # Errors
    /// When the caller may not.
    pub async fn member_add(&self, caller: &Caller, change: MemberChange) -> Answer<Membership> {
        let act = |desk: &mut Desk, row: MemberRow| {
            desk.store.member_put(&row)?;
            let shown = desk.state.directory.shown_member(&row);
            desk.state.directory.put_member(row);
            desk.directory_changed();
            Ok(shown)
        };
        self.member_change(caller, change, act).await
    }

    /// Takes a role away.
    ///
    /// # Errors
    /// When the caller may not, nobody holds it, or it is the last owner's.
    pub async fn member_remove(&self, caller: &Caller, change: MemberChange) -> Answer<MemberList> {
        let act = |desk: &mut Desk, row: MemberRow| {
            desk.keep_an_owner(|member| *member != row)?;
            if !desk.store.member_delete(&row)? {
                return Err(Problem::new(Code::NotFound, "the user does not hold this role there").into());
            }
            desk.state.directory.remove_member(&row);
            desk.directory_changed();
            let directory = &desk.state.directory;
            let members = directory.members().iter().filter(|member| member.project == row.project);
            Ok(MemberList { members: members.map(|member| directory.shown_member(member)).collect() })
        };
        self.member_change(caller, change, act).await
    }

    /// Keys of a user: the caller's own when left out.
    ///
    /// # Errors
    /// When the caller may not see them.
    pub async fn keys(&self, caller: &Caller, user: Option<&str>) -> Answer<KeyList> {
        let directory = self.shared.directory();
        let named = user;
        let user = user.map_or(Ok(caller.user), |name| directory.user(name).map(|user| user.id))?;
        let mut keys = Vec::new();
        for key in directory.keys.values().filter(|key| key.user == user) {
            if self.may(&directory, caller, Action::KeyView, Target::Key(key.id, key.user, key.project))? {
                keys.push(directory.shown_key(key));
            }
        }
        keys.sort_by_key(|key| std::cmp::Reverse(key.id));
        // The row is that of the first; who sees none hears why.
        let target =
            keys.first().map_or(Target::Key(caller.key, user, None), |key| Target::Key(key.id, key.user, key.project));
        let mut ticket = self.ticket(&directory, caller, Action::KeyView, target, &self.context())?;
        if let Some(problem) = ticket.refusal.as_mut().filter(|problem| problem.code == Code::NotFound) {
            *problem = match named {
                // A user of whom nothing may be seen is as good as none.
                Some(name) if user != caller.user => crate::directory::no_user(name),
                // Of oneself there is nothing to hide: it is the key that may not.
                _ => {
                    let says = ticket.row.detail["says"].as_str().unwrap_or_default();
                    Problem::new(Code::Forbidden, says)
                }
            };
        }
        self.record(ticket).await?;
        Ok(KeyList { keys })
    }

    /// Whether the caller may know that there is this user: from the list of users, or of a project's members.
    pub(super) fn knows_user(&self, directory: &Directory, caller: &Caller, user: UserId) -> Answer<bool> {
        if user == caller.user || self.may(directory, caller, Action::UserView, Target::Platform)? {
            return Ok(true);
        }
        for project in directory.roles(user).filter_map(|member| member.project) {
            if self.may(directory, caller, Action::MemberView, Target::Project(project))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// When the caller may not, or a value makes no sense.
    pub async fn key_create(&self, caller: &Caller, new: NewKey) -> Answer<CreatedKey> {
        let directory = self.shared.directory();
        if new.name.is_empty() || new.name.len() > 64 || new.name.chars().any(char::is_control) {
            return Err(Problem::new(Code::InvalidName, "a key's name has 1 to 64 bytes without control characters"));
        }
        let scopes: Vec<KeyScope> = new
            .scopes
            .iter()
            .map(|scope| scope.parse::<KeyScope>())
            .collect::<Result<_, _>>()
            .map_err(|error| invalid(error.to_string()))?;
        if scopes.is_empty() {
            return Err(invalid("a key without scopes could do nothing; name at least one"));
        }
        let user = match new.user.as_deref().map(|name| directory.user(name)) {
            Some(Ok(user)) => user.id,
            Some(Err(none)) => return self.refuse(&directory, caller, Action::KeyCreate, "platform", none).await,
            None => caller.user,
        };
        let known = self.knows_user(&directory, caller, user)?;
        let named = match new.project.as_deref() {
            Some(name) => {
                let id = directory.project(name).map(|project| project.id).ok();
                match id {
                    Some(id) if self.knows_project(&directory, caller, id)? => Some(id),
                    // Neither whether there is such a project is to be learned from how a key is refused, nor, of a user
                    // whom the caller does not know, whether it was because of the one or the other.
                    _ => {
                        let user = new.user.as_deref().filter(|_| !known).map(crate::directory::no_user);
                        let none = user.unwrap_or_else(|| crate::directory::no_project(name));
                        return self.refuse(&directory, caller, Action::KeyCreate, "platform", none).await;
                    }
                }
            }
            None => None,
        };
        let own = Self::key_row(&directory, caller)?;
        // A key that is bound makes only keys that are bound to the same.
        let project = named.or(own.project);
        let now = self.now();
        let asked = match &new.expires_in {
            Some(text) => {
                let ms = gambeson_api::duration_ms("expires_in", text).map_err(|error| invalid(error.to_string()))?;
                if !(1000..=10 * 366 * 86_400_000).contains(&ms) {
                    return Err(invalid("expires_in is from 1s to 3660d"));
                }
                Some(now.plus_ms(ms))
            }
            None => None,
        };
        // No key outlives the one that made it, whosever it is: else one that was stolen for an hour would be good for ever.
        let expires = match (asked, own.expires) {
            (Some(asked), Some(own)) => Some(asked.min(own)),
            (asked, own) => asked.or(own),
        };
        let id = KeyId::new();
        let fresh = secret::fresh(&format!("gmb_{:032x}", id.as_u128())).map_err(|error| store_problem(&error))?;
        let row = KeyRow {
            id,
            name: new.name.clone(),
            user,
            project,
            scopes: scopes.iter().map(|scope| scope.name().to_owned()).collect(),
            hash: fresh.hash,
            created: now,
            expires,
            last_used: None,
            revoked: None,
        };
        let key = directory.shown_key(&row);
        let act = move |desk: &mut Desk| {
            desk.may_have_one_more_key(row.user)?;
            desk.store.key_put(&row)?;
            desk.state.directory.keys.insert(row.id, row);
            desk.directory_changed();
            Ok(())
        };
        let context = self.context().making_key(scopes);
        let done = self.perform(caller, Action::KeyCreate, Target::Key(id, user, project), context, act).await;
        done.map_err(|problem| match &new.user {
            // There is no key yet that could be hidden: it is the user.
            Some(name) if problem.code == Code::NotFound || !known => crate::directory::no_user(name),
            _ => problem,
        })?;
        Ok(CreatedKey { key, secret: fresh.text })
    }

    /// Revokes a key, for good.
    ///
    /// # Errors
    /// When there is none that the caller may revoke.
    pub async fn key_revoke(&self, caller: &Caller, id: KeyId) -> Answer<Key> {
        let directory = self.shared.directory();
        let none = move || Problem::new(Code::NotFound, format!("there is no {id} that you may see"));
        let row = directory.keys.get(&id).ok_or_else(none)?;
        let target = Target::Key(id, row.user, row.project);
        let act = move |desk: &mut Desk| {
            let now = desk.now();
            let Some(row) = desk.state.directory.keys.get_mut(&id) else { return Err(none().into()) };
            row.revoked.get_or_insert(now);
            let row = row.clone();
            desk.store.key_put(&row)?;
            desk.directory_changed();
            Ok(desk.state.directory.shown_key(&row))
        };
        let key = self.perform(caller, Action::KeyRevoke, target, self.context(), act).await?;
        self.shared.sessions.end_of_key(id);
        Ok(key)
    }

    /// Who the caller is: nothing that a key could not know of itself, so that no policy is asked.
    ///
    /// # Errors
    /// When the key is not valid any more.
    pub async fn whoami(&self, caller: &Caller) -> Answer<WhoAmI> {
        let directory = self.shared.directory();
        let key = Self::key_row(&directory, caller)?;
        let user = directory.users.get(&caller.user).cloned();
        let user = user.ok_or_else(|| Problem::new(Code::Unauthenticated, "the user is gone"))?;
        let roles = directory.roles(caller.user).map(|member| directory.shown_member(member)).collect();
        Ok(WhoAmI { user, key: directory.shown_key(key), roles })
    }
}

impl Desk {
    /// Refuses a key to whoever has many: requests are limited for each key by itself.
    fn may_have_one_more_key(&self, user: UserId) -> Act<()> {
        let now = self.now();
        let most = self.config.keys_per_user as usize;
        let keys: Vec<&KeyRow> = self.state.directory.keys.values().filter(|key| key.user == user).collect();
        let valid = keys.iter().filter(|key| key.ended(now).is_none()).count();
        let name = self.state.directory.name_of_user(user);
        let problem = |detail| Problem::new(Code::QuotaExceeded, detail).retry_after(3600);
        if valid >= most {
            let detail =
                format!("{name} has {valid} valid keys, as many as one user may have: revoke one that is not used");
            return Err(problem(detail).into());
        }
        if keys.len() >= most.saturating_mul(ENDED_KEYS) {
            let detail =
                format!("{name} has made too many keys: those that are over are forgotten with the jobs of their time");
            return Err(problem(detail).into());
        }
        Ok(())
    }

    /// Refuses a change after which nobody would own the platform.
    fn keep_an_owner(&self, remains: impl Fn(&MemberRow) -> bool) -> Act<()> {
        let directory = &self.state.directory;
        let enabled = |user: UserId| directory.users.get(&user).is_some_and(|user| !user.disabled);
        let owner = |member: &&MemberRow| {
            member.project.is_none() && member.role == Role::Owner.name() && enabled(member.user) && remains(member)
        };
        if directory.members().iter().any(|member| owner(&member)) {
            return Ok(());
        }
        Err(Problem::new(Code::Conflict, "somebody has to own the platform: make another owner first").into())
    }
}
