//! Output: exactly once, in order, bounded.

use std::time::Duration;

use gambeson_api::work::{Entry, Lease};
use gambeson_api::{ArrayId, ArrayPlace, Content, End, OutputStream};

use crate::server::{lease, listen, output, processes};
use crate::{TTL, Worker};

#[tokio::test]
async fn output_arrives_exactly_once_when_answers_are_cut_off_after_they_were_recorded() {
    let server = listen(TTL).await;
    server.change(|inner| inner.faults.cut = 8);
    let worker = Worker::start(&server, |config| config.flush.after = Duration::from_millis(1));
    let job = server.submit(lease(
        "import sys, time\n\
         for n in range(60):\n    print('line', n)\n    print('error', n, file=sys.stderr)\n    time.sleep(.005)\n",
    ));
    let settled = server.settled(job).await;
    assert_eq!(settled.report.outcome.end, End::Exited { code: 0 });
    let expected = |word: &str| (0..60).map(|n| format!("{word} {n}\n")).collect::<String>();
    let entries = server.inner().seen.entries[&job].clone();
    assert_eq!(output(&entries, OutputStream::Stdout), expected("line"));
    assert_eq!(output(&entries, OutputStream::Stderr), expected("error"));
    assert_eq!(entries[0], Entry::Started {});
    assert_eq!(entries.iter().filter(|entry| **entry == Entry::Started {}).count(), 1);
    assert!(server.inner().faults.cut < 5, "there were too few answers to cut off");
    worker.finish().await;
}

#[tokio::test]
async fn output_is_seen_while_the_program_runs() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    let job = server.submit(lease("print('early')\nimport time\ntime.sleep(600)"));
    server.printed(job, "early\n").await;
    server.change(|inner| inner.cancel.insert(job));
    server.settled(job).await;
    worker.finish().await;
}

#[tokio::test]
async fn a_flood_waits_when_the_server_does_not_take_it_and_then_arrives_whole() {
    let server = listen(TTL).await;
    server.change(|inner| inner.faults.mute_appends = true);
    let worker = Worker::start(&server, |config| config.flush.most = 128 << 10);
    let chunk = "x".repeat(16 << 10);
    let job = server.submit(lease(
        "import sys\nfor n in range(400):\n    sys.stdout.write('x' * (16 << 10))\n    sys.stdout.flush()\n",
    ));
    // What the program has written, as the kernel counts it, until it no longer grows.
    let written = || {
        let text = std::fs::read_to_string(format!("/proc/{}/io", processes(job).last()?)).ok()?;
        text.lines().find_map(|line| line.strip_prefix("wchar: ")?.parse::<u64>().ok())
    };
    let (mut last, mut since) = (0, tokio::time::Instant::now());
    let stands_still = async {
        while last == 0 || since.elapsed() < Duration::from_millis(400) {
            let now = written().unwrap_or(last);
            if now != last {
                (last, since) = (now, tokio::time::Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), stands_still).await.expect("it writes on");
    // The bound, one read beyond it, the pipe to us, the pipe of the cell, and the sandbox's own buffer.
    assert!(last > 128 << 10 && last < 600 << 10, "{last} bytes were written");
    server.change(|inner| inner.faults.mute_appends = false);
    let settled = server.settled(job).await;
    assert_eq!(settled.report.outcome.end, End::Exited { code: 0 }, "{}", settled.report.outcome.message);
    assert!(server.stdout(job) == chunk.repeat(400), "it is not whole");
    worker.finish().await;
}

#[tokio::test]
async fn what_is_beyond_the_limit_is_counted_in_an_entry_of_its_own() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    let mut wordy = lease("print('y' * 5000, end='')");
    wordy.limits.output_bytes = 1000;
    let job = server.submit(wordy);
    let settled = server.settled(job).await;
    assert_eq!(settled.report.outcome.end, End::LimitHit { limit: "output".into(), used: 5000, allowed: 1000 });
    let entries = server.inner().seen.entries[&job].clone();
    assert_eq!(entries.last(), Some(&Entry::Elided { stream: OutputStream::Stdout, bytes: 4000 }));
    assert!(output(&entries, OutputStream::Stdout).starts_with(&"y".repeat(1000)));
    worker.finish().await;
}

#[tokio::test]
async fn a_large_input_is_read_at_the_programs_own_pace_or_not_at_all() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    let stdin: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let with_input = |source: &str| {
        let mut lease = lease(source);
        lease.stdin = Content(stdin.clone());
        server.submit(lease)
    };
    let reads = with_input(
        "import sys\nprint('begins', flush=True)\ndata = sys.stdin.buffer.read()\n\
         print(len(data), data == bytes(n % 251 for n in range(3_000_000)))",
    );
    let ignores = with_input("print('no thanks')");
    server.settled(reads).await;
    server.settled(ignores).await;
    assert_eq!(server.stdout(reads), "begins\n3000000 True\n");
    assert_eq!(server.stdout(ignores), "no thanks\n");
    worker.finish().await;
}

#[tokio::test]
async fn an_element_of_an_array_knows_its_place() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    let mut element = lease(
        "import os\nprint(*(os.environ['GAMBESON_' + k] for k in ('ARRAY_INDEX', 'ARRAY_SIZE', 'JOB_ID')), os.environ['MINE'])",
    );
    element.array = Some(ArrayPlace { id: ArrayId::new(), index: 3, size: 17 });
    element.env = [("MINE".to_owned(), "yes".to_owned())].into();
    let name = element.job;
    let job = server.submit(element);
    server.settled(job).await;
    assert_eq!(server.stdout(job), format!("3 17 {name} yes\n"));
    worker.finish().await;
}

#[tokio::test]
async fn a_refused_act_is_told_while_the_program_runs_and_again_in_the_report() {
    let server = listen(TTL).await;
    let worker = Worker::start(&server, |_| {});
    let source =
        "import socket, sys\nfor family in (2, 2, 38):\n    try: socket.socket(family)\n    except OSError: pass\n";
    let job = server.submit(lease(&format!("{source}print('here')\nimport time\ntime.sleep(600)")));
    server.printed(job, "here\n").await;
    let denied = |entries: &[Entry]| -> Vec<_> {
        let told = |entry: &Entry| if let Entry::Denied { denial } = entry { denial.target.clone() } else { None };
        entries.iter().filter_map(told).collect()
    };
    server.change(|inner| inner.cancel.insert(job));
    let settled = server.settled(job).await;
    let entries = server.inner().seen.entries[&job].clone();
    assert_eq!(denied(&entries), ["IPv4 (TCP)", "the kernel's ciphers (AF_ALG)"]);
    let counts: Vec<u64> = settled.report.denials.iter().map(|denial| denial.count).collect();
    assert_eq!(counts, [2, 1]);
    assert_eq!(settled.report.denials[0].act, "socket");

    // A server of before says nothing of denials in its leases, and gets none.
    let quiet = server.submit(Lease { denials: false, ..lease(source) });
    assert_eq!(server.settled(quiet).await.report.denials.len(), 2);
    assert_eq!(denied(&server.inner().seen.entries[&quiet]), [""; 0]);
    worker.finish().await;
}
