//! How a cell ended, and which layers held: read from what became known while it ran, when nothing can change any more.

use std::io;

use rustix::io::Errno;

use crate::birth::act;
use crate::cell::{Cell, Killed, Watch};
use crate::exit::{Act, Amount, Denial, End, Held, LayerReport, Start, Usage};
use crate::host::Layer;
use crate::limits::{Limit, Limits};
use crate::step::Step;

impl Cell {
    /// Says how it ended, from what is known.
    pub(crate) fn judge(&self, watch: &Watch, usage: &Usage, tail: &[u8]) -> End {
        let limits = &self.plan.limits;
        let hit = |limit, used, allowed| End::LimitHit { limit, used, allowed };
        let memory = || {
            let used = usage.memory_peak.unwrap_or(limits.memory).max(limits.memory);
            hit(Limit::Memory, Amount::Bytes(used), Amount::Bytes(limits.memory))
        };
        let cpu = || hit(Limit::Cpu, Amount::Time(usage.cpu.max(limits.cpu)), Amount::Time(limits.cpu));
        if let Some((step, errno)) = watch.failed {
            return self.fault(step, errno);
        }
        // Whatever became of a warm cell before it had its program is nothing of the program's.
        if self.start == Start::Warm && !watch.taken && matches!(watch.killed, None | Some(Killed::Memory)) {
            return self.fault(act::HAND_OVER, Errno::PIPE);
        }
        match watch.killed {
            Some(Killed::Wall) => return hit(Limit::Wall, Amount::Time(usage.wall), Amount::Time(limits.wall)),
            Some(Killed::Cpu) => return cpu(),
            Some(Killed::Output) => {
                return hit(Limit::Output, Amount::Bytes(usage.output), Amount::Bytes(limits.output));
            }
            Some(Killed::Cancelled) => return End::Cancelled,
            Some(Killed::Memory) => return memory(),
            Some(Killed::Unseen) => {
                return End::Fault {
                    step: "see the layers of the cell from outside".into(),
                    why: watch.unseen.clone().unwrap_or_default(),
                    mend: Some("please report this; the program was killed at once".into()),
                };
            }
            None => {}
        }
        if self.group.memory_kills() > 0 {
            return memory();
        }
        // One that ended by itself before it could be killed for it went beyond its limit all the same.
        let bound = self.plan.find(|step| if let Step::OutputBound(bytes) = step { Some(*bytes) } else { None });
        if bound.is_some_and(|bound| usage.output > bound) {
            return hit(Limit::Output, Amount::Bytes(usage.output), Amount::Bytes(limits.output));
        }
        if watch.status.is_none() && usage.wall >= limits.wall {
            // The janitor was faster than we were.
            return hit(Limit::Wall, Amount::Time(usage.wall), Amount::Time(limits.wall));
        }
        let Some(status) = watch.status.map(Ending::of) else {
            return End::Fault {
                step: "hear how the program ended".into(),
                why: "the cell's first process was killed from outside".into(),
                mend: None,
            };
        };
        match status {
            Ending::Exited(0) => End::Exited(0),
            Ending::Exited(code) => {
                failed_for_limit(watch, usage, limits, self.group.pids_refused(), tail).unwrap_or(End::Exited(code))
            }
            Ending::Signalled(libc::SIGXCPU | libc::SIGKILL) if usage.cpu >= limits.cpu => cpu(),
            Ending::Signalled(libc::SIGXFSZ) => {
                hit(Limit::Disk, Amount::Bytes(limits.disk), Amount::Bytes(limits.disk))
            }
            Ending::Signalled(libc::SIGSYS) if self.plan.steps.iter().any(|step| matches!(step, Step::Seccomp(_))) => {
                End::Refused(Denial {
                    act: Act::Other,
                    target: Some("a system call by another architecture's interface".into()),
                    rule: "architecture".into(),
                    layer: Layer::Seccomp,
                    why: "its numbers mean other calls than the filter knows (i386 or x32)".into(),
                    remedy: "use native 64-bit code".into(),
                    at: None,
                    source: None,
                    count: 1,
                })
            }
            Ending::Signalled(signal) => End::Signalled(signal),
        }
    }

    pub(crate) fn fault(&self, step: u16, errno: Errno) -> End {
        let mend = match errno {
            Errno::PERM | Errno::NOSPC | Errno::INVAL | Errno::OPNOTSUPP => {
                Some("gambeson doctor says what this host lacks".into())
            }
            _ => None,
        };
        let step = match self.plan.steps.get(usize::from(step)) {
            Some(step) => format!("carry out the step {:?}", step.to_string()),
            None => act::name(step).into(),
        };
        End::Fault { step, why: io::Error::from(errno).to_string(), mend }
    }

    pub(crate) fn layers(&self, watch: &Watch) -> Vec<LayerReport> {
        let mut reports: Vec<LayerReport> = Vec::new();
        for step in &self.plan.steps {
            let Some(layer) = step.layer() else { continue };
            // The rules of Landlock are in the plan; here one line will do.
            let said = step.to_string();
            let mut detail = said.lines().next().unwrap_or_default().trim_end_matches("; refuse all but:").to_owned();
            if let Step::Seccomp(policy) = step
                && policy.explains()
                && watch.warden.is_none()
            {
                // A container that is asked about already has the one listener that there can be.
                detail.push_str(" (nobody could be asked here: without saying why)");
            }
            match reports.iter_mut().find(|report| report.layer == layer) {
                Some(report) => {
                    report.detail.push_str(", ");
                    report.detail.push_str(&detail);
                }
                None => {
                    match (&watch.seen, watch.seen.as_ref().and_then(|seen| seen.of(step))) {
                        (_, Some(Ok(seen))) => detail.push_str(&format!(" (seen: {seen})")),
                        (None, _) => detail.push_str(" (its step succeeded; the program ended before we looked)"),
                        _ => {}
                    }
                    reports.push(LayerReport { layer, held: Held::Held, detail });
                }
            }
        }
        reports.extend(self.plan.missing.iter().map(|missing| LayerReport {
            layer: missing.layer,
            held: Held::Missing,
            detail: missing.why.clone(),
        }));
        reports.sort_by_key(|report| report.layer);
        reports
    }
}

/// A wait status, read.
enum Ending {
    Exited(u8),
    Signalled(i32),
}

impl Ending {
    fn of(raw: i32) -> Ending {
        // wait(2): a signal in the low seven bits, else the code in the byte above.
        match raw & 0x7f {
            0 => Ending::Exited((raw >> 8) as u8),
            signal => Ending::Signalled(signal),
        }
    }
}

/// A program that failed may have failed for a limit that answers with an error instead of killing.
fn failed_for_limit(watch: &Watch, usage: &Usage, limits: &Limits, pids_refused: u64, tail: &[u8]) -> Option<End> {
    // What the traceback says is the program's own word; it can mislead nobody but its author.
    let last = String::from_utf8_lossy(tail);
    let says =
        |errno: i32| last.trim_end().rsplit('\n').next().is_some_and(|line| line.contains(&format!("[Errno {errno}]")));
    let hit = |limit, used, allowed| Some(End::LimitHit { limit, used, allowed });
    if pids_refused > 0 {
        let used = usage.pids_peak.unwrap_or_default().max(u64::from(limits.pids));
        return hit(Limit::Pids, Amount::Count(used), Amount::Count(limits.pids.into()));
    }
    if watch.files_full {
        return hit(Limit::Files, Amount::Count(limits.files.into()), Amount::Count(limits.files.into()));
    }
    if watch.disk_full || says(libc::ENOSPC) || says(libc::EFBIG) {
        return hit(Limit::Disk, Amount::Bytes(usage.disk.max(limits.disk)), Amount::Bytes(limits.disk));
    }
    if says(libc::EMFILE) {
        let count = Amount::Count(limits.open_files.into());
        return hit(Limit::OpenFiles, count, count);
    }
    None
}
