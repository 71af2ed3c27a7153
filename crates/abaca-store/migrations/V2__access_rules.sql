-- Who may mount a share or a snapshot, and how far that is in each place the share or snapshot lives
-- in. The tables of both have the same shape. access_generation counts what was asked for of the
-- rules of an instance: it has nothing to do with the instance's fence.

ALTER TABLE share_instances ADD COLUMN access_generation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE snapshot_instances ADD COLUMN access_generation BIGINT NOT NULL DEFAULT 0;

CREATE TABLE share_access_rules (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    share_id VARCHAR(36) NOT NULL,
    access_type VARCHAR(64) NOT NULL,
    access_to VARCHAR(255) NOT NULL,
    access_level VARCHAR(16) NOT NULL,
    access_key VARCHAR(1023),
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    CONSTRAINT share_access_rules_share FOREIGN KEY (share_id) REFERENCES shares (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX share_access_rules_share ON share_access_rules (share_id, created_at, id);

CREATE TABLE share_access_rule_metadata (
    access_rule_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    value VARCHAR(1023) NOT NULL,
    PRIMARY KEY (access_rule_id, name),
    CONSTRAINT share_access_rule_metadata_rule FOREIGN KEY (access_rule_id) REFERENCES share_access_rules (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

CREATE TABLE share_instance_access_rules (
    access_rule_id VARCHAR(36) NOT NULL,
    share_instance_id VARCHAR(36) NOT NULL,
    state VARCHAR(64) NOT NULL,
    PRIMARY KEY (access_rule_id, share_instance_id),
    CONSTRAINT share_instance_access_rules_rule FOREIGN KEY (access_rule_id) REFERENCES share_access_rules (id) ON DELETE CASCADE,
    CONSTRAINT share_instance_access_rules_instance FOREIGN KEY (share_instance_id) REFERENCES share_instances (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX share_instance_access_rules_instance ON share_instance_access_rules (share_instance_id);

CREATE TABLE snapshot_access_rules (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    snapshot_id VARCHAR(36) NOT NULL,
    access_type VARCHAR(64) NOT NULL,
    access_to VARCHAR(255) NOT NULL,
    access_level VARCHAR(16) NOT NULL,
    access_key VARCHAR(1023),
    created_at BIGINT NOT NULL,
    updated_at BIGINT,
    CONSTRAINT snapshot_access_rules_snapshot FOREIGN KEY (snapshot_id) REFERENCES snapshots (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX snapshot_access_rules_snapshot ON snapshot_access_rules (snapshot_id, created_at, id);

CREATE TABLE snapshot_instance_access_rules (
    access_rule_id VARCHAR(36) NOT NULL,
    snapshot_instance_id VARCHAR(36) NOT NULL,
    state VARCHAR(64) NOT NULL,
    PRIMARY KEY (access_rule_id, snapshot_instance_id),
    CONSTRAINT snapshot_instance_access_rules_rule FOREIGN KEY (access_rule_id) REFERENCES snapshot_access_rules (id) ON DELETE CASCADE,
    CONSTRAINT snapshot_instance_access_rules_instance FOREIGN KEY (snapshot_instance_id) REFERENCES snapshot_instances (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX snapshot_instance_access_rules_instance ON snapshot_instance_access_rules (snapshot_instance_id);
