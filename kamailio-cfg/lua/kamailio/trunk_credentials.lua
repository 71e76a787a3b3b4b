-- Reads the challenge of a trunk, and writes the credentials that answer it (rules/trunk_challenge.lua).
local keyed = require("kamailio.keyed")
local trunk_challenge = require("rules.trunk_challenge")

local trunk_credentials = {}

local function md5(text)
  KSR.pv.sets("$var(hashed)", text)
  return KSR.pv.get("$(var(hashed){s.md5})")
end

local words = 0

--- A text of 64 characters that cannot be guessed.
function trunk_credentials.random_word()
  words = words + 1
  return keyed(("%s %d %d"):format(KSR.pv.get("$TV(Sn)"), KSR.pv.get("$pp"), words))
end

local function header_values(name)
  local values = {}
  for i = 0, KSR.pv.get(("$hdrc(%s)"):format(name)) - 1 do
    values[#values + 1] = KSR.pv.get(("$(hdr(%s)[%d])"):format(name, i))
  end
  return values
end

--- The challenge of the answer at hand, as trunk_challenge.read gives it; nil if it is none that can be answered.
function trunk_credentials.challenge(status)
  local name = trunk_challenge.header(status)
  return name and trunk_challenge.read(status, header_values(name))
end

--- The name and the value of the header that answers `challenge` for `account`; `count` is how often its nonce has been
--- used, this time included.
function trunk_credentials.header(challenge, account, method, uri, count)
  return trunk_challenge.answer(challenge, account, { method = method, uri = uri }, count,
    trunk_credentials.random_word():sub(1, 16), md5)
end

return trunk_credentials
