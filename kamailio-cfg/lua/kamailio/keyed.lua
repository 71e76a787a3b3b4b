-- The hash of a text with the secret, which only this Kamailio can make, before and after a restart.
local settings = require("kamailio.settings")

-- With the secret on both sides, as in RFC 2104. Each node has hashes of its own: a call may pass two.
return function(text)
  KSR.pv.sets("$var(keyed)", table.concat({ settings.secret, settings.outside_socket, text, settings.secret }, "\n"))
  return KSR.pv.get("$(var(keyed){s.sha256})")
end
