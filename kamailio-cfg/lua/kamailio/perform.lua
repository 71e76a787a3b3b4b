-- Carries out what a rule has decided: one function an action, and each obeys.
local adoption_marker = require("kamailio.adoption_marker")
local billing_question = require("kamailio.billing_question")
local counts = require("kamailio.counts")
local perform_calls = require("kamailio.perform_calls")
local perform_features = require("kamailio.perform_features")
local perform_in_dialog = require("kamailio.perform_in_dialog")
local perform_lamps = require("kamailio.perform_lamps")
local perform_register = require("kamailio.perform_register")
local patience = require("rules.patience")
local relay = require("kamailio.relay")

local perform = {
  challenge = perform_register.challenge,
  register = perform_register.register,
  to_extension = perform_calls.to_extension,
  to_contact = perform_calls.to_contact,
  to_trunk = perform_calls.to_trunk,
  to_ring_group = perform_calls.to_ring_group,
  refuse_event = perform_lamps.refuse_event,
  refuse_surplus = perform_lamps.refuse_surplus,
  watch_lamp = perform_lamps.watch_lamp,
  watch_lamp_again = perform_lamps.watch_lamp_again,
  publish = perform_lamps.publish,
  subscribe_at_parkd = perform_features.subscribe_at_parkd,
  feature_call = perform_features.feature_call,
  refer = perform_features.refer,
  adopted = perform_in_dialog.adopted,
  to_parkd = perform_in_dialog.to_parkd,
  within_dialog = perform_in_dialog.within_dialog,
  parkd_within_dialog = perform_in_dialog.parkd_within_dialog,
}

function perform.refuse(_, d)
  if d.reason:find("^Too Many") then counts.add("requests_refused_as_too_many") end
  relay.reply(d.code, d.reason, d.retry_after)
end

function perform.drop() end

function perform.answer_options()
  KSR.hdr.append_to_reply(
    "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, REFER, SUBSCRIBE, NOTIFY, UPDATE, PRACK, INFO\r\n")
  relay.reply(200, "OK")
end

-- An answer may have passed already, or be on its way: parkd learns from the ACK of it that the caller had cancelled.
function perform.cancel(f)
  if KSR.tm.t_check_trans() <= 0 then return end
  KSR.htable.sht_seti("cancelled", adoption_marker.key(f.call_id, f.from_tag), 1)
  KSR.tm.t_relay()
end

-- A rule decides about the request at hand once more after d.ms; if the request cannot wait, d.otherwise counts.
local function wait(f, d)
  -- tm answers 408 at the end of this time, and drops a later answer: the worker that goes on with the request may have
  -- to wait for the database first.
  relay.set_patience(patience.kTransactionMs)
  KSR.pv.seti("$avp(waits)", f.waits + 1)
  if KSR.async.ms_route("ksr_again", d.ms) < 0 then perform[d.otherwise.action](f, d.otherwise) end
end

perform.wait_for_earlier_refer = wait
perform.wait_for_hold = wait

function perform.ask_billing(f, d)
  if not billing_question.ask(d.question) then perform[d.otherwise.action](f, d.otherwise) end
end

return perform
