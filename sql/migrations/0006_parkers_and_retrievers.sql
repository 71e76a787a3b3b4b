-- A parker whose transfer left him without a word of where his call is, one who knows when its recall is due, and
-- retrievers from another site.

ALTER TABLE tenants
  ADD COLUMN call_back BOOLEAN NOT NULL DEFAULT TRUE
    COMMENT 'Who transfers to a random orbit, or to the park number of a range, is called back and told the orbit'
    AFTER park_seconds_max,
  ADD COLUMN call_back_display BOOLEAN NOT NULL DEFAULT TRUE
    COMMENT 'That call has the orbit in its display name'
    AFTER call_back;

ALTER TABLE extensions
  ADD COLUMN may_set_recall BOOLEAN NOT NULL DEFAULT FALSE
    COMMENT 'Its X-Recall-After header says when the recall of the call that it parks is due'
    AFTER may_group_park;

ALTER TABLE parked_calls
  MODIFY COLUMN retriever VARCHAR(64) NOT NULL DEFAULT ''
    COMMENT 'Who won it last: an extension, or "trunk" and its name';
