-- Whether the billing system of a tenant permits a call to one of its numbers. parkd asks the billing system, and its
-- verdict is one more fact. Pure.
local decision = require("rules.decision")

local need, refuse = decision.need, decision.refuse

local billing = {}

-- What parkd has to know of the call. `row` is that of the called number.
local function question(f, tenant, row, caller)
  return {
    tenant = tenant,
    budget_ms = f.billing_hook.budget_ms,
    call = { call_id = f.call_id, called = row.number, kind = caller.kind, aor = caller.aor, trunk = row.trunk,
      uri = f.from_text, display = caller.display, withheld = caller.withheld },
  }
end

local function follows_from(verdict, d)
  if verdict.permits then return d end
  return refuse(verdict.code, verdict.reason)
end

-- Without a parkd that answers.
local function failed(hook, d) return hook.error_permits and d or refuse(503, "Authorization Is Not Available") end

-- Whether `d` lets a call of a phone or a trunk begin. `caller` is nil if parkd calls.
local function begins(d, caller)
  return caller ~= nil and (d.action == "feature_call" or d.setup ~= nil and d.setup.is_followed)
end

--- The decision `d` on a call to the number of `row`, if it is permitted, or the tenant has no hook for calls.
function billing.permitted(f, tenant, row, caller, d)
  if not begins(d, caller) then return d end
  if f.billing_hook == nil then return need("billing_hook", tenant) end
  if not f.billing_hook then return d end
  if f.verdict then return f.verdict.failed and failed(f.billing_hook, d) or follows_from(f.verdict, d) end
  return { action = "ask_billing", setup = d.setup, question = question(f, tenant, row, caller),
    otherwise = failed(f.billing_hook, d) }
end

--- The verdict in parkd's answer, `value` being that of X-Callpark-Verdict: {permits}, {permits, code, reason}, or
--- {failed}.
function billing.verdict(status, value)
  local code, reason = (value or ""):match("^(%d%d%d) (.+)$")
  code = tonumber(code)
  if status ~= 200 or not code then return { failed = true } end
  if code == 200 then return { permits = true } end
  if code < 400 or code > 699 then return { failed = true } end
  return { permits = false, code = code, reason = reason }
end

return billing
