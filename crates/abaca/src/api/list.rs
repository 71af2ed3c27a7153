//! Lists: whole, or in pages.
//!
//! A list without a limit may have any length. It is read by key, so many rows at a time, and each
//! batch is sent before the next is read, as fast as the client takes it: neither the list nor a
//! read snapshot of the database is ever held. A list of one batch is answered whole.

use abaca_store::{Page as StorePage, Position};
use axum::body::{Body, Bytes};
use futures_util::stream;

use super::{ApiError, Call, Page, Reply, Sort};

/// Rows of one batch.
const BATCH: u64 = 1_000;

/// A part of a list.
#[derive(Debug)]
pub(crate) struct Part {
    /// Behind this place; `None`: from the beginning.
    pub(crate) after: Option<Position>,
    /// Leaves out this many.
    pub(crate) offset: u64,
    /// At most this many.
    pub(crate) limit: u64,
}

impl Part {
    /// This part of the list that `filter` and `sort` make.
    pub(crate) fn of<F, K>(self, filter: &F, sort: Sort<K>) -> StorePage<'_, F, K> {
        let Self { after, offset, limit } = self;
        let Sort { key: sort_key, direction } = sort;
        StorePage { filter, sort_key, direction, after, offset, limit }
    }
}

/// Where a list's rows come from, and how they look.
pub(crate) trait Rows: Send + Sync + 'static {
    /// Appends a part of the list to `buffer`, each row separated from what is there. Returns the
    /// buffer, and where the list goes on, if it does.
    fn append(
        &self,
        buffer: Vec<u8>,
        part: Part,
    ) -> impl Future<Output = Result<(Vec<u8>, Option<Position>), ApiError>> + Send;
}

/// What stands around the rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// The member with the rows.
    pub(crate) name: &'static str,
    /// The member with the link to the next page.
    pub(crate) links: &'static str,
    /// Where the list is found.
    pub(crate) path: &'static str,
    /// How many rows there are in all, if that was asked for.
    pub(crate) count: Option<i64>,
}

impl Frame {
    fn head(&self) -> Vec<u8> {
        format!("{{\"{}\": [", self.name).into_bytes()
    }

    /// The end of the rows, and their number.
    fn tail(&self) -> String {
        self.count.map_or_else(|| "]".to_owned(), |count| format!("], \"count\": {count}"))
    }

    /// Answers a list that has no rows.
    pub(crate) fn empty(&self) -> Reply {
        Reply::ready_json(format!("{{\"{}\": [{}}}", self.name, self.tail()))
    }

    /// Answers the page that was asked for, with a link to the next one if there is more; without a
    /// limit all that is behind `after`.
    pub(crate) async fn reply(
        self,
        call: &Call,
        page: &Page,
        after: Option<Position>,
        rows: impl Rows,
    ) -> Result<Reply, ApiError> {
        let Page { limit, offset, .. } = *page;
        let Some(limit) = limit else {
            return batches(self.head(), format!("{}}}", self.tail()), after, offset, rows).await;
        };
        let (mut body, next) = rows.append(self.head(), Part { after, offset, limit }).await?;
        body.extend_from_slice(self.tail().as_bytes());
        if let Some(last) = next {
            let links = call.links.next(self.path, &call.query, &last.id);
            body.extend_from_slice(format!(", \"{}\": {links}", self.links).as_bytes());
        }
        body.push(b'}');
        Ok(Reply::ready_json(body))
    }
}

/// Answers a list that has no pages: all of it.
///
/// # Errors
/// What the first batch says. A later one can only break the answer off; its error is logged.
pub(crate) async fn whole(name: &str, rows: impl Rows) -> Result<Reply, ApiError> {
    batches(format!("{{\"{name}\": [").into_bytes(), "]}".to_owned(), None, 0, rows).await
}

async fn batches(
    head: Vec<u8>,
    tail: String,
    after: Option<Position>,
    offset: u64,
    rows: impl Rows,
) -> Result<Reply, ApiError> {
    let (mut text, next) = rows.append(head, Part { after, offset, limit: BATCH }).await?;
    if next.is_none() {
        text.extend_from_slice(tail.as_bytes());
        return Ok(Reply::ready_json(text));
    }
    let length = text.len();
    let rest = stream::try_unfold(Rest { rows, tail, length, next }, Rest::go_on);
    let first = stream::iter([Ok(Bytes::from(text))]);
    let stream = futures_util::StreamExt::chain(first, rest);
    Ok(Reply::json_body(Body::from_stream(stream)))
}

struct Rest<R> {
    rows: R,
    tail: String,
    /// Of the batch before, in bytes: what the next one will need.
    length: usize,
    next: Option<Position>,
}

impl<R: Rows> Rest<R> {
    async fn go_on(mut self) -> Result<Option<(Bytes, Self)>, ApiError> {
        let Some(after) = self.next.take() else { return Ok(None) };
        let buffer = Vec::with_capacity(self.length + self.length / 8);
        // The offset counts from where the whole list begins.
        let part = Part { after: Some(after), offset: 0, limit: BATCH };
        let (mut text, next) = self.rows.append(buffer, part).await.inspect_err(log)?;
        self.length = text.len();
        if next.is_none() {
            text.extend_from_slice(self.tail.as_bytes());
        }
        self.next = next;
        Ok(Some((Bytes::from(text), self)))
    }
}

fn log(error: &ApiError) {
    tracing::error!(error = error as &dyn std::error::Error, "a list broke off");
}

/// Appends rows to a buffer. What can't be written is told at the end.
pub(crate) struct Writer {
    buffer: Vec<u8>,
    written: Result<(), serde_json::Error>,
}

impl Writer {
    pub(crate) fn new(buffer: Vec<u8>) -> Self {
        Self { buffer, written: Ok(()) }
    }

    /// Appends what `write` appends, as the next row.
    pub(crate) fn row(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>,
    ) {
        if self.written.is_ok() {
            separate(&mut self.buffer);
            self.written = write(&mut self.buffer);
        }
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>, ApiError> {
        self.written.map_err(ApiError::internal)?;
        Ok(self.buffer)
    }
}

/// Separates the row to come from the one before, if there is one.
pub(crate) fn separate(buffer: &mut Vec<u8>) {
    if buffer.last() != Some(&b'[') {
        buffer.push(b',');
    }
}
