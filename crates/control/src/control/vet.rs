//! Advice about what is submitted: had, acted upon by policies, shown, and measured.

use std::collections::{BTreeMap, BTreeSet};

use gambeson_api::{
    ArrayId, AuditRow, Finding, Job, JobId, ProjectId, StartAsked, Submission, UserId, VetDecision, VetRecord, Vetted,
    Waiting,
};

use super::jobs::facts;
use super::{Answer, Caller, Control, Target, as_project, unseen};
use crate::access::{self, Action};
use crate::admit::{Admitted, admit};
use crate::audit;
use crate::desk::Desk;
use crate::directory::Directory;
use crate::job;
use crate::store::{Hold, JobRow};
use crate::vetting::{self, Advice, Kept, Name, Read};

/// What policies demand of a submission that they allow.
#[derive(Debug, Default)]
pub(super) struct Demanded {
    hold: Option<Hold>,
    /// The policies by which it may not start warm.
    not_warm: Option<Hold>,
    rows: Vec<AuditRow>,
}

impl Demanded {
    pub(super) fn start(&self) -> StartAsked {
        if self.not_warm.is_some() { StartAsked::Fresh } else { StartAsked::Warm }
    }

    pub(super) fn with(self, findings: Option<Kept>) -> job::Conditions {
        job::Conditions { findings, hold: self.hold, rows: self.rows }
    }
}

/// Who may approve held jobs, in words. It takes many decisions to find, and is the same for all jobs of a user in a project: a
/// list finds it once.
#[derive(Debug, Default)]
pub(super) struct Approvers(BTreeMap<(ProjectId, UserId), String>);

impl Control {
    /// What there is to remark about a submission; `None` where nobody reads.
    pub(super) async fn advice(
        &self,
        caller: &Caller,
        project: ProjectId,
        submission: &Submission,
        admitted: &Admitted,
    ) -> Answer<Option<Advice>> {
        let read = self.read_source(caller, project, submission, admitted, true).await?;
        let directory = self.shared.directory();
        let settings = as_project(&directory, project)?;
        Ok(read.map(|read| Advice::of(&read, &admitted.ask, settings)))
    }

    async fn read_source(
        &self,
        caller: &Caller,
        project: ProjectId,
        submission: &Submission,
        admitted: &Admitted,
        submitting: bool,
    ) -> Answer<Option<std::sync::Arc<Read>>> {
        let reading = &self.shared.reading;
        if reading.is_off() {
            return Ok(None);
        }
        // Whether somebody else's file is known must not show: a source that names one is not read for those who may not
        // use it, and their submission is refused when it is queued.
        if !admitted.blobs.is_empty() {
            let blobs: BTreeSet<_> = admitted.blobs.iter().copied().collect();
            let held = self.read(move |store| {
                for digest in blobs {
                    if !store.is_held(&digest, project)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            });
            if !held.await? {
                return Ok(None);
            }
        }
        let name: Name = (admitted.source, submission.entry.clone());
        if let Some(read) = reading.known(&name) {
            return Ok(Some(read));
        }
        // Nobody has us work who may not submit: the refusal itself is decided and recorded by whoever asks for more.
        let context = self.context().submitting(access::SubmissionFacts {
            findings: access::FindingsFacts::nothing(),
            ..facts(admitted, None)
        });
        if submitting && !self.may_submit(&self.shared.directory(), caller, project, &context)? {
            return Ok(None);
        }
        let control = self.clone();
        let (files, entry) = (submission.files.clone(), submission.entry.clone());
        let gather = move || vetting::gathered(&files, &entry, &control.shared.depot);
        let begun = std::time::Instant::now();
        let read = reading.read(caller.user, name, gather).await;
        self.shared.meters.vetted(begun.elapsed());
        Ok(Some(read))
    }

    fn may_submit(
        &self,
        directory: &Directory,
        caller: &Caller,
        project: ProjectId,
        context: &access::Context,
    ) -> Answer<bool> {
        let principal = directory.principal(caller.user, Some(Self::key_row(directory, caller)?));
        let facts = Target::Project(project).facts(directory);
        Ok(self.shared.authority.allows(&principal, Action::JobSubmit, &facts, context))
    }

    /// What policies demand beside. Ours demand nothing: where no operator's bears on it, nothing is asked.
    pub(super) fn conditions(
        &self,
        directory: &Directory,
        caller: &Caller,
        project: ProjectId,
        context: &access::Context,
    ) -> Answer<Demanded> {
        let authority = &self.shared.authority;
        let mut demanded = Demanded::default();
        for action in [Action::JobSubmitUnheld, Action::JobSubmitWarm] {
            if !authority.has_operators(action) {
                continue;
            }
            let principal = directory.principal(caller.user, Some(Self::key_row(directory, caller)?));
            let target = Target::Project(project);
            let decision = authority.decide(&principal, action, &target.facts(directory), context);
            if decision.allowed {
                continue;
            }
            demanded.rows.push(AuditRow {
                key: Some(caller.key),
                project: Some(project),
                allowed: false,
                policies: decision.policies.clone(),
                detail: serde_json::json!({"says": decision.says}),
                ..audit::row(self.now(), directory.name_of_user(caller.user), action.name(), target.id())
            });
            let why = Some(Hold { policies: decision.policies, says: decision.says });
            if action == Action::JobSubmitUnheld {
                demanded.hold = why;
            } else {
                demanded.not_warm = why;
            }
        }
        Ok(demanded)
    }

    /// What is remarked about a submission, and what the project's policy would do with it. Nothing is kept.
    ///
    /// # Errors
    /// What makes no sense, or is not allowed.
    pub async fn vet(&self, caller: &Caller, submission: Submission) -> Answer<Vetted> {
        let directory = self.shared.directory();
        let named = submission.project.clone();
        let project = self.project_of(&directory, caller, Action::JobVet, named.as_deref()).await?;
        let looked = self.look(caller, Action::JobVet, Target::Project(project)).await;
        let directory = looked.map_err(unseen(project, named.as_deref()))?;
        let settings = as_project(&directory, project)?;
        let admitted = admit(&submission, settings, &self.shared.config.ceiling)?;
        let read = self.read_source(caller, project, &submission, &admitted, false).await?;
        let advice = read.as_ref().map(|read| Advice::of(read, &admitted.ask, settings));
        let context = self.context().submitting(facts(&admitted, advice.as_ref()));
        let policy = self.decision(&directory, caller, project, &admitted, &context)?;
        let kept = advice.map(|advice| advice.kept).unwrap_or_default();
        let report = read.as_deref().map(|read| &read.report);
        Ok(Vetted {
            findings: vetting::shown(&kept, None),
            silenced: read.as_deref().map(|read| Advice::silenced(read, &admitted.ask, settings)).unwrap_or_default(),
            more: kept.more,
            modules: report.map(|report| report.modules.iter().map(vetting::told_module).collect()).unwrap_or_default(),
            files_read: report.map_or(0, |report| report.files_read),
            bytes_read: report.map_or(0, |report| report.bytes_read),
            incomplete: report.is_none_or(|report| report.incomplete),
            policy,
        })
    }

    fn decision(
        &self,
        directory: &Directory,
        caller: &Caller,
        project: ProjectId,
        admitted: &Admitted,
        context: &access::Context,
    ) -> Answer<VetDecision> {
        let principal = directory.principal(caller.user, Some(Self::key_row(directory, caller)?));
        let facts = Target::Project(project).facts(directory);
        let decided = self.shared.authority.decide(&principal, Action::JobSubmit, &facts, context);
        let start = admitted.ask.start;
        if !decided.allowed {
            let policies = decided.policies;
            return Ok(VetDecision { decision: "refused".into(), why: Some(decided.says), policies, start });
        }
        let demanded = self.conditions(directory, caller, project, context)?;
        let start = start.max(demanded.start());
        let mut policies = decided.policies;
        let why = demanded.hold.as_ref().or(demanded.not_warm.as_ref()).map(|why| why.says.clone());
        let decision = if demanded.hold.is_some() { "held" } else { "accepted" };
        policies.extend(demanded.hold.into_iter().chain(demanded.not_warm).flat_map(|why| why.policies));
        Ok(VetDecision { decision: decision.into(), why, policies, start })
    }

    /// How good the advice was so far.
    ///
    /// # Errors
    /// When the caller may not see it.
    pub async fn vet_record(&self, caller: &Caller) -> Answer<VetRecord> {
        self.look(caller, Action::PostureView, Target::Platform).await?;
        let mut record = VetRecord { rules: Default::default(), missed: Default::default() };
        for (what, outcome, count) in self.read(|store| store.vet_record()).await? {
            match outcome.as_str() {
                "confirmed" => record.rules.entry(what).or_default().confirmed = count,
                "not_reached" => record.rules.entry(what).or_default().not_reached = count,
                _ => drop(record.missed.insert(what, count)),
            }
        }
        Ok(record)
    }

    /// Lets a held job run; of an array all of it, since it was one submission. One that is not held stays as it is.
    ///
    /// # Errors
    /// When there is none that the caller may approve.
    pub async fn job_approve(&self, caller: &Caller, id: JobId) -> Answer<Job> {
        let row = self.job_row(caller, Action::JobApprove, id).await?;
        let target = Target::job(&row);
        match row.array {
            None => {
                let act = move |desk: &mut Desk| desk.approve(id);
                self.perform(caller, Action::JobApprove, target, self.context(), act).await?;
            }
            Some(place) => {
                let array: ArrayId = place.id;
                let approve = |after: JobId| move |desk: &mut Desk| desk.approve_some(array, after);
                let first = approve(JobId::from_u128(0));
                let mut more = self.perform(caller, Action::JobApprove, target, self.context(), first).await?;
                while let Some(after) = more {
                    more = self.act(approve(after)).await?;
                }
            }
        }
        let row = self.job_row(caller, Action::JobApprove, id).await?;
        self.show(caller, row).await
    }

    /// Why a held job waits, and for whom.
    pub(super) fn held(&self, directory: &Directory, row: &JobRow, approvers: &mut Approvers) -> Option<Waiting> {
        let hold = row.held.as_ref()?;
        let who = approvers.0.entry((row.project, row.user)).or_insert_with(|| {
            let facts = Target::job(row).facts(directory);
            let who = self.shared.authority.who_may(Action::JobApprove, &facts, &self.context());
            who.map_or_else(|| "nobody may approve it".into(), |who| format!("to approve it takes {who}"))
        });
        let by = hold.policies.first().map_or_else(String::new, |policy| format!(" by {policy}"));
        let why = format!("held for approval{by}: {}; {who}", hold.says);
        Some(Waiting { position: None, expected_start_p50: None, expected_start_p90: None, why, held: true })
    }

    /// The findings that are kept about a job, as they are shown, and how many more there were.
    pub(super) async fn findings(&self, row: &JobRow) -> Answer<Option<(Vec<Finding>, u64)>> {
        if row.vetted.is_none_or(|count| count == 0) {
            return Ok(None);
        }
        let holder = row.findings_holder();
        let Some(body) = self.read(move |store| store.findings(holder)).await? else { return Ok(None) };
        // What an older version wrote and this one cannot read is not shown: it is advice.
        let kept: Kept = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Some((vetting::shown(&kept, row.verdicts.as_ref()), kept.more)))
    }
}
