//! `gambeson`: run other people's Python in a layered sandbox.

mod args;
mod client;
mod config;
mod demo;
mod doctor;
mod exit_code;
mod input;
mod limits;
mod profile;
mod python;
mod quantity;
mod report;
mod roles;
mod run;
mod terminal;
mod top;
mod vet;

use clap::Parser;

use crate::args::{Args, Command};
use crate::exit_code::ExitCode;

fn main() -> std::process::ExitCode {
    // Before the command line is understood: this process is about to be confined, and has nothing else to do.
    if std::env::args_os().nth(1).is_some_and(|word| word == vet::READER) {
        return vet::be_reader();
    }
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no error; everything else has our exit code, not clap's.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::Usage.into() } else { std::process::ExitCode::SUCCESS };
        }
    };
    let code = match args.command {
        Command::Run(options) => run::run(&options),
        Command::Demo(options) => demo::demo(&options),
        Command::Doctor(options) => doctor::doctor(&options),
        Command::Up(options) => roles::up(&options),
        Command::Serve(options) => roles::serve(&options),
        Command::Config(options) => config::config(&options),
        Command::Backup(mut options) => match options.name.take() {
            Some(name) => client::client(client::ClientCommand::Backup { name }, &args.server),
            None => roles::backup(&options, args.server.json),
        },
        Command::Restore(options) => roles::restore(&options, args.server.json),
        Command::Worker(mut options) => match options.command.take() {
            Some(command) => client::client(client::ClientCommand::Worker(command), &args.server),
            None => roles::worker(&options),
        },
        Command::Vet(options) if options.record => client::client(client::ClientCommand::VetRecord, &args.server),
        Command::Vet(options) => vet::vet(&options, args.server.json),
        Command::Top(options) => top::top(&options, &args.server),
        Command::Client(command) => client::client(command, &args.server),
    };
    code.into()
}
