//! How everything is at one moment: read from the writer's state for each scrape.

use std::collections::{BTreeMap, HashMap};

use gambeson_api::{Time, Vitals, Worker};

use super::shelf::{ALONE, Level, Of, Shelf, Word};
use super::words::{CLASSES, OTHER};
use crate::desk::Desk;
use crate::queue::WorkerKey;

/// Projects that are shown by name: the oldest, so that nobody who makes new ones moves them. The rest is `other`.
pub(super) const PROJECTS_MOST: usize = 100;
/// Workers that are shown by name; the rest is only counted.
pub(super) const WORKERS_MOST: usize = 100;
/// A worker that was not heard of for so long is forgotten here: it was taken down on purpose.
const FORGOTTEN_MS: u64 = 24 * 3_600_000;

/// The state, as far as it is shown.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// By project, oldest first: its name, jobs that wait by class, jobs that run.
    pub projects: Vec<(String, [u64; 3], u64)>,
    pub held: u64,
    pub leases: u64,
    pub draining: bool,
    /// Of all, by state: connected and taking jobs, connected and drained, silent.
    pub workers: [u64; 3],
    /// The first of them by name, with what is free of theirs, and how long nothing was heard.
    pub shown: Vec<Seen>,
}

#[derive(Debug)]
pub(super) struct Seen {
    pub worker: Worker,
    pub cpus_free_milli: u64,
    pub memory_free_bytes: u64,
    pub silent_ms: u64,
}

impl Picture {
    /// Costs a look at each project, user and worker, and none at a job that waits.
    pub(super) fn of(desk: &Desk) -> Picture {
        let now = desk.now();
        let state = &desk.state;
        let mut projects: BTreeMap<_, _> = state.directory.projects.keys().map(|id| (*id, ([0; 3], 0))).collect();
        for (project, waiting, running) in state.queue.counts() {
            let id = gambeson_api::ProjectId::from_u128(project.0);
            // Those that are shown are in the order in which they were made, which ids follow.
            projects.insert(id, (waiting, running));
        }
        let named = projects
            .into_iter()
            .map(|(id, (waiting, running))| (state.directory.name_of_project(id), waiting, u64::from(running)));
        let mut picture = Picture {
            projects: named.collect(),
            held: state.held.len() as u64,
            leases: state.leases.len() as u64,
            draining: desk.draining,
            ..Picture::default()
        };
        picture.look_at_workers(desk, now);
        picture
    }

    fn look_at_workers(&mut self, desk: &Desk, now: Time) {
        let rooms: HashMap<WorkerKey, _> = desk.state.queue.workers().map(|view| (view.worker, view.free)).collect();
        let seen =
            |row: &crate::store::WorkerRow| desk.state.present.get(&row.id).map_or(row.seen, |present| present.seen);
        let mut rows: Vec<_> =
            desk.state.workers.values().filter(|row| now.since_ms(seen(row)) < FORGOTTEN_MS).collect();
        rows.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        for row in &rows {
            let state = match (desk.state.present.contains_key(&row.id), row.draining) {
                (true, false) => 0,
                (true, true) => 1,
                (false, _) => 2,
            };
            self.workers[state] += 1;
        }
        self.shown = rows
            .into_iter()
            .take(WORKERS_MOST)
            .map(|row| {
                let free = rooms.get(&WorkerKey(row.id.as_u128()));
                Seen {
                    worker: crate::control::shown_worker(desk, row),
                    cpus_free_milli: free.map_or(0, |free| free.cpus_milli.into()),
                    memory_free_bytes: free.map_or(0, |free| free.memory_bytes),
                    silent_ms: now.since_ms(seen(row)),
                }
            })
            .collect();
    }
}

/// What shows a picture.
#[derive(Debug)]
pub(super) struct Levels {
    answers: Of<0, Level>,
    draining: Of<0, Level>,
    queue: Of<2, Level>,
    running: Of<1, Level>,
    held: Of<0, Level>,
    leases: Of<0, Level>,
    workers: Of<1, Level>,
    connected: Of<1, Level>,
    silent: Of<1, Level>,
    slots: Of<1, Level>,
    jobs: Of<1, Level>,
    cells: Of<1, Level>,
    spares: Of<1, Level>,
    cpus: Of<1, Level>,
    cpus_free: Of<1, Level>,
    memory: Of<1, Level>,
    memory_free: Of<1, Level>,
    pressure: Of<2, Level>,
}

const WORKER: [&str; 1] = ["worker"];

impl Levels {
    pub(super) fn on(shelf: &mut Shelf) -> Levels {
        Levels {
            answers: shelf.gauge(
                "writer_up",
                [],
                "Whether the writer answered this scrape within a second. At 0 the figures of queue, leases and workers are missing, and \
                 nothing is accepted: see the log and store_commit_seconds.",
            ),
            draining: shelf.gauge("draining", [], "Whether the server was told to stop and gives out no more jobs."),
            queue: shelf.gauge(
                "queue_jobs",
                ["project", "class"],
                "Jobs that wait, by project (the 100 oldest, the rest is other) and class. What grows for hours needs more workers.",
            ),
            running: shelf.gauge("running_jobs", ["project"], "Jobs that workers have, by project (as in queue_jobs)."),
            held: shelf.gauge(
                "held_jobs",
                [],
                "Jobs that a policy holds. Somebody is to approve or cancel them (gambeson jobs).",
            ),
            leases: shelf.gauge("leases", [], "Attempts that workers have now."),
            workers: shelf.gauge(
                "workers",
                ["state"],
                "Workers heard of within a day: connected, draining (connected, and takes no jobs) or silent. With none connected nothing runs.",
            ),
            connected: shelf.gauge(
                "worker_connected",
                WORKER,
                "Whether a worker is connected, for the first 100 by name. One that is silent for a day is no longer shown.",
            ),
            silent: shelf.gauge(
                "worker_silent_seconds",
                WORKER,
                "How long nothing was heard of a worker. Beyond queue.lease its jobs are taken from it: look at its machine.",
            ),
            slots: shelf.gauge("worker_slots", WORKER, "Jobs that a worker takes at once (worker.slots)."),
            jobs: shelf.gauge("worker_jobs", WORKER, "Jobs that a worker has. All slots taken while jobs wait: give it more, or add one."),
            cells: shelf.gauge("worker_cells", WORKER, "Cells in which a program runs, as the worker says."),
            spares: shelf.gauge(
                "worker_spares",
                WORKER,
                "Warm cells that wait for a program. At 0 under load, jobs start cold: raise worker.spares.",
            ),
            cpus: shelf.gauge("worker_cpus", WORKER, "CPUs that cells of a worker may have together."),
            cpus_free: shelf.gauge("worker_cpus_free", WORKER, "Of these, those that no job was given."),
            memory: shelf.gauge("worker_memory_bytes", WORKER, "Memory that cells of a worker may have together."),
            memory_free: shelf.gauge("worker_memory_free_bytes", WORKER, "Of this, what no job was given."),
            pressure: shelf.gauge(
                "worker_pressure_ratio",
                ["worker", "resource"],
                "Part of the last ten seconds, from 0 to 1, in which somebody on the worker's machine waited for cpu, memory or io (PSI). High \
                 and lasting: it has more slots than it can serve.",
            ),
        }
    }

    /// Forgets the picture before: nothing of it may be taken for now.
    fn clear(&self) {
        self.queue.clear();
        for family in [&self.running, &self.workers, &self.connected, &self.silent, &self.slots, &self.jobs] {
            family.clear();
        }
        for family in [&self.cells, &self.spares, &self.cpus, &self.cpus_free, &self.memory, &self.memory_free] {
            family.clear();
        }
        for family in [&self.draining, &self.held, &self.leases] {
            family.clear();
        }
        self.pressure.clear();
    }

    /// Shows a picture, or that there is none.
    pub(super) fn show(&self, picture: Option<Picture>) {
        self.clear();
        let one = |level: &Of<0, Level>, value: f64| level.set(ALONE, value);
        one(&self.answers, f64::from(u8::from(picture.is_some())));
        let Some(picture) = picture else { return };
        one(&self.draining, f64::from(u8::from(picture.draining)));
        one(&self.held, picture.held as f64);
        one(&self.leases, picture.leases as f64);
        for (at, (name, waiting, running)) in picture.projects.into_iter().enumerate() {
            let name = if at < PROJECTS_MOST { name } else { OTHER.into() };
            for (class, jobs) in CLASSES.into_iter().zip(waiting) {
                self.queue.at([Word::from(name.clone()), class.into()]).inc_by(jobs as f64);
            }
            self.running.at([name]).inc_by(running as f64);
        }
        for (state, workers) in ["connected", "draining", "silent"].into_iter().zip(picture.workers) {
            self.workers.set([state], workers as f64);
        }
        let mut before: Option<String> = None;
        for seen in picture.shown {
            // Names are the workers' own, sorted, and may be the same: the id tells them apart.
            let name = match before.replace(seen.worker.name.clone()) {
                Some(before) if before == seen.worker.name => format!("{} {}", seen.worker.name, seen.worker.id),
                _ => seen.worker.name.clone(),
            };
            self.show_worker(name, &seen);
        }
    }

    fn show_worker(&self, name: String, seen: &Seen) {
        let Seen { worker, .. } = seen;
        let set = |family: &Of<1, Level>, value: f64| family.set([name.clone()], value);
        set(&self.connected, f64::from(u8::from(worker.connected)));
        set(&self.silent, seen.silent_ms as f64 / 1000.0);
        if !worker.connected {
            return;
        }
        set(&self.slots, worker.slots.into());
        set(&self.jobs, worker.running as f64);
        set(&self.cpus, f64::from(worker.cpus_milli) / 1000.0);
        set(&self.cpus_free, seen.cpus_free_milli as f64 / 1000.0);
        set(&self.memory, worker.memory_bytes as f64);
        set(&self.memory_free, seen.memory_free_bytes as f64);
        let Some(Vitals { cells, spares, cpu_pressure, memory_pressure, io_pressure }) = worker.vitals else { return };
        set(&self.cells, cells as f64);
        set(&self.spares, spares as f64);
        let pressures = [("cpu", cpu_pressure), ("memory", memory_pressure), ("io", io_pressure)];
        for (resource, percent) in pressures {
            // What a worker says is a number of its choice.
            let Some(percent) = percent.filter(|percent| percent.is_finite()) else { continue };
            self.pressure.set([Word::from(name.clone()), resource.into()], percent.clamp(0.0, 100.0) / 100.0);
        }
    }
}
