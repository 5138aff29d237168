//! How many may be connected: in total, and from one network.
//!
//! Owns the counts and the permits that give them back. Asked by the accept loops, this door's and the daemon's others.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;

/// Counts connections, in total and by network. One is shared by all doors that bound them together.
#[derive(Debug, Default)]
pub struct Gate {
    open: AtomicUsize,
    by_network: Mutex<HashMap<IpAddr, usize>>,
    freed: Notify,
}

impl Gate {
    /// The right to be connected, when fewer than `most` are, and fewer than `most_of_one` from the same network: one
    /// address of IPv4, 64 bits of IPv6 (what one household or one rented machine has).
    pub fn admit(self: &Arc<Gate>, address: Option<IpAddr>, most: usize, most_of_one: usize) -> Option<Permit> {
        if self.open.fetch_add(1, Ordering::Relaxed) >= most {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let network = address.map(network);
        if let Some(network) = network {
            let mut table = self.by_network.lock().unwrap_or_else(PoisonError::into_inner);
            let count = table.entry(network).or_insert(0);
            if *count >= most_of_one {
                self.open.fetch_sub(1, Ordering::Relaxed);
                return None;
            }
            *count = count.saturating_add(1);
        }
        Some(Permit { gate: Arc::clone(self), network })
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Waits until a connection ends.
    pub async fn freed(&self) {
        self.freed.notified().await;
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address @ IpAddr::V4(_) => address,
    }
}

/// The right to be connected; ends with the connection.
#[derive(Debug)]
pub struct Permit {
    gate: Arc<Gate>,
    network: Option<IpAddr>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(network) = self.network {
            let mut table = self.gate.by_network.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = table.get_mut(&network) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    table.remove(&network);
                }
            }
        }
        self.gate.open.fetch_sub(1, Ordering::Relaxed);
        self.gate.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn limits_hold_in_total_and_by_network_and_permits_return() {
        // Goal: the next connection is refused at each limit, a dropped permit makes room again, and no address is kept
        // in the table after its last connection.
        let gate = Arc::new(Gate::default());
        let one = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let other = Some(IpAddr::V4(Ipv4Addr::BROADCAST));
        let first = gate.admit(one, 3, 2);
        let second = gate.admit(one, 3, 2);
        assert!(first.is_some() && second.is_some());
        assert!(gate.admit(one, 3, 2).is_none(), "third of one address");
        let third = gate.admit(other, 3, 2);
        assert!(third.is_some());
        assert!(gate.admit(None, 3, 2).is_none(), "fourth in total");
        drop(first);
        let again = gate.admit(one, 3, 2);
        assert!(again.is_some());
        drop((second, third, again));
        assert_eq!(gate.open.load(Ordering::Relaxed), 0);
        assert!(gate.by_network.lock().unwrap().is_empty());
    }

    #[test]
    fn neighbours_in_ipv6_share_their_limit() {
        // Goal: an address of IPv6 is one of many that its owner has; IPv4 is counted by itself, mapped or not.
        let gate = Arc::new(Gate::default());
        let admit = |text: &str| gate.admit(Some(text.parse().unwrap()), 10, 1);
        let first = admit("2001:db8::1");
        assert!(first.is_some());
        assert!(admit("2001:db8::ffff:ffff:ffff:ffff").is_none(), "the same 64 bits");
        assert!(admit("2001:db8:0:1::1").is_some());
        let mapped = admit("::ffff:10.0.0.1");
        assert!(mapped.is_some());
        assert!(admit("10.0.0.1").is_none());
        assert!(admit("10.0.0.2").is_some());
    }
}
