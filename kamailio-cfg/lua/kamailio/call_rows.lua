-- Followed calls in the database (rules/call_row.lua), and the CDRs of those that have ended. Workers note what has
-- changed in the table `unwritten`, and one process writes it: a database that hangs holds up no call. A Kamailio that
-- is stopped keeps that table; one that is killed leaves the begins and ends of calls in files.
local call_journal = require("kamailio.call_journal")
local call_row = require("rules.call_row")
local cdr = require("rules.cdr")
local shares = require("kamailio.shares")
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

-- The names of attributes and variables as the module pv knows them.
local function pseudo_variables(format, names)
  local list = {}
  for _, name in ipairs(names) do list[name] = format:format(name) end
  return list
end
local kNumbers = pseudo_variables("$dlg(%s)", call_row.kNumbers)
local kTexts = pseudo_variables("$dlg(%s)", call_row.kTexts)
local kVariables = pseudo_variables("$dlg_var(%s)", call_row.kVariables)

local function number(name) return tonumber(KSR.pv.get("$dlg(" .. name .. ")")) end

local function key_of_this_call()
  local entry, id = number("h_entry"), number("h_id")
  return entry and id and call_row.key(entry, id), entry, id
end

-- `known` has attributes that the module does not have yet.
local function text_of_this_call(known)
  local attributes, variables = {}, {}
  local pv = KSR.pv
  for name, attribute in pairs(kNumbers) do attributes[name] = tonumber(pv.get(attribute)) or 0 end
  for name, attribute in pairs(kTexts) do attributes[name] = pv.gete(attribute) end
  for name, value in pairs(known) do attributes[name] = value end
  for name, variable in pairs(kVariables) do variables[name] = pv.get(variable) end
  return call_row.text(attributes, variables, KSR.pv.get("$Ts"))
end

-- dlg_hash.h.
local kStateConfirmedWithoutAck, kStateConfirmed = 3, 4

local function md5(text)
  KSR.pv.sets("$var(content)", text)
  return KSR.pv.get("$(var(content){s.md5})")
end

-- The content of a text, as the table `written` has it.
local function fingerprint(text) return md5(call_row.content(text)) end

-- An answer or an ACK that is sent again changes nothing.
local function is_known(key, text)
  local pending = KSR.htable.sht_get("unwritten", key)
  if pending then return call_row.content(pending) == call_row.content(text) end
  return KSR.htable.sht_get("written", key) == fingerprint(text)
end

-- Nothing changes in a call that has ended, however late a worker notes it.
local function is_over(key)
  local pending = KSR.htable.sht_get("unwritten", key)
  return pending ~= nil and call_row.is_over(pending)
end

local function awaits_ack(key)
  local pending = KSR.htable.sht_get("unwritten", key)
  return pending ~= nil and call_row.awaits_ack(pending)
end

local function note(text)
  local key = key_of_this_call()
  if not text then return KSR.warn("a call with longer texts than a row has is not known after a restart\n") end
  -- Its ACK has come. At its answer this would delay what a party sends straight afterwards, and a Kamailio that is
  -- stopped ends its workers at once: none must be at a file while it holds a lock.
  if awaits_ack(key) then call_journal.note(key, call_row.begin(text)) end
  locked(key, function()
    if not is_over(key) and not is_known(key, text) then KSR.htable.sht_sets("unwritten", key, text) end
  end)
end

--- The call at hand has changed. One that is not answered is in no row.
function call_rows.changed()
  local state = number("state")
  if state == kStateConfirmedWithoutAck or state == kStateConfirmed then note(text_of_this_call({})) end
end

local function now_ms() return cdr.milliseconds(KSR.pv.get("$TV(Sn)")) end

--- The 2xx at hand answers the call. What the module reads from it afterwards, the ACK brings: until then the call is
--- only written by the next Kamailio, without the other party's route set.
function call_rows.started()
  KSR.pv.sets("$dlg_var(began)", ("%.0f"):format(now_ms()))
  note(text_of_this_call({
    awaits_ack = true,
    to_tag = KSR.pv.gete("$tt"),
    to_contact = sip_text.address_uri(KSR.pv.gete("$ct")) or "",
    to_bindaddr = ("%s:%s:%d"):format(KSR.kx.get_proto():lower(), KSR.kx.get_rcvip(), KSR.kx.get_rcvport()),
  }))
end

-- When the call at hand was answered, in milliseconds; nil if it was not. Of a call with a row of an older Kamailio,
-- the second is known.
local function began_ms(has_row)
  local began = tonumber(KSR.pv.get("$dlg_var(began)"))
  if began then return began end
  local second = has_row and number("start_ts") or 0
  return second > 0 and second * 1000 or nil
end

-- nil for a call that was never answered.
local function cdr_of_this_call(key, has_row, ended)
  local began = began_ms(has_row)
  if not began then return nil end
  local pv = KSR.pv
  local call_id = pv.gete("$dlg(callid)")
  local name = { call_id, pv.gete("$dlg(from_tag)"), pv.gete("$dlg(to_tag)"), key, ("%.0f"):format(began) }
  return cdr.line({
    id = md5(table.concat(name, "\n")),
    began_at = began,
    ended_at = now_ms(),
    ended = ended,
    setup = pv.get("$dlg_var(setup)"),
    parties = pv.get("$dlg_var(parties)"),
    from_uri = pv.gete("$dlg(from_uri)"),
    call_id = call_id,
  })
end

--- The call at hand has ended, as `ended` has it (cdr.ended), or was never answered.
function call_rows.over(ended)
  local key, entry, id = key_of_this_call()
  if not key then return end
  local has_row = KSR.htable.sht_get("written", key) ~= nil
  local its_cdr = cdr_of_this_call(key, has_row, ended)
  if not its_cdr and not has_row then return end
  local text = call_row.over(entry, id, its_cdr)
  call_journal.note(key, text)
  locked(key, function()
    -- If shared memory has no room: the journal ends without this call being stored.
    if KSR.htable.sht_sets("unwritten", key, text) < 0 then call_journal.set_aside(key, text) end
  end)
end

-- The keys of up to kCallsMax calls; of those that wait for their ACK only if `all` are wanted.
local function keys_to_write(all)
  local keys = {}
  KSR.htable.sht_iterator_start("unwritten", "unwritten")
  while #keys < kCallsMax and KSR.htable.sht_iterator_next("unwritten") > 0 do
    local key = KSR.pv.get("$shtitkey(unwritten)")
    local is_wanted = all or not call_row.awaits_ack(KSR.pv.get("$shtitval(unwritten)"))
    if key ~= kNoCall and is_wanted then keys[#keys + 1] = key end
  end
  KSR.htable.sht_iterator_end("unwritten")
  return keys
end

-- Each {key, text}. From now on they may have a row.
local function take(keys)
  local taken = {}
  for _, key in ipairs(keys) do
    locked(key, function()
      local text = KSR.htable.sht_get("unwritten", key)
      if not text then return end
      if not call_row.is_over(text) then KSR.htable.sht_sets("written", key, fingerprint(text)) end
      taken[#taken + 1] = { key = key, text = text }
    end)
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

-- Its CDR waits for another attempt. Its row must not: the next Kamailio would know a call that has ended.
local function set_aside(one)
  call_journal.set_aside(one.key, one.text)
  write({ { text = call_row.over(call_row.parse_key(one.key)) } })
end

-- One by one, if the database does not store them together: one that it never stores must not keep the others.
local function write_each(taken)
  for _, one in ipairs(taken) do
    if not write({ one }) then
      if not sql.row("SELECT 1", { "one" }) then return false end
      -- The database may have come back in between.
      if not write({ one }) then
        KSR.err("the database does not store the call " .. one.key .. "\n")
        if call_row.is_over(one.text) then set_aside(one) end
      end
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
  local keys
  repeat
    keys = keys_to_write(all)
    local taken = take(keys)
    if not write(taken) and not write_each(taken) then return false end
    forget(taken)
  until #keys < kCallsMax
  return true
end

local kRetrySeconds = 60
local retried_at = 0

-- What the database has refused, it may accept later: its disk was full, or a table was locked.
local function retry_refused()
  local now = KSR.pv.get("$Ts")
  if now - retried_at < kRetrySeconds then return end
  retried_at = now
  local refused, left = call_journal.refused(), {}
  if #refused == 0 then return end
  for _, one in ipairs(refused) do
    if not call_row.is_whole(one.text) or not write({ one }) then left[#left + 1] = one end
  end
  if #left < #refused then call_journal.keep_refused(left) end
end

--- Writes what has changed. False if the database does not store it.
function call_rows.write()
  if not write_pending(false) then return false end
  call_journal.forget_stored()
  retry_refused()
  return true
end

-- The rows in pages, each {id, entry, hash, call_id, from_tag, to_tag, variables}.
local kRowsMax = 50
local kColumns = { "id", "entry", "hash", "call_id", "from_tag", "to_tag", "variables" }

local function rows_after(id)
  local query = [[SELECT id, hash_entry, hash_id, callid, from_tag, to_tag, variables FROM dialog
    WHERE id > %d ORDER BY id LIMIT %d]]
  return sql.rows(query:format(id, kRowsMax), kColumns) or {}
end

-- What a killed Kamailio has left of calls, as a list of {key, text}: of each its end, or else its begin.
local function journal()
  local texts, list = {}, {}
  call_journal.each(function(key, text)
    if not call_row.is_whole(text) then return end
    if call_row.is_over(text) or not texts[key] then texts[key] = text end
  end)
  for key, text in pairs(texts) do list[#list + 1] = { key = key, text = text } end
  return list
end

local function write_journal(list)
  for first = 1, #list, kCallsMax do
    local some = { unpack(list, first, math.min(first + kCallsMax - 1, #list)) }
    if not write(some) and not write_each(some) then return false end
  end
  return true
end

-- Without the database at the start: ends that were not written before are written later.
local function keep_ends(list)
  for _, one in ipairs(list) do
    if call_row.is_over(one.text) then KSR.htable.sht_sets("unwritten", one.key, one.text) end
  end
end

--- At the start, before any other process reads a message: writes what the Kamailio before had not written, reads the
--- calls, and returns them, each {call_id, from_tag, to_tag, variables}.
function call_rows.restore()
  KSR.htable.sht_sets("unwritten", kNoCall, kNoCall)
  retry_refused()
  local left = journal()
  if write_journal(left) and write_pending(true) then
    sql.done("DELETE FROM unwritten_calls WHERE key_name <> '" .. kNoCall .. "'")
    call_journal.forget_all()
  else
    keep_ends(left)
  end
  KSR.dialog.dlg_db_load_extra()
  local calls, id = {}, 0
  repeat
    local rows = rows_after(id)
    for _, row in ipairs(rows) do
      id = row.id
      KSR.htable.sht_sets("written", call_row.key(row.entry, row.hash), "by a Kamailio before")
      local variables = call_row.variables(row.variables)
      calls[#calls + 1] = { call_id = row.call_id, from_tag = row.from_tag, to_tag = row.to_tag, variables = variables }
      if KSR.dialog.dlg_get(row.call_id, row.from_tag, row.to_tag) > 0 then
        for name, value in pairs(variables) do KSR.pv.sets("$dlg_var(" .. name .. ")", value) end
        for _, of in ipairs(cdr.trunks(variables.setup)) do shares.note_trunk(of.tenant, of.trunk) end
      end
    end
  until #rows < kRowsMax
  return calls
end

return call_rows
