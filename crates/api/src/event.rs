//! What happens to a job, in order: the one sequence that logs, followers and consoles are made from.

use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::id::WorkerId;
use crate::outcome::{Denial, Outcome};
use crate::time::Time;
use crate::watching::Sample;

/// Which stream of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What went through one connection to a place outside. The first two hundred of an attempt are told one by one, the
/// others together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Egress {
    /// Which host, as it was asked for; `*` for the others together.
    pub host: String,
    /// Which port; 0 for the others together.
    pub port: u16,
    /// How many connections this is about.
    pub connections: u64,
    /// Bytes that went out.
    pub up_bytes: u64,
    /// Bytes that came in.
    pub down_bytes: u64,
    /// How long it was open, milliseconds.
    pub ms: u64,
}

impl Egress {
    /// The most connections of one attempt that have an entry of their own.
    pub const ENTRIES_MOST: usize = 200;
}

/// One event of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Its place, from 1, without gaps.
    pub seq: u64,
    /// When the server recorded it.
    pub at: Time,
    /// The attempt that it belongs to; 0 before the first.
    pub attempt: u32,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    /// It was accepted and waits.
    Queued {},
    /// A worker took it.
    Leased {
        /// Which.
        worker: WorkerId,
    },
    /// The program is about to start; from here on it may have had effects.
    Started {},
    /// The program wrote something.
    Output {
        /// Where.
        stream: OutputStream,
        /// What; a piece may end in the middle of a character.
        data: Content,
    },
    /// Output that was not kept.
    Elided {
        /// Which stream.
        stream: OutputStream,
        /// How many bytes.
        bytes: u64,
    },
    /// An act was refused: one event for all that are alike, when the first of them happens.
    Denied {
        /// Which, and why. Its count is of that moment.
        denial: Box<Denial>,
    },
    /// It connected to a place outside, and that connection is over.
    Egress(Egress),
    /// What it uses now: a few times a second at first, rarer as it runs on.
    Sample(Sample),
    /// The attempt came to nothing before the program started, or may be repeated: it waits again.
    Requeued {
        /// Why.
        why: String,
    },
    /// Somebody asked for its end.
    CancelRequested {},
    /// It ended; nothing follows.
    Ended {
        /// How.
        outcome: Outcome,
    },
}

impl EventBody {
    /// The word for it on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            EventBody::Queued {} => "queued",
            EventBody::Leased { .. } => "leased",
            EventBody::Started {} => "started",
            EventBody::Output { .. } => "output",
            EventBody::Elided { .. } => "elided",
            EventBody::Denied { .. } => "denied",
            EventBody::Egress(_) => "egress",
            EventBody::Sample(_) => "sample",
            EventBody::Requeued { .. } => "requeued",
            EventBody::CancelRequested {} => "cancel_requested",
            EventBody::Ended { .. } => "ended",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_flat_and_comes_back() {
        let event = Event {
            seq: 3,
            at: Time(0),
            attempt: 1,
            body: EventBody::Output { stream: OutputStream::Stdout, data: Content(b"hi".to_vec()) },
        };
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(
            json,
            r#"{"seq":3,"at":"1970-01-01T00:00:00.000Z","attempt":1,"type":"output","stream":"stdout","data":{"text":"hi"}}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
    }
}
