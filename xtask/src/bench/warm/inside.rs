//! The sandbox's own interface, asked through the example of the crate `gambeson-nursery-image` that measures it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, ensure};

use super::race::Work;

/// It, running. Dropping it ends it.
pub(super) struct Inside {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Inside {
    pub(super) fn start(work: &Work<'_>) -> anyhow::Result<Inside> {
        let mut command = Command::new("target/release/examples/warm");
        command.args([work.python.as_ref(), work.program.as_os_str()]);
        if !work.preload.is_empty() {
            command.arg(work.preload.join(","));
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("failed to start target/release/examples/warm")?;
        let questions = child.stdin.take().context("its input is a pipe")?;
        let answers = BufReader::new(child.stdout.take().context("its output is a pipe")?);
        Ok(Inside { child, questions, answers })
    }

    /// Asks, and has the numbers of the answer.
    pub(super) fn ask<const N: usize>(&mut self, question: &str) -> anyhow::Result<[u64; N]> {
        writeln!(self.questions, "{question}")?;
        let mut line = String::new();
        ensure!(self.answers.read_line(&mut line)? > 0, "the sandbox's own interface failed; it said why above");
        numbers(&line).with_context(|| format!("{line:?} is no answer to {question:?}"))
    }
}

fn numbers<const N: usize>(line: &str) -> Option<[u64; N]> {
    let words: Option<Vec<u64>> = line.split_whitespace().map(|word| word.parse().ok()).collect();
    words?.try_into().ok()
}

impl Drop for Inside {
    fn drop(&mut self) {
        // Cells die with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_as_many_numbers_as_were_asked_for() {
        assert_eq!(numbers("1 20 3\n"), Some([1, 20, 3]));
        assert_eq!(numbers::<2>("1 2 3\n"), None);
        assert_eq!(numbers::<2>("1 two\n"), None);
    }
}
