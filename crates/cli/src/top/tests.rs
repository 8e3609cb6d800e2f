//! Keys, news and frames, without a terminal and without a server.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use gambeson_api::{
    Class, End, Event, EventBody, Job, JobId, JobState, Outcome, OutputStream, ProjectId, Queue, QueuedJob, Sample,
    Share, Time, UserId, Waiting, Worker, WorkerId, WorkerList,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::draw;
use super::model::{Act, Listed, Model, Told, View, Wish};
use super::palette::{Depth, Palette};
use super::text::{Letters, width};

const NOW: Time = Time(1_764_059_400_000);

fn id(number: u128) -> JobId {
    JobId::from_u128(0x0192_f0c1_d2e3_7abc_8def_0123_0000_0000 + number)
}

/// The job of the client's tests, as another one.
fn job(number: u128, state: JobState) -> Job {
    let one: Job = serde_json::from_str(include_str!("../../tests/client/job.json")).unwrap();
    Job {
        id: id(number),
        state,
        project: ProjectId::from_u128(1),
        project_name: "lab".into(),
        user: UserId::from_u128(7),
        user_name: "ann".into(),
        entry: format!("main{number}.py"),
        labels: BTreeMap::from([("team".into(), if number.is_multiple_of(2) { "blue" } else { "red" }.into())]),
        submitted_at: Time(NOW.0 - 60_000),
        started_at: (state != JobState::Queued).then_some(Time(NOW.0 - 30_000)),
        ended_at: (state == JobState::Ended).then_some(Time(NOW.0 - 10_000)),
        waiting: None,
        ..one
    }
}

fn ended(number: u128, end: End, message: &str) -> Job {
    Job { outcome: Some(Outcome { end, message: message.into() }), ..job(number, JobState::Ended) }
}

fn queue(count: u128) -> Queue {
    let share = |user, used, due| Share {
        project: ProjectId::from_u128(1),
        project_name: "lab".into(),
        user,
        user_name: None,
        queued: count as u64,
        running: 1,
        weight: 1,
        used,
        due,
    };
    let next = |number| QueuedJob {
        id: id(number),
        entry: String::new(),
        project: ProjectId::from_u128(1),
        project_name: String::new(),
        user: UserId::from_u128(7),
        user_name: String::new(),
        class: Class::Normal,
        position: number as u64,
        submitted_at: Time(NOW.0 - 60_000),
        expected_start_p50: None,
        why: None,
    };
    Queue {
        queued: count as u64,
        held: 0,
        running: 1,
        shares: vec![share(None, 0.7, 0.5), share(Some(UserId::from_u128(7)), 1.0, 1.0)],
        next: (0..count.min(200)).map(next).collect(),
    }
}

fn worker(name: &str, connected: bool) -> Worker {
    Worker {
        id: WorkerId::from_u128(u128::from(connected)),
        name: name.into(),
        connected,
        draining: false,
        version: "0.1.0".into(),
        cpus_milli: 2000,
        memory_bytes: 4 << 30,
        slots: 4,
        running: 1,
        environment: "python3.12".into(),
        seen_at: Time(NOW.0 - 2000),
        enrolled_at: Time(NOW.0 - 100_000),
        vitals: None,
    }
}

fn model(view: View, size: (u16, u16)) -> Model {
    let mut model =
        Model::new("http://127.0.0.1:7373".into(), view, size, Palette { depth: Depth::True }, Letters::Blocks, NOW);
    model.told(Told::Here);
    model.told(Told::Queue(Ok(queue(5))));
    model
        .told(Told::Queued(Ok(Listed { jobs: (0..5).rev().map(|n| job(n, JobState::Queued)).collect(), more: false })));
    model.told(Told::Running(Ok(Listed { jobs: vec![job(20, JobState::Running)], more: false })));
    let recent = vec![
        ended(31, End::Exited { code: 0 }, "the program ended normally"),
        ended(30, End::LimitHit { limit: "wall".into(), used: 1, allowed: 1 }, "time: ran 1 s of 1 s"),
    ];
    model.told(Told::Recent(Ok(Listed { jobs: recent, more: false })));
    model.told(Told::Workers(Ok(WorkerList { workers: vec![worker("north", true), worker("south", false)] })));
    model.settled(Vec::new());
    model
}

fn key(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn press(model: &mut Model, keys: &str) -> Vec<Wish> {
    keys.chars()
        .flat_map(|c| {
            model.pressed(match c {
                '\n' => key(KeyCode::Enter),
                '\x1b' => key(KeyCode::Esc),
                '\t' => key(KeyCode::Tab),
                c => key(KeyCode::Char(c)),
            })
        })
        .collect()
}

/// The frame as text, drawn by the real terminal code onto a buffer.
fn seen(model: &Model) -> String {
    let mut terminal = Terminal::new(TestBackend::new(model.size.0, model.size.1)).unwrap();
    terminal.draw(|frame| draw::frame(model, frame.buffer_mut())).unwrap();
    let text = draw::plain(terminal.backend().buffer());
    for line in text.lines() {
        assert!(width(line) <= usize::from(model.size.0), "{line}");
    }
    text
}

#[test]
fn every_view_fits_its_terminal_and_says_what_it_should() {
    for size in [(80, 24), (160, 50), (40, 10), (63, 17)] {
        let mut model = model(View::Queue, size);
        for (view, words) in [
            (View::Queue, vec!["Place", "00000000", "00000003"]),
            (View::Running, vec!["CPU", "Time", "00000014", "30s of 1m"]),
            (View::Recent, vec!["exited 0", "limit_hit"]),
            (View::Workers, vec!["north", "connected", "south", "away", "1 of 4"]),
            (View::Shares, vec!["lab", "└ ann", "70%", "50%"]),
        ] {
            press(&mut model, &(view.place() + 1).to_string());
            let text = seen(&model);
            for word in words {
                assert!(text.contains(word), "{word} in {view:?} at {size:?}:\n{text}");
            }
        }
        press(&mut model, "?");
        seen(&model);
    }
}

#[test]
fn the_frame_of_80_columns_is_this_one() {
    let mut model = model(View::Queue, (80, 24));
    let waiting = Waiting {
        position: Some(0),
        expected_start_p50: Some(Time(NOW.0 + 12_000)),
        expected_start_p90: Some(Time(NOW.0 + 40_000)),
        why: "all slots are taken".into(),
        held: false,
    };
    model.told(Told::Job(id(0), Ok(Box::new(Job { waiting: Some(waiting), ..job(0, JobState::Queued) }))));
    model.settled(Vec::new());
    let text = seen(&model);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "gambeson top · http://127.0.0.1:7373                               08:30:00 UTC");
    assert_eq!(lines[1], "Queued 5      █  Running 1      █  Jobs/min 2  Workers 1/2!  Slots 1/4 ━━╌╌╌╌");
    assert_eq!(lines[2], "! south was not heard of for 2s.");
    assert_eq!(lines[3], " 1 Queue 5  2 Running 1  3 Recent  4 Workers 2  5 Shares");
    assert_eq!(lines[4], " Place Job      Starts in        Project  User        Age Why");
    assert_eq!(lines[5], "     1 00000000 12s - 40s        lab      ann          1m all slots are taken");
    assert_eq!(lines[6], "     2 00000001 -                lab      ann          1m -");
    assert_eq!(
        lines[23].trim_end(),
        "? help  q quit  Enter open  / filter  s sort  c cancel  a approve         1 of 5"
    );
}

#[test]
fn a_tall_terminal_has_charts_and_a_wide_one_the_detail_beside_the_log() {
    let mut model = model(View::Running, (160, 50));
    assert!(seen(&model).contains("Queued, the last 1s, at most 5"));
    let wishes = press(&mut model, "\n");
    assert!(wishes.contains(&Wish::Open(id(20))), "{wishes:?}");
    let body = EventBody::Output {
        stream: OutputStream::Stderr,
        data: gambeson_api::Content(b"\x1b[31mred\x1b[0m \x1b]0;evil\x07\n".to_vec()),
    };
    model.told(Told::Event(id(20), Box::new(Event { seq: 4, at: NOW, attempt: 1, body })));
    let text = seen(&model);
    assert!(text.contains(" Detail") && text.contains("Log · 1 lines, following, wrapped"), "{text}");
    assert!(text.contains("! red \\x1b]0;evil\\x07"), "{text}");
    assert!(!text.contains('\x1b'));
}

#[test]
fn below_40_by_10_it_says_so_and_nothing_else() {
    for size in [(39, 24), (80, 9), (1, 1), (12, 3)] {
        let text = seen(&model(View::Queue, size));
        assert!(!text.contains("Queued"), "{text}");
    }
    assert!(seen(&model(View::Queue, (39, 9))).starts_with("The terminal is too small: 40x10 at"));
}

#[test]
fn nothing_is_done_without_a_yes() {
    let mut model = model(View::Running, (80, 24));
    assert_eq!(press(&mut model, "c"), []);
    let text = seen(&model);
    assert!(text.contains("End job 00000014 (main20.py of ann)?"), "{text}");
    assert_eq!(press(&mut model, "n"), []);
    assert_eq!(press(&mut model, "y"), [], "the question is over");
    assert_eq!(press(&mut model, "cy"), [Wish::Do(Act::Cancel(id(20)))]);
    press(&mut model, "3");
    assert!(!press(&mut model, "cy").iter().any(|wish| matches!(wish, Wish::Do(_))), "it ended already");
    press(&mut model, "4");
    let north = WorkerId::from_u128(1);
    assert_eq!(press(&mut model, "dy"), [Wish::Do(Act::Drain(north))]);
    assert_eq!(press(&mut model, "uy"), [], "it takes jobs");
}

#[test]
fn what_answers_a_question_is_in_view_however_long_the_question_is() {
    for size in [(80, 24), (40, 10)] {
        for entry in ["deep/".repeat(60) + "main.py", "many words ".repeat(400) + "main.py", "x".repeat(5000)] {
            let mut model = model(View::Running, size);
            let long = Job { entry, ..job(20, JobState::Running) };
            model.told(Told::Running(Ok(Listed { jobs: vec![long], more: false })));
            model.settled(Vec::new());
            assert_eq!(press(&mut model, "c"), []);
            let text = seen(&model);
            let words = text.split(|c: char| c.is_whitespace() || c == '│').filter(|word| !word.is_empty());
            let said = words.collect::<Vec<_>>().join(" ");
            for part in ["End job 00000014 (", " of ann)?", "y yes any other key no"] {
                assert!(said.contains(part), "{part} in {size:?}:\n{text}");
            }
        }
    }
}

#[test]
fn only_a_held_job_is_approved() {
    let mut model = model(View::Queue, (80, 24));
    assert_eq!(press(&mut model, "ay"), []);
    let waiting = Waiting {
        position: None,
        expected_start_p50: None,
        expected_start_p90: None,
        why: "policy careful holds it".into(),
        held: true,
    };
    model.told(Told::Job(id(0), Ok(Box::new(Job { waiting: Some(waiting), ..job(0, JobState::Queued) }))));
    model.settled(Vec::new());
    assert!(seen(&model).contains("held"));
    assert_eq!(press(&mut model, "ay"), [Wish::Do(Act::Approve(id(0)))]);
}

#[test]
fn a_filter_takes_all_words_and_asks_the_server_for_names() {
    let mut model = model(View::Queue, (80, 24));
    press(&mut model, "/main3");
    assert_eq!(model.lines.len(), 1, "while it is typed");
    assert_eq!(press(&mut model, "\n"), []);
    press(&mut model, "\x1b");
    assert_eq!(model.lines.len(), 5);
    let wishes = press(&mut model, "/team=blue user:ann\n");
    let Some(Wish::Narrow(asked)) = wishes.into_iter().find(|wish| matches!(wish, Wish::Narrow(_))) else { panic!() };
    assert_eq!((asked.user.as_deref(), asked.labels.len()), (Some("ann"), 1));
    assert_eq!(model.lines.len(), 3);
    assert!(seen(&model).contains("filter: team=blue user:ann (3)"));
}

#[test]
fn the_choice_stays_on_its_job_when_the_order_changes() {
    let mut model = model(View::Queue, (80, 24));
    press(&mut model, "jj");
    assert_eq!(model.cursor().key, Some(super::model::Key::Job(id(2))));
    press(&mut model, "r");
    assert_eq!((model.cursor().at, model.cursor().key), (2, Some(super::model::Key::Job(id(2)))));
    press(&mut model, "E");
    press(&mut model, "E");
    let entries: Vec<_> = model.lines.iter().map(|line| line.key).collect();
    assert_eq!(entries[0], super::model::Key::Job(id(4)), "by entry, reversed");
    model.told(Told::Queue(Ok(queue(2))));
    model.told(Told::Queued(Ok(Listed::default())));
    model.settled(Vec::new());
    assert_eq!(model.lines.len(), 2);
    assert!(model.cursor().at < 2);
}

#[test]
fn a_long_list_is_asked_for_page_by_page() {
    let mut model = model(View::Recent, (80, 24));
    let page = |count: u128| Listed {
        jobs: (0..count).map(|n| ended(n, End::Exited { code: 0 }, "fine")).collect(),
        more: true,
    };
    model.told(Told::Recent(Ok(page(200))));
    assert_eq!(model.settled(Vec::new()), [], "nobody scrolled");
    assert_eq!(press(&mut model, "G"), [Wish::Pages(View::Recent, 2)]);
    assert_eq!(press(&mut model, "G"), [], "that page is on its way");
    model.told(Told::Recent(Ok(page(400))));
    model.settled(Vec::new());
    assert_eq!(press(&mut model, "G"), [Wish::Pages(View::Recent, 3)]);
    model.told(Told::Recent(Ok(page(600))));
    model.cursors[View::Recent.place()].key = Some(super::model::Key::Job(id(599)));
    assert_eq!(model.settled(Vec::new()), [], "whoever stays at the end asks for no more");
}

#[test]
fn what_was_known_stays_when_the_server_is_lost() {
    let mut model = model(View::Queue, (80, 24));
    model.told(Told::Lost { why: "connection refused".into(), again_ms: 4000 });
    let later = Time(NOW.0 + 3000);
    model.passed(later);
    model.told(Told::Lost { why: "connection refused".into(), again_ms: 8000 });
    let text = seen(&model);
    assert!(text.contains("STALE since 08:30:00 (3s)"), "{text}");
    assert!(text.contains("The server does not answer: connection refused. Asked again in 8s"), "{text}");
    assert!(text.contains("00000004"), "{text}");
    model.told(Told::Here);
    assert!(!seen(&model).contains("STALE"));
}

#[test]
fn what_one_may_not_see_is_a_sentence_and_takes_what_was_seen() {
    let mut model = model(View::Workers, (80, 24));
    model.told(Told::Workers(Err("This is not yours to see: you have no role there.".into())));
    model.settled(Vec::new());
    let text = seen(&model);
    assert!(text.contains("This is not yours to see") && text.contains("Workers not yours to see"), "{text}");
    assert!(!text.contains("north"), "{text}");
}

#[test]
fn samples_become_pictures_against_the_limits() {
    let mut model = model(View::Running, (100, 24));
    for step in 1..=4 {
        let now = Sample {
            wall_ms: step * 1000,
            cpu_ms: step * 500,
            memory_bytes: Some(step * (64 << 20)),
            ..Sample::default()
        };
        let running = Job { now: Some(now), ..job(20, JobState::Running) };
        model.told(Told::Running(Ok(Listed { jobs: vec![running], more: false })));
    }
    // The list is a little behind the job's own events.
    let late = Sample { wall_ms: 3500, cpu_ms: 1700, ..Sample::default() };
    let behind = Job { now: Some(Sample { memory_bytes: Some(256 << 20), ..late }), ..job(20, JobState::Running) };
    model.told(Told::Running(Ok(Listed { jobs: vec![behind], more: false })));
    model.settled(Vec::new());
    let text = seen(&model);
    assert!(text.contains("▄▄▄▄    50%"), "{text}");
    assert!(text.contains("▂▄▆█  256M!"), "{text}");
}

#[test]
fn names_of_others_keep_to_their_columns() {
    let mut model = model(View::Running, (100, 24));
    let hostile = Job {
        entry: "日本語日本語日本語日本語\u{202e}x".into(),
        user_name: "שלום\x1b[2J".into(),
        project_name: "e\u{301}\u{301}\u{301}\u{301}\u{301}".into(),
        ..job(20, JobState::Running)
    };
    model.told(Told::Running(Ok(Listed { jobs: vec![hostile], more: false })));
    model.settled(Vec::new());
    let text = seen(&model);
    let line = text.lines().find(|line| line.starts_with("00000014")).unwrap();
    assert!(line.contains("שלום") && !line.contains(['\x1b', '\u{202e}']), "{line}");
    let head = text.lines().find(|line| line.starts_with("Job ")).unwrap();
    let column = head.find("Project").unwrap();
    // The project begins where its head does, however wide what stands before it is.
    let mut columns = 0;
    let before: String = line
        .chars()
        .take_while(|c| {
            columns += width(&c.to_string());
            columns <= column
        })
        .collect();
    assert_eq!(width(&before), column, "{line}");
}

#[test]
fn without_colours_and_blocks_everything_is_still_told() {
    let mut model = model(View::Workers, (80, 24));
    (model.palette, model.letters) = (Palette { depth: Depth::None }, Letters::Ascii);
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| draw::frame(&model, frame.buffer_mut())).unwrap();
    let buffer = terminal.backend().buffer();
    assert!(draw::plain(buffer).is_ascii());
    assert!(draw::plain(buffer).contains("away"));
    for cell in buffer.content() {
        assert_eq!((cell.fg, cell.bg), (ratatui::style::Color::Reset, ratatui::style::Color::Reset));
    }
}

#[test]
fn what_changes_is_told_without_a_list_being_read() {
    use gambeson_api::Change;
    let mut model = model(View::Recent, (80, 24));
    let gone = ended(20, End::Exited { code: 3 }, "it ended with code 3");
    model.told(Told::Change(Box::new(Change::Job { job: Box::new(gone) })));
    model.settled(Vec::new());
    assert_eq!(model.lines.len(), 3);
    assert_eq!(model.running.value.as_ref().unwrap().jobs, []);
    model.told(Told::Change(Box::new(Change::Queue { queue: Box::new(queue(77)) })));
    assert!(seen(&model).contains("Queued 77"));
}
