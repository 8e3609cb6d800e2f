//! A refused call in words: what it was an attempt at, why it is refused, what its author can do.
//!
//! Numbers in registers are the kernel's copy. What they point to is the program's memory, and hostile: it is read up to a
//! bound, and becomes text.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::exit::{Act, Denial};
use crate::host::Layer;
use crate::spec::Network;
use crate::sys::numbers;

use crate::frames::Claim;

/// Bytes of a target, at most.
pub(crate) const TARGET_MOST: usize = 256;

/// A refused call, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) act: Act,
    pub(crate) target: Option<String>,
    /// Of the policy.
    pub(crate) line: Option<u32>,
    pub(crate) why: &'static str,
    pub(crate) remedy: &'static str,
}

impl Refused {
    pub(crate) fn denial(self, at: Option<Claim>) -> Denial {
        let Refused { act, target, line, why, remedy } = self;
        Denial {
            act,
            target,
            rule: line.map_or_else(|| "seccomp.policy".into(), |line| format!("seccomp.policy:{line}")),
            layer: Layer::Seccomp,
            why: why.into(),
            remedy: remedy.into(),
            at,
            source: None,
            count: 1,
        }
    }
}

/// Explains why the call is refused. `read` reads memory of whoever called, as much as is there.
pub(crate) fn explain(
    act: Act,
    number: u32,
    args: &[u64; 6],
    network: Network,
    read: impl Fn(u64, &mut [u8]) -> usize,
) -> Refused {
    let name = numbers::name(number).unwrap_or("a call");
    let path = |address: u64| text(&read_some(&read, address, TARGET_MOST));
    let (target, (why, remedy)) = match (act, name) {
        (Act::Socket, _) => {
            // The kernel takes these for 32 bits (net/socket.c).
            let (family, kind) = (args[0] as u32, args[1] as u32);
            (Some(family_name(family, kind)), of_socket(family, network))
        }
        (Act::Connect, _) => {
            let address = match name {
                "sendto" => (args[4], args[5] as u32),
                _ => message_name(&read_some(&read, args[1], 12)),
            };
            let most = (address.1 as usize).min(128);
            (socket_address(&read_some(&read, address.0, most)), of_act(act))
        }
        (Act::Execve, _) => (path(args[1]), of_act(act)),
        (Act::Ptrace, "ptrace") => (Some(format!("ptrace of process {}", args[1] as u32)), of_act(act)),
        (Act::Ptrace, "kcmp" | "pidfd_getfd") => (Some(name.into()), of_act(act)),
        (Act::Ptrace, _) => (Some(format!("{name} of process {}", args[0] as u32)), of_act(act)),
        (Act::Mount, "mount") => {
            let kind = path(args[2]).map_or(String::new(), |kind| format!(" {kind}"));
            let place = path(args[1]).map_or(String::new(), |place| format!(" on {place}"));
            (Some(format!("mount{kind}{place}")), of_act(act))
        }
        (Act::Mount, "umount2" | "chroot" | "pivot_root") => {
            (Some(path(args[0]).map_or(name.into(), |path| format!("{name} {path}"))), of_act(act))
        }
        (Act::Namespace, "setns") => (Some(of_namespaces(name, args[1])), of_act(act)),
        (Act::Namespace, _) => (Some(of_namespaces(name, args[0])), of_act(act)),
        (Act::Open, "mknod") => (path(args[0]), of_act(act)),
        (Act::Open, "mknodat") => (path(args[1]), of_act(act)),
        (Act::Other, "ioctl") => (Some("typing into a terminal".into()), of_act(act)),
        (Act::Other, "prctl" | "seccomp") => {
            let words = ("a filter beside the cell's could answer in its place", "leave it out: the cell has one");
            (Some("a system-call filter of its own".into()), words)
        }
        _ => (Some(name.into()), of_act(act)),
    };
    Refused { act, target: target.map(|text| cut(text, TARGET_MOST)), line: None, why, remedy }
}

type Words = (&'static str, &'static str);

fn of_socket(family: u32, network: Network) -> Words {
    match (family as i32, network) {
        (libc::AF_INET | libc::AF_INET6, Network::None) => (
            "this job has no network",
            "ask for network.allow with the hosts and ports that it needs, or for network loopback to talk to itself",
        ),
        (libc::AF_INET | libc::AF_INET6, Network::Loopback | Network::Allow) => {
            ("only TCP and UDP over the cell's own loopback are there", "use SOCK_STREAM or SOCK_DGRAM")
        }
        (libc::AF_NETLINK, _) => (
            "the kernel's network settings are not the cell's",
            "nothing, if it goes on: C libraries ask for them before they look up a name",
        ),
        _ => ("sockets of this family lead into the kernel, not to a peer", "use AF_UNIX between its own processes"),
    }
}

fn of_act(act: Act) -> Words {
    match act {
        Act::Connect => ("MSG_FASTOPEN connects past the rules for connections", "call connect() first"),
        Act::Execve => ("a program is executed by its path", "nothing, if it goes on: fexecve() falls back on a path"),
        Act::Ptrace => ("a cell's processes do not look into each other", "debug the program outside of a cell"),
        Act::Mount => {
            ("its file systems are what the cell is made of", "put files under /work, or bring them as input")
        }
        Act::Namespace => ("most escapes begin in a new namespace", "leave it out: the cell has namespaces of its own"),
        Act::Bpf => ("no cell loads programs into the kernel", "leave it out"),
        Act::Perf => ("counters tell of other jobs", "measure with time.perf_counter, or outside of a cell"),
        Act::IoUring => ("it would lead past the filter", "nothing, if it goes on: libraries fall back on epoll"),
        Act::Keyring => ("keyrings are shared by all cells", "keep secrets in memory, or bring them as input"),
        Act::Open => ("devices and files by number lie outside of the cell's tree", "use plain files under /work"),
        Act::Module => ("no cell loads code into the kernel", "leave it out"),
        Act::Reboot => ("the machine is not the cell's", "leave it out: to end the job, exit"),
        Act::Clock => ("the clock is the host's", "set the time in the program, not in the system"),
        Act::Trace => ("it tells of other jobs", "leave it out"),
        Act::Socket | Act::Bind | Act::Listen | Act::Fork | Act::Signal | Act::Other => {
            ("no policy allows it", "leave it out, or ask who runs this platform")
        }
    }
}

/// The family and kind of a socket, in the words of people.
fn family_name(family: u32, kind: u32) -> String {
    // SOCK_TYPE_MASK of linux/net.h; above are flags.
    let kind = match (kind & 0xf) as i32 {
        libc::SOCK_STREAM => "TCP",
        libc::SOCK_DGRAM => "UDP",
        libc::SOCK_RAW => "raw",
        _ => "other",
    };
    match family as i32 {
        libc::AF_INET => format!("IPv4 ({kind})"),
        libc::AF_INET6 => format!("IPv6 ({kind})"),
        libc::AF_NETLINK => "netlink".into(),
        libc::AF_PACKET => "raw packets".into(),
        libc::AF_VSOCK => "the hypervisor (AF_VSOCK)".into(),
        libc::AF_ALG => "the kernel's ciphers (AF_ALG)".into(),
        libc::AF_BLUETOOTH => "Bluetooth".into(),
        libc::AF_CAN => "CAN".into(),
        libc::AF_XDP => "AF_XDP".into(),
        _ => format!("family {family}"),
    }
}

/// The namespaces that flags of clone(2) name.
fn of_namespaces(name: &str, flags: u64) -> String {
    const KINDS: [(u64, &str); 8] = [
        (libc::CLONE_NEWUSER as u64, "user"),
        (libc::CLONE_NEWNS as u64, "mount"),
        (libc::CLONE_NEWPID as u64, "pid"),
        (libc::CLONE_NEWNET as u64, "net"),
        (libc::CLONE_NEWIPC as u64, "ipc"),
        (libc::CLONE_NEWUTS as u64, "uts"),
        (libc::CLONE_NEWCGROUP as u64, "cgroup"),
        (0x80, "time"),
    ];
    let kinds: Vec<&str> = KINDS.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, kind)| *kind).collect();
    if kinds.is_empty() { name.into() } else { format!("{name}: {}", kinds.join(", ")) }
}

/// `msg_name` and `msg_namelen` of a `struct msghdr`.
fn message_name(bytes: &[u8]) -> (u64, u32) {
    let (name, rest) =
        bytes.split_first_chunk::<8>().map_or((0, bytes), |(name, rest)| (u64::from_le_bytes(*name), rest));
    (name, rest.first_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length)))
}

/// A `struct sockaddr`, as people write it.
fn socket_address(bytes: &[u8]) -> Option<String> {
    let (family, rest) = bytes.split_first_chunk::<2>()?;
    match i32::from(u16::from_le_bytes(*family)) {
        libc::AF_INET => {
            let (port, rest) = rest.split_first_chunk::<2>()?;
            Some(format!("{}:{}", Ipv4Addr::from(*rest.first_chunk::<4>()?), u16::from_be_bytes(*port)))
        }
        libc::AF_INET6 => {
            let (port, rest) = rest.split_first_chunk::<2>()?;
            let address = rest.get(4..).and_then(|rest| rest.first_chunk::<16>())?;
            Some(format!("[{}]:{}", Ipv6Addr::from(*address), u16::from_be_bytes(*port)))
        }
        // An abstract name begins with a NUL.
        libc::AF_UNIX => match rest.split_first() {
            Some((0, name)) => text(name).map(|name| format!("@{name}")),
            _ => text(rest),
        },
        family => Some(format!("family {family}")),
    }
}

fn read_some(read: &impl Fn(u64, &mut [u8]) -> usize, address: u64, most: usize) -> Vec<u8> {
    let mut bytes = vec![0; most];
    if address == 0 {
        return Vec::new();
    }
    // A read that crosses into a page that is not there brings nothing of the one before.
    let mut count = 0;
    while count < most {
        let at = address.wrapping_add(count as u64);
        let page = (0x1000 - (at & 0xfff)) as usize;
        let end = most.min(count + page);
        let got = read(at, &mut bytes[count..end]).min(end - count);
        count += got;
        if got == 0 || count < end {
            break;
        }
    }
    bytes.truncate(count);
    bytes
}

/// Up to a NUL; nothing where nothing is left.
fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    Some(cut(text, TARGET_MOST)).filter(|text| !text.is_empty())
}

/// At most so many bytes of it.
pub(crate) fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        let end = (0..=most - '…'.len_utf8()).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(name: &str) -> u32 {
        numbers::number(name).unwrap() as u32
    }

    fn target(act: Act, name: &str, args: [u64; 6], memory: &[u8]) -> Option<String> {
        let read = |address: u64, into: &mut [u8]| {
            let from = memory.get((address - 0x1000) as usize..).unwrap_or_default();
            let count = from.len().min(into.len());
            into[..count].copy_from_slice(&from[..count]);
            count
        };
        explain(act, number(name), &args, Network::None, read).target
    }

    #[test]
    fn a_target_is_said_as_people_write_it() {
        let here = 0x1000;
        let inet = [2, 0, 1, 187, 93, 184, 216, 34, 0, 0, 0, 0, 0, 0, 0, 0];
        let at = |name, args, memory: &[u8]| target(Act::Connect, name, args, memory).unwrap();
        assert_eq!(at("sendto", [3, 0, 0, 0x2000_0000, here, 16], &inet), "93.184.216.34:443");
        let header: Vec<u8> =
            [here + 16].map(u64::to_le_bytes).concat().into_iter().chain([16, 0, 0, 0, 0, 0, 0, 0]).collect();
        assert_eq!(at("sendmsg", [3, here, 0x2000_0000, 0, 0, 0], &[&header[..], &inet].concat()), "93.184.216.34:443");
        let mut six = vec![10, 0, 0, 53, 0, 0, 0, 0];
        six.extend(Ipv6Addr::LOCALHOST.octets());
        assert_eq!(at("sendto", [3, 0, 0, 0, here, 28], &six), "[::1]:53");
        assert_eq!(at("sendto", [3, 0, 0, 0, here, 9], b"\x01\0/run/x\0"), "/run/x");
        assert_eq!(at("sendto", [3, 0, 0, 0, here, 6], b"\x01\0\0bus"), "@bus");
        let flags = (libc::CLONE_NEWUSER | libc::CLONE_NEWNS) as u64;
        let namespaces = target(Act::Namespace, "unshare", [flags, 0, 0, 0, 0, 0], &[]);
        assert_eq!(namespaces.as_deref(), Some("unshare: user, mount"));
        let mount = target(Act::Mount, "mount", [0, here, here + 5, 0, 0, 0], b"/mnt\0proc\0");
        assert_eq!(mount.as_deref(), Some("mount proc on /mnt"));
        assert_eq!(target(Act::Socket, "socket", [2, 0o2000001, 0, 0, 0, 0], &[]).as_deref(), Some("IPv4 (TCP)"));
        assert_eq!(target(Act::Ptrace, "ptrace", [16, 7, 0, 0, 0, 0], &[]).as_deref(), Some("ptrace of process 7"));
    }

    #[test]
    fn a_path_without_an_end_is_cut() {
        let long = target(Act::Mount, "chroot", [0x1000; 6], &vec![b'x'; 8192]).unwrap();
        assert!(long.len() <= TARGET_MOST && long.ends_with('…'), "{long}");
        let nothing = target(Act::Mount, "chroot", [0x9000_0000; 6], &[]).unwrap();
        assert_eq!(nothing, "chroot");
    }
}
