//! How many connections come from one address: whoever has one address must not take the places of all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts them.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection's place, which it gives back when it is dropped.
#[derive(Debug)]
pub(crate) struct PeerPlace {
    peers: Peers,
    from: IpAddr,
}

/// Whoever has an IPv6 address usually has the 2^64 beside it as well.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        version_4 => version_4,
    }
}

impl Peers {
    pub(crate) fn new(most: usize) -> Peers {
        Peers { most, open: Arc::default() }
    }

    /// A place for a connection from this address, if there is one.
    pub(crate) fn take(&self, address: IpAddr) -> Option<PeerPlace> {
        let from = neighbourhood(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(from).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(PeerPlace { peers: self.clone(), from })
    }
}

impl Drop for PeerPlace {
    fn drop(&mut self) {
        let mut open = self.peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_takes_no_more_than_its_places_and_leaves_the_others_theirs() {
        let peers = Peers::new(2);
        let take = |address: &str| peers.take(address.parse().unwrap());
        let kept = (take("10.0.0.1"), take("::ffff:10.0.0.1"));
        assert!(kept.0.is_some() && kept.1.is_some());
        assert!(take("10.0.0.1").is_none());
        assert!(take("10.0.0.2").is_some());
        drop(kept);
        assert!(take("10.0.0.1").is_some());
        assert!(peers.open.lock().unwrap().is_empty(), "nothing is kept of who left");
        let kept = (take("2001:db8::1"), take("2001:db8::2"));
        assert!(kept.1.is_some() && take("2001:db8::3").is_none() && take("2001:db8:0:1::1").is_some());
    }
}
