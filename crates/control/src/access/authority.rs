//! Asking the policies, and telling what they answered.

use cedar_policy::{AuthorizationError, Authorizer, Decision as CedarDecision};
use serde::Serialize;

use super::facts::{Context, KeyUsed, Principal, Resource, UserFacts};
use super::names::{Action, KeyScope, Role, Scope};
use super::policies::{self, Policies, PolicyProblem, PolicyText};
use super::question::{Misasked, Question, Words};

/// The policies in force. Immutable: to change policies is to load another one.
pub struct Authority {
    pub(super) policies: Policies,
    words: Words,
    authorizer: Authorizer,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether it may be done.
    pub allowed: bool,
    /// The ids of the policies that decided; none if it is refused since no policy allows it.
    pub policies: Vec<String>,
    /// Why, in one sentence without its full stop.
    pub says: String,
}

/// An answer with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What was asked for.
    pub action: Action,
    /// Of what, in words.
    pub resource: String,
    /// By which user.
    pub user: String,
    /// The answer.
    pub decision: Decision,
    /// The policies that decided, as written.
    pub policies: Vec<PolicyText>,
    /// The roles that count here: those on the platform and those in the project that it is about.
    pub roles: Vec<HeldRole>,
    /// The scope that the action needs.
    pub needs_scope: KeyScope,
    /// The scopes of the key, with what they imply.
    pub key_scopes: Vec<KeyScope>,
    /// The project that the key is bound to.
    pub key_project: Option<String>,
    /// If it is refused: what it takes to be allowed, all of it together. If it is allowed: what would end that, each by
    /// itself.
    pub would_change: Vec<String>,
}

/// A role that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldRole {
    /// Where.
    pub scope: Scope,
    /// Which.
    pub role: Role,
}

/// What the policies answer, before it is put into words.
pub(super) enum Answer {
    Allowed {
        by: Vec<usize>,
    },
    /// Some policy refuses it.
    Forbidden {
        by: Vec<usize>,
    },
    /// None refuses it, but some could not be evaluated.
    Failed {
        which: Vec<usize>,
        error: String,
    },
    /// None allows it.
    NotAllowed,
    Misasked(String),
}

impl Authority {
    /// The built-in policies with an operator's: pairs of the name of a file and its text.
    ///
    /// # Errors
    ///
    /// The first policy that cannot be parsed, does not fit the schema, can never apply, or has the id of another.
    pub fn load(operator_policies: &[(String, String)]) -> Result<Authority, PolicyProblem> {
        let policies = policies::load(operator_policies)?;
        let words = Words::new(&policies.schema).map_err(|what| PolicyProblem {
            file: "gambeson.cedarschema".to_owned(),
            line: None,
            what,
            remedy: "this file came with the program: please report it".to_owned(),
        })?;
        Ok(Authority { policies, words, authorizer: Authorizer::new() })
    }

    /// Every policy in force, built-in ones first.
    pub fn policies(&self) -> &[PolicyText] {
        &self.policies.texts
    }

    /// Whether it may be done. For lists, where nobody reads a reason: a refusal costs no more than an allowance.
    pub fn allows(&self, principal: &Principal, action: Action, resource: &Resource, context: &Context) -> bool {
        self.permits(Question { principal, action, resource, context })
    }

    /// Whether a policy of an operator's can bear on this action: if none can, ours have the last word.
    pub fn has_operators(&self, action: Action) -> bool {
        self.policies.has_operators(action)
    }

    /// Who may do it, in words: "one of the roles operator, owner in project lab".
    pub fn who_may(&self, action: Action, resource: &Resource, context: &Context) -> Option<String> {
        // Somebody without any role, who is whose it is not.
        let key = KeyUsed { id: String::new(), scopes: [KeyScope::All].into(), project: None };
        let principal = Principal { user: UserFacts::person("nobody"), roles: Vec::new(), key };
        self.who_could(Question { principal: &principal, action, resource, context })
    }

    /// Whether it may be done, and why. A refusal for want of a role is asked again with each role, to name it.
    pub fn decide(&self, principal: &Principal, action: Action, resource: &Resource, context: &Context) -> Decision {
        self.decision(Question { principal, action, resource, context })
    }

    /// Whether it may be done, what decided, and what would change that. Many times the cost of a decision.
    pub fn explain(
        &self,
        principal: &Principal,
        action: Action,
        resource: &Resource,
        context: &Context,
    ) -> Explanation {
        let question = Question { principal, action, resource, context };
        let decision = self.decision(question);
        let place = resource.project().map(|project| project.id.as_str());
        let counts = |scope: &Scope| match scope {
            Scope::Platform => true,
            Scope::Project(id) => Some(id.as_str()) == place,
        };
        Explanation {
            action,
            resource: resource.in_words(),
            user: principal.user.id.clone(),
            policies: self.policies.texts.iter().filter(|text| decision.policies.contains(&text.id)).cloned().collect(),
            roles: principal
                .roles
                .iter()
                .filter(|(scope, _)| counts(scope))
                .map(|(scope, role)| HeldRole { scope: scope.clone(), role: *role })
                .collect(),
            needs_scope: action.scope(),
            key_scopes: principal.key.scopes_implied().into_iter().collect(),
            key_project: principal.key.project.clone(),
            would_change: if decision.allowed { self.would_end(question) } else { self.would_allow(question) },
            decision,
        }
    }

    pub(super) fn permits(&self, question: Question<'_>) -> bool {
        matches!(self.answer(question), Answer::Allowed { .. })
    }

    pub(super) fn answer(&self, question: Question<'_>) -> Answer {
        let asked = self.words.ask(question).and_then(|mut asked| Ok((asked.entities()?, asked.request)));
        let (entities, request) = match asked {
            Ok(asked) => asked,
            Err(Misasked(why)) => return Answer::Misasked(why),
        };
        let response = self.authorizer.is_authorized(&request, self.policies.for_action(question.action), &entities);
        let place = |id| self.policies.places.get(id).copied();
        let mut by: Vec<usize> = response.diagnostics().reason().filter_map(place).collect();
        by.sort_unstable();
        let mut failed: Vec<(usize, String)> = response
            .diagnostics()
            .errors()
            .map(|AuthorizationError::PolicyEvaluationError(error)| {
                // One that is not in the list cannot be; if it were, it would refuse all the same.
                (place(error.policy_id()).unwrap_or(usize::MAX), error.to_string())
            })
            .collect();
        failed.sort();
        match (response.decision(), failed.first()) {
            (CedarDecision::Deny, _) if !by.is_empty() => Answer::Forbidden { by },
            (_, Some((_, error))) => {
                Answer::Failed { error: error.clone(), which: failed.into_iter().map(|(place, _)| place).collect() }
            }
            (CedarDecision::Allow, None) => Answer::Allowed { by },
            (CedarDecision::Deny, None) => Answer::NotAllowed,
        }
    }

    fn decision(&self, question: Question<'_>) -> Decision {
        let ids = |places: &[usize]| {
            places.iter().filter_map(|place| Some(self.policies.texts.get(*place)?.id.clone())).collect()
        };
        let says =
            |places: &[usize]| places.first().and_then(|first| Some(self.policies.texts.get(*first)?.says.clone()));
        match self.answer(question) {
            Answer::Allowed { by } => {
                Decision { allowed: true, policies: ids(&by), says: says(&by).unwrap_or_else(|| "allowed".to_owned()) }
            }
            Answer::Forbidden { by } => {
                Decision { allowed: false, policies: ids(&by), says: says(&by).unwrap_or_else(|| "refused".to_owned()) }
            }
            Answer::Failed { which, error } => Decision {
                allowed: false,
                policies: ids(&which),
                says: format!("a policy could not be evaluated, and what cannot be evaluated is refused: {error}"),
            },
            Answer::NotAllowed => {
                Decision { allowed: false, policies: Vec::new(), says: self.what_is_wanting(question) }
            }
            Answer::Misasked(says) => Decision { allowed: false, policies: Vec::new(), says },
        }
    }
}
