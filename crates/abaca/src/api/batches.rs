//! Long lists, written batch by batch.
//!
//! A list without a limit may have any length. It is read by key, so many rows at a time, and each
//! batch is sent before the next is read, as fast as the client takes it: neither the list nor a
//! read snapshot of the database is ever held. A list of one batch is answered whole.

use axum::body::{Body, Bytes};
use futures_util::stream;

use super::{ApiError, Reply};

/// Rows of one batch.
pub(crate) const BATCH: u64 = 1_000;

/// Answers a JSON object: `head`, which ends in `[`, the rows that `batch` appends, and `tail`,
/// which begins with `]`.
///
/// `batch` is given a buffer and the place behind which to go on (`None`: from the beginning), and
/// returns the buffer with the rows appended, and where the list goes on, if it does.
///
/// # Errors
/// What the first `batch` says. A later one can only break the answer off; its error is logged.
pub(crate) async fn reply<P, B, F>(head: &str, tail: String, batch: B) -> Result<Reply, ApiError>
where
    P: Send + 'static,
    B: Fn(Vec<u8>, Option<P>) -> F + Send + 'static,
    F: Future<Output = Result<(Vec<u8>, Option<P>), ApiError>> + Send + 'static,
{
    let (mut text, next) = batch(head.as_bytes().to_vec(), None).await?;
    let Some(next) = next else {
        text.extend_from_slice(tail.as_bytes());
        return Ok(Reply::ready_json(text));
    };
    let length = text.len();
    let rest = stream::try_unfold(Rest { batch, tail, length, next: Some(next) }, Rest::go_on);
    let first = stream::iter([Ok(Bytes::from(text))]);
    let stream = futures_util::StreamExt::chain(first, rest);
    Ok(Reply::json_body(Body::from_stream(stream)))
}

struct Rest<P, B> {
    batch: B,
    tail: String,
    /// Of the batch before, in bytes: what the next one will need.
    length: usize,
    next: Option<P>,
}

impl<P, B, F> Rest<P, B>
where
    B: Fn(Vec<u8>, Option<P>) -> F,
    F: Future<Output = Result<(Vec<u8>, Option<P>), ApiError>>,
{
    async fn go_on(mut self) -> Result<Option<(Bytes, Self)>, ApiError> {
        let Some(position) = self.next.take() else { return Ok(None) };
        let buffer = Vec::with_capacity(self.length + self.length / 8);
        let (mut text, next) = (self.batch)(buffer, Some(position)).await.inspect_err(log)?;
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

/// Separates the row to come from the one before, if there is one.
pub(crate) fn separate(buffer: &mut Vec<u8>) {
    if buffer.last() != Some(&b'[') {
        buffer.push(b',');
    }
}
