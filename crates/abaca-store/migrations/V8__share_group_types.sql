-- What groups of shares are made by: the share types their members may have, and specs of their own.

CREATE TABLE share_group_types (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL UNIQUE,
    is_public BIGINT NOT NULL,
    created_at BIGINT NOT NULL
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

CREATE TABLE share_group_type_specs (
    share_group_type_id VARCHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    value VARCHAR(1023) NOT NULL,
    PRIMARY KEY (share_group_type_id, name),
    CONSTRAINT share_group_type_specs_type FOREIGN KEY (share_group_type_id) REFERENCES share_group_types (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;

-- A share type stays while a group type names it.
CREATE TABLE share_group_type_share_types (
    share_group_type_id VARCHAR(36) NOT NULL,
    share_type_id VARCHAR(36) NOT NULL,
    PRIMARY KEY (share_group_type_id, share_type_id),
    CONSTRAINT share_group_type_share_types_group_type FOREIGN KEY (share_group_type_id) REFERENCES share_group_types (id) ON DELETE CASCADE,
    CONSTRAINT share_group_type_share_types_share_type FOREIGN KEY (share_type_id) REFERENCES share_types (id)
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX share_group_type_share_types_share_type ON share_group_type_share_types (share_type_id);

CREATE TABLE share_group_type_projects (
    share_group_type_id VARCHAR(36) NOT NULL,
    project_id VARCHAR(255) NOT NULL,
    PRIMARY KEY (share_group_type_id, project_id),
    CONSTRAINT share_group_type_projects_type FOREIGN KEY (share_group_type_id) REFERENCES share_group_types (id) ON DELETE CASCADE
) /*! ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin */;
CREATE INDEX share_group_type_projects_project ON share_group_type_projects (project_id);
