use super::matrix::{asker, context_for, job_of, lab, resources, service};
use super::question::{Question, Words};
use super::*;

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Instant;

use cedar_policy::{Entities, EntityUid, Request};
use proptest::prelude::*;

fn in_lab(role: Role) -> (Scope, Role) {
    (Scope::Project("prj_lab".into()), role)
}

fn ours() -> Authority {
    Authority::load(&[]).unwrap()
}

fn with(file: &str, text: &str) -> Result<Authority, PolicyProblem> {
    Authority::load(&[(file.to_owned(), text.to_owned())])
}

fn submit(authority: &Authority, principal: &Principal) -> Decision {
    let context = context_for(Action::JobSubmit);
    authority.decide(principal, Action::JobSubmit, &Resource::Project(lab()), &context)
}

#[test]
fn the_schema_and_the_actions_say_the_same() {
    let authority = ours();
    let schema = &authority.policies.schema;
    let declared: BTreeSet<String> = schema
        .actions()
        .map(|uid| uid.id().unescaped().to_owned())
        .filter(|name| !name.starts_with("needs "))
        .collect();
    let known: BTreeSet<String> = Action::ALL.iter().map(|action| action.name().to_owned()).collect();
    assert_eq!(declared, known);
    for action in Action::ALL {
        let uid: EntityUid = format!("Action::\"{action}\"").parse().unwrap();
        let groups: Vec<String> = schema
            .action_entities()
            .unwrap()
            .ancestors(&uid)
            .unwrap()
            .map(|group| group.id().unescaped().to_owned())
            .collect();
        assert_eq!(groups, [format!("needs {}", action.scope())], "{action}");
        let of: BTreeSet<String> =
            schema.resources_for_action(&uid).unwrap().map(|name| name.to_string().to_lowercase()).collect();
        let kinds: BTreeSet<String> = action.kinds().iter().map(|kind| kind.name().to_owned()).collect();
        assert_eq!(of, kinds, "{action}");
    }
}

#[test]
fn every_question_fits_the_schema() {
    let authority = ours();
    let schema = &authority.policies.schema;
    let words = Words::new(schema).unwrap();
    let mut bound = asker(&[(Scope::Platform, Role::Owner), in_lab(Role::Viewer)]);
    bound.key.project = Some("prj_lab".into());
    for principal in [asker(&[]), bound] {
        for action in Action::ALL {
            for (called, resource) in resources().iter().filter(|(_, one)| action.kinds().contains(&one.kind())) {
                let question =
                    Question { principal: &principal, action: *action, resource, context: &context_for(*action) };
                let Ok(asked) = words.ask(question) else { panic!("{action} of {called} is misasked") };
                let request = &asked.request;
                Request::new(
                    request.principal().unwrap().clone(),
                    request.action().unwrap().clone(),
                    request.resource().unwrap().clone(),
                    request.context().unwrap().clone(),
                    Some(schema),
                )
                .unwrap_or_else(|error| panic!("{action} of {called}: {error}"));
                Entities::from_entities(asked.entities, Some(schema))
                    .unwrap_or_else(|error| panic!("{action} of {called}: {error:?}"));
            }
        }
    }
}

#[test]
fn every_built_in_policy_has_an_id_and_a_reason_in_words() {
    for policy in ours().policies() {
        assert!(policy.annotations.contains_key("id") && policy.annotations.contains_key("says"), "{policy:?}");
        assert!(policy.built_in && policy.line > 1 && policy.text.starts_with("@id"), "{policy:?}");
    }
}

/// Lists of projects and what is listened to are decided of these alone (`Control::within_reach`).
#[test]
fn of_a_project_ours_allow_nothing_to_who_has_no_role_there_nor_on_the_platform() {
    let elsewhere = Role::ALL.iter().map(|role| (Scope::Project("prj_elsewhere".into()), *role));
    let stranger = asker(&elsewhere.collect::<Vec<_>>());
    let of_lab = [Resource::Project(lab()), job_of("usr_x")];
    let mut asked = 0;
    for action in Action::ALL.iter().filter(|action| !action.name().starts_with("job.submit.")) {
        for resource in of_lab.iter().filter(|resource| action.kinds().contains(&resource.kind())) {
            assert!(!ours().allows(&stranger, *action, resource, &context_for(*action)), "{action}");
            asked += 1;
        }
    }
    assert!(asked > 10, "{asked}");
}

#[test]
fn an_action_of_something_that_it_is_not_for_is_refused() {
    let owner = asker(&[(Scope::Platform, Role::Owner)]);
    let decision = ours().decide(&owner, Action::JobView, &Resource::Project(lab()), &context_for(Action::JobView));
    assert!(!decision.allowed);
    assert_eq!(decision.says, "job.view is not asked of a project");
    for action in [Action::JobSubmit, Action::KeyCreate, Action::JobList] {
        let wrong = if action == Action::JobList { Action::KeyCreate } else { Action::JobList };
        let (_, resource) = resources().into_iter().find(|(_, one)| action.kinds().contains(&one.kind())).unwrap();
        assert!(!ours().allows(&owner, action, &resource, &context_for(wrong)), "{action} without its facts");
    }
}

#[test]
fn an_id_that_reads_as_a_role_elsewhere_is_refused() {
    let odd = asker(&[(Scope::Project("platform".into()), Role::Owner)]);
    assert!(!ours().allows(&odd, Action::BackupCreate, &Resource::Platform, &context_for(Action::BackupCreate)));
}

#[test]
fn a_disabled_user_is_refused_everything() {
    let authority = ours();
    let mut owner = asker(&[(Scope::Platform, Role::Owner)]);
    owner.user.standing = Standing::Disabled;
    for action in Action::ALL {
        for (called, resource) in resources() {
            let decision = authority.decide(&owner, *action, &resource, &context_for(*action));
            assert!(!decision.allowed, "{action} of {called}");
            if action.kinds().contains(&resource.kind()) {
                assert_eq!(decision.policies, ["user-disabled"]);
                assert_eq!(decision.says, "this user is disabled");
            }
        }
    }
}

#[test]
fn a_suspended_project_takes_nothing_new_and_its_owner_cannot_lift_that() {
    let authority = ours();
    let suspended = Resource::Project(ProjectFacts { suspended: true, ..lab() });
    let asks = |roles: &[(Scope, Role)], action| {
        authority.decide(&asker(roles), action, &suspended, &context_for(action)).policies.join(" ")
    };
    for owner in [in_lab(Role::Owner), (Scope::Platform, Role::Owner)] {
        assert_eq!(asks(std::slice::from_ref(&owner), Action::JobSubmit), "project-suspended");
        assert_eq!(asks(std::slice::from_ref(&owner), Action::BlobWrite), "project-suspended");
        assert_ne!(asks(&[owner], Action::JobList), "");
    }
    assert_eq!(asks(&[in_lab(Role::Owner)], Action::ProjectUpdate), "project-limits");
    assert_eq!(asks(&[(Scope::Platform, Role::Operator)], Action::ProjectUpdate), "operator-limits");
}

#[test]
fn a_project_does_not_set_its_own_limits_even_where_an_operators_policy_allows_it() {
    let authority = with("open.cedar", "permit (principal, action == Action::\"project.update\", resource);").unwrap();
    let context = context_for(Action::ProjectUpdate);
    let lab = Resource::Project(lab());
    for role in Role::ALL {
        let decision = authority.decide(&asker(&[in_lab(*role)]), Action::ProjectUpdate, &lab, &context);
        assert_eq!(decision.policies, ["project-limits"], "{role}");
        let on_platform = asker(&[(Scope::Platform, *role)]);
        let may = matches!(role, Role::Owner | Role::Operator);
        assert_eq!(authority.allows(&on_platform, Action::ProjectUpdate, &lab, &context), may, "{role}");
    }
    let explanation = ours().explain(&asker(&[in_lab(Role::Owner)]), Action::ProjectUpdate, &lab, &context);
    assert_eq!(explanation.would_change, ["one of the roles owner, operator on the platform"]);
}

#[test]
fn a_key_does_what_its_scopes_say_and_names_the_one_it_lacks() {
    let authority = ours();
    let mut owner = asker(&[(Scope::Platform, Role::Owner)]);
    for action in Action::ALL {
        for (called, resource) in resources().iter().filter(|(_, one)| action.kinds().contains(&one.kind())) {
            for scope in KeyScope::ALL {
                owner.key.scopes = [*scope].into();
                let mut context = context_for(*action);
                if *action == Action::KeyCreate {
                    context = context.making_key([*scope]);
                }
                let decision = authority.decide(&owner, *action, resource, &context);
                let suffices = scope.implied().contains(&action.scope());
                assert_eq!(decision.allowed, suffices, "{action} of {called} with {scope}: {decision:?}");
                if !suffices {
                    assert_eq!(decision.policies, [format!("key-scope-{}", action.scope().name().replace(':', "-"))]);
                }
            }
        }
    }
}

#[test]
fn a_new_key_has_no_scope_that_the_key_making_it_lacks() {
    let authority = ours();
    let mut me = asker(&[]);
    me.key.scopes = [KeyScope::Keys, KeyScope::Admin].into();
    let own = resources().into_iter().find(|(called, _)| *called == "own key").unwrap().1;
    let makes = |scopes: &[KeyScope]| {
        let context = context_for(Action::KeyCreate).making_key(scopes.iter().copied());
        authority.decide(&me, Action::KeyCreate, &own, &context)
    };
    assert!(makes(&[KeyScope::Keys, KeyScope::AdminRead]).allowed, "admin implies admin:read");
    for beyond in [KeyScope::JobsRead, KeyScope::AuditRead, KeyScope::All] {
        let decision = makes(&[KeyScope::Keys, beyond]);
        assert_eq!(decision.policies, ["key-new-scopes"], "{beyond}");
    }
    let wanted = context_for(Action::KeyCreate).making_key([KeyScope::JobsRead, KeyScope::Keys]);
    assert_eq!(
        authority.explain(&me, Action::KeyCreate, &own, &wanted).would_change,
        ["a key that has what the new one is to have: jobs:read"]
    );
}

#[test]
fn a_key_bound_to_a_project_acts_there_and_nowhere_else() {
    let authority = ours();
    let mut owner = asker(&[(Scope::Platform, Role::Owner)]);
    for (bound_to, here) in [("prj_lab", true), ("prj_elsewhere", false)] {
        owner.key.project = Some(bound_to.into());
        for action in Action::ALL {
            for (called, resource) in resources().iter().filter(|(_, one)| action.kinds().contains(&one.kind())) {
                let decision = authority.decide(&owner, *action, resource, &context_for(*action));
                let within = resource.project().is_some();
                assert_eq!(decision.allowed, here && within, "{action} of {called} bound to {bound_to}: {decision:?}");
                if !decision.allowed {
                    assert_eq!(decision.policies, ["key-project"]);
                }
            }
        }
    }
}

#[test]
fn a_refusal_says_what_it_needs() {
    let authority = ours();
    let says = |roles: &[(Scope, Role)], action, resource: &Resource| {
        authority.decide(&asker(roles), action, resource, &context_for(action)).says
    };
    let job = job_of("usr_other");
    assert_eq!(
        says(&[], Action::JobCancel, &job),
        "no policy allows job.cancel on job_1 in project lab to you: it needs one of the roles owner, operator in project lab"
    );
    assert_eq!(
        says(&[in_lab(Role::Submitter)], Action::JobCancel, &job),
        "no policy allows job.cancel on job_1 in project lab to you: \
         it needs one of the roles owner, operator in project lab, or to have submitted it"
    );
    assert_eq!(
        says(&[in_lab(Role::Owner)], Action::BackupCreate, &Resource::Platform),
        "no policy allows backup.create on the platform to you: it needs one of the roles owner, operator on the platform"
    );
}

#[test]
fn an_explanation_names_roles_scopes_policies_and_all_that_is_wanting() {
    let authority = ours();
    let mut me = asker(&[in_lab(Role::Submitter), (Scope::Project("prj_elsewhere".into()), Role::Owner)]);
    me.user.standing = Standing::Disabled;
    me.key.scopes = [KeyScope::JobsRead].into();
    me.key.project = Some("prj_elsewhere".into());
    let suspended = Resource::Project(ProjectFacts { suspended: true, ..lab() });
    let context = context_for(Action::JobSubmit);
    let explanation = authority.explain(&me, Action::JobSubmit, &suspended, &context);
    assert_eq!(
        explanation.would_change,
        [
            "the user being enabled",
            "the project no longer being suspended",
            "a key that is not bound to another project",
            "a key with the scope jobs:write",
        ]
    );
    let files: BTreeSet<&str> = explanation.policies.iter().map(|policy| policy.file.as_str()).collect();
    assert_eq!(files, BTreeSet::from(["key.cedar", "standing.cedar"]));
    assert_eq!(explanation.roles, [HeldRole { scope: Scope::Project("prj_lab".into()), role: Role::Submitter }]);
    assert_eq!(explanation.needs_scope, KeyScope::JobsWrite);

    me = Principal { roles: vec![in_lab(Role::Viewer)], ..asker(&[]) };
    me.key.scopes = [KeyScope::JobsRead].into();
    let explanation = authority.explain(&me, Action::JobCancel, &job_of("usr_other"), &context_for(Action::JobCancel));
    assert_eq!(
        explanation.would_change,
        ["one of the roles owner, operator in project lab", "a key with the scope jobs:write"]
    );

    let explanation = authority.explain(&me, Action::JobOutput, &job_of("usr_other"), &context_for(Action::JobOutput));
    assert!(explanation.decision.allowed);
    assert_eq!(
        explanation.would_change,
        ["losing the role viewer in project lab", "a key without the scope jobs:read"]
    );
    assert!(serde_json::to_string(&explanation).unwrap().contains(r#""id":"viewer-jobs""#));
}

#[test]
fn an_operators_policy_refuses_what_ours_allow() {
    let authority = with(
        "class.cedar",
        r#"
// High is for operators.
@id("no-high")
@says("the class high is for operators")
forbid (principal, action == Action::"job.submit", resource)
when { context.class == "high" && !(principal in resource.operator) };
"#,
    )
    .unwrap();
    let mut context = context_for(Action::JobSubmit);
    let resource = Resource::Project(lab());
    let submitter = asker(&[in_lab(Role::Submitter)]);
    assert!(authority.decide(&submitter, Action::JobSubmit, &resource, &context).allowed);
    if let Details::Submission(submission) = &mut context.details {
        submission.class = "high".into();
    }
    let decision = authority.decide(&submitter, Action::JobSubmit, &resource, &context);
    assert_eq!((decision.allowed, decision.says.as_str()), (false, "the class high is for operators"));
    assert_eq!(decision.policies, ["class.cedar/no-high"]);
    let explanation = authority.explain(&submitter, Action::JobSubmit, &resource, &context);
    assert_eq!(explanation.would_change, ["the role operator in project lab"]);
    for operator in [in_lab(Role::Operator), (Scope::Platform, Role::Operator)] {
        let both = asker(&[in_lab(Role::Submitter), operator]);
        assert!(authority.allows(&both, Action::JobSubmit, &resource, &context));
    }
}

#[test]
fn what_an_operators_policy_allows_is_explained_with_its_file_and_line() {
    let text = "\n\npermit (principal == User::\"usr_me\", action == Action::\"job.list\", resource)\nwhen { resource.name == \"lab\" };\n";
    let authority = with("guest.cedar", text).unwrap();
    let context = context_for(Action::JobList);
    let explanation = authority.explain(&asker(&[]), Action::JobList, &Resource::Project(lab()), &context);
    assert!(explanation.decision.allowed);
    assert_eq!(explanation.decision.policies, ["guest.cedar/1"]);
    assert_eq!(explanation.decision.says, "the policy guest.cedar/1 allows this");
    let [policy] = explanation.policies.as_slice() else { panic!("{explanation:?}") };
    assert_eq!((policy.file.as_str(), policy.line, policy.built_in), ("guest.cedar", 3, false));
    assert_eq!(policy.text, text.trim());
}

#[test]
fn a_refusal_that_no_role_lifts_names_the_policy() {
    let authority = with("closed.cedar", "@id(\"all\") forbid (principal, action, resource);").unwrap();
    let context = context_for(Action::JobList);
    let explanation = authority.explain(&asker(&[]), Action::JobList, &Resource::Project(lab()), &context);
    assert_eq!(explanation.would_change, ["the policy closed.cedar/all (line 1) not refusing it"]);
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    let overflows = r#"
@id("overflows")
EFFECT (principal, action == Action::"job.submit", resource)
when { context.wall_ms * 9223372036854775807 > 10 };
"#;
    let submitter = asker(&[in_lab(Role::Submitter)]);
    assert!(submit(&ours(), &submitter).allowed);
    for effect in ["permit", "forbid"] {
        let authority = with("sums.cedar", &overflows.replace("EFFECT", effect)).unwrap();
        let decision = submit(&authority, &submitter);
        assert!(!decision.allowed, "{decision:?}");
        assert_eq!(decision.policies, ["sums.cedar/overflows"]);
        assert!(decision.says.starts_with("a policy could not be evaluated"), "{decision:?}");
        // What does not need it is as before.
        assert!(authority.allows(
            &submitter,
            Action::JobList,
            &Resource::Project(lab()),
            &context_for(Action::JobList)
        ));
    }
}

#[test]
fn a_policy_that_does_not_fit_is_refused_with_its_file_and_line() {
    let good = "permit (principal, action == Action::\"job.list\", resource) when { principal in resource.viewer };\n";
    let cases = [
        // A word that the schema does not have.
        (
            "forbid (principal, action == Action::\"job.submit\", resource)\nwhen { context.colour == \"red\" };",
            3,
            "colour",
        ),
        // A misspelt action.
        ("forbid (principal, action == Action::\"job.sumbit\", resource);", 2, "job.sumbit"),
        // Not a policy at all.
        ("forbid (principal, action,\nresource) when { context. };", 3, "not a policy"),
        // A comparison that is never true.
        ("forbid (principal, action == Action::\"job.submit\", resource)\nwhen { context.class == 3 };", 3, "types"),
        // Never applies: it looks active and refuses nothing.
        ("forbid (principal, action == Action::\"job.view\", resource is Project);", 2, "applicable action"),
        // Looks further than what a question brings along.
        ("forbid (principal, action, resource)\nwhen { Project::\"prj_lab\".suspended };", 3, "instead of naming"),
        // Would need to be filled in.
        ("permit (principal == ?principal, action, resource);", 2, "template"),
        // Twice the same id.
        ("@id(\"a\") permit (principal, action, resource);\n@id(\"a\") permit (principal, action, resource);", 3, "a"),
        // An id that could pass for another file's.
        ("@id(\"b.cedar/x\") permit (principal, action, resource);", 2, "plain name"),
    ];
    for (text, line, word) in cases {
        let Err(problem) = with("mine.cedar", &format!("{good}{text}")) else { panic!("{text} was accepted") };
        assert_eq!((problem.file.as_str(), problem.line), ("mine.cedar", Some(line)), "{problem}");
        assert!(problem.to_string().contains(word), "{problem}");
        assert!(!problem.remedy.is_empty() && !problem.remedy.contains("report it"), "{problem}");
    }
    for name in ["", "a/b.cedar", "a\nb.cedar"] {
        assert!(with(name, good).is_err(), "{name:?}");
    }
}

#[test]
fn an_operators_file_can_have_the_name_and_ids_of_ours_and_replaces_nothing() {
    let authority = with("owner.cedar", "@id(\"user-disabled\")\npermit (principal, action, resource);").unwrap();
    assert_eq!(authority.policies().len(), ours().policies().len() + 1);
    let mut me = asker(&[]);
    assert!(authority.allows(&me, Action::BackupCreate, &Resource::Platform, &context_for(Action::BackupCreate)));
    me.user.standing = Standing::Disabled;
    assert!(!authority.allows(&me, Action::BackupCreate, &Resource::Platform, &context_for(Action::BackupCreate)));
    let twice = ("owner.cedar".to_owned(), "permit (principal, action, resource);".to_owned());
    assert!(Authority::load(&[twice.clone(), twice]).is_err());
}

#[test]
fn who_may_give_roles_in_a_project_may_not_give_them_on_the_platform() {
    let owner = asker(&[in_lab(Role::Owner)]);
    let context = context_for(Action::MemberWrite);
    assert!(ours().allows(&owner, Action::MemberWrite, &Resource::Project(lab()), &context));
    assert!(!ours().allows(&owner, Action::MemberWrite, &Resource::Platform, &context));
}

#[test]
fn a_refusal_is_told_before_what_could_not_be_evaluated() {
    let text = "forbid (principal, action, resource) when { context.hour_utc * 9223372036854775807 > 10 };";
    let mut me = asker(&[in_lab(Role::Submitter)]);
    me.user.standing = Standing::Disabled;
    assert_eq!(submit(&with("sums.cedar", text).unwrap(), &me).policies, ["user-disabled"]);
}

#[test]
fn a_bot_of_a_project_is_not_a_way_to_act_as_a_person() {
    let authority = ours();
    let owner = asker(&[in_lab(Role::Owner)]);
    let makes = |user: UserFacts| {
        let key = Resource::Key(KeyFacts { id: "key_1".into(), user, project: Some(lab()) });
        authority.allows(&owner, Action::KeyCreate, &key, &context_for(Action::KeyCreate))
    };
    assert!(makes(service()));
    assert!(!makes(UserFacts::person("usr_other")));
}

/// Prints, for whoever wonders: `cargo test -p gambeson-control -- --ignored --nocapture a_decision`.
#[test]
#[ignore = "it measures; nothing is asserted"]
fn a_decision_takes_this_long() {
    let authority = ours();
    let submitter = asker(&[in_lab(Role::Submitter)]);
    let context = context_for(Action::JobView);
    for (called, job) in [("allowed", job_of("usr_me")), ("refused", job_of("usr_other"))] {
        let begin = Instant::now();
        for _ in 0..1000 {
            std::hint::black_box(authority.allows(&submitter, Action::JobView, &job, &context));
        }
        let middle = Instant::now();
        for _ in 0..1000 {
            std::hint::black_box(authority.decide(&submitter, Action::JobView, &job, &context));
        }
        let words = Words::new(&authority.policies.schema).unwrap();
        let end = Instant::now();
        for _ in 0..1000 {
            let question =
                Question { principal: &submitter, action: Action::JobView, resource: &job, context: &context };
            std::hint::black_box(words.ask(question).ok());
        }
        println!("ask {:?}", end.elapsed() / 1000);
        println!("{called}: allows {:?}, decide {:?}", (middle - begin) / 1000, middle.elapsed() / 1000);
    }
}

fn some_principal() -> impl Strategy<Value = Principal> {
    let scope = prop::sample::select(vec![
        Scope::Platform,
        Scope::Project("prj_lab".into()),
        Scope::Project("prj_elsewhere".into()),
    ]);
    let roles = prop::collection::vec((scope, prop::sample::select(Role::ALL)), 0..4);
    let scopes = prop::collection::btree_set(prop::sample::select(KeyScope::ALL), 0..5);
    let project = prop::sample::select(vec![None, Some("prj_lab".to_owned()), Some("prj_elsewhere".to_owned())]);
    (roles, scopes, project, any::<bool>()).prop_map(|(roles, scopes, project, enabled)| {
        let mut principal = asker(&roles);
        principal.key.scopes = scopes;
        principal.key.project = project;
        principal.user.standing = if enabled { Standing::Enabled } else { Standing::Disabled };
        principal
    })
}

fn some_request() -> impl Strategy<Value = (Action, Resource, Context)> {
    let wanted = prop::collection::btree_set(prop::sample::select(KeyScope::ALL), 0..3);
    (prop::sample::select(Action::ALL), any::<prop::sample::Index>(), any::<bool>(), wanted).prop_map(
        |(action, which, suspended, wanted)| {
            let fitting: Vec<Resource> = resources()
                .into_iter()
                .map(|(_, one)| one)
                .filter(|one| action.kinds().contains(&one.kind()))
                .collect();
            let mut resource = which.get(&fitting).clone();
            if let Some(project) = resource.project_mut() {
                project.suspended = suspended;
            }
            let context = context_for(action);
            let context = if action == Action::KeyCreate { context.making_key(wanted) } else { context };
            (action, resource, context)
        },
    )
}

proptest! {
    #[test]
    fn less_never_allows_more(
        principal in some_principal(),
        (action, resource, context) in some_request(),
        lost_scope in prop::sample::select(KeyScope::ALL),
        lost_role in any::<prop::sample::Index>(),
        bound_to in prop::sample::select(vec!["prj_lab", "prj_elsewhere"]),
    ) {
        static OURS: LazyLock<Authority> = LazyLock::new(ours);
        static MORE: LazyLock<Authority> = LazyLock::new(|| {
            with("less.cedar", "forbid (principal, action, resource) when { context.hour_utc == 12 && principal.service };
                                forbid (principal, action == Action::\"job.submit\", resource) when { context.wall_ms > 9 };")
                .unwrap()
        });
        let asks = |principal: &Principal| OURS.allows(principal, action, &resource, &context);
        let allowed = asks(&principal);

        let mut less = principal.clone();
        less.key.scopes.remove(&lost_scope);
        prop_assert!(allowed || !asks(&less), "without the scope {lost_scope}");

        if principal.key.project.is_none() {
            let mut less = principal.clone();
            less.key.project = Some(bound_to.to_owned());
            prop_assert!(allowed || !asks(&less), "bound to {bound_to}");
        }
        if !principal.roles.is_empty() {
            let mut less = principal.clone();
            less.roles.remove(lost_role.index(less.roles.len()));
            prop_assert!(allowed || !asks(&less), "without a role");
        }
        prop_assert!(allowed || !MORE.allows(&principal, action, &resource, &context), "with policies that refuse");
    }

    #[test]
    fn every_explanation_says_what_would_change_the_answer(
        principal in some_principal(),
        (action, resource, context) in some_request(),
    ) {
        static OURS: LazyLock<Authority> = LazyLock::new(ours);
        let explanation = OURS.explain(&principal, action, &resource, &context);
        prop_assert!(!explanation.would_change.is_empty(), "{explanation:?}");
        prop_assert_eq!(explanation.decision.allowed, OURS.allows(&principal, action, &resource, &context));
        prop_assert_eq!(explanation.decision.policies.len(), explanation.policies.len());
    }
}
