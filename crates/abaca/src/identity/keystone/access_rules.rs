//! The access rules of an application credential: the only requests its tokens are good for.

use axum::http::Method;
use serde::Deserialize;

/// This service's names in access rules: its type in the catalogue, and that type's older names.
const SERVICE_TYPES: [&str; 3] = ["shared-file-system", "sharev2", "share"];
/// The longest pattern that can match, in bytes; Keystone keeps no longer one.
const MAX_PATTERN: usize = 255;

/// One kind of request that is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct AccessRule {
    service: String,
    method: String,
    path: String,
}

/// The rules of a token; one without rules is good for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AccessRules(Option<Vec<AccessRule>>);

impl From<Option<Vec<AccessRule>>> for AccessRules {
    fn from(rules: Option<Vec<AccessRule>>) -> Self {
        Self(rules)
    }
}

impl AccessRules {
    /// Whether one of the rules is for this request.
    pub(super) fn allow(&self, method: &Method, path: &str) -> bool {
        let Some(rules) = &self.0 else { return true };
        rules.iter().any(|rule| {
            SERVICE_TYPES.contains(&rule.service.as_str())
                && rule.method == method.as_str()
                && rule.path.len() <= MAX_PATTERN
                && matches(rule.path.as_bytes(), path.as_bytes())
        })
    }
}

/// Whether a path is the pattern's: `*` and `{name}` stand for one part of the path or a piece of
/// it, `**` for anything.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    // The places in the pattern that the path read so far can have come to.
    let mut places = vec![false; pattern.len() + 1];
    reach(pattern, 0, &mut places);
    for &byte in path {
        let mut next = vec![false; pattern.len() + 1];
        for (place, _) in places.iter().enumerate().filter(|(_, reached)| **reached) {
            match Piece::at(pattern, place) {
                Some((Piece::Anything, _)) => reach(pattern, place, &mut next),
                Some((Piece::Part, end)) if byte != b'/' => {
                    next[place] = true;
                    reach(pattern, end, &mut next);
                }
                Some((Piece::Literal(literal), end)) if literal == byte => {
                    reach(pattern, end, &mut next);
                }
                _ => {}
            }
        }
        places = next;
    }
    places[pattern.len()]
}

/// Marks a place as reached, and those behind it that nothing needs to be read for.
fn reach(pattern: &[u8], mut place: usize, places: &mut [bool]) {
    places[place] = true;
    while let Some((Piece::Anything, end)) = Piece::at(pattern, place) {
        places[end] = true;
        place = end;
    }
}

enum Piece {
    Anything,
    Part,
    Literal(u8),
}

impl Piece {
    /// The piece that begins at `place`, and where it ends; none at the pattern's end.
    fn at(pattern: &[u8], place: usize) -> Option<(Self, usize)> {
        let rest = pattern.get(place..)?;
        match rest {
            [] => None,
            [b'*', b'*', ..] => Some((Self::Anything, place + 2)),
            [b'*', ..] => Some((Self::Part, place + 1)),
            [b'{', after @ ..] => match after.iter().position(|byte| *byte == b'}') {
                Some(length) => Some((Self::Part, place + length + 2)),
                None => Some((Self::Literal(b'{'), place + 1)),
            },
            [literal, ..] => Some((Self::Literal(*literal), place + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_keystones_do() {
        let table = [
            ("/v2/shares", "/v2/shares", true),
            ("/v2/shares", "/v2/shares/", false),
            ("/v2/shares", "/v2/share", false),
            ("/v2/shares/*", "/v2/shares/a", true),
            ("/v2/shares/*", "/v2/shares/", false),
            ("/v2/shares/*", "/v2/shares/a/b", false),
            ("/v2/shares/{id}", "/v2/shares/a-1", true),
            ("/v2/{project_id}/shares", "/v2/p/shares", true),
            ("/v2/{project_id}/shares", "/v2/p/q/shares", false),
            ("/v2/**", "/v2/", true),
            ("/v2/**", "/v2/shares/a/b", true),
            ("/v2/**/export_locations", "/v2/shares/a/export_locations", true),
            ("/v2/**/export_locations", "/v2/shares/a/export_locations/b", false),
            ("**", "", true),
            ("/v2/{open", "/v2/{open", true),
            ("/v2/shares.", "/v2/sharesX", false),
            ("", "/", false),
            ("/v2/s*s", "/v2/shares", true),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(matches(pattern.as_bytes(), path.as_bytes()), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let pattern = "**a".repeat(80);
        assert!(matches(pattern.as_bytes(), "a".repeat(5_000).as_bytes()));
        assert!(!matches(pattern.as_bytes(), "b".repeat(5_000).as_bytes()));
    }

    #[test]
    fn only_rules_of_this_service_and_method_count() {
        let rule = |service: &str, method: &str| AccessRule {
            service: service.to_owned(),
            method: method.to_owned(),
            path: "/v2/**".to_owned(),
        };
        let rules = AccessRules(Some(vec![rule("compute", "GET"), rule("sharev2", "GET")]));
        assert!(rules.allow(&Method::GET, "/v2/shares"));
        assert!(!rules.allow(&Method::POST, "/v2/shares"));
        let foreign = AccessRules(Some(vec![rule("compute", "GET")]));
        assert!(!foreign.allow(&Method::GET, "/v2/shares"));
        assert!(!AccessRules(Some(Vec::new())).allow(&Method::GET, "/v2/shares"));
        assert!(AccessRules(None).allow(&Method::DELETE, "/v2/shares/x"));
    }
}
