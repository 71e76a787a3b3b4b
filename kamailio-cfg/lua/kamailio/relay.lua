-- What all requests need on their way: answers, patience, sockets, headers.
local contact = require("rules.contact")
local identity_headers = require("kamailio.identity_headers")
local patience = require("rules.patience")
local protocol = require("rules.protocol")
local seal = require("rules.seal")
local settings = require("kamailio.settings")

local relay = {}

--- The answer that follows has Retry-After, in seconds.
function relay.suggest_retry(after) KSR.hdr.append_to_reply(("Retry-After: %d\r\n"):format(after)) end

--- `retry_after` may be nil.
function relay.reply(code, reason, retry_after)
  if retry_after then relay.suggest_retry(retry_after) end
  KSR.sl.send_reply(code, reason)
end

--- Credentials are for Kamailio; a phone repeats them in each request, whether it was challenged or not.
function relay.drop_credentials() KSR.hdr.remove("Proxy-Authorization") end

--- Sends the request at hand; whether that was possible. If not, its sender has the answer: one, where tm would add its
--- own.
function relay.send()
  KSR.tm.t_set_disable_internal_reply(1)
  if KSR.tm.t_relay() >= 0 then return true end
  if not KSR.is_ACK() then relay.reply(480, "Cannot Be Reached") end
  return false
end

function relay.append_header(name, value) KSR.hdr.append(name .. ": " .. value .. "\r\n") end

--- Each of `headers` is {name, value}.
function relay.append_headers(headers)
  for _, header in ipairs(headers) do relay.append_header(header[1], header[2]) end
end

function relay.set_patience(first_answer_ms) KSR.tm.t_set_fr(patience.kRingMs, first_answer_ms) end

--- parkd as a party of a call.
relay.kParkd = { kind = "parkd" }

--- Kamailio stays in the dialog that begins with the request at hand, and seals its parties.
function relay.record_route(f, caller, callee, tenant)
  local param = seal.record_route(f, caller, callee, tenant, f.foreign_hops)
  if f.verdict then KSR.pv.sets("$avp(route_param)", param) end
  KSR.rr.add_rr_param(param)
  KSR.rr.record_route()
end

--- In a failure route, before the call is sent once more. Of a call that has waited for a verdict tm forgets what was
--- changed after the wait, once the first branch is sent (t_suspend.c, "TODO: save_msg_lumps"): it is changed again.
function relay.change_again()
  local param = KSR.pv.get("$avp(route_param)")
  if not param then return end
  relay.drop_credentials()
  if KSR.pv.get("$avp(hides_identity)") then identity_headers.drop({ asserts_identity = true }) end
  KSR.rr.add_rr_param(param)
  KSR.rr.record_route()
end

function relay.from_outside_socket() KSR.pv.sets("$fs", settings.outside_socket) end
function relay.from_inside_socket() KSR.pv.sets("$fs", settings.inside_socket) end

--- Whether no other worker has the same request: a repeated one must not become a second subscription, nor undo what
--- was published after it.
function relay.is_first_of_its_kind() return KSR.tm.t_newtran() > 0 end

--- The Request-URI as its user agent has written it.
function relay.unseal_target()
  local uri = seal.opened(KSR.kx.get_ruri())
  if uri ~= KSR.kx.get_ruri() then KSR.seturi(uri) end
end

--- To parkd within a dialog. The next hop is set here: a Route that the sender has made up must not lead elsewhere.
function relay.to_parkd(d)
  if d.device then relay.append_header(protocol.kDevice, d.device) end
  relay.unseal_target()
  KSR.setdsturi(settings.parkd_uri)
  relay.from_inside_socket()
  relay.set_patience(d.first_answer_ms)
  relay.send()
end

-- The Request-URI as its user agent has written it, and the connection that it came by, as long as there is one (RFC
-- 3261 18.1.1); afterwards its Contact is all that is left.
local function open_target()
  local uri, connection = seal.opened(KSR.kx.get_ruri())
  if connection and KSR.tcpops.tcp_conid_alive(connection) < 0 then uri = contact.without_alias(uri) end
  if uri ~= KSR.kx.get_ruri() then KSR.seturi(uri) end
end

--- To the other party of a dialog.
function relay.onward(first_answer_ms)
  open_target()
  if not KSR.isdsturiset() then KSR.nathelper.handle_ruri_alias() end
  relay.from_outside_socket()
  relay.set_patience(first_answer_ms)
  relay.send()
end

return relay
