-- Answers the challenges of a trunk at which the tenant has an account, once a request, with that account; no other
-- challenge is answered. What a trunk has challenged with is kept, and the next requests bring their credentials along.
-- A sender never gets a trunk's challenge: a phone would ask its user for a password, and has got the wrong one.
--
-- The second request needs a higher CSeq (RFC 3261 8.1.3.5). A phone does not learn that: its later requests are
-- numbered anew. parkd does, by a header of the answer, and numbers its next request after it.
--
-- `sent` is a request as it goes to one trunk: {tenant, trunk, numbers, answers}, where `answers` is the challenge that
-- it is sent again for; then also {cseq, number}, the CSeq of its sender and that on the way to the trunk; then also
-- {challenge}, that of the trunk, if it can be answered.
local calls = require("kamailio.calls")
local cjson = require("cjson")
local counts = require("kamailio.counts")
local directory = require("kamailio.directory")
local protocol = require("rules.protocol")
local relay = require("kamailio.relay")
local trunk_challenge = require("rules.trunk_challenge")
local trunk_credentials = require("kamailio.trunk_credentials")
local trunk_numbers = require("rules.trunk_numbers")

local trunk_auth = {}

local function account_of(sent) return directory.trunk_account(sent.tenant, sent.trunk) end

local function key_of(sent) return sent.tenant .. " " .. sent.trunk end

local function renumber(cseq)
  local method = KSR.pv.get("$rm")
  KSR.hdr.remove("CSeq")
  relay.append_header("CSeq", ("%d %s"):format(cseq, method))
end

-- The challenge that `sent` answers, its own or the last one of its trunk, and how often its nonce has been used then.
local function answered(sent)
  if sent.answers then return sent.answers, 1 end
  local kept = KSR.htable.sht_get("challenges", key_of(sent))
  if not kept then return nil end
  return cjson.decode(kept), KSR.htable.sht_inc("nonces", key_of(sent))
end

local function write_credentials(sent)
  local account = account_of(sent)
  if not account then return end
  local challenge, count = answered(sent)
  if not challenge then return end
  relay.append_header(trunk_credentials.header(challenge, account, KSR.kx.get_method(), KSR.pv.get("$ru"), count))
end

local function keep(sent, challenge)
  sent.challenge = challenge
  KSR.htable.sht_sets("challenges", key_of(sent), cjson.encode(challenge))
  -- By the request that is sent again.
  KSR.htable.sht_seti("nonces", key_of(sent), 1)
end

-- A PRACK names the INVITE by its CSeq (RFC 3262 7.2).
local function renumber_rack(numbers)
  local value = KSR.pv.get("$hdr(RAck)")
  local renumbered = value and trunk_numbers.rack(numbers, value)
  if not renumbered then return end
  KSR.hdr.remove("RAck")
  relay.append_header("RAck", renumbered)
end

--- The branch at hand is about to be sent as `sent`.
function trunk_auth.write(sent)
  local numbers = trunk_numbers.parse(sent.numbers)
  sent.cseq = tonumber(KSR.pv.gete("$cs")) or 0
  sent.number = trunk_numbers.of_request(numbers, KSR.kx.get_method(), sent.cseq) + (sent.answers and 1 or 0)
  write_credentials(sent)
  if KSR.is_PRACK() then renumber_rack(numbers) end
  if sent.number ~= sent.cseq then renumber(sent.number) end
end

local function refuse(sent, status, reason)
  counts.add("trunk_credentials_refused")
  KSR.warn(("trunk %s of %s: %d, %s\n"):format(sent.trunk, sent.tenant, status, reason))
end

local function take_challenge(sent, status)
  local account, challenge = account_of(sent), trunk_credentials.challenge(status)
  if not account then
    refuse(sent, status, "and it has no account")
  elseif sent.answers then
    refuse(sent, status, "it refuses the account")
    -- The next request is not a guess more.
    KSR.htable.sht_rm("challenges", key_of(sent))
  elseif not challenge then
    refuse(sent, status, "a challenge that cannot be answered")
  else
    keep(sent, challenge)
  end
  KSR.hdr.remove(trunk_challenge.header(status))
  KSR.textopsx.change_reply_status(503, "Trunk Refuses Credentials")
end

--- An answer to `sent` passes to its sender, which is parkd if `is_parkds`. A challenge becomes a 503, which the sender
--- gets if the request is not sent again.
function trunk_auth.pass(sent, is_parkds)
  local status = KSR.pv.get("$rs")
  if trunk_challenge.header(status) then take_challenge(sent, status) end
  if sent.number == sent.cseq then return end
  renumber(sent.cseq)
  if is_parkds then relay.append_header(protocol.kCSeq, tostring(sent.number)) end
end

----- requests within dialogs

-- The transaction remembers `sent`, with {side, uri, hop, routes}.
local function remember(sent)
  KSR.pv.unset("$avp(to_trunk)")
  KSR.pv.sets("$avp(to_trunk)", cjson.encode(sent))
end

local function remembered()
  local text = KSR.pv.get("$avp(to_trunk)")
  return text and cjson.decode(text) or nil
end

--- What the transaction at hand sends next goes to that trunk.
function trunk_auth.follow()
  if not remembered() then return end
  KSR.tm.t_on_branch("ksr_branch_trunk")
  KSR.tm.t_on_reply("ksr_onreply_call")
  KSR.tm.t_on_failure("ksr_failure_trunk")
end

-- The record knows which trunk has carried the call after all; the seal in the Route outlives it.
local function trunk_of(receiver, is_known)
  local other = is_known and calls.trunk_beside(KSR.rr.is_direction("downstream") > 0 and "a" or "b")
  return other or receiver.trunk
end

--- The request at hand goes to `receiver`, a party of a dialog of this tenant; `side` has sent it, nil if parkd has.
--- If that is a trunk with an account, or one that counts ahead of the sender, its answers pass here.
function trunk_auth.expect(f, receiver, tenant, side)
  local is_known = KSR.dialog.is_known_dlg() >= 0
  local numbers = side and is_known and calls.numbers(side) or nil
  if f.method == "ACK" then
    local number = trunk_numbers.of_request(trunk_numbers.parse(numbers), "ACK", f.cseq)
    if number ~= f.cseq then renumber(number) end
    return false
  end
  local trunk = trunk_of(receiver, is_known)
  if not numbers and not (trunk and directory.trunk_account(tenant, trunk)) then return false end
  -- Of a request that has waited, tm (5.6.3, "TODO: save_msg_lumps") keeps no change that was made afterwards.
  remember({ tenant = tenant, trunk = trunk or "", side = side, numbers = numbers,
    routes = f.waits > 0 and f.path.hops or nil })
  return true
end

--- In the branch route of such a request.
function trunk_auth.write_branch()
  local sent = remembered()
  sent.uri, sent.hop = KSR.pv.get("$ru"), KSR.pv.get("$du")
  trunk_auth.write(sent)
  remember(sent)
end

-- A BYE is the last one.
local function note_numbers(sent, method)
  if not sent.side or method == "BYE" then return end
  if calls.note_number(sent.side, method, sent.cseq, sent.number) then calls.changed() end
end

--- An answer passes. Whether it is a challenge that the request is sent again for.
function trunk_auth.answer_passes()
  local sent = remembered()
  if not sent or not sent.number then return false end
  trunk_auth.pass(sent, not sent.side)
  if KSR.pv.get("$rs") < 200 then return false end
  remember(sent)
  -- Its sender may not wait for the answer before the next one.
  if sent.challenge then sent.number = sent.number + 1 end
  note_numbers(sent, KSR.pv.get("$rm"))
  return sent.challenge ~= nil
end

-- What tm has not kept of the request at hand.
local function change_again(routes)
  relay.drop_credentials()
  KSR.hdr.remove("Route")
  for _, uri in ipairs(routes) do relay.append_header("Route", "<" .. uri .. ">") end
end

--- In the failure route of such a request: sends it once more, with credentials, if the trunk has challenged it.
function trunk_auth.answer_challenge()
  local sent = remembered()
  if not sent.challenge or KSR.tm.t_is_canceled() > 0 then return end
  if sent.routes then change_again(sent.routes) end
  KSR.seturi(sent.uri)
  if sent.hop then KSR.setdsturi(sent.hop) else KSR.resetdsturi() end
  relay.from_outside_socket()
  remember({ tenant = sent.tenant, trunk = sent.trunk, side = sent.side, numbers = sent.numbers,
    answers = sent.challenge })
  KSR.tm.t_on_branch("ksr_branch_trunk")
  KSR.tm.t_on_reply("ksr_onreply_call")
  counts.add("trunk_challenges_answered")
  KSR.tm.t_relay()
end

return trunk_auth
