//! `gambeson top` in a real terminal, against a real platform with real jobs. Without tmux it is skipped, and counted so.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gambeson_api::client::Client;
use gambeson_api::{Accepted, End, Job, JobId, JobState, Submission};
use gambeson_testkit::Platform;

/// Whatever this machine lacks: these tests are about something else.
const ACCEPT: &str = "worker.accept_missing=cgroup.memory,cgroup.pids,cgroup.cpu,namespace.user,namespace.time,namespace.cgroup,landlock";

/// A program that writes on and on, with colours and with what a terminal would obey.
const TALKS: &str = "import time\nfor i in range(2000):\n    print(f'\\x1b[32mstep {i}\\x1b[0m of many \\x1b]0;evil\\x07', flush=True)\n    time.sleep(0.1)\n";

fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_gambeson").into()
}

/// A terminal of its own, which tmux plays.
struct Terminal {
    socket: String,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]);
    }
}

impl Terminal {
    fn open(name: &str, size: (u16, u16), platform: &Platform, term: &str) -> Terminal {
        let terminal = Terminal { socket: format!("gambeson-top-{}-{name}", std::process::id()) };
        let shell = format!(
            "echo as it was before; TERM={term} {} top; echo it ended with $?; exec sleep 600",
            platform.binary.display()
        );
        let (columns, rows) = (size.0.to_string(), size.1.to_string());
        let done = Command::new("tmux")
            .args(["-f", "/dev/null", "-u", "-L", &terminal.socket])
            .args(["new-session", "-d", "-x", &columns, "-y", &rows, "sh", "-c", &shell])
            .args([";", "set", "-s", "escape-time", "0", ";", "set", "-g", "status", "off"])
            .env("GAMBESON_SERVER", &platform.url)
            .env("GAMBESON_KEY", &platform.key)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("NO_COLOR")
            .env_remove("COLORTERM")
            .status()
            .expect("tmux runs");
        assert!(done.success());
        terminal
    }

    fn tmux(&self, args: &[&str]) -> String {
        let output = Command::new("tmux").args(["-L", &self.socket]).args(args).output().expect("tmux runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the screen is as it should be, and returns it.
    fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(40);
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "it never became true that {what}:\n{screen}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn shows(&self, words: &str) -> String {
        self.until(&format!("it shows {words:?}"), |screen| screen.contains(words))
    }

    /// Ends the cockpit as a system that shuts down does.
    fn terminate(&self) {
        let shell = self.value("#{pane_pid}");
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
        let child = children.split_whitespace().next().unwrap().parse().unwrap();
        gambeson_testkit::signal_to(child, rustix::process::Signal::TERM);
    }

    fn value(&self, format: &str) -> String {
        self.tmux(&["display-message", "-p", format]).trim().to_owned()
    }
}

fn submit(client: &Client, source: &str, entry: &str, team: &str) -> JobId {
    let mut submission = Submission::of_source(source);
    let main = submission.files.remove("main.py").unwrap();
    submission.files.insert(entry.into(), main);
    submission.entry = entry.into();
    submission.labels.insert("team".into(), team.into());
    submission.limits = serde_json::from_str(r#"{"wall":"5m"}"#).unwrap();
    match runtime().block_on(client.job_submit(&submission, None)).unwrap() {
        Accepted::Job(job) => job.id,
        Accepted::Array(_) => panic!("no array was asked for"),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn look(client: &Client, id: JobId) -> Job {
    runtime().block_on(client.job(id, None)).unwrap()
}

/// The highest `step N` on the screen.
fn step(screen: &str) -> Option<u32> {
    let number = |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    screen.split("step ").skip(1).filter_map(number).max()
}

fn short(id: JobId) -> String {
    let id = id.to_string();
    id[id.len() - 8..].to_owned()
}

/// Two jobs that run, two that wait.
fn platform() -> (Platform, Vec<JobId>) {
    let platform = Platform::up(&binary(), &["--set", ACCEPT, "--set", "worker.slots=2"]);
    let client = platform.client();
    let talks = submit(&client, TALKS, "talks.py", "blue");
    let mut ids = vec![talks];
    ids.extend((0..3).map(|_| submit(&client, "import time; time.sleep(200)", "sleeps.py", "red")));
    gambeson_testkit::until("the first one runs", || (look(&client, talks).state == JobState::Running).then_some(()));
    (platform, ids)
}

fn a_job_is_found_followed_and_cancelled_and_the_screen_is_as_before(
    size: (u16, u16),
    term: &str,
    leave: fn(&Terminal),
) {
    let (platform, ids) = platform();
    let client = platform.client();
    let terminal = Terminal::open(&format!("{}", size.0), size, &platform, term);
    terminal.shows("Queued 2");
    terminal.press(&["2"]);
    terminal.until("both jobs run", |screen| ids[..2].iter().all(|id| screen.contains(&short(*id))));
    terminal.press(&["/", "team=blue"]);
    terminal
        .until("one is filtered away", |screen| screen.contains(&short(ids[0])) && !screen.contains(&short(ids[1])));
    terminal.press(&["Enter"]);
    terminal.press(&["Enter"]);
    let first = terminal.until("its log is shown", |screen| screen.contains("Log") && step(screen).is_some());
    assert!(first.contains(r"\x1b]0;evil\x07"), "{first}");
    assert_ne!(terminal.value("#{pane_title}"), "evil");
    let before = step(&first).unwrap();
    terminal.until("the log goes on", |screen| step(screen).is_some_and(|step| step > before + 5));
    terminal.press(&["f"]);
    terminal.shows("held still");
    terminal.press(&["f"]);

    terminal.press(&["c"]);
    terminal.shows(&format!("End job {}", short(ids[0])));
    terminal.press(&["n"]);
    terminal.shows("Nothing was done.");
    assert_eq!(look(&client, ids[0]).state, JobState::Running);
    terminal.press(&["c"]);
    terminal.shows("any other key");
    terminal.press(&["y"]);
    gambeson_testkit::until("it ends", || (look(&client, ids[0]).state == JobState::Ended).then_some(()));
    assert_eq!(look(&client, ids[0]).outcome.unwrap().end, End::Cancelled {});
    terminal.shows("cancelled");

    terminal.tmux(&["resize-window", "-x", "30", "-y", "8"]);
    terminal.shows("too small");
    terminal.tmux(&["resize-window", "-x", "70", "-y", "18"]);
    terminal.until("it fits the new size", |screen| {
        screen.contains("cancelled") && screen.lines().all(|line| line.chars().count() <= 70)
    });
    terminal.press(&["Escape"]);
    terminal.shows("filter: team=blue");
    terminal.press(&["Escape"]);
    terminal.press(&["3"]);
    terminal.until("it is among those that ended", |screen| screen.contains(&short(ids[0])));

    assert_eq!(terminal.value("#{alternate_on} #{cursor_flag}"), "1 0");
    leave(&terminal);
    let after = terminal.shows("it ended with 0");
    assert!(after.contains("as it was before") && !after.contains("gambeson top"), "{after}");
    assert_eq!(terminal.value("#{alternate_on} #{cursor_flag}"), "0 1");
}

fn a_server_that_went_and_came_back_is_told_of_and_ctrl_c_restores_the_screen() {
    let (mut platform, ids) = platform();
    let terminal = Terminal::open("lost", (80, 24), &platform, "screen");
    terminal.until("those that wait are shown", |screen| screen.contains(&short(ids[3])));
    platform.process.kill();
    let stale = terminal.shows("STALE since");
    assert!(stale.contains(&short(ids[3])), "what was known stays:\n{stale}");
    assert!(stale.contains("The server does not answer"), "{stale}");
    platform.restart();
    terminal.until("it is connected again", |screen| !screen.contains("STALE") && screen.contains(" UTC"));
    terminal.press(&["C-c"]);
    let after = terminal.shows("it ended with 0");
    assert!(after.contains("as it was before"), "{after}");
    assert_eq!(terminal.value("#{alternate_on} #{cursor_flag}"), "0 1");
}

fn one_frame_is_printed_where_there_is_no_terminal() {
    let (platform, ids) = platform();
    let output = platform.command(&["top", "--view", "running"]).env("LC_ALL", "C.UTF-8").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("Queued 2") && text.contains(&short(ids[0])) && text.contains("talks.py"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
    let output = platform.command(&["top", "--once"]).env("GAMBESON_KEY", "gmb_x_y").output().unwrap();
    assert_eq!(output.status.code(), Some(122), "{output:?}");
}

/// A sentence, and what makes it true.
type Test = (&'static str, Box<dyn Fn() + std::panic::RefUnwindSafe + std::panic::UnwindSafe>);

fn main() {
    let tests: [Test; 4] = [
        ("one_frame_is_printed_where_there_is_no_terminal", Box::new(one_frame_is_printed_where_there_is_no_terminal)),
        (
            "a_job_is_found_followed_and_cancelled_in_80_by_24_without_many_colours",
            Box::new(|| {
                a_job_is_found_followed_and_cancelled_and_the_screen_is_as_before((80, 24), "screen", |terminal| {
                    terminal.press(&["q"])
                })
            }),
        ),
        (
            "a_job_is_found_followed_and_cancelled_in_160_by_50",
            Box::new(|| {
                a_job_is_found_followed_and_cancelled_and_the_screen_is_as_before(
                    (160, 50),
                    "tmux-256color",
                    Terminal::terminate,
                )
            }),
        ),
        (
            "a_server_that_went_and_came_back_is_told_of_and_ctrl_c_restores_the_screen",
            Box::new(a_server_that_went_and_came_back_is_told_of_and_ctrl_c_restores_the_screen),
        ),
    ];
    let tmux = Command::new("tmux").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (at, (name, test)) in tests.into_iter().enumerate() {
        if at > 0 && !tmux {
            println!("test {name} ... skipped: tmux is not here");
            skipped += 1;
            continue;
        }
        if std::panic::catch_unwind(test).is_ok() {
            println!("test {name} ... ok");
            passed += 1;
        } else {
            println!("test {name} ... FAILED");
            failed += 1;
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed > 0 {
        std::process::exit(1);
    }
}
