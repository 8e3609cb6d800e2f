//! `gambeson key`, `project`, `member`, `user`, `access` and `whoami`.

use gambeson_api::client::Client;
use gambeson_api::{
    ExplainRequest, Explained, Key, LimitsAsked, MemberChange, Membership, NewKey, NewProject, NewUser, Project,
    ProjectChange, Quantity, Quota, User, UserChange, UserKind, WhoAmI, bytes, duration_ms,
};
use serde_json::Value;

use super::args::{AccessCommand, KeyCommand, MemberCommand, ProjectCommand, ProjectSettings, UserCommand};
use super::failure::Failure;
use super::jobs::{Lines, limits, places_words};
use super::platform::quota as quota_words;
use super::table::{Cell, Form, Table, show, show_words};
use super::visible;
use crate::terminal::remark;

/// `gambeson key`.
pub async fn key(client: &Client, command: KeyCommand, form: Form) -> Result<(), Failure> {
    match command {
        KeyCommand::List { user } => {
            show(form, &client.key_list(user.as_deref()).await?, |list| key_table(&list.keys));
        }
        KeyCommand::Create { name, user, project, scopes, expires_in } => {
            let created = client.key_create(&NewKey { name, user, project, scopes, expires_in }).await?;
            show_words(form, &created, |created| format!("{}\n", visible::line(&created.secret)));
            if matches!(form, Form::People | Form::Fields) {
                let until = created.key.expires_at.map(|time| format!(" until {time}")).unwrap_or_default();
                remark(&format!("{}{until}: keep it, it cannot be shown again", created.key.id));
            }
        }
        KeyCommand::Revoke { id } => {
            show(form, &client.key_revoke(id).await?, |key| key_table(std::slice::from_ref(key)));
        }
    }
    Ok(())
}

fn key_table(keys: &[Key]) -> Table {
    let mut table = Table::new(["id", "name", "user", "project", "scopes", "state", "made", "used", "expires"]);
    for key in keys {
        table.row([
            key.id.into(),
            (&key.name).into(),
            (&key.user_name).into(),
            Cell::of(key.project, Cell::from),
            key.scopes.join(" ").into(),
            (if key.revoked_at.is_some() { "revoked" } else { "works" }).into(),
            Cell::Age(key.created_at),
            Cell::of(key.last_used_at, Cell::Age),
            Cell::of(key.expires_at, Cell::Age),
        ]);
    }
    table
}

/// `gambeson project`.
pub async fn project(client: &Client, command: ProjectCommand, form: Form) -> Result<(), Failure> {
    match command {
        ProjectCommand::List => show(form, &client.project_list().await?, |list| project_table(&list.projects)),
        ProjectCommand::Create { name, settings } => {
            // A quota is set as a whole, over the installation's defaults, which only a project that is there shows.
            let (quota, rest) = split(&settings);
            change(&quota, None)?;
            let made = client.project_create(&NewProject { name, settings: change(&rest, None)? }).await?;
            let made = if quota.quota.is_empty() && quota.user_quota.is_empty() {
                made
            } else {
                client.project_change(&made.id.to_string(), &change(&quota, Some(&made))?).await?
            };
            show(form, &made, |made| project_table(std::slice::from_ref(made)));
        }
        ProjectCommand::Set { project, settings } => {
            change(&settings, None)?;
            let before = client.project(&project).await?;
            let after = client.project_change(&project, &change(&settings, Some(&before))?).await?;
            show_words(form, &after, project_words);
        }
        ProjectCommand::Show { project } => show_words(form, &client.project(&project).await?, project_words),
    }
    Ok(())
}

/// The quotas, and everything else.
fn split(settings: &ProjectSettings) -> (ProjectSettings, ProjectSettings) {
    let ProjectSettings { quota, user_quota, .. } = settings.clone();
    let rest = ProjectSettings { quota: Vec::new(), user_quota: Vec::new(), ..settings.clone() };
    (ProjectSettings { quota, user_quota, ..ProjectSettings::default() }, rest)
}

/// What the settings change of a project; without one, whether they can be read.
fn change(settings: &ProjectSettings, before: Option<&Project>) -> Result<ProjectChange, String> {
    const NONE: Quota = Quota { running: 0, queued: 0, cpu_ms_per_day: 0, stored_bytes: 0 };
    let over = |settings: &[String], before: Quota| match settings {
        [] => Ok(None),
        settings => quota(settings, before).map(Some),
    };
    Ok(ProjectChange {
        suspended: settings.suspended,
        weight: settings.weight,
        quota: over(&settings.quota, before.map_or(NONE, |before| before.quota))?,
        user_quota: over(&settings.user_quota, before.map_or(NONE, |before| before.user_quota))?,
        ceiling: if settings.ceiling.is_empty() { None } else { Some(ceiling(&settings.ceiling)?) },
        class_most: settings.class_most,
        start: settings.start,
        network_allow: settings.network_allow.as_ref().map(|places| places.0.clone()),
    })
}

/// `settings` over `before`.
fn quota(settings: &[String], before: Quota) -> Result<Quota, String> {
    let mut quota = before;
    for setting in settings {
        let (key, value) = setting
            .split_once('=')
            .ok_or_else(|| format!("quota {setting:?} has no value; write for example running=4"))?;
        let whole = || value.parse().map_err(|_| format!("quota {key} is {value:?}; write a whole number"));
        match key {
            "running" => quota.running = whole()?,
            "queued" => quota.queued = whole()?,
            "cpu_per_day" => {
                quota.cpu_ms_per_day = duration_ms("quota cpu_per_day", value).map_err(|error| error.to_string())?;
            }
            "stored" => quota.stored_bytes = bytes("quota stored", value).map_err(|error| error.to_string())?,
            _ => return Err(format!("there is no quota {key:?}; there are running, queued, cpu_per_day, stored")),
        }
    }
    Ok(quota)
}

fn ceiling(settings: &[String]) -> Result<LimitsAsked, String> {
    let mut asked = serde_json::Map::new();
    for setting in settings {
        let (key, value) = setting
            .split_once('=')
            .ok_or_else(|| format!("ceiling {setting:?} has no value; write for example memory=1G"))?;
        asked.insert(key.to_owned(), serde_json::to_value(Quantity(value.to_owned())).unwrap_or_default());
    }
    serde_json::from_value(Value::Object(asked)).map_err(|error| format!("ceiling: {error}"))
}

fn project_table(projects: &[Project]) -> Table {
    let mut table = Table::new(["id", "name", "state", "weight", "class", "running", "queued", "cpu a day", "stored"]);
    for project in projects {
        table.row([
            project.id.into(),
            (&project.name).into(),
            (if project.suspended { "suspended" } else { "open" }).into(),
            project.weight.into(),
            project.class_most.name().into(),
            project.quota.running.into(),
            project.quota.queued.into(),
            Cell::Duration(project.quota.cpu_ms_per_day),
            Cell::Size(project.quota.stored_bytes),
        ]);
    }
    table
}

fn project_words(project: &Project) -> String {
    let mut lines = Lines::default();
    lines.add("id", project.id.to_string());
    lines.add("name", &project.name);
    lines.add("state", if project.suspended { "suspended: takes no jobs" } else { "open" });
    lines.add("weight", project.weight.to_string());
    lines.add("class most", project.class_most.name());
    lines.add("start", project.start.name());
    lines.add("quota", quota_words(&project.quota));
    lines.add("user quota", quota_words(&project.user_quota));
    lines.add("ceiling", limits(&project.ceiling));
    lines.add("network", places_words(&project.network_allow));
    lines.add("made", project.created_at.to_string());
    lines.text()
}

/// `gambeson member`.
pub async fn member(client: &Client, command: MemberCommand, form: Form) -> Result<(), Failure> {
    match command {
        MemberCommand::List { project } => {
            show(form, &client.member_list(project.as_deref()).await?, |list| member_table(&list.members));
        }
        MemberCommand::Add(member) => {
            let change = MemberChange { project: member.project, user: member.user, role: member.role };
            show(form, &client.member_add(&change).await?, |member| member_table(std::slice::from_ref(member)));
        }
        MemberCommand::Remove(member) => {
            let change = MemberChange { project: member.project, user: member.user, role: member.role };
            show(form, &client.member_remove(&change).await?, |list| member_table(&list.members));
        }
    }
    Ok(())
}

fn member_table(members: &[Membership]) -> Table {
    let mut table = Table::new(["project", "user", "role"]);
    for member in members {
        table.row([(&member.project_name).into(), (&member.user_name).into(), (&member.role).into()]);
    }
    table
}

/// `gambeson user`.
pub async fn user(client: &Client, command: UserCommand, form: Form) -> Result<(), Failure> {
    let disable = async |name: &str, disabled| client.user_change(name, &UserChange { disabled: Some(disabled) }).await;
    let user = match command {
        UserCommand::List => {
            show(form, &client.user_list().await?, |list| user_table(&list.users));
            return Ok(());
        }
        UserCommand::Create { name, service } => {
            let kind = if service { UserKind::Service } else { UserKind::Person };
            client.user_create(&NewUser { name, kind }).await?
        }
        UserCommand::Disable { user } => disable(&user, true).await?,
        UserCommand::Enable { user } => disable(&user, false).await?,
    };
    show(form, &user, |user| user_table(std::slice::from_ref(user)));
    Ok(())
}

fn kind(kind: UserKind) -> &'static str {
    match kind {
        UserKind::Person => "person",
        UserKind::Service => "service",
    }
}

fn user_table(users: &[User]) -> Table {
    let mut table = Table::new(["id", "name", "kind", "state", "made"]);
    for user in users {
        table.row([
            user.id.into(),
            (&user.name).into(),
            kind(user.kind).into(),
            (if user.disabled { "disabled" } else { "enabled" }).into(),
            Cell::Age(user.created_at),
        ]);
    }
    table
}

/// `gambeson access`.
pub async fn access(client: &Client, command: AccessCommand, form: Form) -> Result<(), Failure> {
    let AccessCommand::Explain { action, user, project, job, context } = command;
    // What is no JSON is text, so that class=high needs no quotes.
    let context = context
        .into_iter()
        .map(|(name, value)| (name, serde_json::from_str(&value).unwrap_or(Value::String(value))))
        .collect();
    let explained = client.access_explain(&ExplainRequest { user, action, project, job, context }).await?;
    show_words(form, &explained, explained_words);
    Ok(())
}

fn explained_words(explained: &Explained) -> String {
    let mut lines = Lines::default();
    lines.add(if explained.allowed { "allowed" } else { "refused" }, &explained.says);
    lines.add("roles", if explained.roles.is_empty() { "none".into() } else { explained.roles.join(", ") });
    for remedy in &explained.remedies {
        lines.add("remedy", remedy);
    }
    for policy in &explained.policies {
        lines.head(&visible::line(&format!("{} ({}):", policy.id, policy.file)));
        lines.block(&policy.text);
    }
    lines.text()
}

/// `gambeson whoami`.
pub async fn whoami(client: &Client, form: Form) -> Result<(), Failure> {
    show_words(form, &client.whoami().await?, whoami_words);
    Ok(())
}

fn whoami_words(who: &WhoAmI) -> String {
    let mut lines = Lines::default();
    lines.add("user", format!("{} ({}, {})", who.user.name, kind(who.user.kind), who.user.id));
    lines.add("key", format!("{} ({})", who.key.name, who.key.id));
    lines.add("scopes", who.key.scopes.join(" "));
    if let Some(project) = who.key.project {
        lines.add("only in", project.to_string());
    }
    if let Some(expires) = who.key.expires_at {
        lines.add("expires", expires.to_string());
    }
    for role in &who.roles {
        lines.add("role", format!("{} in {}", role.role, role.project_name));
    }
    lines.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_changes_only_what_is_named() {
        let before = Quota { running: 1, queued: 2, cpu_ms_per_day: 3, stored_bytes: 4 };
        let settings = ["running=9".to_owned(), "cpu_per_day=10h".to_owned()];
        assert_eq!(quota(&settings, before), Ok(Quota { running: 9, cpu_ms_per_day: 36_000_000, ..before }));
        for bad in ["running", "running=-1", "stored=much", "jobs=1"] {
            assert!(quota(&[bad.to_owned()], before).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_ceiling_names_limits_that_there_are() {
        assert_eq!(ceiling(&["memory=1G".into()]).unwrap().memory, Some(Quantity("1G".into())));
        assert!(ceiling(&["memry=1G".into()]).unwrap_err().contains("memry"));
    }
}
