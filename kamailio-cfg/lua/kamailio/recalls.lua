-- The calls of a recall: of those for one parked call only the last rings. A parkd that has died may have left an
-- earlier one.
local recalls = {}

-- Marks the transaction of a call that another one has replaced.
local kReplacedFlag = 1

--- The call at hand is the last one for the parked call `park_id`.
function recalls.replace_earlier(park_id, call_id)
  local earlier = KSR.htable.sht_get("recalls", park_id)
  if earlier then KSR.tmx.t_cancel_callid(earlier, "1", kReplacedFlag) end
  KSR.htable.sht_sets("recalls", park_id, call_id)
end

--- Whether another call has replaced the one at hand.
function recalls.is_replaced() return KSR.isflagset(kReplacedFlag) end

return recalls
