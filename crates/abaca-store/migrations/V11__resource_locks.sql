-- What keeps a share or an access rule from being deleted, or a rule from being read. A lock goes with
-- what it locks; the lock of a share that came with the lock of one of its rules goes with that one.

CREATE TABLE resource_locks (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    project_id VARCHAR(255) NOT NULL,
    user_id VARCHAR(255) NOT NULL,
    lock_context VARCHAR(16) NOT NULL,
    resource_type VARCHAR(16) NOT NULL,
    -- Of what is locked, whatever it is; the same stands in the column of its kind.
    resource_id VARCHAR(36) NOT NULL,
    share_id VARCHAR(36),
    access_rule_id VARCHAR(36),
    resource_action VARCHAR(16) NOT NULL,
    lock_reason VARCHAR(1023),
    cause_id VARCHAR(36),
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    CONSTRAINT resource_locks_share FOREIGN KEY (share_id) REFERENCES shares (id) ON DELETE CASCADE,
    CONSTRAINT resource_locks_rule FOREIGN KEY (access_rule_id) REFERENCES share_access_rules (id) ON DELETE CASCADE,
    CONSTRAINT resource_locks_cause FOREIGN KEY (cause_id) REFERENCES resource_locks (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX resource_locks_resource ON resource_locks (resource_id, resource_action);
CREATE INDEX resource_locks_share ON resource_locks (share_id);
CREATE INDEX resource_locks_rule ON resource_locks (access_rule_id);
CREATE INDEX resource_locks_cause ON resource_locks (cause_id);
CREATE INDEX resource_locks_project_created ON resource_locks (project_id, created_at, id);
CREATE INDEX resource_locks_created ON resource_locks (created_at, id);
