//! Quota arithmetic: does a request fit under the limits?
//!
//! Usage is summed from the rows by the transaction that takes more (the store does it); nothing
//! is counted here, so nothing here can drift.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident => $text:literal, $default:literal;)*) => {
        /// What quota limits, per project, user or share type.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Resource {
            $($(#[$doc])* $name,)*
        }

        impl Resource {
            /// Every one there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in the API, the config and the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The limit where neither the operator nor an administrator set one.
            #[must_use]
            pub const fn default_limit(self) -> Limit {
                Limit::from_signed(match self {
                    $(Self::$name => $default,)*
                })
            }
        }

        impl FromStr for Resource {
            type Err = ParseResourceError;

            fn from_str(text: &str) -> Result<Self, ParseResourceError> {
                match text {
                    $($text => Ok(Self::$name),)*
                    _ => Err(ParseResourceError { text: text.chars().take(64).collect() }),
                }
            }
        }
    };
}

resources! {
    /// GiB of all shares.
    Gigabytes => "gigabytes", 1_000;
    /// Shares.
    Shares => "shares", 50;
    /// GiB of all snapshots.
    SnapshotGigabytes => "snapshot_gigabytes", 1_000;
    /// Snapshots.
    Snapshots => "snapshots", 50;
    /// GiB of the largest share.
    PerShareGigabytes => "per_share_gigabytes", -1;
}

/// The text names no resource that has a quota.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} has no quota")]
pub struct ParseResourceError {
    text: String,
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How much there may be. Outside the program -1 stands for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub enum Limit {
    /// No limit.
    Unlimited,
    /// This many, and no more.
    AtMost(i64),
}

/// The number is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("quota limit {number} is below -1; expected -1 (no limit), 0 or more")]
pub struct LimitError {
    number: i64,
}

impl Limit {
    const fn from_signed(number: i64) -> Self {
        if number < 0 { Self::Unlimited } else { Self::AtMost(number) }
    }

    /// Whether `requested` more fit beside those used.
    #[must_use]
    pub const fn allows(self, used: i64, requested: i64) -> bool {
        match self {
            Self::Unlimited => true,
            // What is over its limit already may stay and shrink, it only may not grow.
            Self::AtMost(limit) => requested <= 0 || limit.saturating_sub(used) >= requested,
        }
    }
}

impl TryFrom<i64> for Limit {
    type Error = LimitError;

    fn try_from(number: i64) -> Result<Self, LimitError> {
        if number < -1 { Err(LimitError { number }) } else { Ok(Self::from_signed(number)) }
    }
}

impl From<Limit> for i64 {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Unlimited => -1,
            Limit::AtMost(limit) => limit,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => formatter.write_str("unlimited"),
            Self::AtMost(limit) => limit.fmt(formatter),
        }
    }
}

/// Whose limit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Of everything in a project.
    Project,
    /// Of what one user has in a project.
    User,
    /// Of what is of one share type in a project.
    ShareType,
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Project => "project",
            Self::User => "user",
            Self::ShareType => "share type",
        })
    }
}

/// What a request asks for of one resource, beside one limit. One request makes several: one for
/// each resource and for each scope that limits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// What is asked for.
    pub resource: Resource,
    /// Whose limit is looked at.
    pub scope: Scope,
    /// How much more is wanted; 0 or less always passes.
    pub requested: i64,
    /// How much there is in that scope.
    pub used: i64,
    /// How much there may be.
    pub limit: Limit,
}

impl Claim {
    /// The claim of a share of this size on the limit for a single share.
    #[must_use]
    pub const fn share_size(size_gb: i64, limit: Limit) -> Self {
        let (resource, scope) = (Resource::PerShareGigabytes, Scope::Project);
        Self { resource, scope, requested: size_gb, used: 0, limit }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, scope, requested, used, limit } = self;
        write!(formatter, "{resource} (requested {requested}, used {used}, {scope} limit {limit})")
    }
}

/// Some claims of a request do not fit. The API answers 413; the text may be shown to the caller,
/// since all its numbers are the caller's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("quota exceeded for {}", list(claims))]
pub struct OverQuota {
    /// Those that do not fit, never empty, ordered by resource and scope: sizes come before
    /// counts, as clients are used to be told of them first.
    pub claims: Vec<Claim>,
}

impl OverQuota {
    /// The claim on this resource that does not fit, if it is among them.
    #[must_use]
    pub fn of(&self, resource: Resource) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.resource == resource)
    }
}

fn list(claims: &[Claim]) -> String {
    claims.iter().map(Claim::to_string).collect::<Vec<_>>().join(", ")
}

/// Checks all claims of one request.
///
/// # Errors
///
/// [`OverQuota`] with every claim that does not fit.
pub fn check(claims: &[Claim]) -> Result<(), OverQuota> {
    let over = claims.iter().filter(|claim| !claim.limit.allows(claim.used, claim.requested));
    let mut claims: Vec<Claim> = over.copied().collect();
    claims.sort_by_key(|claim| (claim.resource, claim.scope));
    if claims.is_empty() { Ok(()) } else { Err(OverQuota { claims }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claim(resource: Resource, requested: i64, used: i64, limit: i64) -> Claim {
        let limit = Limit::try_from(limit).unwrap();
        Claim { resource, scope: Scope::Project, requested, used, limit }
    }

    #[test]
    fn up_to_the_limit_and_not_beyond() {
        let cases = [
            // requested, used, limit, allowed
            (1, 0, 1, true),
            (1, 1, 1, false),
            (1, 49, 50, true),
            (2, 49, 50, false),
            (1, 0, 0, false),
            (0, 60, 50, true),
            (1, 60, 50, false),
            (-5, 60, 50, true),
            (i64::MAX, i64::MAX, -1, true),
            (i64::MAX, 1, i64::MAX, false),
        ];
        for (requested, used, limit, allowed) in cases {
            let claim = claim(Resource::Shares, requested, used, limit);
            assert_eq!(check(&[claim]).is_ok(), allowed, "{claim}");
        }
    }

    #[test]
    fn a_refusal_names_all_that_is_over_sizes_first() {
        let mut of_user = claim(Resource::Shares, 1, 5, 5);
        of_user.scope = Scope::User;
        let claims = [
            of_user,
            claim(Resource::Shares, 1, 50, 50),
            claim(Resource::Snapshots, 1, 0, 50),
            claim(Resource::Gigabytes, 5, 998, 1_000),
            Claim::share_size(5, Limit::AtMost(4)),
        ];
        let over = check(&claims).unwrap_err();
        assert_eq!(
            over.to_string(),
            "quota exceeded for gigabytes (requested 5, used 998, project limit 1000), \
             shares (requested 1, used 50, project limit 50), \
             shares (requested 1, used 5, user limit 5), \
             per_share_gigabytes (requested 5, used 0, project limit 4)"
        );
        assert_eq!(over.of(Resource::Gigabytes), Some(&claims[3]));
        assert_eq!(over.of(Resource::Snapshots), None);
    }

    #[test]
    fn limits_and_names_read_back() {
        assert_eq!(Limit::try_from(-1), Ok(Limit::Unlimited));
        assert_eq!(
            Limit::try_from(-2).unwrap_err().to_string(),
            "quota limit -2 is below -1; expected -1 (no limit), 0 or more"
        );
        for number in [-1, 0, 7, i64::MAX] {
            assert_eq!(i64::from(Limit::try_from(number).unwrap()), number);
            assert_eq!(
                serde_json::to_string(&Limit::from_signed(number)).unwrap(),
                number.to_string()
            );
        }
        for resource in Resource::ALL {
            assert_eq!(resource.as_str().parse(), Ok(*resource));
            assert_eq!(serde_json::to_value(resource).unwrap(), resource.as_str());
        }
        assert_eq!("pigs".parse::<Resource>().unwrap_err().to_string(), "\"pigs\" has no quota");
    }

    proptest! {
        /// Requests that are let through one after the other never go over the limit, and one
        /// that is refused would have.
        #[test]
        fn usage_never_passes_the_limit(limit in 0i64..200, requests in prop::collection::vec(1i64..50, 0..40)) {
            let mut used = 0;
            for requested in requests {
                let limit_of_claim = Limit::AtMost(limit);
                if limit_of_claim.allows(used, requested) {
                    used += requested;
                    prop_assert!(used <= limit);
                } else {
                    prop_assert!(used + requested > limit);
                }
            }
        }

        /// A request passes only when each of its claims would pass alone, in any order.
        #[test]
        fn all_claims_have_to_fit(
            numbers in prop::collection::vec((-3i64..9, 0i64..9, -1i64..9), 0..6),
        ) {
            let claims: Vec<Claim> = numbers
                .iter()
                .zip(Resource::ALL.iter().cycle())
                .map(|((requested, used, limit), resource)| claim(*resource, *requested, *used, *limit))
                .collect();
            let misfits = claims.iter().filter(|claim| check(&[**claim]).is_err()).count();
            let reversed: Vec<Claim> = claims.iter().rev().copied().collect();
            match (check(&claims), check(&reversed)) {
                (Ok(()), Ok(())) => prop_assert_eq!(misfits, 0),
                (Err(over), Err(_)) => prop_assert_eq!(over.claims.len(), misfits),
                (one, other) => prop_assert!(false, "{one:?} and {other:?}"),
            }
        }
    }
}
