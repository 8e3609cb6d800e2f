//! A stream that bears no stalling: it fails when the other side takes nothing for too long, or does not say for too
//! long what it speaks; and it closes so that a last answer arrives.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// How an HTTP/2 connection begins (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long to read on, after we closed, from a client that sends nothing more.
const LINGER_SILENT: Duration = Duration::from_millis(500);
/// How long to read on at all.
const LINGER_MOST: Duration = Duration::from_secs(10);

/// A guarded stream.
#[derive(Debug)]
pub(crate) struct Guarded<S> {
    stream: S,
    opening: Option<Opening>,
    stall: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    linger: Option<Linger>,
}

/// Before it is known whether the client speaks HTTP/1 or HTTP/2. hyper-util waits for that without a limit; from then on
/// hyper's own limits hold.
#[derive(Debug)]
struct Opening {
    matched: usize,
    deadline: Pin<Box<Sleep>>,
}

/// After our last byte. A socket that is closed while there is something unread in it resets the connection, and the reset
/// may overtake the answer (RFC 9112, section 9.6): a client that is still sending a body too large would not learn why.
#[derive(Debug)]
struct Linger {
    until: Instant,
    silence: Pin<Box<Sleep>>,
}

impl<S> Guarded<S> {
    /// `opening` bounds the time to the first words, `stall` that in which nothing is taken.
    pub(crate) fn new(stream: S, opening: Duration, stall: Duration) -> Guarded<S> {
        let opening = Some(Opening { matched: 0, deadline: Box::pin(sleep(opening)) });
        Guarded { stream, opening, stall, stalled: None, linger: None }
    }

    /// Passes on how a write went; one that waits for too long has failed.
    fn watched<T>(&mut self, cx: &mut Context<'_>, went: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if went.is_ready() {
            self.stalled = None;
            return went;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.stall)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the client takes nothing of its answer")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let went = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let Some(opening) = &mut this.opening else { return went };
        match went {
            Poll::Pending => {
                ready!(opening.deadline.as_mut().poll(cx));
                Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the client does not say what it speaks")))
            }
            Poll::Ready(result) => {
                let came = &buffer.filled()[before..];
                let rest = &PREFACE[opening.matched..];
                let compared = came.len().min(rest.len());
                opening.matched += compared;
                if came[..compared] != rest[..compared] || opening.matched == PREFACE.len() {
                    this.opening = None;
                }
                Poll::Ready(result)
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let went = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched(cx, went)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let went = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watched(cx, went)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let went = Pin::new(&mut self.stream).poll_flush(cx);
        self.watched(cx, went)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            let went = Pin::new(&mut this.stream).poll_shutdown(cx);
            ready!(this.watched(cx, went))?;
            let now = Instant::now();
            let silence = Box::pin(sleep_until(now + LINGER_SILENT));
            this.linger = Some(Linger { until: now + LINGER_MOST, silence });
        }
        let Some(linger) = &mut this.linger else { return Poll::Ready(Ok(())) };
        let mut space = [0; 8 << 10];
        // The client's end, an error, or our patience: whatever comes first.
        while linger.silence.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut space);
            let read = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            linger.silence.as_mut().reset((Instant::now() + LINGER_SILENT).min(linger.until));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const OPENING: Duration = Duration::from_secs(3);
    const STALL: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (ours, mut theirs) = duplex(16);
        let mut guarded = Guarded::new(ours, OPENING, STALL);
        guarded.write_all(&[1; 16]).await.unwrap();
        let started = Instant::now();
        let reading = async {
            // Taking a little just in time starts the patience anew.
            tokio::time::sleep(STALL - Duration::from_secs(1)).await;
            theirs.read_exact(&mut [0; 4]).await.unwrap();
        };
        let (failed, ()) = tokio::join!(guarded.write_all(&[1; 16]), reading);
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(started.elapsed(), STALL * 2 - Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_words_have_a_deadline_and_what_follows_has_none_here() {
        for (said, fails) in [("", true), ("P", true), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r", true)] {
            let (ours, mut theirs) = duplex(64);
            theirs.write_all(said.as_bytes()).await.unwrap();
            let mut guarded = Guarded::new(ours, OPENING, STALL);
            let started = Instant::now();
            let read = guarded.read_to_end(&mut Vec::new()).await;
            assert_eq!(read.is_err(), fails, "{said:?}");
            assert_eq!(started.elapsed(), OPENING);
        }
        for said in ["PUT / HTTP/1.1\r\n", "G", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
            let (ours, mut theirs) = duplex(64);
            theirs.write_all(said.as_bytes()).await.unwrap();
            let mut guarded = Guarded::new(ours, OPENING, STALL);
            let closing = async {
                tokio::time::sleep(OPENING * 2).await;
                drop(theirs);
            };
            let mut read = Vec::new();
            let (result, ()) = tokio::join!(guarded.read_to_end(&mut read), closing);
            assert_eq!(result.unwrap(), said.len());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_our_end_the_client_may_finish_but_not_for_ever() {
        let (ours, mut theirs) = duplex(16);
        let mut guarded = Guarded::new(ours, OPENING, STALL);
        let sending = async {
            for _ in 0..10 {
                tokio::time::sleep(LINGER_SILENT / 2).await;
                theirs.write_all(&[1; 16]).await.unwrap();
            }
            drop(theirs);
        };
        let (closed, ()) = tokio::join!(guarded.shutdown(), sending);
        closed.unwrap();

        let (ours, mut theirs) = duplex(16);
        let mut guarded = Guarded::new(ours, OPENING, STALL);
        let started = Instant::now();
        let sending = tokio::spawn(async move {
            while theirs.write_all(&[1; 7]).await.is_ok() {
                tokio::time::sleep(LINGER_SILENT / 2).await;
            }
        });
        guarded.shutdown().await.unwrap();
        assert_eq!(started.elapsed(), LINGER_MOST);
        drop(guarded);
        sending.await.unwrap();

        let (ours, _theirs) = duplex(16);
        let started = Instant::now();
        Guarded::new(ours, OPENING, STALL).shutdown().await.unwrap();
        assert_eq!(started.elapsed(), LINGER_SILENT);
    }
}
