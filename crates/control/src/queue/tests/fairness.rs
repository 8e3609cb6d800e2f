//! Invariants 6 and 7, and the ranks: who goes first.

use super::*;

/// Keeps `n` jobs like `job` waiting.
fn top_up(world: &mut World, job: Job, n: u64) {
    let class = job.class as usize;
    let user = |line: &UserLine| line.user == UserKey(job.user);
    let snapshot = world.queue.snapshot(world.now);
    let line = snapshot.projects.iter().find(|line| line.project == ProjectKey(job.project));
    let waiting = line.and_then(|line| line.users.iter().find(|line| user(line))).map_or(0, |line| line.classes[class]);
    for _ in waiting..n {
        world.push(job);
    }
}

/// Runs until `until` while the streams never dry up.
fn run_with_streams(world: &mut World, streams: &[Job], until: u64) {
    while world.now < until {
        for &job in streams {
            top_up(world, job, 4);
        }
        world.settle();
        world.advance();
    }
}

/// The time that jobs of each project held a CPU, as they really ran.
fn cpu_time(world: &World, of: &BTreeMap<JobKey, u128>) -> BTreeMap<u128, u64> {
    let mut time = BTreeMap::new();
    for (job, _) in &world.started {
        *time.entry(of[job]).or_default() += world.takes[job];
    }
    time
}

fn assert_near(share: f64, expected: f64) {
    assert!((share - expected).abs() <= expected * 0.1, "{share} is not {expected}");
}

#[test]
fn shares_of_projects_converge_to_their_weights() {
    let mut world = World::with_workers(&[(demand(4, 8), 4), (demand(4, 8), 4)]);
    for project in 1..=3 {
        let rules = ProjectRules { weight: project, ..ProjectRules::default() };
        world.queue.set_project(ProjectKey(project.into()), rules);
    }
    // Not one length of runs is like another: what counts is time and not the number of jobs.
    let streams = [Job::of(1, 1).takes(3_000, 60_000), Job::of(2, 1).takes(20_000, 20_000), Job::of(3, 1)];
    run_with_streams(&mut world, &streams, START + 180 * MINUTE);
    let owner = |job: &JobKey| streams.iter().find(|stream| stream.takes_ms == world.takes[job]).unwrap().project;
    let of = world.started.iter().map(|(job, _)| (*job, owner(job))).collect();
    let time = cpu_time(&world, &of);
    let whole: u64 = time.values().sum();
    for project in 1..=3u128 {
        assert_near(time[&project] as f64 / whole as f64, project as f64 / 6.0);
    }
    let shown = world.queue.snapshot(world.now);
    for (line, expected) in shown.projects.iter().zip([1.0 / 6.0, 2.0 / 6.0, 3.0 / 6.0]) {
        assert_near(line.share, expected);
    }
}

#[test]
fn shares_of_users_converge_within_their_project_however_many_they_are() {
    let mut world = World::with_workers(&[(demand(4, 8), 4)]);
    let heavy = UserRules { weight: 3, ..UserRules::default() };
    world.queue.set_user(ProjectKey(1), UserKey(1), heavy);
    let streams =
        [Job::of(1, 1).takes(4_000, 9_000), Job::of(1, 2).takes(7_000, 9_000), Job::of(2, 1).takes(5_000, 9_000)];
    run_with_streams(&mut world, &streams, START + 120 * MINUTE);
    let shown = world.queue.snapshot(world.now);
    assert_near(shown.projects[0].share, 0.5);
    assert_near(shown.projects[0].users[0].share, 0.75);
    assert_near(shown.projects[0].users[1].share, 0.25);
    assert_near(shown.projects[1].users[0].share, 1.0);
}

#[test]
fn usage_counts_half_after_a_half_life() {
    let mut world = World::with_workers(&[(demand(4, 8), 4)]);
    world.push(Job::of(1, 1).takes(40_000, 40_000));
    world.run();
    let seconds = |world: &World, now| world.queue.snapshot(now).projects[0].users[0].usage_seconds;
    // A quarter of the CPUs, for 40 s.
    assert!((seconds(&world, world.now) - 10.0).abs() < 1e-6);
    let half_life = world.rules.half_life_ms;
    assert!((seconds(&world, world.now + half_life) - 5.0).abs() < 1e-6);
    assert!((seconds(&world, world.now + 10 * half_life) - 10.0 / 1024.0).abs() < 1e-6);
}

#[test]
fn usage_survives_a_restart_and_a_thousand_half_lives() {
    let mut queue = Queue::new(Rules::default());
    queue.restore_usage(ProjectKey(1), UserKey(1), 10.0, START);
    queue.restore_usage(ProjectKey(1), UserKey(2), f64::NAN, START);
    let line = queue.snapshot(START).projects.remove(0);
    assert_eq!((line.share, line.users[0].share, line.users[1].share), (1.0, 1.0, 0.0));
    let later = START + 5_000 * Rules::default().half_life_ms;
    queue.restore_usage(ProjectKey(2), UserKey(1), 3.0, later);
    let shown = queue.snapshot(later);
    assert_eq!((shown.projects[0].share, shown.projects[1].share), (0.0, 1.0));
    assert!((shown.projects[1].users[0].usage_seconds - 3.0).abs() < 1e-6);
}

#[test]
fn a_higher_class_goes_first_and_within_it_who_used_less() {
    let mut world = World::with_workers(&[(demand(1, 8), 1)]);
    world.queue.restore_usage(ProjectKey(1), UserKey(1), 100.0, START);
    let low = world.push(Job::of(2, 1).class(Class::Low));
    let used_much = world.push(Job::of(1, 1));
    let used_nothing = world.push(Job::of(2, 2));
    let high = world.push(Job::of(1, 1).class(Class::High));
    world.run();
    assert_eq!(world.order_of_starts(), [high.0, used_nothing.0, used_much.0, low.0]);
}

#[test]
fn a_job_rises_a_class_for_each_step_of_age_and_never_above_high() {
    let aged = |class: Class, steps: u64| class.aged(steps * 1000, 1000);
    assert_eq!(
        [0, 1, 2, 9].map(|steps| aged(Class::Low, steps)),
        [Class::Low, Class::Normal, Class::High, Class::High]
    );
    assert_eq!([0, 1, 2].map(|steps| aged(Class::Normal, steps)), [Class::Normal, Class::High, Class::High]);
    assert_eq!(Class::Low.aged(999, 1000), Class::Low);
}

#[test]
fn age_promotes_a_class_but_does_not_bypass_fair_shares() {
    let mut world = World::with_workers(&[(demand(1, 8), 1)]);
    for _ in 0..50 {
        world.push(Job::of(1, 1));
    }
    world.queue.restore_usage(ProjectKey(1), UserKey(1), 1000.0, START);
    world.now += 60 * MINUTE;
    let newcomer = world.push(Job::of(2, 1).class(Class::High));
    world.settle();
    assert_eq!(world.order_of_starts(), [newcomer.0]);
}

proptest! {
    #![proptest_config(few(24))]

    /// Invariant 6. Streams of small jobs never dry up, of high class and of projects that used nothing before
    /// among them; each of the others, however large and of whatever class, starts within the time in which it
    /// ages and room is cleared.
    #[test]
    fn nobody_starves(
        others in prop::collection::vec((5u128..8, 1u128..3, any_class(), 1u32..5, 0u64..600), 1..6),
        takes in prop::collection::vec(1_000u64..40_000, 4),
    ) {
        let mut world = World::with_workers(&[(demand(4, 8), 4), (demand(2, 8), 8)]);
        world.limit_user(3, 1, 3);
        let streams = [
            Job::of(1, 1).class(Class::High).takes(takes[0], 40_000),
            Job::of(2, 1).takes(takes[1], 40_000),
            Job::of(3, 1).class(Class::High).asks(2, 2).takes(takes[2], 40_000),
            Job::of(4, 2).takes(takes[3], 90_000),
        ];
        let mut waiting = Vec::new();
        for (project, user, class, cpus, seconds) in others {
            run_with_streams(&mut world, &streams, START + seconds * 1000);
            waiting.push((world.push(Job::of(project, user).class(class).asks(cpus, 6)), world.now));
        }
        run_with_streams(&mut world, &streams, START + 75 * MINUTE);
        for (job, since) in waiting {
            let start = world.start_of(job);
            prop_assert!(start.is_some_and(|start| start <= since + 60 * MINUTE), "{job:?}: {start:?} of {since}");
        }
    }
}
