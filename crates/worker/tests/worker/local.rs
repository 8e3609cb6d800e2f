//! Clients on the worker's own machine that say what nobody should.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gambeson_api::Limits;
use gambeson_api::local::{FRAME_MOST, File, Frame, HEAD_MOST, HELLO, Interpreter, READY, Request};
use gambeson_sandbox::{Network, Spec, Staged, Streams, Terminal};
use gambeson_worker::{Local, Lost, Warmth, ask};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::SealFlags;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};
use rustix::pipe::PipeFlags;

use crate::server::{lease, listen};
use crate::{TTL, Worker, environment};

fn offering(server: &crate::server::Server, socket: PathBuf, slots: u32) -> Worker {
    Worker::start(server, |config| {
        config.warmth = Some(Warmth::new(gambeson_nursery_image::LIBRARY));
        let ceiling = Limits { memory_bytes: 1 << 28, ..Limits::default() };
        config.local = Some(Local { socket, uids: Vec::new(), gids: Vec::new(), slots, ceiling });
    })
}

fn spec(source: &str) -> Spec {
    Spec {
        environment: environment(),
        args: vec!["main.py".into()],
        env: vec![("PYTHONUNBUFFERED".into(), "1".into())],
        files: vec![Staged::File { path: "main.py".into(), executable: false, contents: source.into() }],
        limits: gambeson_sandbox::Limits::default(),
        network: Network::None,
        terminal: Terminal::None,
        accept_missing: Vec::new(),
    }
}

/// Runs a program, as an honest client does: what it printed, or why it starts cold.
fn run(socket: &Path, source: &str) -> Result<String, String> {
    let spec = spec(source);
    let told = ask(socket, &spec, false)?.wait(Streams::kept(), None, &spec.limits).map_err(|lost| lost.to_string())?;
    Ok(String::from_utf8(told.stdout).unwrap())
}

fn run_until_warm(socket: &Path) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match run(socket, "print(1)") {
            Ok(printed) => return assert_eq!(printed, "1\n"),
            Err(why) => assert!(Instant::now() < deadline, "{why}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn connect(socket: &Path) -> OwnedFd {
    let connection =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    rustix::net::connect(&connection, &SocketAddrUnix::new(socket).unwrap()).unwrap();
    connection
}

fn say(connection: &OwnedFd, bytes: &[u8]) {
    assert!(attach(connection, bytes, &[]));
}

/// Whether the kernel let us say it with these.
fn attach(connection: &OwnedFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> bool {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(200))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(fds.is_empty() || ancillary.push(SendAncillaryMessage::ScmRights(fds)));
    match rustix::net::sendmsg(connection, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL) {
        Ok(count) => count == bytes.len(),
        // Since Linux 6.16.
        Err(Errno::PERM) if !fds.is_empty() => false,
        Err(errno) => panic!("{errno}"),
    }
}

/// What the worker says; `None` at the end of the connection.
fn hear(connection: &OwnedFd) -> Option<(Frame, Vec<OwnedFd>)> {
    let mut bytes = vec![0; FRAME_MOST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let got = rustix::net::recvmsg(connection, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, flags).ok()?.bytes;
    if got == 0 {
        return None;
    }
    let rights = |message| if let RecvAncillaryMessage::ScmRights(fds) = message { Some(fds) } else { None };
    let fds = ancillary.drain().filter_map(rights).flatten().collect();
    Some((Frame::decode(&bytes[..got]).unwrap(), fds))
}

const ALL: SealFlags = SealFlags::WRITE.union(SealFlags::SHRINK).union(SealFlags::GROW);

/// A connection that may ask, and the file to ask by.
fn greet(socket: &Path) -> (OwnedFd, OwnedFd) {
    let connection = connect(socket);
    say(&connection, HELLO);
    let (frame, mut fds) = hear(&connection).unwrap();
    assert_eq!((frame, fds.len()), (Frame::Write {}, 1));
    (connection, fds.remove(0))
}

/// Asks with these bytes and seals.
fn request_with(socket: &Path, bytes: &[u8], seals: SealFlags) -> OwnedFd {
    let (connection, file) = greet(socket);
    let mut rest = bytes;
    while !rest.is_empty() {
        rest = &rest[rustix::io::write(&file, rest).unwrap()..];
    }
    rustix::fs::fcntl_add_seals(&file, seals).unwrap();
    say(&connection, READY);
    connection
}

fn with_head(length: u32, head: &[u8], contents: &[u8]) -> Vec<u8> {
    [&length.to_le_bytes()[..], head, contents].concat()
}

fn request(contents: &str) -> Request {
    let paths = |paths: &[PathBuf]| paths.iter().map(|path| path.to_str().unwrap().to_owned()).collect();
    let environment = environment();
    Request {
        interpreter: Interpreter {
            executable: environment.executable.to_str().unwrap().into(),
            version: environment.version.clone(),
            directories: paths(&environment.directories),
            files: paths(&environment.files),
            links: environment
                .links
                .iter()
                .map(|(at, to)| (at.to_str().unwrap().into(), to.to_str().unwrap().into()))
                .collect(),
        },
        args: vec!["main.py".into()],
        env: vec![("PYTHONUNBUFFERED".into(), "1".into())],
        files: vec![File::Regular { path: "main.py".into(), executable: false, size: contents.len() as u64 }],
        limits: Limits::default(),
        network: gambeson_api::Network::None,
        collect: false,
    }
}

fn whole(request: &Request, contents: &str) -> Vec<u8> {
    let head = request.encode().unwrap();
    with_head(head.len() as u32, &head, contents.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_answered_with_a_reason_and_harms_nobody() {
    let _alone = crate::warm::ALONE.lock().await;
    let (server, dir) = (listen(TTL).await, tempfile::tempdir().unwrap());
    let socket = dir.path().join("run/cells.sock");
    let worker = offering(&server, socket.clone(), 2);
    tokio::task::spawn_blocking(move || hostile(&socket)).await.unwrap();
    // The queue has what it needs.
    let job = server.submit(lease("print('of the queue')"));
    server.settled(job).await;
    assert_eq!(server.stdout(job), "of the queue\n");
    worker.finish().await;
}

fn hostile(socket: &Path) {
    run_until_warm(socket);
    let source = "print('ran')";
    let good = whole(&request(source), source);
    let answer = |bytes: &[u8], seals: SealFlags| hear(&request_with(socket, bytes, seals)).map(|(frame, _)| frame);
    assert_eq!(answer(&good, ALL), Some(Frame::Warm {}), "the control");
    let cold = |what: &str, frame: Option<Frame>| match frame {
        Some(Frame::Cold { why }) => assert!(!why.is_empty() && why.len() < 300, "{what}: {why}"),
        other => panic!("{what}: {other:?}"),
    };

    for (what, bytes) in [
        ("another version", &b"gambeson cells 1"[..]),
        ("more than a version", b"gambeson cells 2 "),
        ("less than one", b"gambeson cells"),
        ("a long message", &[0; 50_000]),
    ] {
        let connection = connect(socket);
        say(&connection, bytes);
        cold(what, hear(&connection).map(|(frame, _)| frame));
    }
    for (what, bytes) in [("no word that it is written", &b"steady"[..]), ("a long one", &[0; 50_000])] {
        let (connection, _file) = greet(socket);
        say(&connection, bytes);
        cold(what, hear(&connection).map(|(frame, _)| frame));
    }
    for (what, seals) in [
        ("a file that can be changed", SealFlags::empty()),
        ("one that can be written to", ALL - SealFlags::WRITE),
        ("one that can be cut", ALL - SealFlags::SHRINK),
        ("one that can grow", ALL - SealFlags::GROW),
    ] {
        cold(what, answer(&good, seals));
    }
    attached(socket);
    let head = request(source).encode().unwrap();
    let length = head.len() as u32;
    let json = |text: &str| with_head(text.len() as u32, text.as_bytes(), b"");
    for (what, bytes) in [
        ("nothing", Vec::new()),
        ("half a length", vec![1, 0]),
        ("a head that is not there", with_head(length, b"", b"")),
        ("a head that is cut", with_head(length, &head[..head.len() - 1], b"")),
        ("the longest length", with_head(u32::MAX, &head, source.as_bytes())),
        ("a long head", with_head(HEAD_MOST as u32 + 1, &vec![b' '; HEAD_MOST + 1], b"")),
        ("no JSON", json("\u{0}\u{ff}")),
        ("deep JSON", json(&"[".repeat(100_000))),
        ("another thing", json("{}")),
        ("contents that are cut", with_head(length, &head, &source.as_bytes()[1..])),
        ("contents that go on", with_head(length, &head, b"print('ran')\n#")),
    ] {
        cold(what, answer(&bytes, ALL));
    }
    type Change = fn(&mut Request);
    let changes: [(&str, Change); 12] = [
        ("a path that leads out", |request| request.files.push(File::Directory { path: "../x".into() })),
        ("a path of the host", |request| request.files.push(File::Link { path: "/etc/x".into(), target: "y".into() })),
        ("a path twice", |request| request.files.push(File::Directory { path: "main.py".into() })),
        ("a name with a NUL", |request| request.files.push(File::Directory { path: "a\0b".into() })),
        ("an argument with a NUL", |request| request.args.push("a\0b".into())),
        ("no script", |request| request.args.clear()),
        ("an option", |request| request.args[0] = "-c".into()),
        ("a variable that acts", |request| request.env.push(("LD_PRELOAD".into(), "/work/x".into()))),
        ("another interpreter", |request| request.interpreter.executable = "/bin/sh".into()),
        ("no memory", |request| request.limits.memory_bytes = 0),
        ("more than the ceiling", |request| request.limits.memory_bytes = (1 << 28) + 1),
        ("no limit at all", |request| request.limits.wall_ms = u64::MAX),
    ];
    for (what, change) in changes {
        let mut changed = request(source);
        change(&mut changed);
        cold(what, answer(&whole(&changed, source), ALL));
    }
    let mut words = request(source);
    words.args.extend((0..5000).map(|number| number.to_string()));
    cold("many arguments", answer(&whole(&words, source), ALL));

    // One that says nothing is not waited for, and as many as like do not keep others out for long.
    let began = Instant::now();
    let silent: Vec<OwnedFd> = (0..60).map(|_| connect(socket)).collect();
    let refused =
        silent.iter().filter(|one| matches!(hear(one), Some((Frame::Cold { why }, _)) if why.contains("too many")));
    assert!(refused.count() >= 30);
    assert!(began.elapsed() < Duration::from_secs(10));
    run_until_warm(socket);

    // One that does not read, holds only its own cell up.
    let flood = "import sys\nfor _ in range(1000): sys.stdout.write('x' * 1000)";
    let connection = request_with(socket, &whole(&request(flood), flood), ALL);
    let (frame, fds) = hear(&connection).unwrap();
    assert!(frame == Frame::Warm {} && fds.len() == 4);
    for _ in 0..3 {
        // What ran has its room until it has told its end.
        run_until_warm(socket);
    }
    drop((connection, fds));

    // Whatever it says afterwards cancels, as does its end.
    let sleeps = "import time; time.sleep(50)";
    let says = "import time; print(1); time.sleep(50)";
    for speak in [true, false] {
        let connection = request_with(socket, &whole(&request(says), says), ALL);
        let (frame, fds) = hear(&connection).unwrap();
        assert_eq!(frame, Frame::Warm {});
        if speak {
            // Cancelled before it runs, it never began.
            poll(&mut [PollFd::new(&fds[1], PollFlags::IN)], None).unwrap();
            say(&connection, &[0; 1000]);
            let told = hear(&connection).map(|(frame, _)| frame);
            let Some(Frame::Ended { report }) = told else { panic!("it is not told: {told:?}") };
            assert_eq!(report.outcome.end, gambeson_api::End::Cancelled {});
        }
        drop(connection);
        // Both slots are free.
        run_until_warm(socket);
    }
    let full: Vec<(OwnedFd, Vec<OwnedFd>)> = (0..2)
        .map(|_| {
            let deadline = Instant::now() + Duration::from_secs(20);
            loop {
                let connection = request_with(socket, &whole(&request(sleeps), sleeps), ALL);
                match hear(&connection).unwrap() {
                    (Frame::Warm {}, fds) => return (connection, fds),
                    (other, _) => assert!(Instant::now() < deadline, "{other:?}"),
                }
            }
        })
        .collect();
    let why = run(socket, "print(1)").unwrap_err();
    assert!(why.contains("no room"), "{why}");
    drop(full);
    run_until_warm(socket);
}

/// What a client attaches to a message is open nowhere else once that was heard, whatever kernel this is.
fn attached(socket: &Path) {
    for ready in [false, true] {
        let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::NONBLOCK).unwrap();
        let (connection, _file) = if ready {
            let (connection, file) = greet(socket);
            (connection, Some(file))
        } else {
            (connect(socket), None)
        };
        let said = if ready { READY } else { HELLO };
        if !attach(&connection, said, &[writer.as_fd(); 200]) {
            // The control: without them it may be said.
            say(&connection, said);
        }
        drop(writer);
        assert!(hear(&connection).is_some());
        assert_eq!(rustix::io::read(&reader, &mut [0; 1][..]), Ok(0), "nobody has the other end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_says_so_to_the_programs_of_its_machine() {
    let _alone = crate::warm::ALONE.lock().await;
    let (server, dir) = (listen(TTL).await, tempfile::tempdir().unwrap());
    let socket = dir.path().join("cells.sock");
    let mut worker = offering(&server, socket.clone(), 1);
    let at = socket.clone();
    let (started, running) = tokio::sync::oneshot::channel();
    let client = tokio::task::spawn_blocking(move || {
        run_until_warm(&at);
        let spec = spec("import time; time.sleep(50)");
        let deadline = Instant::now() + Duration::from_secs(20);
        let taken = loop {
            match ask(&at, &spec, true) {
                Ok(taken) => break taken,
                Err(why) => assert!(Instant::now() < deadline, "{why}"),
            }
        };
        started.send(()).unwrap();
        taken.wait(Streams::kept(), None, &spec.limits)
    });
    running.await.unwrap();
    worker.stop();
    // It lets run what runs for as long as jobs may; here nobody asks for that.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(ask(&socket, &spec("print(1)"), false).is_err(), "nothing more is offered");
    worker.running.abort();
    match client.await.unwrap() {
        Ok(told) => assert_eq!(told.report.unwrap().outcome.end, gambeson_api::End::Cancelled {}),
        Err(lost) => assert!(matches!(lost, Lost::Worker), "{lost}"),
    }
    assert!(!socket.exists(), "the socket goes with its worker");
}

#[test]
fn a_worker_that_accepts_nobody_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cells.sock");
    let address = SocketAddrUnix::new(&path).unwrap();
    let new = || {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap()
    };
    let listener = new();
    rustix::net::bind(&listener, &address).unwrap();
    rustix::net::listen(&listener, 1).unwrap();
    let waiting: Vec<(OwnedFd, Result<(), Errno>)> = std::iter::repeat_with(|| {
        let one = new();
        let connected = rustix::net::connect(&one, &address);
        (one, connected)
    })
    .take(10)
    .collect();
    assert_eq!(waiting[9].1, Err(Errno::AGAIN), "the control: its queue is full");
    let why = ask(&path, &spec("print(1)"), false).unwrap_err();
    assert!(why.contains("no worker listens"), "{why}");
}
