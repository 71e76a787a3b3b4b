-- Writes what has become of the registrations at trunks to the database, in the process that waits for it.
local cjson = require("cjson")
local sql = require("kamailio.sql")
local sql_text = require("rules.sql_text")

local trunk_states = {}

-- What this process has written: the text of each registration.
local written = {}

-- In UTC, whatever the time zone of the connection is.
local function time(seconds)
  return seconds and ("TIMESTAMPADD(SECOND, %d, '1970-01-01')"):format(seconds) or "NULL"
end

-- An account that was deleted meanwhile gets no row.
local function statement(one)
  return ([[INSERT INTO trunk_registrations (tenant, trunk, state, status, until, next_try, changed_at)
    SELECT tenant, trunk, %s, %s, %s, %s, %s FROM trunk_accounts WHERE tenant = %s AND trunk = %s
    ON DUPLICATE KEY UPDATE state = VALUES(state), status = VALUES(status), until = VALUES(until),
      next_try = VALUES(next_try), changed_at = VALUES(changed_at)]]):format(sql_text.literal(one.state),
    one.status and ("%d"):format(one.status) or "NULL", time(one.until_time), time(one.due), time(one.changed_at),
    sql_text.literal(one.tenant), sql_text.literal(one.trunk))
end

--- Whether the database has stored all of it.
function trunk_states.write()
  local changed = {}
  KSR.htable.sht_iterator_start("states", "trunk_states")
  while KSR.htable.sht_iterator_next("states") > 0 do
    local name, text = KSR.pv.get("$shtitkey(states)"), KSR.pv.get("$shtitval(states)")
    if written[name] ~= text then changed[name] = text end
  end
  KSR.htable.sht_iterator_end("states")
  for name, text in pairs(changed) do
    if not sql.done(statement(cjson.decode(text))) then return false end
    written[name] = text
  end
  return true
end

return trunk_states
