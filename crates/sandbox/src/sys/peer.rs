//! Who is at the other end of a Unix socket: getsockopt(2), SO_PEERCRED and SO_PEERGROUPS (unix(7), socket(7)); and that no
//! descriptors come from there.
//!
//! rustix has the first with a process id that is never zero; the kernel says zero of a peer in a pid namespace that is
//! not below ours.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::Errno;

/// The other end of a connection, as it was when it connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its user.
    pub uid: u32,
    /// Its groups, its own first.
    pub gids: Vec<u32>,
}

/// Groups that a process can have (NGROUPS_MAX, limits.h).
const GROUPS_MOST: usize = 65536;

/// Asks the kernel who is at the other end.
///
/// # Errors
/// When this is no connected Unix socket.
pub fn peer(socket: BorrowedFd<'_>) -> Result<Peer, Errno> {
    let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut size = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: both places live across the call, and `size` says how much the first one holds; any bits are a ucred.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut size,
        )
    };
    if done != 0 || size as usize != size_of::<libc::ucred>() {
        return Err(last());
    }
    let mut gids = vec![credentials.gid];
    let mut groups = vec![0u32; 64];
    loop {
        let mut size = (groups.len() * size_of::<u32>()) as libc::socklen_t;
        // SAFETY: `size` says how many bytes `groups` holds; the kernel writes that many at most.
        let done = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                ptr::from_mut(&mut size),
            )
        };
        let count = size as usize / size_of::<u32>();
        match (done, last()) {
            (0, _) => {
                gids.extend(&groups[..count.min(groups.len())]);
                return Ok(Peer { uid: credentials.uid, gids });
            }
            // `size` says how many there are.
            (_, Errno::RANGE) if count > groups.len() && count <= GROUPS_MOST => groups.resize(count, 0),
            (_, errno) => return Err(errno),
        }
    }
}

/// Has the kernel refuse whoever would send a descriptor to this Unix socket, or to one that is accepted from it.
///
/// # Errors
/// When the kernel has no such setting, as before Linux 6.16.
pub fn refuse_descriptors(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    /// asm-generic/socket.h.
    const SO_PASSRIGHTS: libc::c_int = 83;
    let no: libc::c_int = 0;
    // SAFETY: `no` lives across the call, and the size is its own.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_PASSRIGHTS,
            (&raw const no).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if done == 0 { Ok(()) } else { Err(last()) }
}

fn last() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn who_is_at_the_other_end_of_our_own_pair_is_us() {
        let (one, _other) = UnixStream::pair().unwrap();
        let peer = peer(one.as_fd()).unwrap();
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        assert_eq!(peer.gids[0], rustix::process::getegid().as_raw());
        let groups: Vec<u32> = rustix::process::getgroups().unwrap().iter().map(|gid| gid.as_raw()).collect();
        assert_eq!(peer.gids[1..], groups);
    }

    #[test]
    fn where_the_kernel_can_refuse_descriptors_it_does_also_on_what_is_accepted() {
        use rustix::net::{
            AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
            SocketType,
        };
        let new = || {
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
        };
        let name = format!("gambeson-{}-refuse", std::process::id());
        let (listener, client, address) = (new(), new(), SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap());
        let refused = refuse_descriptors(listener.as_fd());
        if refused == Err(Errno::NOPROTOOPT) {
            return eprintln!("skipped: this kernel is older than 6.16");
        }
        assert_eq!(refused, Ok(()));
        rustix::net::bind(&listener, &address).unwrap();
        rustix::net::listen(&listener, 1).unwrap();
        rustix::net::connect(&client, &address).unwrap();
        let send = |fds: &[BorrowedFd<'_>]| {
            let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            assert!(fds.is_empty() || ancillary.push(SendAncillaryMessage::ScmRights(fds)));
            rustix::net::sendmsg(&client, &[std::io::IoSlice::new(b"x")], &mut ancillary, SendFlags::NOSIGNAL)
        };
        assert_eq!(send(&[client.as_fd()]), Err(Errno::PERM));
        assert_eq!(send(&[]), Ok(1), "the control");
        let _accepted = rustix::net::accept(&listener).unwrap();
        assert_eq!(send(&[client.as_fd()]), Err(Errno::PERM));
    }
}
