//! `gambeson`: run other people's Python in a layered sandbox.

mod args;
#[allow(dead_code, reason = "the roles read the settings")]
mod config;
mod doctor;
mod exit_code;
mod input;
mod limits;
#[allow(dead_code, reason = "the client's commands use the profiles")]
mod profile;
mod python;
mod quantity;
mod report;
mod run;
mod terminal;

use clap::Parser;

use crate::args::{Args, Command};
use crate::exit_code::ExitCode;

fn main() -> std::process::ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no error; everything else has our exit code, not clap's.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::Usage.into() } else { std::process::ExitCode::SUCCESS };
        }
    };
    let code = match args.command {
        Command::Run(options) => run::run(&options, run::Show::Output),
        Command::Demo(options) => run::run(&options, run::Show::Summary),
        Command::Doctor(options) => doctor::doctor(&options),
        Command::Config(options) => config::config(&options),
    };
    code.into()
}
