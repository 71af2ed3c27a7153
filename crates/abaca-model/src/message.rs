//! What a user message tells: about what, what was being done, and what came of it. The codes are
//! the API's, the texts are this service's own.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident => $code:literal, $text:literal;)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $(
                #[doc = concat!("`", $code, "`: ", $text)]
                $variant,
            )*
        }

        impl $name {
            /// The code of the API.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// In words.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    )*};
}

codes! {
    /// The kind of resource a message is about.
    MessageResource {
        Share => "SHARE", "share";
        Snapshot => "SHARE_SNAPSHOT", "snapshot";
        Replica => "SHARE_REPLICA", "share replica";
        Group => "SHARE_GROUP", "share group";
    }

    /// What was being done.
    MessageAction {
        AllocateHost => "001", "allocate host";
        Create => "002", "create";
        DeleteAccessRules => "003", "delete access rules";
        Promote => "004", "promote";
        Update => "005", "update";
        RevertToSnapshot => "006", "revert to snapshot";
        Delete => "007", "delete";
        Extend => "008", "extend";
        Shrink => "009", "shrink";
        UpdateAccessRules => "010", "update access rules";
    }

    /// What came of it, and what to do.
    MessageDetail {
        Unknown => "001", "Try again, or ask an administrator, who finds the cause in the service's \
            log under this message's request id.";
        MigrationFailed => "001", "The share is where it was, and can be used. Ask an administrator, who \
            finds the cause in the service's log under this message's request id.";
        DeletionDeferred => "001", "It is tried again until it succeeds. It counts against no quota \
            any more, and there is nothing to do.";
        NoValidHost => "002", "No storage could be allocated for this share request. Another size \
            or share type may succeed.";
        AvailabilityZoneFilter => "007", "No storage could be allocated for this share request: no \
            pool is left that is in its availability zone. Ask for another zone, or for none.";
        CapabilitiesFilter => "008", "No storage could be allocated for this share request: no pool \
            is left that has what its share type asks for. Choose another share type.";
        CapacityFilter => "009", "No storage could be allocated for this share request: no pool is \
            left that has room for it. Ask for a smaller size, or try again later.";
        DriverFilter => "010", "No storage could be allocated for this share request: no pool is \
            left whose own conditions it meets. Another size or share type may succeed.";
        ReplicationFilter => "014", "No storage could be allocated for this share request: no pool \
            is left that can hold a replica of this share. Ask for another zone, or for fewer \
            replicas.";
        HintFilter => "012", "No storage could be allocated for this share request: no pool is left \
            that its scheduler hints allow. Ask with other hints, or with none.";
        ExtendFailed => "015", "The share keeps its size, and its status is extending_error. Ask an \
            administrator to find the cause and to reset the status.";
        FromSnapshotFilter => "016", "No storage could be allocated for this share request: the pool \
            that holds the snapshot can't take it. Ask for a smaller size, or try again later.";
        CreateFromSnapshotFailed => "017", "Delete the share and create another one from the \
            snapshot; if that fails as well, ask an administrator.";
        ShrinkRefused => "018", "Choose a size that has room for what the share holds, or delete \
            some of it first.";
        ShrinkFailed => "019", "The share keeps its size, and its status is shrinking_error. Ask an \
            administrator to find the cause and to reset the status.";
        ClientForbidden => "020", "Access could not be given to this client. Try another client.";
        AccessUnsupported => "021", "The backend may not know this access type or access level. Try \
            another type or level.";
        BackendNotReady => "028", "No storage could be allocated for this share request: no backend \
            has reported to the service yet. Try again later, or ask an administrator.";
        RevertFailed => "035", "The share may hold what it held before, and its status is \
            reverting_error. Ask an administrator to find the cause and to reset the status; then \
            it can be reverted again.";
    }
}
