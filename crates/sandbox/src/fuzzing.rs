//! What must hold for whatever bytes a decoder is given: one function a decoder, for libFuzzer
//! (`cargo xtask fuzz`) and for the tests below.
//!
//! They go in where the real bytes do (a pipe, a directory, an interpreter's answer), so that nothing is
//! shown to fuzzing that is hidden from the rest of the crate.
//!
//! Each panics when a promise is broken, and says which.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::collect::{Collected, collect};
use crate::environment::{Environment, EnvironmentError};
use crate::frames::{Claim, Layout, Memory};
use crate::limits::{Bytes, Limits};
use crate::output::{Allowance, Sink, Stream};
use crate::plan::Plan;
use crate::seccomp::{Action, Policy};
use crate::spec::{Network, Terminal};
use crate::step::Step;
use crate::sys::numbers::NEWEST;
use crate::sys::seccomp::Instruction;
use crate::warden::{Ledger, explain, last_words};
use crate::wire::{Frame, SIZE};

/// Any bytes, read from the front as what a decoder's surroundings do.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// Zero when the script is over, so that a short script means something too.
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    fn bytes(&mut self, count: usize) -> &[u8] {
        let (first, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        first
    }
}

/// What is taken for a frame is that frame.
pub fn frames(data: &[u8]) {
    if let Ok(frame) = Frame::decode(data) {
        assert_eq!(frame.encode(), data, "{frame:?} is sent otherwise");
        assert_eq!(data.len(), SIZE);
    }
}

/// Both streams of a program that writes chunks of any length, under any limit: what is passed on is the
/// beginning, what is not is counted, and what is remembered is short.
pub fn output(data: &[u8]) {
    const MOST_CHUNKS: usize = 64;
    const TAIL: usize = 1024;
    let mut script = Script(data);
    let sinks = script.byte();
    let limit = (sinks & 4 == 0).then(|| u64::from(script.number()));
    let mut allowance = Allowance { left: limit, total: 0 };
    let outside = [(); 2].map(|()| pipe());
    let inside = [(); 2].map(|()| pipe());
    let mut passed_on = [Vec::new(), Vec::new()];
    let mut written = [Vec::new(), Vec::new()];
    let mut writers = inside.map(|(from, to)| (Some(from), to));
    let mut streams = [0, 1].map(|at| {
        let sink = if sinks & 1 << at == 0 { Sink::Keep } else { Sink::Fd(outside[at].1.as_fd()) };
        Stream::new(writers[at].0.take(), sink)
    });
    let mut scratch = Vec::new();
    let mut left = limit.unwrap_or(u64::MAX);
    let mut expected = [0, 0];
    for _ in 0..MOST_CHUNKS {
        if script.is_over() {
            break;
        }
        let word = script.number();
        let (at, length) = (usize::from(word & 1), usize::from(word >> 1 & 0x3fff));
        if length == 0 {
            continue; // Nothing was written, and reading would wait.
        }
        // No byte where its neighbours' could stand: a lost or doubled piece shows.
        let chunk: Vec<u8> = (written[at].len()..).take(length).map(|place| (place % 251) as u8).collect();
        assert_eq!(rustix::io::write(&writers[at].1, &chunk), Ok(length), "a pipe holds more than a chunk");
        written[at].extend(&chunk);
        let fits = left.min(length as u64);
        left -= fits;
        expected[at] += fits as usize;
        assert!(streams[at].wants_to_read().is_some());
        streams[at].read(&mut scratch, &mut allowance);
        assert_eq!(allowance.left, limit.map(|_| left));
        drain(&mut streams[at], &outside[at].0, &mut passed_on[at]);
        let tail = &written[at][expected[at].saturating_sub(TAIL)..expected[at]];
        assert_eq!(streams[at].tail(), tail, "the tail is the end of what was passed on");
    }
    assert_eq!(allowance.total, (written[0].len() + written[1].len()) as u64, "all is counted");
    for (at, mut stream) in streams.into_iter().enumerate() {
        let mut whole = written[at][..expected[at]].to_vec();
        let elided = (written[at].len() - expected[at]) as u64;
        if elided > 0 {
            whole.extend(format!("\n[gambeson: {} of output elided]\n", Bytes(elided)).bytes());
        }
        for _ in 0..2 {
            stream.mark_elision(); // The second time it has nothing to add.
        }
        drain(&mut stream, &outside[at].0, &mut passed_on[at]);
        passed_on[at].extend(&stream.kept);
        assert!(passed_on[at] == whole, "stream {at} passed on {} bytes of {}", passed_on[at].len(), whole.len());
        stream.close();
        assert!(!stream.is_open());
    }
}

fn pipe() -> (OwnedFd, OwnedFd) {
    pipe_with(PipeFlags::CLOEXEC).expect("two descriptors are left")
}

/// Is the reader outside.
fn drain(stream: &mut Stream<'_>, from: &OwnedFd, passed_on: &mut Vec<u8>) {
    let mut buffer = [0; 8192];
    while stream.wants_to_write().is_some() {
        assert!(stream.wants_to_read().is_none(), "no more is read than one buffer");
        stream.write();
        let count = rustix::io::read(from, &mut buffer).expect("a chunk was just written");
        passed_on.extend(&buffer[..count]);
    }
}

/// A program's bytes in a file outside its tree must not come back as its result.
const CANARY: &[u8] = b"the canary lives outside of the tree";

/// `work/`, which is the program's; `target/`, where results go; `elsewhere/canary`, which is nobody's.
struct Scratch {
    root: PathBuf,
    work: OwnedFd,
    /// What lost its permissions, and must have them back to be removed.
    locked: Vec<OwnedFd>,
}

impl Scratch {
    fn new() -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("gambeson-fuzz-{}-{count}", std::process::id()));
        // Of an earlier process of this number that a finding ended.
        let _ = fs::remove_dir_all(&root);
        for dir in ["work", "target", "elsewhere"] {
            fs::create_dir_all(root.join(dir)).expect("the place for temporary files can be written");
        }
        fs::write(root.join("elsewhere/canary"), CANARY).expect("as above");
        let work = rustix::fs::open(root.join("work"), DIRECTORY, Mode::empty()).expect("as above");
        Scratch { root, work, locked: Vec::new() }
    }

    /// Collects, and checks what holds for any tree.
    fn collect(&self, bytes: Bytes, files: u32) -> Collected {
        let target = self.root.join("target");
        let found = collect(&self.work, &target, bytes, files).expect("nothing that a program did is an error");

        let mut collected = Vec::new();
        survey(&target, Path::new(""), &mut collected);
        collected.sort();
        let told: Vec<_> = found.artifacts.iter().map(|file| (file.path.clone(), file.size.0)).collect();
        assert_eq!(collected, told, "what is told is what is there");
        assert!(collected.len() <= files as usize, "{} files, not {files}", collected.len());
        assert!(collected.iter().map(|(_, size)| size).sum::<u64>() <= bytes.0, "more than {bytes}: {collected:?}");

        for skipped in &found.skipped {
            assert!(skipped.path.chars().count() <= 256, "{} is long", skipped.path);
            assert!(!skipped.path.chars().any(deceives), "{:?} deceives", skipped.path);
        }
        assert!(found.skipped.len() <= 100, "{} skipped", found.skipped.len());

        assert_eq!(names(&self.root), ["elsewhere", "target", "work"].map(OsString::from), "beside the target");
        assert_eq!(names(&self.root.join("elsewhere")), [OsString::from("canary")], "outside of the target");
        assert_eq!(fs::read(self.root.join("elsewhere/canary")).expect("nobody removes it"), CANARY);
        found
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for entry in &self.locked {
            fs::set_permissions(by_descriptor(entry), fs::Permissions::from_mode(0o700)).expect("it is ours");
        }
        fs::remove_dir_all(&self.root).expect("all of it is ours");
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A path to what is open, whatever its name has become.
fn by_descriptor(fd: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", fd.as_raw_fd()).into()
}

fn names(dir: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(dir).expect("a directory of ours");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("it stands still").file_name()).collect();
    names.sort();
    names
}

/// Appends path and size of each file below `dir`, and refuses all that a result must not be.
fn survey(dir: &Path, below: &Path, files: &mut Vec<(PathBuf, u64)>) {
    for name in names(dir) {
        let (place, path) = (dir.join(&name), below.join(&name));
        assert!(plain(&name) && !name.as_bytes().starts_with(b"."), "{path:?} has no plain name");
        let metadata = fs::symlink_metadata(&place).expect("it stands still");
        if metadata.is_dir() {
            survey(&place, &path, files);
            continue;
        }
        assert!(metadata.is_file(), "{path:?} is no regular file");
        let content = fs::read(&place).expect("a file of ours");
        assert!(!content.windows(CANARY.len()).any(|part| part == CANARY), "{path:?} comes from outside");
        files.push((path, content.len() as u64));
    }
}

/// Control characters, and all that Unicode lists as Bidi_Control (PropList.txt).
fn deceives(c: char) -> bool {
    c.is_control()
        || "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}".contains(c)
}

fn plain(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| !name.chars().any(deceives))
}

/// Any tree that a program can leave behind as `out`: the script makes it, one file-system call at a time.
pub fn results(data: &[u8]) {
    /// Enough for each kind of entry to meet each other; a tree costs time to make and to remove.
    const MOST_CALLS: usize = 64;
    let mut script = Script(data);
    let (bytes, files) = (Bytes(64 * u64::from(script.byte())), u32::from(script.byte() % 16));
    let mut scratch = Scratch::new();
    let (elsewhere, work) = (scratch.root.join("elsewhere"), scratch.root.join("work"));
    let out = work.join("out");
    let made = match script.byte() {
        0xff => symlink(&elsewhere, &out),
        0xfe => fs::write(&out, "x"),
        0xfd => mknod(&scratch.work, OsStr::new("out"), FileType::Fifo).map_err(Into::into),
        0xfc => Ok(()),
        _ => fs::create_dir(&out),
    };
    made.expect("the scratch directory is empty");
    if let Ok(top) = rustix::fs::open(&out, DIRECTORY, Mode::empty()) {
        let mut path = vec![top];
        for _ in 0..MOST_CALLS {
            if script.is_over() {
                break;
            }
            // A call that fails is one that a program tried in vain.
            let _ = call(&mut script, &mut path, &elsewhere, &mut scratch.locked);
        }
    }
    scratch.collect(bytes, files);
}

fn mknod(dir: &OwnedFd, name: &OsStr, kind: FileType) -> rustix::io::Result<()> {
    rustix::fs::mknodat(dir, name, kind, Mode::from_raw_mode(0o644), 0)
}

/// Does one call in the directory that `path` ends with; none of them can leave the tree.
fn call(
    script: &mut Script<'_>,
    path: &mut Vec<OwnedFd>,
    elsewhere: &Path,
    locked: &mut Vec<OwnedFd>,
) -> rustix::io::Result<()> {
    /// More than is collected, and with the longest names more than fits a path.
    const DEEPEST: usize = 40;
    let kind = script.byte() % 14;
    let name = name(script);
    let here = path.last().expect("the top is never left");
    let file = || {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        rustix::fs::openat(here, &name, flags, Mode::from_raw_mode(0o644))
    };
    match kind {
        0 => {
            if path.len() > 1 {
                path.pop();
            }
        }
        1 | 2 => {
            let count = if kind == 1 { 1 } else { usize::from(script.byte()) };
            for _ in 0..count.min(DEEPEST - path.len().min(DEEPEST)) {
                let here = path.last().expect("the top is never left");
                rustix::fs::mkdirat(here, &name, Mode::from_raw_mode(0o755))?;
                let below = rustix::fs::openat(here, &name, DIRECTORY, Mode::empty())?;
                path.push(below);
            }
        }
        3 => {
            let content = vec![b'x'; script.number() as usize];
            rustix::io::write(file()?, &content)?;
        }
        4 => {
            let size = u64::from(script.number()) << (script.byte() % 32);
            rustix::fs::ftruncate(file()?, size)?;
        }
        5 => rustix::fs::symlinkat(elsewhere.join("canary"), here, &name)?,
        6 => rustix::fs::symlinkat(elsewhere, here, &name)?,
        7 => rustix::fs::symlinkat(format!("{}elsewhere/canary", "../".repeat(path.len() + 1)), here, &name)?,
        8 => rustix::fs::symlinkat(&name, here, &name)?,
        9 => rustix::fs::linkat(here, &name, here, self::name(script), AtFlags::empty())?,
        10 => mknod(here, &name, FileType::Fifo)?,
        11 => mknod(here, &name, FileType::Socket)?,
        12 => {
            let entry =
                rustix::fs::openat(here, &name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
            // A link has no permissions to take.
            if rustix::fs::fstat(&entry)?.st_mode & libc::S_IFMT != libc::S_IFLNK {
                let _ = fs::set_permissions(by_descriptor(&entry), fs::Permissions::from_mode(0o000));
                locked.push(entry);
            }
        }
        _ => {
            let to = if script.byte() & 1 == 0 { here } else { &path[0] };
            rustix::fs::renameat(here, &name, to, self::name(script))?;
        }
    }
    Ok(())
}

/// One of the names that programs choose to harm, or any other that a directory can hold.
fn name(script: &mut Script<'_>) -> OsString {
    let bytes = match script.byte() {
        0 => b"a".to_vec(),
        1 => b"b".to_vec(),
        2 => b"a\nb".to_vec(),
        3 => "a\u{202e}txt.exe".into(),
        4 => vec![b'n'; 255],
        5 => "\u{10ffff}".repeat(63).into(),
        6 => b"\xff\xfe".to_vec(),
        7 => b"-rf".to_vec(),
        8 => b"...".to_vec(),
        // The name that the collector itself uses: a process number is easily guessed.
        9 => format!(".gambeson-{}", std::process::id()).into(),
        10 => b"\x1b[2J".to_vec(),
        length => script.bytes(usize::from(length - 10)).to_vec(),
    };
    possible(bytes)
}

/// The nearest name that a directory can hold.
fn possible(mut bytes: Vec<u8>) -> OsString {
    bytes.retain(|byte| !matches!(byte, 0 | b'/'));
    bytes.truncate(255);
    if matches!(bytes[..], [] | [b'.'] | [b'.', b'.']) {
        bytes.push(b'c');
    }
    OsString::from_vec(bytes)
}

/// A file of any name is collected under that name if it is plain, and else named in a way fit to print.
pub fn artifact_names(data: &[u8]) {
    let name = possible(data.to_vec());
    let scratch = Scratch::new();
    fs::create_dir(scratch.root.join("work/out")).expect("the scratch directory is empty");
    fs::write(scratch.root.join("work/out").join(&name), "x").expect("the name is possible");
    let found = scratch.collect(Bytes(1), 1);
    let hidden = name.as_bytes().starts_with(b".");
    if plain(&name) && !hidden {
        assert_eq!(found.artifacts.iter().map(|file| &file.path).collect::<Vec<_>>(), [Path::new(&name)]);
        assert_eq!(found.skipped, []);
    } else {
        assert_eq!(found.artifacts, []);
        let why = if plain(&name) { "its name begins with a dot" } else { "its name is not plain text" };
        assert_eq!(found.skipped.iter().map(|entry| entry.why).collect::<Vec<_>>(), [why]);
        assert!(!found.skipped[0].path.is_empty());
    }
}

/// An interpreter that gives any answer about itself: what a cell then shows of the host is what the
/// answer names, never a whole system prefix, and each place once.
pub fn facts(data: &[u8]) {
    static ALWAYS: LazyLock<Vec<PathBuf>> = LazyLock::new(|| {
        ask(b"version\t3\nexecutable\t/nowhere\n").expect("these are facts").shown().cloned().collect()
    });
    let Ok(environment) = ask(data) else { return };
    assert!(environment.executable.is_absolute() && !environment.version.is_empty());
    let mut named: BTreeSet<PathBuf> = ALWAYS.iter().cloned().collect();
    for line in data.split(|byte| *byte == b'\n') {
        if let Some(tab) = line.iter().position(|byte| *byte == b'\t') {
            let path = Path::new(OsStr::from_bytes(&line[tab + 1..]));
            // As the kernel finds it; a relative or dangling one is nothing.
            if let (true, Ok(place)) = (path.is_absolute(), path.canonicalize()) {
                named.insert(place);
            }
        }
    }
    let shown: Vec<&PathBuf> = environment.shown().collect();
    for (at, place) in shown.iter().copied().enumerate() {
        assert!(!["/", "/usr", "/usr/local"].iter().any(|system| Path::new(system) == place), "{place:?} is shown");
        assert!(named.contains(place), "{place:?} is shown, and nothing named it");
        let above = shown.iter().enumerate().find(|(other, above)| *other != at && place.starts_with(above));
        assert_eq!(above, None, "{place:?} is shown twice");
    }
    for (link, target) in &environment.links {
        assert_eq!(fs::read_link(link).ok().as_ref(), Some(target), "{link:?}");
    }
}

/// Asks an interpreter that answers so.
fn ask(answer: &[u8]) -> Result<Environment, EnvironmentError> {
    let scratch = Scratch::new();
    fs::write(scratch.root.join("answer"), answer).expect("the scratch directory is empty");
    // A link to a program that is there: one written now could be held open by a child that another
    // thread is starting, and would then be "text file busy" (execve(2)).
    let python = scratch.root.join("python");
    symlink(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/python"), &python).expect("as above");
    let asked = Environment::discover(&python);
    assert!(!matches!(asked, Err(EnvironmentError::Start { .. })), "{asked:?}");
    asked
}

/// Any policy is refused with the number of a line, or its filter decides as it does.
pub fn policy(data: &[u8]) {
    let mut script = Script(data);
    let cell = script.byte();
    let network = if cell & 1 == 0 { Network::None } else { Network::Loopback };
    let terminal = if cell & 2 == 0 { Terminal::None } else { Terminal::Own };
    let Ok(text) = std::str::from_utf8(script.0) else { return };
    let policy = match Policy::parse(text, network, terminal) {
        Ok(policy) => policy,
        Err(error) => {
            assert!((1..=text.lines().count()).contains(&error.line), "{error} is no line");
            assert!(!error.to_string().chars().any(deceives), "{error:?}");
            return;
        }
    };
    let program = policy.compile();
    // Arguments that conditions are about: the numbers of the text.
    let word = |word: &str| match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    };
    let numbers = text.split_whitespace().filter_map(word).take(4);
    let arguments: Vec<[u64; 6]> = [0, u64::MAX].into_iter().chain(numbers).map(|number| [number; 6]).collect();
    for number in (0..=NEWEST + 2).chain([0x3fff_ffff, 0x4000_0000, u32::MAX]) {
        for args in &arguments {
            let decided = match policy.decide(number, args) {
                Action::Allow => libc::SECCOMP_RET_ALLOW,
                Action::Errno(errno) => libc::SECCOMP_RET_ERRNO | u32::from(errno),
                Action::Explain { errno, .. } => libc::SECCOMP_RET_USER_NOTIF | u32::from(errno),
                Action::Kill => libc::SECCOMP_RET_KILL_PROCESS,
            };
            assert_eq!(answer(&program, number, args), decided, "call {number} {args:?}");
        }
    }
}

/// A program's memory, of whatever bytes: what is told of it is short and plain, after no more reads than allowed.
pub fn lines(data: &[u8]) {
    let (claims, bytes) = told_of(data);
    for claim in claims {
        assert!(claim.line > 0);
        for text in [&claim.file, &claim.function] {
            assert!(text.chars().count() <= 200 && !text.chars().any(deceives), "{claim:?}");
        }
    }
    assert!(bytes <= 4 << 20, "{bytes} bytes were read");
    let mut script = Script(data);
    let (end, number) = (script.byte(), script.byte());
    // What a code object carries, by itself.
    let first = i32::from(number) << ((end & 31) % 25);
    for at in -1..i64::from(number) {
        crate::frames::any_line(script.0, first, at);
    }
}

/// All that is told of a memory, and how many bytes of it were read.
fn told_of(data: &[u8]) -> (Vec<Claim>, usize) {
    static LAYOUT: LazyLock<Layout> =
        LazyLock::new(|| Layout::parse(include_str!("../../../fuzz/layout")).expect("it is one"));
    let mut script = Script(data);
    let (end, number) = (script.byte(), script.byte());
    let image = Image { bytes: script.0, goes_round: end & 1 == 1, read: 0 };
    let (claims, image) = crate::frames::all(&LAYOUT, Image::BASE, image, i32::from(number));
    (claims, image.read)
}

/// Memory that is there from one address up; beyond its end nothing, or the beginning again.
struct Image<'a> {
    bytes: &'a [u8],
    goes_round: bool,
    read: usize,
}

impl Image<'_> {
    const BASE: u64 = 256;
}

impl Memory for Image<'_> {
    fn read(&mut self, address: u64, buffer: &mut [u8]) -> bool {
        self.read += buffer.len();
        let length = self.bytes.len() as u64;
        // Nothing stands across the last address.
        let Some(end) = address.checked_add(buffer.len() as u64) else { return false };
        for (place, byte) in (address..end).zip(buffer) {
            let at = match place.checked_sub(Image::BASE) {
                Some(at) if at < length => at,
                Some(at) if self.goes_round && length > 0 => at % length,
                _ => return false,
            };
            *byte = self.bytes[usize::try_from(at).expect("within the bytes")];
        }
        true
    }
}

/// Any refused calls, with any memory behind their arguments: what is said of them is text, bounded in size and in
/// number, and every one is counted.
pub fn refusals(data: &[u8]) {
    static POLICIES: LazyLock<[Policy; 2]> =
        LazyLock::new(|| [Network::None, Network::Loopback].map(|network| Policy::built_in(network, Terminal::None)));
    let mut script = Script(data);
    let mut ledger = Ledger::default();
    let (mut noted, mut told) = (0, 0);
    while !script.is_over() {
        let number = u32::from(script.number()) % (NEWEST + 1);
        let kind = script.byte();
        let (at, network) = if kind & 1 == 0 { (0, Network::None) } else { (1, Network::Loopback) };
        // Half of the arguments are small, or point to what follows.
        let args: [u64; 6] = std::array::from_fn(|at| match kind >> 1 & 1 << at {
            0 => u64::from(script.number()),
            _ => u64::from_le_bytes(script.bytes(8).try_into().unwrap_or([0xff; 8])),
        });
        let Action::Explain { act, .. } = POLICIES[at].decide(number, &args) else { continue };
        let size = usize::from(script.byte());
        let memory = script.bytes(size).to_vec();
        // Some of it in the middle of what is asked for, as where a page is missing.
        let read = |address: u64, into: &mut [u8]| {
            let from = memory.get(address as usize % (memory.len() + 1)..).unwrap_or_default();
            let count = from.len().min(into.len());
            into[..count].copy_from_slice(&from[..count]);
            count
        };
        let refused = explain(act, number, &args, network, read);
        let denial = refused.denial(None);
        let size = |text: &String| text.len();
        assert!(denial.target.as_ref().map_or(0, size) <= 256, "{denial:?}");
        assert!([&denial.why, &denial.remedy, &denial.rule].iter().all(|text| (1..256).contains(&text.len())));
        noted += 1;
        told += usize::from(ledger.note(denial, kind & 2 == 0).is_some());
    }
    let closed = ledger.close();
    assert!(told <= 64 && closed.len() <= told + 1, "{told} told, {} kept", closed.len());
    assert_eq!(closed.iter().map(|denial| denial.count).sum::<u64>(), noted, "every one is counted");
}

/// Any last words of a program's: what is read out of them is bounded, and is said to be the program's own.
pub fn words(data: &[u8]) {
    let plan = Plan {
        steps: vec![Step::Stage(Vec::new()), Step::LoopbackUp],
        program: Default::default(),
        args: Vec::new(),
        env: Vec::new(),
        limits: Limits::default(),
        terminal: Terminal::None,
        frames: None,
        missing: Vec::new(),
    };
    let Some(denial) = last_words(data, &plan) else { return };
    let at = denial.at.iter().flat_map(|at| [at.file.len(), at.function.len()]);
    assert!(at.chain(denial.target.iter().map(String::len)).all(|size| size <= 256), "{denial:?}");
    assert_eq!((denial.rule.as_str(), denial.count, denial.source), ("the program's own traceback", 1, None));
}

/// What the kernel would answer to a call of the native ABI (Documentation/networking/filter.rst).
fn answer(program: &[Instruction], number: u32, args: &[u64; 6]) -> u32 {
    const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
    let word = |offset: u32| match offset {
        0 => number,
        4 => AUDIT_ARCH_X86_64,
        16.. => match (args[(offset as usize - 16) / 8], offset % 8) {
            (arg, 0) => arg as u32,
            (arg, 4) => (arg >> 32) as u32,
            _ => panic!("no word at {offset}"),
        },
        _ => panic!("no word at {offset}"),
    };
    let (mut at, mut accumulator) = (0, 0);
    loop {
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        match code {
            0x20 => accumulator = word(k),
            0x54 => accumulator &= k,
            0x05 => at += k as usize,
            0x15 => at += usize::from(if accumulator == k { jt } else { jf }),
            0x35 => at += usize::from(if accumulator >= k { jt } else { jf }),
            0x06 => return k,
            other => panic!("no instruction {other:#x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The inputs that fuzzing starts from, and those of mended defects.
    fn seeds(target: &str, holds: fn(&[u8])) {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
        for name in names(&dir) {
            eprintln!("{target}/{}", name.display());
            holds(&fs::read(dir.join(name)).unwrap());
        }
    }

    #[test]
    fn the_memory_that_fuzzing_of_lines_starts_from_has_lines() {
        let told = |name: &str| {
            let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/lines");
            let (claims, _) = told_of(&fs::read(dir.join(name)).unwrap());
            claims
                .into_iter()
                .map(|claim| format!("{}:{} {}", claim.file, claim.line, claim.function))
                .collect::<Vec<_>>()
        };
        // The stack, and at its end what is chosen of it: the submission's own.
        assert_eq!(told("stack"), ["/usr/lib/json.py:85 load", "größe_🐍.py:84 f", "größe_🐍.py:84 f"]);
        let cycle = told("cycle").len();
        assert!((33..=65).contains(&cycle), "a stack without an end has one: {cycle}");
        let name = format!("…{}", "x".repeat(199));
        assert_eq!(told("deceives"), vec![format!("\\u{{1b}}[2J\\u{{202e}}\\ud800:85 {name}"); 2]);
        assert!(told("round").is_empty() && told("nothing").is_empty());
    }

    macro_rules! holds {
        ($($name:ident: $target:ident, $seeds:literal;)*) => {$(
            #[test]
            fn $name() {
                seeds($seeds, $target);
                proptest!(|(data in proptest::collection::vec(any::<u8>(), 0..512))| $target(&data));
            }
        )*};
    }

    holds! {
        any_bytes_are_no_frame_or_one_frame: frames, "frames";
        any_output_is_bounded_and_counted: output, "output";
        any_tree_is_collected_without_harm: results, "results";
        any_name_is_kept_or_made_fit_to_print: artifact_names, "names";
        any_answer_of_an_interpreter_shows_only_what_it_names: facts, "facts";
        any_policy_is_refused_or_compiled_as_it_says: policy, "policy";
        any_memory_has_lines_that_are_plain_or_none: lines, "lines";
        any_refused_calls_are_explained_in_bounded_text: refusals, "refusals";
        any_last_words_tell_little_and_as_their_own: words, "words";
    }
}
