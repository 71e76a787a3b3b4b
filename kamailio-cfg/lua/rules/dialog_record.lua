-- What Kamailio knows about a dialog, as a table with two sides: "a" called, "b" was called. Pure: text in, table out.
local seal = require("rules.seal")
local session_timer = require("rules.session_timer")
local sip_text = require("rules.sip_text")
local trunk_numbers = require("rules.trunk_numbers")
local cjson = require("cjson")

local dialog_record = {}

-- Confirmed, with and without the ACK of its 200 (dialog module, dlg_hash.h).
local kStateConfirmedWithoutAck, kStateConfirmed = 3, 4
dialog_record.kStatesConfirmed = { kStateConfirmedWithoutAck, kStateConfirmed }

local function reversed_hex(number) return ("%x"):format(number):reverse() end

-- The Route by which a request of this dialog finds its record in Kamailio. The dialog module writes and reads its two
-- numbers in hex with the digits reversed.
local function own_route(dialog, address, port, params)
  return ("<sip:%s:%d;lr;ftag=%s;did=%s.%s%s>"):format(address, port, dialog.caller.tag,
    reversed_hex(dialog.h_entry), reversed_hex(dialog.h_id), params)
end

local function variables_of(dialog)
  local variables = {}
  for _, pair in ipairs(dialog.variables or {}) do
    for name, value in pairs(pair) do variables[name] = value end
  end
  return variables
end

local function held(value)
  if not value then return nil end
  local since, device = value:match("^(%S+) (%S+)$")
  return since and { since = tonumber(since), device = device } or nil
end

-- As the party has written it: parkd's requests need no seal. But it shows whether the connection of an alias has
-- ended.
local function contact_of(leg)
  -- null: the module has not read the 2xx to its end, and its sender already sends a request.
  if type(leg.contact) ~= "string" then return nil end
  local uri, connection = seal.opened(leg.contact)
  return connection and seal.param(uri, "alias") and leg.contact or uri
end

local function side(leg, uri, party, sdp, held_value, numbers)
  local cseq = tonumber(leg.cseq) or 0
  return {
    tag = leg.tag,
    uri = uri,
    contact = contact_of(leg),
    cseq = cseq,
    seen_cseq = trunk_numbers.last(trunk_numbers.parse(numbers), cseq),
    route_set = leg.route_set or "",
    kind = party.kind,
    aor = party.aor,
    display = party.display or "",
    withheld = party.withheld,
    sdp = sdp or "",
    held = held(held_value),
  }
end

-- The parameters by which Kamailio's Route names the trunks of the dialog, so that parkd's requests bring them along.
-- Without trunks there are none.
local function trunk_params(dialog, parties, setup, make_seal)
  local known, described = pcall(cjson.decode, setup or "")
  if not known or type(described) ~= "table" or not described.tenant then return "" end
  if not described.from_trunk and not described.to_trunk then return "" end
  local function named(party, trunk) return setmetatable({ trunk = trunk }, { __index = party }) end
  return make_seal(dialog["call-id"], dialog.caller.tag, described.tenant, named(parties.a, described.from_trunk),
    named(parties.b, described.to_trunk))
end

local function record_of(dialog, address, port, make_seal)
  local variables = variables_of(dialog)
  local known, parties = pcall(cjson.decode, variables.parties or "")
  -- Kamailio does not follow this one: a followed call gets its parties before it is relayed, and is followed no more
  -- when parkd has answered it.
  if not known or variables.is_at_parkd then return nil end
  return {
    call_id = dialog["call-id"],
    confirmed = dialog.state == kStateConfirmed or dialog.state == kStateConfirmedWithoutAck,
    route = own_route(dialog, address, port, trunk_params(dialog, parties, variables.setup, make_seal)),
    session = session_timer.parse(variables.session),
    a = side(dialog.caller, dialog.from_uri, parties.a, variables.sdp_a, variables.held_a,
      variables.numbers_a),
    b = side(dialog.callee, dialog.to_uri, parties.b, variables.sdp_b, variables.held_b,
      variables.numbers_b),
  }
end

--- The records in an answer of dlg.dlg_list. `make_seal` makes the parameters of Kamailio's Route from the Call-ID, the
--- caller's tag, the tenant, the caller and the callee of a call.
function dialog_record.parse(answer, address, port, make_seal)
  local readable, decoded = pcall(cjson.decode, answer or "")
  local result = readable and type(decoded) == "table" and decoded.result
  if type(result) ~= "table" then return {} end
  local records = {}
  for _, dialog in ipairs(result["call-id"] and { result } or result) do
    records[#records + 1] = record_of(dialog, address, port, make_seal)
  end
  return records
end

--- "a" or "b": the side with this tag. nil if neither has it.
function dialog_record.side_of(record, tag)
  if record.a.tag == tag then return "a" end
  if record.b.tag == tag then return "b" end
  return nil
end

function dialog_record.other(side_name) return side_name == "a" and "b" or "a" end

-- A dialog variable is a column of 512 bytes: two names, two extensions, and their escapes.
local kDisplayBytesMax = 60

local function party(one)
  return {
    kind = one.kind,
    aor = one.aor,
    display = one.display and sip_text.shortened(one.display, kDisplayBytesMax),
    withheld = one.withheld or nil,
    outside = one.outside,
  }
end

--- The value of the variable `parties`: the two sides, each {kind, aor, display, withheld, outside}; `outside` is the
--- number that a trunk has reached for a ring group or a call flow.
function dialog_record.parties(a, b) return cjson.encode({ a = party(a), b = party(b) }) end

--- Back from there; two empty tables if it cannot be read.
function dialog_record.parse_parties(text)
  local known, parties = pcall(cjson.decode, text or "")
  return known and parties or { a = {}, b = {} }
end

return dialog_record
