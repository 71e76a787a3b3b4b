-- The way of a request within a dialog (RFC 3261 16.12): whether Kamailio's own Route is in it, whether it leads to the
-- dialog's other party and to no one else, and whether a party of the dialog sends it. The seals (rules/seal.lua)
-- answer that without a look-up; the dialog record only what they leave open. Pure.
local address = require("rules.address")
local authentication = require("rules.authentication")
local decision = require("rules.decision")
local dialog_record = require("rules.dialog_record")
local seal = require("rules.seal")
local sip_text = require("rules.sip_text")

local need, refuse = decision.need, decision.refuse

local dialog_path = {}

--- The URIs in the values of Route or Record-Route headers. What two parsers may read in two ways, as a quoted name, is
--- in the list as it is, and no proxy's URI.
function dialog_path.uris(values)
  local list = {}
  for _, value in ipairs(values) do
    local rest = value
    while rest do
      local uri, others = rest:match('^[^<>",\\]*<([^<>"\\]*)>[^<>",\\]*(.*)$')
      list[#list + 1] = uri or rest
      rest = uri and others ~= "" and (others:match("^,(.*)$") or others) or nil
    end
  end
  return list
end

local function is_own(f, uri)
  local parsed = sip_text.parse_uri(uri)
  if not parsed then return false end
  local port = parsed.port or 5060
  for _, own in ipairs(f.own_sockets) do
    if parsed.host == own.ip and port == own.port then return true end
  end
  return false
end

--- The fact `path`: {call, own, hops, uri}. `call` is what Kamailio's Route has of it (seal.read_route), false if
--- nothing; `own` how many Routes of Kamailio's come first, and `uri` the first; `hops` the URIs behind them.
function dialog_path.read(f)
  local uris = dialog_path.uris(f.route_values)
  local call = uris[1] and seal.read_route(f, uris[1]) or false
  local own = uris[1] and (call or is_own(f, uris[1])) and 1 or 0
  -- Module rr writes two if the parties use different sockets, and removes both.
  if own == 1 and seal.param(uris[1], "r2") then own = 2 end
  local hops = {}
  for i = own + 1, #uris do hops[#hops + 1] = uris[i] end
  return { call = call, own = own, hops = hops, uri = uris[1] }
end

-- Kamailio writes the tag of the caller into its own.
local function is_of_dialog(f, uri)
  return seal.param(uri, "ftag") and (seal.read_route(f, uri) or is_own(f, uri)) and true or false
end

--- The Route values of a request without those in front of Kamailio's; nil if it is the first, or there is none. A user
--- agent that sends everything to an outbound proxy leaves the proxies out that it should have sent it to, or has put
--- Kamailio in front once more.
function dialog_path.from_own_route(f)
  local uris = dialog_path.uris(f.route_values)
  if not uris[2] or is_of_dialog(f, uris[1]) then return nil end
  for first = 2, #uris do
    if is_of_dialog(f, uris[first]) then
      for i = first, #uris do uris[i] = "<" .. uris[i] .. ">" end
      return table.concat(uris, ", ", first)
    end
  end
  return nil
end

--- The URIs in the Record-Routes of a message in front of Kamailio's: all of a request, which has not got
--- that one yet.
function dialog_path.foreign_hops(f)
  local hops = {}
  for _, uri in ipairs(dialog_path.uris(f.record_route_values)) do
    if f.status and seal.read_route(f, uri) then break end
    hops[#hops + 1] = uri
  end
  return hops
end

local function refuse_or_drop(f, code, reason)
  return f.method == "ACK" and { action = "drop" } or refuse(code, reason)
end

--- The values of the Record-Routes of an answer, in which Kamailio's own one seals those in front of it, or which are
--- without those. nil if there are none, or no own one.
function dialog_path.sealed_record_route(f, drops_others)
  local uris = dialog_path.uris(f.record_route_values)
  local others = #f.foreign_hops
  if others == 0 or others == #uris then return nil end
  -- RFC 3261 12.1.2: the caller has them reversed.
  local hops = {}
  for i = others, 1, -1 do hops[#hops + 1] = uris[i] end
  local text = seal.hops(f, "b", f.from_tag, hops)
  local values = {}
  for i, uri in ipairs(uris) do
    if i > others and seal.read_route(f, uri) then uri = seal.with_param(uri, text) end
    if i > others or not drops_others then values[#values + 1] = "<" .. uri .. ">" end
  end
  return values
end

-- The record's side of the sender and of the receiver; nil without a record.
local function sender_in_record(f)
  local side = f.call and dialog_record.side_of(f.call, f.from_tag)
  return side and f.call[side] or nil
end

local function other_in_record(f)
  local side = f.call and dialog_record.side_of(f.call, f.from_tag)
  return side and f.call[dialog_record.other(side)] or nil
end

----- where to

-- A user agent may have lost the parameters.
local function names_contact(ruri, contact)
  local uri = sip_text.parse_uri(contact or "")
  return uri ~= nil and ruri.user == uri.user and ruri.host == uri.host and (ruri.port or 5060) == (uri.port or 5060)
end

--- nil if the request may go where its Request-URI and its Routes lead. The second result is then the URI that replaces
--- the Request-URI; nil if that is right.
function dialog_path.not_onward(f)
  local path = f.path
  if path.own == 0 then return decision.unknown_call(f) end
  local are_hops_right = path.call and seal.are_hops(f, path.uri, path.call, path.hops) or #path.hops == 0
  if are_hops_right and path.call and seal.is_contact(f, f.to_tag, f.ruri_text) then return nil end
  if f.call == nil then return need("call") end
  if not f.call and not path.call then return decision.unknown_call(f) end
  local receiver = other_in_record(f)
  if not are_hops_right or not receiver or not names_contact(f.ruri, receiver.contact) then
    return refuse_or_drop(f, 403, "Not The Other Party Of This Call")
  end
  return nil, receiver.contact
end

----- from where

local function is_contact_at(side, ip)
  local uri = side and sip_text.parse_uri(side.contact or "")
  return uri ~= nil and address.canonical(uri.host) == ip
end

local function not_a_party(f) return refuse_or_drop(f, 403, "Not A Party Of This Call") end

local function not_from_trunk(f)
  if f.trunk == nil then return need("trunk") end
  -- While the database is away: a call goes on.
  if f.trunk then return nil end
  if f.call == nil then return need("call") end
  if is_contact_at(sender_in_record(f), f.source.ip) then return nil end
  return not_a_party(f)
end

local function is_registered_from(f, aor)
  if not aor then return false end
  if f.own_addresses == nil then return nil end
  return f.own_addresses[f.source.ip] == true
end

-- A phone that has moved to another address proves by its password that it is still the same.
local function not_from_extension(f, aor, tenant)
  local is_registered = is_registered_from(f, aor)
  if is_registered == nil then return need("own_addresses", { aor }) end
  if is_registered then return nil end
  if f.call == nil then return need("call") end
  local recorded = sender_in_record(f)
  if is_contact_at(recorded, f.source.ip) then return nil end
  local wait = authentication.of(f, tenant)
  if wait then return wait end
  aor = aor or recorded and recorded.aor
  if aor and f.identity.user ~= aor:match("^[^@]*") then return not_a_party(f) end
  return nil
end

local function not_from(f, party, tenant)
  if party and party.kind == "trunk" then return not_from_trunk(f) end
  local aor = party and party.aor
  return not_from_extension(f, aor, tenant or aor and aor:match("@(.*)$"))
end

local function members_of(rows, tenant)
  local aors = {}
  for _, row in ipairs(rows) do
    if row.member then aors[#aors + 1] = row.member .. "@" .. tenant end
  end
  return aors
end

-- Without a record any member may have answered. While the database is away a password decides.
local function not_from_ring_group(f, group, tenant)
  if f.trunk == nil then return need("trunk") end
  if f.trunk then return nil end
  if group.number then
    if f.ring_group == nil then return need("ring_group", { tenant = tenant, number = group.number }) end
    if f.own_addresses == nil then return need("own_addresses", members_of(f.ring_group, tenant)) end
    if f.own_addresses[f.source.ip] then return nil end
  end
  return authentication.of(f, tenant)
end

--- nil if a party of the dialog sends the request. An ACK cannot be challenged, and changes nothing but an answer that
--- was asked for.
function dialog_path.not_from_party(f)
  if f.method == "ACK" then return nil end
  local call = f.path.call
  local party = call and call[call.sender]
  -- parkd itself sends from inside only.
  if party and party.kind == "parkd" then return not_a_party(f) end
  if call and call.is_from_home then return nil end
  if party and party.kind ~= "ring_group" then return not_from(f, party, call.tenant) end
  -- The record knows which member has answered, and the calls from before there were seals.
  if f.call == nil then return need("call") end
  if not f.call and not call then return decision.unknown_call(f) end
  local recorded = sender_in_record(f)
  if call and not recorded then return not_from_ring_group(f, party, call.tenant) end
  return not_from(f, recorded, call and call.tenant)
end

-- From a trunk, or without a seal, of a dialog that Kamailio has no record of.
local function not_from_stranger(f)
  if f.trunk == nil then return need("trunk") end
  if f.trunk and (f.path.call or not f.trunk.away) then return nil end
  return nil, true
end

--- The same for a request to parkd's Contact, which no record of Kamailio's leads to. The second result is true if
--- Kamailio does not know: then the sender is a party if it is at its Contact, which parkd knows.
function dialog_path.not_from_party_of_parkd(f)
  local call = f.path.call
  -- With a description it may be the answer that moves the voice.
  if f.method == "ACK" then return not call and f.body ~= "" and { action = "drop" } or nil end
  local is_trunk = call and call[call.sender].kind == "trunk" and not call.is_from_home
  if call and not is_trunk then return dialog_path.not_from_party(f) end
  if f.call == nil then return need("call") end
  if sender_in_record(f) then return dialog_path.not_from_party(f) end
  return not_from_stranger(f)
end

return dialog_path
