-- The calls of one extension, and which of them its lamp shows; the extensions that show one call. As text, the form in
-- which hash tables hold them. Pure.
local talks = {}

local kEarly, kConfirmed = "early", "confirmed"

--- {call_id -> {call_id, state, direction}} and back, one line a call.
function talks.parse(text)
  local calls = {}
  for state, direction, call_id in (text or ""):gmatch("(%S+) (%S+) ([^\n]+)") do
    calls[#calls + 1] = { state = state, direction = direction, call_id = call_id }
  end
  return calls
end

function talks.text(calls)
  local lines = {}
  for i, call in ipairs(calls) do lines[i] = ("%s %s %s"):format(call.state, call.direction, call.call_id) end
  return table.concat(lines, "\n")
end

--- The calls with `call` among them, in the place of the one with its call_id; without `state` that one is only
--- removed.
function talks.with(calls, call)
  local changed = {}
  for _, other in ipairs(calls) do
    if other.call_id ~= call.call_id then changed[#changed + 1] = other end
  end
  if call.state then changed[#changed + 1] = call end
  return changed
end

--- The call that the lamp shows, nil if there is none. A ringing call goes before a talking one, as in Kamailio's
--- presence_dialoginfo, which chooses between this and what parkd publishes: a colleague may want to pick it up.
function talks.shown(calls)
  local shown
  for _, call in ipairs(calls) do
    if call.state == kEarly then return call end
    if call.state == kConfirmed then shown = shown or call end
  end
  return shown
end

----- the extensions that show a call

--- {state, people}, each of them {aor, direction}; state is nil if no lamp has shown it yet.
function talks.parse_lit(text)
  local state, rest = (text or ""):match("^(%S+)(.*)$")
  local people = {}
  for direction, aor in (rest or ""):gmatch(" (%a+)/(%S+)") do
    people[#people + 1] = { aor = aor, direction = direction }
  end
  return { state = state, people = people }
end

function talks.lit_text(lit)
  local words = { lit.state }
  for _, one in ipairs(lit.people) do words[#words + 1] = one.direction .. "/" .. one.aor end
  return table.concat(words, " ")
end

--- Whether a call goes from `before` to `after`: a device that still rings does not undo the answer of another, and a
--- call that is over stays over.
function talks.goes_on(before, after)
  return before ~= "over" and not (before == kConfirmed and after == kEarly)
end

--- The extensions that a call shows at: its caller, nil if outside, and the extensions that it rings, or that answer.
function talks.people(caller_aor, callee_aors)
  local list = {}
  if caller_aor then list[1] = { aor = caller_aor, direction = "initiator" } end
  for _, aor in ipairs(callee_aors) do list[#list + 1] = { aor = aor, direction = "recipient" } end
  return list
end

--- Which of them stay once the parker has left the call to parkd; `stays` is initiator or recipient.
function talks.staying(people, stays)
  local list = {}
  for _, one in ipairs(people) do
    if one.direction == stays then list[#list + 1] = one end
  end
  return list
end

--- The side that stays in a call that ends: nil if neither side is marked as a parker.
function talks.side_that_stays(is_caller_marked, is_callee_marked)
  if is_caller_marked then return "recipient" end
  return is_callee_marked and "initiator" or nil
end

--- Whether the lamp shows something else with `after` than with `before`.
function talks.differ(before, after)
  local shown_before, shown = talks.shown(before), talks.shown(after)
  return (shown_before and shown_before.state) ~= (shown and shown.state)
end

--- The extensions with a lamp that is out of sync after a restart: `lit` are those with a lit lamp, `calls` the calls
--- that go on, each {call_id, people}.
function talks.out_of_sync(lit, calls)
  local is_lit, talks_now, list = {}, {}, {}
  for _, aor in ipairs(lit) do is_lit[aor] = true end
  for _, call in ipairs(calls) do
    for _, one in ipairs(call.people) do talks_now[one.aor] = true end
  end
  for aor in pairs(is_lit) do
    if not talks_now[aor] then list[#list + 1] = aor end
  end
  for aor in pairs(talks_now) do
    if not is_lit[aor] then list[#list + 1] = aor end
  end
  table.sort(list)
  return list
end

return talks
