//! The warden: the other end of a filter that asks. It refuses, and says why.
//!
//! Invariants:
//! 1. It answers as the policy decides for the number and the registers that the kernel copied: with the error that the
//!    policy names; only a trace asks about what is allowed too. With the warden gone the kernel refuses by itself (ENOSYS).
//! 2. It decides nothing. What it reads of a program's memory, after the program has asked, is for the explanation; a
//!    thread's call still waiting *after* the reading shows whose memory that was.
//! 3. What it remembers is bounded in number and in bytes, whatever is asked and however often.
//! 4. What it reads of memory it does not wait for ([`Looker`]).
//! 5. A question waits until its answer is due: whoever asks often slows nobody but itself.

mod bucket;
mod claim;
mod explain;
mod ledger;
mod look;
mod tail;
mod trace;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::exit::{Act, Denial};
use crate::frames::{Frames, Opened};
use crate::plan::Plan;
use crate::seccomp::{Action, Policy};
use crate::spec::Network;
use crate::step::Step;
use crate::sys::notify::{self, Question};
use bucket::Bucket;
pub(crate) use explain::explain;
pub(crate) use ledger::Ledger;
pub(crate) use look::Looker;
pub(crate) use tail::last_words;
pub(crate) use trace::Trace;

/// Answers at once, and then one each: what a storm costs us is a few thousandths of a processor.
const ANSWERS: (u32, Duration) = (256, Duration::from_millis(1));
/// Of one turn of the supervisor's loop, which has others to serve.
const AT_ONCE: usize = 32;

/// Answers the questions of one cell's filter.
#[derive(Debug)]
pub(crate) struct Warden {
    /// Gone when it cannot be asked any more.
    listener: Option<OwnedFd>,
    policy: Option<Policy>,
    network: Network,
    frames: Option<Frames>,
    answers: Bucket,
    looker: Looker,
    pub(crate) ledger: Ledger,
}

impl Warden {
    pub(crate) fn new(listener: OwnedFd, plan: &Plan) -> Warden {
        let policy = plan.find(|step| if let Step::Seccomp(policy) = step { Some(policy.clone()) } else { None });
        Warden { frames: plan.frames.clone(), ..Warden::of(listener, policy, tail::network(plan)) }
    }

    fn of(listener: OwnedFd, policy: Option<Policy>, network: Network) -> Warden {
        let now = Instant::now();
        Warden {
            listener: Some(listener),
            policy,
            network,
            frames: None,
            answers: Bucket::new(ANSWERS, now),
            looker: Looker::default(),
            ledger: Ledger::default(),
        }
    }

    /// What becomes readable with a question, unless no answer is due yet.
    pub(crate) fn wants_to_answer(&self, now: Instant) -> Option<BorrowedFd<'_>> {
        self.listener.as_ref().filter(|_| self.is_due(now)).map(AsFd::as_fd)
    }

    /// When the next answer is due, if none is.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        self.listener.as_ref().filter(|_| !self.is_due(now)).map(|_| self.answers.next())
    }

    /// Who traces wants all of it, and pays.
    fn is_due(&self, now: Instant) -> bool {
        self.traces() || self.answers.has_one(now)
    }

    fn traces(&self) -> bool {
        self.policy.as_ref().is_some_and(Policy::traces)
    }

    /// Answers what is asked and due. `told` hears of each denial that is of a new kind.
    pub(crate) fn answer(
        &mut self,
        now: Instant,
        mut trace: Option<&mut Trace<'_>>,
        mut told: impl FnMut(&mut Denial),
    ) {
        for _ in 0..AT_ONCE {
            let Some(listener) = &self.listener else { return };
            match asked(listener.as_fd()) {
                Asked::Something if self.traces() || self.answers.take(now) => {}
                Asked::Something | Asked::Nothing => return,
                // To wait for it still would be to spin until the last process is taken apart, a millisecond and more later.
                Asked::NeverAgain => {
                    self.listener = None;
                    return;
                }
            }
            let question = match notify::take(listener.as_fd()) {
                Ok(question) => question,
                // Whoever asked is gone.
                Err(Errno::NOENT | Errno::INTR) => continue,
                Err(_) => {
                    self.listener = None;
                    return;
                }
            };
            let decided =
                self.policy.as_ref().map_or(Action::Kill, |policy| policy.decide(question.number, &question.args));
            if let Some(trace) = &mut trace {
                trace.note(Instant::now(), &question, decided);
            }
            let mut looked = false;
            let errno = match decided {
                Action::Explain { errno, act } => {
                    looked = self.note(&question, act, &mut told);
                    Some(errno)
                }
                Action::Errno(errno) => Some(errno),
                Action::Allow if self.traces() => None,
                // A filter that asks where its policy does not explain is not ours; it gets no better answer.
                Action::Allow | Action::Kill => Some(libc::EPERM as u16),
            };
            let Some(listener) = &self.listener else { return };
            let answered = match errno {
                Some(errno) => notify::refuse(listener.as_fd(), question.id, Errno::from_raw_os_error(errno.into())),
                None => notify::let_go(listener.as_fd(), question.id),
            };
            match answered {
                Ok(()) | Err(Errno::NOENT | Errno::INTR) => {}
                // Closed, it refuses for us.
                Err(_) => self.listener = None,
            }
            // One look a turn.
            if looked {
                return;
            }
        }
    }

    /// Notes why a call is refused. Returns whether memory was looked at for it: what was not is counted where the same act
    /// was last seen.
    fn note(&mut self, question: &Question, act: Act, told: &mut impl FnMut(&mut Denial)) -> bool {
        let Question { id, thread, number, args, .. } = *question;
        let (Some(policy), Some(listener)) = (&self.policy, &self.listener) else { return false };
        let (line, network, frames) = (policy.line(number, &args), self.network, self.frames.clone());
        // The thread stands still, and its own number names its process.
        let look = move |thread| {
            let memory = Opened::of(thread).ok();
            let read = |address: u64, into: &mut [u8]| match &memory {
                Some(memory) if memory.fill(address, into) => into.len(),
                _ => 0,
            };
            (explain(act, number, &args, network, read), frames.and_then(|frames| frames.claim(thread, thread)))
        };
        // Of a thread that we cannot see (in a pid namespace beside ours) there is nothing to read.
        let thread = i32::try_from(thread).ok().filter(|thread| *thread != 0);
        let found = thread.and_then(|thread| self.looker.look(move || look(thread)));
        let looked = found.is_some();
        // Of one that does not wait any more, what was read may be another's.
        let found = found.filter(|_| notify::still_waits(listener.as_fd(), id));
        let seen = found.is_some();
        let (mut refused, at) = found.unwrap_or_else(|| (explain(act, number, &args, network, |_, _| 0), None));
        refused.line = line;
        if let Some(new) = self.ledger.note(refused.denial(at), seen) {
            told(new);
        }
        looked
    }
}

/// What a listener has for us.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Something,
    Nothing,
    /// No process has the filter any more: the listener hangs up (`seccomp_notify_poll` in the kernel's seccomp.c).
    NeverAgain,
}

/// Whether a question is there to be taken: to take what is not there would wait.
fn asked(listener: BorrowedFd<'_>) -> Asked {
    let mut polled = [PollFd::from_borrowed_fd(listener, PollFlags::IN)];
    if poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) != Ok(1) {
        return Asked::Nothing;
    }
    let events = polled[0].revents();
    if events.contains(PollFlags::IN) {
        Asked::Something
    } else if events.contains(PollFlags::HUP) {
        Asked::NeverAgain
    } else {
        Asked::Nothing
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::{self, JoinHandle};

    use super::*;
    use crate::spec::Terminal;
    use crate::sys::seccomp;

    fn policy() -> Policy {
        Policy::built_in(Network::None, Terminal::None)
    }

    /// A thread behind the filter that asks for a socket of the internet when it is told to, and says the error.
    fn confined() -> (OwnedFd, mpsc::Sender<()>, JoinHandle<Vec<Errno>>) {
        let (tell, told) = mpsc::channel();
        let (go, wait) = mpsc::channel();
        let thread = thread::spawn(move || {
            rustix::thread::set_no_new_privs(true).unwrap();
            tell.send(seccomp::install_listening(&policy().compile()).unwrap()).unwrap();
            let mut errors = Vec::new();
            while wait.recv().is_ok() {
                use rustix::net::{AddressFamily, SocketType, socket};
                errors.push(socket(AddressFamily::INET, SocketType::STREAM, None).unwrap_err());
            }
            errors
        });
        (told.recv().unwrap(), go, thread)
    }

    #[test]
    fn a_question_gets_the_error_of_the_policy_and_is_explained() {
        let (listener, go, thread) = confined();
        let mut warden = Warden::of(listener, Some(policy()), Network::None);
        assert_eq!(warden.listener.as_ref().map(|fd| asked(fd.as_fd())), Some(Asked::Nothing));
        go.send(()).unwrap();
        drop(go);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !thread.is_finished() && Instant::now() < deadline {
            warden.answer(Instant::now(), None, |_| {});
            thread::yield_now();
        }
        assert_eq!(thread.join().unwrap(), [Errno::PERM]);
        let denials = warden.ledger.close();
        assert_eq!((denials.len(), denials[0].act, denials[0].target.as_deref()), (1, Act::Socket, Some("IPv4 (TCP)")));
    }

    #[test]
    fn when_nobody_is_left_to_ask_nothing_is_waited_for() {
        let (listener, go, thread) = confined();
        let mut warden = Warden::of(listener, Some(policy()), Network::None);
        drop(go);
        assert!(thread.join().unwrap().is_empty());
        let deadline = Instant::now() + Duration::from_secs(20);
        // The kernel takes a thread apart a moment after it is joined.
        while warden.wants_to_answer(Instant::now()).is_some() && Instant::now() < deadline {
            warden.answer(Instant::now(), None, |_| {});
            thread::yield_now();
        }
        assert!(warden.wants_to_answer(Instant::now()).is_none());
    }

    #[test]
    fn with_the_warden_gone_refused_stays_refused() {
        let (listener, go, thread) = confined();
        go.send(()).unwrap();
        // It waits for an answer, or is about to ask: either way there is nobody.
        let deadline = Instant::now() + Duration::from_secs(20);
        while asked(listener.as_fd()) != Asked::Something && Instant::now() < deadline {
            thread::yield_now();
        }
        drop(listener);
        go.send(()).unwrap();
        drop(go);
        assert_eq!(thread.join().unwrap(), [Errno::NOSYS, Errno::NOSYS]);
    }

    #[test]
    fn a_filter_has_one_listener_and_none_is_put_before_it() {
        let (tell, told) = mpsc::channel();
        let thread = thread::spawn(move || {
            rustix::thread::set_no_new_privs(true).unwrap();
            // A filter that asks about one call, and lets all others pass.
            let filter = asking_about(41);
            tell.send(seccomp::install_listening(&filter).unwrap()).unwrap();
            seccomp::install_listening(&filter).unwrap_err()
        });
        let _listener = told.recv().unwrap();
        assert_eq!(thread.join().unwrap(), Errno::BUSY);
    }

    fn asking_about(number: u32) -> Vec<seccomp::Instruction> {
        let one = |code: u32, jt, k| seccomp::Instruction { code: code as u16, jt, jf: 0, k };
        vec![
            one(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
            one(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, number),
            one(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
            one(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_USER_NOTIF),
        ]
    }
}
