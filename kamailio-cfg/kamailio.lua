-- The functions that Kamailio calls. lua/rules/ decides and is pure; lua/kamailio/ learns the facts that a rule needs,
-- and carries out what it has decided.
package.path = debug.getinfo(1, "S").source:match("^@(.*/)") .. "lua/?.lua;" .. package.path

local adoption_marker = require("kamailio.adoption_marker")
local arrival = require("rules.arrival")
local billing_question = require("kamailio.billing_question")
local calls = require("kamailio.calls")
local connections = require("kamailio.connections")
local contact_header = require("kamailio.contact_header")
local counts = require("kamailio.counts")
local database = require("kamailio.database")
local decide = require("rules.decide")
local dialog_path = require("rules.dialog_path")
local directory_loader = require("kamailio.directory_loader")
local facts = require("kamailio.facts")
local identity_headers = require("kamailio.identity_headers")
local lamp_question = require("kamailio.lamp_question")
local outgoing = require("kamailio.outgoing")
local patience = require("rules.patience")
local perform = require("kamailio.perform")
local perform_calls = require("kamailio.perform_calls")
local perform_features = require("kamailio.perform_features")
local perform_in_dialog = require("kamailio.perform_in_dialog")
local perform_lamps = require("kamailio.perform_lamps")
local presence_tables = require("kamailio.presence_tables")
local protocol = require("rules.protocol")
local reachable = require("rules.reachable")
local recalls = require("kamailio.recalls")
local registered = require("kamailio.registered")
local ringing = require("kamailio.ringing")
local settings = require("kamailio.settings")
local talking = require("kamailio.talking")
local trunk_probes = require("kamailio.trunk_probes")
local trunk_auth = require("kamailio.trunk_auth")
local trunk_registrar = require("kamailio.trunk_registrar")
local voice = require("kamailio.voice")
local watching = require("kamailio.watching")

local kMaxForwards = 70
-- sanity module: all checks but those of Max-Forwards (process_maxfwd) and of Digest (auth). Of the URIs only the
-- Request-URI: networks write "sip:@host" in From, and phones then in To, for a caller that withholds its number.
local kSanityOfMessage, kSanityOfUris = 1511, 1

-- Headers between Kamailio and parkd: those of other senders are not believed, and no other party sees them.
local function strip_inside_headers()
  -- Kamailio compiles the expression anew each time; most messages need no change.
  if KSR.kx.get_msgbuf():lower():find(protocol.kPrefix:lower(), 1, true) then
    KSR.textops.remove_hf_re("^" .. protocol.kPrefix)
  end
end

local function strip_asserted_identity(f)
  if facts.decide(arrival.identity, f).action == "drop" then identity_headers.drop(f) end
end

-- The facts of the message without what no receiver should see of it.
local function mended(f)
  local surplus = arrival.surplus(f)
  if surplus > 0 then KSR.textopsx.msg_set_buffer(KSR.kx.get_msgbuf():sub(1, -surplus - 1)) end
  local without_returns = arrival.without_bare_returns(KSR.kx.get_msgbuf())
  if without_returns then KSR.textopsx.msg_set_buffer(without_returns) end
  return (surplus > 0 or without_returns) and facts.read() or f
end

local function is_sane()
  if KSR.sanity.sanity_check(kSanityOfMessage, kSanityOfUris) < 0 then return false end
  if KSR.maxfwd.process_maxfwd(kMaxForwards) < 0 then
    KSR.sl.sl_send_reply(483, "Too Many Hops")
    return false
  end
  return true
end

-- Whether tm already has this request, and repeats its answer, or another worker is about to.
local function is_repeated()
  if KSR.is_CANCEL() then return false end
  if KSR.tmx.t_precheck_trans() > 0 then
    KSR.tm.t_check_trans()
    return true
  end
  return KSR.tm.t_check_trans() == 0
end

local function act_on(f, is_first_look)
  local decision = facts.decide(decide.request, f)
  KSR.info(("%s from %s: %s%s\n"):format(f.method, f.source.device, decision.action,
    decision.code and " " .. decision.code .. " " .. decision.reason or ""))
  connections.prove(f, decision, facts.is_at_trunk)
  if is_first_look and arrival.seals_contact(f, decision) then
    contact_header.seal(f, arrival.will_wait(decision))
  end
  perform[decision.action](f, decision)
  -- Its CSeq and its Contact are part of what is known of the call; a BYE is followed by the end of its row.
  if f.to_tag and f.method ~= "BYE" then calls.changed() end
end

local function is_flood(f)
  if facts.decide(arrival.flood, f).action ~= "drop" then return false end
  counts.add("requests_dropped_as_flood")
  return true
end

-- The facts of the message at hand; nil if it is no new request.
local function new_request()
  local f = facts.read()
  if arrival.is_dropped(f) then
    connections.end_unknown(f)
    return nil
  end
  -- Before all that costs: thousands a second leave time for the others.
  if not f.to_tag and is_flood(f) then return nil end
  voice.open(f, facts.is_at_trunk)
  f = mended(f)
  if not is_sane() then return nil end
  -- RFC 3581 4 wants the phone to ask for it, and a phone that does not know of its NAT does not ask.
  if f.is_via_behind_nat then KSR.force_rport() end
  return not is_repeated() and f or nil
end

local function drop_routes_in_front(f)
  local routes = f.to_tag and dialog_path.from_own_route(f)
  if not routes then return f end
  KSR.hdr.remove("Route")
  KSR.hdr.append("Route: " .. routes .. "\r\n")
  KSR.textopsx.msg_apply_changes()
  return facts.read()
end

local function handle_request(f)
  -- A repeated one is no other request.
  if f.to_tag and is_flood(f) then return end
  strip_inside_headers()
  strip_asserted_identity(f)
  if arrival.drops_route(f) then KSR.hdr.remove("Route") end
  f = drop_routes_in_front(f)
  act_on(f, true)
end

-- A request that has waited for another one.
local function handle_again(f) act_on(f, false) end

-- A parker may hang up straight after its REFER, and another worker, with less to do for a BYE, would overtake the one
-- that checks the password: the two requests wait for each other. A repeated request never comes here: tm locks a
-- transaction to repeat its answer, and a BYE that has waited comes with that lock for this one.
local function in_order(f, handle)
  if f.method ~= "REFER" and f.method ~= "BYE" then return handle(f) end
  KSR.htable.sht_lock("order", f.call_id)
  local done, problem = xpcall(function() handle(f) end, debug.traceback)
  KSR.htable.sht_unlock("order", f.call_id)
  if not done then error(problem, 0) end
end

local function route(handle)
  local done, problem = xpcall(handle, debug.traceback)
  if not done then
    KSR.crit(problem .. "\n")
    adoption_marker.finish("release")
    KSR.sl.send_reply(500, "Internal Server Error")
  end
  return 1
end

function ksr_request_route()
  route(function()
    local f = new_request()
    if f then in_order(f, handle_request) end
  end)
  voice.close()
  return 1
end

-- A message that Kamailio cannot parse.
function ksr_unreadable()
  voice.report_unreadable()
  return 1
end

function ksr_again()
  return route(function() in_order(facts.read(), handle_again) end)
end

-- A call that has waited for parkd's verdict.
function ksr_call_is_judged()
  return route(function()
    billing_question.take_verdict()
    in_order(facts.read(), handle_again)
  end)
end

function ksr_subscription_waits()
  return route(function() perform_lamps.watch_lamp_after_question(facts.read()) end)
end

-- The facts of the answer at hand, for when tm handles it: parkd's headers are gone by then.
local answer

function ksr_reply_route()
  answer = facts.read()
  voice.open(answer, facts.is_at_trunk)
  answer = mended(answer)
  local f = answer
  connections.prove_by_answer(f)
  strip_inside_headers()
  strip_asserted_identity(f)
  if f.is_inside then
    lamp_question.note_answer()
    billing_question.note_answer(f)
  end
  if f.cseq_method == "OPTIONS" then trunk_probes.note_answer(f.call_id, f.status) end
  trunk_registrar.note_answer(f)
  if arrival.loses_retry_after(f) then KSR.hdr.remove("Retry-After") end
  if arrival.seals_contact_of_answer(f) then
    contact_header.seal_answer(f, facts.decide(reachable.contact_of_answer, f).action)
  end
  return 1
end

function ksr_onreply_call()
  local f = answer
  local trunk = outgoing.answer_passes()
  -- Its sender gets the answer to the next one.
  if trunk and trunk.challenge or trunk_auth.answer_passes() then return 1 end
  if KSR.pv.get("$rs") > 100 then calls.rings(ringing.members()) end
  local is_final = KSR.pv.get("$rs") >= 200
  -- Of several devices one that declines does not end the ringing of the others: a failure route sees that end.
  if KSR.pv.get("$rs") >= 200 and KSR.pv.get("$rs") < 300 then recalls.over() end
  local answerer = is_final and ringing.answerer(f.is_inside) or nil
  if is_final and not calls.is_followed() then perform_calls.report_answerer(answerer) end
  calls.reply_passes(f.body, f.source.device, answerer, trunk)
  ringing.passes(KSR.pv.get("$rs"))
  return 1
end

function ksr_dialog_start()
  local done, problem = xpcall(calls.started, debug.traceback)
  if not done then KSR.crit(problem .. "\n") end
  return 1
end

function ksr_dialog_over()
  local done, problem = xpcall(calls.over, debug.traceback)
  if not done then KSR.crit(problem .. "\n") end
  return 1
end

function ksr_branch_trunk()
  trunk_auth.write_branch()
  return 1
end

function ksr_failure_trunk()
  trunk_auth.answer_challenge()
  return 1
end

function ksr_failure_ring_group()
  local goes_on = KSR.tm.t_is_canceled() < 0 and perform_calls.ring_on()
  if not goes_on then recalls.over() end
  return 1
end

function ksr_branch_outside()
  outgoing.note_branch()
  return 1
end

function ksr_failure_outside()
  perform_calls.call_by_next_trunk()
  return 1
end

function ksr_failure_recall()
  recalls.over()
  return 1
end

function ksr_onreply_feature()
  if KSR.pv.get("$rs") >= 200 then recalls.over() end
  perform_features.on_answer(KSR.pv.get("$rs"), answer.adoption, answer.park_rate_said)
  return 1
end

function ksr_failure_feature()
  recalls.over()
  perform_features.on_failure(KSR.tm.t_is_canceled() > 0, KSR.tm.t_branch_timeout() > 0)
  return 1
end

function ksr_failure_parkers_bye()
  perform_in_dialog.after_parkers_bye(KSR.tm.t_get_status_code())
  return 1
end

function ksr_core_event(event)
  if event == "core:worker-one-init" then
    -- Before there is any other process (wait_worker1_mode): no message finds half of what there is to know.
    directory_loader.refresh()
    registered.restore()
    presence_tables.hear_all()
    calls.restore()
  end
  return 1
end

-- A request of Kamailio's own: a NOTIFY, or the OPTIONS that probes parkd.
function ksr_local_request()
  if KSR.is_NOTIFY() then
    KSR.tm.t_set_fr(0, settings.notify_ms)
    perform_lamps.name_subscription()
    watching.notify_is_sent()
  elseif KSR.is_REGISTER() then
    KSR.tm.t_set_fr(0, patience.kRegisterMs)
  end
  return 1
end

-- In a process of its own, for which no message waits.
function ksr_database_timer()
  local done, problem = xpcall(function() database.keep_up() end, debug.traceback)
  if not done then KSR.crit(problem .. "\n") end
  return 1
end

-- A NOTIFY of Kamailio's own has a final answer, or none came.
function ksr_notify_over()
  watching.notify_is_over(KSR.pv.get("$notify_reply($rs)"))
  return 1
end

-- Two rounds of the presence module, which notifies the watchers of an ended subscription.
local kForgetAfterSeconds = 20

function ksr_lamps_timer()
  presence_tables.forget_subscriptions(kForgetAfterSeconds)
  talking.end_overdue()
  talking.publish_untold()
  return 1
end

function ksr_second_timer()
  watching.catch_up()
  connections.look()
  voice.tell_unreadable()
  billing_question.give_up_overdue()
  trunk_probes.send_due()
  trunk_registrar.keep_up()
  return 1
end

function ksr_dispatcher_event(event)
  KSR.warn("parkd " .. KSR.pv.gete("$ru") .. ": " .. event .. "\n")
  return 1
end
