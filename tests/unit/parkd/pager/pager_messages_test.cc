#include "parkd/pager/pager_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "tests/unit/parkd/leg/scripted_kamailio.h"

namespace callpark {
namespace {

using std::chrono::seconds;

struct NoCalls final : sip::TransactionUser {
  void on_request(sip::ServerTransactionKey, const sip::SipMessage&, const sip::Endpoint&) override {}
  void on_ack(const sip::SipMessage&, const sip::Endpoint&) override {}
  void on_cancel(sip::ServerTransactionKey) override {}
  void on_server_transaction_failure(sip::ServerTransactionKey, sip::ServerFailure) override {}
  void on_stray_2xx(const sip::SipMessage&) override {}
};

class PagerMessagesTest : public testing::Test {
 protected:
  PagerMessagesTest() {
    kamailio.transactions().start(nobody);
    set_log_level(LogLevel::kOff);
  }
  ~PagerMessagesTest() override { set_log_level(LogLevel::kInfo); }

  void send(const std::string& text, const std::string& extension = "102") {
    pager.send({"demo.callpark", extension, "*88102", text});
  }
  sip::SipMessage take() { return kamailio.take_request("MESSAGE"); }
  double outcome(const std::string& word) {
    return metrics.counter("callpark_messages_total", "", {{"outcome", word}}).value();
  }

  test::VirtualTime time;
  EventLoop loop;
  NoCalls nobody;
  leg::ScriptedKamailio kamailio{loop};
  Metrics metrics;
  PagerMessages pager{kamailio.transactions(), leg::kInside, metrics};
};

TEST_F(PagerMessagesTest, N4_ATextIsOneMessageToTheExtensionInItsTenant) {
  send("Parked at 102: Жанна");
  const sip::SipMessage message = take();
  EXPECT_EQ(message.request_uri().to_string(), "sip:102@demo.callpark");
  EXPECT_EQ(message.header("X-Callpark-Tenant"), "demo.callpark");
  EXPECT_EQ(message.content_type(), "text/plain;charset=UTF-8");
  EXPECT_EQ(message.body(), "Parked at 102: Жанна");
  EXPECT_TRUE(std::string(*message.header("From")).starts_with("\"Call park\" <sip:*88102@demo.callpark>;tag="));
  EXPECT_EQ(message.header("To"), "<sip:102@demo.callpark>");
  EXPECT_EQ(message.header("Contact"), std::nullopt) << "RFC 3428 4";
  EXPECT_EQ(message.header("CSeq"), "1 MESSAGE");
  kamailio.answer(message, 200);
  test::pass(loop, Duration(20));
  EXPECT_EQ(outcome("delivered"), 1);
}

TEST_F(PagerMessagesTest, N4_TextsToOneExtensionGoOneAfterTheOtherAndToOthersAtOnce) {
  send("first");
  send("second");
  send("to another", "103");
  const sip::SipMessage first = take();
  EXPECT_EQ(first.body(), "first");
  EXPECT_EQ(take().body(), "to another");
  EXPECT_FALSE(kamailio.sends("MESSAGE", Duration(300))) << "RFC 3428 8: one at a time to one URI";
  kamailio.answer(first, 202);
  EXPECT_EQ(take().body(), "second");
}

TEST_F(PagerMessagesTest, N4_WhateverComesOfOneTheNextGoesOut) {
  send("refused");
  send("unheard");
  send("no phone");
  send("heard");
  kamailio.answer(take(), 488);
  take();
  test::pass(loop, seconds(33));
  EXPECT_EQ(outcome("failed"), 2);
  kamailio.answer(take(), 480);
  const sip::SipMessage last = take();
  EXPECT_EQ(last.body(), "heard");
  kamailio.answer(last, 200);
  test::pass(loop, Duration(20));
  EXPECT_EQ(outcome("no_phone"), 1);
  EXPECT_EQ(outcome("delivered"), 1);
  EXPECT_EQ(outcome("failed"), 2);
}

TEST_F(PagerMessagesTest, N4_AnExtensionWhosePhonesDoNotAnswerHoldsFewTexts) {
  send("under way");
  const sip::SipMessage first = take();
  for (int i = 0; i < 20; ++i) send(std::to_string(i));
  EXPECT_EQ(outcome("given_up"), 20 - static_cast<double>(PagerMessages::kWaitingMax));
  kamailio.answer(first, 200);
  EXPECT_EQ(take().body(), "4") << "the oldest were given up";
}

TEST_F(PagerMessagesTest, N4_WithoutKamailioTheTextsFailAndNothingElse) {
  kamailio.is_broken = true;
  send("one");
  send("two");
  test::pass(loop, seconds(40));
  EXPECT_EQ(outcome("failed"), 2);
}

}  // namespace
}  // namespace callpark
