// The tables of call flows of the fake outside.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parkd/flow/lock_out.h"
#include "parkd/ports/flow_store.h"
#include "tests/unit/parkd/service/steps.h"

namespace callpark {

class FakeFlows final : public FlowStore {
 public:
  explicit FakeFlows(Steps& steps) : steps_(steps) {}

  std::optional<CallFlow> flow = CallFlow{"day-night", "1234", "", "", "en", false};  // with the code *30
  flow::Status status = flow::Status::kOn;
  int failures = 0;
  bool is_locked = false;
  bool is_away = false;
  std::vector<std::string> events;

  void find_flow(Extension extension, std::string code, Answer<std::optional<CallFlow>> answer) override {
    EXPECT_FALSE(extension.number.empty());
    EXPECT_EQ(code, "*30");
    steps_.add("flows", [this, answer = std::move(answer)] {
      if (is_away) return answer(failure(StoreUnavailable{}));
      std::optional<CallFlow> found = flow;
      if (found) found->is_locked = is_locked;
      answer(found);
    });
  }
  void count_try(FlowGuesser, Answer<FlowTry> answer) override {
    steps_.add("flows", [this, answer = std::move(answer)] {
      if (is_away) return answer(failure(StoreUnavailable{}));
      if (is_locked) return answer(FlowTry::kDenied);
      is_locked = ++failures % flow::kFailuresPerLock == 0;
      answer(is_locked ? FlowTry::kCountedLocks : FlowTry::kCounted);
    });
  }
  void forget_failures(FlowGuesser) override {
    failures = 0;
    is_locked = false;
  }
  void record(FlowGuesser guesser, std::vector<FlowIncident> incidents) override {
    static constexpr const char* kNames[] = {"wrong pin", "locked", "refused"};
    for (const FlowIncident incident : incidents) {
      events.push_back(kNames[static_cast<int>(incident)] + (" " + guesser.extension.number));
    }
  }
  void toggle(FlowGuesser by, std::string code, std::string pin, std::string operation_id,
              Answer<std::optional<flow::Status>> answer) override {
    EXPECT_FALSE(operation_id.empty());
    EXPECT_EQ(code, "*30");
    steps_.add("flows", [this, by = std::move(by), pin = std::move(pin), answer = std::move(answer)] {
      if (is_away) return answer(failure(StoreUnavailable{}));
      if (!flow || flow->pin != pin) return answer(std::nullopt);
      status = status == flow::Status::kOn ? flow::Status::kOff : flow::Status::kOn;
      events.push_back("toggled " + by.extension.number);
      answer(status);
    });
  }

 private:
  Steps& steps_;
};

}  // namespace callpark
