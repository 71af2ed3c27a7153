//! Links in bodies, with the base URL and the project the way the client wrote them.

use std::fmt;

use axum::http::{HeaderMap, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::Query;

/// Everything but what RFC 3986 calls unreserved.
const QUERY_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Builds the links of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// What comes before `/v2`: `https://host:port/path`.
    root: String,
    /// The project id with a `/` before it, if the request's URL has one.
    project: String,
}

impl Links {
    /// From the configured address, the request's headers and the project in its URL.
    pub(super) fn new(
        public_url: Option<&str>,
        headers: &HeaderMap,
        project: Option<&str>,
    ) -> Self {
        Self {
            root: root_url(public_url, headers),
            project: project.map(|id| format!("/{id}")).unwrap_or_default(),
        }
    }

    /// The `links` of one resource: `self` and `bookmark`.
    #[must_use]
    pub fn resource(&self, collection: &str, id: &str) -> Value {
        let Self { root, project } = self;
        json!([
            { "rel": "self", "href": format!("{root}/v2{project}/{collection}/{id}") },
            { "rel": "bookmark", "href": format!("{root}{project}/{collection}/{id}") },
        ])
    }

    /// As [`Links::resource`], to be written where it stands: a long list has one in every row.
    #[must_use]
    pub fn of<'a>(&'a self, collection: &'a str, id: &'a str) -> impl Serialize + 'a {
        let Self { root, project } = self;
        [
            Link { rel: "self", href: Href([root, "/v2", project, "/", collection, "/", id]) },
            Link { rel: "bookmark", href: Href([root, "", project, "/", collection, "/", id]) },
        ]
    }

    /// The links of a list that goes on after the item `last_id`: `next`, which repeats the query.
    #[must_use]
    pub fn next(&self, path: &str, query: &Query, last_id: &str) -> Value {
        let encode = |text| utf8_percent_encode(text, QUERY_VALUE);
        let mut pairs: Vec<String> = query
            .iter()
            // The marker already stands behind what the offset left out.
            .filter(|(key, _)| !matches!(*key, "marker" | "offset"))
            .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
            .collect();
        pairs.push(format!("marker={}", encode(last_id)));
        let Self { root, project } = self;
        let href = format!("{root}/v2{project}/{path}?{}", pairs.join("&"));
        json!([{ "rel": "next", "href": href }])
    }
}

#[derive(Serialize)]
struct Link<'a> {
    rel: &'static str,
    href: Href<'a>,
}

/// An address in pieces.
struct Href<'a>([&'a str; 7]);

impl fmt::Display for Href<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| formatter.write_str(piece))
    }
}

impl Serialize for Href<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The configured address, else `http://` and the host as the client addressed it.
pub(super) fn root_url(public_url: Option<&str>, headers: &HeaderMap) -> String {
    if let Some(url) = public_url {
        return url.to_owned();
    }
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    format!("http://{}", host.unwrap_or("localhost"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn links_look_like_the_request() {
        let host = HeaderValue::from_static("shares.example:8786");
        let headers = HeaderMap::from_iter([(header::HOST, host)]);
        let links = Links::new(None, &headers, Some("abc"));
        assert_eq!(
            links.resource("shares", "1")[0]["href"],
            "http://shares.example:8786/v2/abc/shares/1"
        );
        let written = serde_json::to_value(links.of("shares", "1")).unwrap();
        assert_eq!(written, links.resource("shares", "1"));
        let query = Query::parse("limit=2&name=a%26b&marker=0&offset=4").unwrap();
        assert_eq!(
            Links::new(None, &headers, None).next("shares/detail", &query, "1")[0]["href"],
            "http://shares.example:8786/v2/shares/detail?limit=2&name=a%26b&marker=1"
        );
        let public = Links::new(Some("https://cloud.example/share"), &headers, None);
        assert_eq!(
            public.next("shares", &Query::parse("limit=2").unwrap(), "1")[0]["href"],
            "https://cloud.example/share/v2/shares?limit=2&marker=1"
        );
        assert_eq!(
            public.resource("shares", "1")[1]["href"],
            "https://cloud.example/share/shares/1"
        );
    }
}
