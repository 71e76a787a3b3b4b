-- What the requests between Kamailio and parkd contain beyond SIP: header names, and the dialog record as JSON.
-- parkd has the same in kamailio_protocol/; tests/data/kamailio_protocol/ proves both. Pure.
local cjson = require("cjson")
local sip_text = require("rules.sip_text")

local protocol = {}

protocol.kTenant = "X-Callpark-Tenant"
protocol.kUser = "X-Callpark-User"
protocol.kName = "X-Callpark-Name"
protocol.kTrunk = "X-Callpark-Trunk"
protocol.kDialled = "X-Callpark-Dialled"
protocol.kDevice = "X-Callpark-Device"
protocol.kDialog = "X-Callpark-Dialog"
protocol.kAdoption = "X-Callpark-Adoption"
protocol.kCancelled = "X-Callpark-Cancelled"
protocol.kParkRate = "X-Callpark-Park-Rate"
protocol.kRecall = "X-Callpark-Recall"
protocol.kCaller = "X-Callpark-Caller"
protocol.kUnproven = "X-Callpark-Unproven"
protocol.kVerdict = "X-Callpark-Verdict"
protocol.kCSeq = "X-Callpark-CSeq"

--- The values of X-Callpark-Adoption.
protocol.kReleased, protocol.kKept = "released", "kept"
--- That of X-Callpark-Cancelled.
protocol.kYes = "yes"

--- How each of them begins. Kamailio removes all such headers from what arrives.
protocol.kPrefix = "X-Callpark-"

-- As the names in the record of a call.
local kDisplayBytesMax = 60

-- A JSON object with its members sorted as `names`; nil and false are left out. cjson itself does not sort.
local function object(names, values, encode)
  local members = {}
  for _, name in ipairs(names) do
    local value = values[name]
    if value ~= nil and value ~= false then
      members[#members + 1] = ("%s:%s"):format(cjson.encode(name), (encode[name] or cjson.encode)(value))
    end
  end
  return "{" .. table.concat(members, ",") .. "}"
end

local kSideMembers =
  { "tag", "uri", "display", "contact", "cseq", "route_set", "sdp", "kind", "aor", "withheld" }

-- What the other party has seen of the side's requests counts.
local function encode_side(side)
  local as_seen = setmetatable({ cseq = side.seen_cseq or side.cseq }, { __index = side })
  return object(kSideMembers, as_seen, {})
end

local kDialogMembers = { "call_id", "parker", "route", "caller", "callee", "held_at", "held_by", "session_seconds",
  "session_refresher" }

--- The JSON of X-Callpark-Dialog; `parker` is the side that parks, "a" or "b". It is one line: JSON escapes line ends.
function protocol.encode_dialog(record, parker)
  local hold, session = record[parker].held, record.session
  return object(kDialogMembers, {
    call_id = record.call_id,
    parker = parker == "a" and "caller" or "callee",
    route = record.route,
    caller = record.a,
    callee = record.b,
    held_at = hold and hold.since or nil,
    held_by = hold and hold.device or nil,
    session_seconds = session and session.seconds or nil,
    session_refresher = session and (session.refresher == "a" and "caller" or "callee") or nil,
  }, { caller = encode_side, callee = encode_side })
end

--- The type of a MESSAGE that asks parkd whether a call is permitted.
protocol.kCallQuestion = "application/vnd.callpark.call-question+json"

local kQuestionMembers = { "call_id", "called", "kind", "aor", "trunk", "uri", "display", "withheld" }

--- Its body.
function protocol.encode_question(call) return object(kQuestionMembers, call, {}) end

--- The headers by which a request to parkd names its sender, each {name, value}; `d` is the decision on it and `device`
--- where it came from.
function protocol.sender_headers(d, device)
  return {
    { protocol.kTenant, d.tenant },
    d.trunk and { protocol.kTrunk, d.trunk } or { protocol.kUser, d.user },
    { protocol.kDevice, device },
  }
end

--- The same for a request that may park, or leads to a menu: with the name of its sender, the number that was dialled,
--- and the dialog that is to be parked.
function protocol.feature_headers(d, device)
  local headers = protocol.sender_headers(d, device)
  if d.name then headers[#headers + 1] = { protocol.kName, sip_text.display_name(d.name, kDisplayBytesMax) } end
  if d.dialled then headers[#headers + 1] = { protocol.kDialled, d.dialled } end
  if d.dialog then
    headers[#headers + 1] = { protocol.kDialog, protocol.encode_dialog(d.dialog.record, d.dialog.side) }
  end
  return headers
end

--- The value of X-Callpark-User on an answer to a call of parkd's: the extension with the Contact that parkd has
--- called, or the member of a ring group that answers; of a party outside, its number. nil if neither. `called` is the
--- extension or the number that was called, nil if it may be the member.
function protocol.answerer(called, member)
  local party = called or member and (member.aor or (member.outside or ""):match("^%+%d+$"))
  return party and party:match("^[^@]+")
end

return protocol
