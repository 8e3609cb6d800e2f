//! Where the time of one program goes.

use std::io::{Read, pipe};
use std::os::fd::AsFd;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use gambeson_sandbox::{Sink, Streams};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::{Failure, Warm, guest_of, hand_over, nanoseconds, succeeded};

/// It says what time it is when its first line runs, and when the interpreter begins to end. This clock is the same
/// inside and outside.
const PROGRAM: &[u8] = b"import atexit, time\n\
    print(time.time_ns())\n\
    atexit.register(lambda: print(time.time_ns()))\n";

/// From the beginning of the hand-over until: it was handed over, the program's first line ran, its first byte was
/// seen, the interpreter began to end, the guest's process was gone, Exit was returned, what it left was dropped, the
/// reaper was gone. Last, the CPU time that the program is said to have used.
///
/// A thread that looks on takes some of the time: the whole is a little longer than that of [`Warm::run`].
pub(crate) fn stages(warm: &mut Warm) -> Result<[u64; 9], Failure> {
    let (spare, plan) = warm.birth(PROGRAM)?;
    let pidfd =
        |pid: i32| -> Result<_, Failure> { Ok(pidfd_open(Pid::from_raw(pid).ok_or("no pid")?, PidfdFlags::empty())?) };
    let (guest, reaper) = (pidfd(guest_of(spare.pid())?)?, pidfd(spare.pid())?);
    let (mut reading, writing) = pipe()?;
    let looker = thread::spawn(move || -> Result<_, std::io::Error> {
        let (mut said, mut first, mut gone) = (String::new(), None, [None; 2]);
        let mut open = true;
        while open || gone.contains(&None) {
            let (reading_now, ended) = {
                let mut polled: Vec<PollFd<'_>> = Vec::new();
                // What has been seen is not waited for again.
                if open {
                    polled.push(PollFd::new(&reading, PollFlags::IN));
                }
                for (fd, _) in [&guest, &reaper].into_iter().zip(&gone).filter(|(_, gone)| gone.is_none()) {
                    polled.push(PollFd::new(fd, PollFlags::IN));
                }
                poll(&mut polled, None)?;
                let mut answers = polled.iter().map(|fd| !fd.revents().is_empty());
                let reading_now = open && answers.next().unwrap_or(false);
                (reading_now, gone.map(|gone| gone.is_none() && answers.next().unwrap_or(false)))
            };
            let now = Instant::now();
            if reading_now {
                let mut bytes = [0; 4096];
                match reading.read(&mut bytes)? {
                    0 => open = false,
                    count => {
                        first.get_or_insert(now);
                        said.push_str(&String::from_utf8_lossy(&bytes[..count]));
                    }
                }
            }
            for (gone, ended) in gone.iter_mut().zip(ended) {
                if ended {
                    *gone = Some(now);
                }
            }
        }
        Ok((said, first, gone))
    });

    let (begun, begun_at) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH)?);
    let cell = hand_over(spare, plan)?;
    let handed = begun.elapsed();
    let ended = cell.wait(Streams { stdout: Sink::Fd(writing.as_fd()), ..Streams::kept() });
    let returned = begun.elapsed();
    succeeded(&ended)?;
    let cpu = ended.exit.usage.cpu;
    drop(ended);
    let dropped = begun.elapsed();
    drop(writing);
    let (said, first, gone) = looker.join().map_err(|_| "the thread that looks on panicked")??;

    let own: Vec<u64> = said.lines().map(str::parse).collect::<Result<_, _>>()?;
    let [running, ending] = own[..] else { return Err(format!("it said {said:?}").into()) };
    let since = |at: u64| at.saturating_sub(nanoseconds(begun_at));
    let seen = |at: Option<Instant>| at.map_or(0, |at| nanoseconds(at.saturating_duration_since(begun)));
    Ok([
        nanoseconds(handed),
        since(running),
        seen(first),
        since(ending),
        seen(gone[0]),
        nanoseconds(returned),
        nanoseconds(dropped),
        seen(gone[1]),
        nanoseconds(cpu),
    ])
}
