//! What programs use, and how the worker is, as the server hears it.

use std::time::Duration;

use gambeson_api::work::{Entry, Lease};
use gambeson_api::{End, LeaseId, Sample, StartAsked};
use gambeson_worker::Warmth;

use crate::server::{Listening, dead, lease, listen, processes};
use crate::{TTL, Worker, warm};

fn sampled(source: &str) -> Lease {
    Lease { samples: true, ..lease(source) }
}

fn samples(server: &Listening, job: LeaseId) -> Vec<Sample> {
    let inner = server.inner();
    let entries = inner.seen.entries[&job].iter();
    entries.filter_map(|entry| if let Entry::Sample(sample) = entry { Some(*sample) } else { None }).collect()
}

const BUSY: &str = "import time\nend = time.time() + 1.3\nwhile time.time() < end: pass";

#[tokio::test]
async fn what_a_program_uses_is_told_to_a_server_that_takes_it_and_to_no_other() {
    let _alone = warm::ALONE.lock().await;
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |config| config.warmth = Some(Warmth::new(gambeson_nursery_image::LIBRARY)));
    for start in [StartAsked::Cold, StartAsked::Warm] {
        let takes = server.submit(Lease { start, ..sampled(BUSY) });
        let takes_not = server.submit(Lease { start, ..lease(BUSY) });
        for job in [takes, takes_not] {
            assert_eq!(server.settled(job).await.report.outcome.end, End::Exited { code: 0 });
        }
        let told = samples(&server, takes);
        assert!(told.len() >= 3 && told[0].wall_ms >= 250, "{told:?}");
        for pair in told.windows(2) {
            assert!(pair[1].wall_ms >= pair[0].wall_ms + 250 && pair[1].cpu_ms > pair[0].cpu_ms, "{told:?}");
        }
        assert_eq!(samples(&server, takes_not), []);
    }
    let soon = server.submit(sampled("print(1)"));
    server.settled(soon).await;
    assert_eq!(samples(&server, soon), [], "it ended soon");
    worker.finish().await;
}

#[tokio::test]
async fn samples_alone_are_told_together_and_output_does_not_wait_for_them() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    let job = server.submit(sampled("import time\ntime.sleep(2.2)"));
    server.settled(job).await;
    let (told, reports) = (samples(&server, job).len(), server.inner().seen.appends);
    assert!(told >= 5, "{told}");
    assert!(reports <= 3, "that it starts, and two in as many seconds: {reports}");
    let job = server.submit(sampled("import time\ntime.sleep(0.6)\nprint('late', flush=True)\ntime.sleep(600)"));
    server.printed(job, "late").await;
    let told = samples(&server, job);
    assert!(told.last().is_some_and(|last| last.wall_ms < 1000), "it came with those that waited: {told:?}");
    server.change(|inner| inner.cancel.insert(job));
    server.settled(job).await;
    worker.finish().await;
}

#[tokio::test]
async fn samples_that_there_is_no_room_for_are_lost_and_output_is_not() {
    let server = listen(TTL).await;
    server.change(|inner| inner.faults.mute_appends = true);
    let worker = Worker::start(&server, |config| config.flush.most = 1000);
    let job = server.submit(sampled("import time\nprint('x' * 5000, flush=True)\ntime.sleep(1.5)\nprint('end')"));
    let begun = async {
        while processes(job).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(TTL, begun).await.expect("it never starts");
    dead(job).await;
    server.change(|inner| inner.faults.mute_appends = false);
    assert_eq!(server.settled(job).await.report.outcome.end, End::Exited { code: 0 });
    assert_eq!(server.stdout(job), "x".repeat(5000) + "\nend\n");
    assert!(samples(&server, job).len() <= 1, "{:?}", samples(&server, job));
    worker.finish().await;
}

#[tokio::test]
async fn heartbeats_say_how_many_cells_run_and_what_the_kernel_says_of_pressure() {
    let server = listen(Duration::from_secs(2)).await;
    let worker = Worker::start(&server, |_| {});
    let job = server.submit(lease("import time\ntime.sleep(600)"));
    let vitals = server.until("one runs", |inner| inner.seen.vitals.filter(|vitals| vitals.cells == 1)).await;
    assert_eq!(vitals.spares, 0, "nothing is kept warm");
    let told = std::path::Path::new("/proc/pressure/cpu").exists();
    assert_eq!((vitals.cpu_pressure.is_some(), vitals.io_pressure.is_some()), (told, told));
    server.change(|inner| inner.cancel.insert(job));
    server.settled(job).await;
    server.until("none runs", |inner| inner.seen.vitals.filter(|vitals| vitals.cells == 0)).await;
    worker.finish().await;
}
