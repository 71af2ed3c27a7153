//! Keeps web pages out of a service that trusts everyone who can reach it.
//!
//! A page in a browser on this machine can send requests to 127.0.0.1. It gives itself away by
//! `Origin` and `Sec-Fetch-Site`, or, after DNS rebinding, by the name in `Host`. Only loopback's
//! own name and literal addresses are let through, on any port: those can't be rebound.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;

use super::AuthError;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request whose `Host`, request line or `Origin` names anything but loopback.
pub(super) fn guard(request: &Parts) -> Result<(), AuthError> {
    if let Some(authority) = request.uri.authority()
        && !is_loopback(authority.as_str())
    {
        return Err(foreign(HOST, authority.as_str().as_bytes()));
    }
    check_all(request, HOST, is_loopback)?;
    check_all(request, ORIGIN, is_loopback_origin)?;
    check_all(request, SEC_FETCH_SITE, |site| !site.eq_ignore_ascii_case("cross-site"))
}

fn check_all(
    request: &Parts,
    header: HeaderName,
    accept: impl Fn(&str) -> bool,
) -> Result<(), AuthError> {
    let refused = |value: &&HeaderValue| !value.to_str().is_ok_and(&accept);
    match request.headers.get_all(&header).iter().find(refused) {
        Some(value) => Err(foreign(header, value.as_bytes())),
        None => Ok(()),
    }
}

fn foreign(header: HeaderName, value: &[u8]) -> AuthError {
    let value = value.escape_ascii().take(255).map(char::from).collect();
    AuthError::Foreign { header, value }
}

/// `scheme://authority` of loopback. `null`, which sandboxed pages send, is foreign.
fn is_loopback_origin(origin: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    web && is_loopback(authority)
}

/// `host[:port]`, where the host is `localhost` or a literal loopback address.
fn is_loopback(authority: &str) -> bool {
    // Authority takes user information before an `@`, which no honest client sends here.
    let Ok(parsed) = authority.parse::<Authority>() else {
        return false;
    };
    if authority.contains('@') || !has_good_port(&parsed) {
        return false;
    }
    let host = parsed.host();
    if let Some(literal) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return literal.parse::<Ipv6Addr>().is_ok_and(|ip| ip.to_canonical().is_loopback());
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// No port, or one that is a number; `Authority` itself lets any text pass.
fn has_good_port(authority: &Authority) -> bool {
    authority.as_str() == authority.host() || authority.port_u16().is_some()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn hosts() {
        let table = [
            ("localhost", true),
            ("localhost:8786", true),
            ("LocalHost:8786", true),
            ("localhost.", true),
            ("localhost.:8786", true),
            ("127.0.0.1", true),
            ("127.0.0.1:1", true),
            ("127.9.8.7:8786", true),
            ("[::1]", true),
            ("[::1]:8786", true),
            ("[0:0:0:0:0:0:0:1]:8786", true),
            ("[::ffff:127.0.0.1]:8786", true),
            ("", false),
            ("::1", false),
            ("localhost..", false),
            ("localhost:", false),
            ("localhost:port", false),
            ("localhost:99999", false),
            ("[::2]:8786", false),
            ("[::ffff:10.0.0.1]:8786", false),
            ("[::1", false),
            ("10.0.0.1:8786", false),
            ("0.0.0.0:8786", false),
            ("2130706433:8786", false),
            ("127.1:8786", false),
            ("evil.example", false),
            ("evil.localhost", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:8786", false),
            ("evil@localhost:8786", false),
            ("localhost/evil", false),
        ];
        for (host, accepted) in table {
            let answer = guard(&parts("/v2/shares", &[("host", host)]));
            assert_eq!(answer.is_ok(), accepted, "Host: {host}: {answer:?}");
        }
    }

    #[test]
    fn origins() {
        let table = [
            ("http://localhost", true),
            ("http://LOCALHOST:3000", true),
            ("HTTPS://127.0.0.1:8443", true),
            ("http://[::1]:9", true),
            ("http://localhost.:1", true),
            ("null", false),
            ("", false),
            ("http://", false),
            ("file://", false),
            ("localhost", false),
            ("http://evil.example", false),
            ("https://localhost.evil.example", false),
            ("http://localhost@evil.example", false),
            ("chrome-extension://localhost", false),
            ("http://localhost http://evil.example", false),
        ];
        for (origin, accepted) in table {
            let headers = [("host", "127.0.0.1:8786"), ("origin", origin)];
            let answer = guard(&parts("/", &headers));
            assert_eq!(answer.is_ok(), accepted, "Origin: {origin}: {answer:?}");
        }
    }

    #[test]
    fn every_copy_of_a_header_and_the_request_line_count() {
        let hosts = [("host", "localhost"), ("host", "evil.example")];
        assert!(guard(&parts("/", &hosts)).is_err());
        let absolute = guard(&parts("http://evil.example/v2/", &[("host", "localhost")]));
        assert!(absolute.is_err());
        assert!(guard(&parts("http://localhost:1/v2/", &[])).is_ok());
        assert!(guard(&parts("/", &[])).is_ok(), "HTTP/1.0 sends no Host, no browser speaks it");
    }

    #[test]
    fn cross_site_fetches_without_origin_are_refused() {
        for (site, accepted) in
            [("none", true), ("same-origin", true), ("same-site", true), ("Cross-Site", false)]
        {
            let headers = [("host", "localhost"), ("sec-fetch-site", site)];
            assert_eq!(guard(&parts("/", &headers)).is_ok(), accepted, "{site}");
        }
    }

    #[test]
    fn the_refusal_says_which_header_and_value() {
        let refused = guard(&parts("/", &[("host", "evil.example")])).unwrap_err();
        assert_eq!(refused.status(), 403);
        let text = refused.to_string();
        assert!(text.contains("host") && text.contains("evil.example"), "{text}");
    }
}
