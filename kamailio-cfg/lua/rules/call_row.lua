-- A followed call as a row of the table `dialog`, with its variables: written a moment after it has changed, and
-- deleted when it has ended, with the entry of its CDR (rules/cdr.lua). Pure.
--
-- Kamailio's dialog module could write by itself: a statement for the call and one for each variable, all of them
-- before the worker goes on, and a call that ends stays for seconds.
local cjson = require("cjson")
local sql_text = require("rules.sql_text")

local call_row = {}

-- Confirmed: a call that waits for its ACK counts as one.
local kStateConfirmed = 4

-- Each column, with the field of a record and, of a text, how long it may be.
local columns = {
  { "hash_entry", "h_entry" }, { "hash_id", "h_id" },
  { "callid", "callid", 1024 }, { "from_uri", "from_uri", 2048 }, { "from_tag", "from_tag", 1024 },
  { "to_uri", "to_uri", 2048 }, { "to_tag", "to_tag", 1024 }, { "req_uri", "to_uri", 2048 },
  { "caller_cseq", "from_cseq", 20 }, { "callee_cseq", "to_cseq", 20 },
  { "caller_route_set", "from_rs", 8192 }, { "callee_route_set", "to_rs", 8192 },
  { "caller_contact", "from_contact", 2048 }, { "callee_contact", "to_contact", 2048 },
  { "caller_sock", "from_bindaddr", 64 }, { "callee_sock", "to_bindaddr", 64 },
  { "state", "state" }, { "start_time", "start_ts" }, { "timeout", "timeout" }, { "sflags", "sflags" },
  { "variables", "variables", 65000 },
}

--- The fields of a record that are attributes of the dialog ($dlg): numbers, and texts.
call_row.kNumbers = { "h_entry", "h_id", "start_ts", "lifetime", "sflags" }
call_row.kTexts = { "callid", "from_uri", "from_tag", "to_uri", "to_tag", "from_cseq", "to_cseq", "from_rs", "to_rs",
  "from_contact", "to_contact", "from_bindaddr", "to_bindaddr" }

--- The dialog variables of a call.
call_row.kVariables = { "parties", "setup", "began", "sdp_a", "sdp_b", "held_a", "held_b", "numbers_a", "numbers_b" }

--- The name of a call in the tables `unwritten` and `written`.
function call_row.key(entry, id) return ("%d.%d"):format(entry, id) end

--- The entry and the id of such a name; nil if it is none.
function call_row.parse_key(key)
  local entry, id = key:match("^(%d+)%.(%d+)$")
  return tonumber(entry), tonumber(id)
end

--- The record as text: `attributes` by the names above, and `variables` by theirs. nil if it fits into no row, which no
--- phone sends.
function call_row.text(attributes, variables, now)
  local record = { state = kStateConfirmed, timeout = now + attributes.lifetime, variables = cjson.encode(variables) }
  for name, value in pairs(attributes) do record[name] = value end
  for _, column in ipairs(columns) do
    if column[3] and #record[column[2]] > column[3] then return nil end
  end
  return cjson.encode(record)
end

-- Between quotes of its own: within a text of a phone they would be escaped.
local kAwaitsAck = '"awaits_ack":true'

--- Whether the call waits for its ACK, which brings the rest of the record a moment later.
function call_row.awaits_ack(text) return text:find(kAwaitsAck, 1, true) ~= nil end

--- The same as the begin of a call: it is written only if the call has no row.
function call_row.begin(text) return "{" .. kAwaitsAck .. "," .. text:sub(2) end

--- What a text has to store: two that differ in nothing else need not both be written.
function call_row.content(text) return (text:gsub('"timeout":%d+', "", 1)) end

local kOver = '{"over":true'

--- The text that a call has ended, with its CDR (cdr.line); nil for a call without one.
function call_row.over(entry, id, cdr)
  return ('%s,"h_entry":%d,"h_id":%d%s}'):format(kOver, entry, id, cdr and ',"cdr":' .. cdr or "")
end

function call_row.is_over(text) return text:sub(1, #kOver) == kOver end

--- Whether a text is whole: the last one in a file may not be.
function call_row.is_whole(text) return (pcall(cjson.decode, text)) end

local function literal(record, column)
  local value = record[column[2]]
  return column[3] and sql_text.bytes(value) or ("%d"):format(value)
end

local function values(record)
  local list = {}
  for i, column in ipairs(columns) do list[i] = literal(record, column) end
  return "(" .. table.concat(list, ",") .. ")"
end

local function names(format)
  local list = {}
  for i, column in ipairs(columns) do list[i] = format:format(column[1], column[1]) end
  return table.concat(list, ",")
end

local kColumnNames, kNewValues = names("%s"), names("%s=VALUES(%s)")

-- A call that waits for its ACK has no row, or one with more in it.
local kNothing = "id=id"

local function insertion(rows, changes)
  return ("INSERT INTO dialog (%s) VALUES %s ON DUPLICATE KEY UPDATE %s"):format(kColumnNames, table.concat(rows, ","),
    changes)
end

--- The statements that write these texts, at most three; two unless calls that wait for their ACK are among them.
function call_row.statements(texts)
  local rows, first_rows, ended = {}, {}, {}
  for _, text in ipairs(texts) do
    if call_row.is_over(text) then
      ended[#ended + 1] = text
    else
      local list = call_row.awaits_ack(text) and first_rows or rows
      list[#list + 1] = values(cjson.decode(text))
    end
  end
  local list = {}
  if #first_rows > 0 then list[#list + 1] = insertion(first_rows, kNothing) end
  if #rows > 0 then list[#list + 1] = insertion(rows, kNewValues) end
  if #ended > 0 then
    list[#list + 1] = ("CALL end_calls(%s)"):format(sql_text.bytes("[" .. table.concat(ended, ",") .. "]"))
  end
  return list
end

--- The variables of a row; empty if it has none.
function call_row.variables(text)
  local known, variables = pcall(cjson.decode, text or "")
  return known and type(variables) == "table" and variables or {}
end

return call_row
