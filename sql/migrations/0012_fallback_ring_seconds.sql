-- A fallback that does not answer ends the recall.
ALTER TABLE tenants
  ADD COLUMN fallback_ring_seconds INT UNSIGNED NOT NULL DEFAULT 60
    COMMENT 'How long the fallback of a recall rings' AFTER fallback_destination,
  ADD CONSTRAINT `the fallback of a recall rings for 10 to 3600 seconds`
    CHECK (fallback_ring_seconds BETWEEN 10 AND 3600);

ALTER TABLE park_groups
  ADD COLUMN fallback_ring_seconds INT UNSIGNED NULL
    COMMENT 'How long the fallback of a recall rings' AFTER fallback_destination,
  ADD CONSTRAINT `the fallback of a recall rings for 10 to 3600 seconds`
    CHECK (fallback_ring_seconds BETWEEN 10 AND 3600);
