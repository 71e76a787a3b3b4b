// Events and texts of the fake outside, in the order in which they came.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "parkd/ports/events.h"
#include "parkd/ports/messages.h"

namespace callpark {

class FakeEvents final : public Events {
 public:
  std::vector<ParkEvent> all;
  void append(ParkEvent event) override { all.push_back(std::move(event)); }
  /// "parked 101, retrieved 101 by 102, ended hung_up"
  std::string words() const {
    std::string text;
    for (const ParkEvent& event : all) {
      text += (text.empty() ? "" : ", ") + std::string(name_of(event.kind));
      if (!event.orbit.empty()) text += " " + event.orbit;
      if (!event.by.empty()) text += " by " + event.by;
      if (!event.how.empty()) text += " " + event.how;
    }
    return text;
  }
};

class FakeMessages final : public Messages {
 public:
  std::vector<TextMessage> sent;
  void send(TextMessage message) override { sent.push_back(std::move(message)); }
};

}  // namespace callpark
