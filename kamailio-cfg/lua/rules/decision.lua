-- What every rule may answer besides an action: a question for one more fact, or a refusal. Pure.
local decision = {}

--- The rule needs the fact `name`; `about` is what the question is about (a realm, a tenant, an extension, a ring
--- group).
function decision.need(name, about) return { need = name, about = about } end

function decision.refuse(code, reason) return { action = "refuse", code = code, reason = reason } end

--- More parks than parkd can do: RFC 3261 21.5.4.
decision.too_busy = { action = "refuse", code = 503, reason = "Too Busy To Park", retry_after = 3 }

decision.database_away = decision.refuse(503, "Database Not Available")

--- Only parkd sends through Kamailio to a place without a known dialog.
function decision.unknown_call(f)
  if f.method == "ACK" then return { action = "drop" } end
  return decision.refuse(481, "Call/Transaction Does Not Exist")
end

return decision
