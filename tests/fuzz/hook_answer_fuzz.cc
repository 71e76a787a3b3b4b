// Any bytes as the body of a billing hook's answer: nothing may crash, and what is read keeps its limits and reads the
// same when it is written again.
#include <cstdlib>
#include <string_view>

#include "base/json.h"
#include "base/match.h"
#include "parkd/authz/hook_answer.h"

namespace {

using namespace callpark;
using namespace callpark::authz;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_printable(const std::string& text, std::size_t bytes_max) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return text.size() <= bytes_max;
}

Json written(const HookAllow& allow) {
  const HookTerms& terms = allow.terms;
  Json json = {{"decision", "allow"}};
  if (terms.max_park_seconds) {
    require(*terms.max_park_seconds >= 10 && *terms.max_park_seconds <= 86400);
    json["max_park_seconds"] = *terms.max_park_seconds;
  }
  require(is_printable(terms.display_name, 4 * HookAnswerLimits::kDisplayName));
  require(terms.display_name.find_first_of("\"\\") == std::string::npos);
  if (!terms.display_name.empty()) json["display_name"] = terms.display_name;
  require(terms.fallback_destination.size() <= 21 &&
          terms.fallback_destination.find_first_not_of("+0123456789") == std::string::npos);
  if (!terms.fallback_destination.empty()) json["fallback_destination"] = terms.fallback_destination;
  return json;
}

Json written(const HookDeny& deny) {
  require(is_printable(deny.text, 4 * HookAnswerLimits::kText));
  Json json = {{"decision", "deny"}, {"reason", denial_of(deny.reason).word}};
  if (!deny.text.empty()) json["text"] = deny.text;
  return json;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto answer = parse_hook_answer({reinterpret_cast<const char*>(data), size});
  if (!answer) {
    require(!describe(answer.error()).empty());
    return 0;
  }
  const Json again = std::visit([](const auto& one) { return written(one); }, *answer);
  const auto read_again = parse_hook_answer(again.dump());
  require(read_again && *read_again == *answer);
  return 0;
}
