//! Whom an access rule can name.

use super::network::Network;
use crate::AccessType;

/// The longest name, in characters.
const LONGEST: usize = 255;
/// The longest common name of a certificate (RFC 5280), in characters.
const LONGEST_COMMON_NAME: usize = 64;
/// What no user or group name has (Active Directory's rule).
const NOT_IN_NAMES: &str = "\"/\\[]:;|=,+*?<>";

/// Why a rule can't name such a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessToError {
    /// Not an address or network.
    #[error("'{text}' is neither an {family} address nor a network such as {example}.")]
    NoNetwork {
        /// What was given.
        text: String,
        /// `IPv4` or `IP`.
        family: &'static str,
        /// How one is written.
        example: &'static str,
    },
    /// An address within a network instead of the network.
    #[error("'{text}' has host bits set; the network is {start}/{prefix}.")]
    HostBits {
        /// What was given.
        text: String,
        /// The network's first address.
        start: std::net::IpAddr,
        /// Its prefix.
        prefix: u32,
    },
    /// A user or group name that no directory service has.
    #[error(
        "Invalid user or group name: expected 4 to 255 characters, none of them one of {NOT_IN_NAMES}"
    )]
    User,
    /// Nothing but periods and spaces.
    #[error("Invalid user or group name: it consists solely of periods or spaces.")]
    BlankUser,
    /// Not the common name of a certificate.
    #[error("Invalid CN (common name): expected 1 to 64 characters.")]
    CommonName,
    /// No Ceph id.
    #[error("A Ceph ID may not be empty.")]
    EmptyCephId,
    /// No Ceph id.
    #[error("A Ceph ID must consist of ASCII printable characters.")]
    UnprintableCephId,
    /// It would be mistaken for `client.ID`.
    #[error("A Ceph ID may not contain periods.")]
    PeriodInCephId,
    /// Longer than any of them can be.
    #[error("access_to can only be {LONGEST} characters long.")]
    TooLong,
    /// It would end a line of a file server's configuration.
    #[error("access_to can't have control characters.")]
    Control,
}

/// Whether `text` names a client of that type. `ipv6`: IPv6 networks are taken.
///
/// # Errors
/// Why it does not.
pub fn check_access_to(kind: AccessType, text: &str, ipv6: bool) -> Result<(), AccessToError> {
    if text.chars().count() > LONGEST {
        return Err(if kind == AccessType::User {
            AccessToError::User
        } else {
            AccessToError::TooLong
        });
    }
    match kind {
        AccessType::Ip => check_network(text, ipv6)?,
        AccessType::User => check_user(text)?,
        AccessType::Cert => {
            let length = text.trim().chars().count();
            if !(1..=LONGEST_COMMON_NAME).contains(&length) {
                return Err(AccessToError::CommonName);
            }
        }
        AccessType::Cephx if text.is_empty() => return Err(AccessToError::EmptyCephId),
        AccessType::Cephx if !text.is_ascii() => return Err(AccessToError::UnprintableCephId),
        AccessType::Cephx if text.contains('.') => return Err(AccessToError::PeriodInCephId),
        AccessType::Cephx => {}
    }
    if text.chars().any(char::is_control) { Err(AccessToError::Control) } else { Ok(()) }
}

/// Whether two names of that type are the same client.
#[must_use]
pub fn same_access_to(kind: AccessType, one: &str, other: &str) -> bool {
    if kind == AccessType::Ip
        && let (Some(one), Some(other)) = (Network::parse(one), Network::parse(other))
    {
        return one == other;
    }
    one == other
}

fn check_network(text: &str, ipv6: bool) -> Result<(), AccessToError> {
    let network = Network::parse(text).filter(|network| ipv6 || network.address.is_ipv4());
    let Some(network) = network else {
        let (family, example) =
            if ipv6 { ("IP", "10.0.0.0/24 or fd00::/64") } else { ("IPv4", "10.0.0.0/24") };
        return Err(AccessToError::NoNetwork { text: text.to_owned(), family, example });
    };
    let start = network.start();
    if start != network.address {
        let prefix = network.prefix;
        return Err(AccessToError::HostBits { text: text.to_owned(), start, prefix });
    }
    Ok(())
}

fn check_user(text: &str) -> Result<(), AccessToError> {
    if !text.is_empty() && text.chars().all(|one| one == '.' || one.is_whitespace()) {
        return Err(AccessToError::BlankUser);
    }
    if text.chars().count() < 4 || text.chars().any(|one| NOT_IN_NAMES.contains(one)) {
        return Err(AccessToError::User);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use AccessType::{Cephx, Cert, Ip, User};

    #[test]
    fn what_names_a_client_is_taken_and_nothing_else() {
        let long = |length| "x".repeat(length);
        let table: [(AccessType, &str, bool); 27] = [
            (Ip, "10.0.0.1", true),
            (Ip, "0.0.0.0/0", true),
            (Ip, "10.0.0.1/24", false),
            (Ip, "fd00::/64", true),
            (Ip, "fd00::1/64", false),
            (Ip, "", false),
            (User, "joey", true),
            (User, "Domain Admins", true),
            (User, "jürgen", true),
            (User, &long(255), true),
            (User, &long(256), false),
            (User, "abc", false),
            (User, "", false),
            (User, "try+", false),
            (User, "+try", false),
            (User, ". . .", false),
            (User, "joey\nroot", false),
            (Cert, "example.com", true),
            (Cert, &long(64), true),
            (Cert, &long(65), false),
            (Cert, " ", false),
            (Cephx, "alice", true),
            (Cephx, "alice bob", true),
            (Cephx, "", false),
            (Cephx, "client.alice", false),
            (Cephx, "älice", false),
            (Cephx, "al\tice", false),
        ];
        for (kind, text, taken) in table {
            let result = check_access_to(kind, text, true);
            assert_eq!(result.is_ok(), taken, "{kind} {text:?}: {result:?}");
        }
        assert!(check_access_to(Ip, "fd00::/64", false).is_err(), "before IPv6 was known");
        assert_eq!(
            check_access_to(Ip, "10.0.0.7/24", true).unwrap_err().to_string(),
            "'10.0.0.7/24' has host bits set; the network is 10.0.0.0/24."
        );
    }

    #[test]
    fn one_client_in_two_spellings_is_the_same() {
        assert!(same_access_to(Ip, "10.0.0.1", "10.0.0.1/32"));
        assert!(same_access_to(Ip, "fd00::/64", "FD00:0::/64"));
        assert!(!same_access_to(Ip, "10.0.0.0/24", "10.0.0.0/25"), "they only overlap");
        assert!(same_access_to(User, "joey", "joey"));
        assert!(!same_access_to(User, "joey", "Joey"));
    }
}
