//! The commands that ask a server.
//!
//! Only here the client's side of the binary is asynchronous: a run on this machine starts no runtime and sets up
//! no TLS. What a server says reaches a terminal through [`visible`] only.

mod args;
mod artifacts;
pub mod failure;
mod interrupts;
pub mod jobs;
mod output;
mod people;
mod platform;
mod profiles;
mod submission;
mod submit;
pub mod table;
pub mod target;
pub mod visible;
mod watch;

use clap::CommandFactory;
use gambeson_api::client::Client;

pub use self::args::{ClientCommand, ServerOptions, SubmitOptions, WorkerCommand, start};
use self::failure::Failure;
use self::table::Form;
use crate::exit_code::ExitCode;
use crate::terminal::print;

/// Does what the command says, and returns our exit code.
pub fn client(command: ClientCommand, options: &ServerOptions) -> ExitCode {
    if let ClientCommand::Completion { shell } = command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut crate::args::Args::command(), "gambeson", &mut script);
        print(&String::from_utf8_lossy(&script));
        return ExitCode::Program(0);
    }
    if let ClientCommand::Profile(command) = &command {
        return match profiles::profiles(command, options, Form::of_stdout(options.json)) {
            Ok(()) => ExitCode::Program(0),
            Err(failure) => {
                failure.say();
                failure.code
            }
        };
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => {
            let done = runtime.block_on(async { ask(command, &target::target(options)?, options.json).await });
            // A thread may still wait for an answer on standard input that nobody needs any more.
            runtime.shutdown_background();
            done
        }
        Err(error) => Err(Failure::fault(format!("failed to begin: {error}"))),
    };
    done.unwrap_or_else(|failure| {
        failure.say();
        failure.code
    })
}

/// As `gambeson submit --wait`, with a client that is there already.
pub async fn submit_and_wait(client: &Client, options: &SubmitOptions) -> ExitCode {
    submit::submit(client, options, Form::Fields).await.unwrap_or_else(|failure| {
        failure.say();
        failure.code
    })
}

async fn ask(command: ClientCommand, client: &Client, json: bool) -> Result<ExitCode, Failure> {
    let form = Form::of_stdout(json);
    match command {
        ClientCommand::Submit(options) => return submit::submit(client, &options, form).await,
        ClientCommand::Jobs(options) => jobs::jobs(client, &options, form).await?,
        ClientCommand::Job { id } => jobs::job(client, id, form).await?,
        ClientCommand::Logs(options) => watch::logs(client, &options, json).await?,
        ClientCommand::Cancel { ids, array } => jobs::cancel(client, &ids, array, form).await?,
        ClientCommand::Approve { ids } => jobs::approve(client, &ids, form).await?,
        ClientCommand::VetRecord => platform::vet_record(client, form).await?,
        ClientCommand::Artifacts(options) => return artifacts::artifacts(client, &options, form).await,
        ClientCommand::Source { id } => jobs::source(client, id, form).await?,
        ClientCommand::Queue => platform::queue(client, form).await?,
        ClientCommand::Usage { project, day } => {
            platform::usage(client, project.as_deref(), day.as_deref(), form).await?;
        }
        ClientCommand::Workers => platform::workers(client, form).await?,
        ClientCommand::Worker(command) => platform::worker(client, &command, form).await?,
        ClientCommand::JoinToken(args::JoinTokenCommand::Create) => platform::join_token(client, form).await?,
        ClientCommand::Posture => platform::posture(client, form).await?,
        ClientCommand::Attention => platform::attention(client, form).await?,
        ClientCommand::Backup { name } => platform::backup(client, name, form).await?,
        ClientCommand::Audit(command) => return platform::audit(client, command, form).await,
        ClientCommand::Key(command) => people::key(client, command, form).await?,
        ClientCommand::Project(command) => people::project(client, command, form).await?,
        ClientCommand::Member(command) => people::member(client, command, form).await?,
        ClientCommand::User(command) => people::user(client, command, form).await?,
        ClientCommand::Access(command) => people::access(client, command, form).await?,
        ClientCommand::Whoami => people::whoami(client, form).await?,
        ClientCommand::Completion { .. } | ClientCommand::Profile(_) => {
            unreachable!("needs no server: done before")
        }
    }
    Ok(ExitCode::Program(0))
}
