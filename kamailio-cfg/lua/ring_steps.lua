-- Who rings for a call to a ring group, step by step: the next one when nobody has answered in this. Pure.
local ring_steps = {}

local function is_outside(member) return member:sub(1, 1) == "+" end

--- Whether somebody outside is to be rung; rows as directory.ring_group gives them.
function ring_steps.lead_outside(rows)
  for _, row in ipairs(rows) do
    if is_outside(row.member) then return true end
  end
  return false
end

--- Whether `extension` is one of those that are rung.
function ring_steps.include(rows, extension)
  for _, row in ipairs(rows) do
    if row.member == extension then return true end
  end
  return false
end

-- As the record of the call knows a party, and the number where it is outside. nil for who cannot be rung.
local function party_of(row, tenant, caller_aor, has_trunk)
  if is_outside(row.member) then
    return has_trunk and { kind = "trunk", display = "", number = row.member } or nil
  end
  local aor = row.member .. "@" .. tenant
  if tonumber(row.enabled) ~= 1 or aor == caller_aor then return nil end
  return { kind = "extension", aor = aor, display = row.display_name }
end

--- The steps, each {seconds, parties}, without `seconds` where there is no limit. Nobody calls himself: `caller_aor`,
--- nil for outside callers, is passed over.
function ring_steps.make(rows, tenant, caller_aor, has_trunk)
  local steps, place = {}, nil
  for _, row in ipairs(rows) do
    local party = party_of(row, tenant, caller_aor, has_trunk)
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

--- What the caller is told when the best that the last who rang have answered is `code`.
function ring_steps.refusal(code)
  if code == 486 or code == 600 then return 486, "Busy Here" end
  return 480, "Temporarily Unavailable"
end

return ring_steps
