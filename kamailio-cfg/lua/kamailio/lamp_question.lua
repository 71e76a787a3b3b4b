-- Asks parkd, which publishes only lamps that are watched, for the lamp of a new subscription, and lets the SUBSCRIBE
-- wait until parkd has published it: the first NOTIFY is to be true. The question is a PUBLISH of the watcher
-- information (RFC 3857); any answer will do, and without one the subscription begins all the same.
local cjson = require("cjson")
local parkd_request = require("kamailio.parkd_request")
local patience = require("rules.patience")
local relay = require("kamailio.relay")

local lamp_question = {}

-- Its name; nil while no parkd lives.
local function send(uri, tenant)
  local parkd = parkd_request.living_parkd()
  if not parkd then return nil end
  local question = ("lamp-%s-%d"):format(KSR.pv.get("$TV(Sn)"), KSR.pv.get("$pp"))
  local headers = { "Event: dialog.winfo", "Expires: 0" }
  return parkd_request.send(parkd, "PUBLISH", uri, tenant, question, headers, "") and question or nil
end

-- Goes on with ksr_subscription_waits() after the next pause. False if the request at hand has to be handled now.
local function pause(looks)
  local ms = patience.of_question(looks)
  if not ms then return false end
  KSR.pv.seti("$avp(looks)", looks + 1)
  return KSR.async.ms_route("ksr_subscription_waits", ms) >= 0
end

--- Asks for the lamp that `d` is about, for the SUBSCRIBE at hand, which has a transaction. True if it waits.
function lamp_question.ask(d)
  local question = send(d.uri, d.tenant)
  if not question then return false end
  KSR.pv.sets("$avp(question)", cjson.encode({ id = question, decision = d }))
  relay.set_patience(patience.kTransactionMs)
  return pause(0)
end

--- For a SUBSCRIBE that has waited: the decision on it that was asked about, or nil if it goes on waiting.
function lamp_question.answered()
  local question = cjson.decode(KSR.pv.get("$avp(question)"))
  local is_answered = KSR.htable.sht_is_null("answered", question.id) < 0
  if not is_answered and pause(KSR.pv.get("$avp(looks)")) then return nil end
  KSR.htable.sht_rm("answered", question.id)
  return question.decision
end

--- An answer of parkd's is at hand. Only these questions are a PUBLISH of Kamailio's.
function lamp_question.note_answer()
  if KSR.pv.get("$rm") ~= "PUBLISH" then return end
  KSR.htable.sht_seti("answered", KSR.kx.get_callid(), 1)
end

return lamp_question
