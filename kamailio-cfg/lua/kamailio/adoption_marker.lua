-- The marker of a parker, if parkd adopts its side of a dialog: while it is set, the parker's in-dialog requests go to
-- parkd. It is a count, because two operations may be under way for the same dialog (a REFER after a feature call), and
-- the end of the refused one must not remove the marker of the other.
local adoption_marker = {}

-- RFC 3261 17.1.2.2: 64*T1, after which no request is repeated any more.
local kRepetitionSeconds = 32

function adoption_marker.key(call_id, tag) return call_id .. "::" .. tag end

--- {floor = CSeq} or false. ACKs with a lower CSeq than `floor` belong to the call from before the adoption.
function adoption_marker.find(call_id, tag)
  local key = adoption_marker.key(call_id, tag)
  local holders = tonumber(KSR.htable.sht_get("adopt", key)) or 0
  if holders <= 0 then return false end
  return { floor = tonumber(KSR.htable.sht_get("adopt_floor", key)) or 0 }
end

--- True for the other party of a dialog that parkd has kept. parkd has sent the parker requests in its name, so that
--- the parker's phone would refuse its own as too old (RFC 3261 12.2.2).
function adoption_marker.is_other(call_id, tag)
  return KSR.htable.sht_is_null("adopt_other", adoption_marker.key(call_id, tag)) < 0
end

-- Two operations on one dialog may begin and end at the same moment.
local function locked(key, act)
  KSR.htable.sht_lock("adopt", key)
  local done, result = xpcall(act, debug.traceback)
  KSR.htable.sht_unlock("adopt", key)
  if not done then error(result, 0) end
  return result
end

-- Whether no operation holds it any more.
local function let_go(key)
  if KSR.htable.sht_dec("adopt", key) > 0 then return false end
  KSR.htable.sht_rm("adopt", key)
  KSR.htable.sht_rm("adopt_floor", key)
  return true
end

--- One more operation holds the marker, which is {call_id, tag, floor}. Before the request is relayed: a phone that
--- does not wait for the answer must find the marker set. The transaction at hand remembers it, and the tag of
--- the other party, which is marked only if parkd keeps the dialog.
function adoption_marker.hold(marker, other_tag)
  local key = adoption_marker.key(marker.call_id, marker.tag)
  locked(key, function()
    KSR.htable.sht_rm("given_up", key)
    if KSR.htable.sht_is_null("adopt_floor", key) > 0 then KSR.htable.sht_seti("adopt_floor", key, marker.floor) end
    KSR.htable.sht_inc("adopt", key)
  end)
  KSR.pv.sets("$avp(marker)", key)
  KSR.pv.sets("$avp(other_marker)", adoption_marker.key(marker.call_id, other_tag))
end

-- The key of the marker that the transaction at hand holds, once: an answer may come twice. nil if it holds none.
local function forget_own()
  local key = KSR.pv.get("$avp(marker)")
  if key then KSR.pv.unset("$avp(marker)") end
  return key
end

local ends = {
  -- The transaction at hand no longer removes it.
  keep = function() KSR.htable.sht_seti("adopt_other", KSR.pv.get("$avp(other_marker)"), 1) end,
  release = let_go,
  -- What parkd still makes of the operation comes too late, unless another operation has the dialog: the requests of
  -- the two look the same.
  give_up = function(key)
    if let_go(key) then KSR.htable.sht_seti("given_up", key, 1) end
  end,
}

--- The operation of the transaction at hand ends: `how` is "keep", "release" or "give_up" (rules/adoption.lua).
function adoption_marker.finish(how)
  local key = forget_own()
  if key then locked(key, function() ends[how](key) end) end
end

function adoption_marker.is_given_up(call_id, tag)
  return KSR.htable.sht_is_null("given_up", adoption_marker.key(call_id, tag)) < 0
end

--- The party has left: only repetitions may still come from it.
function adoption_marker.expire_soon(call_id, tag)
  local key = adoption_marker.key(call_id, tag)
  if KSR.htable.sht_is_null("adopt_other", key) < 0 then
    KSR.htable.sht_setex("adopt_other", key, kRepetitionSeconds)
  end
  if KSR.htable.sht_is_null("adopt", key) > 0 then return end
  KSR.htable.sht_setex("adopt", key, kRepetitionSeconds)
  KSR.htable.sht_setex("adopt_floor", key, kRepetitionSeconds)
end

return adoption_marker
