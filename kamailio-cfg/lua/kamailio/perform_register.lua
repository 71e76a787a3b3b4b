-- Carries out the decisions on registrations and passwords.
local perform_register = {}

local kChallengeWithQop, kChallengeStale = 1, 16

function perform_register.challenge(_, d)
  for _, key in ipairs(d.guess_keys or {}) do KSR.htable.sht_inc("auth_failures", key) end
  KSR.auth.auth_challenge(d.realm, kChallengeWithQop + (d.stale and kChallengeStale or 0))
end

function perform_register.register(f, d)
  if d.is_behind_nat then KSR.nathelper.fix_nated_register() end
  if d.removes then KSR.registrar.unregister_ruid("location", d.removes.aor, d.removes.ruid) end
  if KSR.registrar.save("location", 0) < 0 then return KSR.sl.sl_reply_error() end
  -- A phone has registered from this address.
  KSR.htable.sht_seti("phones", f.source.ip, 1)
end

return perform_register
