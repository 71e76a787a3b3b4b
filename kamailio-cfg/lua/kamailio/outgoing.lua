-- The branches of the call at hand that go out by a trunk: by which one, and by which others if that fails
-- (rules/trunk_choice.lua). A branch that its trunk challenges is followed by one to the same trunk, with credentials.
--
-- A branch is {tenant, number, trunks, answers, has_rung, is_over, sent}: the first of `trunks` is the one that it goes
-- by, the others are left; `answers` and `sent` are for trunk_auth.lua. The transaction remembers `routes`, those that
-- are to be sent by their URI, and `branches`, those that were sent by their index.
local calls = require("kamailio.calls")
local cjson = require("cjson")
local counts = require("kamailio.counts")
local settings = require("kamailio.settings")
local shares = require("kamailio.shares")
local trunk_auth = require("kamailio.trunk_auth")
local trunk_choice = require("rules.trunk_choice")

local outgoing = {}

local function remembered()
  local text = KSR.pv.get("$avp(outgoing)")
  return text and cjson.decode(text) or { routes = {}, branches = {} }
end

local function remember(state)
  KSR.pv.unset("$avp(outgoing)")
  KSR.pv.sets("$avp(outgoing)", cjson.encode(state))
end

--- The URI by which the first trunk of `branch` reaches its number, for what is sent after outgoing.follow().
function outgoing.uri(branch)
  local state, uri = remembered(), trunk_choice.uri(branch.number, branch.trunks[1])
  state.routes[uri] = branch
  remember(state)
  return uri
end

--- What is sent next is followed: ksr_branch_outside sees each of its branches, and ksr_failure_outside each that
--- fails.
function outgoing.follow()
  KSR.tm.t_on_branch("ksr_branch_outside")
  KSR.tm.t_on_branch_failure("ksr_failure_outside")
end

local function index_of_branch() return tostring(KSR.tm.t_get_branch_index()) end

--- A branch is about to be sent.
function outgoing.note_branch()
  local state = remembered()
  local branch = state.routes[KSR.kx.get_ruri()]
  if not branch then return end
  branch.sent = { tenant = branch.tenant, trunk = branch.trunks[1].trunk, answers = branch.answers }
  trunk_auth.write(branch.sent)
  state.branches[index_of_branch()] = branch
  remember(state)
  shares.note_trunk(branch.tenant, branch.trunks[1].trunk)
end

-- The call at hand is none of the trunk's of this branch any more.
local function leave(branch)
  if branch.is_over then return end
  branch.is_over = true
  shares.forget_trunk(branch.tenant, branch.trunks[1].trunk)
end

--- An answer passes. With a 2xx the call is one of no other trunk. The result is the trunk by which it has come:
--- {trunk, cseq, number, challenge} (trunk_auth.lua), with a challenge if the call is sent there again; nil if it is no
--- trunk's.
function outgoing.answer_passes()
  local state, own = remembered(), index_of_branch()
  if not next(state.branches) then return nil end
  local status, sender = KSR.pv.get("$rs"), state.branches[own]
  if status == 180 and sender then sender.has_rung = true end
  for index, branch in pairs(state.branches) do
    if status >= 200 and status < 300 and index ~= own then leave(branch) end
  end
  if sender then trunk_auth.pass(sender.sent, not calls.is_followed()) end
  remember(state)
  return sender and sender.sent
end

--- Whether there is another trunk for the branch.
function outgoing.has_next(branch) return branch.trunks[2] ~= nil end

local function has_room(tenant, trunk)
  return trunk_choice.has_room(trunk, trunk.calls_max > 0 and shares.calls_of_trunk(tenant, trunk.trunk) or 0)
end

-- What is left of a branch with a trunk that has failed; nil if nothing is.
local function rest_of(branch, what)
  local trunks = {}
  for i = 2, #branch.trunks do
    if has_room(branch.tenant, branch.trunks[i]) then trunks[#trunks + 1] = branch.trunks[i] end
  end
  counts.add("trunk_failures")
  -- A timer's lines do not begin with the Call-ID.
  KSR.warn(("trunk %s of %s: %s for %s, %s; Call-ID %s\n"):format(branch.trunks[1].trunk, branch.tenant, what,
    branch.number, trunks[1] and "the next is " .. trunks[1].trunk or "no other is left", KSR.kx.get_callid()))
  return trunks[1] and { tenant = branch.tenant, number = branch.number, trunks = trunks }
end

--- What is left of a branch that cannot be sent; nil if nothing is.
function outgoing.after_unsent(branch) return rest_of(branch, "cannot be reached") end

--- The branch at hand has failed: what is sent next, to the same trunk with credentials, or what is left of it for
--- another trunk. nil if it goes to no trunk, if that is not to blame, or if no other is left.
function outgoing.after_failure()
  local state = remembered()
  local branch = state.branches[index_of_branch()]
  if not branch then return nil end
  leave(branch)
  remember(state)
  if branch.sent.challenge then
    counts.add("trunk_challenges_answered")
    return { tenant = branch.tenant, number = branch.number, trunks = branch.trunks, answers = branch.sent.challenge }
  end
  local code, is_timeout = KSR.tm.t_get_status_code(), KSR.tm.t_branch_timeout() > 0
  if not trunk_choice.has_failed(code, is_timeout, KSR.tm.t_branch_replied() > 0, branch.has_rung) then return nil end
  return rest_of(branch, is_timeout and "no answer" or tostring(code))
end

--- Adds a branch to the call at hand. Whether it was sent.
function outgoing.send(branch)
  KSR.resetdsturi()
  KSR.pv.sets("$fs", settings.outside_socket)
  if KSR.corex.append_branch_uri(outgoing.uri(branch)) < 0 then return false end
  outgoing.follow()
  return KSR.tm.t_relay() >= 0
end

return outgoing
