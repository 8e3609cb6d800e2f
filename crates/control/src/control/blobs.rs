//! Blobs and artifacts.

use std::fs::File;

use gambeson_api::{
    ArtifactList, Blob, BlobQuery, BlobsMissing, Code, Digest, JobId, JobState, LeaseId, Problem, ProjectId, UserId,
};

use super::{Answer, Caller, Control, Standing, Target, unseen};
use crate::access::Action;
use crate::depot::{Incoming, io_problem};
use crate::desk::Desk;
use crate::store::BlobHold;

/// How long at least an upload waits for the settlement that names it, milliseconds.
const UNSETTLED_MS: u64 = 3_600_000;

/// An open blob.
#[derive(Debug)]
pub struct OpenBlob {
    /// Its file.
    pub file: File,
    /// Its size in bytes.
    pub size: u64,
    /// What the download stands on; a lease's own has none.
    pub standing: Option<Standing>,
}

/// A blob on its way in. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct BlobWriter {
    control: Control,
    incoming: Incoming,
    place: Place,
}

/// For whom a blob is kept.
#[derive(Debug, Clone)]
enum Place {
    Upload { caller: Caller, project: ProjectId },
    Lease { lease: LeaseId, token: String },
}

impl BlobWriter {
    /// Takes the next bytes. Blocks on the disk.
    ///
    /// # Errors
    /// When it gets too large, or the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> Answer<()> {
        self.incoming.write(bytes)
    }

    /// Keeps what was written, if it is what its digest says.
    ///
    /// # Errors
    /// When it is not, when a quota is used up, or when it may not be kept any more.
    pub async fn finish(self) -> Answer<Blob> {
        let BlobWriter { control, incoming, place } = self;
        let placed = tokio::task::spawn_blocking(move || incoming.finish()).await;
        let (digest, size) = placed.map_err(|_| Problem::new(Code::Unavailable, "the server is stopping"))??;
        match place {
            Place::Upload { caller, project } => {
                let user = caller.user;
                let act = move |desk: &mut Desk| {
                    let until = Some(desk.now().plus_ms(desk.config.keep_blobs_ms));
                    desk.keep(digest, size, project, user, None, until)
                };
                let context = control.context();
                control.perform(&caller, Action::BlobWrite, Target::Project(project), context, act).await?;
            }
            Place::Lease { lease, token } => {
                control
                    .act(move |desk| {
                        let (job, live) = desk.leased(lease, &token)?;
                        let (project, user) = (live.project, live.user);
                        // Until the settlement names it; that of an attempt that is lost never does.
                        let until = desk.now().plus_ms(desk.config.keep_blobs_ms.max(UNSETTLED_MS));
                        desk.keep(digest, size, project, user, Some(job), Some(until))
                    })
                    .await?;
            }
        }
        Ok(Blob { digest, size })
    }
}

impl Desk {
    fn keep(
        &mut self,
        digest: Digest,
        size: u64,
        project: ProjectId,
        user: UserId,
        job: Option<JobId>,
        until: Option<gambeson_api::Time>,
    ) -> crate::desk::Act<()> {
        // Whether the quota allows it is decided before the blob is known: what is not kept is swept.
        let now = self.now();
        self.store.blob_put(&digest, size, now)?;
        self.hold(BlobHold { digest, project, user, job, size, until })??;
        Ok(())
    }
}

impl Control {
    /// Which of some blobs the project does not have.
    ///
    /// # Errors
    /// When the caller may not upload there, or asks for too many.
    pub async fn blobs_missing(&self, caller: &Caller, query: BlobQuery) -> Answer<BlobsMissing> {
        if query.digests.len() > 10_000 {
            return Err(Problem::new(Code::TooLarge, "ask for at most 10,000 digests at once"));
        }
        let directory = self.shared.directory();
        let project = self.project_of(&directory, caller, query.project.as_deref())?;
        let looked = self.look(caller, Action::BlobWrite, Target::Project(project)).await;
        looked.map_err(unseen(project, query.project.as_deref()))?;
        let missing = self
            .read(move |store| {
                let mut missing = Vec::new();
                for digest in query.digests {
                    if !store.is_held(&digest, project)? || store.blob_size(&digest)?.is_none() {
                        missing.push(digest);
                    }
                }
                Ok(missing)
            })
            .await?;
        Ok(BlobsMissing { missing })
    }

    /// Begins to take a blob.
    ///
    /// # Errors
    /// When the caller may not upload there.
    pub async fn blob_write(&self, caller: &Caller, project: Option<&str>, digest: Digest) -> Answer<BlobWriter> {
        let directory = self.shared.directory();
        let name = project;
        let project = self.project_of(&directory, caller, name)?;
        // Decided again, with its row, when it is whole; here so that nobody fills the disk who may not upload.
        let ticket = self.ticket(&directory, caller, Action::BlobWrite, Target::Project(project), &self.context())?;
        if ticket.refusal.is_some() {
            self.record(ticket).await.map_err(unseen(project, name))?;
        }
        self.incoming(digest, Place::Upload { caller: caller.clone(), project })
    }

    fn incoming(&self, digest: Digest, place: Place) -> Answer<BlobWriter> {
        let incoming = self.shared.depot.writer(digest, self.shared.config.blob_max);
        let incoming = incoming.map_err(|error| io_problem(&error))?;
        Ok(BlobWriter { control: self.clone(), incoming, place })
    }

    /// Opens a blob that a project of the caller keeps.
    ///
    /// # Errors
    /// When there is none.
    pub async fn blob_read(&self, caller: &Caller, digest: Digest) -> Answer<OpenBlob> {
        let none = || Problem::new(Code::NotFound, format!("there is no blob {digest} that you may see"));
        let holders = self.read(move |store| store.holders(&digest)).await?;
        let directory = self.shared.directory();
        // Somebody who sees only their own jobs sees only the blobs that they keep.
        let mut place = None;
        for (project, user) in holders {
            let anybodys = Target::Job(JobId::from_u128(0), project, user);
            if self.may(&directory, caller, Action::BlobRead, Target::Project(project))?
                && self.may(&directory, caller, Action::JobSource, anybodys)?
            {
                place = Some(project);
                break;
            }
        }
        let project = place.ok_or_else(none)?;
        self.look(caller, Action::BlobRead, Target::Project(project)).await?;
        let standing = self.standing(caller, Some((Action::BlobRead, Target::Project(project))))?;
        self.open_blob(digest, Some(standing)).await
    }

    async fn open_blob(&self, digest: Digest, standing: Option<Standing>) -> Answer<OpenBlob> {
        let size = self.read(move |store| store.blob_size(&digest)).await?;
        let gone = || Problem::new(Code::Gone, format!("the content of {digest} was deleted"));
        let size = size.ok_or_else(gone)?;
        let file = self.shared.depot.read(&digest).map_err(|_| gone())?;
        Ok(OpenBlob { file, size, standing })
    }

    /// What a job left.
    ///
    /// # Errors
    /// When there is no job that the caller may see the output of.
    pub async fn artifacts(&self, caller: &Caller, id: JobId) -> Answer<ArtifactList> {
        let row = self.output_of(caller, id).await?;
        let artifacts = self.read(move |store| store.artifacts(id)).await?;
        let keep = self.shared.config.keep_artifacts_ms;
        let expires_at = row.ended.filter(|_| row.state == JobState::Ended).map(|ended| ended.plus_ms(keep));
        Ok(ArtifactList { artifacts, skipped: row.skipped, expires_at })
    }

    async fn output_of(&self, caller: &Caller, id: JobId) -> Answer<crate::store::JobRow> {
        let none = || Problem::new(Code::NotFound, format!("there is no {id} that you may see"));
        let row = self.read(move |store| store.job(id)).await?.ok_or_else(none)?;
        self.look(caller, Action::JobOutput, Target::job(&row)).await?;
        Ok(row)
    }

    /// Opens a file that a job left.
    ///
    /// # Errors
    /// When there is none, or its time is over.
    pub async fn artifact(&self, caller: &Caller, id: JobId, path: &str) -> Answer<OpenBlob> {
        let row = self.output_of(caller, id).await?;
        let artifacts = self.read(move |store| store.artifacts(id)).await?;
        match artifacts.into_iter().find(|artifact| artifact.path == path) {
            Some(artifact) => {
                let standing = self.standing(caller, Some((Action::JobOutput, Target::job(&row))))?;
                self.open_blob(artifact.digest, Some(standing)).await
            }
            None => {
                let over =
                    row.ended.is_some_and(|ended| ended.plus_ms(self.shared.config.keep_artifacts_ms) < self.now());
                Err(if over {
                    Problem::new(Code::Gone, "artifacts of this job were deleted")
                } else {
                    Problem::new(Code::NotFound, "the job left no such file")
                })
            }
        }
    }

    /// Opens a blob that a leased job needs.
    ///
    /// # Errors
    /// When the lease is lost, or its job does not name this blob.
    pub async fn lease_blob_read(&self, lease: LeaseId, token: Option<&str>, digest: Digest) -> Answer<OpenBlob> {
        let token = super::work::token("gml", token)?;
        self.act(move |desk| {
            let (job, _) = desk.leased(lease, &token)?;
            let row = desk.store.job(job)?;
            let source = row.map(|row| desk.store.source(&row.source)).transpose()?.flatten().unwrap_or_default();
            // As text, it can stand there only where a file is named by it, or where its own author put it.
            let named = String::from_utf8_lossy(&source).contains(&digest.to_string());
            if named { Ok(()) } else { Err(Problem::new(Code::NotFound, "the job names no such blob").into()) }
        })
        .await?;
        self.open_blob(digest, None).await
    }

    /// Begins to take an artifact of a leased job.
    ///
    /// # Errors
    /// When the lease is lost.
    pub async fn lease_blob_write(&self, lease: LeaseId, token: Option<&str>, digest: Digest) -> Answer<BlobWriter> {
        let token = super::work::token("gml", token)?;
        let check = token.clone();
        self.act(move |desk| desk.leased(lease, &check).map(drop)).await?;
        self.incoming(digest, Place::Lease { lease, token })
    }
}
