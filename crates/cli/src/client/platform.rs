//! `gambeson queue`, `usage`, `workers`, `posture`, `backup` and `audit`.

use gambeson_api::client::{AuditFilter, Client};
use gambeson_api::{BackupRequest, LayerState, Queue, Vitals, Worker};

use super::args::{AuditCommand, AuditListOptions, WorkerCommand};
use super::failure::Failure;
use super::table::{Cell, Form, Table, duration, show, show_words, size};
use super::visible;
use crate::exit_code::ExitCode;
use crate::terminal::{print, remark};

/// `gambeson queue`.
pub async fn queue(client: &Client, form: Form) -> Result<(), Failure> {
    let queue = client.queue().await?;
    if form != Form::People {
        show(form, &queue, shares);
        return Ok(());
    }
    let held = if queue.held > 0 { format!(", {} held for an approval", queue.held) } else { String::new() };
    print(&format!("{} wait, {} run{held} in the projects that you see.\n\n", queue.queued, queue.running));
    show(form, &queue, shares);
    if !queue.next.is_empty() {
        print("\nYour next jobs:\n\n");
        show(form, &queue, next);
    }
    Ok(())
}

fn shares(queue: &Queue) -> Table {
    let mut table = Table::new(["project", "user", "queued", "running", "weight", "used", "due"]);
    for share in &queue.shares {
        table.row([
            (&share.project_name).into(),
            Cell::of(share.user, |user| Cell::from(share.user_name.clone().unwrap_or_else(|| user.to_string()))),
            share.queued.into(),
            share.running.into(),
            share.weight.into(),
            format!("{:.1}%", share.used * 100.0).into(),
            format!("{:.1}%", share.due * 100.0).into(),
        ]);
    }
    table
}

fn next(queue: &Queue) -> Table {
    let mut table = Table::new(["before", "id", "class", "user", "age", "why"]);
    for job in &queue.next {
        table.row([
            job.position.into(),
            job.id.into(),
            job.class.name().into(),
            (&job.user_name).into(),
            Cell::Age(job.submitted_at),
            Cell::of(job.why.as_deref(), Cell::from),
        ]);
    }
    table
}

/// `gambeson usage`.
pub async fn usage(client: &Client, project: Option<&str>, day: Option<&str>, form: Form) -> Result<(), Failure> {
    show(form, &client.usage(project, day).await?, |report| {
        let mut table = Table::new([
            "project",
            "user",
            "jobs",
            "cpu",
            "reserved",
            "cpu a day",
            "queued",
            "of",
            "running",
            "of",
            "stored",
            "of",
        ]);
        for line in &report.lines {
            table.row([
                (&line.project_name).into(),
                Cell::of(line.user_name.as_ref(), Cell::from),
                line.jobs.into(),
                Cell::Duration(line.cpu_ms),
                Cell::Duration(line.cpu_reserved_ms),
                Cell::Duration(line.quota.cpu_ms_per_day),
                line.queued.into(),
                line.quota.queued.into(),
                line.running.into(),
                line.quota.running.into(),
                Cell::Size(line.stored_bytes),
                Cell::Size(line.quota.stored_bytes),
            ]);
        }
        table
    });
    Ok(())
}

/// Of how much of the last ten seconds somebody waited for what: only what the worker's kernel says.
fn pressure(vitals: &Vitals) -> Option<String> {
    let parts = [("cpu", vitals.cpu_pressure), ("memory", vitals.memory_pressure), ("io", vitals.io_pressure)];
    let said = parts.into_iter().filter_map(|(name, part)| Some(format!("{name} {:.0}%", part?)));
    Some(said.collect::<Vec<_>>().join(", ")).filter(|said| !said.is_empty())
}

fn worker_table(workers: &[Worker]) -> Table {
    let mut table = Table::new([
        "id", "name", "state", "jobs", "slots", "cpus", "memory", "seen", "version", "cells", "spares", "pressure",
    ]);
    for worker in workers {
        let state = match (worker.connected, worker.draining) {
            (true, false) => "connected",
            (true, true) if worker.running == 0 => "drained",
            (true, true) => "draining",
            (false, false) => "away",
            (false, true) => "drained, away",
        };
        table.row([
            worker.id.into(),
            (&worker.name).into(),
            state.into(),
            worker.running.into(),
            worker.slots.into(),
            (f64::from(worker.cpus_milli) / 1000.0).into(),
            Cell::Size(worker.memory_bytes),
            Cell::Age(worker.seen_at),
            (&worker.version).into(),
            Cell::of(worker.vitals, |vitals| vitals.cells.into()),
            Cell::of(worker.vitals, |vitals| vitals.spares.into()),
            Cell::of(worker.vitals.as_ref().and_then(pressure), Cell::Text),
        ]);
    }
    table
}

/// `gambeson workers`.
pub async fn workers(client: &Client, form: Form) -> Result<(), Failure> {
    show(form, &client.worker_list().await?, |list| worker_table(&list.workers));
    Ok(())
}

/// `gambeson worker`.
pub async fn worker(client: &Client, command: &WorkerCommand, form: Form) -> Result<(), Failure> {
    let worker = match command {
        WorkerCommand::Drain { id } => client.worker_drain(*id).await?,
        WorkerCommand::Undrain { id } => client.worker_undrain(*id).await?,
    };
    show(form, &worker, |worker| worker_table(std::slice::from_ref(worker)));
    Ok(())
}

/// `gambeson join-token create`.
pub async fn join_token(client: &Client, form: Form) -> Result<(), Failure> {
    let token = client.join_token_create().await?;
    show_words(form, &token, |token| format!("{}\n", visible::line(&token.token)));
    if matches!(form, Form::People | Form::Fields) {
        remark(&format!("it works once, until {}, and cannot be shown again", token.expires_at));
    }
    Ok(())
}

/// `gambeson posture`.
pub async fn posture(client: &Client, form: Form) -> Result<(), Failure> {
    show(form, &client.posture().await?, |posture| {
        let mut table = Table::new(["worker", "layer", "state", "detail"]);
        for worker in &posture.workers {
            for layer in &worker.layers {
                let state = match layer.state {
                    LayerState::Held => "held",
                    LayerState::Missing => "missing",
                };
                table.row([(&worker.name).into(), (&layer.name).into(), state.into(), (&layer.detail).into()]);
            }
        }
        table
    });
    Ok(())
}

/// `gambeson attention`.
pub async fn attention(client: &Client, form: Form) -> Result<(), Failure> {
    show_words(form, &client.attention().await?, |list| {
        if list.matters.is_empty() {
            return "Nothing wants attention.\n".into();
        }
        let told = list.matters.iter().map(|matter| {
            let [says, remedy] = [&matter.says, &matter.remedy].map(|text| visible::line(text));
            format!("{}: {says}\n  {remedy}\n", visible::line(&matter.severity))
        });
        told.collect()
    });
    Ok(())
}

/// `gambeson vet --record`.
pub async fn vet_record(client: &Client, form: Form) -> Result<(), Failure> {
    show(form, &client.vet_record().await?, |record| {
        let mut table = Table::new(["what", "confirmed", "not reached", "missed"]);
        for (rule, counts) in &record.rules {
            table.row([rule.into(), counts.confirmed.into(), counts.not_reached.into(), 0u64.into()]);
        }
        for (act, missed) in &record.missed {
            table.row([act.into(), 0u64.into(), 0u64.into(), (*missed).into()]);
        }
        table
    });
    Ok(())
}

/// `gambeson backup`.
pub async fn backup(client: &Client, name: String, form: Form) -> Result<(), Failure> {
    let backup = client.backup(&BackupRequest { name }).await?;
    show_words(form, &backup, |backup| format!("{}\t{}\n", visible::line(&backup.path), size(backup.size)));
    Ok(())
}

/// `gambeson audit`.
pub async fn audit(client: &Client, command: AuditCommand, form: Form) -> Result<ExitCode, Failure> {
    match command {
        AuditCommand::List(options) => {
            audit_list(client, options, form).await?;
            Ok(ExitCode::Program(0))
        }
        AuditCommand::Verify { head } => {
            let verdict = client.audit_verify(head.as_deref()).await?;
            show_words(form, &verdict, |verdict| {
                let word = if verdict.whole { "whole" } else { "broken" };
                let broken = verdict.broken.as_ref().map(|why| format!("\n{}", visible::line(why))).unwrap_or_default();
                format!("{word}: {} rows, head {}{broken}\n", verdict.rows, visible::line(&verdict.head))
            });
            Ok(if verdict.whole { ExitCode::Program(0) } else { ExitCode::Refused })
        }
    }
}

async fn audit_list(client: &Client, options: AuditListOptions, form: Form) -> Result<(), Failure> {
    let allowed = if options.refused { Some(false) } else { options.allowed.then_some(true) };
    let AuditListOptions { after, limit, project, actor, action, resource, from, until, newest, all, .. } = options;
    let mut filter =
        AuditFilter { after, limit, project, actor, action, resource, allowed, from, until, newest_first: newest };
    // Places only grow, or only shrink: a page that does not go on would never end.
    let goes_on =
        |next: u64, after: Option<u64>| after.is_none_or(|after| if newest { next < after } else { next > after });
    let mut list = client.audit_list(&filter).await?;
    while all && let Some(next) = list.next.take().filter(|next| goes_on(*next, filter.after)) {
        filter.after = Some(next);
        let page = client.audit_list(&filter).await?;
        list.rows.extend(page.rows);
        list.next = page.next;
    }
    show(form, &list, |list| {
        let mut table = Table::new(["seq", "at", "actor", "action", "resource", "allowed", "policies"]);
        for row in &list.rows {
            table.row([
                row.seq.into(),
                row.at.into(),
                (&row.actor).into(),
                (&row.action).into(),
                (&row.resource).into(),
                (if row.allowed { "yes" } else { "no" }).into(),
                row.policies.join(" ").into(),
            ]);
        }
        table
    });
    if let (Some(next), Form::People) = (list.next, form) {
        remark(&format!("there are more: --all, or --after {next}"));
    }
    Ok(())
}

/// A quota in words.
pub fn quota(quota: &gambeson_api::Quota) -> String {
    format!(
        "running {}, queued {}, CPU {} a day, stored {}",
        quota.running,
        quota.queued,
        duration(quota.cpu_ms_per_day),
        size(quota.stored_bytes)
    )
}
