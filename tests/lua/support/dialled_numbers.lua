-- The table of dialled numbers that GoogleTest reads too.
local cjson = require("cjson")
local dialled_number = require("rules.dialled_number")
local sip_text = require("rules.sip_text")

local dialled_numbers = {}

function dialled_numbers.read()
  local file = assert(io.open("tests/data/dialled_numbers.json", "rb"))
  local text = file:read("*a")
  file:close()
  return cjson.decode(text)
end

--- The number in a URI, as the rules read it from a Refer-To; nil without one.
function dialled_numbers.dialled(text)
  local bare = sip_text.bare_number(text)
  local uri = sip_text.parse_uri(text)
  return dialled_number.of_user(bare or uri and sip_text.dialled_user(uri))
end

return dialled_numbers
