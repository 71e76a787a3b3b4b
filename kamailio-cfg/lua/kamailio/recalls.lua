-- The calls of a recall: of those for one parked call only the last rings. A parkd that has died may have left an
-- earlier one.
local recalls = {}

-- Marks the transaction of a call that another one has replaced.
local kReplacedFlag = 1

--- The call at hand is the last one for the parked call `park_id`. One that still rings is cancelled. One that is over
--- must not be: Kamailio 5.6.3 never frees a transaction that was cancelled by its Call-ID.
function recalls.begin(park_id, call_id)
  local earlier = KSR.htable.sht_get("recalls", park_id)
  -- Before the other one ends, since an end removes no entry but its own.
  KSR.htable.sht_sets("recalls", park_id, call_id)
  KSR.pv.sets("$avp(recall)", park_id)
  if earlier then KSR.tmx.t_cancel_callid(earlier, "1", kReplacedFlag) end
end

--- Whether another call has replaced the one at hand.
function recalls.is_replaced() return KSR.isflagset(kReplacedFlag) end

--- The call at hand, if it is one of a recall, has its final answer, or could not be sent: then `park_id` is that of
--- the parked call.
function recalls.over(park_id)
  park_id = park_id or KSR.pv.get("$avp(recall)")
  if park_id and KSR.htable.sht_get("recalls", park_id) == KSR.kx.get_callid() then
    KSR.htable.sht_rm("recalls", park_id)
  end
end

return recalls
