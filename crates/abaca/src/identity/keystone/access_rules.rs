//! The access rules of an application credential: the only requests its tokens are good for.
//!
//! Both sides are a tenant's: the rules, and the path they are held against. So the rules are few, and
//! each byte of the path costs the same whatever the pattern.

use axum::http::Method;
use serde::Deserialize;

/// This service's names in access rules: its type in the catalogue, and that type's older names.
const SERVICE_TYPES: [&str; 3] = ["shared-file-system", "sharev2", "share"];
/// The longest pattern that can match, in bytes; Keystone keeps no longer one.
const MAX_PATTERN: usize = 255;
/// Most rules for this service that a token may have.
pub(super) const MAX_RULES: usize = 128;
/// The longest path that is held against rules, in bytes. The API's own are shorter.
const MAX_PATH: usize = 2048;

/// One kind of request that is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct AccessRule {
    service: String,
    method: String,
    path: String,
}

impl AccessRule {
    fn can_match(&self) -> bool {
        SERVICE_TYPES.contains(&self.service.as_str()) && self.path.len() <= MAX_PATTERN
    }
}

/// What a token is good for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum AccessRules {
    /// For everything: it has no rules.
    #[default]
    Everything,
    /// For what one of them allows. Those of other services are left out.
    These(Vec<AccessRule>),
    /// For nothing: it has more rules for this service than are looked at.
    TooMany,
}

impl From<Option<Vec<AccessRule>>> for AccessRules {
    fn from(rules: Option<Vec<AccessRule>>) -> Self {
        let Some(mut rules) = rules else { return Self::Everything };
        rules.retain(AccessRule::can_match);
        rules.shrink_to_fit();
        if rules.len() > MAX_RULES { Self::TooMany } else { Self::These(rules) }
    }
}

impl AccessRules {
    /// Whether one of the rules is for this request.
    pub(super) fn allow(&self, method: &Method, path: &str) -> bool {
        let rules = match self {
            Self::Everything => return true,
            Self::TooMany => return false,
            Self::These(rules) => rules,
        };
        path.len() <= MAX_PATH
            && rules.iter().any(|rule| {
                rule.method == method.as_str() && matches(rule.path.as_bytes(), path.bytes())
            })
    }

    /// The memory they take beside their own size, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let Self::These(rules) = self else { return 0 };
        let texts = |rule: &AccessRule| {
            [&rule.service, &rule.method, &rule.path].map(String::capacity).iter().sum::<usize>()
        };
        rules.iter().map(|rule| size_of::<AccessRule>() + texts(rule)).sum()
    }
}

/// Whether a path is the pattern's: `*` and `{name}` stand for one part of the path or a piece of
/// it, `**` for anything. A pattern of more than [`MAX_PATTERN`] bytes is no path's. The path is read
/// once, byte by byte, and each takes the same few steps.
fn matches(pattern: &[u8], path: impl IntoIterator<Item = u8>) -> bool {
    if pattern.len() > MAX_PATTERN {
        return false;
    }
    let pattern = Pattern::new(pattern);
    // The places in the pattern that the path read so far can have come to.
    let mut places = pattern.behind_anything(Places::FIRST);
    for byte in path {
        places = pattern.step(places, byte);
        if places == Places::NONE {
            return false;
        }
    }
    places.has(pattern.length)
}

/// Places in a pattern, one bit each: from its first piece to behind its last.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Places([u64; 4]);

impl Places {
    const NONE: Self = Self([0; 4]);
    const FIRST: Self = Self([1, 0, 0, 0]);

    fn add(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    fn has(self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|n| self.0[n] & other.0[n]))
    }

    fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|n| self.0[n] | other.0[n]))
    }

    /// The place behind each.
    fn next(self) -> Self {
        let Self([a, b, c, d]) = self;
        Self([a << 1, b << 1 | a >> 63, c << 1 | b >> 63, d << 1 | c >> 63])
    }
}

/// A pattern by what stands at its places.
struct Pattern {
    /// How many pieces it has.
    length: usize,
    /// Where there is a `**`; never twice in a row.
    anything: Places,
    /// Where there is a `*` or a name.
    part: Places,
    /// Where each byte stands for itself.
    literal: [Places; 256],
}

impl Pattern {
    fn new(mut rest: &[u8]) -> Self {
        let (anything, part) = (Places::NONE, Places::NONE);
        let mut pattern = Self { length: 0, anything, part, literal: [Places::NONE; 256] };
        while let Some((piece, after)) = Piece::first(rest) {
            rest = after;
            let place = pattern.length;
            match piece {
                // A second one in a row adds nothing.
                Piece::Anything if place > 0 && pattern.anything.has(place - 1) => continue,
                Piece::Anything => pattern.anything.add(place),
                Piece::Part => pattern.part.add(place),
                Piece::Literal(byte) => pattern.literal[usize::from(byte)].add(place),
            }
            pattern.length += 1;
        }
        pattern
    }

    /// The places that are come to from these by reading one byte.
    fn step(&self, places: Places, byte: u8) -> Places {
        let mut next = places.and(self.literal[usize::from(byte)]).next();
        next = next.or(places.and(self.anything));
        if byte != b'/' {
            let within = places.and(self.part);
            next = next.or(within).or(within.next());
        }
        self.behind_anything(next)
    }

    /// These places, and those behind a `**`, for which nothing needs to be read.
    fn behind_anything(&self, places: Places) -> Places {
        places.or(places.and(self.anything).next())
    }
}

enum Piece {
    Anything,
    Part,
    Literal(u8),
}

impl Piece {
    /// The first piece of a pattern, and what comes behind it; none at the pattern's end.
    fn first(pattern: &[u8]) -> Option<(Self, &[u8])> {
        match pattern {
            [] => None,
            [b'*', b'*', rest @ ..] => Some((Self::Anything, rest)),
            [b'*', rest @ ..] => Some((Self::Part, rest)),
            [b'{', rest @ ..] => match rest.iter().position(|byte| *byte == b'}') {
                Some(length) => Some((Self::Part, &rest[length + 1..])),
                None => Some((Self::Literal(b'{'), rest)),
            },
            [literal, rest @ ..] => Some((Self::Literal(*literal), rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;
    use regex::bytes::Regex;

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
            assert_eq!(matches(pattern.as_bytes(), path.bytes()), expected, "{pattern} {path}");
        }
    }

    /// How many bytes of the path are looked at. Each takes the same few steps.
    fn read(pattern: &str, path: &str) -> usize {
        let read = Cell::new(0);
        _ = matches(pattern.as_bytes(), path.bytes().inspect(|_| read.set(read.get() + 1)));
        read.get()
    }

    #[test]
    fn no_byte_of_a_path_is_looked_at_twice() {
        let path = "a".repeat(MAX_PATH);
        assert_eq!(read(&"**a".repeat(85), &path), MAX_PATH);
        assert_eq!(read(&"*".repeat(255), &path), MAX_PATH);
        assert_eq!(read(&"**b".repeat(85), &path), MAX_PATH);
        assert_eq!(read("/v2/shares", &path), 1, "it is no more to be matched");
        assert_eq!(read(&"*".repeat(256), &path), 0);
    }

    /// The pattern, as others would write it.
    fn as_regex(pattern: &str) -> Regex {
        let mut text = String::from(r"(?s-u)\A");
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            let name = rest.starts_with('{').then(|| rest.find('}')).flatten();
            let (piece, length) = match name {
                Some(end) => ("[^/]+".to_owned(), end + 1),
                None if rest.starts_with("**") => (".*".to_owned(), 2),
                None if first == '*' => ("[^/]+".to_owned(), 1),
                None => (regex::escape(&first.to_string()), first.len_utf8()),
            };
            text.push_str(&piece);
            rest = &rest[length..];
        }
        Regex::new(&(text + r"\z")).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn patterns_match_what_the_regular_expression_does(
            pattern in r"([ab/.{}]|\*{1,4}|\{[ab]{0,2}\}){0,12}", path in "[ab/.{}*]{0,16}",
        ) {
            let expected = as_regex(&pattern).is_match(path.as_bytes());
            prop_assert_eq!(matches(pattern.as_bytes(), path.bytes()), expected);
        }

        /// Long ones, past the end of every word of bits.
        #[test]
        fn long_patterns_match_too(
            pieces in prop::collection::vec(prop::sample::select(vec!["a", "b", "/", "*", "**"]), 60..250),
            tries in prop::collection::vec("[ab]{0,3}", 250),
            whole in any::<bool>(),
        ) {
            let mut pattern = pieces.concat();
            pattern.truncate(MAX_PATTERN);
            // A path that may well match: something in the place of each star.
            let mut path = String::new();
            for (byte, text) in pattern.chars().zip(&tries) {
                if byte == '*' { path.push_str(text) } else { path.push(byte) }
            }
            if !whole { path.pop(); }
            let expected = as_regex(&pattern).is_match(path.as_bytes());
            prop_assert_eq!(matches(pattern.as_bytes(), path.bytes()), expected);
        }
    }

    fn rule(service: &str, method: &str) -> AccessRule {
        let [service, method, path] = [service, method, "/v2/**"].map(str::to_owned);
        AccessRule { service, method, path }
    }

    #[test]
    fn work_is_bounded() {
        let of = |count, service| AccessRules::from(Some(vec![rule(service, "GET"); count]));
        assert!(of(MAX_RULES, "share").allow(&Method::GET, "/v2/shares"));
        assert_eq!(of(MAX_RULES + 1, "share"), AccessRules::TooMany);
        assert!(!AccessRules::TooMany.allow(&Method::GET, "/v2/shares"));
        assert_eq!(of(100_000, "compute"), AccessRules::These(Vec::new()));
        let long = |length| format!("/v2/{}", "a".repeat(length - 4));
        assert!(of(1, "share").allow(&Method::GET, &long(MAX_PATH)));
        assert!(!of(1, "share").allow(&Method::GET, &long(MAX_PATH + 1)));
    }

    #[test]
    fn only_rules_of_this_service_and_method_count() {
        let rules = AccessRules::from(Some(vec![rule("compute", "GET"), rule("sharev2", "GET")]));
        assert!(rules.allow(&Method::GET, "/v2/shares"));
        assert!(!rules.allow(&Method::POST, "/v2/shares"));
        let foreign = AccessRules::from(Some(vec![rule("compute", "GET")]));
        assert!(!foreign.allow(&Method::GET, "/v2/shares"));
        assert!(!AccessRules::from(Some(Vec::new())).allow(&Method::GET, "/v2/shares"));
        assert!(AccessRules::from(None).allow(&Method::DELETE, "/v2/shares/x"));
    }
}
