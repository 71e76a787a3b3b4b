-- The decision on a request within a dialog. Pure.
local decide_lamps = require("rules.decide_lamps")
local decide_refer = require("rules.decide_refer")
local decision = require("rules.decision")
local dialog_path = require("rules.dialog_path")
local patience = require("rules.patience")
local reachable = require("rules.reachable")

local need = decision.need

local decide_in_dialog = {}

-- What an offer may be: a hold, of which parkd has to know the device.
local brings_offer = { INVITE = true, UPDATE = true }

-- How Kamailio follows a call by its requests.
local follows = { BYE = "end", ACK = "answer", INVITE = "offer", UPDATE = "offer" }

local function to_parkd(f, d)
  d.device = brings_offer[f.method] and f.source.device or nil
  d.first_answer_ms = patience.of_parkd(f.method)
  return d
end

-- The other party, if it may be a trunk: {kind, trunk}; nil if it is none.
local function possible_trunk(f)
  local call = f.path and f.path.call
  local party = call and call[call.sender == "a" and "b" or "a"]
  return party and (party.kind == "trunk" or party.kind == "ring_group") and party or nil
end

-- `target` replaces the Request-URI; nil if that is right. `to` is of `tenant`.
local function onward(f, action, target)
  local to = possible_trunk(f)
  return { action = action, target = target, follow = follows[f.method], to = to,
    tenant = to and f.path.call.tenant or nil, first_answer_ms = patience.first_answer(f.method) }
end

local function belongs_to_parkd(f)
  -- An ACK with a lower CSeq belongs to an INVITE from before the adoption; parkd would drop it, and the other party
  -- would repeat its 200 for ever.
  return f.marker and not (f.method == "ACK" and f.cseq < f.marker.floor)
end

local function subscribe_again(f)
  if not f.ruri.is_parkd then return decide_lamps.subscribe_again(f) end
  local wait = decide_lamps.unknown_watcher_at_parkd(f)
  if wait then return wait end
  return to_parkd(f, { action = "to_parkd", tenant = f.from.host, user = f.identity.user })
end

-- Trunks cannot transfer (rules/decide_refer.lua).
local function may_have_sent_refer(f)
  local call = f.path.call
  return not call or call[call.sender].kind ~= "trunk"
end

-- Another worker may not have come to look at the sender's REFER yet; over TCP one worker has both.
local function after_an_earlier_refer(f, d)
  if f.method ~= "BYE" or f.marker or not f.is_udp or f.waits > 0 or not may_have_sent_refer(f) then return d end
  return { action = "wait_for_earlier_refer", ms = patience.kEarlierReferMs, otherwise = d }
end

-- parkd answers 481 to a parker's BYE if it has refused the park meanwhile: then the BYE is the other party's.
local function adopted(f)
  local d = to_parkd(f, { action = "adopted", ends_record = f.method == "BYE" })
  if not d.ends_record then return d end
  local wrong, target = dialog_path.not_onward(f)
  if wrong and wrong.need then return wrong end
  d.goes_onward, d.target = not wrong, target
  d.to = d.goes_onward and possible_trunk(f) or nil
  d.tenant = d.to and f.path.call.tenant
  return d
end

-- A party of parkd's. Its BYE ends what is known of it.
local function of_parkds_party(f)
  return after_an_earlier_refer(f, to_parkd(f,
    { action = "to_parkd", ends_marker = f.method == "BYE", was_cancelled = f.was_cancelled }))
end

-- parkd refuses it if its sender is not where the party has its Contact, so it ends nothing that Kamailio knows.
local function unproven(f)
  return after_an_earlier_refer(f, to_parkd(f, { action = "to_parkd", unproven = f.source.ip }))
end

function decide_in_dialog.request(f)
  if f.method == "SUBSCRIBE" and decide_lamps.is_watched_package(f) then return subscribe_again(f) end
  if f.marker == nil then return need("marker") end
  local wait = reachable.not_to_be_target(f)
  if wait then return wait end
  if f.method == "REFER" then return decide_refer.request(f) end
  local is_unproven = false
  if f.ruri.is_parkd then
    wait, is_unproven = dialog_path.not_from_party_of_parkd(f)
  else
    wait = dialog_path.not_from_party(f)
  end
  if wait then return wait end
  if is_unproven then return unproven(f) end
  if belongs_to_parkd(f) then return adopted(f) end
  if f.ruri.is_parkd then
    -- RFC 3261 15: a phone that gets a 200 to what it has cancelled sends ACK and BYE, as after any call.
    if f.method == "ACK" and f.was_cancelled == nil then return need("was_cancelled") end
    return of_parkds_party(f)
  end
  -- An ACK goes where the answer came from.
  if f.method ~= "ACK" then
    if f.is_other == nil then return need("is_other") end
    if f.is_other then return of_parkds_party(f) end
  end
  local wrong, target = dialog_path.not_onward(f)
  if wrong then return wrong end
  return after_an_earlier_refer(f, onward(f, "within_dialog", target))
end

--- From parkd, in the place of a parker.
function decide_in_dialog.from_parkd(f)
  if f.given_up == nil then return need("given_up") end
  -- parkd resumed after Kamailio had refused this request; it must not adopt the call.
  if f.given_up then return decision.unknown_call(f) end
  -- A call of its own has led to a menu: it is both parties.
  if f.ruri.is_parkd then return to_parkd(f, { action = "to_parkd" }) end
  local d = onward(f, "parkd_within_dialog")
  d.ends_marker = f.method == "BYE"
  return d
end

return decide_in_dialog
