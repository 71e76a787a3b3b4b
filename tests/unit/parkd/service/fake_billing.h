// The billing system of the fake outside: it keeps each question until the test answers it, or decides by itself.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "parkd/ports/billing.h"
#include "tests/unit/parkd/service/steps.h"

namespace callpark {

class FakeBilling final : public Billing {
 public:
  explicit FakeBilling(Steps& steps) : steps_(steps) {}

  struct Asked {
    BillingQuestion question;
    Answer answer;
  };
  std::map<BillingQuestionId, Asked> open;
  /// If set, each question is answered so, as a step.
  std::function<BillingVerdict()> decides;
  int asked = 0;
  int withdrawn = 0;

  BillingQuestionId ask(BillingQuestion question, Answer to) override {
    const BillingQuestionId id{static_cast<std::uint64_t>(++asked)};
    open.emplace(id, Asked{std::move(question), std::move(to)});
    if (decides) steps_.add("billing " + std::to_string(asked), [this, id] { answer(id, decides()); });
    return id;
  }
  void withdraw(BillingQuestionId question) override { withdrawn += static_cast<int>(open.erase(question)); }

  /// The only one that is open.
  const BillingQuestion& question() const { return open.begin()->second.question; }
  void answer(BillingVerdict verdict) {
    ASSERT_EQ(open.size(), 1U);
    answer(open.begin()->first, std::move(verdict));
  }

 private:
  // A question that was withdrawn is not answered.
  void answer(BillingQuestionId id, BillingVerdict verdict) {
    const auto answered = open.extract(id);
    if (!answered.empty()) answered.mapped().answer(std::move(verdict));
  }

  Steps& steps_;
};

}  // namespace callpark
