//! What one row of the route table takes and answers.

use super::schema::{Schema, any_case_of, integer, one_of, text};

/// What a client sends to a route, and what comes back when all goes well. Each row of the route
/// table names the function that makes its own; it stands beside the handler, or its view.
#[derive(Debug)]
pub(in crate::api) struct Contract {
    pub(super) summary: &'static str,
    pub(super) query: Vec<(&'static str, Schema)>,
    pub(super) body: Option<Schema>,
    /// Statuses with their bodies, if they have any.
    pub(super) answers: Vec<(u16, Option<Schema>)>,
    /// Faults beside those that any route has.
    pub(super) faults: Vec<u16>,
}

impl Contract {
    /// `summary`: a few words, "List shares".
    pub(in crate::api) fn new(summary: &'static str) -> Self {
        let (query, answers, faults) = (Vec::new(), Vec::new(), Vec::new());
        Self { summary, query, body: None, answers, faults }
    }

    /// Parameters of the query.
    pub(in crate::api) fn query(
        mut self,
        keys: impl IntoIterator<Item = (&'static str, Schema)>,
    ) -> Self {
        self.query.extend(keys.into_iter().map(|(name, schema)| (name, schema.optional())));
        self
    }

    /// Parameters of the query without which there is no answer.
    pub(in crate::api) fn needs(
        mut self,
        keys: impl IntoIterator<Item = (&'static str, Schema)>,
    ) -> Self {
        self.query.extend(keys);
        self
    }

    /// The body of the request; of an action, what stands under its name.
    pub(in crate::api) fn takes(mut self, body: Schema) -> Self {
        self.body = Some(body);
        self
    }

    /// 200 with a body.
    pub(in crate::api) fn shows(self, body: Schema) -> Self {
        self.answers(200, Some(body))
    }

    /// 202 without a body.
    pub(in crate::api) fn accepted(self) -> Self {
        self.answers(202, None)
    }

    /// This status, with or without a body.
    pub(in crate::api) fn answers(mut self, status: u16, body: Option<Schema>) -> Self {
        self.answers.push((status, body));
        self
    }

    /// A fault that not every route has: 409, for one.
    pub(in crate::api) fn fault(mut self, status: u16) -> Self {
        self.faults.push(status);
        self
    }

    /// `limit`, `marker` and `offset`.
    pub(in crate::api) fn pages(self) -> Self {
        let number = || integer().from(0);
        self.query([
            ("limit", number().about("At most so many.")),
            ("offset", number().about("Leave out so many.")),
            ("marker", text().about("The id of the last one seen.")),
        ])
    }

    /// `sort_key` and `sort_dir`.
    pub(in crate::api) fn sorted_by<'a>(self, keys: impl IntoIterator<Item = &'a str>) -> Self {
        let direction = any_case_of(["asc", "desc"]);
        self.query([("sort_key", one_of(keys)), ("sort_dir", direction)])
    }
}
