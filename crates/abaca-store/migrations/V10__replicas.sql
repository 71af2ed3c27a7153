-- Who follows whom within a replicated share: raised by each promotion.
ALTER TABLE shares ADD COLUMN replication_generation BIGINT NOT NULL DEFAULT 0;
-- Where the backend keeps the bytes; known of shares that have replicas, and of replicas.
ALTER TABLE share_instances ADD COLUMN provider_location VARCHAR(1023);
CREATE INDEX share_instances_replica_state ON share_instances (replica_state);
-- A replicated share's first place is its active replica.
UPDATE share_instances SET replica_state = 'active'
    WHERE replica_state IS NULL
    AND share_id IN (SELECT id FROM shares WHERE replication_type IS NOT NULL);

CREATE TABLE share_instance_metadata (
    share_instance_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    value VARCHAR(1023) NOT NULL,
    PRIMARY KEY (share_instance_id, name),
    CONSTRAINT share_instance_metadata_instance FOREIGN KEY (share_instance_id) REFERENCES share_instances (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
-- As of all metadata, see V7.
/*M! ALTER TABLE share_instance_metadata
    MODIFY name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    MODIFY value VARCHAR(1023) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL */
/*!80017 ALTER TABLE share_instance_metadata
    MODIFY name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
    MODIFY value VARCHAR(1023) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL */;
