#include "tests/support/scenes.h"

#include <stdexcept>

namespace callpark::test {

void require(const std::string& step, const testing::AssertionResult& outcome) {
  if (!outcome) throw std::runtime_error(step + ": " + outcome.message());
}

static testing::AssertionResult has_status(int status, int wanted) {
  if (status == wanted) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "the status is " << status << ", not " << wanted;
}

CallName talk(Phone& phone, SippCall& client) {
  const std::string step = "talk(" + phone.name() + ", " + client.name() + ")";
  CallName call = phone.answer_next();
  require(step, client.is_established());
  require(step, hear_each_other(phone, client));
  return call;
}

CallName talk(PacketPhone& phone, SippCall& client) {
  const std::string step = "talk(" + phone.name() + ", " + client.name() + ")";
  CallName call = phone.wait_incoming();
  require(step, client.is_established());
  require(step, hear_each_other(phone, client));
  return call;
}

Ends talk(Phone& caller, Phone& callee) {
  const std::string step = "talk(" + caller.name() + ", " + callee.name() + ")";
  Ends ends;
  ends.caller = caller.dial(callee.options().user);
  ends.callee = callee.answer_next();
  require(step, caller.reaches(ends.caller, CallPhase::kEstablished));
  require(step, hear_each_other(caller, callee));
  return ends;
}

Ends talk(PacketPhone& caller, PacketPhone& callee, const std::string& number) {
  const std::string step = "talk(" + caller.name() + ", " + callee.name() + ", " + number + ")";
  Ends ends;
  ends.caller = caller.start_call(number);
  ends.callee = callee.wait_incoming();
  require(step, has_status(caller.wait_invite_status(ends.caller), 200));
  require(step, hear_each_other(caller, callee));
  return ends;
}

CallName call_out(Phone& phone, SippCall& client) {
  const std::string step = "call_out(" + phone.name() + ")";
  CallName call = phone.dial_until_answered("+442079460018");
  require(step, client.is_established());
  require(step, hear_each_other(phone, client));
  return call;
}

void hold(Phone& phone, const CallName& call, const Listener& silent) {
  phone.hold(call);
  require("hold(" + phone.name() + ")", hears_nothing(silent));
}

void hold(PacketPhone& phone, const CallName& call) {
  require("hold(" + phone.name() + ")", has_status(phone.offer(call, "sendonly"), 200));
}

CallName retrieve(Phone& phone, const std::string& number, const Listener& caller) {
  CallName call = phone.dial_until_answered(number);
  require("retrieve(" + phone.name() + ", " + number + ")", hear_each_other(phone, caller));
  return call;
}

CallName retrieve(PacketPhone& phone, const std::string& number, const Listener& caller) {
  CallName call = phone.call(number);
  require("retrieve(" + phone.name() + ", " + number + ")", hear_each_other(phone, caller));
  return call;
}

}  // namespace callpark::test
