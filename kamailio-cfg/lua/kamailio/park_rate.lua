-- How many parks a second parkd can do, from its last refusals: only then is it known, and only then it counts.
local park_rate = {}

local kKey = "rate"

--- parkd refuses parks and can do `rate` a second. It counts for two seconds (kamailio.cfg).
function park_rate.note(rate) KSR.htable.sht_seti("park_rate", kKey, rate) end

--- False unless parkd has refused a park lately.
function park_rate.get() return tonumber(KSR.htable.sht_get("park_rate", kKey)) or false end

--- How many parks have begun in this second, with the one at hand.
function park_rate.count(now) return tonumber(KSR.htable.sht_inc("parks_begun", tostring(now))) or 0 end

return park_rate
