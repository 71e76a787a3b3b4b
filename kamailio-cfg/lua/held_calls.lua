-- Which of the calls that an extension has on hold is meant when it parks "the held call". Pure.
local held_calls = {}

local function goes_before(one, other, device)
  local one_here, other_here = one.device == device, other.device == device
  if one_here ~= other_here then return one_here end
  if one.since ~= other.since then return one.since > other.since end
  return one.record.call_id > other.record.call_id
end

--- candidates: list of {record, side, device, since}. Those held by the same device first, then the one held last.
--- nil when there is none.
function held_calls.choose(candidates, device)
  local chosen
  for _, candidate in ipairs(candidates) do
    if not chosen or goes_before(candidate, chosen, device) then chosen = candidate end
  end
  return chosen
end

return held_calls
