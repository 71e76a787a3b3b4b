-- Carries out the decisions on registrations and passwords.
local contact_header = require("kamailio.contact_header")

local perform_register = {}

local kChallengeWithQop, kChallengeStale = 1, 16

function perform_register.challenge(_, d)
  for _, key in ipairs(d.guess_keys or {}) do KSR.htable.sht_inc("auth_failures", key) end
  KSR.auth.auth_challenge(d.realm, kChallengeWithQop + (d.stale and kChallengeStale or 0))
end

function perform_register.register(f, d)
  if d.is_behind_nat then KSR.nathelper.fix_nated_register() end
  if d.removes then KSR.registrar.unregister_ruid("location", d.removes.aor, d.removes.ruid) end
  -- The module has answered, also if it could not save.
  if KSR.registrar.save("location", 0) < 0 then return end
  contact_header.keep_connection(f)
  -- A phone has registered from this address.
  KSR.htable.sht_seti("phones", f.source.ip, 1)
end

return perform_register
