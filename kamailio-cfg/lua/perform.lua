-- Carries out what decide.lua has decided. One function an action; here Kamailio is told what to do.
local adoption_marker = require("adoption_marker")
local calls = require("calls")
local dialog_record = require("dialog_record")
local contact = require("contact")
local dialog_info = require("dialog_info")
local facts = require("facts")
local lamps = require("lamps")
local registrations = require("registrations")
local ring_steps = require("ring_steps")
local ringing = require("ringing")
local settings = require("settings")
local sip_text = require("sip_text")
local talking = require("talking")

local perform = {}

-- How long until the first answer. Phones and trunks get what RFC 3261 gives, a silent phone less, so that a call to it
-- ends; parkd is near, and if it has not answered by then it does not live. It answers a REFER when it has the orbit
-- and the music, and twice it may wait 2 s for the database. On a busy machine, or while it restarts, its answer to a
-- call comes as late, and a late retrieve is better than a refusal. A BYE waits for a parkd that is restarted.
local kRingMs, kPhoneMs, kTransactionMs = 180000, 10000, 30000
local kFeatureMs, kParkdMs, kParkdReferMs, kParkdByeMs = 60000, 6000, 6000, 16000
local kParkdInDialogMs = { REFER = kParkdReferMs, BYE = kParkdByeMs,
  -- parkd asks the other party first.
  UPDATE = kTransactionMs, INFO = kTransactionMs, MESSAGE = kTransactionMs }

-- Until a request that came before a BYE is surely being handled: as long as a busy machine may let a worker wait. And
-- until it is asked for the first time again whether a hold has its answer.
local kEarlierReferMs, kHoldMs = 50, 50

-- As of the names in calls between others.
local kDisplayBytesMax = 60

local kParkdSet = 1
local kDispatcherRoundRobin = 4

local function reply(code, reason) KSR.sl.send_reply(code, reason) end

-- Credentials are for us, and a phone repeats them in each request whether it was asked or not.
local function drop_credentials() KSR.hdr.remove("Proxy-Authorization") end

local function relay()
  if KSR.tm.t_relay() >= 0 then return true end
  KSR.sl.sl_reply_error()
  return false
end

local function append_header(name, value) KSR.hdr.append(name .. ": " .. value .. "\r\n") end

local function set_patience(first_answer_ms) KSR.tm.t_set_fr(kRingMs, first_answer_ms) end

local function force_socket(socket) KSR.pv.sets("$fs", socket) end

----- answers of our own

function perform.refuse(_, d) reply(d.code, d.reason) end

function perform.drop() end

function perform.answer_options()
  KSR.hdr.append_to_reply(
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, REFER, SUBSCRIBE, NOTIFY, UPDATE, PRACK, INFO\r\n")
  reply(200, "OK")
end

-- RFC 6665 8.3.1: a 489 says which events there are.
function perform.refuse_event()
  KSR.hdr.append_to_reply("Allow-Events: dialog, call-info, refer\r\n")
  reply(489, "Bad Event")
end

local kChallengeWithQop, kChallengeStale = 1, 16

function perform.challenge(f, d)
  if d.wrong then facts.count_guess(f, d.realm) end
  KSR.auth.auth_challenge(d.realm, kChallengeWithQop + (d.stale and kChallengeStale or 0))
end

local function make_room(f)
  local newcomer = facts.registering()
  if not newcomer then return end
  local aor = ("sip:%s@%s"):format(f.to.user, f.to.host)
  local max = tonumber(KSR.pv.get("$sel(cfg_get.registrar.max_contacts)"))
  local stale = registrations.stale(facts.registered(aor), newcomer, max)
  if stale then KSR.registrar.unregister_ruid("location", aor, stale.ruid) end
end

function perform.register(f)
  if facts.is_behind_nat() then KSR.nathelper.fix_nated_register() end
  make_room(f)
  if KSR.registrar.save("location", 0) < 0 then return KSR.sl.sl_reply_error() end
  facts.note_phones()
end

function perform.cancel()
  if KSR.tm.t_check_trans() > 0 then KSR.tm.t_relay() end
end

----- new calls

-- RFC 3325 5: who somebody is, is not his to assert.
local function drop_asserted_identity()
  KSR.hdr.remove("P-Asserted-Identity")
  KSR.hdr.remove("P-Preferred-Identity")
  KSR.hdr.remove("Remote-Party-ID")
end

-- Marks the transaction of a call in whose place another has come.
local kReplacedFlag = 1

-- A parkd that has died may have left phones ringing for the same parked call.
local function end_earlier_recall(park_id, call_id)
  local earlier = KSR.htable.sht_get("recalls", park_id)
  if earlier then KSR.tmx.t_cancel_callid(earlier, "1", kReplacedFlag) end
  KSR.htable.sht_sets("recalls", park_id, call_id)
end

local function begin_call(f, d)
  drop_credentials()
  -- RFC 3325 7: who withholds his identity is not told to phones.
  if d.caller and (d.caller.kind == "extension" or d.caller.withheld) then drop_asserted_identity() end
  if f.method ~= "INVITE" then
    set_patience(kTransactionMs)
    return
  end
  KSR.rr.record_route()
  set_patience(kPhoneMs)
  if f.recall then end_earlier_recall(f.recall, f.call_id) end
  -- Calls that parkd makes are its own; only what the phones and trunks have between them can be adopted.
  if not d.caller then return end
  local body = KSR.kx.gete_body()
  calls.begin(d.caller, d.callee)
  calls.request_passes("a", body, f.source.device)
  KSR.tm.t_on_reply("ksr_onreply_call")
end

function perform.to_extension(f, d)
  KSR.seturi("sip:" .. d.aor)
  local found = KSR.registrar.lookup("location")
  if found == -2 then return reply(405, "Method Not Allowed") end
  if found < 0 then return reply(480, "Temporarily Unavailable") end
  begin_call(f, d)
  relay()
end

function perform.to_contact(f, d)
  KSR.seturi(d.contact)
  if d.received then KSR.setdsturi(d.received) end
  begin_call(f, d)
  -- parkd has the Contact of somebody's transfer, and does not know whose it is.
  if f.from_parkd then
    KSR.pv.sets("$avp(called_at_contact)", d.callee.aor)
    KSR.tm.t_on_reply("ksr_onreply_call")
  end
  force_socket(settings.outside_socket)
  relay()
end

function perform.to_trunk(f, d)
  KSR.seturi(ringing.trunk_uri(d.number, d.trunk))
  begin_call(f, d)
  force_socket(settings.outside_socket)
  relay()
end

----- lamps

-- The presence module takes the Contact as it finds it in the message, and sends there.
local function make_contact_reachable()
  local value = KSR.pv.get("$ct")
  local reachable = value and contact.reachable(value, {
    proto = KSR.kx.get_proto():lower(), ip = KSR.kx.get_srcip(), port = KSR.kx.get_srcport(),
    is_behind_nat = facts.is_behind_nat(),
  })
  if not reachable or reachable == value then return end
  KSR.hdr.remove("Contact")
  append_header("Contact", reachable)
  KSR.textopsx.msg_apply_changes()
end

-- Whether no other worker has the same request: one that is repeated must not become a second subscription, nor undo
-- what has been published behind it.
local function is_first_of_its_kind() return KSR.tm.t_newtran() > 0 end

local function handle_subscribe(f, d, uri, before)
  make_contact_reachable()
  if not is_first_of_its_kind() then return end
  lamps.in_order(uri, function()
    if before and f.expires ~= 0 then before() end
    KSR.presence.handle_subscribe_uri(lamps.uri(d.watcher, d.tenant))
  end)
end

function perform.watch_lamp(f, d)
  local uri = lamps.uri(d.user, d.tenant)
  KSR.seturi(uri)
  handle_subscribe(f, d, uri, d.is_extension and function() talking.watch(d.user .. "@" .. d.tenant) end)
end

function perform.watch_lamp_again(f, d)
  handle_subscribe(f, d, d.uri, function() talking.watch(d.uri:match("^sip:(.*)$")) end)
end

local kPublicationSecondsMax = 3600

-- Status, reason and, when it was taken, the new entity-tag.
local function publish(f, d, seconds)
  local known = lamps.etag(d.user, d.tenant, lamps.kByParkd)
  if known == nil then return 503, "Database Not Available" end
  -- RFC 3903 6: what it wants to change is not the publication that there is.
  if f.etag and f.etag ~= known then return 412, "Conditional Request Failed" end
  local etag
  if seconds == 0 then
    etag = lamps.unpublish(d.user, d.tenant, lamps.kByParkd) and (known or "none")
  else
    etag = lamps.publish(d.user, d.tenant, lamps.kByParkd, KSR.kx.gete_body(), seconds)
  end
  if not etag then return 503, "Database Not Available" end
  return 200, "OK", etag
end

function perform.publish(f, d)
  local seconds = math.min(f.expires or kPublicationSecondsMax, kPublicationSecondsMax)
  -- A phone that is shown two dialogs for one lamp may go wrong, and one that is shown none has no lamp.
  if seconds > 0 and dialog_info.count(KSR.kx.gete_body()) ~= 1 then return reply(400, "One Dialog Is Wanted") end
  if not is_first_of_its_kind() then return end
  local code, reason, etag
  lamps.in_order(lamps.uri(d.user, d.tenant), function() code, reason, etag = publish(f, d, seconds) end)
  if etag then KSR.hdr.append_to_reply(("SIP-ETag: %s\r\nExpires: %d\r\n"):format(etag, seconds)) end
  reply(code, reason)
  if code == 200 then talking.parkd_has_published(d.user .. "@" .. d.tenant) end
end

----- ring groups

-- The time of the present step, from now on, however often a phone says that it rings.
local function set_ring_time(step)
  local ring_ms = step.seconds and step.seconds * 1000 or kRingMs
  KSR.tm.t_set_fr(ring_ms, math.min(ring_ms, kPhoneMs))
  KSR.tm.t_set_max_lifetime(ring_ms, 0)
end

function perform.to_ring_group(f, d)
  local step = ringing.first(d.steps, d.trunk)
  if not step then return reply(480, "Temporarily Unavailable") end
  begin_call(f, d)
  set_ring_time(step)
  KSR.tm.t_on_reply("ksr_onreply_call")
  -- One who declines does not speak for the others.
  KSR.tm.t_set_disable_6xx(1)
  KSR.tm.t_on_failure("ksr_failure_ring_group")
  relay()
end

--- parkd has called a ring group, of which `member` answers, or a Contact (nil): the requests of him who answers will
--- bear his own name.
function perform.tell_parkd_who_answers(member)
  local aor = KSR.pv.get("$avp(called_at_contact)") or member and member.aor
  if aor then append_header("X-Callpark-User", aor:match("^[^@]+")) end
end

--- Nobody has answered the present step: rings the next one, or tells the caller how it ended.
function perform.ring_on()
  if KSR.isflagset(kReplacedFlag) then return end
  local step = ringing.next()
  while step do
    set_ring_time(step)
    KSR.tm.t_on_reply("ksr_onreply_call")
    KSR.tm.t_on_failure("ksr_failure_ring_group")
    if KSR.tm.t_relay() >= 0 then return end
    if KSR.tm.t_is_canceled() > 0 then return end
    step = ringing.next()
  end
  KSR.tm.t_reply(ring_steps.refusal(KSR.tm.t_get_status_code()))
end

----- features: what goes to parkd

local function append_sender(f, d)
  append_header("X-Callpark-Tenant", d.tenant)
  if d.trunk then append_header("X-Callpark-Trunk", d.trunk) else append_header("X-Callpark-User", d.user) end
  append_header("X-Callpark-Device", f.source.device)
end

-- Before the request is relayed: a phone that does not wait for the answer must find it set.
local function hold_marker(key, floor)
  adoption_marker.hold(key, floor)
  KSR.pv.sets("$avp(marker)", key)
end

-- Answers may come twice, the marker that the transaction at hand has set is taken back once.
local function take_back_marker(take_back)
  local key = KSR.pv.get("$avp(marker)")
  if not key then return end
  KSR.pv.unset("$avp(marker)")
  take_back(key)
end

--- parkd does not take what the transaction at hand has offered it.
function perform.release_marker() take_back_marker(adoption_marker.release) end

--- parkd has taken it, and whatever becomes of the transaction at hand does not take it back.
function perform.keep_marker() KSR.pv.unset("$avp(marker)") end

--- parkd has not answered.
function perform.give_up_marker() take_back_marker(adoption_marker.give_up) end

local function feature_to_parkd(first_answer_ms)
  if KSR.dispatcher.ds_select_dst(kParkdSet, kDispatcherRoundRobin) < 0 then
    perform.release_marker()
    return reply(503, "Park Service Not Available")
  end
  force_socket(settings.inside_socket)
  KSR.tm.t_set_fr(kFeatureMs, first_answer_ms)
  KSR.tm.t_on_reply("ksr_onreply_feature")
  KSR.tm.t_on_failure("ksr_failure_feature")
  if not relay() then perform.release_marker() end
end

-- parkd's answers and NOTIFYs come back this way, so that its requests find the phone.
function perform.subscribe_at_parkd(f, d)
  drop_credentials()
  append_sender(f, d)
  if facts.is_behind_nat() then KSR.nathelper.set_contact_alias() end
  KSR.rr.record_route()
  feature_to_parkd(kParkdMs)
end

function perform.feature_call(f, d)
  drop_credentials()
  append_sender(f, d)
  if d.name then append_header("X-Callpark-Name", sip_text.display_name(d.name, kDisplayBytesMax)) end
  if d.held then
    local record, side = d.held.record, d.held.side
    append_header("X-Callpark-Dialog", dialog_record.json(record, side))
    -- What the parker has sent so far belongs to the call as it was.
    hold_marker(adoption_marker.key(record.call_id, record[side].tag), record[side].cseq + 1)
  end
  KSR.rr.record_route()
  feature_to_parkd(kParkdMs)
end

-- The Route stays in: it is the way to the other party, which parkd has to go.
function perform.refer(f, d)
  drop_credentials()
  append_sender(f, d)
  if f.call and f.call.confirmed then append_header("X-Callpark-Dialog", dialog_record.json(f.call, d.side)) end
  if d.marker then hold_marker(adoption_marker.key(f.call_id, f.from_tag), f.cseq) end
  feature_to_parkd(kParkdReferMs)
end

----- within dialogs

-- Which side of the call that loose_route() has found sent the request at hand.
local function requester() return KSR.rr.is_direction("downstream") > 0 and "a" or "b" end

-- What it offers may be a hold, of which parkd has to know the device.
local brings_offer = { INVITE = true, UPDATE = true }

local function relay_to_parkd(f)
  if brings_offer[f.method] then append_header("X-Callpark-Device", f.source.device) end
  KSR.setdsturi(settings.parkd_uri)
  force_socket(settings.inside_socket)
  KSR.tm.t_set_fr(kRingMs, kParkdInDialogMs[f.method] or kParkdMs)
  relay()
end

local function relay_onward(is_invite)
  if not KSR.isdsturiset() then KSR.nathelper.handle_ruri_alias() end
  force_socket(settings.outside_socket)
  set_patience(is_invite and kPhoneMs or kTransactionMs)
  relay()
end

function perform.adopted(f, d)
  if d.ends_record then
    drop_credentials()
    -- The dialog module sees the parker leave; what parkd has from now on is no call of ours.
    if KSR.rr.loose_route() > 0 and KSR.dialog.is_known_dlg() > 0 then calls.ended(requester()) end
    adoption_marker.expire_soon(adoption_marker.key(f.call_id, f.from_tag))
    KSR.pv.sets("$avp(onward_uri)", KSR.pv.get("$ru"))
    KSR.pv.sets("$avp(onward_hop)", KSR.pv.gete("$du"))
    KSR.tm.t_on_failure("ksr_failure_parkers_bye")
  end
  relay_to_parkd(f)
end

--- parkd does not know the call whose end it was told. Has it refused the park meanwhile, the call is the parker's and
--- the other party's, to whom the BYE goes now; else the parker is told as he should be.
function perform.end_refused_park()
  if adoption_marker.find(KSR.kx.get_callid(), KSR.pv.gete("$ft")) then return end
  local hop = KSR.pv.get("$avp(onward_hop)")
  KSR.pv.sets("$ru", KSR.pv.get("$avp(onward_uri)"))
  if hop == "" then KSR.resetdsturi() else KSR.setdsturi(hop) end
  relay_onward()
end

-- The next hop is set by hand: a Route of the sender's invention must not lead elsewhere.
function perform.to_parkd(f, d)
  KSR.rr.loose_route()
  if d.user then
    drop_credentials()
    append_sender(f, d)
    if facts.is_behind_nat() then KSR.nathelper.set_contact_alias() end
  end
  relay_to_parkd(f)
end

-- Follows the call when it is one of ours. `device` is nil for what parkd sends in somebody's place.
local function follow(f, device)
  if KSR.dialog.is_known_dlg() < 0 then return end
  if f.method == "BYE" then return calls.ended(requester()) end
  local body = KSR.kx.gete_body()
  if f.method == "ACK" then return calls.ack_passes(requester(), body) end
  if f.method == "INVITE" or f.method == "UPDATE" then
    calls.request_passes(requester(), body, device)
    KSR.tm.t_on_reply("ksr_onreply_call")
  end
end

function perform.within_dialog(f)
  if KSR.rr.loose_route() < 0 then
    if f.method ~= "ACK" then reply(481, "Call/Transaction Does Not Exist") end
    return
  end
  drop_credentials()
  follow(f, f.source.device)
  relay_onward(f.method == "INVITE")
end

-- The request at hand is decided about once more after that time. False: it cannot wait.
local function wait(f, ms)
  -- tm answers 408 when the time for an answer is over, and drops what comes later: whoever goes on with the request
  -- may have to wait for the database first.
  set_patience(kTransactionMs)
  KSR.pv.seti("$avp(waits)", f.waits + 1)
  return KSR.async.ms_route("ksr_again", ms) >= 0
end

function perform.wait_for_earlier_refer(f)
  if wait(f, kEarlierReferMs) then return end
  if f.ruri.is_parkd then perform.to_parkd(f, {}) else perform.within_dialog(f) end
end

function perform.wait_for_hold(f)
  if not wait(f, kHoldMs * 2 ^ f.waits) then reply(500, "Server Internal Error") end
end

function perform.parkd_within_dialog(f)
  KSR.rr.loose_route()
  follow(f, nil)
  if f.method == "BYE" then adoption_marker.expire_soon(adoption_marker.key(f.call_id, f.to_tag)) end
  relay_onward(f.method == "INVITE")
end

return perform
