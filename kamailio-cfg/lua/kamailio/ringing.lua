-- Rings the steps of a ring group (rules/ring_steps.lua), one after the other: each is a list of branches, the first
-- made from the request, the next from the failure of the one before. Last comes what is behind the group at parkd: a
-- menu, an announcement or an orbit.
local cjson = require("cjson")
local outgoing = require("kamailio.outgoing")
local protocol = require("rules.protocol")
local relay = require("kamailio.relay")
local settings = require("kamailio.settings")
local sip_text = require("rules.sip_text")

local ringing = {}

-- Marks the transaction of a call that a phone has answered.
local kAnsweredFlag = 2

-- The transaction remembers the steps to come, and the party of each registered contact (ruid) of the present one and
-- of those before.
local function remember(ring)
  KSR.pv.unset("$avp(ring)")
  KSR.pv.sets("$avp(ring)", cjson.encode(ring))
end

local function remembered()
  local text = KSR.pv.get("$avp(ring)")
  return text and cjson.decode(text) or nil
end

local function branch_count() return KSR.pv.get("$branch(count)") or 0 end

-- The first party has the URI of a request that was not sent yet; every other one has a branch beside it.
local function ring_outside(party, tenant, is_free)
  local uri = outgoing.uri({ tenant = tenant, number = party.number, trunks = party.trunks })
  if is_free then return KSR.seturi(uri) end
  return KSR.corex.append_branch_uri(uri) > 0
end

local function ring_extension(party, is_free, owners)
  local before = branch_count()
  local uri = "sip:" .. party.aor
  local found
  if is_free then
    KSR.seturi(uri)
    found = KSR.registrar.lookup("location") > 0
    if found then owners[KSR.pv.gete("$ruid")] = party end
  else
    found = KSR.registrar.lookup_to_dset("location", uri) > 0
  end
  for i = before, branch_count() - 1 do
    local ruid = KSR.pv.get(("$(branch(ruid)[%d])"):format(i))
    if ruid then owners[ruid] = party end
  end
  return found
end

-- Outside parties first: a branch inherits the next hop of the request, which has none yet.
local function ring_step(step, tenant, is_request)
  local is_free, owners = is_request, {}
  local rings = false
  KSR.resetdsturi()
  for _, kind in ipairs({ "trunk", "extension" }) do
    for _, party in ipairs(step.parties) do
      if party.kind == kind then
        local found
        if kind == "trunk" then
          found = ring_outside(party, tenant, is_free)
        else
          found = ring_extension(party, is_free, owners)
        end
        is_free = is_free and not found
        rings = rings or found
      end
    end
  end
  return rings and owners
end

local function ring_next(ring, is_request)
  KSR.pv.sets("$fs", settings.outside_socket)
  while ring.steps[1] do
    local step = table.remove(ring.steps, 1)
    local owners = ring_step(step, ring.tenant, is_request)
    if owners then
      ring.earlier = ring.earlier or {}
      for ruid, party in pairs(ring.owners or {}) do ring.earlier[ruid] = party end
      ring.owners, ring.present = owners, step
      remember(ring)
      return step
    end
  end
  return nil
end

-- The feature call behind the group, as parkd gets it.
local function call_of(f, behind)
  return { uri = sip_text.uri(behind.number, behind.tenant),
    headers = protocol.feature_headers(behind, f.source.device) }
end

--- Prepares the request at hand, about which `d` is the decision, for the first step that reaches a device, and
--- returns that step; nil if none does.
function ringing.first(f, d)
  return ring_next({ steps = d.steps, tenant = d.setup.tenant, otherwise = d.otherwise,
    behind = d.behind and call_of(f, d.behind) }, true)
end

--- The same for the next step, after the failure of the last.
function ringing.next()
  local ring = remembered()
  return ring and ring_next(ring, false)
end

--- The step that rings; nil if no ring group does.
function ringing.present_step()
  local ring = remembered()
  return ring and ring.present
end

--- The feature call behind the steps, {uri, headers}, which follows now; nil if there is none, or no longer.
function ringing.next_feature_call()
  local ring = remembered()
  local behind = ring and ring.behind
  if behind then
    local owners, earlier = ring.owners, ring.earlier
    remember({ steps = {}, owners = owners, earlier = earlier, otherwise = ring.otherwise, is_at_parkd = true })
  end
  return behind
end

--- The refusal of a call that no member answers; nil if it depends on the answers.
function ringing.otherwise()
  local ring = remembered()
  return ring and ring.otherwise
end

--- The extensions that ring in the present step; nil if no ring group rings.
function ringing.members()
  local ring = remembered()
  if not ring then return nil end
  local aors = {}
  if ring.is_at_parkd then return aors end
  for _, party in pairs(ring.owners) do aors[#aors + 1] = party.aor end
  return aors
end

--- An answer with this status passes. Call it at the end of the reply route.
--- Kamailio (tm, 5.6 to 6.0) never cancels a branch if it handles its first ringing between the 200 of another one and
--- the CANCELs after that: it remembers that the branch has rung only while this route runs. So the route stays for as
--- long as the other process may need to reach its CANCELs.
function ringing.passes(status)
  if status >= 200 and status < 300 then return KSR.setflag(kAnsweredFlag) end
  if status < 101 or status >= 200 or not KSR.isflagset(kAnsweredFlag) then return end
  for _ = 1, 25 do
    KSR.cfgutils.usleep(2000)
    KSR.tmx.t_cancel_branches("this")
  end
end

-- Of all parties only phones have a ruid.
local function outside_answerer()
  local uri = sip_text.parse_uri(KSR.pv.gete("$T_branch(uri)"))
  return { kind = "trunk", display = "", outside = uri and uri.user }
end

--- The sender of the answer at hand, as a party of the record of the call; nil if no ring group rang. The answer of a
--- member may come when its time is over. `is_inside`: it comes from parkd.
function ringing.answerer(is_inside)
  local ring = remembered()
  if ring and ring.is_at_parkd and is_inside then return relay.kParkd end
  local ruid = KSR.pv.gete("$T_branch(ruid)")
  return ring and (ring.owners[ruid] or ring.earlier[ruid] or outside_answerer())
end

return ringing
