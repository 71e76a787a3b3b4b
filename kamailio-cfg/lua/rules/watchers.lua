-- How much of the server the watchers of lamps may use up: subscriptions, and NOTIFYs that wait for an answer, each of
-- which costs some 18 kB of shared memory until 5 s after it. Pure.
local event_header = require("rules.event_header")

local watchers = {}

-- As many devices as may register for one extension.
local kOfOneLampMax = 10

-- NOTIFYs without an answer: of one watcher, of one tenant, of all. The last is some 100 MB.
local kWaitingOfExtensionMax, kWaitingOfTenantMax, kWaitingMax = 200, 2000, 6000

-- RFC 3261 17.1.2.2 repeats a request after 0.5 s, and again after 1 s: a phone that lives has answered by then.
local kPatienceSeconds = 4
local kUnansweredMax = 16

-- A watcher may be away for once.
local kFailuresMax = 2

local function bare(contact)
  local _, uri = event_header.from_uri(contact)
  return uri or contact
end

--- Which of `known`, the subscriptions of one extension to one lamp, oldest first, each with a `contact`, end when it
--- subscribes once more from `contact`: the same device has started anew, or the oldest makes room.
function watchers.replaced(known, contact)
  local list, others = {}, {}
  for _, one in ipairs(known) do
    local same = bare(one.contact) == bare(contact)
    table.insert(same and list or others, one)
  end
  for i = 1, #others - kOfOneLampMax + 1 do list[#list + 1] = others[i] end
  return list
end

local too_many = { code = 503, reason = "Too Many Subscriptions" }

--- nil if a SUBSCRIBE may cause one more NOTIFY. `waiting` has how many are not answered: {of_extension, of_tenant,
--- of_all}.
function watchers.overdue(waiting)
  local over = waiting.of_extension >= kWaitingOfExtensionMax or waiting.of_tenant >= kWaitingOfTenantMax
    or waiting.of_all >= kWaitingMax
  return over and { code = 503, reason = "Too Many Unanswered NOTIFYs" } or nil
end

--- nil if there may be one more subscription. `counts` is {of_extension, of_tenant}, `ending` how many end for it.
function watchers.surplus(counts, ending, settings)
  if counts.of_extension - ending >= settings.subscriptions_of_extension_max then return too_many end
  if counts.of_tenant - ending >= settings.subscriptions_of_tenant_max then return too_many end
  return nil
end

----- the NOTIFYs of one subscription

--- {unanswered, since, failures, is_silent}: how many have no answer, since when none has come, and how often in a row
--- all of them were given up; a silent one is sent nothing until it answers or is given up. nil as text: a new one.
function watchers.parse(text)
  local unanswered, since, failures, silent = (text or "0 0 0 0"):match("^(%d+) (%d+) (%d+) (%d)$")
  return {
    unanswered = tonumber(unanswered), since = tonumber(since), failures = tonumber(failures),
    is_silent = silent == "1",
  }
end

--- As text; nil if there is nothing to remember.
function watchers.text(state)
  if state.unanswered == 0 and state.failures == 0 and not state.is_silent then return nil end
  return ("%d %d %d %d"):format(state.unanswered, state.since, state.failures, state.is_silent and 1 or 0)
end

--- One more NOTIFY is sent at second `now`. Returns the next state, and "silence" if it is the last for now.
function watchers.sent(state, now)
  local next = {
    unanswered = state.unanswered + 1, since = state.unanswered == 0 and now or state.since, failures = state.failures,
    is_silent = state.is_silent,
  }
  local waits = state.unanswered > 0 and now - state.since >= kPatienceSeconds or next.unanswered >= kUnansweredMax
  if not waits or state.is_silent then return next end
  next.is_silent = true
  return next, "silence"
end

local function heard(state, since, failures, act)
  local unanswered = math.max(state.unanswered - 1, 0)
  return { unanswered = unanswered, since = since, failures = failures, is_silent = false },
    state.is_silent and act or nil
end

--- The watcher has answered one at second `now`. Returns the next state, and "hear" if it was silent.
function watchers.answered(state, now) return heard(state, now, 0, "hear") end

--- One was given up. Returns the next state, and "forget" if the watcher is gone, "forget again" if it was gone before
--- (that NOTIFY was on its way then), "try" if it was silent and gets the next change again.
function watchers.given_up(state)
  local unanswered = math.max(state.unanswered - 1, 0)
  if unanswered > 0 then
    return { unanswered = unanswered, since = state.since, failures = state.failures, is_silent = state.is_silent }
  end
  local next, act = heard(state, state.since, state.failures + 1, "try")
  if next.failures > kFailuresMax then return next, "forget again" end
  if next.failures == kFailuresMax then return next, "forget" end
  return next, act
end

return watchers
