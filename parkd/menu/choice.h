// What the keys that a caller has entered mean in a menu. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "parkd/menu/types.h"

namespace callpark::menu {

/// More keys may make another choice of it.
struct MoreKeys {
  friend bool operator==(const MoreKeys&, const MoreKeys&) = default;
};
struct ChosenOption {
  std::string destination;
  friend bool operator==(const ChosenOption&, const ChosenOption&) = default;
};
/// The entry may be an extension, by its beginning and its length.
struct ChosenExtension {
  friend bool operator==(const ChosenExtension&, const ChosenExtension&) = default;
};
struct NoChoice {
  friend bool operator==(const NoChoice&, const NoChoice&) = default;
};
using Choice = std::variant<MoreKeys, ChosenOption, ChosenExtension, NoChoice>;

/// `is_complete`: the entry has been ended by '#' or a silence, so that it is never MoreKeys. An option goes before an
/// extension with the same digits. An entry that nothing begins with is NoChoice at once.
Choice choice_of(const Place& place, std::string_view entry, bool is_complete);

}  // namespace callpark::menu
