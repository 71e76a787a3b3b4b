#include "parkd/flow/decide.h"

#include <gtest/gtest.h>

#include <string>

#include "parkd/flow/names.h"

namespace callpark::flow {
namespace {

/// A machine, and what it has emitted last.
class Call {
 public:
  Call() { follow(begin()); }

  void feed(const Event& event) { follow(decide(state_, event)); }
  template <class P>
  const P& phase() const {
    return std::get<P>(state_.phase);
  }
  std::string name() const { return std::string(name_of(state_.phase)); }
  template <class A>
  const A* emitted() const {
    for (const Action& action : actions_) {
      if (const A* one = std::get_if<A>(&action)) return one;
    }
    return nullptr;
  }
  bool starts(Timer timer) const {
    for (const Action& action : actions_) {
      const auto* start = std::get_if<StartTimer>(&action);
      if (start && start->timer == timer) return true;
    }
    return false;
  }
  std::optional<Prompt> prompt() const {
    const Play* play = emitted<Play>();
    return play ? std::optional(play->prompt) : std::nullopt;
  }

  void answer(const Facts& facts) {
    feed(FlowFound{phase<LookingUp>().look_up, facts});
    feed(CallAnswered{phase<Answering>().answer});
  }
  void enter(const std::string& keys) {
    for (const char key : keys) feed(KeyPressed{key});
  }
  std::string count(bool locks = false) {
    feed(TryCounted{phase<Counting>().count, locks});
    return std::string(emitted<CheckPin>()->entry.keys());
  }
  void be_wrong() { feed(PinWrong{phase<Checking>().check}); }
  void be_right() { feed(PinRight{phase<Checking>().check}); }
  const State& state() const { return state_; }

 private:
  void follow(Decision decision) {
    state_ = decision.next;
    actions_ = std::move(decision.actions);
  }
  State state_;
  std::vector<Action> actions_;
};

constexpr Facts kPlain{true, 4, false};
constexpr Facts kHashed{true, 0, false};

TEST(FlowDecide, F3_TheFirstKeyStopsThePrompt) {
  Call call;
  call.answer(kPlain);
  EXPECT_EQ(call.prompt(), Prompt::kEnterPin);
  call.enter("1");
  EXPECT_TRUE(call.emitted<StopPrompt>());
  EXPECT_TRUE(call.starts(Timer::kNextKey));
}

TEST(FlowDecide, F3_TheFullLengthOfAPlainPinEndsTheEntry) {
  Call call;
  call.answer(kPlain);
  call.enter("123");
  EXPECT_EQ(call.name(), "Collecting");
  call.enter("4");
  EXPECT_EQ(call.count(), "1234");
  EXPECT_TRUE(call.state().entry.empty()) << "it is wiped";
  call.be_right();
  EXPECT_TRUE(call.emitted<ForgetFailures>());
  EXPECT_TRUE(call.emitted<Toggle>());
  call.feed(Toggled{call.phase<Toggling>().toggle, Status::kOff});
  EXPECT_EQ(call.prompt(), Prompt::kModeOff);
  call.feed(PromptPlayed{call.phase<Parting>().play});
  EXPECT_TRUE(call.emitted<HangUp>());
  EXPECT_TRUE(call.emitted<CloseMedia>());
}

TEST(FlowDecide, F3_HashEndsAndStarClearsAnEntry) {
  Call call;
  call.answer(kHashed);
  call.enter("99*1234#");
  EXPECT_EQ(call.count(), "1234");
  Call short_one;
  short_one.answer(kPlain);
  short_one.enter("#12#");
  EXPECT_EQ(short_one.count(), "12") << "a hash without digits ends nothing";
}

TEST(FlowDecide, F3_ASilenceEndsAnEntry) {
  Call call;
  call.answer(kHashed);
  call.enter("12");
  call.feed(TimerFired{Timer::kNextKey});
  EXPECT_EQ(call.count(), "12");
}

TEST(FlowDecide, F3_AnEntryOfMoreThanSixteenDigitsIsCompared) {
  Call call;
  call.answer(kHashed);
  call.enter("12345678901234567#");
  call.feed(TryCounted{call.phase<Counting>().count, false});
  EXPECT_TRUE(call.emitted<CheckPin>()->entry.is_too_long());
}

TEST(FlowDecide, F3_TwoSilencesInARowEndTheCall) {
  Call call;
  call.answer(kPlain);
  call.feed(PromptPlayed{call.phase<Asking>().play});
  call.feed(TimerFired{Timer::kFirstKey});
  EXPECT_EQ(call.prompt(), Prompt::kEnterPin);
  call.feed(PromptPlayed{call.phase<Asking>().play});
  call.enter("1*");
  call.feed(TimerFired{Timer::kFirstKey});
  EXPECT_EQ(call.prompt(), Prompt::kEnterPin) << "a key was pressed between the two";
  call.feed(PromptPlayed{call.phase<Asking>().play});
  call.feed(TimerFired{Timer::kFirstKey});
  EXPECT_TRUE(call.emitted<HangUp>());
}

TEST(FlowDecide, F3_AWrongPinIsRecordedAndAskedForAgain) {
  Call call;
  call.answer(kPlain);
  for (const bool locks : {false, false, true}) {
    call.enter("4321");
    call.count(locks);
    call.be_wrong();
    ASSERT_TRUE(call.emitted<RecordWrongPin>());
    EXPECT_EQ(call.emitted<RecordWrongPin>()->locks, locks);
    EXPECT_EQ(call.prompt(), locks ? Prompt::kLocked : Prompt::kWrongPin);
  }
  EXPECT_EQ(call.name(), "Parting");
}

TEST(FlowDecide, F3_TheThirdWrongPinEndsTheCallThoughTheLockWasEnded) {
  Call call;
  call.answer(kPlain);
  for (int i = 0; i < 3; ++i) {
    call.enter("4321");
    call.count();
    call.be_wrong();
  }
  EXPECT_EQ(call.prompt(), Prompt::kWrongPin);
  EXPECT_EQ(call.name(), "Parting");
}

TEST(FlowDecide, F3_NoPinOfALockedExtensionIsCompared) {
  Call call;
  call.answer({true, 4, true});
  EXPECT_EQ(call.prompt(), Prompt::kLocked);
  EXPECT_TRUE(call.emitted<RecordLocked>());
  Call locked_meanwhile;
  locked_meanwhile.answer(kPlain);
  locked_meanwhile.enter("1234");
  locked_meanwhile.feed(TryDenied{locked_meanwhile.phase<Counting>().count});
  EXPECT_EQ(locked_meanwhile.prompt(), Prompt::kLocked);
  EXPECT_TRUE(locked_meanwhile.state().entry.empty());
}

TEST(FlowDecide, F3_WithoutAPinTheFlowIsToggledOnceItIsAnswered) {
  Call call;
  call.feed(FlowFound{call.phase<LookingUp>().look_up, {}});
  EXPECT_FALSE(call.emitted<Toggle>());
  call.feed(CallAnswered{call.phase<Answering>().answer});
  EXPECT_TRUE(call.emitted<Toggle>());
}

TEST(FlowDecide, F3_WhatCannotBeAnsweredIsRefused) {
  const auto reason_of = [](const Call& call) { return call.emitted<Refuse>()->reason; };
  Call missing;
  missing.feed(FlowMissing{missing.phase<LookingUp>().look_up});
  EXPECT_EQ(reason_of(missing), RefusalReason::kNotFound);
  Call away;
  away.feed(StoreFailed{away.phase<LookingUp>().look_up});
  EXPECT_EQ(reason_of(away), RefusalReason::kUnavailable);
  for (const bool is_locked : {false, true}) {
    Call call;
    call.feed(FlowFound{call.phase<LookingUp>().look_up, {true, 4, is_locked}});
    call.feed(MediaFailed{call.phase<Answering>().answer, RefusalReason::kNoMedia});
    EXPECT_EQ(reason_of(call), is_locked ? RefusalReason::kLocked : RefusalReason::kNoMedia);
    EXPECT_TRUE(call.emitted<CloseMedia>());
  }
}

TEST(FlowDecide, F3_ACallIsOverWhenItsTimeIs) {
  Call call;
  call.answer(kPlain);
  call.enter("1");
  call.feed(TimerFired{Timer::kCall});
  EXPECT_TRUE(call.emitted<HangUp>());
  EXPECT_EQ(call.name(), "Ended");
  EXPECT_TRUE(call.state().entry.empty());
}

}  // namespace
}  // namespace callpark::flow
