#include "parkd/menu/choice.h"

#include <algorithm>

namespace callpark::menu {
namespace {

// Of extensions that begin with the first key of `entry`; 0 if there is none, or the entry is none.
std::uint32_t lengths_of(const Place& place, std::string_view entry) {
  const auto is_digit = [](char key) { return key >= '0' && key <= '9'; };
  if (!place.direct_dial || entry.empty() || !std::ranges::all_of(entry, is_digit)) return 0;
  constexpr std::uint32_t kThatCanBeEntered = (1U << (kEntryDigitsMax + 1)) - 1;
  return place.extensions[static_cast<std::size_t>(entry.front() - '0')] & kThatCanBeEntered;
}

// Of an entry of so many digits that can be kept.
bool has_length(std::uint32_t lengths, std::size_t digits) {
  return digits <= kEntryDigitsMax && ((lengths >> digits) & 1U) != 0;
}

bool has_longer(std::uint32_t lengths, std::size_t digits) {
  return digits < kEntryDigitsMax && lengths >> (digits + 1) != 0;
}

}  // namespace

Choice choice_of(const Place& place, std::string_view entry, bool is_complete) {
  const std::uint32_t lengths = lengths_of(place, entry);
  if (!is_complete) {
    const auto is_begun = [entry](const Option& option) {
      return option.digits.size() > entry.size() && option.digits.starts_with(entry);
    };
    if (has_longer(lengths, entry.size()) || std::ranges::any_of(place.options, is_begun)) return MoreKeys{};
  }
  const auto option = std::ranges::find(place.options, entry, &Option::digits);
  if (option != place.options.end()) return ChosenOption{option->destination};
  if (has_length(lengths, entry.size())) return ChosenExtension{};
  return NoChoice{};
}

}  // namespace callpark::menu
