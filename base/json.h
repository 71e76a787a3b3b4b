// JSON from the wire: parsed within limits into nlohmann's value, and written so that no byte can cause an exception.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace callpark {

using Json = nlohmann::json;

struct JsonLimits {
  std::size_t bytes_max = 64 * 1024;
  /// The depth of arrays and objects inside one another; 1 allows `[]` but not `[[]]`.
  std::size_t depth_max = 16;
};

enum class JsonError { kTooLong, kTooDeep, kNotJson };

/// Returns a sentence for a log line or an answer.
std::string_view describe(JsonError error);

/// Reads one JSON text with nothing after it.
Result<Json, JsonError> parse_json(std::string_view text, JsonLimits limits = {});

/// Writes one line; bytes that are not UTF-8 become U+FFFD.
std::string write_json(const Json& value);

}  // namespace callpark
