//! The system-call filter: a policy kept as data (`policies/seccomp.policy`), compiled to classic BPF.
//!
//! Invariants:
//! 1. What the policy does not name is refused: `EPERM`, or `ENOSYS` above the newest number known here,
//!    so that a C library newer than we are falls back.
//! 2. Only a wrong architecture (i386, x32) kills.
//! 3. The program decides for every (architecture, number, arguments) as [`Policy::decide`] does; a
//!    property test compares the two.
//! 4. What is explained is refused: an answer of the supervisor's, which has no other than the same error, or where
//!    nobody can be asked that error itself.
//!
//! Facts: seccomp(2), linux/seccomp.h. The kernel evaluates a filter without arguments' help once per
//! number and remembers the numbers that are always allowed (Linux 5.11), so that order costs little.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::exit::Act;
use crate::spec::{Network, Terminal};
use crate::sys::numbers::{self, NEWEST};
use crate::sys::seccomp::Instruction;

const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
/// Numbers from here on are the x32 ABI's on x86-64.
const X32: u32 = 0x4000_0000;

/// What happens to a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// The kernel carries it out.
    Allow,
    /// It is refused with this `errno`.
    Errno(u16),
    /// It is refused with this `errno`, and the supervisor, who gives the answer, says why.
    Explain {
        /// The error.
        errno: u16,
        /// What it is an attempt at.
        act: Act,
    },
    /// The process is killed with SIGSYS.
    Kill,
}

impl Action {
    const EPERM: Action = Action::Errno(libc::EPERM as u16);
    const ENOSYS: Action = Action::Errno(libc::ENOSYS as u16);

    fn value(self) -> u32 {
        match self {
            Action::Allow => libc::SECCOMP_RET_ALLOW,
            Action::Errno(errno) => libc::SECCOMP_RET_ERRNO | u32::from(errno),
            // The kernel passes over the low half here; it says what `silent` makes of it.
            Action::Explain { errno, .. } => libc::SECCOMP_RET_USER_NOTIF | u32::from(errno),
            Action::Kill => libc::SECCOMP_RET_KILL_PROCESS,
        }
    }
}

/// `args[arg] & mask == value`, on all 64 bits: a condition on the low half has a mask of 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Condition {
    arg: u8,
    mask: u64,
    value: u64,
}

impl Condition {
    fn holds(&self, args: &[u64; 6]) -> bool {
        args[usize::from(self.arg)] & self.mask == self.value
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rule {
    number: u32,
    conditions: Vec<Condition>,
    action: Action,
    /// Of the text that it was read from.
    line: u32,
}

/// Which calls a cell may make: rules by number, alternatives in the order of the file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    rules: Arc<[Rule]>,
    /// Whether somebody can be asked: else what is to be explained is only refused.
    explains: bool,
    /// Whether it is asked about each call, to be written down.
    traces: bool,
}

/// A line of a policy that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the seccomp policy: {what}")]
pub struct PolicyError {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl Policy {
    /// The policy that comes with this crate, for a cell with this network and terminal.
    pub fn built_in(network: Network, terminal: Terminal) -> Policy {
        type Read = Mutex<Vec<((Network, Terminal), Policy)>>;
        static READ: Read = Mutex::new(Vec::new());
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, policy)) = read.iter().find(|(of, _)| *of == (network, terminal)) {
            return policy.clone();
        }
        let policy = Policy::parse(include_str!("../../../policies/seccomp.policy"), network, terminal)
            .expect("the built-in policy is parsed by a test");
        read.push(((network, terminal), policy.clone()));
        policy
    }

    /// Reads a policy in the format that `policies/seccomp.policy` explains.
    ///
    /// # Errors
    /// Names the line of an unknown call, verb or condition, and one that gives no reason.
    pub fn parse(text: &str, network: Network, terminal: Terminal) -> Result<Policy, PolicyError> {
        let mut rules = Vec::with_capacity(384);
        let mut applies = true;
        for (index, line) in text.lines().enumerate() {
            let error = |what: String| PolicyError { line: index + 1, what };
            let (words, reason) = line.split_once('#').unwrap_or((line, ""));
            let words = words.trim();
            match words {
                "" => continue,
                "[loopback]" => applies = network != Network::None,
                "[terminal]" => applies = terminal == Terminal::Own,
                "[always]" => applies = true,
                _ if reason.trim().is_empty() => return Err(error("gives no reason".into())),
                _ => {
                    let rule = parse_rule(words, index as u32 + 1).map_err(error)?;
                    if applies {
                        rules.push(rule);
                    }
                }
            }
        }
        // Stable: alternatives keep their order.
        rules.sort_by_key(|rule| rule.number);
        Ok(Policy { rules: rules.into(), explains: true, traces: false })
    }

    /// The same, where nobody can be asked.
    #[must_use]
    pub(crate) fn unexplained(self) -> Policy {
        Policy { explains: false, ..self }
    }

    /// The same, where somebody is asked about each call.
    #[must_use]
    pub(crate) fn traced(self) -> Policy {
        Policy { traces: true, ..self }
    }

    pub(crate) fn traces(&self) -> bool {
        self.traces
    }

    /// Whether there is something to explain, and a way to do so.
    pub(crate) fn explains(&self) -> bool {
        self.traces || self.explains && self.rules.iter().any(|rule| matches!(rule.action, Action::Explain { .. }))
    }

    /// What happens to a call of the native ABI.
    pub fn decide(&self, number: u32, args: &[u64; 6]) -> Action {
        if number >= X32 {
            return Action::Kill;
        }
        match self.rule(number, args).map_or(default_action(number), |rule| rule.action) {
            Action::Explain { errno, .. } if !self.explains => Action::Errno(errno),
            action => action,
        }
    }

    fn rule(&self, number: u32, args: &[u64; 6]) -> Option<&Rule> {
        let first = self.rules.partition_point(|rule| rule.number < number);
        self.rules[first..]
            .iter()
            .take_while(|rule| rule.number == number)
            .find(|rule| rule.conditions.iter().all(|condition| condition.holds(args)))
    }

    /// The line of the policy that a call is answered by, if one names it.
    pub(crate) fn line(&self, number: u32, args: &[u64; 6]) -> Option<u32> {
        self.rule(number, args).map(|rule| rule.line)
    }

    /// Puts the calling thread behind this policy, for good. It must have `no_new_privs`.
    ///
    /// # Errors
    /// When the kernel does not take the filter.
    pub fn confine_thread(&self) -> std::io::Result<()> {
        crate::sys::seccomp::install(&self.compile())
            .map_err(|errno| std::io::Error::from_raw_os_error(errno.raw_os_error()))
    }

    /// How many calls are allowed at all.
    pub fn allowed(&self) -> usize {
        let mut numbers: Vec<u32> =
            self.rules.iter().filter(|rule| rule.action == Action::Allow).map(|rule| rule.number).collect();
        numbers.dedup();
        numbers.len()
    }

    /// The filter program: architecture, then a binary search over runs of numbers with equal answers.
    pub(crate) fn compile(&self) -> Vec<Instruction> {
        let mut program = native_number().to_vec();
        emit_search(&self.runs(), &mut program);
        if self.explains { program } else { silent(&program) }
    }

    /// The numbers from 0 on as runs that are answered alike; each reaches to the start of the next.
    fn runs(&self) -> Vec<Run<'_>> {
        let mut runs: Vec<Run<'_>> = Vec::new();
        let mut next = 0;
        for rules in self.rules.chunk_by(|one, other| one.number == other.number) {
            let number = rules[0].number;
            if number > next {
                runs.push(Run { start: next, plain: Some(default_action(next)), rules: &[] });
            }
            let plain = match rules {
                [rule] if rule.conditions.is_empty() => Some(rule.action),
                _ => None,
            };
            runs.push(Run { start: number, plain, rules });
            next = number + 1;
        }
        if next <= NEWEST {
            runs.push(Run { start: next, plain: Some(default_action(next)), rules: &[] });
        }
        runs.push(Run { start: NEWEST + 1, plain: Some(Action::ENOSYS), rules: &[] });
        runs.dedup_by(|later, earlier| later.plain.is_some() && later.plain == earlier.plain);
        runs
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy({} allowed)", self.allowed())
    }
}

/// Kills a call by another architecture's interface, and leaves the number of one by ours to be looked at.
fn native_number() -> [Instruction; 6] {
    [
        load(ARCHITECTURE),
        jump(JEQ, AUDIT_ARCH_X86_64, 1, 0),
        answer(Action::Kill),
        load(NUMBER),
        jump(JGE, X32, 0, 1),
        answer(Action::Kill),
    ]
}

/// The same filter where each call is asked about, but for what the guest says through `socket` while nobody listens yet,
/// and for the two by which the kernel itself goes on after a signal: those are answered as ever. A signal that comes
/// while a call is asked about interrupts it, and these have nobody who would begin them again.
pub(crate) fn asking_always(program: &[Instruction], socket: u32) -> Vec<Instruction> {
    let mut always = native_number().to_vec();
    always.extend([
        jump(JEQ, libc::SYS_rt_sigreturn as u32, 7, 0),
        jump(JEQ, libc::SYS_restart_syscall as u32, 6, 0),
        jump(JEQ, libc::SYS_sendmsg as u32, 2, 0),
        jump(JEQ, libc::SYS_write as u32, 1, 0),
        skip(2),
        load(ARGUMENTS),
        jump(JEQ, socket, 1, 0),
        answer(Action::Explain { errno: libc::ENOSYS as u16, act: Act::Other }),
    ]);
    always.extend(program);
    always
}

/// The same filter for where nobody can be asked: it refuses by itself.
pub(crate) fn silent(program: &[Instruction]) -> Vec<Instruction> {
    let asks = |k: u32| k & libc::SECCOMP_RET_ACTION_FULL == libc::SECCOMP_RET_USER_NOTIF;
    let refuse = |one: &Instruction| match *one {
        Instruction { code: RETURN, jt, jf, k } if asks(k) => {
            Instruction { code: RETURN, jt, jf, k: libc::SECCOMP_RET_ERRNO | k & libc::SECCOMP_RET_DATA }
        }
        other => other,
    };
    program.iter().map(refuse).collect()
}

fn default_action(number: u32) -> Action {
    if number > NEWEST { Action::ENOSYS } else { Action::EPERM }
}

fn parse_rule(words: &str, line: u32) -> Result<Rule, String> {
    let (words, act) = match words.split_once(" -> ") {
        Some((words, act)) => (words, Some(parse_act(act)?)),
        None => (words, None),
    };
    let (head, conditions) = match words.split_once(" if ") {
        Some((head, conditions)) => (head, conditions.split(" and ").map(parse_condition).collect::<Result<_, _>>()?),
        None => (words, Vec::new()),
    };
    let conditions: Vec<Condition> = conditions;
    if conditions.len() > 6 {
        return Err("has more than six conditions".into());
    }
    let mut head = head.split_whitespace();
    let action = match (head.next(), act) {
        (Some("allow"), None) => Action::Allow,
        (Some("eperm"), None) => Action::EPERM,
        (Some("enosys"), None) => Action::ENOSYS,
        (Some("explain"), Some(action)) => action,
        (Some("explain"), None) => return Err("explains no act".into()),
        (Some("allow" | "eperm" | "enosys"), Some(_)) => return Err("explains without saying so".into()),
        (verb, _) => return Err(format!("no verb {:?}", verb.unwrap_or(""))),
    };
    let name = head.next().ok_or("names no system call")?;
    if let Some(word) = head.next() {
        return Err(format!("{word:?} is one word too many"));
    }
    let number = numbers::number(name).ok_or_else(|| format!("no system call {name:?}"))?;
    Ok(Rule { number: number as u32, conditions, action, line })
}

/// `ACT` or `ACT enosys`.
fn parse_act(text: &str) -> Result<Action, String> {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let act = Act::ALL.iter().copied().find(|act| act.name() == name).ok_or_else(|| format!("no act {name:?}"))?;
    match (words.next(), words.next()) {
        (None, _) => Ok(Action::Explain { errno: libc::EPERM as u16, act }),
        (Some("enosys"), None) => Ok(Action::Explain { errno: libc::ENOSYS as u16, act }),
        _ => Err(format!("no act {text:?}")),
    }
}

fn parse_condition(text: &str) -> Result<Condition, String> {
    let bad = || format!("no condition {text:?}");
    let number = |word: &str| match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).map_err(|_| bad()),
        None => word.parse().map_err(|_| bad()),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let (arg, mask, value) = match words[..] {
        [arg, "==", value] => (arg, u64::MAX, number(value)?),
        [arg, "&", mask, "==", value] => (arg, number(mask)?, number(value)?),
        _ => return Err(bad()),
    };
    let (arg, mask) = match arg.strip_suffix(":32") {
        Some(arg) => (arg, mask & u64::from(u32::MAX)),
        None => (arg, mask),
    };
    let arg = arg.strip_prefix("arg").and_then(|n| n.parse().ok()).filter(|n| *n < 6).ok_or_else(bad)?;
    if value & !mask != 0 {
        return Err(format!("{text:?} can never hold"));
    }
    Ok(Condition { arg, mask, value })
}

/// Numbers from `start` to the next run's: answered by `plain`, else by trying `rules` in order.
struct Run<'a> {
    start: u32,
    plain: Option<Action>,
    rules: &'a [Rule],
}

// Offsets in `struct seccomp_data`; the machine is little-endian.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

const JEQ: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JGE: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;

const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

fn load(offset: u32) -> Instruction {
    Instruction { code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, jt: 0, jf: 0, k: offset }
}

fn and(mask: u32) -> Instruction {
    Instruction { code: (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16, jt: 0, jf: 0, k: mask }
}

fn jump(code: u16, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code, jt, jf, k }
}

fn skip(count: usize) -> Instruction {
    Instruction { code: (libc::BPF_JMP | libc::BPF_JA) as u16, jt: 0, jf: 0, k: count as u32 }
}

fn answer(action: Action) -> Instruction {
    Instruction { code: RETURN, jt: 0, jf: 0, k: action.value() }
}

/// Expects the number in the accumulator.
fn emit_search(runs: &[Run<'_>], program: &mut Vec<Instruction>) {
    if let [run] = runs {
        match run.plain {
            Some(action) => program.push(answer(action)),
            None => emit_rules(run, program),
        }
        return;
    }
    let (low, high) = runs.split_at(runs.len() / 2);
    // A conditional jump reaches 255 instructions, an unconditional one any number: so over the one
    // that leads to the upper half.
    program.push(jump(JGE, high[0].start, 0, 1));
    let hole = program.len();
    program.push(skip(0));
    emit_search(low, program);
    program[hole] = skip(program.len() - hole - 1);
    emit_search(high, program);
}

fn emit_rules(run: &Run<'_>, program: &mut Vec<Instruction>) {
    for rule in run.rules {
        let mut checks = Vec::new();
        for condition in &rule.conditions {
            for (half, shift) in [(0, 0), (4, 32)] {
                let (mask, value) = ((condition.mask >> shift) as u32, (condition.value >> shift) as u32);
                if mask != 0 {
                    checks.push((ARGUMENTS + 8 * u32::from(condition.arg) + half, mask, value));
                }
            }
        }
        // Three instructions a check and one answer: a rule of many conditions stays within 255.
        let mut left = checks.len() * 3 + 1;
        for (offset, mask, value) in checks {
            program.extend([load(offset), and(mask), jump(JEQ, value, 0, 0)]);
            left -= 3;
            let at = program.len() - 1;
            program[at].jf = u8::try_from(left).expect("a rule has at most six conditions");
        }
        program.push(answer(rule.action));
    }
    program.push(answer(default_action(run.start)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs a program as the kernel would (Documentation/networking/filter.rst).
    fn run(program: &[Instruction], arch: u32, number: u32, args: &[u64; 6]) -> u32 {
        let mut data = [0u8; 64];
        data[0..4].copy_from_slice(&number.to_le_bytes());
        data[4..8].copy_from_slice(&arch.to_le_bytes());
        for (at, arg) in args.iter().enumerate() {
            data[16 + 8 * at..24 + 8 * at].copy_from_slice(&arg.to_le_bytes());
        }
        let (mut at, mut acc) = (0usize, 0u32);
        loop {
            let Instruction { code, jt, jf, k } = program[at];
            at += 1;
            let branch = |holds: bool| usize::from(if holds { jt } else { jf });
            match code {
                0x20 => acc = u32::from_le_bytes(data[k as usize..k as usize + 4].try_into().unwrap()),
                0x54 => acc &= k,
                0x05 => at += k as usize,
                0x15 => at += branch(acc == k),
                0x35 => at += branch(acc >= k),
                0x06 => return k,
                other => panic!("no instruction {other:#x}"),
            }
        }
    }

    fn every_policy() -> Vec<Policy> {
        [Network::None, Network::Loopback]
            .into_iter()
            .flat_map(|network| [Terminal::None, Terminal::Own].map(|terminal| Policy::built_in(network, terminal)))
            .flat_map(|policy| [policy.clone(), policy.unexplained()])
            .collect()
    }

    #[test]
    fn the_filter_fits_the_kernel() {
        for policy in every_policy() {
            let length = policy.compile().len();
            assert!((100..4096).contains(&length), "{length} instructions; BPF_MAXINSNS is 4096");
        }
    }

    #[test]
    fn the_filter_decides_as_the_policy_for_every_number() {
        for policy in every_policy() {
            let program = policy.compile();
            for number in (0..1024).chain([X32 - 1, X32, X32 + 1, u32::MAX]) {
                for args in [[0; 6], [u64::MAX; 6], [1, 2, 3, 4, 5, 6], [2, 1, 6, 0, 0, 0]] {
                    let decided = policy.decide(number, &args).value();
                    assert_eq!(run(&program, AUDIT_ARCH_X86_64, number, &args), decided, "call {number} {args:?}");
                }
            }
        }
    }

    #[test]
    fn another_architecture_is_killed_whatever_it_calls() {
        let program = Policy::built_in(Network::None, Terminal::None).compile();
        for arch in [0x4000_0003, 0xc000_00b7, 0] {
            assert_eq!(run(&program, arch, 0, &[0; 6]), libc::SECCOMP_RET_KILL_PROCESS);
        }
    }

    #[test]
    fn the_high_half_of_an_argument_does_not_smuggle() {
        let policy = Policy::built_in(Network::None, Terminal::None);
        let call = |name| numbers::number(name).unwrap() as u32;
        let tiocsti = 0x5412;
        let explained = |act| Action::Explain { errno: libc::EPERM as u16, act };
        assert_eq!(policy.decide(call("ioctl"), &[0, tiocsti, 0, 0, 0, 0]), explained(Act::Other));
        assert_eq!(policy.decide(call("ioctl"), &[0, tiocsti | 1 << 32, 0, 0, 0, 0]), explained(Act::Other));
        assert_eq!(policy.decide(call("ioctl"), &[0, 0x5401 | 1 << 32, 0, 0, 0, 0]), Action::Allow);
        for family in [2, 10, 16, 17, 38, 40, 44, 1 << 32] {
            assert_eq!(
                policy.decide(call("socket"), &[family, 1, 0, 0, 0, 0]),
                explained(Act::Socket),
                "family {family}"
            );
        }
        let new_user = 0x1000_0000;
        assert_eq!(policy.decide(call("clone"), &[new_user | 17, 0, 0, 0, 0, 0]), explained(Act::Namespace));
        assert_eq!(policy.decide(call("clone"), &[17, 0, 0, 0, 0, 0]), Action::Allow);
        assert_eq!(policy.decide(call("clone3"), &[0; 6]), Action::ENOSYS);
    }

    #[test]
    fn a_bad_line_is_named() {
        let parse = |text| Policy::parse(text, Network::None, Terminal::None).unwrap_err().to_string();
        assert_eq!(parse("allow read # r\nallow reed # r"), "line 2 of the seccomp policy: no system call \"reed\"");
        assert_eq!(parse("allow read"), "line 1 of the seccomp policy: gives no reason");
        assert_eq!(
            parse("allow ioctl if arg1 & 1 == 2 # r"),
            "line 1 of the seccomp policy: \"arg1 & 1 == 2\" can never hold"
        );
        assert_eq!(parse("deny read # r"), "line 1 of the seccomp policy: no verb \"deny\"");
        assert_eq!(parse("explain read # r"), "line 1 of the seccomp policy: explains no act");
        assert_eq!(parse("allow read -> open # r"), "line 1 of the seccomp policy: explains without saying so");
        assert_eq!(parse("explain read -> look # r"), "line 1 of the seccomp policy: no act \"look\"");
        assert_eq!(parse("explain read -> open eperm # r"), "line 1 of the seccomp policy: no act \"open eperm\"");
    }

    #[test]
    fn what_is_explained_is_refused_with_the_same_error_where_nobody_can_be_asked() {
        let text = "allow read if arg0 == 1 # r\nexplain read -> open enosys # r";
        let policy = Policy::parse(text, Network::None, Terminal::None).unwrap();
        let (asks, refuses) = (policy.compile(), policy.clone().unexplained().compile());
        assert_eq!(silent(&asks), refuses);
        let enosys = libc::ENOSYS as u32;
        assert_eq!(run(&asks, AUDIT_ARCH_X86_64, 0, &[2; 6]), libc::SECCOMP_RET_USER_NOTIF | enosys);
        assert_eq!(run(&refuses, AUDIT_ARCH_X86_64, 0, &[2; 6]), libc::SECCOMP_RET_ERRNO | enosys);
        assert_eq!(run(&refuses, AUDIT_ARCH_X86_64, 0, &[1; 6]), libc::SECCOMP_RET_ALLOW);
        assert_eq!(
            (policy.line(0, &[1; 6]), policy.line(0, &[2; 6]), policy.line(1, &[2; 6])),
            (Some(1), Some(2), None)
        );
    }

    #[test]
    fn a_traced_filter_asks_about_each_call_but_what_goes_to_its_socket_and_what_signals_need() {
        let policy = Policy::built_in(Network::None, Terminal::None);
        let program = policy.compile();
        let always = asking_always(&program, 7);
        assert!(always.len() < 4096);
        let asks = |number: u32, args: [u64; 6]| {
            run(&always, AUDIT_ARCH_X86_64, number, &args) & libc::SECCOMP_RET_ACTION_FULL
                == libc::SECCOMP_RET_USER_NOTIF
        };
        let (write, sendmsg) = (libc::SYS_write as u32, libc::SYS_sendmsg as u32);
        let after_signals = [libc::SYS_rt_sigreturn as u32, libc::SYS_restart_syscall as u32];
        for number in (0..1024).filter(|number| ![write, sendmsg].contains(number)) {
            assert_eq!(asks(number, [7; 6]), !after_signals.contains(&number), "call {number}");
        }
        for number in after_signals {
            assert_eq!(run(&always, AUDIT_ARCH_X86_64, number, &[7; 6]), libc::SECCOMP_RET_ALLOW);
        }
        for number in [write, sendmsg] {
            assert!(asks(number, [8, 7, 7, 7, 7, 7]));
            for args in [[7; 6], [7, 0, 0x2000_0000, 0, 0, 0]] {
                let decided = policy.decide(number, &args).value();
                assert_eq!(run(&always, AUDIT_ARCH_X86_64, number, &args), decided);
            }
        }
        assert_eq!(run(&always, 0x4000_0003, 0, &[0; 6]), libc::SECCOMP_RET_KILL_PROCESS);
        assert_eq!(run(&always, AUDIT_ARCH_X86_64, X32, &[0; 6]), libc::SECCOMP_RET_KILL_PROCESS);
    }

    #[test]
    fn nothing_that_the_policy_explains_is_ever_allowed() {
        for policy in every_policy() {
            for rule in policy.rules.iter() {
                if let Action::Explain { errno, .. } = rule.action {
                    assert!(matches!(i32::from(errno), libc::EPERM | libc::ENOSYS), "line {}", rule.line);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_filter_decides_as_the_policy(
            rule in 0..10_000usize, number in 0..600u32, args: [u64; 6], masked: bool, near in 0..6usize
        ) {
            for policy in every_policy() {
                // Half of the time a call that a rule is about, with one of its conditions met.
                let mut args = args;
                let mut number = number;
                if masked {
                    let rule = &policy.rules[rule % policy.rules.len()];
                    number = rule.number;
                    for condition in rule.conditions.iter().skip(near % 2) {
                        let arg = &mut args[usize::from(condition.arg)];
                        *arg = *arg & !condition.mask | condition.value;
                    }
                }
                prop_assert_eq!(
                    run(&policy.compile(), AUDIT_ARCH_X86_64, number, &args),
                    policy.decide(number, &args).value()
                );
            }
        }
    }
}
