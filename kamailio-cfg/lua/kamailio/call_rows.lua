-- Followed calls in the database (rules/call_row.lua). Workers note what has changed in the table `unwritten`, and one
-- process writes it: a database that hangs holds up no call. A Kamailio that is stopped keeps that table.
local call_row = require("rules.call_row")
local sip_text = require("rules.sip_text")
local sql = require("kamailio.sql")

local call_rows = {}

-- The row of `unwritten` that is always there.
local kNoCall = "-"

local kCallsMax = 50

local function locked(key, act)
  KSR.htable.sht_lock("unwritten", key)
  local done, problem = pcall(act)
  KSR.htable.sht_unlock("unwritten", key)
  if not done then error(problem, 0) end
end

local function number(name) return tonumber(KSR.pv.get("$dlg(" .. name .. ")")) end

local function key_of_this_call()
  local entry, id = number("h_entry"), number("h_id")
  return entry and id and call_row.key(entry, id), entry, id
end

-- `known` has attributes that the module does not have yet.
local function text_of_this_call(known)
  local attributes, variables = {}, {}
  for _, name in ipairs(call_row.kNumbers) do attributes[name] = number(name) or 0 end
  for _, name in ipairs(call_row.kTexts) do attributes[name] = KSR.pv.gete("$dlg(" .. name .. ")") end
  for name, value in pairs(known) do attributes[name] = value end
  for _, name in ipairs(call_row.kVariables) do variables[name] = KSR.pv.get("$dlg_var(" .. name .. ")") end
  return call_row.text(attributes, variables, KSR.pv.get("$Ts"))
end

-- dlg_hash.h.
local kStateConfirmedWithoutAck, kStateConfirmed = 3, 4

local function note(known)
  local key = key_of_this_call()
  local text = text_of_this_call(known)
  if not text then return KSR.warn("a call with longer texts than a row has is not known after a restart\n") end
  locked(key, function() KSR.htable.sht_sets("unwritten", key, text) end)
end

--- The call at hand has changed. One that is not answered is in no row.
function call_rows.changed()
  local state = number("state")
  if state == kStateConfirmedWithoutAck or state == kStateConfirmed then note({}) end
end

--- The 2xx at hand answers the call. What the module reads from it afterwards, the ACK brings: until then the call is
--- only written by the next Kamailio, without the other party's route set.
function call_rows.started()
  note({
    awaits_ack = true,
    to_tag = KSR.pv.gete("$tt"),
    to_contact = sip_text.address_uri(KSR.pv.gete("$ct")) or "",
    to_bindaddr = ("%s:%s:%d"):format(KSR.kx.get_proto():lower(), KSR.kx.get_rcvip(), KSR.kx.get_rcvport()),
  })
end

--- The call at hand has ended.
function call_rows.over()
  local key, entry, id = key_of_this_call()
  if not key then return end
  locked(key, function()
    if KSR.htable.sht_get("written", key) then
      KSR.htable.sht_sets("unwritten", key, call_row.over(entry, id))
    else
      KSR.htable.sht_rm("unwritten", key)
    end
  end)
end

-- Up to kCallsMax calls, each {key, text}; those that wait for their ACK only if `all` are wanted. From now on they may
-- have a row, so that their end deletes it.
local function take(all)
  local taken = {}
  KSR.htable.sht_iterator_start("unwritten", "unwritten")
  while #taken < kCallsMax and KSR.htable.sht_iterator_next("unwritten") > 0 do
    local key = KSR.pv.get("$shtitkey(unwritten)")
    local is_wanted = all or not call_row.awaits_ack(KSR.pv.get("$shtitval(unwritten)"))
    if key ~= kNoCall and is_wanted then taken[#taken + 1] = { key = key } end
  end
  KSR.htable.sht_iterator_end("unwritten")
  for i = #taken, 1, -1 do
    local one = taken[i]
    locked(one.key, function()
      one.text = KSR.htable.sht_get("unwritten", one.key)
      if one.text then KSR.htable.sht_seti("written", one.key, 1) end
    end)
    -- It has ended, and was never written.
    if not one.text then table.remove(taken, i) end
  end
  return taken
end

local function write(taken)
  local texts = {}
  for i, one in ipairs(taken) do texts[i] = one.text end
  for _, statement in ipairs(call_row.statements(texts)) do
    if not sql.done(statement) then return false end
  end
  return true
end

-- One by one, if the database does not store them together: one that it never stores must not keep the others.
local function write_each(taken)
  for _, one in ipairs(taken) do
    if not write({ one }) then
      if not sql.row("SELECT 1", { "one" }) then return false end
      -- The database may have come back in between.
      if not write({ one }) then KSR.err("the call " .. one.key .. " is not stored\n") end
    end
  end
  return true
end

-- What has changed again meanwhile is written the next time.
local function forget(taken)
  for _, one in ipairs(taken) do
    locked(one.key, function()
      if KSR.htable.sht_get("unwritten", one.key) ~= one.text then return end
      KSR.htable.sht_rm("unwritten", one.key)
      if call_row.is_over(one.text) then KSR.htable.sht_rm("written", one.key) end
    end)
  end
end

local function write_pending(all)
  local taken
  repeat
    taken = take(all)
    if not write(taken) and not write_each(taken) then return false end
    forget(taken)
  until #taken < kCallsMax
  return true
end

--- Writes what has changed. False if the database does not store it.
function call_rows.write() return write_pending(false) end

-- The rows in pages, each {id, entry, hash, call_id, from_tag, to_tag, variables}.
local kRowsMax = 50
local kColumns = { "id", "entry", "hash", "call_id", "from_tag", "to_tag", "variables" }

local function rows_after(id)
  local query = [[SELECT id, hash_entry, hash_id, callid, from_tag, to_tag, variables FROM dialog
    WHERE id > %d ORDER BY id LIMIT %d]]
  return sql.rows(query:format(id, kRowsMax), kColumns) or {}
end

--- At the start, before any other process reads a message: writes what the Kamailio before had not written, reads the
--- calls, and returns them, each {call_id, from_tag, to_tag, variables}.
function call_rows.restore()
  KSR.htable.sht_sets("unwritten", kNoCall, kNoCall)
  if write_pending(true) then sql.done("DELETE FROM unwritten_calls WHERE key_name <> '" .. kNoCall .. "'") end
  KSR.dialog.dlg_db_load_extra()
  local calls, id = {}, 0
  repeat
    local rows = rows_after(id)
    for _, row in ipairs(rows) do
      id = row.id
      KSR.htable.sht_seti("written", call_row.key(row.entry, row.hash), 1)
      local variables = call_row.variables(row.variables)
      calls[#calls + 1] = { call_id = row.call_id, from_tag = row.from_tag, to_tag = row.to_tag, variables = variables }
      if KSR.dialog.dlg_get(row.call_id, row.from_tag, row.to_tag) > 0 then
        for name, value in pairs(variables) do KSR.pv.sets("$dlg_var(" .. name .. ")", value) end
      end
    end
  until #rows < kRowsMax
  return calls
end

return call_rows
