// The picture of the machine of a caller in a menu: the transitions that the explorer has seen.
#pragma once

#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "tests/property/menu_explorer.h"

namespace callpark::menu {

class Picture {
 public:
  explicit Picture(const Transitions& transitions) : transitions_(transitions) {}

  std::string text() const {
    std::ostringstream text;
    text << R"(# The machine of a caller in a menu

One caller in menus and at announcements, from the INVITE until it talks to a destination or the call ends, as `decide`
in parkd/menu has it. The explorer (tests/property/menu_explorer_test.cc) has seen these transitions and prints them;
this file is not edited by hand. Events that leave a caller in its state are left out. docs/glossary.md has the words.

)";
    for (std::size_t phase = 0; phase < kPhases; ++phase) {
      text << "* **" << phase_name(phase) << "**: " << kMeanings[phase] << "\n";
    }
    const auto is_end = [](std::size_t to) { return to == Phase(Ended{}).index(); };
    text << "\n## The call\n";
    draw(
        text, [&](std::size_t, std::size_t to) { return !is_end(to); }, true);
    text << "\n## Endings\n\nWhat ends a call in which state.\n";
    draw(
        text, [&](std::size_t, std::size_t to) { return is_end(to); }, false);
    return text.str();
  }

 private:
  static constexpr std::size_t kPhases = std::variant_size_v<Phase>;
  static constexpr std::string_view kMeanings[] = {
      "parkd looks up the place that was dialled, that the row names, or that is above. A new call is not answered.",
      "parkd opens a media session and answers the call with it; of a call that goes on from its row, it opens it "
      "again.",
      "The caller is re-INVITEd to the media session: mediad has restarted, or the caller may hear something else. "
      "What "
      "it is to hear follows.",
      "The greeting is played. In a menu the first key stops it.",
      "The caller enters digits: `#`, a silence, or a key that leaves one meaning ends the entry.",
      "parkd looks up what the destination is: a number that rings, another place, or nothing.",
      "The destination is called; the caller hears a ringback tone.",
      "The target has answered, and the row is written with it.",
      "The caller is re-INVITEd to the target. If the target hangs up meanwhile, the answer is awaited all the same.",
      "A sentence is played. The greeting follows, or the goodbye if the destination was the last one.",
      "The goodbye is played.",
      "Nothing is left to do: the caller talks, or the call is over."};
  static_assert(std::size(kMeanings) == kPhases);

  template <class V, std::size_t... I>
  static std::string_view name_at(std::size_t index, std::index_sequence<I...>) {
    std::string_view name;
    ((index == I ? void(name = name_of(V(std::in_place_index<I>, std::variant_alternative_t<I, V>{}))) : void()), ...);
    return name;
  }
  static std::string_view phase_name(std::size_t index) {
    return name_at<Phase>(index, std::make_index_sequence<kPhases>());
  }
  static std::string_view event_name(std::size_t index) {
    return name_at<Event>(index, std::make_index_sequence<std::variant_size_v<Event>>());
  }

  template <class Wanted>
  void draw(std::ostringstream& text, Wanted is_wanted, bool from_the_start) const {
    std::map<std::pair<std::size_t, std::size_t>, std::set<std::string_view>> edges;
    for (const auto& [from, event, to] : transitions_) {
      if (is_wanted(from, to)) edges[{from, to}].insert(event_name(event));
    }
    text << "\n```mermaid\nstateDiagram-v2\n";
    if (from_the_start) text << "  [*] --> " << name_of(begin().next.phase) << " : begin\n";
    for (const auto& [ends, events] : edges) {
      text << "  " << phase_name(ends.first) << " --> " << phase_name(ends.second) << " : ";
      std::string_view separator;
      for (const std::string_view event : events) {
        text << separator << event;
        separator = ", ";
      }
      text << "\n";
    }
    text << "```\n";
  }

  const Transitions& transitions_;
};

}  // namespace callpark::menu
