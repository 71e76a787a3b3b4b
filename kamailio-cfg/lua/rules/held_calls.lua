-- Which of the calls that an extension has on hold it parks when it parks "the held call". Pure.
local dialog_record = require("rules.dialog_record")

local held_calls = {}

local function goes_before(one, other, device)
  local one_here, other_here = one.device == device, other.device == device
  if one_here ~= other_here then return one_here end
  if one.since ~= other.since then return one.since > other.since end
  return one.record.call_id > other.record.call_id
end

--- Of candidates, a list of {record, side, device, since}, those held by the same device come first, and among equals
--- the one held last. nil if there is none.
function held_calls.choose(candidates, device)
  local chosen
  for _, candidate in ipairs(candidates) do
    if not chosen or goes_before(candidate, chosen, device) then chosen = candidate end
  end
  return chosen
end

--- The candidate that the call `record` is for the side with `tag`; nil if that side does not hold it, or already parks
--- it.
function held_calls.candidate(record, tag, is_marked)
  local side = record and dialog_record.side_of(record, tag)
  if not side or is_marked or not record.confirmed then return nil end
  local held = record[side].held
  return held and { record = record, side = side, device = held.device, since = held.since } or nil
end

return held_calls
