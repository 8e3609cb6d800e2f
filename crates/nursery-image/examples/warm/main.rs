//! What `cargo xtask bench warm` measures at the sandbox's own interface: a nursery that does as it is told.
//!
//! `warm PYTHON PROGRAM [PRELOAD]`, then a word on each line of standard input; the answer to each is a line of numbers
//! (times in nanoseconds, memory in bytes), whose meaning is said at the function that measures them.

mod crowd;
mod memory;
mod stages;

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use gambeson_sandbox::{
    Cell, End, Ended, Environment, Host, Limits, Network, Nursery, Plan, Spare, Spec, Staged, Streams, Terminal,
    Wanted, plan,
};

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [python, program, preload @ ..] = args.as_slice() else { return Err("warm PYTHON PROGRAM [PRELOAD]".into()) };
    let preload = preload.iter().flat_map(|names| names.split(',')).map(str::to_owned).collect();
    let mut warm = Some(Warm::start(Path::new(python), std::fs::read(program)?, preload)?);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let numbers = match (line.split_whitespace().collect::<Vec<_>>().as_slice(), &mut warm) {
            // The last word: the nursery ends with the crowd.
            (["crowd", count], warm) => {
                crowd::crowd(warm.take().ok_or("the nursery has ended")?, count.parse()?)?.to_vec()
            }
            (_, None) => return Err("the nursery has ended".into()),
            (["run"], Some(warm)) => warm.run()?.to_vec(),
            (["stages"], Some(warm)) => stages::stages(warm)?.to_vec(),
            (["memory", count], Some(warm)) => memory::memory(warm, count.parse()?)?.to_vec(),
            _ => return Err(format!("{line:?} is no question").into()),
        };
        let words: Vec<String> = numbers.iter().map(u64::to_string).collect();
        println!("{}", words.join(" "));
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// A nursery, and what its programs are.
struct Warm {
    host: Host,
    environment: Environment,
    program: Vec<u8>,
    nursery: Nursery,
}

impl Warm {
    fn start(python: &Path, program: Vec<u8>, preload: Vec<String>) -> Result<Warm, Failure> {
        let (environment, host) = (Environment::discover(python)?, Host::probe());
        let wanted = Wanted {
            environment: &environment,
            preload: &preload,
            env: &variables(),
            accept_missing: &[],
            library: gambeson_nursery_image::LIBRARY,
        };
        let nursery = Nursery::start(&wanted, &host)?;
        Ok(Warm { host, environment, program, nursery })
    }

    fn plan(&self, program: &[u8]) -> Result<Plan, Failure> {
        let main = Staged::File { path: "main.py".into(), executable: false, contents: program.to_vec() };
        let spec = Spec {
            environment: self.environment.clone(),
            args: vec!["main.py".into()],
            env: variables(),
            files: vec![main],
            limits: Limits::default(),
            network: Network::None,
            terminal: Terminal::None,
            accept_missing: Vec::new(),
        };
        Ok(plan(&spec, &self.host)?)
    }

    /// A spare for `program`, and the plan to run it with.
    fn birth(&mut self, program: &[u8]) -> Result<(Spare, Plan), Failure> {
        let plan = self.plan(program)?;
        let spare = self.nursery.birth(&plan)?;
        settle();
        Ok((spare, plan))
    }

    /// The program in a spare made ahead: the birth; from hand-over to Exit, and of that until it was handed over; the
    /// CPU time that the program is said to have used.
    fn run(&mut self) -> Result<[u64; 4], Failure> {
        let plan = self.plan(&self.program)?;
        let begun = Instant::now();
        let spare = self.nursery.birth(&plan)?;
        let born = begun.elapsed();
        settle();
        let begun = Instant::now();
        let cell = hand_over(spare, plan)?;
        let handed = begun.elapsed();
        let ended = cell.wait(Streams::kept());
        let took = begun.elapsed();
        succeeded(&ended)?;
        if ended.stdout.is_empty() {
            return Err("it said nothing".into());
        }
        Ok([born, took, handed, ended.exit.usage.cpu].map(nanoseconds))
    }
}

/// As a worker gives them to each program.
fn variables() -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    vec![("PYTHONUNBUFFERED".into(), "1".into())]
}

/// A spare says that it is ready a moment before it waits.
fn settle() {
    std::thread::sleep(std::time::Duration::from_millis(2));
}

fn hand_over(spare: Spare, plan: Plan) -> Result<Cell, Failure> {
    spare.run(plan).map_err(|back| format!("a spare did not take its program: {}", back.why).into())
}

fn succeeded(ended: &Ended) -> Result<(), Failure> {
    match &ended.exit.end {
        End::Exited(0) => Ok(()),
        other => Err(format!("{}: {}", other.message(), String::from_utf8_lossy(&ended.stderr)).into()),
    }
}

fn nanoseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The program's own process, which the cell's first one waits for.
fn guest_of(reaper: i32) -> Result<i32, Failure> {
    let children = std::fs::read_to_string(format!("/proc/{reaper}/task/{reaper}/children"))?;
    Ok(children.split_whitespace().next().ok_or("the cell has no guest")?.parse()?)
}
