//! `matrix.txt` says, for every action, what each role may do; it is what a reviewer reads, and here it is compared.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;

/// The project that the matrix asks about.
pub(super) fn lab() -> ProjectFacts {
    ProjectFacts { id: "prj_lab".into(), name: "lab".into(), suspended: false }
}

pub(super) fn service() -> UserFacts {
    UserFacts { nature: Nature::Service, ..UserFacts::person("usr_grader") }
}

/// Somebody with these roles and a key for everything.
pub(super) fn asker(roles: &[(Scope, Role)]) -> Principal {
    Principal {
        user: UserFacts::person("usr_me"),
        roles: roles.to_vec(),
        key: KeyUsed { id: "key_used".into(), scopes: BTreeSet::from([KeyScope::All]), project: None },
    }
}

pub(super) fn job_of(user: &str) -> Resource {
    Resource::Job(JobFacts { id: "job_1".into(), project: lab(), submitted_by: UserFacts::person(user) })
}

fn key_of(user: UserFacts, project: Option<ProjectFacts>) -> Resource {
    Resource::Key(KeyFacts { id: "key_1".into(), user, project })
}

/// Every sort of thing that something can be asked of, with how the table calls it.
pub(super) fn resources() -> Vec<(&'static str, Resource)> {
    let me = || UserFacts::person("usr_me");
    let other = || UserFacts::person("usr_other");
    vec![
        ("platform", Resource::Platform),
        ("project", Resource::Project(lab())),
        ("own job", job_of("usr_me")),
        ("other's job", job_of("usr_other")),
        ("own key", key_of(me(), None)),
        ("own key of project", key_of(me(), Some(lab()))),
        ("other's key", key_of(other(), None)),
        ("other's key of project", key_of(other(), Some(lab()))),
        ("service's key", key_of(service(), None)),
        ("service's key of project", key_of(service(), Some(lab()))),
        ("self", Resource::User(me())),
        ("other", Resource::User(other())),
    ]
}

/// Monday at noon, with the facts that this action needs.
pub(super) fn context_for(action: Action) -> Context {
    let details = match action {
        action if action.is_of_submission() => Details::Submission(Box::new(SubmissionFacts {
            class: "normal".into(),
            cpus_milli: 1000,
            memory_bytes: 256 << 20,
            wall_ms: 10_000,
            network: "none".into(),
            network_allow: Vec::new(),
            labels: vec!["course=physics".into()],
            findings: FindingsFacts::nothing(),
        })),
        Action::KeyCreate => Details::NewKey(BTreeSet::from([KeyScope::JobsRead])),
        _ => Details::None,
    };
    Context { hour_utc: 12, weekday_utc: 1, details }
}

/// The columns: no role, then each role in the project, on the platform, and in another project.
fn columns() -> Vec<Vec<(Scope, Role)>> {
    let scopes = [Scope::Project("prj_lab".into()), Scope::Platform, Scope::Project("prj_elsewhere".into())];
    let held = scopes.iter().flat_map(|scope| Role::ALL.iter().map(move |role| vec![(scope.clone(), *role)]));
    std::iter::once(Vec::new()).chain(held).collect()
}

/// The table as the policies make it.
fn table(authority: &Authority) -> String {
    let mut table = String::new();
    for action in Action::ALL {
        for (called, resource) in resources().iter().filter(|(_, one)| action.kinds().contains(&one.kind())) {
            let context = context_for(*action);
            write!(table, "{action:<17} {called:<25}").unwrap();
            for (place, roles) in columns().iter().enumerate() {
                let gap = if place == 0 {
                    ""
                } else if place % 5 == 1 {
                    "    "
                } else {
                    " "
                };
                let may = if authority.decide(&asker(roles), *action, resource, &context).allowed { "+" } else { "." };
                write!(table, "{gap}{may}").unwrap();
            }
            table.push('\n');
        }
    }
    table
}

#[test]
fn every_role_may_do_what_the_matrix_says_and_nothing_else() {
    let said: String = include_str!("matrix.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .fold(String::new(), |said, line| said + line.trim_end() + "\n");
    let is = table(&Authority::load(&[]).unwrap());
    for (said, is) in said.lines().zip(is.lines()) {
        assert_eq!(is, said, "matrix.txt says the second of these, the policies the first");
    }
    assert_eq!(is.lines().count(), said.lines().count(), "the whole table is now:\n{is}");
}

#[test]
fn a_line_of_the_matrix_is_there_for_every_action() {
    let said = include_str!("matrix.txt");
    for action in Action::ALL {
        assert!(said.lines().any(|line| line.split_whitespace().next() == Some(action.name())), "{action} is missing");
    }
}
