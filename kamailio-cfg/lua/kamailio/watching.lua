-- What watchers use up, and how the limits of rules/watchers.lua are kept: how many subscriptions there are, and how
-- many NOTIFYs wait for an answer.
local counts = require("kamailio.counts")
local lamps = require("kamailio.lamps")
local presence_tables = require("kamailio.presence_tables")
local watchers = require("rules.watchers")

local watching = {}

local function sender_keys(watcher, tenant) return { watcher .. "@" .. tenant, "@" .. tenant, "@" } end

local function waiting(key) return math.max(tonumber(KSR.htable.sht_get("waiting", key)) or 0, 0) end

--- How many NOTIFYs wait for an answer: {of_extension, of_tenant, of_all}.
function watching.waiting(watcher, tenant)
  local keys = sender_keys(watcher, tenant)
  return { of_extension = waiting(keys[1]), of_tenant = waiting(keys[2]), of_all = waiting(keys[3]) }
end

-- As of some seconds ago: an office that starts makes hundreds of subscriptions at once.
local function count_of_tenant(tenant)
  local known = tonumber(KSR.htable.sht_get("subscriptions", tenant))
  if known then return known end
  local counted = presence_tables.count(tenant)
  if counted then KSR.htable.sht_seti("subscriptions", tenant, counted) end
  return counted
end

--- {of_lamp, of_extension, of_tenant} for one extension and one lamp, of_lamp as a list; nil if the database does not
--- answer.
function watching.subscriptions(uri, watcher, tenant)
  local of_lamp = presence_tables.of_watcher(uri, watcher, tenant)
  local of_extension = of_lamp and presence_tables.count(tenant, watcher)
  local of_tenant = of_extension and count_of_tenant(tenant)
  return of_tenant and { of_lamp = of_lamp, of_extension = of_extension, of_tenant = of_tenant } or nil
end

local function locked(call_id, act)
  KSR.htable.sht_lock("notified", call_id)
  local done, result = xpcall(act, debug.traceback)
  KSR.htable.sht_unlock("notified", call_id)
  if not done then error(result, 0) end
  return result
end

-- What `change` of rules/watchers.lua makes of the state of a subscription; returns its act.
local function change(call_id, how, ...)
  local state, act = how(watchers.parse(KSR.htable.sht_get("notified", call_id)), ...)
  local text = watchers.text(state)
  if text then
    KSR.htable.sht_sets("notified", call_id, text)
  else
    KSR.htable.sht_rm("notified", call_id)
  end
  return act
end

-- Of a watcher that answers again: it gets the next change, or what it has missed too. False if the database does not
-- answer.
local kTryNextChange, kShowWhatWasMissed = 1, 2

local function hear(call_id, what)
  local rows = presence_tables.hear(call_id)
    and (what == kTryNextChange and {} or presence_tables.lamps_of(call_id))
  if not rows then return false end
  for _, row in ipairs(rows) do KSR.htable.sht_seti("late", row.uri, 1) end
  return true
end

-- If the database does not answer for a moment, catch_up() tries again: else the watcher would stay silent.
local function hear_or_try_again(call_id, what)
  if not hear(call_id, what) then KSR.htable.sht_seti("unheard", call_id, what) end
end

local acts = {
  silence = function(call_id)
    counts.add("watchers_silenced")
    presence_tables.silence(call_id)
  end,
  try = function(call_id) hear_or_try_again(call_id, kTryNextChange) end,
  hear = function(call_id) hear_or_try_again(call_id, kShowWhatWasMissed) end,
  forget = function(call_id)
    counts.add("watchers_forgotten")
    presence_tables.forget(call_id)
  end,
  -- The database may not have answered before.
  ["forget again"] = presence_tables.forget,
}

local function note(call_id, how, ...)
  local arguments = { ... }
  locked(call_id, function()
    local act = change(call_id, how, unpack(arguments))
    if act then acts[act](call_id) end
  end)
end

-- Of the NOTIFY at hand: its To is the watcher.
local function senders()
  local watcher, tenant = KSR.pv.gete("$tU"), KSR.pv.gete("$td")
  return sender_keys(watcher, tenant)
end

--- The request at hand, a NOTIFY, is sent.
function watching.notify_is_sent()
  lamps.count_notify()
  for _, key in ipairs(senders()) do KSR.htable.sht_inc("waiting", key) end
  note(KSR.kx.get_callid(), watchers.sent, KSR.pv.get("$Ts"))
end

--- It has a final answer, or was given up (408).
function watching.notify_is_over(status)
  for _, key in ipairs(senders()) do
    if waiting(key) > 0 then KSR.htable.sht_dec("waiting", key) end
  end
  note(KSR.kx.get_callid(), status == 408 and watchers.given_up or watchers.answered, KSR.pv.get("$Ts"))
end

--- Before a SUBSCRIBE (`call_id`) is accepted as decided in `d`: ends the subscriptions that it replaces; a watcher
--- that subscribes again hears again.
function watching.make_room(call_id, d)
  -- The entry ends 5 s after the table was counted.
  if d.replaces and #d.replaces == 0 and KSR.htable.sht_is_null("subscriptions", d.tenant) < 0 then
    KSR.htable.sht_inc("subscriptions", d.tenant)
  end
  for _, one in ipairs(d.replaces or {}) do
    counts.add("subscriptions_replaced")
    presence_tables.end_subscription(one)
  end
  if KSR.htable.sht_is_null("notified", call_id) < 0 then note(call_id, watchers.answered, KSR.pv.get("$Ts")) end
end

local function keys_of(name)
  local keys = {}
  KSR.htable.sht_iterator_start(name, name)
  while KSR.htable.sht_iterator_next(name) > 0 do keys[#keys + 1] = KSR.pv.get(("$shtitkey(%s)"):format(name)) end
  KSR.htable.sht_iterator_end(name)
  return keys
end

local function hear_again(call_id)
  local what = KSR.htable.sht_get("unheard", call_id)
  if not hear(call_id, what) then return false end
  KSR.htable.sht_rm("unheard", call_id)
  return true
end

--- Lets those watchers hear that answer again, and notifies the watchers of the lamps of which some have missed
--- changes.
function watching.catch_up()
  for _, call_id in ipairs(keys_of("unheard")) do
    if not locked(call_id, function() return hear_again(call_id) end) then return end
  end
  for _, uri in ipairs(keys_of("late")) do
    KSR.htable.sht_rm("late", uri)
    if not lamps.in_order(uri, function() return lamps.show_again(uri) end) then KSR.htable.sht_seti("late", uri, 1) end
  end
end

return watching
