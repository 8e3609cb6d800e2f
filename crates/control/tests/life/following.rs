//! Many who follow one job: each sees all of it, and what they see at the same time was read once.

use super::access::caller_with;
use super::*;
use gambeson_control::Follower;

/// A job that runs, with its lease.
async fn running(here: &Installation) -> Lease {
    let worker = here.worker().await;
    here.submit(|submission| submission.limits.output = Some(Quantity("64M".into()))).await.unwrap();
    let lease = here.leases(&worker, 1000).await.remove(0);
    here.append(&lease, 0, vec![Entry::Started {}]).await.unwrap();
    lease
}

/// Follows to the end, and returns the places that came.
async fn followed(mut follower: Follower, pause: Duration) -> Vec<u64> {
    let mut seqs = Vec::new();
    while let Some(page) = follower.next().await.unwrap() {
        seqs.extend(page.events().iter().map(|event| event.seq));
        tokio::time::sleep(pause).await;
    }
    seqs
}

#[tokio::test(flavor = "multi_thread")]
async fn many_followers_late_and_slow_ones_too_see_the_same_whole_sequence() {
    let here = Installation::with(|config| config.open_per_key = 200);
    let lease = running(&here).await;
    let follow = async |after: u64| here.control.job_events(&here.owner, lease.job, after, true).await.unwrap();
    let spawned = |follower, pause| tokio::spawn(followed(follower, Duration::from_millis(pause)));
    let mut following = Vec::new();
    for number in 0..60 {
        following.push(spawned(follow(0).await, if number % 20 == 0 { 15 } else { 0 }));
    }
    let mut place = 1;
    let mut more = async |rounds: u64| {
        for _ in 0..rounds {
            // More than is kept of all of them together.
            let entries: Vec<Entry> = (0..20).map(|_| output(&"x".repeat(4000))).collect();
            place = here.append(&lease, place, entries).await.unwrap();
        }
        place
    };
    more(30).await;
    for _ in 0..10 {
        following.push(spawned(follow(0).await, 0));
    }
    let resumed = spawned(follow(100).await, 1);
    let place = more(30).await;
    here.settle(&lease, place, vec![]).await.unwrap();
    // Queued, leased, what the worker said, ended.
    let all: Vec<u64> = (1..=2 + place + 1).collect();
    for one in following {
        assert_eq!(one.await.unwrap(), all);
    }
    assert_eq!(resumed.await.unwrap(), all[100..]);
    assert_eq!(followed(follow(0).await, Duration::ZERO).await, all);
    for after in [*all.last().unwrap(), u64::MAX] {
        assert_eq!(followed(follow(after).await, Duration::ZERO).await, [0; 0]);
    }
}

#[tokio::test]
async fn what_two_followers_see_at_the_end_is_read_and_written_once() {
    let here = Installation::new();
    let lease = running(&here).await;
    let mut followers = Vec::new();
    for after in [0, 1, 3] {
        let mut follower = here.control.job_events(&here.owner, lease.job, after, true).await.unwrap();
        if after < 3 {
            assert_eq!(follower.next().await.unwrap().unwrap().events().len() as u64, 3 - after);
        }
        followers.push(follower);
    }
    let write = |_: &Event, bytes: &mut Vec<u8>| bytes.push(b'x');
    for round in 1..4 {
        here.append(&lease, round, vec![output("a")]).await.unwrap();
        let mut seen = Vec::new();
        for follower in &mut followers {
            let bytes = follower.next().await.unwrap().unwrap().written(write);
            assert_eq!(bytes.as_ref(), b"x");
            seen.push(bytes);
        }
        assert!(seen.windows(2).all(|two| std::ptr::eq(two[0].as_ref(), two[1].as_ref())));
    }
}

#[tokio::test]
async fn who_resumes_at_any_event_goes_on_with_the_next_whether_it_is_kept_or_not() {
    let here = Installation::with(|config| config.open_per_key = 200);
    let lease = running(&here).await;
    let mut keeps = here.control.job_events(&here.owner, lease.job, 0, true).await.unwrap();
    keeps.next().await.unwrap().unwrap();
    let mut place = 1;
    for _ in 0..20 {
        let entries: Vec<Entry> = (0..20).map(|_| output(&"x".repeat(5000))).collect();
        place = here.append(&lease, place, entries).await.unwrap();
        keeps.next().await.unwrap().unwrap();
    }
    // Two megabytes were told, and one is kept: its edge is somewhere here.
    for after in (0..place + 2).step_by(7) {
        let mut resumed = here.control.job_events(&here.owner, lease.job, after, false).await.unwrap();
        let mut seqs = Vec::new();
        while let Some(page) = resumed.next().await.unwrap() {
            seqs.extend(page.events().iter().map(|event| event.seq));
        }
        assert_eq!(seqs, (after + 1..=place + 2).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_follower_whose_right_is_taken_away_ends_and_the_others_go_on() {
    let here = Installation::new();
    let vera = caller_with(&here, "vera", Some("viewer"), &["jobs:read"]).await;
    let lease = running(&here).await;
    let mut hers = here.control.job_events(&vera, lease.job, 3, true).await.unwrap();
    let mut ours = here.control.job_events(&here.owner, lease.job, 3, true).await.unwrap();
    here.append(&lease, 1, vec![output("a")]).await.unwrap();
    assert_eq!(hers.next().await.unwrap().unwrap().events()[0].seq, 4);
    let role = MemberChange { project: "default".into(), user: "vera".into(), role: "viewer".into() };
    here.control.member_remove(&here.owner, role).await.unwrap();
    here.append(&lease, 2, vec![output("b")]).await.unwrap();
    assert_eq!(hers.next().await.unwrap_err().code, Code::Forbidden);
    assert_eq!(ours.next().await.unwrap().unwrap().events().len(), 2);
}
