//! What changes, as server-sent events.

use std::time::Duration;

use axum::body::Bytes;
use axum::response::Response;
use futures_util::{Stream, StreamExt, stream};
use gambeson_control::Listener;

use crate::follow::{KEEP_ALIVE, failed, sent};

/// The answer that tells what `listener` hears until it may not any more, or until `most` is over.
pub(crate) fn answer(listener: Listener, most: Option<Duration>) -> Response {
    let over = async move {
        match most {
            Some(most) => tokio::time::sleep(most).await,
            None => std::future::pending().await,
        }
    };
    sent(frames(listener).take_until(over))
}

fn frames(listener: Listener) -> impl Stream<Item = Bytes> + Send {
    // A comment at once: whoever reads it is listened for, and may read lists.
    let comment = || Bytes::from_static(b":\n\n");
    stream::unfold((Some(listener), true), move |(listener, first)| async move {
        let mut listener = listener?;
        if first {
            return Some((comment(), (Some(listener), false)));
        }
        match tokio::time::timeout(KEEP_ALIVE, listener.next()).await {
            Err(_) => Some((comment(), (Some(listener), false))),
            Ok(Ok(None)) => None,
            Ok(Ok(Some(news))) => {
                let size = news.iter().map(|one| one.json().len() + 32).sum();
                let mut bytes = Vec::with_capacity(size);
                for one in news {
                    for part in ["event: ", one.kind(), "\ndata: ", one.json(), "\n\n"] {
                        bytes.extend_from_slice(part.as_bytes());
                    }
                }
                Some((bytes.into(), (Some(listener), false)))
            }
            Ok(Err(problem)) => Some((failed(problem), (None, false))),
        }
    })
}
