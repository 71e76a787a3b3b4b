-- Changes the Contact of the message at hand, by which its sender is reached, and seals it (rules/seal.lua).
local contact = require("rules.contact")
local dialog_path = require("rules.dialog_path")
local relay = require("kamailio.relay")
local seal = require("rules.seal")

local contact_header = {}

--- The connection of the message at hand is also that of its sender's Contact at the same address: as long as there is
--- one, requests to the Contact go by it; afterwards Kamailio makes a new one to the Contact.
function contact_header.keep_connection(f)
  local port = not f.is_udp and f.contact_port_at_source
  if port and port ~= f.source.port then KSR.add_tcp_alias(port) end
end

-- One header each: not every user agent reads several values of one.
local function replace(name, values)
  KSR.hdr.remove(name)
  for _, value in ipairs(values) do relay.append_header(name, value) end
end

local function sealed(f, tag, value, has_alias)
  local before, uri, after = contact.cut(value)
  if not uri then return nil end
  if has_alias then uri = contact.with_alias(uri, f.source) end
  return before .. seal.contact(f, tag, uri, f.connection or nil) .. after
end

--- Of a request: requests to its sender in this dialog may go to this Contact. The dialog module has to see an alias,
--- and no change outlives a wait that is not in the message itself.
function contact_header.seal(f, will_wait)
  local value = #f.contact_values == 1 and sealed(f, f.from_tag, f.contact_values[1], f.is_behind_nat)
  if not value then return end
  replace("Contact", { value })
  if f.is_behind_nat or will_wait then KSR.textopsx.msg_apply_changes() end
  contact_header.keep_connection(f)
end

--- Of an answer; `action` is that of the rule (reachable.contact_of_answer).
function contact_header.seal_answer(f, action)
  if action == "leave" then return end
  local is_wrong = action == "replace"
  local value = is_wrong and contact.at_source(f.contact_values[1], f.source) or f.contact_values[1]
  local changed = sealed(f, f.to_tag, value, f.is_behind_nat and not is_wrong)
  if not changed then return end
  replace("Contact", { changed })
  local routes = dialog_path.sealed_record_route(f, is_wrong)
  if routes then replace("Record-Route", routes) end
  if f.is_behind_nat or is_wrong then KSR.textopsx.msg_apply_changes() end
  contact_header.keep_connection(f)
end

return contact_header
