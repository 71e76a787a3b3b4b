-- Carries out the decisions on new calls: to extensions, Contacts, trunks and ring groups.
local calls = require("kamailio.calls")
local cdr = require("rules.cdr")
local identity_headers = require("kamailio.identity_headers")
local outgoing = require("kamailio.outgoing")
local patience = require("rules.patience")
local perform_features = require("kamailio.perform_features")
local protocol = require("rules.protocol")
local recalls = require("kamailio.recalls")
local relay = require("kamailio.relay")
local ring_steps = require("rules.ring_steps")
local ringing = require("kamailio.ringing")
local shares = require("kamailio.shares")

local perform_calls = {}

local function set_up(f, d)
  local setup = d.setup
  relay.drop_credentials()
  if setup.hides_identity then
    identity_headers.drop(f)
    if f.verdict then KSR.pv.sets("$avp(hides_identity)", "1") end
  end
  if setup.is_call then relay.record_route(f, d.caller or relay.kParkd, d.callee, setup.tenant) end
  relay.set_patience(setup.first_answer_ms)
  if setup.replaces_recall then
    recalls.begin(setup.replaces_recall, f.call_id)
    KSR.tm.t_on_reply("ksr_onreply_call")
    KSR.tm.t_on_failure("ksr_failure_recall")
  end
  if setup.is_counted then calls.count(setup.tenant) end
  if not setup.is_followed then return end
  calls.begin(d.caller, d.callee, cdr.setup(f, d))
  if d.caller.kind == "extension" then shares.note_call(d.caller.aor) end
  if d.caller.kind == "trunk" then shares.note_trunk(setup.tenant, f.did.trunk) end
  calls.request_passes("a", f.body, f.source.device)
  KSR.tm.t_on_reply("ksr_onreply_call")
end

-- For report_answerer, below.
local function report_callee(d)
  KSR.pv.sets("$avp(called)", d.callee.aor or d.callee.outside)
  KSR.tm.t_on_reply("ksr_onreply_call")
end

local function send(d)
  if not relay.send() then recalls.over(d.setup.replaces_recall) end
end

function perform_calls.to_extension(f, d)
  KSR.seturi("sip:" .. d.aor)
  local found = KSR.registrar.lookup("location")
  if found == -2 then return relay.reply(405, "Method Not Allowed") end
  if found < 0 then return relay.reply(480, "Temporarily Unavailable") end
  set_up(f, d)
  if d.reports_callee then report_callee(d) end
  send(d)
end

function perform_calls.to_contact(f, d)
  KSR.seturi(d.contact)
  if d.received then KSR.setdsturi(d.received) end
  set_up(f, d)
  if d.reports_callee then report_callee(d) end
  relay.from_outside_socket()
  send(d)
end

local function set_patience_of_trunk(branch) relay.set_patience(patience.of_trunk(outgoing.has_next(branch))) end

-- Sends the call at hand by the first of the trunks that it can be sent to. False if there is none: then it is
-- answered.
local function send_by_trunk(branch)
  KSR.tm.t_set_disable_internal_reply(1)
  while branch do
    KSR.seturi(outgoing.uri(branch))
    set_patience_of_trunk(branch)
    outgoing.follow()
    if KSR.tm.t_relay() >= 0 then return true end
    branch = outgoing.after_unsent(branch)
  end
  relay.reply(480, "Cannot Be Reached")
  return false
end

function perform_calls.to_trunk(f, d)
  set_up(f, d)
  if d.reports_callee then report_callee(d) end
  KSR.tm.t_on_reply("ksr_onreply_call")
  relay.from_outside_socket()
  local is_sent = send_by_trunk({ tenant = d.setup.tenant, number = d.number, trunks = d.trunks })
  if not is_sent then recalls.over(d.setup.replaces_recall) end
end

----- ring groups

-- The time of the present step, from now on, however often a phone sends 180.
local function set_ring_time(step, has_next_trunk)
  local ring_ms, first_answer_ms = patience.of_step(step, has_next_trunk)
  KSR.tm.t_set_fr(ring_ms, first_answer_ms)
  KSR.tm.t_set_max_lifetime(ring_ms, 0)
end

local unavailable = { code = 480, reason = "Temporarily Unavailable" }

function perform_calls.to_ring_group(f, d)
  local step = ringing.first(f, d)
  if not step then
    if d.behind then return perform_features.feature_call(f, d.behind) end
    local refusal = d.otherwise or unavailable
    return relay.reply(refusal.code, refusal.reason)
  end
  set_up(f, d)
  set_ring_time(step, ring_steps.has_next_trunk(step))
  outgoing.follow()
  KSR.tm.t_on_reply("ksr_onreply_call")
  -- A member that declines does not end the ringing of the others.
  KSR.tm.t_set_disable_6xx(1)
  KSR.tm.t_on_failure("ksr_failure_ring_group")
  send(d)
end

-- Sends the call that no member has answered to parkd, as the feature call behind the ring group. False if there is
-- none, or no parkd that lives: then the caller is answered as without it.
local function parkd_answers()
  local behind = ringing.next_feature_call()
  if not behind then return false end
  KSR.tm.t_on_reply("ksr_onreply_call")
  KSR.tm.t_on_failure("ksr_failure_ring_group")
  return perform_features.send_on(behind.uri, behind.headers)
end

--- No device has answered the present step: rings the next one, lets parkd answer, or answers the caller, and returns
--- false.
function perform_calls.ring_on()
  if recalls.is_replaced() then return false end
  relay.change_again()
  local step = ringing.next()
  while step do
    set_ring_time(step, ring_steps.has_next_trunk(step))
    outgoing.follow()
    KSR.tm.t_on_reply("ksr_onreply_call")
    KSR.tm.t_on_failure("ksr_failure_ring_group")
    if KSR.tm.t_relay() >= 0 then return true end
    if KSR.tm.t_is_canceled() > 0 then return false end
    step = ringing.next()
  end
  if parkd_answers() then return true end
  if KSR.tm.t_is_canceled() < 0 then
    KSR.tm.t_reply(ring_steps.refusal(KSR.tm.t_get_status_code(), ringing.otherwise()))
  end
  return false
end

--- A branch of the call at hand has failed: a trunk that has challenged it gets it again, a trunk that has failed is
--- followed by the next one, and the others ring meanwhile.
function perform_calls.call_by_next_trunk()
  if KSR.tm.t_is_canceled() > 0 or recalls.is_replaced() then return end
  local branch = outgoing.after_failure()
  if branch then relay.change_again() end
  while branch do
    local step = ringing.present_step()
    if step then set_ring_time(step, outgoing.has_next(branch)) else set_patience_of_trunk(branch) end
    KSR.tm.t_on_reply("ksr_onreply_call")
    if outgoing.send(branch) or KSR.tm.t_is_canceled() > 0 then return end
    branch = outgoing.after_unsent(branch)
  end
end

--- A final answer passes to parkd, which has called a ring group (`member` answers), or a Contact or a call flow (nil):
--- the requests of the answering extension will name the extension itself, and records have a number outside.
function perform_calls.report_answerer(member)
  local user = protocol.answerer(KSR.pv.get("$avp(called)"), member)
  if user then relay.append_header(protocol.kUser, user) end
end

return perform_calls
