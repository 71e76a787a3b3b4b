// A REFER from its arrival to its end: refused by its answer, or accepted by 202 and reported by NOTIFYs (RFC 3515).
#pragma once

#include <optional>
#include <string>

#include "parkd/leg/dialog_leg.h"

namespace callpark::leg {

/// Loop's thread only.
class ReferSubscription {
 public:
  ReferSubscription(UserAgent& agent, LegPtr leg, sip::ServerTransactionKey key, sip::SipMessage refer);

  const LegPtr& leg() const { return leg_; }
  /// 202 and NOTIFY 100; nothing if it is accepted.
  void accept();
  /// The last NOTIFY, or the refusal. To be called once.
  void conclude(int status, const std::string& reason);

 private:
  void notify(int status, const std::string& reason, const std::string& state);

  UserAgent& agent_;
  LegPtr leg_;
  sip::ServerTransactionKey key_;
  std::optional<sip::SipMessage> refer_;  // until it is answered
};

}  // namespace callpark::leg
