//! A cell that is wholly built and waits for one program.

use std::ffi::CString;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::message::{self, MOST, Program};
use super::settled::Settled;
use super::{Keeper, NurseryError};
use crate::cell::Cell;
use crate::exit::Start;
use crate::launch::LaunchError;
use crate::plan::Plan;
use crate::step::{Stage, Step};

/// A cell from a nursery, every step taken, that waits for its program. Dropping it ends it.
#[derive(Debug)]
pub struct Spare {
    cell: Cell,
    settled: Arc<Settled>,
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
    /// Waits until the cell is built.
    pub(super) fn begin(
        mut cell: Cell,
        keeper: Arc<Keeper>,
        settled: Arc<Settled>,
        patience: Duration,
    ) -> Result<Spare, NurseryError> {
        cell.start = Start::Warm;
        cell._keeper = Some(keeper);
        cell.await_ready(patience).map_err(NurseryError::Cell)?;
        Ok(Spare { cell, settled })
    }

    /// The pid of the cell's first process, as the host sees it.
    pub fn pid(&self) -> i32 {
        self.cell.pid()
    }

    /// Whether a program with this plan can have it: the same steps but for its input, arguments and environment of
    /// the same lengths.
    pub fn fits(&self, plan: &Plan) -> bool {
        if self.settled.suits(plan).is_err() {
            return false;
        }
        let own = &self.cell.plan;
        let steps = |plan: &Plan| plan.steps.len();
        steps(own) == steps(plan)
            && own.steps.iter().zip(&plan.steps).all(|(own, other)| match (own, other) {
                (Step::Stage(_), Step::Stage(_)) => true,
                (own, other) => own == other,
            })
            && own.program == plan.program
            && own.limits == plan.limits
            && own.terminal == plan.terminal
            && own.missing == plan.missing
            && lengths(&own.args) == lengths(&plan.args)
            && lengths(&own.env) == lengths(&plan.env)
    }

    /// Hands it its program.
    ///
    /// # Errors
    /// When it does not fit, or is there no more; the plan comes back.
    pub fn run(self, mut plan: Plan) -> Result<Cell, Box<HandOver>> {
        let refuse = |plan, why: &str| Err(Box::new(HandOver { plan, why: why.into() }));
        if let Err(why) = self.settled.suits(&plan) {
            return refuse(plan, &why);
        }
        if !self.fits(&plan) {
            return refuse(plan, "it was built for another plan");
        }
        let Spare { mut cell, .. } = self;
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

/// The plan without its files.
pub(super) fn unstaged(plan: &Plan) -> Plan {
    let steps =
        plan.steps.iter().map(|step| if let Step::Stage(_) = step { Step::Stage(Vec::new()) } else { step.clone() });
    Plan {
        steps: steps.collect(),
        program: plan.program.clone(),
        args: plan.args.clone(),
        env: plan.env.clone(),
        limits: plan.limits.clone(),
        terminal: plan.terminal,
        missing: plan.missing.clone(),
    }
}

/// The plan with as much in the place of arguments and environment, and nothing of what they say: they may be secrets,
/// and the cell may become another program's.
pub(super) fn nameless(plan: &Plan) -> Plan {
    let blank = |one: &CString| CString::new(vec![b'_'; one.as_bytes().len()]).unwrap_or_default();
    let mut plan = unstaged(plan);
    plan.env.iter_mut().chain(plan.args.iter_mut().skip(1)).for_each(|one| *one = blank(one));
    plan
}
