-- Carries out the decisions on lamps: subscriptions of phones, publications of parkd.
local contact_header = require("kamailio.contact_header")
local counts = require("kamailio.counts")
local event_header = require("rules.event_header")
local lamp_question = require("kamailio.lamp_question")
local lamps = require("kamailio.lamps")
local publication = require("rules.publication")
local relay = require("kamailio.relay")
local sip_text = require("rules.sip_text")
local talking = require("kamailio.talking")
local watching = require("kamailio.watching")

local perform_lamps = {}

-- As long as a NOTIFY without an answer may count.
local kRetryAfterSeconds = 40

-- RFC 6665 8.3.1: a 489 names the events that there are.
function perform_lamps.refuse_event()
  KSR.hdr.append_to_reply("Allow-Events: dialog, call-info, refer\r\n")
  relay.reply(489, "Bad Event")
end

--- The phone may try again.
function perform_lamps.refuse_surplus(_, d)
  counts.add("subscriptions_refused")
  KSR.hdr.append_to_reply(("Retry-After: %d\r\n"):format(kRetryAfterSeconds))
  relay.reply(d.code, d.reason)
end

-- The presence module reads the Contact from the message, and sends there.
local function make_contact_reachable(f)
  local reachable = f.reachable_contact
  if reachable and f.event_header.id then reachable = event_header.into_contact(reachable, f.event_header.id) end
  if not reachable or reachable == f.contact_values[1] then return end
  KSR.hdr.remove("Contact")
  relay.append_header("Contact", reachable)
end

-- It compares the parameters of the event too.
local function leave_bare_event(f)
  if not f.event_text:find(";", 1, true) then return end
  KSR.hdr.remove("Event")
  relay.append_header("Event", f.event)
end

-- Whether it is to be handled now, by this worker.
local function prepare(f)
  contact_header.keep_connection(f)
  make_contact_reachable(f)
  leave_bare_event(f)
  KSR.textopsx.msg_apply_changes()
  return relay.is_first_of_its_kind()
end

local function handle_subscribe(f, d)
  lamps.in_order(d.uri, function()
    watching.make_room(f.call_id, d)
    if d.watches then talking.watch(d.watches) end
    KSR.presence.handle_subscribe_uri(sip_text.uri(d.watcher, d.tenant))
  end)
end

function perform_lamps.watch_lamp(f, d)
  KSR.seturi(d.uri)
  if not prepare(f) or lamp_question.ask(d) then return end
  handle_subscribe(f, d)
end

--- A SUBSCRIBE that has waited for parkd.
function perform_lamps.watch_lamp_after_question(f)
  local d = lamp_question.answered()
  if not d then return end
  KSR.seturi(d.uri)
  handle_subscribe(f, d)
end

--- parkd knows of this lamp.
function perform_lamps.watch_lamp_again(f, d)
  if prepare(f) then handle_subscribe(f, d) end
end

--- RFC 6665 8.2.1: a NOTIFY, the request at hand, repeats the id of its subscription.
function perform_lamps.name_subscription()
  local id, uri = event_header.from_uri(KSR.kx.get_ruri())
  if not id then return end
  KSR.seturi(uri)
  KSR.hdr.remove("Event")
  relay.append_header("Event", "dialog;id=" .. id)
end

local acts = {
  publish = function(f, d) return lamps.publish(d.user, d.tenant, lamps.kByParkd, f.body, d.seconds) end,
  -- RFC 3903 6: an answer of 200 has an entity-tag.
  unpublish = function(_, d, known)
    return lamps.unpublish(d.user, d.tenant, lamps.kByParkd) and (known or "none")
  end,
}

local function change(f, d)
  local known = lamps.etag(d.user, d.tenant, lamps.kByParkd)
  local wanted = publication.change(known, d.etag, d.seconds)
  return wanted.act and publication.answer(acts[wanted.act](f, d, known)) or wanted
end

function perform_lamps.publish(f, d)
  if not relay.is_first_of_its_kind() then return end
  local answer
  lamps.in_order(sip_text.uri(d.user, d.tenant), function() answer = change(f, d) end)
  if answer.etag then
    KSR.hdr.append_to_reply(("SIP-ETag: %s\r\nExpires: %d\r\n"):format(answer.etag, d.seconds))
  end
  relay.reply(answer.code, answer.reason)
  if answer.etag then talking.parkd_has_published(d.user .. "@" .. d.tenant) end
end

return perform_lamps
