//! What would change an answer, found by asking again with one fact changed.

use super::authority::{Answer, Authority};
use super::facts::{Details, Principal, Resource, Standing};
use super::names::{KeyScope, Role, Scope};
use super::policies::Effect;
use super::question::Question;

/// Something that stands in the way and is not a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Obstacle {
    Disabled,
    Scopes,
    Bound,
    Suspended,
}

const OBSTACLES: [Obstacle; 4] = [Obstacle::Disabled, Obstacle::Suspended, Obstacle::Bound, Obstacle::Scopes];

/// What could be granted to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Grant {
    /// What is held suffices.
    Nothing,
    Role(Scope, Role),
    /// That the job or the key is the asker's.
    Own,
}

impl Authority {
    /// The sentence for what no policy allows.
    pub(super) fn what_is_wanting(&self, question: Question<'_>) -> String {
        let grants = self.grants_that_allow(question);
        let what = format!("no policy allows {} on {}", question.action, question.resource.in_words());
        if grants.is_empty() {
            return format!("{what} to anybody");
        }
        format!("{what} to you: it needs {}", in_words(&grants, question.resource))
    }

    /// What somebody without a role would need.
    pub(super) fn who_could(&self, question: Question<'_>) -> Option<String> {
        let grants = self.grants_that_allow(question);
        (!grants.is_empty()).then(|| in_words(&grants, question.resource))
    }

    /// What it takes for a refused question to be allowed: all of it together.
    pub(super) fn would_allow(&self, question: Question<'_>) -> Vec<String> {
        let clear = without(question, &OBSTACLES);
        let clear = Question { principal: &clear.0, resource: &clear.1, ..question };
        let grants = if self.permits(clear) { vec![Grant::Nothing] } else { self.grants_that_allow(clear) };
        let Some(grant) = grants.first() else {
            return self.refusals_that_remain(clear);
        };
        let mut needed = Vec::new();
        if *grant != Grant::Nothing {
            needed.push(in_words(&grants, question.resource));
        }
        for obstacle in OBSTACLES {
            let others: Vec<Obstacle> = OBSTACLES.into_iter().filter(|other| *other != obstacle).collect();
            let (principal, resource) = without(question, &others);
            let (principal, resource) = granted(&principal, &resource, grant);
            if !self.permits(Question { principal: &principal, resource: &resource, ..question }) {
                needed.push(obstacle_in_words(obstacle, question));
            }
        }
        needed
    }

    /// What would end an allowance: each by itself.
    pub(super) fn would_end(&self, question: Question<'_>) -> Vec<String> {
        let mut ends = Vec::new();
        let mut held: Vec<(Scope, Role)> = question.principal.roles.clone();
        held.sort();
        held.dedup();
        for (scope, role) in &held {
            let mut principal = question.principal.clone();
            principal.roles.retain(|held| held != &(scope.clone(), *role));
            if !self.permits(Question { principal: &principal, ..question }) {
                ends.push(format!("losing the role {role} {}", place_in_words(scope, question.resource)));
            }
        }
        let roleless = Principal { roles: Vec::new(), ..question.principal.clone() };
        if ends.is_empty() && held.len() > 1 && !self.permits(Question { principal: &roleless, ..question }) {
            ends.push("losing every role held here".to_owned());
        }
        let mut narrowed = question.principal.clone();
        let needed = question.action.scope();
        narrowed.key.scopes.retain(|scope| !scope.implied().contains(&needed));
        if !self.permits(Question { principal: &narrowed, ..question }) {
            ends.push(format!("a key without the scope {needed}"));
        }
        ends
    }

    /// Roles in the project that it is about; if none would do, roles on the platform; and being whose it is.
    fn grants_that_allow(&self, question: Question<'_>) -> Vec<Grant> {
        let allows = |grant: &Grant| {
            let (principal, resource) = granted(question.principal, question.resource, grant);
            self.permits(Question { principal: &principal, resource: &resource, ..question })
        };
        let with_roles = |scope: Scope| -> Vec<Grant> {
            Role::ALL.iter().map(|role| Grant::Role(scope.clone(), *role)).filter(allows).collect()
        };
        let mut grants = match question.resource.project() {
            Some(project) => with_roles(Scope::Project(project.id.clone())),
            None => Vec::new(),
        };
        if grants.is_empty() {
            grants = with_roles(Scope::Platform);
        }
        if question.resource.clone().user_mut().is_some_and(|user| user.id != question.principal.user.id)
            && allows(&Grant::Own)
        {
            grants.push(Grant::Own);
        }
        grants
    }

    /// The policies that refuse even an owner of the platform with an unrestricted key.
    fn refusals_that_remain(&self, clear: Question<'_>) -> Vec<String> {
        let owner = Grant::Role(Scope::Platform, Role::Owner);
        let (principal, resource) = granted(clear.principal, clear.resource, &owner);
        let places = match self.answer(Question { principal: &principal, resource: &resource, ..clear }) {
            Answer::Forbidden { by } => by,
            Answer::Failed { which, .. } => which,
            Answer::Allowed { .. } | Answer::NotAllowed | Answer::Misasked(_) => Vec::new(),
        };
        places
            .into_iter()
            .filter_map(|place| self.policies.texts.get(place))
            .map(|policy| match policy.effect {
                Effect::Forbid => format!("the policy {} (line {}) not refusing it", policy.id, policy.line),
                Effect::Permit => format!("the policy {} (line {}) being mended", policy.id, policy.line),
            })
            .collect()
    }
}

/// The asker and the resource as they would be without these obstacles.
fn without(question: Question<'_>, obstacles: &[Obstacle]) -> (Principal, Resource) {
    let (mut principal, mut resource) = (question.principal.clone(), question.resource.clone());
    for obstacle in obstacles {
        match obstacle {
            Obstacle::Disabled => principal.user.standing = Standing::Enabled,
            Obstacle::Scopes => principal.key.scopes = [KeyScope::All].into(),
            Obstacle::Bound => principal.key.project = None,
            Obstacle::Suspended => {
                if let Some(project) = resource.project_mut() {
                    project.suspended = false;
                }
            }
        }
    }
    (principal, resource)
}

fn granted(principal: &Principal, resource: &Resource, grant: &Grant) -> (Principal, Resource) {
    let (mut principal, mut resource) = (principal.clone(), resource.clone());
    match grant {
        Grant::Nothing => {}
        Grant::Role(scope, role) => principal.roles.push((scope.clone(), *role)),
        Grant::Own => {
            if let Some(user) = resource.user_mut() {
                *user = principal.user.clone();
            }
        }
    }
    (principal, resource)
}

/// "one of the roles operator, owner in project lab, or to have submitted it".
fn in_words(grants: &[Grant], resource: &Resource) -> String {
    let roles: Vec<&str> = grants
        .iter()
        .filter_map(|grant| match grant {
            Grant::Role(_, role) => Some(role.name()),
            Grant::Nothing | Grant::Own => None,
        })
        .collect();
    let place = grants.iter().find_map(|grant| match grant {
        Grant::Role(scope, _) => Some(place_in_words(scope, resource)),
        Grant::Nothing | Grant::Own => None,
    });
    let mut ways = Vec::new();
    if let Some(place) = place {
        let which = if roles.len() == 1 { "the role" } else { "one of the roles" };
        ways.push(format!("{which} {} {place}", roles.join(", ")));
    }
    if grants.contains(&Grant::Own) {
        ways.push(match resource {
            Resource::Job(_) => "to have submitted it".to_owned(),
            _ => "to be its user".to_owned(),
        });
    }
    ways.join(", or ")
}

fn place_in_words(scope: &Scope, resource: &Resource) -> String {
    match (scope, resource.project()) {
        (Scope::Platform, _) => "on the platform".to_owned(),
        (Scope::Project(id), Some(project)) if *id == project.id => format!("in project {}", project.name),
        (Scope::Project(id), _) => format!("in project {id}"),
    }
}

fn obstacle_in_words(obstacle: Obstacle, question: Question<'_>) -> String {
    let needed = question.action.scope();
    let implied = question.principal.key.scopes_implied();
    match obstacle {
        Obstacle::Disabled => "the user being enabled".to_owned(),
        Obstacle::Bound => "a key that is not bound to another project".to_owned(),
        Obstacle::Suspended => "the project no longer being suspended".to_owned(),
        Obstacle::Scopes => match &question.context.details {
            Details::NewKey(wanted) if implied.contains(&needed) => {
                let beyond: Vec<&str> = wanted.difference(&implied).map(|scope| scope.name()).collect();
                format!("a key that has what the new one is to have: {}", beyond.join(", "))
            }
            Details::None | Details::Submission(_) | Details::NewKey(_) => format!("a key with the scope {needed}"),
        },
    }
}
