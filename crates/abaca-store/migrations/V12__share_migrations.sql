-- A share that is moving, for as long as it is. What its operation must remember between its steps is
-- in plan, as JSON.
CREATE TABLE share_migrations (
    share_id VARCHAR(36) NOT NULL PRIMARY KEY,
    source_instance_id VARCHAR(36) NOT NULL,
    destination_instance_id VARCHAR(36),
    -- The type it changes to; it counts against quota there too, until the migration ends.
    share_type_id VARCHAR(36),
    state VARCHAR(64) NOT NULL,
    -- What an administrator asked of it: complete or cancel.
    wanted VARCHAR(16),
    plan TEXT NOT NULL,
    total_bytes BIGINT NOT NULL,
    copied_bytes BIGINT NOT NULL,
    compared_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT share_migrations_share FOREIGN KEY (share_id) REFERENCES shares (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX share_migrations_type ON share_migrations (share_type_id);
CREATE INDEX share_migrations_source ON share_migrations (source_instance_id);
