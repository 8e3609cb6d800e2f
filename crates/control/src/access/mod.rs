//! Who may do what: one question, answered by Cedar policies.
//!
//! The built-in roles and what an operator adds are the same mechanism: policies as data, in `policies/access/`, checked
//! against one schema when they are loaded. This module reads no store and no clock: [`Authority::decide`] is a function
//! from facts to a [`Decision`], and [`Authority::explain`] says what the decision rests on and what would change it.
//!
//! What always holds:
//!
//! 1. What no policy allows is refused.
//! 2. A policy that refuses wins over all that allow; an operator's policies cannot take one of ours away.
//! 3. What cannot be evaluated is refused, even if some policy allows it: Cedar itself would skip a policy that fails, and
//!    the one that fails may be the one that refuses.
//! 4. A question that makes no sense (an action of something that it is not for, facts that are missing) is refused.
//! 5. A key narrows: with fewer scopes, or bound to a project, it never allows more.
//! 6. Every policy that is loaded can be evaluated with the facts that are given: strictly typed, and looking no further
//!    than the entities that every question brings along.

mod authority;
mod change;
mod facts;
mod names;
mod policies;
mod question;

#[cfg(test)]
mod matrix;
#[cfg(test)]
mod tests;

pub use authority::{Authority, Decision, Explanation, HeldRole};
pub use facts::{
    Context, Details, FindingsFacts, JobFacts, KeyFacts, KeyUsed, Nature, Principal, ProjectFacts, Resource, Standing,
    SubmissionFacts, UserFacts,
};
pub use names::{Action, KeyScope, Kind, Role, Scope, UnknownName};
pub use policies::{Effect, PolicyProblem, PolicyText};
