-- The decision on a request. Pure: facts in, decision out.
--
-- A decision is a table with `action`, which kamailio/perform.lua carries out, or with `need` (and `about`): a fact
-- that kamailio/facts.lua has to learn first, after which the same question comes again with that fact in it.
local decide_calls = require("rules.decide_calls")
local decide_in_dialog = require("rules.decide_in_dialog")
local decide_lamps = require("rules.decide_lamps")
local decide_register = require("rules.decide_register")
local decision = require("rules.decision")

local decide = {}

local dialog_methods_without_tag = { ACK = "drop", BYE = 481, UPDATE = 481, PRACK = 481, INFO = 481, NOTIFY = 481 }

local function outside_of_dialogs(f)
  local without_tag = dialog_methods_without_tag[f.method]
  if without_tag == "drop" then return { action = "drop" } end
  if without_tag then return decision.refuse(without_tag, "Call/Transaction Does Not Exist") end
  if f.method == "PUBLISH" then return decide_lamps.publish(f) end
  if f.from_parkd then return decide_calls.from_parkd(f) end
  if f.method == "SUBSCRIBE" then return decide_lamps.subscribe(f) end
  if f.method == "REGISTER" then return decide_register.request(f) end
  if f.trunk == nil then return decision.need("trunk") end
  if f.trunk and f.trunk.away then return decision.database_away end
  if f.trunk then return decide_calls.from_trunk(f) end
  return decide_calls.from_extension(f)
end

function decide.request(f)
  if f.method == "CANCEL" then return { action = "cancel" } end
  if f.method == "OPTIONS" and not f.to_tag then return { action = "answer_options" } end
  if not f.to_tag then return outside_of_dialogs(f) end
  if f.from_parkd then return decide_in_dialog.from_parkd(f) end
  return decide_in_dialog.request(f)
end

return decide
