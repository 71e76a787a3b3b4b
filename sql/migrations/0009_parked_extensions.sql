-- An extension that is parked is found whatever its phone, or a ring group, has made of its URI.
ALTER TABLE parked_calls
  DROP COLUMN caller_uri,
  ADD COLUMN caller_uri VARCHAR(255)
    AS (COALESCE(CONCAT('sip:', NULLIF(JSON_VALUE(caller_dialog, '$.remote_aor'), '')),
                 JSON_VALUE(caller_dialog, '$.remote_uri'))) VIRTUAL
    COMMENT 'URI of the parked caller; of an extension its own' AFTER call_id;
