-- Keeps the limits of rules/connections.lua: proves connections, and looks at all of them each second.
local cjson = require("cjson")
local counts = require("kamailio.counts")
local rules = require("rules.connections")
local settings = require("kamailio.settings")

local connections = {}

local function close(id)
  counts.add("connections_closed")
  KSR.tcpops.tcp_close_connection_id(id)
end

-- Connections that an extension uses, as ids.
local function note_use(aor, id)
  local ids = {}
  for one in (KSR.htable.sht_get("connections", aor) or ""):gmatch("%d+") do ids[#ids + 1] = tonumber(one) end
  if ids[#ids] == id then return end
  local list, surplus = rules.used(ids, id)
  KSR.htable.sht_sets("connections", aor, table.concat(list, " "))
  if surplus and KSR.tcpops.tcp_conid_alive(surplus) > 0 then close(surplus) end
end

local function keep() KSR.tcpops.tcp_set_connection_lifetime(rules.kProvenSeconds) end

--- The request at hand has this decision; its connection lives on if that proves it.
function connections.prove(f, decision, is_at_trunk)
  if f.is_udp then return end
  local is_proven = rules.is_proven(f, decision)
  if is_proven == nil then is_proven = is_at_trunk(f.source.ip) end
  if not is_proven then return end
  keep()
  if f.identity and f.identity.user then note_use(f.identity.user .. "@" .. f.from.host, KSR.kx.get_conid()) end
end

--- An answer has come over a connection, which lives on if Kamailio has asked.
function connections.prove_by_answer(f)
  if not f.is_udp and (f.from_parkd or KSR.tm.t_check_trans() > 0) then keep() end
end

--- An unknown peer has sent something to the inside socket.
function connections.end_unknown(f)
  if f.is_udp then return end
  counts.add("connections_closed")
  KSR.tcpops.tcp_close_connection()
end

local function ask(method)
  KSR.jsonrpcs.exec(cjson.encode({ jsonrpc = "2.0", id = 1, method = method }))
  local done, answer = pcall(cjson.decode, KSR.pv.gete("$jsonrpl(body)"))
  return done and type(answer) == "table" and answer.result or nil
end

local kLookAgainSeconds = 5

-- What this process, a timer, has seen last.
local seen, count_before, looked_at = {}, 0, 0

local function has_phones(ip) return KSR.htable.sht_is_null("phones", ip) < 0 end

--- Ends the connections that are too many or have proven nothing. To be called by one process, each second.
function connections.look()
  local info = ask("core.tcp_info")
  local count, now = info and tonumber(info.opened_connections) or 0, KSR.pv.get("$Ts")
  local is_due = count > 0 and now - looked_at >= kLookAgainSeconds
  if count == count_before and next(seen) == nil and not is_due then return end
  count_before, looked_at = count, now
  local open = ask("core.tcp_list")
  -- One connection is no list.
  if open and open.id then open = { open } end
  for id in pairs(rules.surplus(open or {}, seen, now, settings, has_phones)) do close(id) end
end

return connections
