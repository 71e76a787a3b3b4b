-- How long Kamailio waits for the first answer, in milliseconds. Pure.
--
-- Phones and trunks have what RFC 3261 gives, a silent phone less, so that a call to it ends, and a silent trunk still
-- less while there is another one: over UDP the call has been repeated three times by then (17.1.1.2). parkd is near,
-- and does not live if it has not answered by then. It answers a REFER once it has the orbit and the music, and may
-- wait twice 2 s for the database. On a busy machine, or while it restarts, its answer to a call comes as late, and a
-- late retrieve is better than a refusal. A BYE waits for a parkd that restarts.
local patience = {}

patience.kRingMs, patience.kPhoneMs, patience.kTransactionMs = 180000, 10000, 30000
patience.kTrunkMs = 4000
patience.kFeatureMs, patience.kParkdMs, patience.kParkdReferMs = 60000, 6000, 6000

-- Of a registrar; the next REGISTER is not sent before.
patience.kRegisterMs = 8000

local kParkdByeMs = 16000

local parkd_in_dialog = {
  REFER = patience.kParkdReferMs,
  BYE = kParkdByeMs,
  -- parkd asks the other party first.
  UPDATE = patience.kTransactionMs,
  INFO = patience.kTransactionMs,
  MESSAGE = patience.kTransactionMs,
}

--- Of parkd to a request within a dialog.
function patience.of_parkd(method) return parkd_in_dialog[method] or patience.kParkdMs end

--- Of a phone or a trunk.
function patience.first_answer(method) return method == "INVITE" and patience.kPhoneMs or patience.kTransactionMs end

--- Of a trunk to a call.
function patience.of_trunk(has_next) return has_next and patience.kTrunkMs or patience.kPhoneMs end

local function has_phones(step)
  for _, party in ipairs(step.parties) do
    if party.kind ~= "trunk" then return true end
  end
  return false
end

-- Before the end of a step: then its silent trunk is followed by the next one.
local kSecondMs = 1000

--- How long a step of a ring group rings, and how long its devices have for their first answer. `has_next`: a party
--- outside has another trunk.
function patience.of_step(step, has_next)
  local ring_ms = step.seconds and step.seconds * 1000 or patience.kRingMs
  if not has_next then return ring_ms, math.min(ring_ms, patience.kPhoneMs) end
  return ring_ms, math.min(ring_ms - kSecondMs, has_phones(step) and patience.kPhoneMs or patience.kTrunkMs)
end

--- After this time an earlier request of the same sender is surely being handled: as long as a busy machine may hold up
--- a worker.
patience.kEarlierReferMs = 50

local kHoldMs = 50

--- Until the next look whether a hold has its answer, after so many looks: each pause twice as long as the one before,
--- 3 s in all.
function patience.of_hold(waits) return kHoldMs * 2 ^ waits end

--- How many seconds a call waits for the verdict of a billing system that has so long to give it.
function patience.of_verdict(budget_ms) return math.ceil(budget_ms / 1000) + 1 end

local kQuestionMs = 20
local kQuestionPauses = 5

--- The next pause of a SUBSCRIBE that waits for parkd, after so many looks whether parkd has answered; nil if it has
--- waited long enough, 0.6 s in all.
function patience.of_question(looks)
  if looks >= kQuestionPauses then return nil end
  return kQuestionMs * 2 ^ looks
end

--- tm allows a transaction no more than a few pauses.
patience.kHoldWaitsMax = 6

return patience
