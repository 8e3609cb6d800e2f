//! From facts to what Cedar is asked: the few entities, the context, the request.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Context as CedarContext, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request,
    RestrictedExpression as Value, Schema,
};

use super::facts::{Context, Details, FindingsFacts, Nature, Principal, ProjectFacts, Resource, Standing, UserFacts};
use super::names::{Action, KeyScope, Role, Scope};

/// The word for the platform, as a scope and as the id of the one entity.
const PLATFORM: &str = "platform";

/// What somebody asks: borrowed, since most of it is asked once.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub principal: &'a Principal,
    pub action: Action,
    pub resource: &'a Resource,
    pub context: &'a Context,
}

/// A question that makes no sense, with the reason; it is refused.
pub(super) struct Misasked(pub String);

/// The names of types and of actions, resolved once.
pub(super) struct Words {
    user: EntityTypeName,
    role: EntityTypeName,
    project: EntityTypeName,
    job: EntityTypeName,
    key: EntityTypeName,
    platform: Entity,
    /// With the groups that each is in; in the order of [`Action::ALL`].
    actions: Vec<Entity>,
}

/// What Cedar is given.
pub(super) struct Asked {
    pub request: Request,
    pub entities: Vec<Entity>,
}

impl Words {
    /// What is missing in the schema comes back as an error.
    pub fn new(schema: &Schema) -> Result<Words, String> {
        let named = |name: &str| name.parse::<EntityTypeName>().map_err(|error| error.to_string());
        let declared = schema.action_entities().map_err(|error| error.to_string())?;
        let actions = Action::ALL
            .iter()
            .map(|action| {
                let uid = EntityUid::from_type_name_and_id(named("Action")?, EntityId::new(action.name()));
                declared.get(&uid).cloned().ok_or_else(|| format!("the schema has no action {action}"))
            })
            .collect::<Result<Vec<Entity>, String>>()?;
        let role = named("Role")?;
        let platform = EntityUid::from_type_name_and_id(named("Platform")?, EntityId::new(PLATFORM));
        let platform = Entity::new(platform, roles_of(&role, PLATFORM), HashSet::new()).map_err(|e| e.to_string())?;
        Ok(Words {
            user: named("User")?,
            role,
            project: named("Project")?,
            job: named("Job")?,
            key: named("Key")?,
            platform,
            actions,
        })
    }

    /// Puts a question into Cedar's terms.
    pub fn ask(&self, question: Question<'_>) -> Result<Asked, Misasked> {
        let Question { principal, action, resource, context } = question;
        if !action.kinds().contains(&resource.kind()) {
            return Err(Misasked(format!("{action} is not asked of a {}", resource.kind())));
        }
        // Ids become parts of names of roles; none may read as another's.
        let held_in = principal.roles.iter().filter_map(|(scope, _)| match scope {
            Scope::Platform => None,
            Scope::Project(id) => Some(id),
        });
        for id in held_in.chain(resource.project().map(|project| &project.id)) {
            if id == PLATFORM || id.contains('/') {
                return Err(Misasked(format!("{id:?} is not the id of a project")));
            }
        }

        let asker = self.id(&self.user, &principal.user.id);
        let in_project = resource.project().map(|project| project.id.as_str());
        let mut entities = Vec::with_capacity(6);
        entities.push(self.actions[action as usize].clone());
        entities.push(self.platform.clone());
        entities.push(self.user(&principal.user, self.roles_held(principal, in_project))?);
        if let Some(project) = resource.project() {
            entities.push(self.project(project)?);
        }
        let resource = match resource {
            Resource::Platform => self.platform.uid(),
            Resource::Project(project) => self.id(&self.project, &project.id),
            Resource::User(user) => self.other(user, principal, &mut entities)?,
            Resource::Job(job) => {
                let uid = self.id(&self.job, &job.id);
                let project = self.id(&self.project, &job.project.id);
                let submitted_by = self.other(&job.submitted_by, principal, &mut entities)?;
                let facts = HashMap::from([
                    ("project".to_owned(), Value::new_entity_uid(project.clone())),
                    ("submitted_by".to_owned(), Value::new_entity_uid(submitted_by)),
                ]);
                entities.push(Entity::new(uid.clone(), facts, HashSet::from([project])).map_err(misasked)?);
                uid
            }
            Resource::Key(key) => {
                let uid = self.id(&self.key, &key.id);
                let user = self.other(&key.user, principal, &mut entities)?;
                let mut facts = HashMap::from([("user".to_owned(), Value::new_entity_uid(user))]);
                let mut within = HashSet::new();
                if let Some(project) = &key.project {
                    let project = self.id(&self.project, &project.id);
                    facts.insert("project".to_owned(), Value::new_entity_uid(project.clone()));
                    within.insert(project);
                }
                entities.push(Entity::new(uid.clone(), facts, within).map_err(misasked)?);
                uid
            }
        };
        let context = self.context(principal, action, context)?;
        // Without the schema: the types that are given here are those of the schema, which a test asserts for every
        // action and resource. Checking them each time takes longer than deciding.
        let request = Request::new(asker, self.actions[action as usize].uid(), resource, context, None);
        Ok(Asked { request: request.map_err(misasked)?, entities })
    }

    fn id(&self, of: &EntityTypeName, id: &str) -> EntityUid {
        EntityUid::from_type_name_and_id(of.clone(), EntityId::new(id))
    }

    fn user(&self, user: &UserFacts, roles: HashSet<EntityUid>) -> Result<Entity, Misasked> {
        let facts = HashMap::from([
            ("disabled".to_owned(), Value::new_bool(user.standing == Standing::Disabled)),
            ("service".to_owned(), Value::new_bool(user.nature == Nature::Service)),
        ]);
        Entity::new(self.id(&self.user, &user.id), facts, roles).map_err(misasked)
    }

    /// The user that a resource is about; without its roles, which no question is about.
    fn other(&self, user: &UserFacts, asker: &Principal, entities: &mut Vec<Entity>) -> Result<EntityUid, Misasked> {
        if user.id != asker.user.id {
            entities.push(self.user(user, HashSet::new())?);
        }
        Ok(self.id(&self.user, &user.id))
    }

    fn project(&self, project: &ProjectFacts) -> Result<Entity, Misasked> {
        let mut facts = roles_of(&self.role, &project.id);
        facts.insert("name".to_owned(), Value::new_string(project.name.clone()));
        facts.insert("suspended".to_owned(), Value::new_bool(project.suspended));
        let within = HashSet::from([self.platform.uid()]);
        Entity::new(self.id(&self.project, &project.id), facts, within).map_err(misasked)
    }

    /// A role on the platform is one in the project that is asked about, too.
    fn roles_held(&self, principal: &Principal, in_project: Option<&str>) -> HashSet<EntityUid> {
        let mut held = HashSet::new();
        let mut hold = |scope: &str, role: Role| {
            held.insert(role_in(&self.role, scope, role.name()));
            held.insert(role_in(&self.role, scope, MEMBER));
        };
        for (scope, role) in &principal.roles {
            match scope {
                Scope::Project(id) => hold(id, *role),
                Scope::Platform => {
                    hold(PLATFORM, *role);
                    if let Some(project) = in_project {
                        hold(project, *role);
                    }
                }
            }
        }
        held
    }

    fn context(&self, principal: &Principal, action: Action, context: &Context) -> Result<CedarContext, Misasked> {
        let scopes = principal.key.scopes_implied();
        let mut key = vec![
            ("id".to_owned(), Value::new_string(principal.key.id.clone())),
            ("scopes".to_owned(), scope_set(scopes.iter().copied())),
        ];
        if let Some(project) = &principal.key.project {
            key.push(("project".to_owned(), Value::new_entity_uid(self.id(&self.project, project))));
        }
        let mut known = vec![
            ("key".to_owned(), Value::new_record(key).map_err(misasked)?),
            ("hour_utc".to_owned(), Value::new_long(context.hour_utc.into())),
            ("weekday_utc".to_owned(), Value::new_long(context.weekday_utc.into())),
        ];
        match (action, &context.details) {
            (action, Details::Submission(submission)) if action.is_of_submission() => known.extend([
                ("class".to_owned(), Value::new_string(submission.class.clone())),
                ("cpus_milli".to_owned(), long(submission.cpus_milli)),
                ("memory_bytes".to_owned(), long(submission.memory_bytes)),
                ("wall_ms".to_owned(), long(submission.wall_ms)),
                ("network".to_owned(), Value::new_string(submission.network.clone())),
                (
                    "network_allow".to_owned(),
                    Value::new_set(submission.network_allow.iter().map(|place| Value::new_string(place.clone()))),
                ),
                (
                    "labels".to_owned(),
                    Value::new_set(submission.labels.iter().map(|label| Value::new_string(label.clone()))),
                ),
                ("findings".to_owned(), findings(&submission.findings)?),
            ]),
            (Action::KeyCreate, Details::NewKey(scopes)) => {
                known.push(("new_scopes".to_owned(), scope_set(scopes.iter().copied())));
            }
            (action, _) if action.is_of_submission() => {
                return Err(Misasked(format!("{action} is asked with the facts of a submission")));
            }
            (Action::KeyCreate, _) => {
                return Err(Misasked("key.create is asked with the scopes of the new key".into()));
            }
            (_, Details::None) => {}
            (_, Details::Submission(_) | Details::NewKey(_)) => {
                return Err(Misasked(format!("{action} is asked without further facts")));
            }
        }
        CedarContext::from_pairs(known).map_err(misasked)
    }
}

impl Asked {
    /// The entities with what follows from them.
    pub fn entities(&mut self) -> Result<Entities, Misasked> {
        Entities::from_entities(std::mem::take(&mut self.entities), None).map_err(misasked)
    }
}

const MEMBER: &str = "member";

fn role_in(of: &EntityTypeName, scope: &str, role: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of.clone(), EntityId::new(format!("{scope}/{role}")))
}

/// The attributes by which a policy says `principal in resource.viewer`.
fn roles_of(of: &EntityTypeName, scope: &str) -> HashMap<String, Value> {
    let roles = Role::ALL.iter().map(|role| role.name()).chain([MEMBER]);
    roles.map(|role| (role.to_owned(), Value::new_entity_uid(role_in(of, scope, role)))).collect()
}

fn findings(facts: &FindingsFacts) -> Result<Value, Misasked> {
    let words = |words: &[String]| Value::new_set(words.iter().map(|word| Value::new_string(word.clone())));
    let record = [
        ("rules".to_owned(), words(&facts.rules)),
        ("silenced".to_owned(), words(&facts.silenced)),
        ("refused".to_owned(), words(&facts.refused)),
        ("highest".to_owned(), Value::new_string(facts.highest.clone())),
        ("high".to_owned(), long(facts.high)),
        ("medium".to_owned(), long(facts.medium)),
        ("unread".to_owned(), Value::new_bool(facts.unread)),
    ];
    Value::new_record(record).map_err(misasked)
}

fn scope_set(scopes: impl IntoIterator<Item = KeyScope>) -> Value {
    Value::new_set(scopes.into_iter().map(|scope| Value::new_string(scope.name().to_owned())))
}

/// Cedar counts to 2^63; what is more is as good as that.
fn long(value: u64) -> Value {
    Value::new_long(i64::try_from(value).unwrap_or(i64::MAX))
}

fn misasked(error: impl std::fmt::Display) -> Misasked {
    Misasked(format!("the facts of this request do not fit together: {error}"))
}
