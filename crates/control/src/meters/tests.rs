use super::picture::{PROJECTS_MOST, Picture, Seen, WORKERS_MOST};
use super::*;
use gambeson_api::{Vitals, Worker, WorkerId};

fn series(meters: &Meters) -> Vec<String> {
    let text = meters.text().unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

fn value(meters: &Meters, name: &str) -> f64 {
    let series = series(meters);
    let line = series.iter().find_map(|line| line.strip_prefix(name)?.trim_start_matches("{}").strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in\n{}", series.join("\n"))).parse().unwrap()
}

fn worker(name: &str) -> Seen {
    let vitals =
        Vitals { cells: 3, spares: 7, cpu_pressure: Some(25.0), memory_pressure: Some(f64::NAN), io_pressure: None };
    Seen {
        worker: Worker {
            id: WorkerId::new(),
            name: name.into(),
            connected: true,
            draining: false,
            version: String::new(),
            cpus_milli: 2000,
            memory_bytes: 1 << 30,
            slots: 4,
            running: 3,
            environment: String::new(),
            seen_at: Time(0),
            enrolled_at: Time(0),
            vitals: Some(vitals),
        },
        cpus_free_milli: 500,
        memory_free_bytes: 1 << 20,
        silent_ms: 1500,
    }
}

#[test]
fn however_many_projects_and_workers_there_are_the_series_are_bounded() {
    let meters = Meters::default();
    let projects = |count: usize| (0..count).map(|at| (format!("project {at} \"\n\\"), [1, 2, 3], 1)).collect();
    let workers = |count: usize| (0..count).map(|at| worker(&format!("worker {at}"))).collect();
    let picture = |count: usize| Picture {
        projects: projects(count),
        shown: workers(count.min(WORKERS_MOST)),
        ..Picture::default()
    };
    meters.levels.show(Some(picture(PROJECTS_MOST + 1)));
    let most = series(&meters).len();
    meters.levels.show(Some(picture(10_000)));
    assert_eq!(series(&meters).len(), most);
    assert_eq!(value(&meters, r#"gambeson_queue_jobs{project="other",class="high"}"#), 3.0 * 9_900.0);
    assert_eq!(value(&meters, r#"gambeson_running_jobs{project="project 99 \"\n\\"}"#), 1.0);
    // And what is gone is not shown any more.
    meters.levels.show(Some(picture(1)));
    assert!(series(&meters).len() < most / 4, "{} of {most}", series(&meters).len());
}

#[test]
fn hostile_words_make_no_series_of_their_own() {
    let meters = Meters::default();
    let ended = |word: &str| Ended {
        class: Class::Normal,
        kind: "limit_hit",
        ok: false,
        limit: Some(words::limit(word)),
        start: Some(Start::Warm),
        took_ms: Some(3),
        ran_ms: Some(40.0),
        denials: vec![(words::act(word), words::rule(word), 2)],
    };
    meters.count(Fact::Ended(Box::new(ended("x"))));
    meters.request("/v1/jobs", "BREW", 999, Duration::ZERO);
    let before = series(&meters).len();
    for at in 0..10_000 {
        meters.count(Fact::Ended(Box::new(ended(&format!("strange {at}\n")))));
        meters.request("/v1/jobs", &format!("M{at}"), 600 + at, Duration::ZERO);
    }
    assert_eq!(series(&meters).len(), before);
    assert_eq!(value(&meters, r#"gambeson_denials_total{act="other",rule="other"}"#), 20_002.0);
    assert_eq!(value(&meters, r#"gambeson_jobs_started_total{start="warm"}"#), 10_001.0);
    // The control: what is known has a series of its own.
    meters.count(Fact::Ended(Box::new(Ended {
        denials: vec![(words::act("socket"), words::rule("network"), 1)],
        ..ended("x")
    })));
    assert_eq!(series(&meters).len(), before + 1);
}

#[test]
fn workers_of_one_name_are_told_apart_and_what_they_say_is_made_sense_of() {
    let meters = Meters::default();
    let (one, mut other) = (worker("same"), worker("same"));
    other.worker.vitals = None;
    let name = format!("same {}", other.worker.id);
    meters.levels.show(Some(Picture { shown: vec![one, other], workers: [2, 0, 0], ..Picture::default() }));
    assert_eq!(value(&meters, r#"gambeson_worker_jobs{worker="same"}"#), 3.0);
    assert_eq!(value(&meters, &format!(r#"gambeson_worker_cpus_free{{worker="{name}"}}"#)), 0.5);
    assert_eq!(value(&meters, r#"gambeson_worker_pressure_ratio{worker="same",resource="cpu"}"#), 0.25);
    assert_eq!(value(&meters, r#"gambeson_worker_spares{worker="same"}"#), 7.0);
    let shown = series(&meters);
    let spares = shown.iter().filter(|line| line.starts_with("gambeson_worker_spares"));
    let pressures = shown.iter().filter(|line| line.starts_with("gambeson_worker_pressure_ratio"));
    assert_eq!((spares.count(), pressures.count()), (1, 1), "one says nothing, and not-a-number is nothing");
    meters.levels.show(None);
    assert_eq!(value(&meters, "gambeson_writer_up"), 0.0);
    assert!(!series(&meters).iter().any(|line| line.starts_with("gambeson_workers")), "what is not known is not shown");
}

#[test]
fn a_follower_counts_as_long_as_it_lives() {
    let meters = Meters::default();
    let follows = || value(&meters, r#"gambeson_followers{stream="job"}"#);
    let following = [meters.follow("job"), meters.follow("job")];
    assert_eq!(follows(), 2.0);
    drop(following);
    assert_eq!(follows(), 0.0);
}

#[test]
fn names_are_in_base_units_and_say_what_to_do() {
    let meters = Meters::default();
    for Described { name, kind, help, .. } in meters.described() {
        assert!(
            name.starts_with("gambeson_") && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{name}"
        );
        assert_eq!(name.ends_with("_total"), *kind == "counter", "{name}");
        assert!(!["_ms", "_kb", "_percent", "_minutes"].iter().any(|unit| name.contains(unit)), "{name}");
        assert!(help.ends_with('.') && !help.contains('\n') && help.len() > 20, "{name}: {help}");
    }
    let mut names: Vec<&str> = meters.described().iter().map(|one| one.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), meters.described().len());
}
