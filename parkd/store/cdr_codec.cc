#include "parkd/store/cdr_codec.h"

#include <array>

#include "base/utf8.h"
#include "parkd/store/enumerator_names.h"

namespace callpark {
namespace {

constexpr JsonLimits kLimits{.bytes_max = 64 * 1024, .depth_max = 2};

// In the order of the enumerators.
constexpr std::array<std::string_view, 3> kDirections = {"incoming", "outgoing", "internal"};
constexpr std::array<std::string_view, 5> kKinds = {"extension", "trunk", "ring_group", "ivr_menu", "announcement"};

// As the columns of cdrs: a text of the network that is too long for its column must not keep the row of the call.
std::string column(const std::string& text) {
  return valid_utf8(text, 64);
}

}  // namespace

Json json_of(const Cdr& cdr) {
  return {{"direction", name_in(kDirections, cdr.direction())},
          {"dialled", column(cdr.dialled)},
          {"caller_kind", name_in(kKinds, cdr.caller_kind)},
          {"caller_number", column(cdr.caller_number)},
          {"caller_name", column(cdr.caller_name)},
          {"caller_withheld", cdr.caller_withheld ? 1 : 0},
          {"caller_trunk", column(cdr.caller_trunk)},
          {"callee_kind", name_in(kKinds, cdr.callee_kind)},
          {"callee_number", column(cdr.callee_number)},
          {"call_id", valid_utf8(cdr.sip_call_id, 255)}};
}

Cdr read_cdr(const Json& json) {
  Cdr cdr;
  cdr.dialled = json.at("dialled");
  cdr.caller_kind = value_of<Cdr::Kind>(kKinds, json.at("caller_kind"));
  cdr.caller_number = json.at("caller_number");
  cdr.caller_name = json.at("caller_name");
  cdr.caller_withheld = json.at("caller_withheld").get<int>() != 0;
  cdr.caller_trunk = json.at("caller_trunk");
  cdr.callee_kind = value_of<Cdr::Kind>(kKinds, json.at("callee_kind"));
  cdr.callee_number = json.at("callee_number");
  cdr.sip_call_id = json.at("call_id");
  return cdr;
}

std::string write_cdr(const Cdr& cdr) {
  return write_json(json_of(cdr));
}

Result<Cdr, BadColumn> parse_cdr(std::string_view text) {
  const auto json = parse_json(text, kLimits);
  if (!json) return failure(BadColumn{std::string(describe(json.error()))});
  try {
    return read_cdr(*json);
  } catch (const Json::exception& error) {
    return failure(BadColumn{error.what()});
  }
}

}  // namespace callpark
