-- The marker of a parker whose side of a dialog parkd takes over: while it is set, his in-dialog requests go to parkd.
-- It is a count, because two operations may be under way for the same dialog (a REFER behind a feature call), and the
-- end of the refused one must not take the marker from the other.
local adoption_marker = {}

-- RFC 3261 17.1.2.2: 64*T1, after which nobody repeats a request any more.
local kRepetitionSeconds = 32

function adoption_marker.key(call_id, tag) return call_id .. "::" .. tag end

--- {floor = CSeq} or false. ACKs with a lower CSeq than `floor` belong to what was before the adoption.
function adoption_marker.find(call_id, tag)
  local key = adoption_marker.key(call_id, tag)
  local holders = tonumber(KSR.htable.sht_get("adopt", key)) or 0
  if holders <= 0 then return false end
  return { floor = tonumber(KSR.htable.sht_get("adopt_floor", key)) or 0 }
end

-- Two operations on one dialog may begin and end at the same moment.
local function locked(key, act)
  KSR.htable.sht_lock("adopt", key)
  local done, result = xpcall(act, debug.traceback)
  KSR.htable.sht_unlock("adopt", key)
  if not done then error(result, 0) end
  return result
end

-- Whether nobody holds it any more.
local function let_go(key)
  if KSR.htable.sht_dec("adopt", key) > 0 then return false end
  KSR.htable.sht_rm("adopt", key)
  KSR.htable.sht_rm("adopt_floor", key)
  return true
end

--- One more operation holds the marker; to be done before its request is relayed.
function adoption_marker.hold(key, floor)
  locked(key, function()
    KSR.htable.sht_rm("given_up", key)
    if KSR.htable.sht_is_null("adopt_floor", key) > 0 then KSR.htable.sht_seti("adopt_floor", key, floor) end
    KSR.htable.sht_inc("adopt", key)
  end)
end

--- One operation less.
function adoption_marker.release(key)
  locked(key, function() return let_go(key) end)
end

--- parkd has not answered the operation, and the parker was told so. What parkd still makes of it comes too late, but
--- not when another operation has the dialog: it cannot be told from what is that one's.
function adoption_marker.give_up(key)
  locked(key, function()
    if let_go(key) then KSR.htable.sht_seti("given_up", key, 1) end
  end)
end

function adoption_marker.is_given_up(call_id, tag)
  return KSR.htable.sht_is_null("given_up", adoption_marker.key(call_id, tag)) < 0
end

--- For when the parker has left: what may still come from him are repetitions.
function adoption_marker.expire_soon(key)
  if KSR.htable.sht_is_null("adopt", key) > 0 then return end
  KSR.htable.sht_setex("adopt", key, kRepetitionSeconds)
  KSR.htable.sht_setex("adopt_floor", key, kRepetitionSeconds)
end

return adoption_marker
