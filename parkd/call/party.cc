#include "parkd/call/party.h"

#include <algorithm>

#include "base/match.h"

namespace callpark {

Party party_of_number(const std::string& tenant, const std::string& number) {
  const bool is_digits =
      !number.empty() && std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_digits) return Extension{tenant, number};
  return Outside{number};
}

std::optional<Extension> extension_of_aor(std::string_view aor) {
  const std::size_t at = aor.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == aor.size()) return std::nullopt;
  return Extension{std::string(aor.substr(at + 1)), std::string(aor.substr(0, at))};
}

std::string aor_of(const Extension& extension) {
  return extension.number + "@" + extension.tenant;
}

const Extension* extension_in(const Party& party) {
  return std::get_if<Extension>(&party);
}

std::string text_of(const Party& party) {
  return std::visit(overloaded{[](const Outside& outside) { return outside.number; },
                               [](const Extension& extension) { return extension.number; },
                               [](const Trunk& trunk) { return "trunk " + trunk.name; }},
                    party);
}

}  // namespace callpark
