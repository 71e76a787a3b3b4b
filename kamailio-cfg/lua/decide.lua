-- What is to be done with a request. Pure: facts in, decision out.
--
-- A decision is a table with `action`, carried out by perform.lua, or with `need` (and `about`): a fact that has to be
-- asked for first, after which the question comes again with that fact in it.
local address = require("address")
local dialog_record = require("dialog_record")
local guesses = require("guesses")
local held_calls = require("held_calls")
local ring_steps = require("ring_steps")

local decide = {}

local function need(name, about) return { need = name, about = about } end
local function refuse(code, reason) return { action = "refuse", code = code, reason = reason } end

local kDatabaseAway = refuse(503, "Database Not Available")

-- nil when the domain that `fact` was asked about is a tenant.
local function unknown_domain(f, fact)
  if f[fact] == nil then return need(fact) end
  if not f[fact] then return refuse(403, "Unknown Domain") end
  if f[fact].away then return kDatabaseAway end
  return nil
end

-- nil when `f.identity` is known.
local function authentication(f, realm)
  local challenge = { action = "challenge", realm = realm }
  if not f.has_credentials then return challenge end
  -- Trunks, which show no password, are not held up by those who send in their name.
  if f.guesses == nil then return need("guesses", realm) end
  if guesses.are_too_many(f.guesses) then return { action = "drop" } end
  if f.identity == nil then return need("identity", realm) end
  local status = f.identity.status
  if status == "known" then return nil end
  if status == "database_away" then return kDatabaseAway end
  challenge.stale = status == "stale"
  challenge.wrong = status == "wrong"
  return challenge
end

-- The same for a realm that may be anybody's invention. Credentials are only found for tenants, so they need no look.
local function authentication_in(f, realm, fact)
  return not f.has_credentials and unknown_domain(f, fact) or authentication(f, realm)
end

local function extension_party(tenant, number, display)
  return { kind = "extension", aor = number .. "@" .. tenant, display = display or "" }
end

local function to_extension(tenant, row, caller)
  if row.kind ~= "extension" then return refuse(404, "Not Found") end
  if tonumber(row.enabled) ~= 1 then return refuse(480, "Temporarily Unavailable") end
  return {
    action = "to_extension",
    aor = row.number .. "@" .. tenant,
    caller = caller,
    callee = extension_party(tenant, row.number, row.display_name),
  }
end

-- nil when `f.ring_group` is known.
local function unknown_ring_group(f, tenant, number)
  if f.ring_group == nil then return need("ring_group", { tenant = tenant, number = number }) end
  if f.ring_group.away then return kDatabaseAway end
  return nil
end

-- nil when `f.tenant_trunk` is known, or not wanted: Replaces is never sent to a trunk.
local function unknown_trunk_of_ring_group(f, tenant)
  if f.has_replaces or not ring_steps.lead_outside(f.ring_group) then return nil end
  if f.tenant_trunk == nil then return need("tenant_trunk", tenant) end
  if f.tenant_trunk and f.tenant_trunk.away then return kDatabaseAway end
  return nil
end

local function to_ring_group(f, tenant, row, caller)
  if f.method ~= "INVITE" then return refuse(405, "Method Not Allowed") end
  local wait = unknown_ring_group(f, tenant, row.number) or unknown_trunk_of_ring_group(f, tenant)
  if wait then return wait end
  local trunk = not f.has_replaces and f.tenant_trunk or nil
  -- Who is parked does not ring for himself when a recall comes to his own group.
  local caller_aor = caller and caller.aor or f.inside_caller
  local steps = ring_steps.make(f.ring_group, tenant, caller_aor, trunk ~= nil)
  if #steps == 0 then return refuse(480, "Temporarily Unavailable") end
  return {
    action = "to_ring_group",
    steps = steps,
    trunk = trunk,
    caller = caller,
    callee = { kind = "ring_group", display = row.display_name },
  }
end

local function to_extension_or_ring_group(f, tenant, row, caller)
  if row.kind == "ring_group" then return to_ring_group(f, tenant, row, caller) end
  return to_extension(tenant, row, caller)
end

local function to_trunk(f, tenant, caller)
  if f.method ~= "INVITE" then return refuse(405, "Method Not Allowed") end
  if not f.dialled.clean or not f.dialled.text:match("^%+%d+$") then return refuse(404, "Not Found") end
  if f.has_replaces then return refuse(403, "Replaces Is Not Sent To Trunks") end
  if f.tenant_trunk == nil then return need("tenant_trunk", tenant) end
  if not f.tenant_trunk then return refuse(404, "No Trunk") end
  if f.tenant_trunk.away then return kDatabaseAway end
  return {
    action = "to_trunk",
    number = f.dialled.text,
    trunk = f.tenant_trunk,
    caller = caller,
    callee = { kind = "trunk", display = "" },
  }
end

-- The first digit decides, so that no row of the number plan can shadow the telephone network.
local function is_outside_number(f) return f.dialled and f.dialled.text:sub(1, 1) == "+" end

----- REGISTER

-- Whether what is sent there comes back to us. A phone on our machine, or on parkd's, has a port of its own.
local function leads_back(f, place)
  for _, own in ipairs(f.own_places) do
    if place.ip == own.ip and (place.port == own.port or place.ip ~= f.source.ip) then return true end
  end
  return address.is_loopback(place.ip) and not address.is_loopback(f.source.ip)
end

-- nil when requests may be sent where the Contacts point. A trunk takes what comes from us for ours, so nobody may make
-- us send there but by an outside number of a tenant who has it.
local function unreachable_contact(f)
  if not f.contact_places then return refuse(400, "Contact Cannot Be Read") end
  local addresses = { f.source.ip }
  for _, place in ipairs(f.contact_places) do
    -- Behind NAT the name is not asked for; elsewhere a worker would wait for the DNS, and go where that says.
    if not place.ip and not f.is_behind_nat then return refuse(403, "Contact Must Be An IP Address") end
    if place.ip and leads_back(f, place) then return refuse(403, "Contact Points To This Server") end
    addresses[#addresses + 1] = place.ip
  end
  if f.trunk_among == nil then return need("trunk_among", addresses) end
  if f.trunk_among and f.trunk_among.away then return kDatabaseAway end
  if f.trunk_among then return refuse(403, "Contact Points To A Trunk") end
  return nil
end

local function register(f)
  local wait = authentication_in(f, f.to.host, "to_tenant")
  if wait then return wait end
  if f.identity.user ~= f.to.user then return refuse(403, "Not Your Identity") end
  return unreachable_contact(f) or { action = "register" }
end

----- outside of dialogs, from a trunk

-- Another site of the same tenant, where its range says so.
local function retrieves_from_trunk(f)
  if f.orbit_from_trunk == nil then return need("orbit_from_trunk") end
  if not f.orbit_from_trunk then return refuse(404, "Not Found") end
  if f.orbit_from_trunk.away then return kDatabaseAway end
  return { action = "feature_call", tenant = f.orbit_from_trunk.tenant, trunk = f.orbit_from_trunk.trunk }
end

local function from_trunk(f)
  if tonumber(f.trunk.enabled) ~= 1 then return refuse(403, "Trunk Disabled") end
  if f.method == "REFER" then return refuse(403, "Trunks Cannot Transfer") end
  if f.method ~= "INVITE" then return refuse(405, "Method Not Allowed") end
  if f.did == nil then return need("did") end
  if not f.did then return retrieves_from_trunk(f) end
  if f.did.away then return kDatabaseAway end
  local caller = { kind = "trunk", display = f.display, withheld = f.withheld }
  return to_extension_or_ring_group(f, f.did.tenant, f.did, caller)
end

----- outside of dialogs, from an extension

local parking_actions = { park = true, group_park = true }

-- Each twice as long as the one before, 3 s in all; tm takes no more than a few.
local kHoldWaitsMax = 6

local function is_feature(row) return row.kind == "park_code" or row.kind == "park_number" or row.kind == "orbit" end

-- What a call to it parks is the held call. An orbit that is called is retrieved from.
local function parks_held_call(row)
  return row.kind == "park_number" or row.kind == "park_code" and parking_actions[row.action] == true
end

local function parks_when_transferred_to(row) return parks_held_call(row) or row.kind == "orbit" end

local function feature_call(f, row, tenant)
  if f.method ~= "INVITE" then return refuse(405, "Method Not Allowed") end
  local call = { action = "feature_call", tenant = tenant, user = f.identity.user }
  if not parks_held_call(row) then
    -- Whoever talks to him then may park him, and others see his name.
    if f.display == "" and f.identity.display ~= "" then call.name = f.identity.display end
    return call
  end
  local aor = f.identity.user .. "@" .. tenant
  -- Phones hold and dial by one key, and a far party takes its time to answer the hold.
  if f.waits < kHoldWaitsMax then
    if f.is_holding == nil then return need("is_holding", aor) end
    if f.is_holding then return { action = "wait_for_hold" } end
  end
  if f.held_calls == nil then return need("held_calls", aor) end
  call.held = held_calls.choose(f.held_calls, f.source.device)
  return call
end

-- Of a range that is switched off there is neither the park number nor an orbit.
local function is_switched_off(row) return row.kind == "park_number" and tonumber(row.enabled) ~= 1 end

local function to_number(f, tenant, caller, feature_decision)
  if not f.dialled then return refuse(404, "Not Found") end
  if is_outside_number(f) then return to_trunk(f, tenant, caller) end
  if f.number == nil then return need("number", tenant) end
  if not f.number then return refuse(404, "Not Found") end
  if f.number.away then return kDatabaseAway end
  if is_switched_off(f.number) then return refuse(404, "Not Found") end
  if is_feature(f.number) then return feature_decision(f, f.number, tenant) end
  return to_extension_or_ring_group(f, tenant, f.number, caller)
end

-- A phone that was told to call a Contact (attended transfer) may do so when it is one of its own tenant. Where that
-- is, says the registration: of what the caller says only the user and the host have been compared.
local function to_contact(f, tenant, caller)
  if f.registered == nil then return need("registered", tenant) end
  if not f.registered then return refuse(403, "Not A Number Of Your Domain") end
  if f.registered.away then return kDatabaseAway end
  return {
    action = "to_contact",
    contact = f.registered.contact,
    received = f.registered.received ~= "" and f.registered.received or nil,
    caller = caller,
    callee = extension_party(tenant, f.registered.number, ""),
  }
end

local methods_outside_of_dialogs = { INVITE = true, MESSAGE = true }

local function from_extension(f)
  -- RFC 3323 4.1.1.3: who withholds his number has none in From, and often no domain. He calls in his own.
  local is_nameless = f.from.user == "anonymous"
  local tenant = is_nameless and f.to.host or f.from.host
  if not methods_outside_of_dialogs[f.method] then
    if f.method == "REFER" then return refuse(403, "REFER Only Within A Call") end
    return refuse(405, "Method Not Allowed")
  end
  local wait = authentication_in(f, tenant, is_nameless and "to_tenant" or "from_tenant")
  if wait then return wait end
  if not is_nameless and f.identity.user ~= f.from.user then return refuse(403, "Not Your Identity") end
  local display = f.display ~= "" and f.display or f.identity.display
  local caller = extension_party(tenant, f.identity.user, display)
  caller.withheld = is_nameless or f.withheld
  if f.ruri.host == tenant or f.ruri.is_ours then return to_number(f, tenant, caller, feature_call) end
  -- He is to take the place of somebody who talks by way of parkd, and who knows no more of it than its Contact.
  if f.ruri.is_parkd and f.has_replaces and f.method == "INVITE" then
    return { action = "feature_call", tenant = tenant, user = f.identity.user }
  end
  return to_contact(f, tenant, caller)
end

----- lamps and notifications

local refuse_event = { action = "refuse_event" }

local function is_dialog_package(f) return f.event == "dialog" end

-- What can be subscribed to here. Everything else within a call is between those who talk.
local function is_watched_package(f) return is_dialog_package(f) or f.event == "call-info" end

-- As parkd reads what stands behind a code that retrieves (dialled_code.cc).
local kRandomOrbit = { min = 3, max = 8 }

local function is_random_orbit(text)
  local digits = text:match("^%*(%d+)$")
  return digits ~= nil and #digits >= kRandomOrbit.min and #digits <= kRandomOrbit.max
end

local function has_lamp_by_itself(row) return row.kind == "extension" or row.kind == "orbit" end

-- nil when what is watched is a number of the tenant that has a lamp: an extension, an orbit of a range, or what is
-- dialled to retrieve from an orbit.
local function no_lamp(f, tenant)
  if not f.dialled or not f.dialled.clean then return refuse(404, "Not Found") end
  if f.number == nil then return need("number", tenant) end
  if f.number and f.number.away then return kDatabaseAway end
  if not f.number then return refuse(404, "Not Found") end
  if has_lamp_by_itself(f.number) then return nil end
  if f.number.kind ~= "park_code" or f.number.action ~= "retrieve" then return refuse(404, "Not Found") end
  local orbit = f.dialled.text:sub(#f.number.number + 1)
  if is_random_orbit(orbit) then return nil end
  if f.orbit_number == nil then return need("orbit_number", { tenant = tenant, number = orbit }) end
  if f.orbit_number and f.orbit_number.away then return kDatabaseAway end
  if not f.orbit_number or not has_lamp_by_itself(f.orbit_number) then return refuse(404, "Not Found") end
  return nil
end

local function lamp(f, tenant, watcher)
  return {
    action = "watch_lamp",
    user = f.dialled.text,
    tenant = tenant,
    watcher = watcher,
    is_extension = f.number.kind == "extension",
  }
end

-- The call-park notification of a phone, which is parkd's: for an extension of the tenant.
local function park_notification(f, tenant)
  if not f.dialled then return refuse(404, "Not Found") end
  if f.number == nil then return need("number", tenant) end
  if f.number and f.number.away then return kDatabaseAway end
  if not f.number or f.number.kind ~= "extension" then return refuse(404, "Not Found") end
  return { action = "subscribe_at_parkd", tenant = tenant, user = f.identity.user }
end

local function subscribe(f)
  if not is_watched_package(f) then return refuse_event end
  if f.trunk == nil then return need("trunk") end
  if f.trunk and f.trunk.away then return kDatabaseAway end
  if f.trunk then return refuse(403, "Trunks Cannot Watch") end
  local tenant = f.from.host
  local wait = authentication_in(f, tenant, "from_tenant")
  if wait then return wait end
  if f.identity.user ~= f.from.user then return refuse(403, "Not Your Identity") end
  if f.ruri.host ~= tenant and not f.ruri.is_ours then return refuse(403, "Not A Number Of Your Domain") end
  if not is_dialog_package(f) then return park_notification(f, tenant) end
  return no_lamp(f, tenant) or lamp(f, tenant, f.identity.user)
end

-- A subscription is renewed and ended by who made it.
local function subscribe_again(f)
  if f.ruri.is_parkd then
    local wait = authentication_in(f, f.from.host, "from_tenant")
    if wait then return wait end
    if f.identity.user ~= f.from.user then return refuse(403, "Not Your Identity") end
    return { action = "to_parkd", tenant = f.from.host, user = f.identity.user }
  end
  if f.subscription == nil then return need("subscription") end
  if f.subscription and f.subscription.away then return kDatabaseAway end
  if not f.subscription then return refuse(481, "Subscription Does Not Exist") end
  local wait = authentication(f, f.subscription.domain)
  if wait then return wait end
  if f.identity.user ~= f.subscription.user then return refuse(403, "Not Your Subscription") end
  if f.event ~= f.subscription.event then return refuse_event end
  return {
    action = "watch_lamp_again",
    uri = f.subscription.uri,
    watcher = f.identity.user,
    tenant = f.subscription.domain,
  }
end

local function publish(f)
  if not f.from_parkd then return refuse(403, "Not Yours To Publish") end
  if not is_dialog_package(f) then return refuse_event end
  if not f.inside_tenant or f.ruri.host ~= f.inside_tenant then return refuse(403, "No Tenant") end
  if not f.dialled or not f.dialled.clean then return refuse(404, "Not Found") end
  return { action = "publish", user = f.dialled.text, tenant = f.inside_tenant }
end

----- outside of dialogs, from parkd

local function from_parkd(f)
  local tenant = f.inside_tenant
  if not methods_outside_of_dialogs[f.method] then return refuse(405, "Method Not Allowed") end
  if not tenant then return refuse(403, "No Tenant") end
  -- parkd knows codes and orbits itself; one that comes back would go round for ever.
  local function no_feature() return refuse(404, "Not Found") end
  if f.ruri.host == tenant or f.ruri.is_ours then return to_number(f, tenant, nil, no_feature) end
  -- What a phone has named in a transfer: the Contact of another one, or, as To has it, a number of its own tenant at
  -- whatever host it takes for ours. Neither is looked for anywhere else.
  if f.registered == nil then return need("registered", tenant) end
  if not f.registered and f.to.host == tenant then return to_number(f, tenant, nil, no_feature) end
  return to_contact(f, tenant, nil)
end

local dialog_methods_without_tag = { ACK = "drop", BYE = 481, UPDATE = 481, PRACK = 481, INFO = 481, NOTIFY = 481 }

local function outside_of_dialogs(f)
  local without_tag = dialog_methods_without_tag[f.method]
  if without_tag == "drop" then return { action = "drop" } end
  if without_tag then return refuse(without_tag, "Call/Transaction Does Not Exist") end
  if f.method == "PUBLISH" then return publish(f) end
  if f.from_parkd then return from_parkd(f) end
  if f.method == "SUBSCRIBE" then return subscribe(f) end
  if f.method == "REGISTER" then return register(f) end
  if f.trunk == nil then return need("trunk") end
  if f.trunk and f.trunk.away then return kDatabaseAway end
  if f.trunk then return from_trunk(f) end
  return from_extension(f)
end

----- within dialogs

-- To a place of which no dialog here is known, nobody sends through us but parkd.
local function unknown_call(f)
  if f.method == "ACK" then return { action = "drop" } end
  return refuse(481, "Call/Transaction Does Not Exist")
end

-- `side` is the referrer's and `peer` the other party, both nil without a record of the call.
local function authenticated_refer(f, side, peer, tenant)
  local referrer = { action = "refer", tenant = tenant, user = f.identity.user, side = side }
  -- parkd's own call: it is the other party, and no marker is needed to reach it.
  if f.ruri.is_parkd then return referrer end
  if not f.refer_to then return refuse(400, "One Refer-To Is Wanted") end
  local to = f.refer_to
  -- Without a marker parkd's Contact stands for a call that was retrieved, in which the other phone is to take the
  -- referrer's place. A trunk would not, and parkd says no for it.
  local parks = f.marker or to.is_parkd and not (peer and peer.kind == "extension")
  if not parks and to.user and (to.host == tenant or to.is_ours) then
    if f.refer_number == nil then return need("refer_number", tenant) end
    if f.refer_number and f.refer_number.away then return kDatabaseAway end
    parks = f.refer_number and not is_switched_off(f.refer_number) and parks_when_transferred_to(f.refer_number)
  end
  if parks then
    referrer.marker = true
    return referrer
  end
  if not peer then return unknown_call(f) end
  if peer.kind == "trunk" then return refuse(403, "Trunks Cannot Be Transferred Yet") end
  return { action = "within_dialog" }
end

local function refer_in_call(f)
  local side = dialog_record.side_of(f.call, f.from_tag)
  local me, peer = f.call[side], f.call[dialog_record.other(side)]
  if me.kind ~= "extension" then return refuse(403, "Trunks Cannot Transfer") end
  local user, tenant = me.aor:match("^([^@]*)@(.*)$")
  local wait = authentication(f, tenant)
  if wait then return wait end
  if f.identity.user ~= user then return unknown_call(f) end
  return authenticated_refer(f, side, peer, tenant)
end

-- nil when the sender may be the party of a call of parkd's who has in From what was called: a ring group's number, or
-- the user of his own Contact.
local function not_called_by_parkd(f, tenant)
  if not f.ruri.is_parkd or not f.from.user then return unknown_call(f) end
  local wait = unknown_ring_group(f, tenant, f.from.user)
  if wait then return wait end
  if ring_steps.include(f.ring_group, f.identity.user) then return nil end
  if f.own_contact == nil then return need("own_contact", tenant) end
  if not f.own_contact then return unknown_call(f) end
  return f.own_contact.away and kDatabaseAway or nil
end

-- Without a record (parkd's own calls have none) the party is known by From and To: one of them is in the tenant.
local function refer_without_record(f)
  if f.trunk == nil then return need("trunk") end
  if f.trunk and f.trunk.away then return kDatabaseAway end
  if f.trunk then return refuse(403, "Trunks Cannot Transfer") end
  if f.from_tenant == nil then return need("from_tenant") end
  local wait = unknown_domain(f, f.from_tenant and "from_tenant" or "to_tenant")
  if wait then return wait end
  local tenant = f.from_tenant and f.from.host or f.to.host
  wait = authentication(f, tenant)
  if wait then return wait end
  if f.identity.user ~= f.from.user then
    wait = not_called_by_parkd(f, tenant)
    if wait then return wait end
  end
  return authenticated_refer(f, nil, nil, tenant)
end

local function refer(f)
  if f.call == nil then return need("call") end
  if f.call then return refer_in_call(f) end
  return refer_without_record(f)
end

local function belongs_to_parkd(f)
  -- An ACK with a lower CSeq belongs to an INVITE from before the adoption; eaten, the other party would repeat its 200
  -- for ever.
  return f.marker and not (f.method == "ACK" and f.cseq < f.marker.floor)
end

local function within_dialog(f)
  if f.method == "SUBSCRIBE" and is_watched_package(f) then return subscribe_again(f) end
  if f.marker == nil then return need("marker") end
  if f.method == "REFER" then return refer(f) end
  if belongs_to_parkd(f) then return { action = "adopted", ends_record = f.method == "BYE" } end
  -- The sender's REFER may lie in the hands of a worker that has not come to look at it; over TCP one worker has both.
  local waits = f.method == "BYE" and f.is_udp and f.waits == 0
  if f.ruri.is_parkd then return { action = waits and "wait_for_earlier_refer" or "to_parkd" } end
  if f.is_known_call == nil then return need("is_known_call") end
  if not f.is_known_call then return unknown_call(f) end
  return { action = waits and "wait_for_earlier_refer" or "within_dialog" }
end

--- The decision on a request.
function decide.request(f)
  if f.method == "CANCEL" then return { action = "cancel" } end
  if f.method == "OPTIONS" and not f.to_tag then return { action = "answer_options" } end
  if not f.to_tag then return outside_of_dialogs(f) end
  if f.from_parkd then
    if f.given_up == nil then return need("given_up") end
    -- It has slept over a request that was refused meanwhile; the call is not its to take.
    if f.given_up then return unknown_call(f) end
    return { action = "parkd_within_dialog" }
  end
  return within_dialog(f)
end

return decide
