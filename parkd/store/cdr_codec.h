// What a CDR has besides its times and its end, as JSON in the rows of menu_calls and parked_calls. The procedure
// enter_cdrs reads it.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "parkd/call/cdr.h"
#include "parkd/store/parked_call_codec.h"

namespace callpark {

Json json_of(const Cdr& cdr);
/// Throws Json::exception.
Cdr read_cdr(const Json& json);

std::string write_cdr(const Cdr& cdr);
Result<Cdr, BadColumn> parse_cdr(std::string_view text);

}  // namespace callpark
