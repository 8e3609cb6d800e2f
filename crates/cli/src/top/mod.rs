//! `gambeson top`: a cockpit in the terminal, over the same interface that everybody uses.
//!
//! News and keys go into [`model`], which says what is wanted and what is to be seen; [`feed`] asks the server, [`draw`]
//! makes the frame, [`screen`] has the terminal. A frame is made when something changed, and at most ten times a second.

mod draw;
mod feed;
mod job;
mod log;
mod model;
mod palette;
mod rows;
mod screen;
#[cfg(test)]
mod tests;
mod text;

use std::io::{self, IsTerminal};
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures_util::StreamExt;
use gambeson_api::Time;
use gambeson_api::client::Client;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use self::feed::Feed;
use self::model::{Model, View, Wish};
use self::palette::{Depth, Palette};
use self::screen::Screen;
use self::text::Letters;
use crate::client::ServerOptions;
use crate::client::failure::Failure;
use crate::exit_code::ExitCode;
use crate::terminal::print;

/// Between two frames at least.
const FRAME: Duration = Duration::from_millis(100);
/// The size of a frame that is printed where there is no terminal to ask.
const PLAIN: (u16, u16) = (120, 40);

#[derive(Debug, clap::Args)]
pub struct TopOptions {
    /// Print one frame as plain text and end; as it is where standard output is no terminal.
    #[arg(long)]
    pub once: bool,
    /// Which view to begin with.
    #[arg(long, value_enum, default_value = "queue")]
    pub view: View,
}

/// Shows the cockpit until it is left, and returns our exit code.
pub fn top(options: &TopOptions, server: &ServerOptions) -> ExitCode {
    let done = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let done = runtime.block_on(show(options, server));
            runtime.shutdown_background();
            done
        }
        Err(error) => Err(Failure::fault(format!("failed to begin: {error}"))),
    };
    match done {
        Ok(()) => ExitCode::Program(0),
        Err(failure) => {
            failure.say();
            failure.code
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What pictures are made of: blocks where the locale says that the terminal has them.
fn letters() -> Letters {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    let unicode = locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    if unicode { Letters::Blocks } else { Letters::Ascii }
}

async fn show(options: &TopOptions, server: &ServerOptions) -> Result<(), Failure> {
    let client = crate::client::target::target(server)?;
    let is_terminal = io::stdout().is_terminal() && io::stdin().is_terminal();
    let can_move = variable("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
    if options.once || server.json || !is_terminal || !can_move {
        return once(options, &client).await;
    }
    let palette = Palette { depth: Depth::of(variable) };
    let size = crossterm::terminal::size().map_err(lost)?;
    let mut model = Model::new(server_name(&client), options.view, size, palette, letters(), Time::now());
    // Somebody who has no key, or the wrong one, hears so as of any other command.
    model.told(model::Told::Who(Box::new(client.whoami().await?)));
    let mut screen = Screen::take().map_err(lost)?;
    run(&client, &mut model, &mut screen).await.map_err(lost)
}

/// Which server, without what is secret in its address.
fn server_name(client: &Client) -> String {
    crate::profile::redacted(&client.connection().target().to_string())
}

fn lost(error: io::Error) -> Failure {
    Failure::fault(format!("failed to use the terminal: {error}"))
}

/// One frame as text.
async fn once(options: &TopOptions, client: &Client) -> Result<(), Failure> {
    let size = match crossterm::terminal::size() {
        Ok(size) if io::stdout().is_terminal() && size.0 > 0 => size,
        _ => PLAIN,
    };
    let palette = Palette { depth: Depth::None };
    let mut model = Model::new(server_name(client), options.view, size, palette, letters(), Time::now());
    model.told(model::Told::Who(Box::new(client.whoami().await?)));
    feed::once(client, &mut model).await.map_err(Failure::fault)?;
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    draw::frame(&model, &mut buffer);
    print(&draw::plain(&buffer));
    Ok(())
}

/// Keys and news, until somebody leaves.
async fn run(client: &Client, model: &mut Model, screen: &mut Screen) -> io::Result<()> {
    let (mut feed, mut news) = Feed::begin(client.clone(), model.view);
    let mut keys = EventStream::new();
    let (mut terminate, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut drawn: Option<Instant> = None;
    let mut changed = true;
    loop {
        let frame_at = drawn.map_or_else(Instant::now, |drawn| drawn + FRAME);
        let wishes = tokio::select! {
            biased;
            _ = terminate.recv() => return Ok(()),
            _ = hang_up.recv() => return Ok(()),
            // A frame that is due is not put off by news that never end.
            () = tokio::time::sleep_until(frame_at), if changed => {
                let wishes = model.settled(Vec::new());
                screen.terminal.draw(|frame| draw::frame(model, frame.buffer_mut()))?;
                (drawn, changed) = (Some(Instant::now()), false);
                wishes
            }
            key = keys.next() => {
                changed = true;
                match key {
                    Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => model.pressed(key),
                    Some(Ok(Event::Resize(columns, rows))) => model.resized(columns, rows),
                    Some(Ok(Event::Paste(text))) => model.pasted(&text),
                    Some(Ok(_)) => Vec::new(),
                    // The terminal is gone.
                    Some(Err(error)) => return Err(error),
                    None => return Ok(()),
                }
            }
            told = news.recv() => {
                changed = true;
                match told {
                    Some(told) => model.told(told),
                    None => return Ok(()),
                }
                Vec::new()
            }
            _ = second.tick() => {
                changed = true;
                model.passed(Time::now())
            }
        };
        for wish in wishes {
            match wish {
                Wish::Quit => return Ok(()),
                Wish::Suspend => {
                    screen.suspend()?;
                    changed = true;
                }
                Wish::Redraw => screen.terminal.clear()?,
                other => feed.wish(other),
            }
        }
    }
}
