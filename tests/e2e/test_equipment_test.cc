// The test equipment itself: a phone that cannot hear would make every other end-to-end test worthless.
#include <gtest/gtest.h>

#include <iostream>

#include "tests/support/baresip_phone.h"
#include "tests/support/linphone_phone.h"
#include "tests/support/packet_phone.h"
#include "tests/support/port_block.h"
#include "tests/support/sipp_trunk.h"
#include "tests/support/temp_dir.h"

namespace callpark::test {
namespace {

/// Two phones without a registrar: each has the other as its outbound proxy.
class TestEquipment : public testing::Test {
 protected:
  PhoneOptions options(const std::string& user, const LoopbackAddress& own, const LoopbackAddress& other, int party) {
    const auto folder = directory_.path() / user;
    std::filesystem::create_directory(folder);
    return PhoneOptions{.user = user,
                        .password = "none",
                        .registrar_address = other.text(),
                        .address = own.text(),
                        .tone = tone_hz(party),
                        .registers = false,
                        .directory = folder};
  }
  PhoneOptions john() { return options("john", john_address_, alice_address_, 1); }
  PhoneOptions alice() { return options("alice", alice_address_, john_address_, 2); }

  void talk_hold_and_end(Phone& caller, Phone& callee) {
    const CallName out = caller.dial("sip:" + callee.options().user + "@" + callee.options().address);
    const CallName in = callee.answer_next();
    ASSERT_TRUE(caller.reaches(out, CallPhase::kEstablished));
    EXPECT_TRUE(hear_each_other(caller, callee));
    callee.hold(in);
    EXPECT_TRUE(hears_nothing(callee));
    callee.resume(in);
    EXPECT_TRUE(hear_each_other(caller, callee));
    caller.hang_up(out);
    EXPECT_TRUE(callee.reaches(in, CallPhase::kClosed));
    EXPECT_TRUE(hears_nothing(caller));
  }

  const TempDir directory_{"equipment"};
  const LoopbackAddress john_address_;
  const LoopbackAddress alice_address_;
};

TEST_F(TestEquipment, TwoBaresipsHearEachOther) {
  BaresipPhone john_phone(john());
  BaresipPhone alice_phone(alice());
  talk_hold_and_end(john_phone, alice_phone);
}

TEST_F(TestEquipment, BaresipCallsLinphone) {
  BaresipPhone john_phone(john());
  LinphonePhone alice_phone(alice());
  talk_hold_and_end(john_phone, alice_phone);
}

TEST_F(TestEquipment, LinphoneCallsBaresip) {
  LinphonePhone john_phone(john());
  BaresipPhone alice_phone(alice());
  talk_hold_and_end(john_phone, alice_phone);
}

TEST_F(TestEquipment, TheTrunkCallsAPhone) {
  BaresipPhone john_phone(john());
  SippTrunk trunk({alice_address_.text(), 5060}, {john_address_.text(), 5060}, directory_.path() / "trunk");
  const auto client = trunk.call_in("john", tone_hz(5));
  const CallName call = john_phone.answer_next();
  ASSERT_TRUE(client->is_established());
  EXPECT_TRUE(hear_each_other(*client, john_phone));
  EXPECT_EQ(client->sound().report(std::chrono::milliseconds(100)).ssrcs.size(), 1U);
  john_phone.hold(call);
  EXPECT_TRUE(hears_nothing(john_phone));
  john_phone.resume(call);
  EXPECT_TRUE(hear_each_other(*client, john_phone));
  client->hold();
  EXPECT_TRUE(hears_nothing(*client));
  client->resume();
  EXPECT_TRUE(hear_each_other(*client, john_phone));
  john_phone.transfer(call, "sip:nobody@nowhere");
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(wait_until(kSoon, [&] { return john_phone.transfer_failure(call) == "501 Not Implemented"; }));
  EXPECT_FALSE(client->saw_only_ordinary_calls());
  if (HasFailure()) std::cerr << client->log();
}

TEST_F(TestEquipment, APhoneCallsTheTrunk) {
  BaresipPhone john_phone(john());
  SippTrunk trunk({alice_address_.text(), 5060}, {john_address_.text(), 5060}, directory_.path() / "trunk");
  const auto client = trunk.expect_call(tone_hz(5));
  const CallName call = john_phone.dial("sip:+4412345@" + alice_address_.text());
  ASSERT_TRUE(client->is_established());
  EXPECT_TRUE(hear_each_other(*client, john_phone));
  client->hang_up();
  EXPECT_TRUE(john_phone.reaches(call, CallPhase::kClosed));
  EXPECT_TRUE(client->is_closed());
  EXPECT_TRUE(client->saw_only_ordinary_calls());
  if (HasFailure()) std::cerr << client->log();
}

TEST_F(TestEquipment, X69_ThePacketPhoneOffersAgainAfterA491) {
  const LoopbackAddress bob_address;
  const Endpoint alice_at{alice_address_.text(), 5060};
  const Endpoint bob_at{bob_address.text(), 5060};
  PacketPhone alice(
      {.user = "alice", .password = "none", .address = alice_at.address, .proxy = bob_at, .tone = tone_hz(2)});
  PacketPhone bob({.user = "bob",
                   .password = "none",
                   .address = bob_at.address,
                   .proxy = alice_at,
                   .tone = tone_hz(3),
                   .auto_answer = true});
  const CallName out = alice.start_call("sip:bob@" + bob_at.address);
  const CallName in = bob.wait_incoming();
  ASSERT_EQ(alice.wait_invite_status(out), 200);
  for (auto [offering, asked, call] : {std::tuple(&alice, &bob, out), std::tuple(&bob, &alice, in)}) {
    asked->answer_reinvites_with({491, 491});
    EXPECT_EQ(offering->offer(call, "sendonly"), 200);
  }
  EXPECT_EQ(alice.hang_up(out), 200);
}

TEST_F(TestEquipment, ThePacketPhoneTalksToABaresip) {
  BaresipPhone john_phone(john());
  PacketPhone alice_phone({.user = "alice",
                           .password = "none",
                           .address = alice_address_.text(),
                           .proxy = {john_address_.text(), 5060},
                           .tone = tone_hz(2)});
  const CallName out = alice_phone.start_call("sip:john@" + john_address_.text());
  const CallName in = john_phone.answer_next();
  EXPECT_EQ(alice_phone.wait_invite_status(out), 200);
  EXPECT_TRUE(hear_each_other(alice_phone, john_phone));
  alice_phone.answer_reinvites_with({500});
  john_phone.hold(in);
  // The phone answers 491 until its own offer is through.
  EXPECT_TRUE(wait_until(kSoon, [&] { return alice_phone.offer(out, "sendrecv") == 200; }));
  EXPECT_EQ(alice_phone.hang_up(out), 200);
  EXPECT_TRUE(john_phone.reaches(in, CallPhase::kClosed));

  const CallName second = john_phone.dial("sip:alice@" + alice_address_.text());
  alice_phone.answer(alice_phone.wait_incoming());
  EXPECT_TRUE(john_phone.reaches(second, CallPhase::kEstablished));
  EXPECT_TRUE(hear_each_other(alice_phone, john_phone));
}

}  // namespace
}  // namespace callpark::test
