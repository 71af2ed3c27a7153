//! What lists of shares are sorted by.

use super::TABLE;
use crate::list::{Direction, SortType, Sorting};

/// What a list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The zone of an instance.
    AvailabilityZone,
    /// When it was asked for.
    CreatedAt,
    /// The tenant's description.
    Description,
    /// The host of an instance.
    Host,
    /// Its id.
    Id,
    /// Visible to every project.
    IsPublic,
    /// The tenant's name for it.
    Name,
    /// The project.
    ProjectId,
    /// The protocol.
    ShareProto,
    /// The type.
    ShareTypeId,
    /// The size.
    Size,
    /// The snapshot it was created from.
    SourceSnapshotId,
    /// The status of an instance, by its text.
    Status,
    /// When it last changed; never before ever.
    UpdatedAt,
    /// The user.
    UserId,
}

/// What instances say, one row per share: for sorting by it.
pub(super) const PLACES: &str = "places";

impl SortKey {
    pub(super) fn sorting(self, direction: Direction) -> Sorting {
        let (table, column, holds, nullable) = match self {
            Self::AvailabilityZone => (PLACES, "availability_zone", SortType::Text, true),
            Self::CreatedAt => (TABLE, "created_at", SortType::Integer, false),
            Self::Description => (TABLE, "description", SortType::Text, true),
            Self::Host => (PLACES, "host", SortType::Text, true),
            Self::Id => (TABLE, "id", SortType::Id, false),
            Self::IsPublic => (TABLE, "is_public", SortType::Integer, false),
            Self::Name => (TABLE, "name", SortType::Text, true),
            Self::ProjectId => (TABLE, "project_id", SortType::Text, false),
            Self::ShareProto => (TABLE, "share_proto", SortType::Text, false),
            Self::ShareTypeId => (TABLE, "share_type_id", SortType::Text, false),
            Self::Size => (TABLE, "size", SortType::Integer, false),
            Self::SourceSnapshotId => (TABLE, "source_snapshot_id", SortType::Text, true),
            Self::Status => (PLACES, "status", SortType::Text, false),
            Self::UpdatedAt => (TABLE, "updated_at", SortType::Integer, true),
            Self::UserId => (TABLE, "user_id", SortType::Text, false),
        };
        Sorting { table, column, holds, nullable, direction }
    }
}
