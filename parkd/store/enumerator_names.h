// Enumerators in JSON: each by its name in an array that has the order of the enumeration.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.h"

namespace callpark {

template <class E, std::size_t kSize>
std::string_view name_in(const std::array<std::string_view, kSize>& names, E value) {
  return names.at(static_cast<std::size_t>(value));
}

/// Throws Json::exception if it is none of them.
template <class E, std::size_t kSize>
E value_of(const std::array<std::string_view, kSize>& names, const Json& json) {
  const auto found = std::find(names.begin(), names.end(), json.get<std::string>());
  if (found == names.end()) throw Json::other_error::create(501, "an unknown name", &json);
  return static_cast<E>(found - names.begin());
}

}  // namespace callpark
