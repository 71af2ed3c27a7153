-- Metadata of export locations, the recycle bin, names to mount shares by, and what tasks are at.

-- Set: the share is in the recycle bin, until then.
ALTER TABLE shares ADD COLUMN scheduled_to_be_deleted_at BIGINT;
-- Where a migration of the share stands.
ALTER TABLE shares ADD COLUMN task_state VARCHAR(64);
-- The last part of the path it is mounted by, if the tenant chose one.
ALTER TABLE shares ADD COLUMN mount_point_name VARCHAR(255);
CREATE INDEX shares_scheduled_to_be_deleted ON shares (scheduled_to_be_deleted_at);
CREATE UNIQUE INDEX shares_mount_point_name ON shares (mount_point_name);

CREATE TABLE share_instance_export_location_metadata (
    export_location_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    value VARCHAR(1023) NOT NULL,
    PRIMARY KEY (export_location_id, name),
    CONSTRAINT share_instance_export_location_metadata_location FOREIGN KEY (export_location_id) REFERENCES share_instance_export_locations (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- From now on being preferred is a pair of metadata, as the API has it. The column goes a release later.
INSERT INTO share_instance_export_location_metadata (export_location_id, name, value)
SELECT id, 'preferred', 'True' FROM share_instance_export_locations WHERE preferred = 1;
