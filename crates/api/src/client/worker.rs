//! What a worker asks of a server.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::connection::{ClientError, Connection};
use crate::content::Digest;
use crate::id::LeaseId;
use crate::work::{
    Append, Appended, Done, Enrol, Enrolled, HandBack, Heartbeat, HeartbeatAnswer, LeaseRequest, Leases, Settle,
};

/// How long an answer may take that nothing has to be waited for.
const PROMPT: Duration = Duration::from_secs(15);

/// A server, asked with a join token or a worker's credential.
#[derive(Debug, Clone)]
pub struct WorkerClient {
    connection: Connection,
}

impl WorkerClient {
    /// `connection` has the join token, or the credential.
    pub fn new(connection: Connection) -> WorkerClient {
        WorkerClient { connection }
    }

    /// Makes this worker known. The connection's token is the join token, which is used up by it; the same
    /// request may be sent again.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn enrol(&self, enrol: &Enrol) -> Result<Enrolled, ClientError> {
        let request = self.connection.request(Method::POST, "/v1/worker/enrol").json(enrol).timeout(PROMPT);
        self.connection.answer(request).await
    }

    /// Asks for work, and waits for it as long as the request says.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn leases(&self, ask: &LeaseRequest) -> Result<Leases, ClientError> {
        let patience = Duration::from_millis(ask.wait_ms) + PROMPT;
        let request = self.connection.request(Method::POST, "/v1/worker/leases").json(ask).timeout(patience);
        self.connection.answer(request).await
    }

    /// Renews leases, and hears what is to be done. After `patience` without an answer it is an error: another try
    /// may still come in time for the leases.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn heartbeat(&self, beat: &Heartbeat, patience: Duration) -> Result<HeartbeatAnswer, ClientError> {
        let request = self.connection.request(Method::POST, "/v1/worker/heartbeat").json(beat).timeout(patience);
        self.connection.answer(request).await
    }

    /// Everything about one lease, with the lease's own token.
    pub fn lease(&self, lease: LeaseId, token: &str) -> LeaseClient {
        LeaseClient { connection: self.connection.with_token(token), base: format!("/v1/worker/leases/{lease}") }
    }
}

/// A server, asked about one lease.
#[derive(Debug, Clone)]
pub struct LeaseClient {
    connection: Connection,
    base: String,
}

impl LeaseClient {
    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        what: &str,
        body: &impl serde::Serialize,
    ) -> Result<T, ClientError> {
        let path = format!("{}/{what}", self.base);
        self.connection.answer(self.connection.request(Method::POST, &path).json(body).timeout(PROMPT)).await
    }

    /// Reports what happened. The same report may be sent again.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn append(&self, append: &Append) -> Result<Appended, ClientError> {
        self.post("append", append).await
    }

    /// Reports the end. The same report may be sent again.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn settle(&self, settle: &Settle) -> Result<Done, ClientError> {
        self.post("settle", settle).await
    }

    /// Gives back a job that was not started.
    ///
    /// # Errors
    /// As [`ClientError`] says.
    pub async fn hand_back(&self, hand_back: &HandBack) -> Result<Done, ClientError> {
        self.post("hand-back", hand_back).await
    }

    /// Fetches a blob of at most `most` bytes piece by piece, and returns its size. Its digest is compared at the end;
    /// another content is an answer that makes no sense, and what was written of it is of no use.
    ///
    /// # Errors
    /// As [`ClientError`] says; `Setup` when it cannot be written.
    pub async fn blob(
        &self,
        digest: Digest,
        most: u64,
        into: &mut (impl AsyncWrite + Unpin),
    ) -> Result<u64, ClientError> {
        let request = self.connection.request(Method::GET, &self.blob_path(digest)).timeout(long(most));
        let mut response = self.connection.send(request).await?;
        let status = response.status().as_u16();
        let server = self.connection.target().to_string();
        let nonsense = |why: String| ClientError::Nonsense { server: server.clone(), status, why };
        let kept = |error: std::io::Error| ClientError::Setup(format!("the blob {digest} could not be kept: {error}"));
        let (mut hash, mut size) = (Sha256::new(), 0);
        while let Some(chunk) = response.chunk().await.map_err(|source| self.connection.unreachable(source))? {
            size += chunk.len() as u64;
            if size > most {
                return Err(nonsense(format!("the blob {digest} has more than {most} bytes")));
            }
            hash.update(&chunk);
            into.write_all(&chunk).await.map_err(kept)?;
        }
        into.flush().await.map_err(kept)?;
        match Digest(hash.finalize().into()) {
            found if found == digest => Ok(size),
            found => Err(nonsense(format!("asked for the blob {digest} it sent {found}"))),
        }
    }

    /// Uploads the file at `path`, of `size` bytes, as the blob `digest`.
    ///
    /// # Errors
    /// As [`ClientError`] says; `Setup` when the file cannot be opened.
    pub async fn upload(&self, digest: Digest, path: &Path, size: u64) -> Result<(), ClientError> {
        let file = tokio::fs::File::open(path)
            .await
            .map_err(|error| ClientError::Setup(format!("{}: {error}", path.display())))?;
        let request = self
            .connection
            .request(Method::PUT, &self.blob_path(digest))
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, size)
            .body(file)
            .timeout(long(size));
        let response = self.connection.send(request).await?;
        // Read to its end, so that the connection serves again.
        response.bytes().await.map(drop).map_err(|source| self.connection.unreachable(source))
    }

    fn blob_path(&self, digest: Digest) -> String {
        format!("{}/blobs/{digest}", self.base)
    }
}

/// How long that many bytes may take.
fn long(bytes: u64) -> Duration {
    PROMPT + Duration::from_millis(bytes.min(1 << 40) >> 8)
}

/// The digest and the size of everything that can be read.
///
/// # Errors
/// Those of the reader.
pub fn digest_of(mut reader: impl Read) -> std::io::Result<(Digest, u64)> {
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((Digest(hash.finalize().into()), size)),
            Ok(count) => {
                hash.update(&buffer[..count]);
                size += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_of_a_reader_is_that_of_its_bytes() {
        let bytes = vec![7; 200_000];
        assert_eq!(digest_of(bytes.as_slice()).unwrap(), (Digest::of(&bytes), 200_000));
    }

    #[test]
    fn a_large_blob_may_take_as_long_as_a_slow_line_needs() {
        assert_eq!(long(0), PROMPT);
        assert_eq!(long(256_000_000), PROMPT + Duration::from_secs(1000), "256 kB/s");
    }
}
