//! Who listens on this machine, and for whom: the kernel's tables of TCP sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Where a port is open to connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// To this machine alone.
    Loopback,
    /// To whoever reaches this address of this machine.
    Network(IpAddr),
    /// It is on another machine, so it is reached over a network.
    OtherMachine,
    /// It cannot be told: another user's network name space, or no /proc.
    Unknown,
}

impl Reach {
    /// Looks at a port of a host.
    pub(super) async fn of(host: &str, port: u16) -> Self {
        let Ok(addresses) = tokio::net::lookup_host((host, port)).await else {
            return Self::Unknown;
        };
        let addresses: Vec<IpAddr> = addresses.map(|address| address.ip()).collect();
        if !addresses.iter().copied().any(is_of_this_machine) {
            return Self::OtherMachine;
        }
        let read = |table| std::fs::read_to_string(table).unwrap_or_default();
        let mut listening = listening(&read("/proc/net/tcp"));
        listening.extend(self::listening(&read("/proc/net/tcp6")));
        let open: Vec<IpAddr> = listening
            .into_iter()
            .filter(|&(_, listens)| listens == port)
            .map(|(address, _)| address.to_canonical())
            .collect();
        match open.iter().find(|address| !address.is_loopback()) {
            Some(&address) => Self::Network(address),
            None if open.is_empty() => Self::Unknown,
            None => Self::Loopback,
        }
    }
}

/// Only an address of this machine can be bound.
fn is_of_this_machine(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

/// Addresses and ports of a table in the form of /proc/net/tcp or /proc/net/tcp6 on which somebody listens.
fn listening(table: &str) -> Vec<(IpAddr, u16)> {
    /// `TCP_LISTEN` of linux/include/net/tcp_states.h.
    const LISTEN: &str = "0A";
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (address, port) = fields.get(1)?.split_once(':')?;
            if *fields.get(3)? != LISTEN {
                return None;
            }
            Some((address_of(address)?, u16::from_str_radix(port, 16).ok()?))
        })
        .collect()
}

/// The kernel prints an address as words of 32 bits, each in this machine's byte order.
fn address_of(hex: &str) -> Option<IpAddr> {
    let word = |text: &[u8]| {
        let text = std::str::from_utf8(text).ok()?;
        Some(u32::from_str_radix(text, 16).ok()?.to_ne_bytes())
    };
    let words: Vec<[u8; 4]> = hex.as_bytes().chunks(8).map(word).collect::<Option<_>>()?;
    match words.as_flattened() {
        bytes @ [_, _, _, _] => {
            let bytes: [u8; 4] = bytes.try_into().ok()?;
            Some(Ipv4Addr::from(bytes).into())
        }
        bytes => {
            let bytes: [u8; 16] = bytes.try_into().ok()?;
            Some(Ipv6Addr::from(bytes).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        // Printed by a little-endian machine.
        let four = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when\n\
            0: 0100007F:2383 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1\n\
            1: 00000000:23E6 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 2\n\
            2: 0100007F:2383 0100007F:C350 01 00000000:00000000 00:00000000 00000000 0 0 3\n";
        let six = "  sl  local_address                         remote_address\n\
            0: 00000000000000000000000001000000:2383 00000000000000000000000000000000:0000 0A 0 0 0 0 0 4\n\
            1: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A 0 0 0 0 0 5\n";
        if cfg!(target_endian = "little") {
            let found = listening(four);
            assert_eq!(
                found,
                [
                    (Ipv4Addr::LOCALHOST.into(), 9091),
                    (Ipv4Addr::UNSPECIFIED.into(), 9190)
                ]
            );
            let found: Vec<IpAddr> = listening(six).into_iter().map(|(ip, _)| ip).collect();
            assert_eq!(found[0], Ipv6Addr::LOCALHOST);
            assert_eq!(found[1].to_canonical(), Ipv4Addr::LOCALHOST);
        }
        assert!(listening("").is_empty());
    }

    #[tokio::test]
    async fn an_open_port_is_told_from_one_that_this_machine_keeps_to_itself() {
        let own = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = own.local_addr().unwrap().port();
        assert_eq!(Reach::of("127.0.0.1", port).await, Reach::Loopback);
        assert_eq!(Reach::of("localhost", port).await, Reach::Loopback);
        let open = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        let port = open.local_addr().unwrap().port();
        let everywhere = Reach::Network(Ipv4Addr::UNSPECIFIED.into());
        assert_eq!(Reach::of("127.0.0.1", port).await, everywhere);
        // An address that is set aside for documentation (RFC 5737).
        assert_eq!(Reach::of("192.0.2.1", port).await, Reach::OtherMachine);
    }
}
