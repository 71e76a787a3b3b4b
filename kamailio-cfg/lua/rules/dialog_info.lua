-- The application/dialog-info+xml (RFC 4235) by which an extension's lamp shows its calls. Pure.
local dialog_info = {}

local escapes = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
local function escaped(text) return (text:gsub('[&<>"]', escapes)) end

local kTemplate = [[<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="%s">
<dialog id="%s" direction="%s"><state>%s</state><local><identity>%s</identity></local></dialog>
</dialog-info>
]]

-- 64 bits: RFC 4235 4.1.1 asks for an id that no other dialog of the entity has.
local kIdDigits = 16

--- The body for the extension `aor` ("102@demo.callpark"); `call` is {call_id, state, direction}. It has no party's
--- name or number, nor the Call-ID, which some phones make of their address: the right to see a lamp is no right to
--- know the caller. `keyed` hashes a text with the secret.
function dialog_info.make(aor, call, keyed)
  local entity = escaped("sip:" .. aor)
  local id = "call-" .. keyed("lamp\n" .. call.call_id):sub(1, kIdDigits)
  return kTemplate:format(entity, id, call.direction, call.state, entity)
end

--- How many dialogs a body has.
function dialog_info.count(body)
  local _, count = body:gsub("<dialog[%s>/]", "")
  return count
end

return dialog_info
