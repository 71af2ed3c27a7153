-- A message gets the codes of the API. The words stay: `action` what was being done, `detail` what
-- came of it and what to do.
ALTER TABLE messages ADD COLUMN action_id VARCHAR(10) NOT NULL DEFAULT '002';
ALTER TABLE messages ADD COLUMN detail_id VARCHAR(10) NOT NULL DEFAULT '001';
ALTER TABLE messages ADD COLUMN message_level VARCHAR(16) NOT NULL DEFAULT 'ERROR';
UPDATE messages SET action_id = '007', action = 'delete' WHERE action IN ('delete_share', 'delete_snapshot');
UPDATE messages SET action_id = '008', action = 'extend' WHERE action = 'extend_share';
UPDATE messages SET action_id = '009', action = 'shrink' WHERE action = 'shrink_share';
UPDATE messages SET action = 'create' WHERE action IN ('create_share', 'create_snapshot');
CREATE INDEX messages_created ON messages (created_at, id);
CREATE INDEX messages_resource ON messages (resource_id);
CREATE INDEX messages_request ON messages (request_id);
