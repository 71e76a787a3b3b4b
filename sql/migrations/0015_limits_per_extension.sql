-- What one extension may use up: places to park at, and guesses of orbits.
ALTER TABLE tenants
  ADD COLUMN extension_parked_calls_max INT UNSIGNED NULL
    COMMENT 'Calls that one extension may have parked at once; 0: no limit; NULL: a tenth of parked_calls_max, or 10 if that is more, and one less than parked_calls_max at most'
    AFTER parked_calls_max,
  ADD COLUMN retrieve_misses_max INT UNSIGNED NOT NULL DEFAULT 10
    COMMENT 'Empty orbits that one extension may dial in a minute; after that it finds none for a minute; 0: no limit'
    AFTER extension_parked_calls_max,
  ADD CONSTRAINT `an extension parks at most 100000 calls` CHECK (extension_parked_calls_max <= 100000),
  ADD CONSTRAINT `an extension misses at most 1000 orbits a minute` CHECK (retrieve_misses_max <= 1000);

ALTER TABLE extensions
  ADD COLUMN parked_calls_max INT UNSIGNED NULL
    COMMENT 'Calls that it may have parked at once; 0: no limit; NULL: as the tenant has it',
  ADD CONSTRAINT `an extension parks at most 100000 calls` CHECK (parked_calls_max <= 100000);

ALTER TABLE parked_calls
  ADD KEY parked_calls_by_parker (tenant, parker);
