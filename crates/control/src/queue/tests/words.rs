//! Invariant 11, the sentences, and forecasts of what can only be told roughly.

use super::*;

fn why(world: &World, job: JobKey) -> String {
    let position = world.queue.forecast(job, world.now, &world.truth()).map(|forecast| forecast.position);
    world.queue.explain(job, world.now, position).unwrap().to_string()
}

#[test]
fn each_wait_has_its_sentence() {
    let mut world = World::new(Rules::default());
    let job = world.push(Job::of(1, 1));
    assert_eq!(why(&world, job), "no worker is connected");

    let worker = demand(2, 24);
    let mut world = World::with_workers(&[(worker, 4)]);
    let job = world.push(Job::of(1, 1).asks(8, 64));
    assert_eq!(
        why(&world, job),
        "no worker is large enough: this job asks for 8 CPUs and 64 GiB, the largest has 2 CPUs and 24 GiB"
    );

    let mut world = World::with_workers(&[(demand(8, 24), 8)]);
    world.limit_project(1, 2);
    world.limit_user(2, 1, 3);
    world.limit_project(3, 0);
    let jobs: Vec<_> = (0..3).map(|_| world.push(Job::of(1, 1))).collect();
    let others: Vec<_> = (0..4).map(|_| world.push(Job::of(2, 1))).collect();
    let never = world.push(Job::of(3, 1));
    world.settle();
    assert_eq!(why(&world, jobs[2]), "2 jobs of your project run; its limit is 2");
    assert_eq!(why(&world, others[3]), "3 jobs of yours run; your limit is 3");
    assert_eq!(why(&world, never), "your project may not run jobs: its limit is 0");

    let mut world = World::with_workers(&[(demand(2, 24), 4)]);
    let jobs: Vec<_> = (0..6).map(|_| world.push(Job::of(1, 1))).collect();
    assert_eq!(why(&world, jobs[0]), "it is next");
    assert_eq!(why(&world, jobs[1]), "1 job is before this one");
    world.settle();
    assert_eq!(why(&world, jobs[2]), "the workers are full; it is next");
    assert_eq!(why(&world, jobs[3]), "the workers are full; 1 job is before this one");
    assert_eq!(why(&world, jobs[5]), "the workers are full; 3 jobs are before this one");
    assert_eq!(
        world.queue.explain(jobs[5], world.now, None).unwrap().to_string(),
        "the workers are full; other jobs are before this one"
    );

    let mut world = World::with_workers(&[(demand(8, 24), 8)]);
    let jobs: Vec<_> = (0..5).map(|_| world.push(Job::of(1, 1).class(Class::High))).collect();
    world.settle();
    assert_eq!(why(&world, jobs[4]), "jobs of class high may hold at most 50 % of the workers");

    let mut world = World::with_workers(&[(demand(4, 24), 4)]);
    world.push(Job::of(1, 1).asks(3, 1).takes(60_000, 60_000));
    world.settle();
    world.push(Job::of(2, 1).asks(4, 1));
    let long = world.push(Job::of(3, 1).takes(50_000, 100_000));
    world.settle();
    assert_eq!(why(&world, long), "a larger job is waiting for worker room (backfill)");

    let mut world = World::with_workers(&[(demand(4, 24), 4)]);
    let job = world.push(Job { delay_ms: 11_001, ..Job::of(1, 1) });
    assert_eq!(why(&world, job), "it waits 12 s after a failed start before it is tried again");
    world.now += 11_001;
    assert_eq!(why(&world, job), "it is next");
}

#[test]
fn a_reason_has_no_room_for_the_name_of_another() {
    // What a sentence can say is what a reason holds: every field is listed here, and none is a key.
    let fields = |reason: Reason| match reason {
        Reason::Delayed { for_ms: _ } | Reason::NoWorker | Reason::Backfill | Reason::Next => {}
        Reason::TooLarge { demand: _, largest: _ } => {}
        Reason::ProjectLimit { running: _, limit: _ } | Reason::UserLimit { running: _, limit: _ } => {}
        Reason::ClassCeiling { class: _, percent: _ } => {}
        Reason::WorkersFull { before: _ } | Reason::Behind { before: _ } => {}
    };
    fields(Reason::NoWorker);
    let mut world = World::with_workers(&[(demand(1, 24), 1)]);
    let jobs: Vec<_> = (0..3).map(|n| world.push(Job::of(987_654 + n, 876_543 + n))).collect();
    world.settle();
    for &job in &jobs[1..] {
        let said = format!("{} {:?}", why(&world, job), world.queue.explain(job, world.now, None));
        assert!(!said.contains("98765") && !said.contains("87654"), "{said}");
    }
}

#[test]
fn demands_are_said_as_people_say_them() {
    let said = |cpus_milli, memory_bytes| Demand { cpus_milli, memory_bytes }.to_string();
    assert_eq!(said(1000, 512 << 20), "1 CPU and 512 MiB");
    assert_eq!(said(500, 3 << 29), "0.5 CPUs and 1.5 GiB");
    assert_eq!(said(2000, 17), "2 CPUs and 17 bytes");
}

#[test]
fn a_job_that_cannot_start_has_a_position_and_no_time() {
    let never = |forecast: Forecast| (forecast.start_p50_ms, forecast.start_p90_ms) == (None, None);
    let mut world = World::new(Rules::default());
    let jobs: Vec<_> = (0..3).map(|_| world.push(Job::of(1, 1))).collect();
    let told = |world: &World, job| world.queue.forecast(job, START, &world.truth()).unwrap();
    assert_eq!(told(&world, jobs[2]).position, 3);
    assert!(never(told(&world, jobs[2])));

    world.queue.worker_set(WorkerKey(1), demand(2, 2), 1);
    let too_large = world.push(Job::of(2, 1).asks(3, 1));
    assert_eq!(told(&world, too_large).position, 4);
    assert!(never(told(&world, too_large)));
    assert_eq!(told(&world, jobs[2]).start_p50_ms, Some(START + 20_000));
}

#[test]
fn a_forecast_tells_a_usual_and_a_late_start() {
    let mut world = World::with_workers(&[(demand(1, 8), 1)]);
    let jobs: Vec<_> = (0..3).map(|_| world.push(Job::of(1, 1))).collect();
    let estimate = |_, _, _| Estimate { p50_ms: 1_000, p90_ms: 7_000 };
    let told = world.queue.forecast(jobs[2], START, &estimate).unwrap();
    assert_eq!(told, Forecast { position: 3, start_p50_ms: Some(START + 2_000), start_p90_ms: Some(START + 14_000) });
    // A job that runs for longer than usual is expected to end late, and then at its limit.
    world.settle();
    let start = |now| world.queue.forecast(jobs[1], now, &estimate).unwrap().start_p50_ms;
    assert_eq!(start(START + 999), Some(START + 1_000));
    assert_eq!(start(START + 1_000), Some(START + 7_000));
    assert_eq!(start(START + 7_000), Some(START + 20_000));
    assert_eq!(start(START + 30_000), Some(START + 30_000));
}

#[test]
fn far_behind_a_forecast_is_near_the_truth() {
    let mut world = World::with_workers(&[(demand(4, 64), 4), (demand(4, 64), 4)]);
    let jobs: Vec<_> = (0..12_000).map(|n| world.push(Job::of(n / 7 % 4, n % 7).takes(10_000, 20_000))).collect();
    let told: Vec<_> =
        [2_500, 6_000, 11_999].map(|n| (jobs[n], world.queue.forecast(jobs[n], START, &world.truth()).unwrap())).into();
    world.run();
    for (job, forecast) in told {
        let place = world.started.iter().position(|(other, _)| *other == job).unwrap() as f64 + 1.0;
        let (start, expected) = (forecast.start_p50_ms.unwrap() - START, world.start_of(job).unwrap() - START);
        assert!((forecast.position as f64 / place - 1.0).abs() < 0.1, "{} of {place}", forecast.position);
        assert!((start as f64 / expected as f64 - 1.0).abs() < 0.1, "{start} of {expected}");
    }
}
