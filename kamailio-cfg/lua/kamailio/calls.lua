-- The ordinary calls, as the dialog module keeps them: looked up, described when they begin, and followed while they
-- last (last SDP of each side, and the holds).
local adoption_marker = require("kamailio.adoption_marker")
local call_rows = require("kamailio.call_rows")
local cdr = require("rules.cdr")
local dialog_record = require("rules.dialog_record")
local held_calls = require("rules.held_calls")
local hold = require("rules.hold")
local keyed = require("kamailio.keyed")
local sdp_digest = require("rules.sdp_digest")
local seal = require("rules.seal")
local session_timer = require("rules.session_timer")
local settings = require("kamailio.settings")
local talking = require("kamailio.talking")
local talks = require("rules.talks")
local trunk_numbers = require("rules.trunk_numbers")
local cjson = require("cjson")

local calls = {}

-- A phone has few calls on hold. More are left over from dialogs that ended without a BYE.
local kHeldCallsMax = 16

-- Through $dlg_var: KSR.dialog.var_sets() of 5.6.3 does not lock the dialog.
local function variable(name) return KSR.pv.get("$dlg_var(" .. name .. ")") end
local function set_variable(name, value) KSR.pv.sets("$dlg_var(" .. name .. ")", value) end

local kNotHeld = "-"

-- As Kamailio has sealed its Record-Route, but for the address of the caller.
local function make_seal(call_id, caller_tag, tenant, caller, callee)
  local f = { keyed = keyed, call_id = call_id, from_tag = caller_tag, source = { ip = "" } }
  return seal.record_route(f, caller, callee, tenant, {})
end

-- One record, though several calls may have the Call-ID; `caller_tag` nil: of any of them.
local function find_called_by(call_id, caller_tag, tag, other_tag)
  local about = { jsonrpc = "2.0", id = 1, method = "dlg.dlg_list", params = { call_id, caller_tag } }
  KSR.jsonrpcs.exec(cjson.encode(about))
  local answer = KSR.pv.get("$jsonrpl(body)")
  for _, record in ipairs(dialog_record.parse(answer, settings.address, settings.port, make_seal)) do
    local side = dialog_record.side_of(record, tag)
    if side and (not other_tag or record[dialog_record.other(side)].tag == other_tag) then return record end
  end
  return false
end

--- The record of the dialog with these two tags, whichever is the caller's, or false. By RPC, since dlg_get would
--- attach the request at hand to that dialog. `other_tag` may be nil.
function calls.find(call_id, tag, other_tag)
  return find_called_by(call_id, tag, tag, other_tag) or find_called_by(call_id, other_tag, tag, other_tag)
end

--- The request at hand begins a call that is followed from here on; each party is {kind, aor, display, withheld}, and
--- `setup` is for its CDR (cdr.setup).
function calls.begin(caller, callee, setup)
  KSR.dialog.dlg_manage()
  set_variable("parties", dialog_record.parties(caller, callee))
  set_variable("setup", setup)
  -- The two extensions, for their lamps, without having to read `parties` at each answer.
  KSR.pv.sets("$avp(begins)", ("%s %s"):format(caller.aor or "-", callee.aor or "-"))
end

--- The request at hand begins a call of parkd's, which is not followed, but counts as one of its trunk.
function calls.count(tenant)
  KSR.dialog.dlg_manage()
  set_variable("is_at_parkd", "1")
  set_variable("setup", cdr.setup_of_parkd(tenant))
end

local function parties_of_this_call() return dialog_record.parse_parties(variable("parties")) end

--- The name of the trunk that the dialog at hand leads to from `side`; nil if it leads to none.
function calls.trunk_beside(side) return cdr.trunk_of(variable("setup"), dialog_record.other(side)) end

--- How the requests of `side` are numbered (rules/trunk_numbers.lua); nil if as it has numbered them.
function calls.numbers(side) return variable("numbers_" .. side) end

--- A request that `side` has numbered `cseq` has reached the trunk as `number`. Whether anything has changed.
function calls.note_number(side, method, cseq, number)
  local before = calls.numbers(side)
  local text = trunk_numbers.text(trunk_numbers.after(trunk_numbers.parse(before), method, cseq, number))
  if not text or text == before then return false end
  set_variable("numbers_" .. side, text)
  return true
end

-- Reads and writes the list that a table (held, holding) has of an extension as one: two of its calls may be put on
-- hold at the same moment.
local function change_list(name, aor, change)
  KSR.htable.sht_lock(name, aor)
  local done, problem = pcall(function()
    local lines = {}
    for line in (KSR.htable.sht_get(name, aor) or ""):gmatch("[^\n]+") do lines[#lines + 1] = line end
    change(lines)
    if #lines == 0 then
      KSR.htable.sht_rm(name, aor)
    else
      KSR.htable.sht_sets(name, aor, table.concat(lines, "\n"))
    end
  end)
  KSR.htable.sht_unlock(name, aor)
  if not done then error(problem) end
end

local function without(lines, unwanted)
  for i = #lines, 1, -1 do
    if lines[i] == unwanted then table.remove(lines, i) end
  end
end

-- As the last line, and only once.
local function append(lines, line)
  without(lines, line)
  while #lines >= kHeldCallsMax do table.remove(lines, 1) end
  lines[#lines + 1] = line
end

local function set_held(side, tag, device)
  local aor = parties_of_this_call()[side].aor
  set_variable("held_" .. side, KSR.pv.get("$TV(Sn)") .. " " .. device)
  if not aor then return end
  local line = KSR.kx.get_callid() .. " " .. tag
  change_list("held", aor, function(lines) append(lines, line) end)
end

local function set_not_held(side, tag)
  set_variable("held_" .. side, kNotHeld)
  local aor = parties_of_this_call()[side].aor
  if not aor then return end
  local line = KSR.kx.get_callid() .. " " .. tag
  change_list("held", aor, function(lines) without(lines, line) end)
end

local function is_held(side)
  local value = variable("held_" .. side)
  return value ~= nil and value ~= kNotHeld
end

local function keep_sdp(side, digest)
  local name = "sdp_" .. side
  local value = digest == "" and sdp_digest.kTooLong or digest
  if variable(name) ~= value then set_variable(name, value) end
end

-- What a 2xx agrees to, nil for no session timer.
local function keep_session(agreed)
  local before = variable("session")
  if (before or "-") ~= (agreed or "-") then set_variable("session", agreed or "-") end
end

-- The tags of the message at hand by side; `side_of_from` is the side in From.
local function tags(side_of_from)
  local from, to = KSR.pv.gete("$ft"), KSR.pv.gete("$tt")
  if side_of_from == "a" then return { a = from, b = to } end
  return { a = to, b = from }
end

local function store_holds(before, after, requester, devices)
  local tag = tags(requester)
  for _, side in ipairs({ "a", "b" }) do
    if after[side] and not before[side] then set_held(side, tag[side], devices[side]) end
    if before[side] and not after[side] then set_not_held(side, tag[side]) end
  end
end

-- The extension of `side` may hold this call, as soon as its request has an answer or its ACK comes.
local function note_holding(side)
  local holder = parties_of_this_call()[side].aor
  if not holder then return end
  local call_id = KSR.kx.get_callid()
  change_list("holding", holder, function(lines) append(lines, call_id) end)
  KSR.pv.sets("$avp(holder)", holder)
end

--- A request of `side` passes, with `body`. `device` sent it; nil if parkd did: its requests are no hold. If
--- `answers_in_ack`, it is a re-INVITE, the ACK of which brings the answer if the request has no offer (RFC 3261 14.1).
function calls.request_passes(side, body, device, answers_in_ack)
  local digest = sdp_digest.make(body)
  local previous = sdp_digest.direction(variable("sdp_" .. side) or "") or ""
  if digest then keep_sdp(side, digest) end
  KSR.pv.sets("$avp(requester)", side)
  KSR.pv.sets("$avp(previous)", previous)
  KSR.pv.sets("$avp(request_device)", device or "")
  local direction = digest and sdp_digest.direction(digest) or ""
  KSR.pv.sets("$avp(offer)", direction)
  local awaits_ack = answers_in_ack and direction == ""
  if awaits_ack then KSR.pv.sets("$avp(awaits_ack)", "1") end
  if device and (awaits_ack or hold.is_asked_by(direction, previous)) then note_holding(side) end
end

--- Whether an extension has sent a hold that has no answer yet.
function calls.is_holding(aor) return KSR.htable.sht_get("holding", aor) ~= nil end

-- The exchange at hand is over, and the holds in it are stored.
local function no_longer_holding(holder)
  if not holder then return end
  local call_id = KSR.kx.get_callid()
  change_list("holding", holder, function(lines) without(lines, call_id) end)
end

-- Stores what the answer to the request of `requester` means for both sides. `devices` is nil if parkd sent the
-- request.
local function note_answer(requester, offer, digest, devices, previous)
  keep_sdp(dialog_record.other(requester), digest)
  if not devices then return end
  local before = { a = is_held("a"), b = is_held("b") }
  local after = hold.after_answer(before, requester, offer, sdp_digest.direction(digest), previous)
  store_holds(before, after, requester, devices)
end

-- The extensions of the call that begins: its caller, and the callee unless `callee_aors` are given.
local function people_of(begins, callee_aors)
  local caller, callee = begins:match("^(%S+) (%S+)$")
  return talks.people(caller ~= "-" and caller or nil, callee_aors or { callee ~= "-" and callee or nil })
end

-- The 2xx at hand, if the dialog module accepts it: calls.started() follows then.
local first_answer

--- A message of the call at hand has passed, and has changed it, if only its CSeq.
function calls.changed()
  if not variable("is_at_parkd") then call_rows.changed() end
end

--- Whether Kamailio follows the call of the transaction at hand; it does not follow parkd's own.
function calls.is_followed() return KSR.pv.get("$avp(requester)") ~= nil end

--- An answer passes, from `device`, and the call is followed by it. `answerer` is the party that sent it, if that was
--- not known when the call began, and `trunk` is that by which it has come (outgoing.answer_passes); both may be nil.
function calls.reply_passes(body, device, answerer, trunk)
  local requester = KSR.pv.get("$avp(requester)")
  if not requester then
    first_answer = trunk and { tag = KSR.pv.gete("$tt"), trunk = trunk }
    return
  end
  local digest = sdp_digest.make(body)
  local status = KSR.pv.get("$rs")
  -- For what the caller sends before the call is answered; of several trunks that answer, the 2xx decides.
  if trunk and status > 100 and status < 200 then calls.note_number(requester, "INVITE", trunk.cseq, trunk.number) end
  local is_2xx = status >= 200 and status <= 299
  local offer = KSR.pv.gete("$avp(offer)")
  local request_device = KSR.pv.gete("$avp(request_device)")
  local devices = is_2xx and request_device ~= ""
    and { [requester] = request_device, [dialog_record.other(requester)] = device } or nil
  local previous = KSR.pv.gete("$avp(previous)")
  local session = is_2xx and session_timer.agreed(KSR.pv.get("$hdr(Session-Expires)"), requester) or nil
  local begins = is_2xx and KSR.pv.get("$avp(begins)")
  if begins then
    first_answer = { tag = KSR.pv.gete("$tt"), answerer = answerer, trunk = trunk, requester = requester,
      offer = offer, session = session, digest = digest, devices = devices,
      people = people_of(begins, answerer and { answerer.aor }) }
  else
    if is_2xx then keep_session(session) end
    if digest then note_answer(requester, offer, digest, devices, previous) end
  end
  local is_over = status >= 200 and not (is_2xx and KSR.pv.get("$avp(awaits_ack)"))
  if is_over then no_longer_holding(KSR.pv.get("$avp(holder)")) end
  if status >= 200 then calls.changed() end
end

-- The last 2xx that passed, if it is the one that has begun the dialog; nil otherwise. Several devices may answer at
-- once.
local function take_first_answer()
  local answer = first_answer
  first_answer = nil
  return answer and answer.tag == KSR.pv.gete("$tt") and answer or nil
end

-- Which trunk has carried the call after all.
local function note_trunk(answer)
  local setup = answer and answer.trunk and cdr.carried_by(variable("setup"), answer.trunk.trunk)
  if setup then set_variable("setup", setup) end
end

local function note_first_answer(answer)
  if answer.answerer then
    set_variable("parties", dialog_record.parties(parties_of_this_call().a, answer.answerer))
  end
  note_trunk(answer)
  local trunk = answer.trunk
  if trunk then calls.note_number(answer.requester, "INVITE", trunk.cseq, trunk.number) end
  keep_session(answer.session)
  if answer.digest then note_answer(answer.requester, answer.offer, answer.digest, answer.devices) end
  talking.show(KSR.kx.get_callid(), "confirmed", answer.people)
end

--- The call has been answered. Behind a ring group that may be parkd: a call of parkd's is none of Kamailio's.
function calls.started()
  local answer = take_first_answer()
  if variable("is_at_parkd") then return note_trunk(answer) end
  if answer and answer.answerer and answer.answerer.kind == "parkd" then
    set_variable("is_at_parkd", "1")
    return talking.over(KSR.kx.get_callid())
  end
  if answer then note_first_answer(answer) end
  call_rows.started()
end

--- The dialog at hand has ended, or was never answered. If a parker leaves, the other party stays.
function calls.over()
  local call_id, caller_tag = KSR.pv.gete("$dlg(callid)"), KSR.pv.gete("$dlg(from_tag)")
  local function is_marked(tag) return adoption_marker.find(call_id, tag) ~= false end
  local stays = talks.side_that_stays(is_marked(caller_tag), is_marked(KSR.pv.gete("$dlg(to_tag)")))
  call_rows.over(cdr.ended(stays ~= nil, KSR.is_BYE() and KSR.pv.gete("$ft") or nil, caller_tag))
  if stays then talking.leave_to_parkd(call_id, stays) else talking.over(call_id) end
end

--- The call that begins rings; `members` are those of a ring group, nil without one.
function calls.rings(members)
  local begins = KSR.pv.get("$avp(begins)")
  if not begins then return end
  local ringing = members and table.concat(members, " ") or "callee"
  if KSR.pv.get("$avp(rings)") == ringing then return end
  KSR.pv.unset("$avp(rings)")
  KSR.pv.sets("$avp(rings)", ringing)
  talking.show(KSR.kx.get_callid(), "early", people_of(begins, members))
end

--- An ACK of `side` passes; with a body, it brings the answer to the offer of the 2xx. `device` sent it; nil if parkd
--- did.
function calls.ack_passes(side, body, device)
  local digest = sdp_digest.make(body)
  if not digest then return end
  keep_sdp(side, digest)
  if not device then return end
  local other = dialog_record.other(side)
  local offer = variable("sdp_" .. other)
  local before = { a = is_held("a"), b = is_held("b") }
  local after = hold.after_ack(before, side, offer and sdp_digest.direction(offer), sdp_digest.direction(digest))
  -- The offerer's own hold is stored since the 2xx, under the device that sent it.
  after[other] = before[other]
  store_holds(before, after, side, { [side] = device })
  no_longer_holding(parties_of_this_call()[side].aor)
  calls.changed()
end

--- The call ends.
function calls.ended(requester)
  local tag = tags(requester)
  for _, side in ipairs({ "a", "b" }) do
    if is_held(side) then set_not_held(side, tag[side]) end
  end
end

--- The calls that an extension has on hold, for held_calls.choose: without those that are being parked.
function calls.held_by(aor)
  local candidates = {}
  for line in (KSR.htable.sht_get("held", aor) or ""):gmatch("[^\n]+") do
    local call_id, tag = line:match("^(%S+) (%S+)$")
    local record = call_id and calls.find(call_id, tag)
    local is_marked = record and adoption_marker.find(call_id, tag) ~= false
    candidates[#candidates + 1] = held_calls.candidate(record, tag, is_marked)
  end
  return candidates
end

-- Fills the lists of holds, the oldest first.
local function restore_held(restored)
  local holds = {}
  for _, call in ipairs(restored) do
    local parties = dialog_record.parse_parties(call.variables.parties)
    for side, tag in pairs({ a = call.from_tag, b = call.to_tag }) do
      local value, aor = call.variables["held_" .. side], parties[side].aor
      if aor and value and value ~= kNotHeld then
        holds[#holds + 1] = { since = value, aor = aor, line = call.call_id .. " " .. tag }
      end
    end
  end
  table.sort(holds, function(one, other) return one.since < other.since end)
  for _, hold_of in ipairs(holds) do
    change_list("held", hold_of.aor, function(lines) lines[#lines + 1] = hold_of.line end)
  end
end

--- At the start: the calls that the database has kept while Kamailio was down, their holds, and the lamps of their
--- parties.
function calls.restore()
  local restored, lit = call_rows.restore(), {}
  restore_held(restored)
  for i, call in ipairs(restored) do
    local parties = dialog_record.parse_parties(call.variables.parties)
    lit[i] = { call_id = call.call_id, people = talks.people(parties.a.aor, { parties.b.aor }) }
  end
  talking.restore(lit)
end

return calls
