// The steps that many end-to-end tests begin with. Each returns when its outcome is heard, and throws
// std::runtime_error with the name of the step and what is wrong otherwise: the test ends there, and has failed.
#pragma once

#include <string>

#include "tests/support/packet_phone.h"
#include "tests/support/phone.h"
#include "tests/support/sipp_trunk.h"

namespace callpark::test {

/// Throws std::runtime_error that begins with `step` if `outcome` is a failure.
void require(const std::string& step, const testing::AssertionResult& outcome);

/// The name of one call at each of its phones.
struct Ends {
  CallName caller;
  CallName callee;
};

/// `phone` answers the call of `client`, and the two hear each other. Returns the call at `phone`.
CallName talk(Phone& phone, SippCall& client);
/// The same with a phone that answers by itself.
CallName talk(PacketPhone& phone, SippCall& client);
/// `caller` calls the extension of `callee`, which answers; the two hear each other.
Ends talk(Phone& caller, Phone& callee);
/// `caller` calls `number`, `callee` answers by itself, and the two hear each other.
Ends talk(PacketPhone& caller, PacketPhone& callee, const std::string& number);
/// `phone` calls a number of the telephone network, `client` answers, and the two hear each other.
CallName call_out(Phone& phone, SippCall& client);

/// `phone` puts `call` on hold; then `silent`, one of the two parties, hears nothing.
void hold(Phone& phone, const CallName& call, const Listener& silent);
/// `phone` puts `call` on hold, and the offer is answered with 200.
void hold(PacketPhone& phone, const CallName& call);

/// `phone` dials `number`, and hears the parked caller, which hears `phone`. Returns the call at `phone`.
CallName retrieve(Phone& phone, const std::string& number, const Listener& caller);
CallName retrieve(PacketPhone& phone, const std::string& number, const Listener& caller);

}  // namespace callpark::test
