//! Blobs and artifacts.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use gambeson_api::{
    ArtifactList, Blob, BlobQuery, BlobsMissing, Code, Digest, FileContent, JobId, JobState, LeaseId, Problem,
    ProjectId, UserId,
};

use super::{Answer, Caller, Control, Standing, Target, unseen};
use crate::access::Action;
use crate::depot::{Depot, Incoming, Placed, io_problem};
use crate::desk::{Act, Desk, Effect};
use crate::store::{BlobHold, StoreError, Stored};
use crate::uploads::{Coming, Room, Uploads};

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
    /// `None` for what its user keeps already.
    coming: Option<Coming>,
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
    /// When it gets too large, the quota has no room for it, or the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> Answer<()> {
        if let Some(coming) = &mut self.coming {
            coming.take(bytes.len() as u64)?;
        }
        self.incoming.write(bytes)
    }

    /// Keeps what was written, if it is what its digest says.
    ///
    /// # Errors
    /// When it is not, when a quota is used up, or when it may not be kept any more.
    pub async fn finish(self) -> Answer<Blob> {
        let BlobWriter { control, incoming, coming, place } = self;
        let placed = tokio::task::spawn_blocking(move || incoming.finish()).await;
        let placed = placed.map_err(|_| Problem::new(Code::Unavailable, "the server is stopping"))??;
        let blob = Blob { digest: placed.digest, size: placed.size };
        let kept = control.keep(Arc::new(placed), place).await;
        if kept.is_err() {
            // Placed for nothing, unless it is somebody else's as well.
            control.writer.note(move |desk| Ok(desk.forget_unknown(&blob.digest)?)).await;
        }
        // Only now it is no longer on its way.
        drop(coming);
        kept.map(|()| blob)
    }
}

impl Desk {
    fn keep(
        &mut self,
        placed: &Placed,
        uploads: &Uploads,
        project: ProjectId,
        user: UserId,
        job: Option<JobId>,
        until: Option<gambeson_api::Time>,
    ) -> Act<()> {
        let Placed { digest, size, .. } = *placed;
        // What house-keeping removed between its arrival and now is put there again; on this thread, which removes.
        placed.stays()?;
        // All that can refuse it comes before the first row.
        self.hold(BlobHold { digest, project, user, job, size, until })??;
        let now = self.now();
        self.store.blob_put(&digest, size, now)?;
        uploads.note(project, user, self.room(project, user)?);
        Ok(())
    }

    /// Has the file of a blob removed, unless somebody keeps one.
    fn forget_unknown(&mut self, digest: &Digest) -> Stored<()> {
        if self.store.blob_size(digest)?.is_none() {
            self.effects.push(Effect::Forget(vec![*digest]));
        }
        Ok(())
    }

    fn room(&self, project: ProjectId, user: UserId) -> Answer<Room> {
        let books = &self.state.books;
        Ok(Room::left(self.state.quotas(project)?, books.project(project), books.user(project, user)))
    }

    /// How much room there is for a blob; `None` if its user keeps it already, and its file is there.
    fn room_for(&self, depot: &Depot, digest: &Digest, project: ProjectId, user: UserId) -> Act<Option<Room>> {
        if self.store.is_kept(digest, project, user)? && depot.has(digest) {
            return Ok(None);
        }
        Ok(Some(self.room(project, user)?))
    }
}

impl Control {
    async fn keep(&self, placed: Arc<Placed>, place: Place) -> Answer<()> {
        let uploads = Arc::clone(&self.shared.uploads);
        match place {
            Place::Upload { caller, project } => {
                let user = caller.user;
                let act = move |desk: &mut Desk| {
                    let until = Some(desk.now().plus_ms(desk.config.keep_blobs_ms));
                    desk.keep(&placed, &uploads, project, user, None, until)
                };
                self.perform(&caller, Action::BlobWrite, Target::Project(project), self.context(), act).await
            }
            Place::Lease { lease, token } => {
                self.act(move |desk| {
                    let (job, live) = desk.leased(lease, &token)?;
                    let (project, user) = (live.project, live.user);
                    // Until the settlement names it; that of an attempt that is lost never does.
                    let until = desk.now().plus_ms(desk.config.keep_blobs_ms.max(UNSETTLED_MS));
                    desk.keep(&placed, &uploads, project, user, Some(job), Some(until))
                })
                .await
            }
        }
    }

    /// Which of some blobs the project does not have.
    ///
    /// # Errors
    /// When the caller may not upload there, or asks for too many.
    pub async fn blobs_missing(&self, caller: &Caller, query: BlobQuery) -> Answer<BlobsMissing> {
        if query.digests.len() > 10_000 {
            return Err(Problem::new(Code::TooLarge, "ask for at most 10,000 digests at once"));
        }
        let directory = self.shared.directory();
        let project = self.project_of(&directory, caller, Action::BlobWrite, query.project.as_deref()).await?;
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

    /// Begins to take a blob of `size` bytes, where that is known.
    ///
    /// # Errors
    /// When the caller may not upload there, or has no room for it.
    pub async fn blob_write(
        &self,
        caller: &Caller,
        project: Option<&str>,
        digest: Digest,
        size: Option<u64>,
    ) -> Answer<BlobWriter> {
        let directory = self.shared.directory();
        let name = project;
        let project = self.project_of(&directory, caller, Action::BlobWrite, name).await?;
        // Decided again, with its row, when it is whole; here so that nobody fills the disk who may not upload.
        let ticket = self.ticket(&directory, caller, Action::BlobWrite, Target::Project(project), &self.context())?;
        if ticket.refusal.is_some() {
            self.record(ticket).await.map_err(unseen(project, name))?;
        }
        let (shared, user) = (Arc::clone(&self.shared), caller.user);
        let room = self.act(move |desk| desk.room_for(&shared.depot, &digest, project, user)).await?;
        self.incoming(digest, size, (project, user), room, Place::Upload { caller: caller.clone(), project })
    }

    fn incoming(
        &self,
        digest: Digest,
        size: Option<u64>,
        (project, user): (ProjectId, UserId),
        room: Option<Room>,
        place: Place,
    ) -> Answer<BlobWriter> {
        let most = self.shared.config.blob_max;
        if size.is_some_and(|size| size > most) {
            return Err(Problem::new(Code::TooLarge, format!("a blob may have at most {most} bytes")));
        }
        let (incoming, coming) = match room {
            None => (self.shared.depot.checker(digest, most), None),
            Some(room) => {
                let coming = self.shared.uploads.begin(project, user, room, size.unwrap_or(0))?;
                (self.shared.depot.writer(digest, most).map_err(|error| io_problem(&error))?, Some(coming))
            }
        };
        Ok(BlobWriter { control: self.clone(), incoming, coming, place })
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
        let Some(project) = place else {
            return self.refuse(&directory, caller, Action::BlobRead, digest.to_string(), none()).await;
        };
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
        let row = self.job_row(caller, Action::JobOutput, id).await?;
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
        let source = self
            .act(move |desk| {
                let (job, _) = desk.leased(lease, &token)?;
                Ok(desk.store.job(job)?.map(|row| row.source))
            })
            .await?;
        let none = || Problem::new(Code::NotFound, "the job names no such blob");
        let source = source.ok_or_else(none)?;
        let body = self.read(move |store| store.source(&source)).await?.ok_or_else(none)?;
        // The files, and nothing else that its author wrote.
        let files: BTreeMap<String, FileContent> = serde_json::from_slice(&body)
            .map_err(|error| crate::reading::store_problem(&StoreError::Failed(error.to_string())))?;
        let named = |file: &FileContent| matches!(file, FileContent::Blob { digest: named, .. } if *named == digest);
        if !files.values().any(named) {
            return Err(none());
        }
        self.open_blob(digest, None).await
    }

    /// Begins to take an artifact of a leased job, of `size` bytes where that is known.
    ///
    /// # Errors
    /// When the lease is lost, or there is no room for it.
    pub async fn lease_blob_write(
        &self,
        lease: LeaseId,
        token: Option<&str>,
        digest: Digest,
        size: Option<u64>,
    ) -> Answer<BlobWriter> {
        let token = super::work::token("gml", token)?;
        let (check, shared) = (token.clone(), Arc::clone(&self.shared));
        let (whose, room) = self
            .act(move |desk| {
                let (_, live) = desk.leased(lease, &check)?;
                let (project, user) = (live.project, live.user);
                Ok(((project, user), desk.room_for(&shared.depot, &digest, project, user)?))
            })
            .await?;
        self.incoming(digest, size, whose, room, Place::Lease { lease, token })
    }
}
