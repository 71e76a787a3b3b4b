// Asks a talking party now and then whether it is still there: two phones that vanish without a BYE would leave their
// call, and its row, for ever. A dialog with a session timer (RFC 4028) needs no such questions.
#pragma once

#include <functional>
#include <optional>

#include "parkd/leg/dialog_leg.h"

namespace callpark::leg {

/// Loop's thread only.
class PartyWatch {
 public:
  /// `on_gone` is called at most once, when the party has been unreachable for long; it may destroy this.
  PartyWatch(UserAgent& agent, LegPtr leg, std::function<void()> on_gone);
  PartyWatch(const PartyWatch&) = delete;
  PartyWatch& operator=(const PartyWatch&) = delete;

 private:
  void ask_after(Duration delay);
  void ask();
  void on_answer(int status);

  UserAgent& agent_;
  LegPtr leg_;
  std::function<void()> on_gone_;
  std::optional<MonotonicTime> unreachable_since_;
  LoopHandle timer_;
  /// Answers of requests that outlive this are ignored.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace callpark::leg
