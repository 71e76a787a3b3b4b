-- What one process does about the database, so that no other waits for it: it reads what was edited, and writes what
-- has become of calls. It logs that the database goes away and comes back.
local call_rows = require("kamailio.call_rows")
local directory_loader = require("kamailio.directory_loader")
local trunk_states = require("kamailio.trunk_states")

local database = {}

-- Edits are looked for in every so many rounds; a round lasts 100 ms.
local kRoundsOfRefresh = 5

local rounds, is_away = 0, false

local function note(answers)
  if answers ~= is_away then return end
  is_away = not answers
  directory_loader.set_away(is_away)
  if is_away then
    KSR.warn("the database does not answer: calls go on with what is remembered, parks are refused\n")
  else
    KSR.warn("the database answers again\n")
  end
end

--- One round.
function database.keep_up()
  if rounds % kRoundsOfRefresh == 0 then note(directory_loader.refresh()) end
  rounds = rounds + 1
  if not is_away then note(call_rows.write()) end
  if not is_away and rounds % kRoundsOfRefresh == 0 then note(trunk_states.write()) end
end

return database
