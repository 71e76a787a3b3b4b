-- Asks parkd whether the billing system permits a call, and lets its INVITE wait for the verdict. The question is a
-- MESSAGE; X-Callpark-Verdict in the answer to it has the verdict (rules/billing.lua).
local billing = require("rules.billing")
local cjson = require("cjson")
local parkd_request = require("kamailio.parkd_request")
local patience = require("rules.patience")
local protocol = require("rules.protocol")
local relay = require("kamailio.relay")
local sip_text = require("rules.sip_text")

local billing_question = {}

-- The table `questions` has the second until which each of them waits, and then its verdict, as JSON.
local kTable = "questions"

local kId = "call-%s-%s-%s"

local function send(parkd, id, asked)
  local call = asked.call
  return parkd_request.send(parkd, "MESSAGE", sip_text.uri(call.called, asked.tenant), asked.tenant, id,
    { "Content-Type: " .. protocol.kCallQuestion }, protocol.encode_question(call))
end

local function wait_until(id, second) KSR.htable.sht_seti(kTable, id, second) end

--- Asks for the INVITE at hand. False if it does not wait: no parkd lives.
function billing_question.ask(asked)
  local parkd = parkd_request.living_parkd()
  if not parkd or KSR.tm.t_newtran() < 0 then return false end
  local id = kId:format(KSR.pv.get("$T(id_index)"), KSR.pv.get("$T(id_label)"), KSR.pv.get("$TV(Sn)"))
  KSR.pv.sets("$avp(question)", id)
  relay.set_patience(patience.kTransactionMs)
  wait_until(id, KSR.pv.get("$Ts") + patience.of_verdict(asked.budget_ms))
  if KSR.tmx.t_suspend() < 0 then
    KSR.htable.sht_rm(kTable, id)
    return false
  end
  if not send(parkd, id, asked) then wait_until(id, 0) end
  return true
end

local function go_on(id)
  local index, label = id:match("^call%-(%d+)%-(%d+)%-")
  if KSR.tmx.t_continue(tonumber(index), tonumber(label), "ksr_call_is_judged") < 0 then
    KSR.htable.sht_rm(kTable, id)
  end
end

-- Once: the answer may come when the time is over.
local function conclude(id, verdict)
  KSR.htable.sht_lock(kTable, id)
  local is_first = type(KSR.htable.sht_get(kTable, id)) == "number"
  if is_first then KSR.htable.sht_sets(kTable, id, cjson.encode(verdict)) end
  KSR.htable.sht_unlock(kTable, id)
  if is_first then go_on(id) end
end

--- An answer of parkd's is at hand.
function billing_question.note_answer(f)
  if f.cseq_method ~= "MESSAGE" or f.call_id:sub(1, 5) ~= "call-" then return end
  conclude(f.call_id, billing.verdict(f.status, f.verdict_said))
end

--- The calls go on of which parkd has not given a verdict in time. To be called by one process, each second.
function billing_question.give_up_overdue()
  local overdue, now = {}, KSR.pv.get("$Ts")
  KSR.htable.sht_iterator_start(kTable, kTable)
  while KSR.htable.sht_iterator_next(kTable) > 0 do
    local value = KSR.pv.get("$shtitval(questions)")
    if type(value) == "number" and value < now then overdue[#overdue + 1] = KSR.pv.get("$shtitkey(questions)") end
  end
  KSR.htable.sht_iterator_end(kTable)
  for _, id in ipairs(overdue) do conclude(id, { failed = true }) end
end

--- The verdict on the call at hand, which has waited for it, becomes a fact.
function billing_question.take_verdict()
  local id = KSR.pv.get("$avp(question)")
  KSR.pv.sets("$avp(verdict)", KSR.htable.sht_get(kTable, id))
  KSR.htable.sht_rm(kTable, id)
end

return billing_question
