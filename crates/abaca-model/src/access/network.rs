//! IP networks as access rules write them: an address, or an address and a prefix or netmask.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network. Two spellings of one network are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    pub(super) address: IpAddr,
    pub(super) prefix: u32,
}

impl Network {
    /// Reads `10.0.0.1`, `10.0.0.0/24`, `10.0.0.0/255.255.255.0`, `10.0.0.0/0.0.0.255`, `fd00::/64`.
    /// The address may have bits behind the prefix: see [`Network::start`].
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, mask) = match text.split_once('/') {
            Some((address, mask)) => (address, Some(mask)),
            None => (text, None),
        };
        if let Ok(address) = address.parse::<Ipv4Addr>() {
            let prefix =
                mask.map_or(Some(32), |mask| digits(mask, 32).or_else(|| netmask(mask)))?;
            return Some(Self { address: address.into(), prefix });
        }
        let address = address.parse::<Ipv6Addr>().ok()?;
        let prefix = mask.map_or(Some(128), |mask| digits(mask, 128))?;
        Some(Self { address: address.into(), prefix })
    }

    /// The first address of the network.
    pub(super) fn start(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & mask).into()
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
        }
    }
}

fn digits(text: &str, most: u32) -> Option<u32> {
    let only_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = only_digits.then(|| text.parse().ok()).flatten()?;
    (prefix <= most).then_some(prefix)
}

/// Ones and then zeros, or the other way round.
fn netmask(text: &str) -> Option<u32> {
    let bits = text.parse::<Ipv4Addr>().ok()?.to_bits();
    [bits, !bits]
        .into_iter()
        .find(|bits| bits.leading_ones() + bits.trailing_zeros() >= 32)
        .map(u32::leading_ones)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_network_are_equal() {
        for same in [
            ["10.0.0.0/24", "10.0.0.0/255.255.255.0", "10.0.0.0/0.0.0.255"],
            ["10.0.0.1", "10.0.0.1/32", "10.0.0.1/255.255.255.255"],
            ["0.0.0.0/0", "0.0.0.0/0.0.0.0", "0.0.0.0/00"],
            ["fd00::1", "FD00:0::1/128", "fd00::0.0.0.1"],
        ] {
            let read = same.map(|text| Network::parse(text).unwrap());
            assert!(read.iter().all(|network| *network == read[0]), "{read:?}");
        }
    }

    #[test]
    fn what_is_no_network_is_none() {
        for text in [
            "",
            "1.2.3.256",
            "01.2.3.4",
            "1.2.3.4/33",
            "1.2.3.4/",
            "1.2.3.4/-1",
            "1.2.3.4/+1",
            "1.2.3.4/255.0.255.0",
            "1.2.3.4/24/1",
            " 1.2.3.4",
            "fe80::1%eth0",
            "fd00::/129",
            "fd00::/ffff::",
            "2001:DB8:2de:0:0:0:0:e13:200a",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_start_has_no_bits_behind_the_prefix() {
        for (text, start) in [
            ("10.0.0.7/24", "10.0.0.0"),
            ("10.0.0.7/0", "0.0.0.0"),
            ("fd00::7/64", "fd00::"),
            ("fd00::7/0", "::"),
        ] {
            assert_eq!(Network::parse(text).unwrap().start(), start.parse::<IpAddr>().unwrap());
        }
    }
}
