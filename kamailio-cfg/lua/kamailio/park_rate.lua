-- How many parks a second can be done. parkd reports it when it refuses parks: only then is it known, and only then it
-- counts. While requests wait long for Kamailio itself, it is none.
local receive_queue = require("rules.receive_queue")
local settings = require("kamailio.settings")

local park_rate = {}

local kKey = "rate"

--- parkd refuses parks and can do `rate` a second. It counts for two seconds (kamailio.cfg).
function park_rate.note(rate) KSR.htable.sht_seti("park_rate", kKey, rate) end

-- The table has a line of each UDP socket of the machine, mediad's too: all workers share one look in a tenth of a
-- second.
local function this_tenth() return KSR.pv.get("$TV(s)") % 10 ^ 8 * 10 + math.floor(KSR.pv.get("$TV(u)") / 10 ^ 5) end

local function look()
  local file = io.open("/proc/net/udp")
  if not file then return 0 end
  local table_of_udp = file:read("*a")
  file:close()
  return receive_queue.longest(table_of_udp, {
    { address = settings.address, port = settings.port },
    { address = settings.inside_address, port = settings.inside_port },
  })
end

local function is_queue_long()
  local now = this_tenth()
  if KSR.pv.get("$shv(looked_at_queue)") ~= now then
    KSR.pv.seti("$shv(looked_at_queue)", now)
    KSR.pv.seti("$shv(receive_queue)", look())
  end
  return (KSR.pv.get("$shv(receive_queue)") or 0) >= receive_queue.kLongBytes
end

--- False unless parks are to be refused.
function park_rate.get()
  return is_queue_long() and 0 or tonumber(KSR.htable.sht_get("park_rate", kKey)) or false
end

--- How many parks have begun in this second, with the one at hand.
function park_rate.count(now) return tonumber(KSR.htable.sht_inc("parks_begun", tostring(now))) or 0 end

return park_rate
