-- A parker whose transfer left him without a word of where his call is.

ALTER TABLE tenants
  ADD COLUMN call_back BOOLEAN NOT NULL DEFAULT TRUE
    COMMENT 'Who transfers to a random orbit, or to the park number of a range, is called back and told the orbit'
    AFTER park_seconds_max,
  ADD COLUMN call_back_display BOOLEAN NOT NULL DEFAULT TRUE
    COMMENT 'That call has the orbit in its display name'
    AFTER call_back;
