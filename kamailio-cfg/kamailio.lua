-- Entry points that Kamailio calls. What they do stands in lua/: facts.lua reads a request, decide.lua decides about it
-- and asks for more facts where it needs them, perform.lua does it.
package.path = debug.getinfo(1, "S").source:match("^@(.*/)") .. "lua/?.lua;" .. package.path

local calls = require("calls")
local decide = require("decide")
local facts = require("facts")
local perform = require("perform")
local presence_tables = require("presence_tables")
local ringing = require("ringing")
local settings = require("settings")
local talking = require("talking")

local kMaxForwards = 70
-- sanity module: everything but the checks of Max-Forwards (done here) and of Digest (done by auth). Of the URIs only
-- the request's: networks write "sip:@host" in From, and phones then in To, for a caller who withholds his number.
local kSanityOfMessage, kSanityOfUris = 1511, 1

-- Headers by which Kamailio and parkd speak to each other. Nobody else's are believed, nobody else sees ours.
local function strip_inside_headers()
  -- The expression is compiled anew each time; most messages can do without.
  if KSR.kx.get_msgbuf():lower():find("x-callpark-", 1, true) then KSR.textops.remove_hf_re("^X-Callpark-") end
end

-- All phones of an office come from one address, and after a power cut all at once.
local function is_flood(f)
  if not settings.flood_control or f.to_tag or f.from_parkd then return false end
  if KSR.pike.pike_check_req() > 0 or facts.has_phones(f.source.ip) then return false end
  facts.learn(f, "trunk")
  return not f.trunk or f.trunk.away == true
end

local function decision_on(f)
  local decision = decide.request(f)
  while decision.need do
    facts.learn(f, decision.need, decision.about)
    decision = decide.request(f)
  end
  return decision
end

-- RFC 3261 18.3: what stands in a datagram behind the body is no part of the message. Kamailio would refuse a request
-- for it, and pass on what is behind an answer: over TCP that begins the next message.
local function discard_surplus()
  local length = KSR.is_UDP() and tonumber(KSR.pv.get("$cl"))
  local surplus = length and #KSR.kx.gete_body() - length or 0
  if surplus > 0 then KSR.textopsx.msg_set_buffer(KSR.kx.get_msgbuf():sub(1, -surplus - 1)) end
end

local function is_sane()
  if KSR.sanity.sanity_check(kSanityOfMessage, kSanityOfUris) < 0 then return false end
  if KSR.maxfwd.process_maxfwd(kMaxForwards) < 0 then
    KSR.sl.sl_send_reply(483, "Too Many Hops")
    return false
  end
  return true
end

-- tm has this request already and sends again what it has answered, or another worker is just about to.
local function is_repeated()
  if KSR.is_CANCEL() then return false end
  if KSR.tmx.t_precheck_trans() > 0 then
    KSR.tm.t_check_trans()
    return true
  end
  return KSR.tm.t_check_trans() == 0
end

local function act_on(f)
  local decision = decision_on(f)
  KSR.info(("%s from %s: %s%s\n"):format(f.method, f.source.device, decision.action,
    decision.code and " " .. decision.code .. " " .. decision.reason or ""))
  perform[decision.action](f, decision)
end

-- What is done with the Contact of these is done where they are handled.
local keeps_contact = { REGISTER = true, SUBSCRIBE = true }

local function is_new()
  -- The inside socket is for parkd; whoever else finds it gets no answer.
  if facts.is_inside() and not facts.is_from_parkd() then return false end
  discard_surplus()
  if not is_sane() then return false end
  -- RFC 3581 4 has it asked for, and a phone that does not know of its NAT does not ask.
  if facts.is_via_behind_nat() then KSR.force_rport() end
  return not is_repeated()
end

local function handle_request()
  local f = facts.read()
  if is_flood(f) then return end
  strip_inside_headers()
  if not f.from_parkd then
    -- RFC 3261 16.4 lets a client preload routes; ours are only good for dialogs.
    if not f.to_tag then KSR.hdr.remove("Route") end
    if not keeps_contact[f.method] and facts.is_behind_nat() then KSR.nathelper.set_contact_alias() end
  end
  act_on(f)
end

-- A request that has waited for another one.
local function handle_again() act_on(facts.read()) end

-- A parker may hang up straight after his REFER, and another worker, with less to do for a BYE, would overtake the one
-- that looks up his password: these two wait for each other. What is repeated never comes here: tm locks a transaction
-- to answer it again, and a BYE that has waited comes with that lock for this one.
local function in_order(handle)
  local method = KSR.kx.get_method()
  if method ~= "REFER" and method ~= "BYE" then return handle() end
  local call_id = KSR.kx.get_callid()
  KSR.htable.sht_lock("order", call_id)
  local done, problem = xpcall(handle, debug.traceback)
  KSR.htable.sht_unlock("order", call_id)
  if not done then error(problem, 0) end
end

local function route(handle)
  local done, problem = xpcall(handle, debug.traceback)
  if not done then
    KSR.crit(problem .. "\n")
    perform.release_marker()
    KSR.sl.send_reply(500, "Internal Server Error")
  end
  return 1
end

function ksr_request_route()
  return route(function()
    if is_new() then in_order(handle_request) end
  end)
end

function ksr_again()
  return route(function() in_order(handle_again) end)
end

-- What parkd says of the adoption in the answer at hand; the headers are gone when tm takes it up.
local adoption_said

function ksr_reply_route()
  discard_surplus()
  adoption_said = facts.adoption_said()
  strip_inside_headers()
  if not facts.is_inside() and facts.is_behind_nat() then KSR.nathelper.set_contact_alias() end
  return 1
end

function ksr_onreply_call()
  if KSR.pv.get("$rs") > 100 then calls.rings(ringing.members()) end
  local is_final = KSR.pv.get("$rs") >= 200
  local answerer = is_final and ringing.answerer() or nil
  if is_final and not calls.is_followed() then perform.tell_parkd_who_answers(answerer) end
  calls.reply_passes(KSR.kx.gete_body(), facts.device(), answerer)
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

function ksr_failure_ring_group()
  if KSR.tm.t_is_canceled() < 0 then perform.ring_on() end
  return 1
end

-- The held call that came with a feature call is parkd's if that was accepted, unless parkd says otherwise.
function ksr_onreply_feature()
  local status = KSR.pv.get("$rs")
  if status < 200 then return 1 end
  local is_kept = status < 300 and adoption_said ~= "released" or adoption_said == "kept"
  if is_kept then perform.keep_marker() else perform.release_marker() end
  return 1
end

function ksr_failure_feature()
  if KSR.tm.t_is_canceled() > 0 or KSR.tm.t_branch_timeout() < 0 then
    -- Its own refusals pass as they are.
    perform.release_marker()
    return 1
  end
  perform.give_up_marker()
  KSR.tm.t_reply(503, "Park Service Not Available")
  return 1
end

function ksr_failure_parkers_bye()
  if KSR.tm.t_get_status_code() == 481 then perform.end_refused_park() end
  return 1
end

function ksr_core_event(event)
  if event == "core:worker-one-init" then
    calls.restore_held()
    calls.restore_lamps()
  end
  return 1
end

-- A request of Kamailio's own: a NOTIFY, or the OPTIONS that ask for parkd.
function ksr_local_request()
  if KSR.is_NOTIFY() then KSR.tm.t_set_fr(0, settings.notify_ms) end
  return 1
end

-- Two rounds of the presence module, which tells those whose subscription has ended.
local kForgetAfterSeconds = 20

function ksr_lamps_timer()
  presence_tables.forget_subscriptions(kForgetAfterSeconds)
  talking.end_overdue()
  talking.tell_untold()
  return 1
end

function ksr_dispatcher_event(event)
  KSR.warn("parkd " .. KSR.pv.gete("$ru") .. ": " .. event .. "\n")
  return 1
end
