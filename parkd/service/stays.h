// The stays of a call: the present one, and while the call is being parked again the proposed one.
#pragma once

#include <optional>

#include "parkd/call/stay.h"
#include "parkd/park/decide.h"
#include "parkd/service/park_terms.h"

namespace callpark {

/// A stay and the terms of its park. The terms do not survive parkd.
struct GrantedStay {
  Stay stay;
  ParkTerms terms;
};

class Stays {
 public:
  explicit Stays(GrantedStay first) : present_(std::move(first)) {}

  /// A re-park is under way: rows and music are those of the proposed stay from here on.
  void propose(GrantedStay stay) { proposed_ = std::move(stay); }
  /// Moves the proposal as the actions of a decision require; all other actions are ignored.
  void settle(const std::vector<park::Action>& actions);

  const GrantedStay& now() const { return proposed_ ? *proposed_ : present_; }
  GrantedStay& now() { return proposed_ ? *proposed_ : present_; }

 private:
  GrantedStay present_;
  std::optional<GrantedStay> proposed_;
};

}  // namespace callpark
