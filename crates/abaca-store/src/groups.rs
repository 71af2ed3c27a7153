//! Rows of a join, several of which are of one thing in a list.

use crate::error::Result;
use crate::list::Position;
use crate::row::Row;

/// Counts the things that joined rows are of, and leaves out those beyond the limit.
pub(crate) struct Groups<S> {
    pub(crate) state: S,
    limit: u64,
    seen: u64,
    current: String,
    last: Option<Position>,
    more: bool,
}

impl<S> Groups<S> {
    pub(crate) fn new(state: S, limit: u64) -> Self {
        Self { state, limit, seen: 0, current: String::new(), last: None, more: false }
    }

    /// Whether `row`, of the thing whose id stands first, is within the limit.
    pub(crate) fn enter(
        &mut self,
        row: &Row<'_>,
        position: impl FnOnce(&Row<'_>) -> Result<Position>,
    ) -> Result<bool> {
        let id = row.text(0)?;
        if self.current != id {
            if self.seen == self.limit {
                self.more = true;
                return Ok(false);
            }
            self.seen += 1;
            self.current.clear();
            self.current.push_str(id);
            if self.seen == self.limit {
                self.last = Some(position(row)?);
            }
        }
        Ok(true)
    }

    /// The state, and where the list goes on, if it does.
    pub(crate) fn finish(self) -> (S, Option<Position>) {
        (self.state, self.last.filter(|_| self.more))
    }
}
