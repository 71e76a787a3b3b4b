-- A registration at a trunk: when the next REGISTER is sent, what is in it, and what its answer means. Pure: time in
-- seconds goes in, states come out.
--
-- A state is {call_id, tag, cseq, expires, due, deadline, until_time, failures, state, status, is_answering,
-- is_leaving}: `due` is when a REGISTER is to be sent, `deadline` until when one that was sent has an answer, nil if
-- none is out.
local trunk_registration = {}

-- A registrar that refuses a password may lock the account after some attempts.
local kRefusedWaitMin, kRefusedWaitMax = 60, 3600
local kFailedWaitMin, kFailedWaitMax = 5, 120

local kAnswerSeconds = 10

local function wait(failures, min, max) return math.min(min * 2 ^ math.min(failures - 1, 20), max) end

local function with(state, changes)
  local new = {}
  for name, value in pairs(state) do new[name] = value end
  for name, value in pairs(changes) do new[name] = value end
  return new
end

local function without_request(state, changes)
  local new = with(state, changes)
  new.deadline = nil
  return new
end

--- An account that has not been registered. `call_id` and `tag` are random.
function trunk_registration.begin(call_id, tag, expires, now)
  return { call_id = call_id, tag = tag, cseq = 0, expires = expires, due = now, failures = 0, state = "trying" }
end

--- The account is another one now, but for its address and its contact.
function trunk_registration.changed(state, expires, now)
  return with(without_request(state, {}), { expires = expires, is_answering = false, failures = 0, due = now })
end

--- The registration is given up: it has no row any more.
function trunk_registration.leave(state, now)
  return with(without_request(state, {}), { is_leaving = true, is_answering = false, failures = 0, due = now })
end

--- Whether nothing is left to do for one that is given up: no answer has another meaning than this one.
function trunk_registration.is_over(state)
  return state.is_leaving == true and (state.failures > 0 or state.state == "left" or not state.until_time)
end

function trunk_registration.is_due(state, now) return not state.deadline and now >= state.due end

--- A REGISTER is sent, with the next CSeq.
function trunk_registration.sent(state, now)
  return with(state, { cseq = state.cseq + 1, deadline = now + kAnswerSeconds })
end

--- How long the REGISTER asks for.
function trunk_registration.asked_seconds(state) return state.is_leaving and 0 or state.expires end

local function failed(state, now, name, status, min, max, retry_after)
  local failures = state.failures + 1
  local seconds = math.max(wait(failures, min, max), math.min(retry_after or 0, kRefusedWaitMax))
  local new = without_request(state, { failures = failures, state = name, due = now + seconds, is_answering = false })
  new.status = status
  return new
end

--- No answer has come in time.
function trunk_registration.after_silence(state, now)
  if not state.deadline or now < state.deadline then return state end
  return failed(state, now, "unreachable", nil, kFailedWaitMin, kFailedWaitMax)
end

local function registered(state, now, seconds)
  if state.is_leaving then return without_request(state, { state = "left", status = 200 }) end
  return without_request(state, { state = "registered", status = 200, failures = 0, is_answering = false,
    until_time = now + seconds, due = now + math.max(1, math.floor(seconds * (seconds < 120 and 1 / 2 or 3 / 4))) })
end

local kMinExpiresMax = 7200

--- An answer to the last REGISTER: {status, seconds, min_expires, retry_after, is_challenge}. `seconds` is how long the
--- contact is registered, nil if the answer does not show it; `is_challenge` is true if it can be answered.
function trunk_registration.on_answer(state, now, answer)
  local status = answer.status
  if status >= 200 and status < 300 then return registered(state, now, answer.seconds or state.expires) end
  if answer.is_challenge and not state.is_answering then
    return without_request(state, { is_answering = true, due = now })
  end
  local min_expires = answer.min_expires
  if status == 423 and min_expires and min_expires > state.expires and min_expires <= kMinExpiresMax then
    return without_request(state, { expires = min_expires, due = now, is_answering = false })
  end
  if status >= 400 and status < 500 and status ~= 408 then
    return failed(state, now, "refused", status, kRefusedWaitMin, kRefusedWaitMax, answer.retry_after)
  end
  return failed(state, now, "refused", status, kFailedWaitMin, kFailedWaitMax, answer.retry_after)
end

--- How long a 2xx registers the contact with this user and host: by the Contact values of the answer and its Expires.
--- nil if neither shows it.
function trunk_registration.granted_seconds(contacts, expires, user, host)
  local own
  for _, value in ipairs(contacts) do
    for one in (value .. ","):gmatch("%s*([^,]*),") do
      local seconds = tonumber(one:match(";%s*[Ee][Xx][Pp][Ii][Rr][Ee][Ss]%s*=%s*(%d+)"))
      if one:find(("sip:%s@%s"):format(user, host), 1, true) then own = own or seconds end
    end
  end
  return own or tonumber(expires)
end

return trunk_registration
