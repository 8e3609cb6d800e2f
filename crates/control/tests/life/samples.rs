//! What running jobs use, and how workers are: told, shown, bounded.

use gambeson_api::work::Append;
use gambeson_control::JobFilter;

use super::*;

fn sample(wall_ms: u64) -> Sample {
    Sample { wall_ms, cpu_ms: wall_ms / 2, memory_bytes: Some(9 << 20), pids: Some(1), ..Sample::default() }
}

async fn started(here: &Installation) -> (JobId, Lease) {
    let worker = here.worker().await;
    let id = here.submit(|_| {}).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    (id, lease)
}

async fn listed(here: &Installation) -> Option<Sample> {
    here.control.jobs(&here.owner, JobFilter::default()).await.unwrap().jobs[0].now
}

#[tokio::test]
async fn a_sample_is_an_event_and_what_a_running_job_uses_now() {
    let here = Installation::new();
    let (id, lease) = started(&here).await;
    assert!(lease.samples, "the server says that it takes them");
    assert_eq!((here.job(id).await.now, listed(&here).await), (None, None));
    here.append(&lease, 1, vec![Entry::Sample(sample(250)), output("a"), Entry::Sample(sample(500))]).await.unwrap();
    assert_eq!((here.job(id).await.now, listed(&here).await), (Some(sample(500)), Some(sample(500))));
    let here = here.restart().await;
    assert_eq!(here.job(id).await.now, None, "nothing is known before the next one");
    here.append(&lease, 4, vec![Entry::Sample(sample(750))]).await.unwrap();
    assert_eq!(here.job(id).await.now, Some(sample(750)));
    here.settle(&lease, 5, vec![Entry::Sample(sample(1000)), output("b")]).await.unwrap();
    let job = here.job(id).await;
    assert_eq!((job.now, job.stdout.as_deref(), listed(&here).await), (None, Some("ab"), None), "it has ended");
    let kinds = ["queued", "leased", "started", "sample", "output", "sample", "sample", "sample", "output", "ended"];
    assert_eq!(here.kinds(id).await, kinds);
}

#[tokio::test]
async fn what_an_earlier_attempt_used_is_not_what_the_next_one_uses() {
    let here = Installation::new();
    let worker = here.worker().await;
    let id = here.submit(|submission| submission.may_rerun = true).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}, Entry::Sample(sample(9000))]).await.unwrap();
    here.pass(18_000).await;
    assert_eq!(here.job(id).await.now, None);
    let lease = here.leases(&worker, 5000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    assert_eq!((here.job(id).await.now, lease.attempt), (None, 2));
    here.append(&lease, 1, vec![Entry::Sample(sample(250))]).await.unwrap();
    assert_eq!(here.job(id).await.now, Some(sample(250)));
}

#[tokio::test]
async fn samples_of_one_attempt_are_bounded_in_number_and_make_sense() {
    let here = Installation::new();
    let (id, lease) = started(&here).await;
    here.append(&lease, 1, vec![Entry::Sample(sample(500))]).await.unwrap();
    let backwards = vec![Entry::Sample(sample(499))];
    assert_eq!(here.append(&lease, 2, backwards).await.unwrap_err().code, Code::InvalidValue);
    for change in [
        (|sample: &mut Sample| sample.cpu_ms = u64::MAX) as fn(&mut Sample),
        |sample| sample.memory_bytes = Some(u64::MAX),
        |sample| sample.write_bytes = Some((1 << 53) + 1),
    ] {
        let mut one = sample(600);
        change(&mut one);
        assert_eq!(here.append(&lease, 2, vec![Entry::Sample(one)]).await.unwrap_err().code, Code::InvalidValue);
    }
    let mut next = 2;
    for _ in 0..Append::SAMPLES_MOST / Append::ENTRIES_MOST + 1 {
        let many = (next..).take(Append::ENTRIES_MOST).map(|place| Entry::Sample(sample(1000 + place)));
        next = here.append(&lease, next, many.collect()).await.unwrap();
    }
    here.append(&lease, next, vec![output("a"), Entry::Sample(sample(99_999))]).await.unwrap();
    assert_eq!(here.job(id).await.now, Some(sample(99_999)), "the last one is known, if not kept");
    here.settle(&lease, next + 2, vec![output("b")]).await.unwrap();
    let events = here.events(id).await;
    assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq), "no number is left out");
    let samples = events.iter().filter(|event| matches!(event.body, EventBody::Sample(_))).count();
    assert_eq!((samples, events.len()), (Append::SAMPLES_MOST, Append::SAMPLES_MOST + 6));
    assert_eq!(here.job(id).await.stdout.as_deref(), Some("ab"), "beyond all of them");
}

#[tokio::test]
async fn a_worker_is_as_its_last_heartbeat_said_within_what_can_be() {
    let here = Installation::new();
    let worker = here.worker().await;
    let shown = async || here.control.workers(&here.owner).await.unwrap().workers[0].vitals;
    assert_eq!(shown().await, None);
    let beat = async |vitals| {
        let beat = Heartbeat { leases: Vec::new(), wait_ms: 0, vitals };
        here.control.worker_heartbeat(&worker, beat).await.unwrap();
    };
    let vitals = Vitals { cells: 3, spares: 2, cpu_pressure: Some(12.5), ..Vitals::default() };
    beat(Some(vitals)).await;
    assert_eq!(shown().await, Some(vitals));
    assert!(here.leases(&worker, 0).await.is_empty());
    assert_eq!(shown().await, Some(vitals), "it asked for work meanwhile");
    beat(Some(Vitals { cells: u64::MAX, cpu_pressure: Some(1e300), io_pressure: Some(-1.0), ..vitals })).await;
    let cut = Vitals { cells: 1 << 53, cpu_pressure: Some(100.0), io_pressure: Some(0.0), ..vitals };
    assert_eq!(shown().await, Some(cut));
    beat(None).await;
    assert_eq!(shown().await, None, "a worker that says nothing");
}
