//! Invariants 4, 5 and 10, ceilings, and where a job goes.

use super::*;

#[test]
fn a_job_goes_where_the_least_is_left_over() {
    let mut world = World::with_workers(&[(demand(8, 32), 8), (demand(2, 8), 2), (demand(4, 8), 4)]);
    world.push(Job::of(1, 1).asks(2, 8));
    let grant = world.queue.choose(START).unwrap();
    assert_eq!(grant.worker, WorkerKey(2));
}

#[test]
fn only_a_worker_that_asks_is_granted_a_job_and_the_grant_answers_it() {
    let mut world = World::with_workers(&[(demand(8, 32), 8), (demand(8, 32), 8)]);
    world.queue.worker_asks(WorkerKey(1), false);
    let (first, second) = (world.push(Job::of(1, 1)), world.push(Job::of(1, 1)));
    assert_eq!(world.queue.choose(START), Some(Grant { job: first, worker: WorkerKey(2) }));
    world.queue.start(first, WorkerKey(2), START, 10).unwrap();
    assert_eq!(world.queue.choose(START), None);
    world.queue.worker_asks(WorkerKey(1), true);
    assert_eq!(world.queue.choose(START), Some(Grant { job: second, worker: WorkerKey(1) }));
}

/// One worker of 4 CPUs; 3 are held for at most a minute, and a job of 4 waits first of all.
fn large_job_waits() -> (World, JobKey) {
    let mut world = World::with_workers(&[(demand(4, 8), 4)]);
    world.push(Job::of(1, 1).asks(3, 1).takes(60_000, 60_000));
    world.settle();
    let large = world.push(Job::of(2, 1).asks(4, 1));
    (world, large)
}

#[test]
fn a_short_job_is_backfilled_and_a_long_one_is_not() {
    let (mut world, large) = large_job_waits();
    let long = world.push(Job::of(3, 1).takes(10_000, 60_001));
    let short = world.push(Job::of(3, 2).takes(10_000, 60_000));
    world.run();
    assert_eq!(world.start_of(short), Some(START));
    assert_eq!(world.start_of(large), Some(START + 60_000));
    assert_eq!(world.start_of(long), Some(START + 70_000));
}

#[test]
fn a_long_job_that_fits_beside_the_kept_room_is_backfilled() {
    let mut world = World::with_workers(&[(demand(4, 8), 4)]);
    world.push(Job::of(1, 1).asks(3, 1).takes(60_000, 60_000));
    world.settle();
    let large = world.push(Job::of(2, 1).asks(3, 1));
    let long = world.push(Job::of(3, 1).takes(500_000, 900_000));
    world.run();
    assert_eq!(world.start_of(long), Some(START));
    assert_eq!(world.start_of(large), Some(START + 60_000));
}

#[test]
fn a_smaller_job_overtakes_within_its_lane_until_the_larger_has_waited_three_steps() {
    let mut world = World::with_workers(&[(demand(4, 8), 4)]);
    world.push(Job::of(1, 1).asks(3, 1).takes(50 * MINUTE, 50 * MINUTE));
    world.settle();
    let large = world.push(Job::of(2, 1).asks(4, 1));
    let early = world.push(Job::of(2, 1));
    world.settle();
    assert_eq!(world.start_of(early), Some(START));
    world.now += 30 * MINUTE;
    let late = world.push(Job::of(2, 1));
    world.run();
    assert_eq!(world.start_of(large), Some(START + 50 * MINUTE));
    assert_eq!(world.start_of(late), Some(START + 50 * MINUTE + 10_000));
}

#[test]
fn no_more_jobs_of_a_lane_are_looked_at_than_the_rules_say() {
    for (depth, starts) in [(3, 0), (4, 1)] {
        let rules = Rules { backfill_depth: depth, ..Rules::default() };
        let (mut world, _) = large_job_waits();
        world.queue.set_rules(rules, START);
        for _ in 0..2 {
            world.push(Job::of(2, 1).asks(4, 1));
        }
        let small = world.push(Job::of(2, 1).takes(5_000, 5_000));
        world.settle();
        assert_eq!(world.start_of(small).iter().count(), starts);
    }
}

#[test]
fn who_is_overtaken_keeps_the_room_when_ranks_change() {
    let (mut world, large) = large_job_waits();
    world.push(Job::of(3, 1).takes(1_000, 2_000));
    world.settle();
    // Now project 2 has used far more than project 3, whose next job would rank first, and would fit.
    world.queue.restore_usage(ProjectKey(2), UserKey(1), 1000.0, START);
    let ranked_first = world.push(Job::of(4, 1).takes(90_000, 90_000));
    world.run();
    assert_eq!(world.start_of(large), Some(START + 60_000));
    assert_eq!(world.start_of(ranked_first), Some(START + 70_000));
}

#[test]
fn a_job_that_fits_no_worker_holds_up_nobody() {
    let mut world = World::with_workers(&[(demand(4, 8), 4)]);
    let too_large: Vec<_> = (0..100).map(|_| world.push(Job::of(1, 1).asks(5, 1))).collect();
    let same_lane = world.push(Job::of(1, 1));
    let whole = world.push(Job::of(1, 1).asks(4, 8));
    world.run();
    assert_eq!(world.order_of_starts(), [same_lane.0, whole.0]);
    world.queue.worker_set(WorkerKey(2), demand(8, 8), 1);
    world.run();
    assert!(too_large.iter().all(|&job| world.start_of(job).is_some()));
}

#[test]
fn a_class_holds_at_most_its_part_but_one_job_may_always_start() {
    let mut world = World::with_workers(&[(demand(8, 64), 8)]);
    for _ in 0..8 {
        world.push(Job::of(1, 1).class(Class::High));
    }
    world.settle();
    assert_eq!(world.started.len(), 4);
    let mut world = World::with_workers(&[(demand(8, 64), 8)]);
    let large = world.push(Job::of(1, 1).class(Class::High).asks(6, 1));
    let small = world.push(Job::of(2, 1).class(Class::High));
    world.run();
    assert_eq!(world.start_of(large), Some(START));
    assert_eq!(world.start_of(small), Some(START + 10_000));
}

#[test]
fn smaller_jobs_of_its_class_do_not_overtake_one_that_waits_for_the_ceiling() {
    let mut world = World::with_workers(&[(demand(8, 64), 8)]);
    world.push(Job::of(1, 1).class(Class::High));
    world.settle();
    let large = world.push(Job::of(2, 1).class(Class::High).asks(4, 1));
    let small = world.push(Job::of(1, 1).class(Class::High));
    let normal = world.push(Job::of(1, 1));
    world.run();
    assert_eq!(world.start_of(normal), Some(START));
    assert_eq!(world.start_of(large), Some(START + 10_000));
    assert_eq!(world.start_of(small), Some(START + 20_000));
}

#[test]
fn room_that_is_kept_for_a_job_includes_its_place_among_those_of_its_user() {
    let (mut world, large) = large_job_waits();
    world.limit_user(2, 1, 1);
    let small = world.push(Job::of(2, 1).takes(59_000, 59_999));
    world.run();
    assert_eq!(world.start_of(large), Some(START + 60_000));
    assert_eq!(world.start_of(small), Some(START + 70_000));
}

#[test]
fn a_delayed_job_waits_for_its_time_and_then_goes_before_younger_ones_of_its_lane() {
    let mut world = World::with_workers(&[(demand(1, 8), 1)]);
    let first = world.push(Job::of(1, 1));
    let second = world.push(Job::of(1, 1));
    let third = world.push(Job::of(1, 1));
    world.settle();
    world.ends.clear();
    assert!(world.queue.requeue(first, START + 5_000));
    assert_eq!(world.queue.next_wake_ms(), Some(START + 5_000));
    world.started.clear();
    world.run();
    assert_eq!(world.order_of_starts(), [second.0, first.0, third.0]);
}

#[test]
fn jobs_that_ran_before_a_restart_count_before_their_worker_is_back() {
    let mut world = World::new(Rules::default());
    world.limit_project(1, 2);
    let running = world.push(Job::of(1, 1).asks(3, 1));
    world.queue.start(running, WorkerKey(1), START, 10_000).unwrap();
    world.queue.worker_set(WorkerKey(1), demand(4, 8), 4);
    world.check_sums();
    let (fits, _) = (world.push(Job::of(1, 1)), world.push(Job::of(1, 1)));
    world.settle();
    assert_eq!(world.order_of_starts(), [fits.0]);
    assert!(world.queue.snapshot(START).projects[0].share > 0.0);
}

#[test]
fn a_job_or_an_order_is_in_the_queue_once() {
    let mut world = World::with_workers(&[(demand(4, 8), 4)]);
    let job = world.push(Job::of(1, 1));
    let queued = world.queue.remove(job).unwrap();
    assert!(world.queue.push(queued));
    assert!(!world.queue.push(queued));
    assert!(!world.queue.push(Queued { job: JobKey(77), ..queued }));
    world.settle();
    assert!(!world.queue.push(queued));
    assert_eq!(world.queue.len(), 0);
}

#[test]
fn counts_are_by_project_and_user() {
    let mut world = World::with_workers(&[(demand(1, 8), 1)]);
    for (project, user) in [(1, 1), (1, 1), (1, 2), (2, 1)] {
        world.push(Job::of(project, user));
    }
    world.settle();
    assert_eq!([1, 2, 3].map(|project| world.queue.len_of_project(ProjectKey(project))), [2, 1, 0]);
    assert_eq!(world.queue.queued_of(ProjectKey(1), UserKey(1)), 1);
    assert_eq!(world.queue.running_of(ProjectKey(1), UserKey(1)), 1);
    assert_eq!(world.queue.running_of_project(ProjectKey(1)), 1);
    assert_eq!(world.queue.running_of(ProjectKey(2), UserKey(1)), 0);
}

proptest! {
    #![proptest_config(few(64))]

    /// Invariant 5: whatever is submitted in lower classes, and however early jobs end.
    #[test]
    fn backfill_never_delays_the_job_that_room_is_kept_for_beyond_its_shadow_time(
        before in prop::collection::vec((any_job(), 1u64..100), 1..12),
        after in prop::collection::vec((any_job(), 1u64..100), 1..40),
        (cpus, gib) in (3u32..6, 3u64..12),
    ) {
        let mut world = World::with_workers(&[(demand(5, 12), 5), (demand(4, 11), 3)]);
        let early = |job: Job, percent| Job { delay_ms: 0, takes_ms: job.wall_ms * percent / 100, ..job }.class(Class::Low);
        for (job, percent) in before {
            world.push(early(job, percent));
        }
        world.settle();
        // The only job of its class, so that none ranks before it and no ceiling holds it.
        let large = world.push(Job::of(9, 9).class(Class::High).asks(cpus, gib));
        let shadow = earliest_room(&world, demand(cpus, gib));
        world.settle();
        for (job, percent) in after {
            world.push(early(job, percent));
            world.settle();
            world.advance();
        }
        world.run();
        prop_assert!(world.start_of(large).unwrap() <= shadow);
    }
}

/// When `demand` fits some worker at the latest, if nothing starts: tried at each instant at which a job ends.
fn earliest_room(world: &World, demand: Demand) -> u64 {
    let running: Vec<_> = world.queue.running().collect();
    let ends = |view: &RunningView| view.started_ms + view.queued.wall_ms;
    let fits = |at: u64| {
        world.queue.workers().any(|view| {
            let (capacity, slots) = world.capacity_of(view.worker);
            let left: Vec<_> = running.iter().filter(|run| run.worker == view.worker && ends(run) > at).collect();
            let cpus: u32 = left.iter().map(|run| run.queued.demand.cpus_milli).sum();
            let memory: u64 = left.iter().map(|run| run.queued.demand.memory_bytes).sum();
            (left.len() as u32) < slots
                && cpus + demand.cpus_milli <= capacity.cpus_milli
                && memory + demand.memory_bytes <= capacity.memory_bytes
        })
    };
    let instants: BTreeSet<u64> = running.iter().map(ends).chain([world.now]).collect();
    instants.into_iter().find(|&at| fits(at)).unwrap()
}
