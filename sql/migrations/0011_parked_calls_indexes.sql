-- What lamps and claims ask of the parked calls of a tenant is found by an index, however many calls are parked.
-- An index needs a stored URI: MariaDB reads the JSON of a row that is gone to clean up an index on a virtual column.
ALTER TABLE parked_calls
  DROP COLUMN caller_uri,
  ADD COLUMN caller_uri VARCHAR(255)
    AS (COALESCE(CONCAT('sip:', NULLIF(JSON_VALUE(caller_dialog, '$.remote_aor'), '')),
                 JSON_VALUE(caller_dialog, '$.remote_uri'))) PERSISTENT
    COMMENT 'URI of the parked caller; of an extension its own' AFTER call_id,
  ADD KEY parked_calls_by_caller (tenant, caller_uri),
  ADD KEY parked_calls_by_retriever (tenant, retriever),
  ADD KEY parked_calls_by_retrieve_id (tenant, retrieve_id),
  ADD KEY parked_calls_by_group (tenant, park_group, parked_at, park_id);
