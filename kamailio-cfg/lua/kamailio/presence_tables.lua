-- The tables of Kamailio's presence module: publications (presentity) and subscriptions (active_watchers).
local sql = require("kamailio.sql")
local sql_text = require("rules.sql_text")

local presence_tables = {}

-- presentity.expires is a signed number of seconds.
local kNever = "2147483647"

-- The column `sender` has the publisher.
local function of_publication(user, domain, publisher)
  local quoted_user, quoted_domain = sql_text.quoted(user), sql_text.quoted(domain)
  if not quoted_user or not quoted_domain then return nil end
  return ("username = %s AND domain = %s AND event = 'dialog' AND sender = '%s'"):format(quoted_user, quoted_domain,
    publisher)
end

--- A publication: {etag}, false, or nil if the database does not answer.
function presence_tables.publication(user, domain, publisher)
  local where = of_publication(user, domain, publisher)
  if not where then return nil end
  return sql.row("SELECT etag FROM presentity WHERE expires > UNIX_TIMESTAMP() AND " .. where, { "etag" })
end

--- Stores it, under the entity-tag `etag`; `seconds` nil: until the next change. `known` is the result of
--- publication(). One INSERT ... ON DUPLICATE KEY UPDATE would use up a number of the table's id each time.
function presence_tables.write_publication(known, user, domain, publisher, etag, body, seconds)
  local where = of_publication(user, domain, publisher)
  if not where then return false end
  local expires = seconds and ("UNIX_TIMESTAMP() + %d"):format(seconds) or kNever
  if known then
    return sql.done(([[UPDATE presentity SET etag = '%s', body = %s, expires = %s, received_time = UNIX_TIMESTAMP()
      WHERE %s]]):format(etag, sql_text.bytes(body), expires, where))
  end
  -- An expired one may still be there.
  return sql.done("DELETE FROM presentity WHERE " .. where)
    and sql.done(([[INSERT INTO presentity (username, domain, event, etag, expires, received_time, body, sender)
      VALUES (%s, %s, 'dialog', '%s', %s, UNIX_TIMESTAMP(), %s, '%s')]]):format(sql_text.quoted(user),
      sql_text.quoted(domain), etag, expires, sql_text.bytes(body), publisher))
end

function presence_tables.delete_publication(user, domain, publisher)
  local where = of_publication(user, domain, publisher)
  return where ~= nil and sql.done("DELETE FROM presentity WHERE " .. where)
end

--- A subscription by its dialog: {uri, user, domain, event}, false, or nil if the database does not answer.
function presence_tables.subscription(call_id, to_tag, from_tag)
  local query = [[SELECT presentity_uri, watcher_username, watcher_domain, event FROM active_watchers
    WHERE callid = %s AND to_tag = %s AND from_tag = %s]]
  local literal = sql_text.literal
  return sql.row(query:format(literal(call_id), literal(to_tag), literal(from_tag)),
    { "uri", "user", "domain", "event" })
end

local function aors(query)
  local list = {}
  for _, row in ipairs(sql.rows(query, { "aor" }) or {}) do list[#list + 1] = row.aor end
  return list
end

--- "102@demo.callpark" of every watched lamp.
function presence_tables.watched()
  return aors([[SELECT DISTINCT SUBSTRING(presentity_uri, 5) FROM active_watchers
    WHERE event = 'dialog' AND expires > UNIX_TIMESTAMP()]])
end

--- The same of every lamp that is lit by a publication of `publisher`.
function presence_tables.lit(publisher)
  return aors(([[SELECT CONCAT(username, '@', domain) FROM presentity
    WHERE event = 'dialog' AND sender = '%s' AND body NOT LIKE '%%<state>terminated</state>%%']]):format(publisher))
end

----- what watchers use up

--- The subscriptions of an extension to one lamp, oldest first, each {contact, call_id, to_tag, from_tag}; nil if the
--- database does not answer.
function presence_tables.of_watcher(uri, user, domain)
  local literal = sql_text.literal
  local query = [[SELECT contact, callid, to_tag, from_tag FROM active_watchers
    WHERE presentity_uri = %s AND event = 'dialog' AND watcher_username = %s AND watcher_domain = %s ORDER BY id]]
  return sql.rows(query:format(literal(uri), literal(user), literal(domain)),
    { "contact", "call_id", "to_tag", "from_tag" })
end

--- How many subscriptions an extension has, or, without `user`, all of a tenant; nil if the database does not answer.
function presence_tables.count(domain, user)
  local query = "SELECT COUNT(*) FROM active_watchers WHERE watcher_domain = " .. sql_text.literal(domain)
  if user then query = query .. " AND watcher_username = " .. sql_text.literal(user) end
  local row = sql.row(query, { "count" })
  return row and tonumber(row.count)
end

local function delete(where) return sql.done("DELETE FROM active_watchers WHERE " .. where) end

--- Deletes one of of_watcher().
function presence_tables.end_subscription(one)
  local literal = sql_text.literal
  return delete(("callid = %s AND to_tag = %s AND from_tag = %s"):format(literal(one.call_id), literal(one.to_tag),
    literal(one.from_tag)))
end

-- The module sends nothing to a subscription with a reason, and keeps it (get_subs_db).
local kSilent = "silent"

local function set_reason(call_id, from, to)
  return sql.done(("UPDATE active_watchers SET reason = '%s' WHERE callid = %s AND COALESCE(reason, '') = '%s'"):format(
    to, sql_text.literal(call_id), from))
end

--- Whether a lamp has a watcher that gets NOTIFYs; nil if the database does not answer.
function presence_tables.is_heard(uri)
  local row = sql.row(([[SELECT 1 FROM active_watchers WHERE presentity_uri = %s AND event = 'dialog' AND status = 1
    AND COALESCE(reason, '') = '' LIMIT 1]]):format(sql_text.literal(uri)), { "one" })
  if row == nil then return nil end
  return row ~= false
end

--- The subscriptions with this Call-ID get no NOTIFY from now on.
function presence_tables.silence(call_id) return set_reason(call_id, "", kSilent) end

--- They get them again.
function presence_tables.hear(call_id) return set_reason(call_id, kSilent, "") end

--- After a restart, which has forgotten why they are silent.
function presence_tables.hear_all()
  return sql.done(("UPDATE active_watchers SET reason = '' WHERE reason = '%s'"):format(kSilent))
end

function presence_tables.forget(call_id) return delete("callid = " .. sql_text.literal(call_id)) end

--- The lamps that a Call-ID watches, each {uri}; nil if the database does not answer.
function presence_tables.lamps_of(call_id)
  return sql.rows("SELECT presentity_uri FROM active_watchers WHERE callid = " .. sql_text.literal(call_id), { "uri" })
end

--- Deletes the subscriptions that ended more than `seconds_ago` ago.
function presence_tables.forget_subscriptions(seconds_ago)
  sql.done(("DELETE FROM active_watchers WHERE expires < UNIX_TIMESTAMP() - %d"):format(seconds_ago))
end

return presence_tables
