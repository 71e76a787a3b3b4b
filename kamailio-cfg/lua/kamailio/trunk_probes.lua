-- Probes the trunks that ask for it with OPTIONS, and remembers which of them answer none (rules/trunk_choice.lua).
local counts = require("kamailio.counts")
local directory = require("kamailio.directory")
local keyed = require("kamailio.keyed")
local settings = require("kamailio.settings")
local trunk_choice = require("rules.trunk_choice")

local trunk_probes = {}

-- `probes` has the probes that a place has not answered, one after the other; `probe_ids` the place of each Call-ID.
local kUnanswered, kPlaces = "probes", "probe_ids"
-- How Call-IDs of probes begin.
local kBegin = "probe-"

local function unanswered(place) return tonumber(KSR.htable.sht_get(kUnanswered, place)) or 0 end

--- Whether a trunk that is probed is dead.
function trunk_probes.is_dead(trunk) return trunk_choice.is_dead(unanswered(trunk_choice.place(trunk))) end

local function send(place, now)
  -- No other sender knows it.
  local call_id = kBegin .. keyed(("%s %s"):format(place, now))
  KSR.htable.sht_sets(kPlaces, call_id, place)
  local uri = "sip:" .. place
  local socket = place:find("=tcp", 1, true) and settings.outside_socket:gsub("^udp", "tcp") or settings.outside_socket
  local headers = ("From: <sip:kamailio@%s:%d>\r\nTo: <%s>\r\nCall-ID: %s\r\n"):format(
    settings.advertised_address, settings.port, uri, call_id)
  KSR.tm.t_uac_send("OPTIONS", uri, uri, socket, headers, "")
end

local function probe(place, now)
  local before = unanswered(place)
  KSR.htable.sht_seti(kUnanswered, place, before + 1)
  if trunk_choice.is_dead(before + 1) and not trunk_choice.is_dead(before) then
    counts.add("trunks_found_dead")
    KSR.warn(("the trunk at %s answers no OPTIONS: it is tried last\n"):format(place))
  end
  send(place, now)
end

--- Sends the probes that are due. To be called by a timer, each second.
function trunk_probes.send_due()
  local now = KSR.pv.get("$Ts")
  for _, place in ipairs(trunk_choice.due(directory.probed() or {}, now)) do probe(place, now) end
end

--- An answer to an OPTIONS is at hand.
function trunk_probes.note_answer(call_id, status)
  local place = call_id:sub(1, #kBegin) == kBegin and KSR.htable.sht_get(kPlaces, call_id)
  if not place or not trunk_choice.shows_life(status) then return end
  if trunk_choice.is_dead(unanswered(place)) then KSR.warn(("the trunk at %s answers again\n"):format(place)) end
  KSR.htable.sht_rm(kUnanswered, place)
end

return trunk_probes
