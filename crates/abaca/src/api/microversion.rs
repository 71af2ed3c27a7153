//! Microversions: which version of the API a request speaks, and which one a route belongs to.

use std::fmt;
use std::ops::{RangeFrom, RangeInclusive};
use std::str::FromStr;

use axum::http::HeaderMap;

use super::ApiError;

/// The header a client names its microversion in.
pub(super) const VERSION_HEADER: &str = "x-openstack-manila-api-version";
/// The header a client asks for experimental operations with.
pub(super) const EXPERIMENTAL_HEADER: &str = "x-openstack-manila-api-experimental";

/// A version of the API, `V(2, 19)` for 2.19.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct V(pub u32, pub u32);

impl V {
    /// The first version, and the one spoken to clients that name none.
    pub const MIN: Self = Self(2, 0);
    /// The last version.
    pub const MAX: Self = Self(2, 99);
}

/// The text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a version such as 2.19, from {} to {}", V::MIN, V::MAX)]
pub struct ParseVersionError;

impl FromStr for V {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text)
            .filter(|version| (Self::MIN..=Self::MAX).contains(version))
            .ok_or(ParseVersionError)
    }
}

impl fmt::Display for V {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.0, self.1)
    }
}

/// The versions a route is there in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The first of them.
    pub first: V,
    /// The last of them.
    pub last: V,
}

impl Versions {
    /// Whether `version` is one of them.
    #[must_use]
    pub fn contains(&self, version: V) -> bool {
        (self.first..=self.last).contains(&version)
    }
}

impl From<RangeFrom<V>> for Versions {
    fn from(range: RangeFrom<V>) -> Self {
        Self { first: range.start, last: V::MAX }
    }
}

impl From<RangeInclusive<V>> for Versions {
    fn from(range: RangeInclusive<V>) -> Self {
        Self { first: *range.start(), last: *range.end() }
    }
}

/// What a request says about the version it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Microversion {
    /// The version.
    pub version: V,
    /// Experimental operations were asked for.
    pub experimental: bool,
}

impl Microversion {
    /// Reads the headers of a request.
    ///
    /// # Errors
    /// 400 for what is no version, 406 for one that is not spoken here.
    pub(super) fn negotiate(headers: &HeaderMap) -> Result<Self, ApiError> {
        let experimental = headers
            .get(EXPERIMENTAL_HEADER)
            .and_then(|value| value.to_str().ok())
            .is_some_and(super::body::lenient_bool);
        let version = match headers.get(VERSION_HEADER).map(|value| value.to_str()) {
            None => V::MIN,
            Some(Ok(text)) => parse(text).ok_or_else(|| malformed(text))?,
            Some(Err(_)) => return Err(malformed("(not ASCII)")),
        };
        if version < V::MIN || version > V::MAX {
            return Err(ApiError::NotAcceptable { version });
        }
        Ok(Self { version, experimental })
    }
}

fn malformed(text: &str) -> ApiError {
    ApiError::bad_request(format!(
        "API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."
    ))
}

/// `2.19`, without leading zeros.
fn parse(text: &str) -> Option<V> {
    let (major, minor) = text.split_once('.')?;
    let number = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let canonical = text.len() == 1 || !text.starts_with('0');
        // A number too large for us is a well-formed version that is not spoken here.
        (plain && canonical && !text.is_empty()).then(|| text.parse().unwrap_or(u32::MAX))
    };
    let (major, minor) = (number(major)?, number(minor)?);
    (major > 0).then_some(V(major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_strictly() {
        assert_eq!(parse("2.0"), Some(V(2, 0)));
        assert_eq!(parse("2.100"), Some(V(2, 100)));
        assert_eq!(parse("3.99999999999999999999"), Some(V(3, u32::MAX)));
        for text in
            ["", "2", "2.", ".1", "2.01", "02.1", "0.1", "latest", "2.5, 2.6", "2.-1", "+2.1"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_include_their_ends() {
        let range = Versions::from(V(2, 7)..=V(2, 22));
        assert!(range.contains(V(2, 7)) && range.contains(V(2, 22)));
        assert!(!range.contains(V(2, 6)) && !range.contains(V(2, 23)));
        assert!(Versions::from(V(2, 7)..).contains(V::MAX));
    }
}
