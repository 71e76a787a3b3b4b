-- The calls of one extension, and which of them its lamp shows; the extensions that show one call. As text, the way
-- they lie in hash tables. Pure.
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

--- The calls with `call` in them, in the place of the one with its call_id; with `state` nil it is only taken out.
function talks.with(calls, call)
  local changed = {}
  for _, other in ipairs(calls) do
    if other.call_id ~= call.call_id then changed[#changed + 1] = other end
  end
  if call.state then changed[#changed + 1] = call end
  return changed
end

--- The call that the lamp shows, nil when there is none. One that rings goes before one that talks, as in Kamailio's
--- presence_dialoginfo, which chooses between this and what others publish: somebody else may want to pick it up.
function talks.shown(calls)
  local shown
  for _, call in ipairs(calls) do
    if call.state == kEarly then return call end
    if call.state == kConfirmed then shown = shown or call end
  end
  return shown
end

----- the extensions that show a call

--- {state, people}, each of them {aor, direction}; state is nil when nobody has shown it yet.
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

--- Whether a call goes from `before` to `after`: a device that still says that it rings does not take back the answer
--- of another, and a call that is over stays so.
function talks.goes_on(before, after)
  return before ~= "over" and not (before == kConfirmed and after == kEarly)
end

return talks
