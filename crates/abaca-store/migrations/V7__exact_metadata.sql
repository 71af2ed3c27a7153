-- Names and values of metadata are the text they are. To utf8mb4_bin, MariaDB's and MySQL's collation of
-- everything else, blanks at the end make no difference: 'a ' was the pair 'a', and could be written by
-- who may write the one and not the other. SQLite and PostgreSQL compare exactly anyway, and see comments
-- here only; of the two others each runs its own, as the collation has another name there.

/*M! ALTER TABLE share_metadata
    MODIFY name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    MODIFY value VARCHAR(1023) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL */
/*!80017 ALTER TABLE share_metadata
    MODIFY name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
    MODIFY value VARCHAR(1023) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL */;
/*M! ALTER TABLE snapshot_metadata
    MODIFY name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    MODIFY value VARCHAR(1023) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL */
/*!80017 ALTER TABLE snapshot_metadata
    MODIFY name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
    MODIFY value VARCHAR(1023) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL */;
/*M! ALTER TABLE share_instance_export_location_metadata
    MODIFY name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    MODIFY value VARCHAR(1023) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL */
/*!80017 ALTER TABLE share_instance_export_location_metadata
    MODIFY name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
    MODIFY value VARCHAR(1023) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL */;
/*M! ALTER TABLE share_access_rule_metadata
    MODIFY name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
    MODIFY value VARCHAR(1023) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL */
/*!80017 ALTER TABLE share_access_rule_metadata
    MODIFY name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL,
    MODIFY value VARCHAR(1023) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin NOT NULL */;
