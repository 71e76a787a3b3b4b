-- What one extension, and one tenant, may use up of calls, texts and registrations. Pure.
local decision = require("rules.decision")

local need, refuse = decision.need, decision.refuse

local shares = {}

-- A minute: a text costs its transaction, a registration a statement too. A phone that registers each 30 s, at ten
-- devices, registers 20 times.
local kTextsOfExtensionMax, kTextsOfTenantMax = 120, 3000
local kRegistrationsOfExtensionMax = 120

--- A REGISTER may cost so much: nil, or a refusal. `aor` is the extension.
function shares.registrations(f, aor)
  if not f.settings.flood_control then return nil end
  local about = { kind = "registrations", of = { aor } }
  if f.recent_registrations == nil then return need("recent_registrations", about) end
  if f.recent_registrations[1] > kRegistrationsOfExtensionMax then return refuse(503, "Too Many Registrations") end
  return nil
end

local function texts(f, aor, tenant)
  if not f.settings.flood_control then return nil end
  if f.recent_texts == nil then return need("recent_texts", { kind = "texts", of = { aor, tenant } }) end
  local over = f.recent_texts[1] > kTextsOfExtensionMax or f.recent_texts[2] > kTextsOfTenantMax
  return over and refuse(503, "Too Many Messages") or nil
end

local function calls(f, aor, tenant)
  if f.calls_under_way == nil then return need("calls_under_way", { aor, tenant }) end
  local over = f.calls_under_way[1] >= f.settings.calls_of_extension_max
    or f.calls_under_way[2] >= f.settings.calls_of_tenant_max
  return over and refuse(503, "Too Many Calls") or nil
end

--- The decision `d` on a call or text of an extension (`caller`), unless it has its share of them.
function shares.of_extension(f, d, caller, tenant)
  if not d.setup then return d end
  return (d.setup.is_followed and calls or texts)(f, caller.aor, tenant) or d
end

return shares
