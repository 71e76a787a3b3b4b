-- What lamps show: the publications in the table `presentity`, from which Kamailio's presence module makes NOTIFYs. One
-- publisher has one publication of a lamp, and overwrites it.
--
-- Not by handle_publish(): 5.6.3 answers 200 to a change of what is terminated, and drops it (presentity.c,
-- ps_match_dialog_state); each lamp would be lit once.
local presence_tables = require("presence_tables")

local lamps = {}

lamps.kByParkd, lamps.kByKamailio = "parkd", "kamailio"

local kRefreshNotify = 1

--- "sip:102@demo.callpark".
function lamps.uri(user, domain) return ("sip:%s@%s"):format(user, domain) end

--- What is done about one lamp is done after what another process has begun to do about it: all NOTIFYs of a
--- subscription leave in the order of their CSeq and version, and the last says the truth.
function lamps.in_order(uri, act)
  KSR.htable.sht_lock("lamps", uri)
  local done, result = xpcall(act, debug.traceback)
  KSR.htable.sht_unlock("lamps", uri)
  if not done then error(result, 0) end
  return result
end

-- False when not all watchers could be told, as when memory is short: 5.6.3 stops at the first (query_db_notify).
local function tell(uri) return KSR.presence.pres_refresh_watchers(uri, "dialog", kRefreshNotify) >= 0 end

--- The entity-tag under which a publisher has published, false when it has not, nil when the database cannot be asked.
function lamps.etag(user, domain, publisher)
  local row = presence_tables.publication(user, domain, publisher)
  return row and row.etag
end

--- Writes down what `publisher` says of a lamp, without telling anybody. The new entity-tag, or nil when the database
--- does not take it. This and what follows is to be called in_order().
function lamps.note(user, domain, publisher, body, seconds)
  local known = presence_tables.publication(user, domain, publisher)
  if known == nil then return nil end
  -- RFC 3903 4.1: another one each time; a change that has been overtaken is recognised by it.
  local etag = publisher .. "." .. KSR.pv.get("$TV(Sn)")
  return presence_tables.write_publication(known, user, domain, publisher, etag, body, seconds) and etag or nil
end

--- The same, and tells all watchers; nil too when they could not be told. It counts for so many seconds; nil: until it
--- is changed.
function lamps.publish(user, domain, publisher, body, seconds)
  local etag = lamps.note(user, domain, publisher, body, seconds)
  return etag and tell(lamps.uri(user, domain)) and etag or nil
end

--- Takes back what `publisher` has said.
function lamps.unpublish(user, domain, publisher)
  if not presence_tables.delete_publication(user, domain, publisher) then return false end
  return tell(lamps.uri(user, domain))
end

return lamps
