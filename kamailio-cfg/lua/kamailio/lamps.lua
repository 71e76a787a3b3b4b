-- What lamps show: the publications in the table `presentity`, from which Kamailio's presence module makes NOTIFYs. One
-- publisher has one publication of a lamp, and overwrites it.
--
-- handle_publish() cannot be used: 5.6.3 answers 200 to a change of what is terminated, and drops it (presentity.c,
-- ps_match_dialog_state); each lamp would be lit once.
local presence_tables = require("kamailio.presence_tables")
local sip_text = require("rules.sip_text")

local lamps = {}

lamps.kByParkd, lamps.kByKamailio = "parkd", "kamailio"

local kRefreshNotify = 1

--- Acts on one lamp once other processes have finished with it: all NOTIFYs of a subscription leave in the order of
--- their CSeq and version, and the last one is right.
function lamps.in_order(uri, act)
  KSR.htable.sht_lock("lamps", uri)
  local done, result = xpcall(act, debug.traceback)
  KSR.htable.sht_unlock("lamps", uri)
  if not done then error(result, 0) end
  return result
end

-- How many NOTIFYs this process has sent.
local notifies = 0

--- One more is sent.
function lamps.count_notify() notifies = notifies + 1 end

-- A watcher may answer again just after the module has read that all are silent.
local kAttempts = 3

-- False if not all watchers could be notified, as when memory is short: 5.6.3 stops at the first (query_db_notify). If
-- the database does not answer it sends none, and reports success.
local function notify(uri)
  for _ = 1, kAttempts do
    local before = notifies
    if KSR.presence.pres_refresh_watchers(uri, "dialog", kRefreshNotify) < 0 then return false end
    if notifies > before then return true end
    local is_heard = presence_tables.is_heard(uri)
    if not is_heard then return is_heard == false end
  end
  return false
end

--- Notifies all watchers of the present state; false if not all could be notified.
lamps.show_again = notify

--- The entity-tag of a publisher's publication, false if it has none, nil if the database does not answer.
function lamps.etag(user, domain, publisher)
  local row = presence_tables.publication(user, domain, publisher)
  return row and row.etag
end

--- Stores what `publisher` publishes of a lamp, and notifies no watcher. The new entity-tag, or nil if the database
--- does not store it. To be called in_order(), as what follows.
function lamps.note(user, domain, publisher, body, seconds)
  local known = presence_tables.publication(user, domain, publisher)
  if known == nil then return nil end
  -- RFC 3903 4.1: a new one each time, by which a change that comes too late is recognised.
  local etag = publisher .. "." .. KSR.pv.get("$TV(Sn)")
  return presence_tables.write_publication(known, user, domain, publisher, etag, body, seconds) and etag or nil
end

--- The same, and notifies all watchers; nil too if one could not be notified. It counts for `seconds`; nil: until the
--- next change.
function lamps.publish(user, domain, publisher, body, seconds)
  local etag = lamps.note(user, domain, publisher, body, seconds)
  return etag and notify(sip_text.uri(user, domain)) and etag or nil
end

--- Deletes the publication of `publisher`.
function lamps.unpublish(user, domain, publisher)
  if not presence_tables.delete_publication(user, domain, publisher) then return false end
  return notify(sip_text.uri(user, domain))
end

return lamps
