-- The branches of the call at hand that go out by a trunk: by which one, and by which others if that fails
-- (rules/trunk_choice.lua).
--
-- The transaction remembers `routes`, URI -> {number, trunks}, of what is to be sent, and `branches`, index of a branch
-- -> {number, trunks, has_rung}, of what was sent. The first of `trunks` is that of the branch; the others are left.
local cjson = require("cjson")
local counts = require("kamailio.counts")
local settings = require("kamailio.settings")
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

--- The URI by which the first of `trunks` reaches an outside number, for a branch that is sent after outgoing.follow().
function outgoing.uri(number, trunks)
  local state, uri = remembered(), trunk_choice.uri(number, trunks[1])
  state.routes[uri] = { number = number, trunks = trunks }
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
  local route = state.routes[KSR.kx.get_ruri()]
  if not route then return end
  state.branches[index_of_branch()] = route
  remember(state)
end

-- What is known of the branch of the answer at hand, or of the one that has failed; nil if it goes to no trunk.
local function branch_at_hand(state) return state.branches[index_of_branch()] end

--- The name of the trunk by which the answer at hand has come; nil if it is no trunk's.
function outgoing.trunk()
  local branch = branch_at_hand(remembered())
  return branch and branch.trunks[1].trunk
end

--- An answer passes.
function outgoing.note_answer(status)
  if status ~= 180 then return end
  local state = remembered()
  local branch = branch_at_hand(state)
  if not branch or branch.has_rung then return end
  branch.has_rung = true
  remember(state)
end

local function report(branch, what)
  counts.add("trunk_failures")
  local following = branch.trunks[2] and "the next is " .. branch.trunks[2].trunk or "no other is left"
  KSR.warn(("trunk %s: %s, %s for %s\n"):format(branch.trunks[1].trunk, what, following, branch.number))
end

--- Whether there is another trunk for the branch.
function outgoing.has_next(branch) return branch.trunks[2] ~= nil end

--- The branch without the trunk that it has, which could not be sent to; nil if no other is left.
function outgoing.after_unsent(branch)
  report(branch, "cannot be sent to")
  if not outgoing.has_next(branch) then return nil end
  return { number = branch.number, trunks = { unpack(branch.trunks, 2) } }
end

--- The branch at hand has failed: what is left of it for another trunk. nil if it goes to no trunk, if the trunk is not
--- to blame, or if no other is left.
function outgoing.after_failure()
  local branch = branch_at_hand(remembered())
  if not branch then return nil end
  local code = KSR.tm.t_get_status_code()
  local is_timeout = KSR.tm.t_branch_timeout() > 0
  if not trunk_choice.has_failed(code, is_timeout, KSR.tm.t_branch_replied() > 0, branch.has_rung) then return nil end
  report(branch, is_timeout and "no answer" or tostring(code))
  if not outgoing.has_next(branch) then return nil end
  return { number = branch.number, trunks = { unpack(branch.trunks, 2) } }
end

--- Adds a branch for what is left of another one to the call at hand. Whether it was sent.
function outgoing.send(branch)
  KSR.resetdsturi()
  KSR.pv.sets("$fs", settings.outside_socket)
  if KSR.corex.append_branch_uri(outgoing.uri(branch.number, branch.trunks)) < 0 then return false end
  outgoing.follow()
  return KSR.tm.t_relay() >= 0
end

return outgoing
