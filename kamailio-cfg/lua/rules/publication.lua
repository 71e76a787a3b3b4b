-- What a PUBLISH of parkd's changes in the publication that it has of a lamp (RFC 3903). Pure.
local publication = {}

local kSecondsMax = 3600

--- How long it counts; `expires` is what the request asks for, false if it asks for nothing.
function publication.seconds(expires) return math.min(expires or kSecondsMax, kSecondsMax) end

--- `known` is the entity-tag of the publication that there is, false without one, nil if the database does not answer;
--- `etag` is the one that the request names, or false. Returns {act = "publish"}, {act = "unpublish"} or a refusal
--- {code, reason}.
function publication.change(known, etag, seconds)
  if known == nil then return { code = 503, reason = "Database Not Available" } end
  -- RFC 3903 6: the request is about another publication than the one that there is.
  if etag and etag ~= known then return { code = 412, reason = "Conditional Request Failed" } end
  return { act = seconds == 0 and "unpublish" or "publish" }
end

--- The answer, {code, reason, etag}, once the change was made; `etag` is the new one, nil if the database did not store
--- the change or not all watchers were notified.
function publication.answer(etag)
  if not etag then return { code = 503, reason = "Database Not Available" } end
  return { code = 200, reason = "OK", etag = etag }
end

return publication
