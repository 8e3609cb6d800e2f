//! Warm cells for `gambeson run` on the worker's own machine: a run there is a program that the server knows nothing of.
//!
//! Invariants:
//! 1. Who is at the other end is what the kernel says; who is not named gets one sentence and no more.
//! 2. Of a request two short messages and one sealed file of ours are read, all bounded. Nothing that the client can change,
//!    hold back or hang is read, written or closed by who keeps a program's clock: its streams go through pipes of ours,
//!    and no descriptor is taken from it.
//! 3. A program has a share of the worker's room like a job's, within the part of it that [`Local::slots`] are of its
//!    slots, as long as anything of it is left; its limits are within [`Local::ceiling`].
//! 4. When the connection ends, so does the cell.
//! 5. What is not said in a request, or not offered, is no error: the client starts the program itself, cold.

mod ask;
mod message;
mod offer;

use std::path::PathBuf;

use gambeson_api::local::Interpreter;
use gambeson_sandbox::Environment;

pub use ask::{Lost, Taken, Told, ask};
pub(crate) use offer::{Means, Offer};

/// What a worker offers to `gambeson run` on its machine.
#[derive(Debug, Clone)]
pub struct Local {
    /// Where it listens.
    pub socket: PathBuf,
    /// Users that it is offered to, beside the worker's own.
    pub uids: Vec<u32>,
    /// Groups whose members it is offered to.
    pub gids: Vec<u32>,
    /// Such programs at once.
    pub slots: u32,
    /// The most that one may ask for.
    pub ceiling: gambeson_api::Limits,
}

/// `None` where a path is no text: such an interpreter is not asked for.
fn interpreter(environment: &Environment) -> Option<Interpreter> {
    let text = |path: &PathBuf| path.to_str().map(str::to_owned);
    let texts = |paths: &[PathBuf]| paths.iter().map(text).collect::<Option<Vec<_>>>();
    // What is known of its insides follows from what it is.
    let Environment { executable, version, directories, files, links, layout: _ } = environment;
    Some(Interpreter {
        executable: text(executable)?,
        version: version.clone(),
        directories: texts(directories)?,
        files: texts(files)?,
        links: links.iter().map(|(at, to)| Some((text(at)?, text(to)?))).collect::<Option<_>>()?,
    })
}
