-- Which trunks a call to an outside number may go by, and the order in which they are tried. Pure.
--
-- A trunk is {trunk, address, port, transport, priority, weight, calls_max, probe, takes_all}; `takes_all` if it
-- has no prefixes.
local trunk_choice = {}

--- The trunks of `trunks` for `number`: those with its longest prefix, or, if no trunk has a prefix of it, those
--- without prefixes. `with_prefix` gives the set of the names of the trunks that have a prefix, nil if none has.
function trunk_choice.candidates(trunks, number, with_prefix)
  local has_prefixes, list = false, {}
  for _, one in ipairs(trunks) do has_prefixes = has_prefixes or not one.takes_all end
  local names
  for length = has_prefixes and #number or 0, 1, -1 do
    names = with_prefix(number:sub(1, length))
    if names then break end
  end
  for _, one in ipairs(trunks) do
    local fits = one.takes_all
    if names then fits = names[one.trunk] end
    if fits then list[#list + 1] = one end
  end
  return list
end

-- Lists of trunks of the same priority, lower ones first; within each as they were.
local function by_priority(trunks)
  local of, priorities, lists = {}, {}, {}
  for _, one in ipairs(trunks) do
    if not of[one.priority] then
      of[one.priority] = {}
      priorities[#priorities + 1] = one.priority
    end
    table.insert(of[one.priority], one)
  end
  table.sort(priorities)
  for i, priority in ipairs(priorities) do lists[i] = of[priority] end
  return lists
end

-- Removes one from a list of equals, by weight. Returns it, and the random number for the next one: what `random`
-- leaves within the share of the chosen one is evenly distributed again. Without weights it is the first one.
local function draw(equals, random)
  local sum = 0
  for _, one in ipairs(equals) do sum = sum + one.weight end
  if sum == 0 then return table.remove(equals, 1), random end
  local point, chosen = random * sum, nil
  for i, one in ipairs(equals) do
    if one.weight > 0 then
      chosen = i
      if point < one.weight then break end
      point = point - one.weight
    end
  end
  return equals[chosen], point / table.remove(equals, chosen).weight
end

--- The order in which `trunks`, which are in that of their names, are tried: by priority, lower first; among equals by
--- weight, each with its share of first places; those without a weight last, by name. `random` is at least 0 and less
--- than 1.
function trunk_choice.order(trunks, random)
  local list = {}
  for _, equals in ipairs(by_priority(trunks)) do
    local rest = random
    while equals[1] do
      list[#list + 1], rest = draw(equals, rest)
    end
  end
  return list
end

--- Whether a trunk that has so many calls may have one more.
function trunk_choice.has_room(trunk, calls) return trunk.calls_max == 0 or calls < trunk.calls_max end

--- Those of `trunks` that may have one more call: first those that live, then the others, since a probe may be wrong;
--- both in the same sequence. Each has `calls`, how many it has, and `is_dead`.
function trunk_choice.with_room(trunks)
  local list, dead = {}, {}
  for _, one in ipairs(trunks) do
    if trunk_choice.has_room(one, one.calls) then table.insert(one.is_dead and dead or list, one) end
  end
  for _, one in ipairs(dead) do list[#list + 1] = one end
  return list
end

-- A trunk that is probed has missed so many, and the last one may be under way. More than one, so that neither a lost
-- datagram nor a restart of the trunk counts.
local kMissesMax = 3

--- Whether a trunk is dead that has been sent so many probes since it has answered one.
function trunk_choice.is_dead(unanswered) return unanswered > kMissesMax end

--- Whether an answer to a probe shows that the trunk lives. 503: RFC 3261 21.5.4; 408: a proxy has asked it in vain.
function trunk_choice.shows_life(status) return status ~= 503 and status ~= 408 end

local kProbeSeconds = 5

--- Those of `places` that are probed in this second: each of them every kProbeSeconds, and not all at once.
function trunk_choice.due(places, now)
  local list = {}
  for i, place in ipairs(places) do
    if (i + now) % kProbeSeconds == 0 then list[#list + 1] = place end
  end
  return list
end

-- Of 5xx, which RFC 3261 21.5 calls errors of the server itself, those that the next server would send too: 513
-- (21.5.7) is about the length of the request, and 580 (RFC 3312 8) about what the called party needs.
local not_of_the_trunk = { [513] = true, [580] = true }

--- Whether the end of a call with this status is a failure of its trunk, so that another one is tried. `is_timeout`: no
--- final answer came in time, `is_answered`: but a provisional one. `has_rung`: the called party has rung, and its
--- trunk has done all that a trunk can do.
function trunk_choice.has_failed(status, is_timeout, is_answered, has_rung)
  if has_rung then return false end
  if is_timeout then return not is_answered end
  return status == 408 or status >= 500 and status <= 599 and not not_of_the_trunk[status]
end

--- Where a trunk is reached, as the part of a URI behind the user.
function trunk_choice.place(trunk)
  local host = trunk.address
  if host:find(":") then host = "[" .. host .. "]" end
  return ("%s:%d;transport=%s"):format(host, trunk.port, trunk.transport)
end

--- The URI by which an outside number is reached.
function trunk_choice.uri(number, trunk) return ("sip:%s@%s"):format(number, trunk_choice.place(trunk)) end

return trunk_choice
