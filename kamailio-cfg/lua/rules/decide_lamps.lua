-- The decision on a SUBSCRIBE to a lamp or to park notifications, and on a PUBLISH of a lamp. Pure.
local authentication = require("rules.authentication")
local decision = require("rules.decision")
local dialog_info = require("rules.dialog_info")
local dialled_number = require("rules.dialled_number")
local publication = require("rules.publication")
local reachable = require("rules.reachable")
local sip_text = require("rules.sip_text")
local watchers = require("rules.watchers")

local need, refuse = decision.need, decision.refuse

local decide_lamps = {}

local refuse_event = { action = "refuse_event" }

local function is_dialog_package(f) return f.event == "dialog" end

--- Whether Kamailio or parkd answers a SUBSCRIBE to this package. Every other one in a call is for the other party.
function decide_lamps.is_watched_package(f) return is_dialog_package(f) or f.event == "call-info" end

local kinds_with_lamp = { extension = true, orbit = true, call_flow = true, call_flow_code = true }
local kinds_of_orbits = { extension = true, orbit = true }

-- nil if the watched number of the tenant has a lamp: an extension, an orbit of a range, the number or the code of a
-- call flow, or what is dialled to retrieve from an orbit.
local function no_lamp(f, tenant)
  if not f.dialled or not f.dialled.clean then return refuse(404, "Not Found") end
  if f.number == nil then return need("number", tenant) end
  if f.number and f.number.away then return decision.database_away end
  if not f.number then return refuse(404, "Not Found") end
  if kinds_with_lamp[f.number.kind] then return nil end
  if f.number.kind ~= "park_code" or f.number.action ~= "retrieve" then return refuse(404, "Not Found") end
  local orbit = dialled_number.remainder(f.dialled, f.number)
  if dialled_number.is_random_orbit(orbit) then return nil end
  if f.orbit_number == nil then return need("orbit_number", { tenant = tenant, number = orbit }) end
  if f.orbit_number and f.orbit_number.away then return decision.database_away end
  if not f.orbit_number or not kinds_of_orbits[f.orbit_number.kind] then return refuse(404, "Not Found") end
  return nil
end

-- `watches` is the extension with the lamp that the SUBSCRIBE keeps watched; nil if none, as at the end of a
-- subscription.
local function watched(f, aor) return f.expires ~= 0 and aor or nil end

local function refuse_surplus(surplus)
  return { action = "refuse_surplus", code = surplus.code, reason = surplus.reason }
end

-- nil if one more NOTIFY may wait for the answer of this watcher.
local function too_many_notifies(f, tenant)
  if f.waiting_notifies == nil then return need("waiting_notifies", { tenant = tenant, watcher = f.identity.user }) end
  local surplus = watchers.overdue(f.waiting_notifies)
  return surplus and refuse_surplus(surplus) or nil
end

-- nil if NOTIFYs may go where the Contact and the Record-Routes point. A name would keep a worker waiting for the DNS,
-- and the presence module from notifying all other watchers.
local function unreachable(f)
  local places = f.reachable_places and f.route_places and { unpack(f.reachable_places) }
  for _, place in ipairs(places and f.route_places or {}) do
    if not place.ip then return refuse(403, "Route Must Be An IP Address") end
    places[#places + 1] = place
  end
  return reachable.not_to_be_notified(f, places)
end

local function lamp(f, tenant, watcher)
  local user = f.dialled.text
  local uri = sip_text.uri(user, tenant)
  local wait = unreachable(f) or too_many_notifies(f, tenant)
  if wait then return wait end
  if f.subscriptions == nil then
    return need("subscriptions", { uri = uri, tenant = tenant, watcher = watcher })
  end
  if f.subscriptions.away then return decision.database_away end
  local replaced = watchers.replaced(f.subscriptions.of_lamp, sip_text.address_uri(f.reachable_contact))
  local surplus = f.expires ~= 0 and watchers.surplus(f.subscriptions, #replaced, f.settings)
  if surplus then return refuse_surplus(surplus) end
  return {
    action = "watch_lamp",
    uri = uri,
    tenant = tenant,
    watcher = watcher,
    watches = f.number.kind == "extension" and watched(f, user .. "@" .. tenant) or nil,
    replaces = replaced,
  }
end

-- parkd answers a phone's subscription to the calls that are parked at an extension of the tenant.
local function park_notification(f, tenant)
  if not f.dialled then return refuse(404, "Not Found") end
  if f.number == nil then return need("number", tenant) end
  if f.number and f.number.away then return decision.database_away end
  if not f.number or f.number.kind ~= "extension" then return refuse(404, "Not Found") end
  local wait = unreachable(f)
  if wait then return wait end
  return { action = "subscribe_at_parkd", tenant = tenant, user = f.identity.user }
end

function decide_lamps.subscribe(f)
  if not decide_lamps.is_watched_package(f) then return refuse_event end
  if f.trunk == nil then return need("trunk") end
  if f.trunk and f.trunk.away then return decision.database_away end
  if f.trunk then return refuse(403, "Trunks Cannot Watch") end
  local tenant = f.from.host
  local wait = authentication.in_domain(f, tenant, "from_tenant")
  if wait then return wait end
  if f.identity.user ~= f.from.user then return refuse(403, "Not Your Identity") end
  if f.ruri.host ~= tenant and not f.ruri.is_ours then return refuse(403, "Not A Number Of Your Domain") end
  if not is_dialog_package(f) then return park_notification(f, tenant) end
  return no_lamp(f, tenant) or lamp(f, tenant, f.identity.user)
end

--- nil if the sender of a SUBSCRIBE within a dialog of parkd's is known as an extension.
function decide_lamps.unknown_watcher_at_parkd(f)
  local wait = authentication.in_domain(f, f.from.host, "from_tenant")
  if wait then return wait end
  if f.identity.user ~= f.from.user then return refuse(403, "Not Your Identity") end
  return unreachable(f)
end

--- Only the watcher that has made a subscription renews and ends it.
function decide_lamps.subscribe_again(f)
  if f.subscription == nil then return need("subscription") end
  if f.subscription and f.subscription.away then return decision.database_away end
  if not f.subscription then return refuse(481, "Subscription Does Not Exist") end
  local wait = authentication.of(f, f.subscription.domain)
  if wait then return wait end
  if f.identity.user ~= f.subscription.user then return refuse(403, "Not Your Subscription") end
  if f.event ~= f.subscription.event then return refuse_event end
  wait = unreachable(f)
  -- The end of a subscription has its last NOTIFY.
  if not wait and f.expires ~= 0 then wait = too_many_notifies(f, f.subscription.domain) end
  if wait then return wait end
  return {
    action = "watch_lamp_again",
    uri = f.subscription.uri,
    watcher = f.identity.user,
    tenant = f.subscription.domain,
    watches = watched(f, f.subscription.uri:match("^sip:(.*)$")),
  }
end

function decide_lamps.publish(f)
  if not f.from_parkd then return refuse(403, "Not Yours To Publish") end
  if not is_dialog_package(f) then return refuse_event end
  if not f.inside_tenant or f.ruri.host ~= f.inside_tenant then return refuse(403, "No Tenant") end
  if not f.dialled or not f.dialled.clean then return refuse(404, "Not Found") end
  local seconds = publication.seconds(f.expires)
  -- A phone that gets two dialogs for one lamp may go wrong, and one that gets none has no lamp.
  if seconds > 0 and dialog_info.count(f.body) ~= 1 then return refuse(400, "One Dialog Is Wanted") end
  return { action = "publish", user = f.dialled.text, tenant = f.inside_tenant, seconds = seconds, etag = f.etag }
end

return decide_lamps
