-- The headers by which a sender asserts the identity of the caller: P-Asserted-Identity (RFC 3325) and those like it.
local identity_headers = {}

identity_headers.kNames = { "P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID" }

--- Removes them from the message at hand.
function identity_headers.drop(f)
  if not f.asserts_identity then return end
  for _, name in ipairs(identity_headers.kNames) do KSR.hdr.remove(name) end
  -- Kamailio cannot remove a header twice.
  f.asserts_identity = false
end

return identity_headers
