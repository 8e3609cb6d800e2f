//! A cell that is wholly built and waits for one program.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::message::{self, GO, IN_A_FILE, MOST, Part, Program};
use super::settled::Settled;
use super::{Keeper, NurseryError};
use crate::cell::Cell;
use crate::exit::Start;
use crate::plan::Plan;
use crate::step::{Stage, Step};
use crate::sys::shown::size;

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
        cell.keeper = Some(keeper);
        cell.await_ready(patience).map_err(NurseryError::Cell)?;
        Ok(Spare { cell, settled })
    }

    /// The pid of the cell's first process, as the host sees it.
    pub fn pid(&self) -> i32 {
        self.cell.pid()
    }

    /// Whether a program with this plan can have it: see [`Plan::has_spares_of`].
    pub fn fits(&self, plan: &Plan) -> bool {
        self.settled.suits(plan).is_ok() && self.cell.plan.has_spares_of(plan)
    }

    /// Hands it its program and lets that run.
    ///
    /// # Errors
    /// When it does not fit, or is there no more; the plan comes back.
    pub fn run(self, plan: Plan) -> Result<Cell, Box<HandOver>> {
        self.dress(plan)?.go()
    }

    /// Hands it its program, which it takes on and brings the files of, and does not run yet.
    ///
    /// # Errors
    /// As of [`Spare::run`].
    pub fn dress(self, plan: Plan) -> Result<Dressed, Box<HandOver>> {
        let refuse = |plan, why: String| Err(Box::new(HandOver { plan, why }));
        if let Err(why) = self.settled.suits(&plan) {
            return refuse(plan, why);
        }
        if !self.cell.plan.has_spares_of(&plan) {
            return refuse(plan, "it was built for another plan".into());
        }
        let Spare { mut cell, .. } = self;
        let sent = cell.birth.as_ref().ok_or(Errno::PIPE).and_then(|to| hand_over(to.as_fd(), &plan, cell.keeper()));
        if let Err(errno) = sent {
            return refuse(plan, format!("the cell did not take it: {errno}"));
        }
        cell.plan = plan;
        Ok(Dressed(cell))
    }
}

/// A cell that has its program, and waits for the word to run it. Dropping it ends it.
#[derive(Debug)]
pub struct Dressed(Cell);

impl Dressed {
    /// Lets the program run. From now on the clocks count.
    ///
    /// # Errors
    /// When the cell is there no more: nothing of the program ran, and the plan comes back.
    pub fn go(self) -> Result<Cell, Box<HandOver>> {
        let Dressed(mut cell) = self;
        cell.started = Instant::now();
        // Before anything of the program can run.
        let told = cell.count_down().map_err(|error| error.to_string());
        let told = told.and_then(|()| {
            let word = cell.birth.as_ref().ok_or(Errno::PIPE).and_then(|to| message::send_bytes(to.as_fd(), GO, &[]));
            word.map_err(|errno| format!("the cell was gone: {errno}"))
        });
        match told {
            Ok(()) => Ok(cell),
            Err(why) => Err(Box::new(HandOver { plan: cell.plan, why })),
        }
    }
}

/// One message, with everything of the program in it or with it.
fn hand_over(to: BorrowedFd<'_>, plan: &Plan, keeper: Option<u64>) -> Result<(), Errno> {
    let (mut files, mut parts, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for file in staged(plan) {
        let Stage::Part { path, mode, from, offset, size } = file else {
            files.push(file);
            continue;
        };
        let place = open.iter().position(|one| *one == from).unwrap_or_else(|| {
            open.push(from);
            open.len() - 1
        });
        parts.push(Part { path: path.clone(), mode: *mode, file: place, offset: *offset, size: *size });
    }
    let program = Program { args: &plan.args[..], env: &plan.env[..], files, parts, keeper };
    let bytes = postcard::to_stdvec(&program).map_err(|_| Errno::INVAL)?;
    let mut fds: Vec<BorrowedFd<'_>> = open.iter().map(|file| file.0.as_fd()).collect();
    if bytes.len() < MOST {
        return message::send_bytes(to, &bytes, &fds);
    }
    let whole = super::in_memory(c"program", &bytes)?;
    fds.insert(0, whole.as_fd());
    message::send_bytes(to, IN_A_FILE, &fds)
}

/// The files that a plan brings.
pub(super) fn staged(plan: &Plan) -> &[Stage] {
    plan.find(|step| if let Step::Stage(files) = step { Some(files.as_slice()) } else { None }).unwrap_or_default()
}

impl Plan {
    /// The plan of a spare for such programs: without input.
    #[must_use]
    pub fn for_spares(&self) -> Plan {
        let Plan { steps, program, args, env, limits, terminal, frames, missing } = self;
        let unstaged = |step: &Step| if let Step::Stage(_) = step { Step::Stage(Vec::new()) } else { step.clone() };
        Plan {
            steps: steps.iter().map(unstaged).collect(),
            program: program.clone(),
            args: args.clone(),
            env: env.clone(),
            limits: limits.clone(),
            terminal: *terminal,
            frames: frames.clone(),
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
            && size(&self.args) == size(&other.args)
            && size(&self.env) == size(&other.env)
    }
}

/// The plan with as much in the place of arguments and environment, and nothing of what they say: they may be secrets,
/// and the cell may become another program's.
pub(super) fn nameless(plan: &Plan) -> Plan {
    let blank = |one: &CString| CString::new(vec![b'_'; one.as_bytes().len()]).unwrap_or_default();
    let mut plan = plan.for_spares();
    plan.env.iter_mut().chain(plan.args.iter_mut().skip(1)).for_each(|one| *one = blank(one));
    plan
}
