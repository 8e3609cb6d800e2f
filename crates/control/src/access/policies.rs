//! Loading policies: ours from the binary, an operator's from text; all are checked, or none is used.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{
    ActionConstraint, EntityUid, Policy, PolicyId, PolicySet, Schema, ValidationError, ValidationMode,
    ValidationWarning, Validator,
};
use serde::Serialize;

use super::names::Action;

/// The schema and the built-in policies, in the order in which their reasons are told.
const SCHEMA: (&str, &str) = ("gambeson.cedarschema", include_str!("../../../../policies/access/gambeson.cedarschema"));
const BUILT_IN: &[(&str, &str)] = &[
    ("standing.cedar", include_str!("../../../../policies/access/standing.cedar")),
    ("key.cedar", include_str!("../../../../policies/access/key.cedar")),
    ("everybody.cedar", include_str!("../../../../policies/access/everybody.cedar")),
    ("owner.cedar", include_str!("../../../../policies/access/owner.cedar")),
    ("operator.cedar", include_str!("../../../../policies/access/operator.cedar")),
    ("submitter.cedar", include_str!("../../../../policies/access/submitter.cedar")),
    ("viewer.cedar", include_str!("../../../../policies/access/viewer.cedar")),
    ("auditor.cedar", include_str!("../../../../policies/access/auditor.cedar")),
];

/// How many steps from entity to entity an expression may take: `resource.project.suspended`. The questions that we put
/// bring along what lies that near, and nothing further.
const REACH: u32 = 2;

/// Where the names of operators' files end within the ids of their policies. No built-in id has it.
const AFTER_FILE: char = '/';

/// Policies that cannot be used, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyProblem {
    /// The name of the file.
    pub file: String,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PolicyProblem { file, line, what, remedy } = self;
        match line {
            Some(line) => write!(f, "{file}:{line}: {what}; {remedy}"),
            None => write!(f, "{file}: {what}; {remedy}"),
        }
    }
}

impl std::error::Error for PolicyProblem {}

/// What a policy does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It allows, unless another one refuses.
    Permit,
    /// It refuses.
    Forbid,
}

/// A policy as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyText {
    /// Its id: that of its `@id`; for an operator's, the name of the file and `/` come before.
    pub id: String,
    /// The file that it is in.
    pub file: String,
    /// The line where it begins, counted from 1.
    pub line: usize,
    /// Whether it came with the program.
    pub built_in: bool,
    /// What it does.
    pub effect: Effect,
    /// Its reason in words, from `@says`, or a sentence that names it.
    pub says: String,
    /// Every annotation.
    pub annotations: BTreeMap<String, String>,
    /// As written.
    pub text: String,
}

/// Policies that may be asked.
pub(super) struct Policies {
    set: PolicySet,
    /// For each action, in the order of [`Action::ALL`], the policies that it is within: to ask the others would be slower
    /// and change nothing, since what is for another action neither applies nor fails.
    sets: Vec<PolicySet>,
    /// For each action, whether one of those is an operator's.
    with_operators: Vec<bool>,
    pub schema: Schema,
    /// Built-in ones first, otherwise as written.
    pub texts: Vec<PolicyText>,
    /// Where each is in `texts`.
    pub places: HashMap<PolicyId, usize>,
}

/// Reads and checks all policies.
pub(super) fn load(operator: &[(String, String)]) -> Result<Policies, PolicyProblem> {
    let (schema, warnings) = Schema::from_cedarschema_str(SCHEMA.1).map_err(|error| PolicyProblem {
        file: SCHEMA.0.to_owned(),
        line: first_line(SCHEMA.1, &DetailedError::from(&error)),
        what: DetailedError::from(&error).message,
        remedy: BUG.to_owned(),
    })?;
    drop(warnings); // about names that shadow others; the schema is ours and a test compares it with `Action`.

    let mut loading = Policies {
        set: PolicySet::new(),
        sets: Vec::new(),
        with_operators: Vec::new(),
        schema,
        texts: Vec::new(),
        places: HashMap::new(),
    };
    for (file, text) in BUILT_IN {
        loading.add_file(file, text, true)?;
    }
    for (file, text) in operator {
        if file.is_empty() || file.contains(AFTER_FILE) || file.chars().any(char::is_control) {
            return Err(PolicyProblem {
                file: file.escape_debug().to_string(),
                line: None,
                what: "this is not the plain name of a file".to_owned(),
                remedy: "give the file a name without slashes".to_owned(),
            });
        }
        loading.add_file(file, text, false)?;
    }
    loading.validate(operator)?;
    loading.sort_by_action()?;
    Ok(loading)
}

const BUG: &str = "this file came with the program: please report it";

impl Policies {
    fn add_file(&mut self, file: &str, text: &str, built_in: bool) -> Result<(), PolicyProblem> {
        let problem = |line, what: String, remedy: &str| PolicyProblem {
            file: file.to_owned(),
            line,
            what,
            remedy: if built_in { BUG } else { remedy }.to_owned(),
        };
        let parsed: PolicySet = text.parse().map_err(|error: cedar_policy::ParseErrors| {
            let error = DetailedError::from(&error);
            let line = first_line(text, &error);
            let expected = error.source_locations.into_iter().find_map(|place| place.label);
            let hint = [expected, error.help].into_iter().flatten().collect::<Vec<_>>().join("; ");
            let hint = if hint.is_empty() { "write it as in https://docs.cedarpolicy.com/".to_owned() } else { hint };
            problem(line, format!("this is not a policy: {}", error.message), &hint)
        })?;
        if let Some(template) = parsed.templates().next() {
            let line = text.find(&template.to_string()).map(|at| line_at(text, at));
            let remedy = "name a user, a role or a project where it says ?principal or ?resource";
            return Err(problem(line, "this is a template, which nothing would fill in".to_owned(), remedy));
        }

        // The parser numbers policies as they come; the set forgets the order.
        let mut policies: Vec<&Policy> = parsed.policies().collect();
        policies.sort_by_key(|policy| policy.id().to_string().trim_start_matches("policy").parse::<usize>().ok());
        let mut from = 0;
        for (number, policy) in policies.into_iter().enumerate() {
            let written = policy.to_string();
            let at = text[from..].find(&written).map_or(from, |found| from + found);
            from = at + if text[at..].starts_with(&written) { written.len() } else { 0 };
            let line = line_at(text, at);

            let name = policy.annotation("id").map_or_else(|| format!("{}", number + 1), str::to_owned);
            if name.is_empty() || name.contains(AFTER_FILE) || name.chars().any(char::is_control) {
                let what = format!("the @id {:?} is not a plain name", name);
                return Err(problem(Some(line), what, "use letters, digits and dashes"));
            }
            let id = if built_in { name } else { format!("{file}{AFTER_FILE}{name}") };
            let effect = match policy.effect() {
                cedar_policy::Effect::Permit => Effect::Permit,
                cedar_policy::Effect::Forbid => Effect::Forbid,
            };
            let says = policy.annotation("says").filter(|says| !says.is_empty()).map_or_else(
                || match effect {
                    Effect::Permit => format!("the policy {id} allows this"),
                    Effect::Forbid => format!("the policy {id} refuses this"),
                },
                str::to_owned,
            );
            let policy_id = PolicyId::new(&id);
            if self.places.insert(policy_id.clone(), self.texts.len()).is_some() {
                let what = format!("there is another policy with the id {id}");
                return Err(problem(
                    Some(line),
                    what,
                    "give each policy of a file an @id of its own, and each file a name",
                ));
            }
            self.set
                .add(policy.new_id(policy_id))
                .map_err(|error| problem(Some(line), error.to_string(), "give it another @id"))?;
            self.texts.push(PolicyText {
                id,
                file: file.to_owned(),
                line,
                built_in,
                effect,
                says,
                annotations: policy.annotations().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
                text: written,
            });
        }
        Ok(())
    }

    /// Finds what could fail, or never apply, when it is asked. All at once, so that one policy sees the types of all.
    fn validate(&self, operator: &[(String, String)]) -> Result<(), PolicyProblem> {
        let result = Validator::new(self.schema.clone()).validate_with_level(&self.set, ValidationMode::Strict, REACH);
        // That no action fits is what follows from a misspelt one; it is told when there is nothing better.
        let (follows, first): (Vec<_>, Vec<_>) =
            result.validation_errors().partition(|error| matches!(error, ValidationError::InvalidActionApplication(_)));
        let errors = first.into_iter().chain(follows).map(|error| {
            let mut detailed = DetailedError::from(error);
            if let ValidationError::EntityDerefLevelViolation(_) = error {
                let better = "read attributes of principal, resource or context instead of naming an entity";
                detailed.help = Some(better.to_owned());
            }
            (error.policy_id(), detailed)
        });
        let warnings = result
            .validation_warnings()
            // A sentence in two scripts is how many people write; the rest is a policy that misleads or does nothing.
            .filter(|warning| !matches!(warning, ValidationWarning::MixedScriptString(_)))
            .map(|warning| (warning.policy_id(), DetailedError::from(warning)));
        let mut problems: Vec<(usize, PolicyProblem)> = errors
            .chain(warnings)
            .map(|(id, error)| {
                let place = self.places.get(id).copied().unwrap_or(usize::MAX);
                let Some(policy) = self.texts.get(place) else {
                    let file = String::new();
                    return (place, PolicyProblem { file, line: None, what: error.message, remedy: BUG.into() });
                };
                // An operator's file may have the name of one of ours.
                let text = if policy.built_in {
                    BUILT_IN.iter().find(|(file, _)| *file == policy.file).map_or("", |(_, text)| text)
                } else {
                    operator.iter().find(|(file, _)| *file == policy.file).map_or("", |(_, text)| text)
                };
                let line = first_line(text, &error).or(Some(policy.line));
                let remedy = match &error.help {
                    _ if policy.built_in => BUG.to_owned(),
                    Some(help) => help.clone(),
                    None => format!("write it with the words of {}", SCHEMA.0),
                };
                let problem = PolicyProblem { file: policy.file.clone(), line, what: error.message, remedy };
                (place, problem)
            })
            .collect();
        problems.sort_by_key(|(place, _)| *place);
        let more = problems.len().saturating_sub(1);
        match problems.into_iter().next() {
            None => Ok(()),
            Some((_, problem)) if more == 0 => Err(problem),
            Some((_, problem)) => {
                Err(PolicyProblem { what: format!("{} (the first of {} problems)", problem.what, more + 1), ..problem })
            }
        }
    }
}

impl Policies {
    /// The policies that can apply to this action.
    pub fn for_action(&self, action: Action) -> &PolicySet {
        &self.sets[action as usize]
    }

    /// Whether an operator's policy can apply to this action.
    pub fn has_operators(&self, action: Action) -> bool {
        self.with_operators[action as usize]
    }

    fn sort_by_action(&mut self) -> Result<(), PolicyProblem> {
        let trouble =
            |what: String| PolicyProblem { file: SCHEMA.0.to_owned(), line: None, what, remedy: BUG.to_owned() };
        let actions = self.schema.action_entities().map_err(|error| trouble(error.to_string()))?;
        for action in Action::ALL {
            let uid: EntityUid =
                format!("Action::\"{action}\"").parse().map_err(|error| trouble(format!("{action}: {error}")))?;
            let within = |group: &EntityUid| *group == uid || actions.is_ancestor_of(group, &uid);
            let for_it = self.set.policies().filter(|policy| match policy.action_constraint() {
                ActionConstraint::Any => true,
                ActionConstraint::Eq(one) => one == uid,
                ActionConstraint::In(groups) => groups.iter().any(within),
            });
            let for_it: Vec<&Policy> = for_it.collect();
            let is_operators = |policy: &&Policy| {
                let place = self.places.get(policy.id()).and_then(|place| self.texts.get(*place));
                place.is_none_or(|text| !text.built_in)
            };
            self.with_operators.push(for_it.iter().any(is_operators));
            let for_it =
                PolicySet::from_policies(for_it.into_iter().cloned()).map_err(|error| trouble(error.to_string()))?;
            self.sets.push(for_it);
        }
        Ok(())
    }
}

fn first_line(text: &str, error: &DetailedError) -> Option<usize> {
    error.source_locations.iter().map(|place| line_at(text, place.loc.start)).min()
}

/// The line of a byte, counted from 1.
fn line_at(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}
