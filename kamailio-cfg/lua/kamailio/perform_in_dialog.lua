-- Carries out the decisions on requests within dialogs: between two parties, to parkd, and from parkd.
local adoption = require("rules.adoption")
local adoption_marker = require("kamailio.adoption_marker")
local calls = require("kamailio.calls")
local patience = require("rules.patience")
local protocol = require("rules.protocol")
local relay = require("kamailio.relay")
local trunk_auth = require("kamailio.trunk_auth")

local perform_in_dialog = {}

-- Which side of the call that loose_route() has found sent the request at hand.
local function requester() return KSR.rr.is_direction("downstream") > 0 and "a" or "b" end

--- The parker's request in a dialog that parkd adopts.
function perform_in_dialog.adopted(f, d)
  relay.drop_credentials()
  if d.ends_record then
    -- To the dialog module the parker leaves: what parkd has from now on is no call of Kamailio's.
    if KSR.rr.loose_route() > 0 and KSR.dialog.is_known_dlg() > 0 then calls.ended(requester()) end
    if d.to then trunk_auth.expect(f, d.to, d.tenant, requester()) end
    adoption_marker.expire_soon(f.call_id, f.from_tag)
    if d.goes_onward then
      KSR.pv.sets("$avp(onward_uri)", d.target or KSR.pv.get("$ru"))
      KSR.pv.sets("$avp(onward_hop)", KSR.pv.gete("$du"))
      KSR.tm.t_on_failure("ksr_failure_parkers_bye")
    end
  end
  relay.to_parkd(d)
end

--- parkd has answered a parker's BYE with `status`.
function perform_in_dialog.after_parkers_bye(status)
  local is_marked = adoption_marker.find(KSR.kx.get_callid(), KSR.pv.gete("$ft")) ~= false
  if not adoption.sends_bye_onward(status, is_marked) then return end
  local hop = KSR.pv.get("$avp(onward_hop)")
  KSR.pv.sets("$ru", KSR.pv.get("$avp(onward_uri)"))
  if hop == "" then KSR.resetdsturi() else KSR.setdsturi(hop) end
  trunk_auth.follow()
  relay.onward(patience.kTransactionMs)
end

function perform_in_dialog.to_parkd(f, d)
  KSR.rr.loose_route()
  relay.drop_credentials()
  if d.unproven then relay.append_header(protocol.kUnproven, d.unproven) end
  if d.user then
    relay.append_headers(protocol.sender_headers(d, f.source.device))
    if f.is_behind_nat then KSR.nathelper.set_contact_alias() end
  end
  if d.ends_marker then adoption_marker.expire_soon(f.call_id, f.from_tag) end
  if d.was_cancelled then relay.append_header(protocol.kCancelled, protocol.kYes) end
  relay.to_parkd(d)
end

-- `device` is nil for what parkd sends in a party's place.
local follow = {
  ["end"] = function() calls.ended(requester()) end,
  answer = function(f, device) calls.ack_passes(requester(), f.body, device) end,
  offer = function(f, device)
    calls.request_passes(requester(), f.body, device, f.method == "INVITE")
    KSR.tm.t_on_reply("ksr_onreply_call")
  end,
}

local function follow_call(f, d, device)
  if d.follow and KSR.dialog.is_known_dlg() >= 0 then follow[d.follow](f, device) end
end

-- `side` has sent the request at hand, nil if parkd has.
local function expect_challenge(f, d, side)
  if d.to and trunk_auth.expect(f, d.to, d.tenant, side) then trunk_auth.follow() end
end

function perform_in_dialog.within_dialog(f, d)
  if KSR.rr.loose_route() < 0 then
    if f.method ~= "ACK" then relay.reply(481, "Call/Transaction Does Not Exist") end
    return
  end
  relay.drop_credentials()
  follow_call(f, d, f.source.device)
  expect_challenge(f, d, requester())
  if d.target then KSR.seturi(d.target) end
  relay.onward(d.first_answer_ms)
end

function perform_in_dialog.parkd_within_dialog(f, d)
  KSR.rr.loose_route()
  follow_call(f, d, nil)
  expect_challenge(f, d, nil)
  if d.ends_marker then adoption_marker.expire_soon(f.call_id, f.to_tag) end
  relay.onward(d.first_answer_ms)
end

return perform_in_dialog
