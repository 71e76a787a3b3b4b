-- The extensions' own lamps: they show that a call rings or talks. Of every call that Kamailio follows it stores the
-- extensions at which it shows; it publishes that only for extensions with a watched lamp.
local dialog_info = require("rules.dialog_info")
local keyed = require("kamailio.keyed")
local lamps = require("kamailio.lamps")
local presence_tables = require("kamailio.presence_tables")
local sip_text = require("rules.sip_text")
local talks = require("rules.talks")

local talking = {}

-- RFC 3261 17.1.1.2: as long as an answer to an INVITE may be under way.
local kTombstoneSeconds = 32

-- For a parkd that has died to come back, and to publish what has become of the call.
local kLeftSeconds = 10

local function locked(name, key, act)
  KSR.htable.sht_lock(name, key)
  local done, result = xpcall(act, debug.traceback)
  KSR.htable.sht_unlock(name, key)
  if not done then error(result, 0) end
  return result
end

local function calls_of(aor) return talks.parse(KSR.htable.sht_get("talks", aor)) end

-- Whether the lamp shows something else than before.
local function change(aor, call)
  return locked("talks", aor, function()
    local text = KSR.htable.sht_get("talks", aor)
    -- Nearly always it is the only call.
    if not text then
      if call.state then KSR.htable.sht_sets("talks", aor, talks.text({ call })) end
      return call.state ~= nil
    end
    local before = talks.parse(text)
    local after = talks.with(before, call)
    if #after == 0 then
      KSR.htable.sht_rm("talks", aor)
    else
      KSR.htable.sht_sets("talks", aor, talks.text(after))
    end
    return talks.differ(before, after)
  end)
end

local function parts(aor) return aor:match("^([^@]*)@(.*)$") end

local function is_watched(aor) return KSR.htable.sht_is_null("watched", aor) < 0 end

-- The last call that ended is named if none is left, so that a phone sees its end.
local function body_of(aor, ended)
  local shown = talks.shown(calls_of(aor))
    or { call_id = ended or "none", state = "terminated", direction = "recipient" }
  return dialog_info.make(aor, shown, keyed)
end

-- Whether some watchers of the lamp have not been notified of its last change.
local function is_untold(aor) return KSR.htable.sht_is_null("untold", aor) < 0 end

-- The body is made under the lock, so that the last process to publish publishes the last state.
local function publish(aor, ended)
  local user, domain = parts(aor)
  lamps.in_order(sip_text.uri(user, domain), function()
    if lamps.publish(user, domain, lamps.kByKamailio, body_of(aor, ended)) then
      KSR.htable.sht_rm("untold", aor)
    else
      KSR.htable.sht_seti("untold", aor, 1)
    end
  end)
end

local function names(people)
  local set = {}
  for _, one in ipairs(people) do set[one.aor] = true end
  return set
end

-- Stores that `people`, and no other extensions, have the call in `state`; returns the extensions with a lamp that
-- changes.
local function note(call_id, state, people)
  return locked("lit", call_id, function()
    local lit = talks.parse_lit(KSR.htable.sht_get("lit", call_id))
    local changed = {}
    if not talks.goes_on(lit.state, state) then return changed end
    local now = names(people)
    for _, one in ipairs(lit.people) do
      if not now[one.aor] and change(one.aor, { call_id = call_id }) then changed[#changed + 1] = one.aor end
    end
    for _, one in ipairs(people) do
      local call = { call_id = call_id, state = state, direction = one.direction }
      if change(one.aor, call) then changed[#changed + 1] = one.aor end
    end
    KSR.htable.sht_sets("lit", call_id, talks.lit_text({ state = state, people = people }))
    return changed
  end)
end

local function publish_changed(changed, ended)
  for _, aor in ipairs(changed) do
    if is_watched(aor) then publish(aor, ended) end
  end
end

--- The call is in `state` (early, confirmed) for `people`, each {aor, direction}, and for no other extension.
function talking.show(call_id, state, people) publish_changed(note(call_id, state, people)) end

--- The call has ended.
function talking.over(call_id)
  local changed = note(call_id, "over", {})
  KSR.htable.sht_setxs("lit", call_id, "over", kTombstoneSeconds)
  publish_changed(changed, call_id)
end

--- The parker has left a call that parkd has; the side that `stays` (initiator, recipient) shows it until parkd has
--- published its lamp, which may be a moment later.
function talking.leave_to_parkd(call_id, stays)
  local people = talks.staying(talks.parse_lit(KSR.htable.sht_get("lit", call_id)).people, stays)
  if #people == 0 then return talking.over(call_id) end
  KSR.htable.sht_seti("left", call_id, KSR.pv.get("$Ts") + kLeftSeconds)
  publish_changed(note(call_id, "confirmed", people), call_id)
end

local function end_left(call_id)
  KSR.htable.sht_rm("left", call_id)
  talking.over(call_id)
end

--- parkd has published the lamp of `aor`. Not to be called in the order of that lamp.
function talking.parkd_has_published(aor)
  for _, call in ipairs(calls_of(aor)) do
    if KSR.htable.sht_is_null("left", call.call_id) < 0 then end_left(call.call_id) end
  end
end

-- The keys of a table with values up to `value_max`, as a list: the iterator holds a lock.
local function keys_of(name, value_max)
  local keys = {}
  local key, value = ("$shtitkey(%s)"):format(name), ("$shtitval(%s)"):format(name)
  KSR.htable.sht_iterator_start(name, name)
  while KSR.htable.sht_iterator_next(name) > 0 do
    if KSR.pv.get(value) <= value_max then keys[#keys + 1] = KSR.pv.get(key) end
  end
  KSR.htable.sht_iterator_end(name)
  return keys
end

--- Ends the calls that were left to parkd, if it has not published their lamps in time.
function talking.end_overdue()
  for _, call_id in ipairs(keys_of("left", KSR.pv.get("$Ts"))) do end_left(call_id) end
end

--- Publishes again the lamps with watchers that could not be notified, most likely because the database was down.
function talking.publish_untold()
  for _, aor in ipairs(keys_of("untold", 1)) do publish(aor) end
end

--- The lamp of an extension is watched from now on. To be called in the order of that lamp, before its watcher gets the
--- first NOTIFY.
function talking.watch(aor)
  local is_right = is_watched(aor) and not is_untold(aor)
  -- First, since a call that changes now either finds it set or is seen below.
  KSR.htable.sht_seti("watched", aor, 1)
  if is_right then return end
  -- The other watchers of an untold lamp are notified later: talking.publish_untold().
  local user, domain = parts(aor)
  lamps.note(user, domain, lamps.kByKamailio, body_of(aor))
end

--- After a restart of Kamailio: `calls` are those that the database has kept, each {call_id, people}. Publishes the
--- lamps that are out of sync with them.
function talking.restore(calls)
  for _, aor in ipairs(presence_tables.watched()) do KSR.htable.sht_seti("watched", aor, 1) end
  for _, call in ipairs(calls) do note(call.call_id, "confirmed", call.people) end
  for _, aor in ipairs(talks.out_of_sync(presence_tables.lit(lamps.kByKamailio), calls)) do
    if is_watched(aor) then publish(aor) end
  end
end

return talking
