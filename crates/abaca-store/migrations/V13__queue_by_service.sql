-- A worker asks for what is due of each service that it has room for, and must not walk past all that
-- waits for others.
CREATE INDEX operations_due ON operations (state, service, run_at);
-- Nothing asks without the service; by the state alone the new one is as good.
DROP INDEX operations_state_run_at /*! ON operations */;
-- What a replica had lately is looked for among all that it ever had. The new one serves for the resource
-- alone, too.
CREATE INDEX operations_resource_kind ON operations (resource_id, kind, state);
DROP INDEX operations_resource /*! ON operations */;
