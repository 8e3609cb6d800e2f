//! Several jobs at once, never more than there is room for.

use gambeson_api::work::Room;

use crate::server::{lease, listen};
use crate::{TTL, Worker, room};

#[tokio::test]
async fn jobs_run_at_once_within_the_room_and_never_beyond() {
    let server = listen(TTL).await;
    let whole = Room { slots: 8, cpus_milli: 4000, memory_bytes: 700 << 20 };
    let worker = Worker::start(&server, |config| config.room = whole);
    let jobs: Vec<_> = (0..12u64)
        .map(|n| {
            let mut lease = lease("import time\ntime.sleep(.1)");
            lease.limits.memory_bytes = (64 + 64 * (n % 4)) << 20;
            lease.limits.cpus_milli = 500 + 500 * (n % 2) as u32;
            server.submit(lease)
        })
        .collect();
    for job in jobs {
        let settled = server.settled(job).await;
        assert_eq!(settled.report.outcome.end.kind(), "exited", "{}", settled.report.outcome.message);
    }
    server.change(|inner| {
        let most = inner.seen.most;
        assert!(most.slots > 1, "several at once: {most:?}");
        assert!(most.slots <= 8 && most.cpus_milli <= 4000 && most.memory_bytes <= 700 << 20, "{most:?}");
        for poll in &inner.seen.polls {
            assert_eq!(poll.room, whole);
        }
        let told = inner.seen.polls.iter().filter(|poll| poll.layers.is_some()).count();
        assert!(told == 1 && inner.seen.polls[0].layers.is_some(), "the layers are told once");
    });
    worker.finish().await;
}

/// How many of five jobs that sleep so long are handed back by a worker with room for two, to which all are granted at once.
async fn handed_back(seconds: f32) -> usize {
    let server = listen(TTL).await;
    server.change(|inner| inner.faults.overgrant = true);
    let jobs: Vec<_> = (0..5).map(|_| server.submit(lease(&format!("import time\ntime.sleep({seconds})")))).collect();
    let worker = Worker::start(&server, |config| config.room = room(2));
    let all = |inner: &mut crate::server::Inner| {
        (inner.seen.settled.len() + inner.seen.handed_back.len() == jobs.len()).then_some(())
    };
    server.until("every job is settled or handed back", all).await;
    assert_eq!(server.inner().seen.most.slots, 2);
    let handed_back = server.inner().seen.handed_back.len();
    worker.finish().await;
    handed_back
}

#[tokio::test]
async fn what_is_granted_beyond_the_room_is_handed_back() {
    assert_eq!(handed_back(3.0).await, 3);
}

#[tokio::test]
async fn what_is_granted_while_a_job_lets_go_of_its_room_waits_for_that() {
    // The server knows that a job is over as soon as that is recorded, its worker when it hears so.
    assert_eq!(handed_back(0.01).await, 0);
}
