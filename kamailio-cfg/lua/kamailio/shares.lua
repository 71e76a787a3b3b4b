-- Counts what rules/shares.lua limits: the calls of an extension, of a tenant and of a trunk (profiles of the dialog
-- module, which end with a call), and what they have sent within the minute.
local shares = {}

local kWindowSeconds = 60

local function profile_size(name, value)
  if KSR.dialog.get_profile_size(name, value, "$var(size)") < 0 then return 0 end
  return tonumber(KSR.pv.get("$var(size)")) or 0
end

--- {of the extension, of the tenant}; `about` is both.
function shares.calls_under_way(about)
  return { profile_size("callers", about[1]), profile_size("calling_tenants", about[2]) }
end

--- The call at hand, which is followed, is the extension's from now on.
function shares.note_call(aor)
  KSR.dialog.set_dlg_profile("callers", aor)
  KSR.dialog.set_dlg_profile("calling_tenants", aor:match("@(.*)$"))
end

-- A profile's value: neither of them has a blank.
local function trunk_of(tenant, trunk) return tenant .. " " .. trunk end

--- How many calls a trunk has, in and out.
function shares.calls_of_trunk(tenant, trunk) return profile_size("trunks", trunk_of(tenant, trunk)) end

--- The call at hand is one of the trunk's from now on.
function shares.note_trunk(tenant, trunk) KSR.dialog.set_dlg_profile("trunks", trunk_of(tenant, trunk)) end

--- It is none of the trunk's any more. The module does not do that in a request route.
function shares.forget_trunk(tenant, trunk) KSR.dialog.unset_dlg_profile("trunks", trunk_of(tenant, trunk)) end

--- How many there were of each of `about.of` within the minute, with the one at hand.
function shares.recent(about)
  local minute, list = math.floor(KSR.pv.get("$Ts") / kWindowSeconds), {}
  for i, whose in ipairs(about.of) do
    list[i] = KSR.htable.sht_inc("recent", ("%d %s %s"):format(minute, about.kind, whose))
  end
  return list
end

return shares
