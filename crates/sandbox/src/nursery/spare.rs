//! A cell that is wholly built and waits for one program.

use std::ffi::CString;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::message::{self, MOST, Program};
use super::{Keeper, NurseryError};
use crate::cell::{Cell, Process};
use crate::cgroup::Hierarchies;
use crate::exit::Start;
use crate::launch::{LaunchError, Outer, Site};
use crate::plan::Plan;
use crate::step::{Stage, Step};

/// A cell from a nursery, every step taken, that waits for its program. Dropping it ends it.
#[derive(Debug)]
pub struct Spare {
    cell: Cell,
}

/// A program that a spare did not take: nothing of it ran, and it can go elsewhere.
#[derive(Debug)]
pub struct HandOver {
    /// As it was given.
    pub plan: Plan,
    /// Why.
    pub why: String,
}

impl Spare {
    pub(super) fn begin(
        plan: Plan,
        site: Site,
        process: Process,
        outer: Outer,
        hierarchies: Hierarchies,
        keeper: Arc<Keeper>,
        patience: Duration,
    ) -> Result<Spare, NurseryError> {
        let mut cell = Cell::new(plan, Instant::now(), site, process, outer, hierarchies);
        cell.start = Start::Warm;
        cell._keeper = Some(keeper);
        cell.await_ready(patience).map_err(NurseryError::Cell)?;
        Ok(Spare { cell })
    }

    /// The pid of the cell's first process, as the host sees it.
    pub fn pid(&self) -> i32 {
        self.cell.pid()
    }

    /// Whether a program with this plan can have it: see [`Plan::has_spares_of`].
    pub fn fits(&self, plan: &Plan) -> bool {
        self.cell.plan.has_spares_of(plan)
    }

    /// Hands it its program.
    ///
    /// # Errors
    /// When it does not fit, or is there no more; the plan comes back.
    pub fn run(self, mut plan: Plan) -> Result<Cell, Box<HandOver>> {
        let refuse = |plan, why: &str| Err(Box::new(HandOver { plan, why: why.into() }));
        if !self.fits(&plan) {
            return refuse(plan, "it was built for another plan");
        }
        let Spare { mut cell } = self;
        cell.started = Instant::now();
        let files = plan
            .steps
            .iter_mut()
            .find_map(|step| if let Step::Stage(files) = step { Some(std::mem::take(files)) } else { None });
        let program = Program { args: plan.args.clone(), env: plan.env.clone(), files: files.unwrap_or_default() };
        let sent = cell.birth.as_ref().ok_or(Errno::PIPE).and_then(|to| {
            let bytes = postcard::to_stdvec(&program).map_err(|_| Errno::INVAL)?;
            if bytes.len() < MOST {
                message::send_bytes(to.as_fd(), &bytes, &[])
            } else {
                let file = super::in_memory(c"program", &bytes)?;
                message::send_bytes(to.as_fd(), b"!", &[file.as_fd()])
            }
        });
        // What is said of the step is how much there was.
        if let Some(Step::Stage(files)) = plan.steps.iter_mut().find(|step| matches!(step, Step::Stage(_))) {
            *files = program.files;
        }
        if let Err(errno) = sent {
            return refuse(plan, &format!("the cell did not take it: {errno}"));
        }
        cell.plan = plan;
        match cell.count_down() {
            Ok(()) => Ok(cell),
            Err(LaunchError::System { what, source }) => {
                refuse(cell.plan.clone(), &format!("failed to {what}: {source}"))
            }
            Err(error) => refuse(cell.plan.clone(), &error.to_string()),
        }
    }
}

fn lengths(strings: &[CString]) -> usize {
    strings.iter().map(|one| one.as_bytes_with_nul().len()).sum()
}

/// The files that a plan brings.
pub(super) fn staged(plan: &Plan) -> &[Stage] {
    plan.find(|step| if let Step::Stage(files) = step { Some(files.as_slice()) } else { None }).unwrap_or_default()
}

impl Plan {
    /// The plan of a spare for such programs: without input.
    #[must_use]
    pub fn for_spares(&self) -> Plan {
        let unstaged = |step: &Step| if let Step::Stage(_) = step { Step::Stage(Vec::new()) } else { step.clone() };
        Plan { steps: self.steps.iter().map(unstaged).collect(), ..self.clone_without_steps() }
    }

    fn clone_without_steps(&self) -> Plan {
        let Plan { steps: _, program, args, env, limits, terminal, missing } = self;
        Plan {
            steps: Vec::new(),
            program: program.clone(),
            args: args.clone(),
            env: env.clone(),
            limits: limits.clone(),
            terminal: *terminal,
            missing: missing.clone(),
        }
    }

    /// Whether one spare would do for both: the same steps but for the input, arguments and environment of the same
    /// lengths.
    pub fn has_spares_of(&self, other: &Plan) -> bool {
        let same = |(own, other): (&Step, &Step)| match (own, other) {
            (Step::Stage(_), Step::Stage(_)) => true,
            (own, other) => own == other,
        };
        self.steps.len() == other.steps.len()
            && self.steps.iter().zip(&other.steps).all(same)
            && self.program == other.program
            && self.limits == other.limits
            && self.terminal == other.terminal
            && self.missing == other.missing
            && lengths(&self.args) == lengths(&other.args)
            && lengths(&self.env) == lengths(&other.env)
    }
}
