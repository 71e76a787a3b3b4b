-- What an extension dials: the user part of a URI as a number of the number plan. Pure.
local dialled_number = {}

-- The characters of a number; all of them are harmless between quotes in SQL.
local kCharacters = "[%w*#+._-]"
local kLengthMax = 64

--- {text, clean, beginning}: `text` has no trailing "#"; `beginning` is as much of it as consists of permitted
--- characters, and `clean` is true if that is all. nil if not even the first character is permitted.
function dialled_number.of_user(user)
  if not user then return nil end
  local text = user:gsub("#$", "")
  local beginning = text:sub(1, kLengthMax):match("^" .. kCharacters .. "+")
  if not beginning then return nil end
  return { text = text, beginning = beginning, clean = beginning == text }
end

--- Every way to cut `number` off after 1 to `length_max` characters, longest first.
function dialled_number.beginnings(number, length_max)
  local list = {}
  for length = math.min(#number, length_max), 1, -1 do
    list[#list + 1] = number:sub(1, length)
  end
  return list
end

--- Whether it may be an orbit of a range.
function dialled_number.may_be_orbit(dialled) return dialled.clean and dialled.text:match("^%*?%d+$") ~= nil end

--- What follows a code.
function dialled_number.remainder(dialled, row) return dialled.text:sub(#row.number + 1) end

local kRandomDigitsMin, kRandomDigitsMax = 3, 8

--- Whether it may be a random orbit, as parkd reads what follows a code that retrieves (dialled_code.cc).
function dialled_number.is_random_orbit(text)
  local digits = text:match("^%*(%d+)$")
  return digits ~= nil and #digits >= kRandomDigitsMin and #digits <= kRandomDigitsMax
end

return dialled_number
