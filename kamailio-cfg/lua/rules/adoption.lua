-- What becomes of a parker's adoption marker when parkd answers, or does not. Pure.
local protocol = require("rules.protocol")

local adoption = {}

--- "keep" or "release" the marker of the transaction, nil for a provisional answer. `said` is X-Callpark-Adoption of
--- the answer, or false. If parkd has accepted, it has the call that came with the request, unless the header
--- contradicts.
function adoption.on_answer(status, said)
  if status < 200 then return nil end
  local is_kept = status < 300 and said ~= protocol.kReleased or said == protocol.kKept
  return is_kept and "keep" or "release"
end

--- The same when the request has failed: {marker, code, reason}, without `code` if the caller has hung up, or parkd has
--- answered: its own refusals pass as they are.
function adoption.on_failure(is_cancelled, is_timeout)
  if is_cancelled or not is_timeout then return { marker = "release" } end
  return { marker = "give_up", code = 503, reason = "Park Service Not Available" }
end

--- Whether a parker's BYE, which parkd has answered with `status`, goes to the other party. 481: parkd does not know
--- the call. If it has refused the park meanwhile, the marker is gone and the call is between the two parties again.
function adoption.sends_bye_onward(status, is_marked) return status == 481 and not is_marked end

return adoption
