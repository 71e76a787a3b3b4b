-- Answers the challenges of a trunk at which the tenant has an account, once a request, with that account; no other
-- challenge is answered. What a trunk has challenged with is kept, and the next requests bring their credentials along.
--
-- The second request needs a higher CSeq. A phone does not learn that: its later requests are numbered anew. parkd
-- does, by a header of the answer, and numbers its next request after it.
local calls = require("kamailio.calls")
local counts = require("kamailio.counts")
local directory = require("kamailio.directory")
local facts = require("kamailio.facts")
local identity_headers = require("kamailio.identity_headers")
local protocol = require("rules.protocol")
local relay = require("kamailio.relay")
local trunk_challenge = require("rules.trunk_challenge")
local trunk_numbers = require("rules.trunk_numbers")
local cjson = require("cjson")

local trunk_auth = {}

local function md5(text)
  KSR.pv.sets("$var(hashed)", text)
  return KSR.pv.get("$(var(hashed){s.md5})")
end

local function set_avp(name, value)
  KSR.pv.unset(("$avp(%s)"):format(name))
  KSR.pv.sets(("$avp(%s)"):format(name), cjson.encode(value))
end

local function get_avp(name)
  local text = KSR.pv.get(("$avp(%s)"):format(name))
  return text and cjson.decode(text) or nil
end

-- The call of the transaction at hand: {tenant, trunk, address, port, from_parkd, side, numbers, on_reply}.
local function remembered() return get_avp("to_trunk") end

local function branch_at(index) return ("trunk_branch_%d"):format(index) end

-- The branch that is sent, that is answered, or that has failed.
local function branch_name() return branch_at(KSR.pv.get("$T_branch_idx")) end

-- In a failure route that variable is the number of the next branch: a call to one trunk has failed at the last.
local function last_branch_name() return branch_at(KSR.pv.get("$T_branch_idx") - 1) end

local function challenge_key(call) return call.tenant .. " " .. call.trunk end

local function renumber(cseq)
  local method = KSR.pv.get("$rm")
  KSR.hdr.remove("CSeq")
  relay.append_header("CSeq", ("%d %s"):format(cseq, method))
end

----- requests

local function expect(call)
  set_avp("to_trunk", call)
  KSR.tm.t_on_branch("ksr_branch_trunk")
end

-- Of a request that has waited, tm (5.6.3, "TODO: save_msg_lumps") keeps no change that was made afterwards: a failure
-- route sees the request as it came.
local function has_waited(f) return f.waits > 0 or f.verdict ~= false end

--- The call that begins with the request at hand may go to d.trunk; `on_reply` is its reply route, nil without one.
function trunk_auth.expect_call(f, d, on_reply)
  local tenant, trunk = d.setup.tenant, d.trunk
  if not directory.trunk_account(tenant, trunk.trunk) then return end
  local lost = has_waited(f)
    and { caller = d.caller or relay.kParkd, callee = d.callee, hides_identity = d.setup.hides_identity } or nil
  expect({ tenant = tenant, trunk = trunk.trunk, address = trunk.address, port = trunk.port, lost_call = lost,
    from_parkd = f.from_parkd, on_reply = on_reply or "ksr_onreply_trunk", begins = true })
  KSR.tm.t_on_reply(on_reply or "ksr_onreply_trunk")
end

local function numbers_of(side) return trunk_numbers.parse(calls.numbers(side)) end

--- The request at hand goes to `receiver`, the party of a dialog that `side` has sent it to; `side` is nil if parkd
--- did.
function trunk_auth.expect_in_dialog(f, receiver, tenant, side, on_reply)
  local is_known = KSR.dialog.is_known_dlg() >= 0
  local trunk = receiver.trunk or is_known and calls.trunk_beside(KSR.rr.is_direction("downstream") > 0 and "a" or "b")
  local numbers = side and is_known and numbers_of(side) or trunk_numbers.parse(nil)
  if f.method == "ACK" then
    local cseq = trunk_numbers.of_request(numbers, "ACK", f.cseq)
    if cseq ~= f.cseq then renumber(cseq) end
    return
  end
  local account = trunk and directory.trunk_account(tenant, trunk)
  if not account and numbers.ahead == 0 then return end
  expect({ tenant = tenant, trunk = trunk or "", from_parkd = side == nil, side = side, numbers = numbers,
    lost_routes = has_waited(f) and f.path.hops or nil, on_reply = on_reply or "ksr_onreply_trunk" })
  KSR.tm.t_on_reply(on_reply or "ksr_onreply_trunk")
  KSR.tm.t_on_failure("ksr_failure_trunk")
end

-- Of the branches of a call that begins, only some may lead to the trunk.
local function leads_to_trunk(call)
  if not call.address then return true end
  return KSR.pv.get("$rd") == call.address and (tonumber(KSR.pv.get("$rp")) or 5060) == call.port
end

-- How often its nonce has been used, this time included.
local function next_count(challenge) return KSR.htable.sht_inc("nonces", challenge.nonce) end

local function write_credentials(call, method)
  local account = directory.trunk_account(call.tenant, call.trunk)
  local kept = account and KSR.htable.sht_get("challenges", challenge_key(call))
  if not kept then return false end
  local challenge = cjson.decode(kept)
  local request = { method = method, uri = KSR.pv.get("$ru") }
  local cnonce = md5(("%s %d"):format(KSR.pv.get("$TV(Sn)"), KSR.pv.get("$pp"))):sub(1, 16)
  relay.append_header(trunk_challenge.answer(challenge, account, request, next_count(challenge), cnonce, md5))
  return true
end

--- A branch of the request at hand is about to be sent.
function trunk_auth.write_branch()
  local call = remembered()
  if not call or not leads_to_trunk(call) then return end
  local method, cseq = KSR.kx.get_method(), tonumber(KSR.pv.gete("$cs")) or 0
  local is_again = KSR.pv.get("$avp(trunk_again)") ~= nil
  local sent = trunk_numbers.of_request(call.numbers or trunk_numbers.parse(nil), method, cseq) + (is_again and 1 or 0)
  write_credentials(call, method)
  if sent ~= cseq then renumber(sent) end
  set_avp(branch_name(), { uri = KSR.pv.get("$ru"), hop = KSR.pv.get("$du"), cseq = cseq, sent = sent,
    is_again = is_again })
end

----- answers

local function header_values(name)
  local values = {}
  for i = 0, KSR.pv.get(("$hdrc(%s)"):format(name)) - 1 do
    values[#values + 1] = KSR.pv.get(("$(hdr(%s)[%d])"):format(name, i))
  end
  return values
end

-- Keeps the challenge of the answer at hand; whether it can be answered.
local function keep_challenge(call, status)
  local challenge = trunk_challenge.read(status, header_values(trunk_challenge.header(status)))
  if not challenge then return false end
  KSR.htable.sht_sets("challenges", challenge_key(call), cjson.encode(challenge))
  return true
end

local function note_numbers(call, branch, method)
  if call.begins or not call.side or method == "BYE" then return end
  local numbers = trunk_numbers.after(call.numbers, method, branch.cseq, branch.sent)
  local text = trunk_numbers.text(numbers)
  if not text or text == calls.numbers(call.side) then return end
  calls.set_numbers(call.side, text)
  calls.changed()
end

--- An answer passes, with the CSeq of the request's sender. The result is, for a 2xx that begins a dialog, the text of
--- its numbers; nil if sender and trunk count alike.
function trunk_auth.reply_passes()
  local call = remembered()
  local branch = call and get_avp(branch_name())
  if not branch then return nil end
  local status, method = KSR.pv.get("$rs"), KSR.pv.get("$rm")
  if trunk_challenge.header(status) and not branch.is_again and keep_challenge(call, status) then
    branch.is_challenged = true
    set_avp(branch_name(), branch)
    note_numbers(call, { cseq = branch.cseq, sent = branch.sent + 1 }, method)
  elseif status >= 200 then
    note_numbers(call, branch, method)
    if branch.is_again and status >= 300 then set_avp("trunk_status", status) end
  end
  if branch.sent == branch.cseq then return nil end
  renumber(branch.cseq)
  if call.from_parkd then relay.append_header(protocol.kCSeq, tostring(branch.sent)) end
  if not call.begins or status < 200 or status > 299 then return nil end
  return trunk_numbers.text(trunk_numbers.after(trunk_numbers.parse(nil), method, branch.cseq, branch.sent))
end

--- A further branch of the call at hand is about to be made, in a failure route.
function trunk_auth.expect_again()
  if not remembered() then return end
  KSR.tm.t_on_branch("ksr_branch_trunk")
  KSR.tm.t_on_branch_failure("ksr_branch_failure_trunk")
end

-- What tm has not kept of the request at hand.
local function change_again(call)
  if not call.lost_call and not call.lost_routes then return end
  relay.drop_credentials()
  if call.lost_routes then
    KSR.hdr.remove("Route")
    for _, uri in ipairs(call.lost_routes) do relay.append_header("Route", "<" .. uri .. ">") end
  else
    local f = facts.read()
    if call.lost_call.hides_identity then identity_headers.drop(f) end
    relay.record_route(f, call.lost_call.caller, call.lost_call.callee, call.tenant)
  end
end

-- Sends the request at hand once more, with credentials, if the trunk has challenged the branch with this name.
local function answer(name, on_failure)
  local call = remembered()
  local branch = call and get_avp(name)
  if not branch or not branch.is_challenged or KSR.tm.t_is_canceled() > 0 then return false end
  if not trunk_challenge.header(KSR.tm.t_get_status_code()) then return false end
  if not directory.trunk_account(call.tenant, call.trunk) then return false end
  change_again(call)
  KSR.seturi(branch.uri)
  if branch.hop then KSR.setdsturi(branch.hop) else KSR.resetdsturi() end
  relay.from_outside_socket()
  KSR.pv.seti("$avp(trunk_again)", 1)
  KSR.tm.t_on_branch("ksr_branch_trunk")
  KSR.tm.t_on_reply(call.on_reply)
  if on_failure then KSR.tm.t_on_failure(on_failure) end
  counts.add("trunk_challenges_answered")
  local is_sent = KSR.tm.t_relay() >= 0
  KSR.pv.unset("$avp(trunk_again)")
  return is_sent
end

--- In a failure route: sends the request at hand once more, with credentials, if a trunk has challenged it. Whether
--- that was possible. `on_failure` is its failure route from then on.
function trunk_auth.answer_challenge(on_failure) return answer(last_branch_name(), on_failure) end

--- The same for a branch that has failed while others may ring.
function trunk_auth.answer_challenge_of_branch() return answer(branch_name(), nil) end

--- The status with which a call has failed. To tm a challenge is the best of all refusals, an answered one too.
function trunk_auth.final_status(status)
  return trunk_challenge.header(status) and get_avp("trunk_status") or status
end

--- Whether the trunk has refused the credentials. A phone would ask its user for a password that it does not have.
function trunk_auth.are_refused()
  if not trunk_challenge.header(KSR.tm.t_get_status_code()) then return false end
  return remembered() ~= nil and get_avp(last_branch_name()) ~= nil
end

function trunk_auth.refuse()
  counts.add("trunk_credentials_refused")
  KSR.tm.t_reply(503, "Trunk Refuses Credentials")
end

return trunk_auth
