//! Blobs on their way out and in.

use std::io;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use gambeson_api::{Blob, Code};
use gambeson_control::{BlobWriter, OpenBlob, Standing};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use crate::body::Incoming;
use crate::failure::{Answered, Failure};

/// Bytes that are read from a file at once.
const READ: usize = 64 << 10;
/// Bytes that are gathered before a thread that may block is asked to write them.
const GATHERED: usize = 256 << 10;

/// Sends a blob. What a program wrote is never shown by a browser as a page of ours: it is saved, under `name` if there
/// is one.
pub(crate) fn send(blob: OpenBlob, name: Option<&str>) -> Response {
    let file = tokio::fs::File::from_std(blob.file).take(blob.size);
    let pieces = ReaderStream::with_capacity(file, READ);
    // There is no way to say a problem in the middle of a file: it breaks off, which its length shows.
    let pieces = stream::unfold(Some((pieces, blob.standing)), |state| async {
        let (mut pieces, mut standing) = state?;
        if let Some(Err(problem)) = standing.as_mut().map(Standing::check) {
            return Some((Err(io::Error::other(problem.detail)), None));
        }
        pieces.next().await.map(|piece| (piece, Some((pieces, standing))))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(blob.size));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    let disposition = name.map_or_else(|| "attachment".to_owned(), disposition);
    let plain = HeaderValue::from_static("attachment");
    headers.insert(CONTENT_DISPOSITION, HeaderValue::try_from(disposition).unwrap_or(plain));
    response
}

/// The header that saves a file under the last part of `path`: once in plain ASCII for old readers, once as RFC 5987
/// has it (see RFC 6266).
fn disposition(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._-+=,@()[]".contains(c);
    let ascii: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        // attr-char of RFC 5987.
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

/// Takes a blob in. A client that goes away drops the writer, and with it what was written.
pub(crate) async fn receive(mut body: Incoming, mut writer: BlobWriter) -> Answered<Blob> {
    let mut gathered = Vec::new();
    loop {
        let piece = body.piece().await?;
        let last = piece.is_none();
        gathered.extend_from_slice(&piece.unwrap_or_default());
        if gathered.len() >= GATHERED || (last && !gathered.is_empty()) {
            let writing = tokio::task::spawn_blocking(move || {
                let written = writer.write(&gathered);
                gathered.clear();
                (writer, gathered, written)
            });
            let died = |_| Failure::new(Code::Internal, "the thread that writes a blob died");
            let written;
            (writer, gathered, written) = writing.await.map_err(died)?;
            written?;
        }
        if last {
            return Ok(writer.finish().await?);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    #[test]
    fn a_name_cannot_leave_its_header() {
        for (path, expected) in [
            ("plot.png", "attachment; filename=\"plot.png\"; filename*=UTF-8''plot.png"),
            ("a/b/ü.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%BC.txt"),
            ("a\"; x=\"b", "attachment; filename=\"a__ x=_b\"; filename*=UTF-8''a%22%3B%20x%3D%22b"),
            ("a\\'%b", "attachment; filename=\"a___b\"; filename*=UTF-8''a%5C%27%25b"),
        ] {
            assert_eq!(disposition(path), expected);
            assert!(HeaderValue::try_from(disposition(path)).is_ok());
        }
    }

    #[tokio::test]
    async fn a_blob_is_sent_whole_and_never_as_a_page() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes = vec![7; READ * 2 + 3];
        file.write_all(&bytes).unwrap();
        file.rewind().unwrap();
        let response = send(OpenBlob { file, size: bytes.len() as u64, standing: None }, Some("out/page.html"));
        assert_eq!(response.headers()["content-type"], "application/octet-stream");
        assert_eq!(response.headers()["content-length"], bytes.len().to_string());
        assert!(response.headers()["content-security-policy"].to_str().unwrap().starts_with("sandbox"));
        assert!(
            response.headers()["content-disposition"]
                .to_str()
                .unwrap()
                .starts_with("attachment; filename=\"page.html\"")
        );
        assert_eq!(axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap(), bytes);
    }
}
