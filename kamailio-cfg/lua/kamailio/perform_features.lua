-- Carries out the decisions on what goes to parkd outside of its own dialogs: feature calls, REFERs, subscriptions.
local adoption = require("rules.adoption")
local adoption_marker = require("kamailio.adoption_marker")
local contact_header = require("kamailio.contact_header")
local park_rate = require("kamailio.park_rate")
local patience = require("rules.patience")
local protocol = require("rules.protocol")
local recalls = require("kamailio.recalls")
local relay = require("kamailio.relay")
local sip_text = require("rules.sip_text")

local perform_features = {}

-- parkd gets a number that names no host as one of the tenant, and one that is written in another way as it is in SQL.
local function name_host(f, d)
  if d.number then return KSR.seturi(sip_text.uri(d.number, d.tenant)) end
  if f.ruri.is_bare and f.dialled and f.dialled.clean then KSR.seturi(sip_text.uri(f.dialled.text, d.tenant)) end
end

local kParkdSet = 1
-- parkd may restart, or be about to answer.
local kRetryAfter = 5
local kDispatcherRoundRobin = 4

local function is_reached() return KSR.dispatcher.ds_select_dst(kParkdSet, kDispatcherRoundRobin) >= 0 end

-- Whether the request at hand is sent to parkd; if not, it is answered.
local function send(first_answer_ms)
  if not is_reached() then
    adoption_marker.finish("release")
    relay.reply(503, "Park Service Not Available", kRetryAfter)
    return false
  end
  relay.from_inside_socket()
  KSR.tm.t_set_fr(patience.kFeatureMs, first_answer_ms)
  KSR.tm.t_on_reply("ksr_onreply_feature")
  KSR.tm.t_on_failure("ksr_failure_feature")
  local is_sent = relay.send()
  if not is_sent then adoption_marker.finish("release") end
  return is_sent
end

--- parkd's answers and NOTIFYs come back the same way, so that its requests find the phone.
function perform_features.subscribe_at_parkd(f, d)
  relay.drop_credentials()
  relay.append_headers(protocol.sender_headers(d, f.source.device))
  if f.is_behind_nat then KSR.nathelper.set_contact_alias() end
  name_host(f, d)
  contact_header.keep_connection(f)
  KSR.rr.record_route()
  send(patience.kParkdMs)
end

local function prepare(f, d)
  relay.drop_credentials()
  relay.append_headers(protocol.feature_headers(d, f.source.device))
  if d.marker then adoption_marker.hold(d.marker, d.other_tag) end
end

-- As a party of the call. parkd itself may call a menu.
local function caller_of(f, d)
  if f.from_parkd then return relay.kParkd end
  return d.trunk and { kind = "trunk", trunk = d.trunk } or { kind = "extension", aor = d.user .. "@" .. d.tenant }
end

function perform_features.feature_call(f, d)
  prepare(f, d)
  name_host(f, d)
  relay.record_route(f, caller_of(f, d), relay.kParkd, d.tenant)
  if d.replaces_recall then recalls.begin(d.replaces_recall, f.call_id) end
  if not send(patience.kParkdMs) then recalls.over(d.replaces_recall) end
end

--- Sends the call at hand, which no member of a ring group has answered, to parkd as a call to `uri`; its Record-Route
--- is already in it. Whether that was possible.
function perform_features.send_on(uri, headers)
  if not is_reached() then return false end
  KSR.seturi(uri)
  relay.append_headers(headers)
  relay.from_inside_socket()
  KSR.tm.t_set_fr(patience.kFeatureMs, patience.kParkdMs)
  KSR.tm.t_set_max_lifetime(patience.kFeatureMs, 0)
  return KSR.tm.t_relay() >= 0
end

--- The Route stays in: it is the way to the other party, which parkd's own requests have to go.
function perform_features.refer(f, d)
  prepare(f, d)
  -- The same for one that parkd cannot read.
  if f.refer_to and f.refer_to.needs_host then
    for _, name in ipairs({ "Refer-To", "r" }) do KSR.hdr.remove(name) end
    relay.append_header("Refer-To", ("<%s>"):format(sip_text.uri(f.refer_to.number, d.tenant)))
  end
  relay.unseal_target()
  send(patience.kParkdReferMs)
end

--- parkd has answered with `status`; `said` is X-Callpark-Adoption of the answer, or false, and `rate` the parks a
--- second that it can do if it refuses some, or false.
function perform_features.on_answer(status, said, rate)
  if rate then park_rate.note(rate) end
  local becomes = adoption.on_answer(status, said)
  if becomes then adoption_marker.finish(becomes) end
end

function perform_features.on_failure(is_cancelled, is_timeout)
  local becomes = adoption.on_failure(is_cancelled, is_timeout)
  adoption_marker.finish(becomes.marker)
  if not becomes.code then return end
  relay.suggest_retry(kRetryAfter)
  KSR.tm.t_reply(becomes.code, becomes.reason)
end

return perform_features
