#include "base/json.h"

namespace callpark {
namespace {

// Counts brackets outside strings. The count may be wrong for a text that is not JSON, which is refused afterwards
// anyway.
bool is_deeper_than(std::string_view text, std::size_t depth_max) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char byte = text[i];
    if (in_string) {
      if (byte == '\\') ++i;
      if (byte == '"') in_string = false;
    } else if (byte == '"') {
      in_string = true;
    } else if (byte == '[' || byte == '{') {
      if (++depth > depth_max) return true;
    } else if ((byte == ']' || byte == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

std::string_view describe(JsonError error) {
  switch (error) {
    case JsonError::kTooLong:
      return "the JSON text is too long";
    case JsonError::kTooDeep:
      return "the JSON text is nested too deeply";
    case JsonError::kNotJson:
      break;
  }
  return "the text is not JSON";
}

Result<Json, JsonError> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.bytes_max) return failure(JsonError::kTooLong);
  if (is_deeper_than(text, limits.depth_max)) return failure(JsonError::kTooDeep);
  // A NUL is in no JSON text; the parser would treat it as the end.
  if (text.find('\0') != std::string_view::npos) return failure(JsonError::kNotJson);
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return failure(JsonError::kNotJson);
  return value;
}

std::string write_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace callpark
