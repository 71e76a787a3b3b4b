-- A value is written in one way only. To a comparison of MariaDB '104 ' is 104, DEMO.example is demo.example and 2 is
-- TRUE, and '$' of a CHECK lets a line feed pass. To Kamailio and parkd they differ: after a line feed behind an orbit
-- of a range, what was no row of `numbers` in its tenant was answered 500; enabled = 2 switched a tenant off.

-- ---- what was entered so is corrected ----

-- Rows and those that refer to them are corrected one after the other.
SET SESSION foreign_key_checks = 0;

UPDATE extensions SET tenant = LOWER(TRIM(tenant)), extension = REGEXP_REPLACE(extension, '[[:space:]]+$', ''),
    language = REGEXP_REPLACE(language, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR extension REGEXP '[[:space:]]$' OR language REGEXP '[[:space:]]$';
UPDATE park_codes SET tenant = LOWER(TRIM(tenant)), code = REGEXP_REPLACE(code, '[[:space:]]+$', ''),
    action = REGEXP_REPLACE(action, '[[:space:]]+$', ''), bare = REGEXP_REPLACE(bare, '[[:space:]]+$', ''),
    retrieve_code = REGEXP_REPLACE(retrieve_code, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR code REGEXP '[[:space:]]$' OR action REGEXP '[[:space:]]$'
    OR bare REGEXP '[[:space:]]$' OR retrieve_code REGEXP '[[:space:]]$';
UPDATE park_groups SET tenant = LOWER(TRIM(tenant)), music_class = REGEXP_REPLACE(music_class, '[[:space:]]+$', ''),
    recall_mode = REGEXP_REPLACE(recall_mode, '[[:space:]]+$', ''),
    ring_group = REGEXP_REPLACE(ring_group, '[[:space:]]+$', ''),
    park_group = REGEXP_REPLACE(park_group, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR music_class REGEXP '[[:space:]]$' OR recall_mode REGEXP '[[:space:]]$'
    OR ring_group REGEXP '[[:space:]]$' OR park_group REGEXP '[[:space:]]$';
UPDATE park_group_members SET tenant = LOWER(TRIM(tenant)),
    extension = REGEXP_REPLACE(extension, '[[:space:]]+$', ''),
    park_group = REGEXP_REPLACE(park_group, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR extension REGEXP '[[:space:]]$' OR park_group REGEXP '[[:space:]]$';
UPDATE ring_groups SET tenant = LOWER(TRIM(tenant)), ring_group = REGEXP_REPLACE(ring_group, '[[:space:]]+$', ''),
    strategy = REGEXP_REPLACE(strategy, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR ring_group REGEXP '[[:space:]]$' OR strategy REGEXP '[[:space:]]$';
UPDATE ring_group_members SET tenant = LOWER(TRIM(tenant)),
    ring_group = REGEXP_REPLACE(ring_group, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR ring_group REGEXP '[[:space:]]$';
UPDATE schedules SET tenant = LOWER(TRIM(tenant)), schedule = REGEXP_REPLACE(schedule, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR schedule REGEXP '[[:space:]]$';
UPDATE call_flows SET tenant = LOWER(TRIM(tenant)), status = REGEXP_REPLACE(status, '[[:space:]]+$', ''),
    name = REGEXP_REPLACE(name, '[[:space:]]+$', ''), schedule = REGEXP_REPLACE(schedule, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR status REGEXP '[[:space:]]$' OR name REGEXP '[[:space:]]$'
    OR schedule REGEXP '[[:space:]]$';
UPDATE schedule_hours SET tenant = LOWER(TRIM(tenant)), schedule = REGEXP_REPLACE(schedule, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR schedule REGEXP '[[:space:]]$';
UPDATE schedule_dates SET tenant = LOWER(TRIM(tenant)), schedule = REGEXP_REPLACE(schedule, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR schedule REGEXP '[[:space:]]$';
UPDATE ivr_menus SET tenant = LOWER(TRIM(tenant))
  WHERE BINARY tenant <> LOWER(TRIM(tenant));
UPDATE ivr_menu_options SET tenant = LOWER(TRIM(tenant)), menu = REGEXP_REPLACE(menu, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR menu REGEXP '[[:space:]]$';
UPDATE announcements SET tenant = LOWER(TRIM(tenant))
  WHERE BINARY tenant <> LOWER(TRIM(tenant));
UPDATE orbit_ranges SET tenant = LOWER(TRIM(tenant)), park_number = REGEXP_REPLACE(park_number, '[[:space:]]+$', ''),
    first_orbit = REGEXP_REPLACE(first_orbit, '[[:space:]]+$', ''),
    last_orbit = REGEXP_REPLACE(last_orbit, '[[:space:]]+$', ''),
    orbit_range = REGEXP_REPLACE(orbit_range, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR park_number REGEXP '[[:space:]]$' OR first_orbit REGEXP '[[:space:]]$'
    OR last_orbit REGEXP '[[:space:]]$' OR orbit_range REGEXP '[[:space:]]$';
UPDATE orbit_range_extensions SET tenant = LOWER(TRIM(tenant)),
    extension = REGEXP_REPLACE(extension, '[[:space:]]+$', ''),
    orbit_range = REGEXP_REPLACE(orbit_range, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR extension REGEXP '[[:space:]]$' OR orbit_range REGEXP '[[:space:]]$';
UPDATE trunks SET tenant = LOWER(TRIM(tenant)), trunk = REGEXP_REPLACE(trunk, '[[:space:]]+$', ''),
    transport = REGEXP_REPLACE(transport, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR trunk REGEXP '[[:space:]]$' OR transport REGEXP '[[:space:]]$';
UPDATE dids SET tenant = LOWER(TRIM(tenant)), did = REGEXP_REPLACE(did, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR did REGEXP '[[:space:]]$';
UPDATE billing_hooks SET tenant = LOWER(TRIM(tenant)), url = REGEXP_REPLACE(url, '[[:space:]]+$', ''),
    on_error_incoming_call = REGEXP_REPLACE(on_error_incoming_call, '[[:space:]]+$', ''),
    on_error_park = REGEXP_REPLACE(on_error_park, '[[:space:]]+$', ''),
    on_error_retrieve = REGEXP_REPLACE(on_error_retrieve, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR url REGEXP '[[:space:]]$'
    OR on_error_incoming_call REGEXP '[[:space:]]$' OR on_error_park REGEXP '[[:space:]]$'
    OR on_error_retrieve REGEXP '[[:space:]]$';
UPDATE billing_hook_secrets SET tenant = LOWER(TRIM(tenant)), secret = REGEXP_REPLACE(secret, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR secret REGEXP '[[:space:]]$';
UPDATE webhooks SET tenant = LOWER(TRIM(tenant)), webhook = REGEXP_REPLACE(webhook, '[[:space:]]+$', ''),
    url = REGEXP_REPLACE(url, '[[:space:]]+$', ''), events = REGEXP_REPLACE(events, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR webhook REGEXP '[[:space:]]$' OR url REGEXP '[[:space:]]$'
    OR events REGEXP '[[:space:]]$';
UPDATE webhook_secrets SET tenant = LOWER(TRIM(tenant)), webhook = REGEXP_REPLACE(webhook, '[[:space:]]+$', ''),
    secret = REGEXP_REPLACE(secret, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR webhook REGEXP '[[:space:]]$' OR secret REGEXP '[[:space:]]$';
UPDATE tenants SET ring_group = REGEXP_REPLACE(ring_group, '[[:space:]]+$', ''), recall_mode = TRIM(recall_mode),
    language = REGEXP_REPLACE(language, '[[:space:]]+$', ''),
    music_class = REGEXP_REPLACE(music_class, '[[:space:]]+$', '')
  WHERE ring_group REGEXP '[[:space:]]$' OR recall_mode LIKE '% ' OR language REGEXP '[[:space:]]$'
    OR music_class REGEXP '[[:space:]]$';
UPDATE extensions SET password = REGEXP_REPLACE(password, '[[:cntrl:]]', '') WHERE password REGEXP '[[:cntrl:]]';
UPDATE trunks SET address = INET_NTOA(INET_ATON(address)) WHERE address REGEXP '(^|[.])0[0-9]' AND IS_IPV4(address);
UPDATE call_flow_guesses SET tenant = LOWER(TRIM(tenant)), name = REGEXP_REPLACE(name, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR name REGEXP '[[:space:]]$';
UPDATE webhook_deliveries SET tenant = LOWER(TRIM(tenant)), webhook = REGEXP_REPLACE(webhook, '[[:space:]]+$', '')
  WHERE BINARY tenant <> LOWER(TRIM(tenant)) OR webhook REGEXP '[[:space:]]$';
SET SESSION foreign_key_checks = 1;
-- What was off to Kamailio stays off.
UPDATE tenants SET enabled = FALSE WHERE enabled NOT IN (0, 1);
UPDATE extensions SET enabled = FALSE WHERE enabled NOT IN (0, 1);
UPDATE ring_groups SET enabled = FALSE WHERE enabled NOT IN (0, 1);
UPDATE orbit_ranges SET enabled = FALSE WHERE enabled NOT IN (0, 1);
UPDATE trunks SET enabled = FALSE WHERE enabled NOT IN (0, 1);
UPDATE tenants SET music_on = music_on <> 0, call_back = call_back <> 0, call_back_display = call_back_display <> 0
  WHERE music_on NOT IN (0, 1) OR call_back NOT IN (0, 1) OR call_back_display NOT IN (0, 1);
UPDATE extensions SET may_park = may_park <> 0, may_retrieve = may_retrieve <> 0, may_group_park = may_group_park <> 0,
    may_set_recall = may_set_recall <> 0
  WHERE may_park NOT IN (0, 1) OR may_retrieve NOT IN (0, 1) OR may_group_park NOT IN (0, 1)
    OR may_set_recall NOT IN (0, 1);
UPDATE park_groups SET notify_parker = notify_parker <> 0, music_on = music_on <> 0
  WHERE notify_parker NOT IN (0, 1) OR music_on NOT IN (0, 1);
UPDATE orbit_ranges SET from_trunks = from_trunks <> 0
  WHERE from_trunks NOT IN (0, 1);

-- ---- and refused from now on ----

-- MariaDB has no CHECK of a column that a foreign key changes (ON UPDATE CASCADE): names of groups in the rows of their
-- members follow those of the groups.

ALTER TABLE tenants
  ADD CONSTRAINT `no blank or line feed in a tenant`
    CHECK (CONCAT_WS('', tenant, language, music_class, recall_mode, ring_group) NOT REGEXP '[[:space:][:cntrl:]]'),
  ADD CONSTRAINT `a switch of a tenant is TRUE or FALSE: 1 or 0`
    CHECK (enabled IN (0, 1) AND music_on IN (0, 1) AND call_back IN (0, 1) AND call_back_display IN (0, 1));
ALTER TABLE extensions
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z'),
  ADD CONSTRAINT `no blank or line feed in an extension`
    CHECK (CONCAT_WS('', extension, language) NOT REGEXP '[[:space:][:cntrl:]]'),
  ADD CONSTRAINT `no control character in a password`
    CHECK (password NOT REGEXP '[[:cntrl:]]'),
  ADD CONSTRAINT `a switch of an extension is TRUE or FALSE: 1 or 0`
    CHECK (enabled IN (0, 1) AND may_park IN (0, 1) AND may_retrieve IN (0, 1) AND may_group_park IN (0, 1)
           AND may_set_recall IN (0, 1));
ALTER TABLE park_codes
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z'),
  ADD CONSTRAINT `no blank or line feed in a park code`
    CHECK (CONCAT_WS('', code, action, bare, retrieve_code) NOT REGEXP '[[:space:][:cntrl:]]');
ALTER TABLE park_groups
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z'),
  ADD CONSTRAINT `no blank or line feed in a park group`
    CHECK (CONCAT_WS('', music_class, recall_mode, ring_group) NOT REGEXP '[[:space:][:cntrl:]]'),
  ADD CONSTRAINT `no line feed in a name, no blank behind it`
    CHECK (park_group NOT REGEXP '[[:cntrl:]]| $'),
  ADD CONSTRAINT `a switch of a park group is TRUE or FALSE: 1 or 0`
    CHECK (notify_parker IN (0, 1) AND music_on IN (0, 1));
ALTER TABLE park_group_members
  ADD CONSTRAINT `no blank or line feed in a member`
    CHECK (extension NOT REGEXP '[[:space:][:cntrl:]]');
ALTER TABLE ring_groups
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z'),
  ADD CONSTRAINT `no blank or line feed in a ring group`
    CHECK (CONCAT_WS('', ring_group, strategy) NOT REGEXP '[[:space:][:cntrl:]]'),
  ADD CONSTRAINT `a switch of a ring group is TRUE or FALSE: 1 or 0`
    CHECK (enabled IN (0, 1));
ALTER TABLE call_flows
  ADD CONSTRAINT `no blank or line feed in a call flow`
    CHECK (status NOT REGEXP '[[:space:][:cntrl:]]'),
  ADD CONSTRAINT `no line feed in a name, no blank behind it`
    CHECK (name NOT REGEXP '[[:cntrl:]]| $');
ALTER TABLE schedules
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z'),
  ADD CONSTRAINT `no line feed in a name, no blank behind it`
    CHECK (schedule NOT REGEXP '[[:cntrl:]]| $');
ALTER TABLE ivr_menus
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z');
ALTER TABLE announcements
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z');
ALTER TABLE orbit_ranges
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z'),
  ADD CONSTRAINT `no blank or line feed in an orbit range`
    CHECK (CONCAT_WS('', park_number, first_orbit, last_orbit) NOT REGEXP '[[:space:][:cntrl:]]'),
  ADD CONSTRAINT `no line feed in a name, no blank behind it`
    CHECK (orbit_range NOT REGEXP '[[:cntrl:]]| $'),
  ADD CONSTRAINT `a switch of an orbit range is TRUE or FALSE: 1 or 0`
    CHECK (enabled IN (0, 1) AND from_trunks IN (0, 1));
ALTER TABLE trunks
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z'),
  ADD CONSTRAINT `no blank or line feed in a trunk`
    CHECK (CONCAT_WS('', trunk, transport) NOT REGEXP '[[:space:][:cntrl:]]'),
  ADD CONSTRAINT `a switch of a trunk is TRUE or FALSE: 1 or 0`
    CHECK (enabled IN (0, 1)),
  ADD CONSTRAINT `a trunk's address has no zeros in front, and nothing behind it`
    CHECK (address REGEXP '^((0|[1-9][0-9]{0,2})([.](0|[1-9][0-9]{0,2})){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\\z');
ALTER TABLE dids
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z'),
  ADD CONSTRAINT `no blank or line feed in a DID`
    CHECK (did NOT REGEXP '[[:space:][:cntrl:]]');
ALTER TABLE billing_hooks
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z'),
  ADD CONSTRAINT `no blank or line feed in a billing hook`
    CHECK (CONCAT_WS('', url, on_error_incoming_call, on_error_park, on_error_retrieve)
           NOT REGEXP '[[:space:][:cntrl:]]');
ALTER TABLE billing_hook_secrets
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z'),
  ADD CONSTRAINT `no blank or line feed in a secret`
    CHECK (secret NOT REGEXP '[[:space:][:cntrl:]]');
ALTER TABLE webhooks
  ADD CONSTRAINT `the tenant is written as in tenants: in lower case, no blanks`
    CHECK (tenant COLLATE ascii_bin REGEXP '^[a-z0-9.-]+\\z'),
  ADD CONSTRAINT `no blank or line feed in a webhook`
    CHECK (CONCAT_WS('', webhook, url, events) NOT REGEXP '[[:space:][:cntrl:]]');
ALTER TABLE webhook_secrets
  ADD CONSTRAINT `no blank or line feed in a secret`
    CHECK (secret NOT REGEXP '[[:space:][:cntrl:]]');
