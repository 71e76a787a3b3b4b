-- The members that ring for a call to a ring group, step by step: the next step begins when one ends without an answer.
-- Pure.
local ring_steps = {}

local function is_outside(member) return member:sub(1, 1) == "+" end

--- The outside numbers among the rows, which are as directory.ring_group gives them.
function ring_steps.outside_numbers(rows)
  local numbers = {}
  for _, row in ipairs(rows) do
    if row.member and is_outside(row.member) then numbers[#numbers + 1] = row.member end
  end
  return numbers
end

--- The reason with which a call flow behind them hangs up if no member answers; nil if there is none.
function ring_steps.hangup(rows)
  local last = rows[#rows]
  return last and last.hangup
end

--- The number of the menu or announcement behind them, which parkd answers if no member does; nil if there is none.
function ring_steps.menu(rows)
  local last = rows[#rows]
  return last and last.menu
end

--- The row of the orbit behind them, from which the caller retrieves if no member answers; nil if there is none.
function ring_steps.orbit(rows)
  local last = rows[#rows]
  return last and last.orbit
end

--- Whether a party of the step has another trunk, should its first one fail.
function ring_steps.has_next_trunk(step)
  for _, party in ipairs(step.parties) do
    if party.trunks and party.trunks[2] then return true end
  end
  return false
end

--- Whether `extension` is among the rows.
function ring_steps.include(rows, extension)
  for _, row in ipairs(rows) do
    if row.member == extension then return true end
  end
  return false
end

-- A party as in the record of the call, with its number and its trunks if it is outside. nil if it cannot ring.
local function party_of(row, tenant, caller_aor, trunks_to)
  if is_outside(row.member) then
    local trunks = trunks_to and trunks_to[row.member]
    if not trunks or #trunks == 0 then return nil end
    return { kind = "trunk", display = "", number = row.member, trunks = trunks }
  end
  local aor = row.member .. "@" .. tenant
  if tonumber(row.enabled) ~= 1 or aor == caller_aor then return nil end
  return { kind = "extension", aor = aor, display = row.display_name }
end

--- The steps, each {seconds, parties}, without `seconds` if there is no limit. No extension rings for its own call:
--- `caller_aor`, nil for outside callers, is left out. `trunks_to` has the trunks of each outside number, in order;
--- false if outside members do not ring.
function ring_steps.make(rows, tenant, caller_aor, trunks_to)
  local steps, place = {}, nil
  for _, row in ipairs(rows) do
    local party = row.member and party_of(row, tenant, caller_aor, trunks_to)
    if party then
      local together = row.strategy == "simultaneous" and place == row.place
      if not together then steps[#steps + 1] = { seconds = tonumber(row.ring_seconds), parties = {} } end
      local parties = steps[#steps].parties
      parties[#parties + 1] = party
      place = row.place
    end
  end
  return steps
end

--- What Kamailio answers the caller if the best answer of the last step is `code`; `otherwise` is the refusal of the
--- call flow behind the last step, or nil.
function ring_steps.refusal(code, otherwise)
  if otherwise then return otherwise.code, otherwise.reason end
  if code == 486 or code == 600 then return 486, "Busy Here" end
  return 480, "Temporarily Unavailable"
end

return ring_steps
