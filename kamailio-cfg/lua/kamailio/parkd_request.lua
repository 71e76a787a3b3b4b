-- Requests of Kamailio's own to parkd.
local protocol = require("rules.protocol")
local settings = require("kamailio.settings")

local parkd_request = {}

local kParkdSet = 1
local kDispatcherRoundRobin = 4

--- Where a parkd lives; nil if none does.
function parkd_request.living_parkd()
  if KSR.dispatcher.ds_select_dst(kParkdSet, kDispatcherRoundRobin) < 0 then return nil end
  local uri = KSR.pv.get("$du")
  KSR.resetdsturi()
  return uri
end

--- Sends a request about `uri` of a tenant to `parkd`; `headers` are lines. Whether that was possible.
function parkd_request.send(parkd, method, uri, tenant, call_id, headers, body)
  local text = table.concat({
    ("From: <sip:kamailio@%s>"):format(tenant),
    ("To: <%s>"):format(uri),
    "Call-ID: " .. call_id,
    protocol.kTenant .. ": " .. tenant,
    table.concat(headers, "\r\n"),
    "",
  }, "\r\n")
  return KSR.tm.t_uac_send(method, uri, parkd, settings.inside_socket, text, body) > 0
end

return parkd_request
