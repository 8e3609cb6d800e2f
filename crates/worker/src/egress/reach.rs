//! From a name to a connection: resolved outside, once, and only what was checked is connected to.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use gambeson_api::{Host, address_is_public};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Addresses of one name that are tried, at most.
const ADDRESSES_MOST: usize = 8;

/// Who knows the addresses of a name.
pub(super) trait Resolver: fmt::Debug + Send + Sync {
    /// All addresses of `name`, in the order in which they are to be tried.
    fn resolve(&self, name: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
}

/// The host's own way to look names up. How long that takes is not ours to say, so that each look-up holds its place
/// until it is over, whether or not somebody still waits for it: else names that nobody answers for could use up
/// all threads of the worker.
#[derive(Debug)]
pub(super) struct System {
    places: Arc<Semaphore>,
}

impl System {
    /// With so many look-ups at once.
    pub(super) fn new(most: usize) -> System {
        System { places: Arc::new(Semaphore::new(most)) }
    }
}

impl Resolver for System {
    fn resolve(&self, name: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        // With a dot at its end a name is whole: no search domain of the host's is put behind it (resolv.conf(5)), and
        // what the host calls its neighbours (hosts(5)) is not asked.
        let (name, places) = (format!("{name}."), Arc::clone(&self.places));
        Box::pin(async move {
            let place = places.acquire_owned().await.map_err(io::Error::other)?;
            let looked_up = tokio::task::spawn_blocking(move || {
                let found = (name.as_str(), 0).to_socket_addrs().map(|all| all.map(|one| one.ip()).collect());
                drop(place);
                found
            });
            looked_up.await.map_err(io::Error::other)?
        })
    }
}

/// Which addresses may be connected to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addresses {
    /// Servers of tests are on this machine. Only a test can be built that says so.
    #[cfg(test)]
    loopback: bool,
}

impl Addresses {
    /// Those of the Internet, and of it not this machine's.
    pub(super) fn public() -> Addresses {
        Addresses {
            #[cfg(test)]
            loopback: false,
        }
    }

    #[cfg(test)]
    pub(super) fn public_and_loopback() -> Addresses {
        Addresses { loopback: true }
    }

    fn check(self, address: IpAddr) -> Result<(), &'static str> {
        #[cfg(test)]
        if self.loopback && address.is_loopback() && address.is_ipv4() {
            return Ok(());
        }
        address_is_public(address)?;
        if is_own(address) { Err("is an address of the worker's own machine") } else { Ok(()) }
    }
}

/// Whether an address is one of this machine's: a service that listens there would be reached from within, where no
/// firewall stands. The kernel says so without sending anything. It lets a socket have its own addresses only (bind(2)),
/// unless it is told to give out any (ip_nonlocal_bind, ip(7)); then what is left is that who would send to an address
/// of its own would send from it.
fn is_own(address: IpAddr) -> bool {
    let (nobodys, any): (IpAddr, IpAddr) = match address {
        IpAddr::V4(_) => (Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::UNSPECIFIED.into()),
        IpAddr::V6(_) => (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(), Ipv6Addr::UNSPECIFIED.into()),
    };
    let can_have = |address: IpAddr| UdpSocket::bind((address, 0)).is_ok();
    let source = || -> io::Result<IpAddr> {
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect((address, 9))?;
        Ok(socket.local_addr()?.ip())
    };
    can_have(address) && !can_have(nobodys) || source().is_ok_and(|source| source == address)
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Unreached {
    /// No address of it may be connected to; what one of them is.
    Refused(&'static str),
    /// It has no address.
    Unknown(io::Error),
    /// None of its addresses answered.
    Silent(io::Error),
}

/// How a host is reached.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) addresses: Addresses,
    pub(super) lookup_most: Duration,
    pub(super) connect_most: Duration,
}

impl Reach {
    /// Connects to the first of the host's addresses that may be connected to and answers.
    pub(super) async fn connect(&self, host: &Host, port: u16) -> Result<TcpStream, Unreached> {
        let found = match host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => match timeout(self.lookup_most, self.resolver.resolve(name)).await {
                Ok(found) => found.map_err(Unreached::Unknown)?,
                Err(_) => return Err(Unreached::Unknown(io::ErrorKind::TimedOut.into())),
            },
        };
        let mut refused = None;
        let mut checked: Vec<IpAddr> = Vec::new();
        for address in found {
            match self.addresses.check(address) {
                Ok(()) if checked.len() < ADDRESSES_MOST && !checked.contains(&address) => checked.push(address),
                Ok(()) => {}
                Err(why) => refused = Some(why),
            }
        }
        if let (true, Some(why)) = (checked.is_empty(), refused) {
            return Err(Unreached::Refused(why));
        }
        let mut silent = io::Error::from(io::ErrorKind::NotFound);
        for address in checked {
            match timeout(self.connect_most, TcpStream::connect(SocketAddr::new(address, port))).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => silent = error,
                Err(_) => silent = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(Unreached::Silent(silent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_knows_its_own_addresses() {
        assert!(is_own(Ipv4Addr::LOCALHOST.into()) && is_own("127.9.9.9".parse().unwrap()));
        assert!(!is_own("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn only_a_test_may_reach_loopback() {
        let local = Ipv4Addr::LOCALHOST.into();
        assert!(Addresses::public().check(local).is_err());
        assert!(Addresses::public_and_loopback().check(local).is_ok());
        for other in ["10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00:ec2::254"] {
            assert!(Addresses::public_and_loopback().check(other.parse().unwrap()).is_err(), "{other}");
        }
    }
}
