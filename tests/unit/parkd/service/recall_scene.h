// The scene of the tests of recalls: a parked call with a recall.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {

/// The defaults, except that the wait of the ring group differs from the ringing of the parker.
inline RecallSettings usual_recall() {
  RecallSettings recall;
  recall.mode = park::RecallMode::kParkerOnly;
  recall.alert_ring_group_wait_seconds = 20;
  recall.ring_group = "600";
  return recall;
}

struct RecallWorld : ParkWorld {
  RecallWorld() { store.recall = usual_recall(); }
  std::vector<std::string> called() const {
    std::vector<std::string> numbers;
    for (const OutgoingCall& target : phones.called) numbers.push_back(target.number);
    return numbers;
  }
  /// Lets the steps happen one by one until a target is being called.
  void step_until_called(std::size_t times) {
    while (phones.called.size() < times) ASSERT_TRUE(steps.next());
  }
  /// A recall's call, as the target's phone shows it.
  static const OutgoingCall::InNameOfCaller& in_name_of_caller(const OutgoingCall& call) {
    return std::get<OutgoingCall::InNameOfCaller>(call.from);
  }
  static std::string recalled_orbit(const OutgoingCall& call) {
    return in_name_of_caller(call).recall ? in_name_of_caller(call).recall->orbit : "";
  }
};

}  // namespace callpark
