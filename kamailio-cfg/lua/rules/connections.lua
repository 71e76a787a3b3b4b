-- Which TCP connections Kamailio keeps. A connection is proven once a known sender has used it: an extension with its
-- password, a trunk, parkd, a party of a call. Until then it lives for some seconds. Pure.
local connections = {}

--- How long a connection may be idle: a phone keeps its own for as long as its registration and a little more. The
--- short one is `tcp_connection_lifetime` in kamailio.cfg.
connections.kProvenSeconds, connections.kUnprovenSeconds = 3660, 10

-- However much is sent over it: a byte now and then proves nothing.
local kUnprovenAgeMax = 20

-- Of one address: unproven ones, and the same if phones have registered from it (all phones of an office may come at
-- once); and all.
local kUnprovenOfAddressMax, kUnprovenOfOfficeMax, kOfAddressMax = 50, 500, 1000

-- Of one extension: twice as many as it may have Contacts.
local kOfExtensionMax = 20

local by_a_party = { within_dialog = true, adopted = true, parkd_within_dialog = true }

--- Whether a request with this decision proves its connection; nil: only if it came from a trunk.
function connections.is_proven(f, decision)
  if f.from_parkd or by_a_party[decision.action] then return true end
  if f.identity and f.identity.status == "known" then return true end
  return f.trunk and not f.trunk.away or nil
end

--- An extension has used connection `id`: `ids` are those it has used before, oldest first. Returns the list with it,
--- and the connection that has to end for it, or nil.
function connections.used(ids, id)
  local list = {}
  for _, one in ipairs(ids) do
    if one ~= id then list[#list + 1] = one end
  end
  list[#list + 1] = id
  local surplus = #list > kOfExtensionMax and table.remove(list, 1) or nil
  return list, surplus
end

local function oldest_first(a, b) return a.id < b.id end

local function surplus_of(list, max, closed)
  table.sort(list, oldest_first)
  for i = 1, #list - max do closed[list[i].id] = true end
end

-- Whether it came to the inside socket; those that Kamailio has opened itself end at another port.
local function is_strangers_inside(one, settings)
  return one.dst_port == settings.inside_port and one.dst_ip == settings.inside_address
    and one.src_ip ~= settings.parkd_address
end

local function is_unproven(one) return one.lifetime <= connections.kUnprovenSeconds end

--- Which of `open` have to end at second `now`, as a set of ids. Each of them is {id, src_ip, dst_ip, dst_port,
--- lifetime}; `seen` has the second at which each unproven one was first seen, and is brought up to date; `has_phones`
--- is a function of an address.
function connections.surplus(open, seen, now, settings, has_phones)
  local closed, unproven, all, still = {}, {}, {}, {}
  for _, one in ipairs(open) do
    local ip = one.src_ip
    all[ip] = all[ip] or {}
    table.insert(all[ip], one)
    if is_strangers_inside(one, settings) then
      closed[one.id] = true
    elseif is_unproven(one) then
      still[one.id] = seen[one.id] or now
      if now - still[one.id] >= kUnprovenAgeMax then closed[one.id] = true end
      unproven[ip] = unproven[ip] or {}
      table.insert(unproven[ip], one)
    end
  end
  for ip, list in pairs(unproven) do
    if #list > kUnprovenOfAddressMax then
      surplus_of(list, has_phones(ip) and kUnprovenOfOfficeMax or kUnprovenOfAddressMax, closed)
    end
  end
  for ip, list in pairs(all) do
    if ip ~= settings.parkd_address then surplus_of(list, kOfAddressMax, closed) end
  end
  for id in pairs(seen) do seen[id] = nil end
  for id, second in pairs(still) do seen[id] = second end
  return closed
end

return connections
