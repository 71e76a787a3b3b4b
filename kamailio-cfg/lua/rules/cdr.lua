-- The CDR of an answered call, as JSON on one line: what the procedure end_calls enters into the table `cdrs`. Pure.
local cjson = require("cjson")
local dialog_record = require("rules.dialog_record")
local sip_text = require("rules.sip_text")
local utf8_text = require("rules.utf8_text")

local cdr = {}

-- Bytes, of columns with as many characters. A Call-ID may have characters of four bytes.
local kTextMax, kCallIdMax = 64, 4 * 255

local function quoted(text, bytes_max) return cjson.encode(utf8_text.cleaned(text or "", bytes_max or kTextMax)) end

--- The number that the caller of the request at hand has dialled.
function cdr.dialled(f)
  local number = f.did and f.did.dialled or f.dialled and f.dialled.text or f.ruri.user or ""
  return utf8_text.cleaned(number, kTextMax)
end

--- The dialog variable `setup` of the call that begins with the request at hand, by the decision `d` on it: what its
--- parties do not show.
function cdr.setup(f, d)
  return cjson.encode({
    tenant = d.setup.tenant,
    dialled = cdr.dialled(f),
    from_trunk = d.caller.kind == "trunk" and f.did and f.did.trunk or nil,
    to_trunk = d.trunks and d.trunks[1].trunk or nil,
  })
end

--- The same of a call of parkd's, which has no CDR.
function cdr.setup_of_parkd(tenant) return cjson.encode({ tenant = tenant }) end

-- Empty for a Kamailio before, which had no such variable.
local function parse_setup(text)
  local known, setup = pcall(cjson.decode, text or "")
  return known and type(setup) == "table" and setup or {}
end

--- The trunks of a call with this variable `setup`, each {tenant, trunk}.
function cdr.trunks(setup)
  local read, list = parse_setup(setup), {}
  for _, name in ipairs({ "from_trunk", "to_trunk" }) do
    if read[name] then list[#list + 1] = { tenant = read.tenant, trunk = read[name] } end
  end
  return list
end

--- The name of the trunk that is this side of the call, "a" or "b"; nil if none is.
function cdr.trunk_of(setup, side) return parse_setup(setup)[side == "a" and "from_trunk" or "to_trunk"] end

--- The variable `setup` of a call that `trunk` carries after all; nil if that is what it has already.
function cdr.carried_by(setup, trunk)
  local changed = parse_setup(setup)
  if not changed.tenant or changed.to_trunk == trunk then return nil end
  changed.to_trunk = trunk
  return cjson.encode(changed)
end

--- Milliseconds of a time "1700000000.123456".
function cdr.milliseconds(time) return math.floor(tonumber(time) * 1000) end

--- How a call has ended: `is_parked` if parkd has it from now on, `tag` in From of the BYE; nil if none came.
function cdr.ended(is_parked, tag, caller_tag)
  if is_parked then return "parked" end
  if not tag then return "timeout" end
  return tag == caller_tag and "caller" or "callee"
end

local function user_of(aor) return aor and aor:match("^([^@]*)@") end
local function domain_of(aor) return aor and aor:match("@(.*)$") end

local function caller_number(caller, from_uri)
  if caller.aor then return user_of(caller.aor) end
  -- What a trunk withholds is not kept; an extension is the account that is charged.
  local uri = not caller.withheld and sip_text.parse_uri(from_uri)
  return uri and uri.user or ""
end

local function direction(caller, callee)
  if caller.kind == "trunk" then return "incoming" end
  return callee.kind == "trunk" and "outgoing" or "internal"
end

local kLine = '{"id":"%s","began_at":%.0f,"ended_at":%.0f,"ended":"%s","tenant":%s,"direction":"%s","dialled":%s,'
  .. '"caller_kind":%s,"caller_number":%s,"caller_name":%s,"caller_withheld":%d,"caller_trunk":%s,'
  .. '"callee_kind":%s,"callee_number":%s,"callee_trunk":%s,"call_id":%s}'

--- The CDR. `call` is {id, began_at, ended_at, ended, setup, parties, from_uri, call_id}: an id of 32 hex digits,
--- times in milliseconds, the two dialog variables as they are, and texts of the network.
function cdr.line(call)
  local setup, parties = parse_setup(call.setup), dialog_record.parse_parties(call.parties)
  local caller, callee = parties.a, parties.b
  local is_to_trunk = callee.kind == "trunk"
  local callee_number = user_of(callee.aor) or is_to_trunk and callee.outside or setup.dialled
  return kLine:format(call.id, call.began_at, math.max(call.began_at, call.ended_at), call.ended,
    quoted(setup.tenant or domain_of(caller.aor) or domain_of(callee.aor)), direction(caller, callee),
    quoted(setup.dialled or callee_number),
    quoted(caller.kind), quoted(caller_number(caller, call.from_uri)), quoted(caller.withheld and "" or caller.display),
    caller.withheld and 1 or 0, quoted(setup.from_trunk),
    quoted(callee.kind), quoted(callee_number), quoted(is_to_trunk and setup.to_trunk or ""),
    quoted(call.call_id, kCallIdMax))
end

return cdr
