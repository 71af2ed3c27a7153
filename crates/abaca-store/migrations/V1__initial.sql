-- The first schema. Every integer is a BIGINT, a boolean is 0 or 1, a time is microseconds UTC,
-- an id is its hyphenated text. Rows go when their resource goes; what happened to them stays in
-- operations and audit_records, which refer to nothing.

CREATE TABLE availability_zones (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- A process that serves a backend or schedules. The number is given by the program: the highest and one.
CREATE TABLE services (
    id BIGINT NOT NULL PRIMARY KEY,
    host VARCHAR(255) NOT NULL,
    binary_name VARCHAR(64) NOT NULL,
    availability_zone VARCHAR(255) NOT NULL,
    disabled BIGINT NOT NULL,
    disabled_reason VARCHAR(255),
    created_at BIGINT NOT NULL,
    heartbeat_at BIGINT NOT NULL,
    CONSTRAINT services_host_binary UNIQUE (host, binary_name)
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- What each backend last said of its pools.
CREATE TABLE pools (
    name VARCHAR(255) NOT NULL PRIMARY KEY,
    service_host VARCHAR(255) NOT NULL,
    capabilities TEXT NOT NULL,
    updated_at BIGINT NOT NULL
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX pools_service_host ON pools (service_host);

CREATE TABLE share_types (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL UNIQUE,
    description VARCHAR(255),
    is_public BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

CREATE TABLE share_type_extra_specs (
    share_type_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    value VARCHAR(1023) NOT NULL,
    PRIMARY KEY (share_type_id, name),
    CONSTRAINT share_type_extra_specs_type FOREIGN KEY (share_type_id) REFERENCES share_types (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

CREATE TABLE share_type_projects (
    share_type_id VARCHAR(36) NOT NULL,
    project_id VARCHAR(255) NOT NULL,
    PRIMARY KEY (share_type_id, project_id),
    CONSTRAINT share_type_projects_type FOREIGN KEY (share_type_id) REFERENCES share_types (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX share_type_projects_project ON share_type_projects (project_id);

-- One row per project that ever consumed quota; locked while usage is summed and consumed.
CREATE TABLE quota_projects (
    project_id VARCHAR(255) NOT NULL PRIMARY KEY
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

CREATE TABLE shares (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    project_id VARCHAR(255) NOT NULL,
    user_id VARCHAR(255) NOT NULL,
    name VARCHAR(255),
    description VARCHAR(1023),
    size BIGINT NOT NULL,
    -- What the last extend asked for; counts against quota while an instance is extending.
    requested_size BIGINT,
    share_proto VARCHAR(255) NOT NULL,
    is_public BIGINT NOT NULL,
    share_type_id VARCHAR(36) NOT NULL,
    source_snapshot_id VARCHAR(36),
    snapshot_support BIGINT NOT NULL,
    create_share_from_snapshot_support BIGINT NOT NULL,
    revert_to_snapshot_support BIGINT NOT NULL,
    mount_snapshot_support BIGINT NOT NULL,
    replication_type VARCHAR(255),
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    CONSTRAINT shares_type FOREIGN KEY (share_type_id) REFERENCES share_types (id)
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX shares_project_created ON shares (project_id, created_at, id);
CREATE INDEX shares_created ON shares (created_at, id);
CREATE INDEX shares_name ON shares (name);
CREATE INDEX shares_description ON shares (description /*! (255) */);
CREATE INDEX shares_public ON shares (is_public);
CREATE INDEX shares_type ON shares (share_type_id);
CREATE INDEX shares_source_snapshot ON shares (source_snapshot_id);

CREATE TABLE share_metadata (
    share_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    value VARCHAR(1023) NOT NULL,
    PRIMARY KEY (share_id, name),
    CONSTRAINT share_metadata_share FOREIGN KEY (share_id) REFERENCES shares (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX share_metadata_name ON share_metadata (name);

CREATE TABLE share_instances (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    share_id VARCHAR(36) NOT NULL,
    host VARCHAR(255),
    availability_zone VARCHAR(255),
    status VARCHAR(64) NOT NULL,
    access_rules_status VARCHAR(64) NOT NULL,
    replica_state VARCHAR(64),
    progress VARCHAR(32),
    cast_rules_to_readonly BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    scheduled_at BIGINT,
    launched_at BIGINT,
    CONSTRAINT share_instances_share FOREIGN KEY (share_id) REFERENCES shares (id)
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX share_instances_share ON share_instances (share_id);
CREATE INDEX share_instances_host ON share_instances (host);
CREATE INDEX share_instances_status ON share_instances (status);
CREATE INDEX share_instances_zone ON share_instances (availability_zone);
CREATE INDEX share_instances_created ON share_instances (created_at, id);

CREATE TABLE share_instance_export_locations (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    share_instance_id VARCHAR(36) NOT NULL,
    path VARCHAR(1023) NOT NULL,
    is_admin_only BIGINT NOT NULL,
    preferred BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    CONSTRAINT share_instance_export_locations_instance FOREIGN KEY (share_instance_id) REFERENCES share_instances (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX share_instance_export_locations_instance ON share_instance_export_locations (share_instance_id);
CREATE INDEX share_instance_export_locations_path ON share_instance_export_locations (path /*! (255) */);

CREATE TABLE snapshots (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    share_id VARCHAR(36) NOT NULL,
    project_id VARCHAR(255) NOT NULL,
    user_id VARCHAR(255) NOT NULL,
    name VARCHAR(255),
    description VARCHAR(1023),
    size BIGINT NOT NULL,
    share_size BIGINT NOT NULL,
    share_proto VARCHAR(255) NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    CONSTRAINT snapshots_share FOREIGN KEY (share_id) REFERENCES shares (id)
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX snapshots_share ON snapshots (share_id);
CREATE INDEX snapshots_project_created ON snapshots (project_id, created_at, id);
CREATE INDEX snapshots_created ON snapshots (created_at, id);
CREATE INDEX snapshots_name ON snapshots (name);

CREATE TABLE snapshot_metadata (
    snapshot_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    value VARCHAR(1023) NOT NULL,
    PRIMARY KEY (snapshot_id, name),
    CONSTRAINT snapshot_metadata_snapshot FOREIGN KEY (snapshot_id) REFERENCES snapshots (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- share_id repeats what the share instance says, and never changes: the detailed list of all
-- instances is read without a join.
CREATE TABLE snapshot_instances (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    snapshot_id VARCHAR(36) NOT NULL,
    share_id VARCHAR(36) NOT NULL,
    share_instance_id VARCHAR(36) NOT NULL,
    status VARCHAR(64) NOT NULL,
    progress VARCHAR(32),
    provider_location VARCHAR(1023),
    fence BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    CONSTRAINT snapshot_instances_snapshot FOREIGN KEY (snapshot_id) REFERENCES snapshots (id),
    CONSTRAINT snapshot_instances_share FOREIGN KEY (share_id) REFERENCES shares (id),
    CONSTRAINT snapshot_instances_share_instance FOREIGN KEY (share_instance_id) REFERENCES share_instances (id)
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX snapshot_instances_snapshot ON snapshot_instances (snapshot_id, id);
CREATE INDEX snapshot_instances_share ON snapshot_instances (share_id, id);
CREATE INDEX snapshot_instances_share_instance ON snapshot_instances (share_instance_id, id);
CREATE INDEX snapshot_instances_status ON snapshot_instances (status, id);
CREATE INDEX snapshot_instances_created ON snapshot_instances (created_at, id);
CREATE INDEX snapshot_instances_updated ON snapshot_instances (updated_at, id);

CREATE TABLE snapshot_instance_export_locations (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    snapshot_instance_id VARCHAR(36) NOT NULL,
    path VARCHAR(1023) NOT NULL,
    is_admin_only BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    CONSTRAINT snapshot_instance_export_locations_instance FOREIGN KEY (snapshot_instance_id) REFERENCES snapshot_instances (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX snapshot_instance_export_locations_instance ON snapshot_instance_export_locations (snapshot_instance_id);

-- The queue. A row is made in the transaction that changes its resource's status.
CREATE TABLE operations (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    kind VARCHAR(64) NOT NULL,
    resource_id VARCHAR(36) NOT NULL,
    resource_fence BIGINT NOT NULL,
    service VARCHAR(255),
    state VARCHAR(32) NOT NULL,
    step BIGINT NOT NULL,
    arguments TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    lease_owner VARCHAR(255),
    lease_expires_at BIGINT,
    fence BIGINT NOT NULL,
    project_id VARCHAR(255) NOT NULL,
    user_id VARCHAR(255) NOT NULL,
    request_id VARCHAR(64) NOT NULL,
    error TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX operations_state_run_at ON operations (state, run_at);
CREATE INDEX operations_resource ON operations (resource_id);
CREATE INDEX operations_finished ON operations (finished_at);

-- What administrators did by hand.
CREATE TABLE audit_records (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    user_id VARCHAR(255) NOT NULL,
    project_id VARCHAR(255) NOT NULL,
    request_id VARCHAR(64) NOT NULL,
    action VARCHAR(64) NOT NULL,
    resource_type VARCHAR(64) NOT NULL,
    resource_id VARCHAR(36) NOT NULL,
    status_from VARCHAR(64) NOT NULL,
    status_to VARCHAR(64) NOT NULL
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX audit_records_resource ON audit_records (resource_id, created_at);

-- What the service tells a tenant of a failed operation.
CREATE TABLE messages (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    project_id VARCHAR(255) NOT NULL,
    request_id VARCHAR(64) NOT NULL,
    resource_type VARCHAR(64) NOT NULL,
    resource_id VARCHAR(36) NOT NULL,
    action VARCHAR(64) NOT NULL,
    detail TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX messages_project ON messages (project_id, created_at);
CREATE INDEX messages_expires ON messages (expires_at);
