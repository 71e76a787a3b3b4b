-- Whether Kamailio writes to the log while it handles a message. A process is silent, but for LOG_CRIT, from the
-- arrival of a message (event_route[core:msg-received]) until it is found harmless and within its sender's share.
local counts = require("kamailio.counts")
local log_text = require("rules.log_text")

local voice = {}

local kCritical = -2

--- Until the next message is known to be harmless.
function voice.close() KSR.kex.setdebug(kCritical) end

-- The second of which this process has described a message.
local described_at = 0

--- The message at hand cannot be read, or is no text for a log. Not even the prefix of a line about it would be.
function voice.report_unreadable()
  counts.add("messages_unreadable")
  KSR.htable.sht_inc("unreadable", "count")
  local now = KSR.pv.get("$Ts")
  if now == described_at then return end
  described_at = now
  local device = ("%s:%s:%d"):format(KSR.kx.get_proto():lower(), KSR.kx.get_srcip(), KSR.kx.get_srcport())
  KSR.htable.sht_sets("unreadable", "one", log_text.description(KSR.kx.get_msgbuf(), device))
end

--- One line for all of them. To be called by a timer, each second.
function voice.tell_unreadable()
  local count, one = KSR.htable.sht_get("unreadable", "count"), KSR.htable.sht_get("unreadable", "one")
  if type(one) ~= "string" then return end
  KSR.htable.sht_rm("unreadable", "count")
  KSR.htable.sht_rm("unreadable", "one")
  KSR.warn(log_text.unreadable(count, one) .. "\n")
end

local function is_within(ip, is_known, now)
  local key, max = log_text.share(ip, is_known, now)
  return KSR.htable.sht_inc("lines", key) <= max
end

local function is_within_share(f, is_at_trunk)
  if f.is_inside and f.source.ip == f.settings.parkd_address then return true end
  local ip, now = f.source.ip, KSR.pv.get("$Ts")
  local has_phones = KSR.htable.sht_is_null("phones", ip) < 0
  return is_within(ip, has_phones, now) or not has_phones and is_at_trunk(ip) and is_within(ip, true, now)
end

--- Lines about the message at hand are written from now on, if its sender has not used up its share.
function voice.open(f, is_at_trunk)
  if not is_within_share(f, is_at_trunk) then return counts.add("messages_not_logged") end
  if not log_text.is_harmless(KSR.kx.get_msgbuf(), f.call_id or "") then return voice.report_unreadable() end
  KSR.kex.resetdebug()
end

return voice
