-- Carries out the decisions on registrations and passwords.
local contact_header = require("kamailio.contact_header")
local directory = require("kamailio.directory")
local guesses = require("rules.guesses")
local log_text = require("rules.log_text")
local registered = require("kamailio.registered")

local perform_register = {}

local kChallengeWithQop, kChallengeStale = 1, 16

local function report_guess(f, d)
  local aors = table.concat(guesses.aors(f.credentials, d.realm), ", ")
  KSR.warn(("wrong password for %s from %s\n"):format(log_text.excerpt(aors), f.source.device))
end

function perform_register.challenge(f, d)
  if d.guess_keys then report_guess(f, d) end
  for _, key in ipairs(d.guess_keys or {}) do KSR.htable.sht_inc("auth_failures", key) end
  KSR.auth.auth_challenge(d.realm, kChallengeWithQop + (d.stale and kChallengeStale or 0))
end

local kInMemoryOnly, kWithoutAnswer = 1, 2

-- While the database is away, and when it has just gone, a phone is registered in memory. False if it is refused.
local function save()
  return not directory.is_database_away() and KSR.registrar.save("location", kWithoutAnswer) > 0
    or KSR.registrar.save("location", kInMemoryOnly + kWithoutAnswer) > 0
end

--- The answer is sent last: once a phone has it, it can be called, and its connection is known.
function perform_register.register(f, d)
  if d.is_behind_nat then KSR.nathelper.fix_nated_register() end
  if d.removes then KSR.registrar.unregister_ruid("location", d.removes.aor, d.removes.ruid) end
  if save() then
    contact_header.keep_connection(f)
    -- A phone has registered from this address.
    KSR.htable.sht_seti("phones", f.source.ip, 1)
    registered.changed(f.to.host, f.to.user)
  end
  KSR.registrar.reg_send_reply()
end

return perform_register
