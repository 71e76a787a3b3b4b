-- The begin and the end of each call, in files, until the database knows them: they outlive a Kamailio that is killed.
-- Two files are used in turns, so that one can be removed while workers write to the other. A third one has what the
-- database has refused.
local settings = require("kamailio.settings")

local call_journal = {}

-- Long enough for each worker to have finished with the file that it found in use.
local kTurnSeconds = 10

local function path(file) return ("%s/call_journal.%s"):format(settings.state_dir, file) end

local kRefused = "refused"

local function file_in_use() return KSR.pv.get("$shv(call_journal_file)") or 0 end

-- By one system call (without a buffer), since several workers append to one file; behind a line that a killed Kamailio
-- has not finished.
local function append(name, key, text)
  local line = ("\n%s %s\n"):format(key, text)
  local file, problem = io.open(name, "a")
  if file then
    local is_stored
    file:setvbuf("no")
    is_stored, problem = file:write(line)
    file:close()
    if is_stored then return true end
  end
  KSR.err("what has become of a call is not known after a kill: " .. tostring(problem) .. "\n")
  return false
end

--- What has become of a call (rules/call_row.lua).
function call_journal.note(key, text) append(path(file_in_use()), key, text) end

local function each_line(name, act)
  local file = io.open(name)
  if not file then return end
  for line in file:lines() do
    local key, text = line:match("^(%d+%.%d+) (.+)$")
    if key then act(key, text) end
  end
  file:close()
end

--- Calls `act` with the key and the text of each note.
function call_journal.each(act)
  for number = 0, 1 do each_line(path(number), act) end
end

--- The database knows all that is in the files, and no other process writes to them.
function call_journal.forget_all()
  for number = 0, 1 do os.remove(path(number)) end
end

-- Of the one process that writes calls.
local turned_at

--- The database knows all that was noted before this second.
function call_journal.forget_stored()
  local now = KSR.pv.get("$Ts")
  turned_at = turned_at or now
  if now - turned_at < kTurnSeconds then return end
  turned_at = now
  local other = 1 - file_in_use()
  os.remove(path(other))
  KSR.pv.seti("$shv(call_journal_file)", other)
end

----- what the database has refused

--- Keeps a text that the database does not store, or that shared memory has no room for.
function call_journal.set_aside(key, text) append(path(kRefused), key, text) end

--- What was set aside, each {key, text}.
function call_journal.refused()
  local list = {}
  each_line(path(kRefused), function(key, text) list[#list + 1] = { key = key, text = text } end)
  return list
end

--- Only these are still to be stored. By the one process that writes calls.
function call_journal.keep_refused(list)
  if #list == 0 then return os.remove(path(kRefused)) end
  os.remove(path("left"))
  for _, one in ipairs(list) do
    if not append(path("left"), one.key, one.text) then return end
  end
  os.rename(path("left"), path(kRefused))
end

return call_journal
