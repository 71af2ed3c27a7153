//! Which shares a list is of.

use std::collections::BTreeMap;

use abaca_model::ShareStatus;
use sea_query::{Cond, Expr, ExprTrait, Query};

use super::{METADATA, TABLE};
use crate::db::Dialect;
use crate::{like, list, share_instances};

/// Whose shares may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those of every project.
    Everything,
    /// Those of this project.
    Project(String),
    /// Those of this project and the public ones of others.
    ProjectAndPublic(String),
}

impl Scope {
    fn condition(&self) -> Cond {
        let own = |project: &str| Expr::col((TABLE, "project_id")).eq(project);
        match self {
            Self::Everything => Cond::all(),
            Self::Project(project) => Cond::all().add(own(project)),
            Self::ProjectAndPublic(project) => {
                Cond::any().add(own(project)).add(Expr::col((TABLE, "is_public")).eq(1_i64))
            }
        }
    }
}

/// Which shares a list is of. Everything that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Whose.
    pub scope: Scope,
    /// In the recycle bin, or not in it.
    pub soft_deleted: bool,
    /// Not if its deletion has been deferred.
    pub hide_deferred: bool,
    /// With just this name.
    pub name: Option<String>,
    /// With just this description.
    pub description: Option<String>,
    /// With this in its name, whatever the case.
    pub name_like: Option<String>,
    /// With this in its description, whatever the case.
    pub description_like: Option<String>,
    /// With an instance in this status.
    pub status: Option<String>,
    /// Mounted by this name.
    pub mount_point_name: Option<String>,
    /// Created from this snapshot.
    pub source_snapshot_id: Option<String>,
    /// Of this type.
    pub share_type_id: Option<String>,
    /// With an instance in just this `host@backend#pool`.
    pub host: Option<String>,
    /// With an instance in this zone, given by its name or id.
    pub availability_zone: Option<String>,
    /// With the export location that has this id.
    pub export_location_id: Option<String>,
    /// With an export location at this path.
    pub export_location_path: Option<String>,
    /// With all of this metadata.
    pub metadata: BTreeMap<String, String>,
    /// Of a type with all of these extra specs.
    pub extra_specs: BTreeMap<String, String>,
}

impl Filter {
    /// All shares that may be seen, but those in the recycle bin.
    #[must_use]
    pub fn all_of(scope: Scope) -> Self {
        Self {
            scope,
            soft_deleted: false,
            hide_deferred: false,
            mount_point_name: None,
            name: None,
            description: None,
            name_like: None,
            description_like: None,
            status: None,
            source_snapshot_id: None,
            share_type_id: None,
            host: None,
            availability_zone: None,
            export_location_id: None,
            export_location_path: None,
            metadata: BTreeMap::new(),
            extra_specs: BTreeMap::new(),
        }
    }

    pub(super) fn scope_condition(&self) -> Cond {
        self.scope.condition()
    }

    pub(super) fn condition(&self, dialect: Dialect) -> Cond {
        let is = |column, value: &Option<String>| {
            value.as_deref().map(|value| Expr::col((TABLE, column)).eq(value))
        };
        let has = |column, part: &Option<String>| {
            part.as_deref().map(|part| like::contains(dialect, Expr::col((TABLE, column)), part))
        };
        Cond::all()
            .add(self.scope.condition())
            .add(self.deletion())
            .add_option(is("name", &self.name))
            .add_option(is("mount_point_name", &self.mount_point_name))
            .add_option(is("description", &self.description))
            .add_option(is("source_snapshot_id", &self.source_snapshot_id))
            .add_option(is("share_type_id", &self.share_type_id))
            .add_option(has("name", &self.name_like))
            .add_option(has("description", &self.description_like))
            .add_option(self.in_a_place())
            .add_option(self.hide_deferred.then(is_kept))
            .add_option(list::all_of(&self.metadata, has_metadata))
            .add_option(list::all_of(&self.extra_specs, has_extra_spec))
    }

    fn deletion(&self) -> Expr {
        let scheduled = Expr::col((TABLE, "scheduled_to_be_deleted_at"));
        if self.soft_deleted { scheduled.is_not_null() } else { scheduled.is_null() }
    }

    /// What one instance of the share must be.
    fn in_a_place(&self) -> Option<Expr> {
        let instances = share_instances::TABLE;
        let is = |column, value: &Option<String>| {
            value.as_deref().map(|value| Expr::col((instances, column)).eq(value))
        };
        let condition = Cond::all()
            .add_option(is("status", &self.status))
            .add_option(is("host", &self.host))
            .add_option(self.availability_zone.as_deref().map(in_zone))
            .add_option(share_instances::exported(
                self.export_location_id.as_deref(),
                self.export_location_path.as_deref(),
            ));
        if condition.is_empty() {
            return None;
        }
        let mut places = Query::select();
        places
            .column((instances, "id"))
            .from(instances)
            .and_where(Expr::col((instances, "share_id")).equals((TABLE, "id")))
            .cond_where(condition);
        Some(Expr::exists(places))
    }
}

/// No instance's deletion has been deferred.
pub(super) fn is_kept() -> Expr {
    let instances = share_instances::TABLE;
    let mut places = Query::select();
    places
        .column((instances, "id"))
        .from(instances)
        .and_where(Expr::col((instances, "share_id")).equals((TABLE, "id")))
        .and_where(
            Expr::col((instances, "status")).is_in(ShareStatus::DEFERRED.map(ShareStatus::as_str)),
        );
    Expr::exists(places).not()
}

fn in_zone(name_or_id: &str) -> Cond {
    let zone = || Expr::col((share_instances::TABLE, "availability_zone"));
    let mut names = Query::select();
    names
        .from("availability_zones")
        .column("name")
        .and_where(Expr::col(("availability_zones", "id")).eq(name_or_id));
    Cond::any().add(zone().eq(name_or_id)).add(zone().in_subquery(names))
}

fn has_metadata(name: &str, value: &str) -> Expr {
    let mut pairs = Query::select();
    pairs
        .column((METADATA, "name"))
        .from(METADATA)
        .and_where(Expr::col((METADATA, "share_id")).equals((TABLE, "id")))
        .and_where(Expr::col((METADATA, "name")).eq(name))
        .and_where(Expr::col((METADATA, "value")).eq(value));
    Expr::exists(pairs)
}

fn has_extra_spec(name: &str, value: &str) -> Expr {
    let specs = "share_type_extra_specs";
    let mut types = Query::select();
    types
        .from(specs)
        .column("share_type_id")
        .and_where(Expr::col((specs, "name")).eq(name))
        .and_where(Expr::col((specs, "value")).eq(value));
    Expr::col((TABLE, "share_type_id")).in_subquery(types)
}
