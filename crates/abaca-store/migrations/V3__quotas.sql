-- Limits that administrators set. A project without a row has those of the class "default", or else
-- those of the configuration.

-- scope is project, user or share_type; subject is empty, the user's id or the type's. The type's id
-- stands in share_type_id as well, so that its limits go with it.
CREATE TABLE quota_limits (
    project_id VARCHAR(255) NOT NULL,
    scope VARCHAR(16) NOT NULL,
    subject VARCHAR(255) NOT NULL,
    resource VARCHAR(64) NOT NULL,
    hard_limit BIGINT NOT NULL,
    share_type_id VARCHAR(36),
    PRIMARY KEY (project_id, scope, subject, resource),
    CONSTRAINT quota_limits_type FOREIGN KEY (share_type_id) REFERENCES share_types (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX quota_limits_type ON quota_limits (share_type_id);

CREATE TABLE quota_class_limits (
    class_name VARCHAR(255) NOT NULL,
    resource VARCHAR(64) NOT NULL,
    hard_limit BIGINT NOT NULL,
    PRIMARY KEY (class_name, resource)
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

