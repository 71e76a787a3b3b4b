#include "parkd/presence/call_info_notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/parkd/presence/presence_world.h"

namespace callpark::presence {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// A phone of 101 that watches an extension.
struct Watcher {
  std::string call_id = "watch-1";
  std::string parkd_tag = {};
  std::uint32_t cseq = 0;

  sip::SipMessage subscribe_from(const std::string& contact) {
    sip::SipMessage request = subscribe("102", 3600);
    request.set_header("Contact", contact);
    return request;
  }
  sip::SipMessage subscribe(const std::string& extension, int expires) {
    static int branches = 0;
    sip::SipMessage request = sip::make_request("SUBSCRIBE", "sip:" + extension + "@demo.callpark");
    request.add_header("Via", "SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKs" + std::to_string(++branches));
    request.add_header("Record-Route", "<sip:127.0.0.1:5061;lr>");
    request.add_header("From", "<sip:101@demo.callpark>;tag=phone");
    request.add_header("To", "<sip:" + extension + "@demo.callpark>" + (parkd_tag.empty() ? "" : ";tag=" + parkd_tag));
    request.add_header("Call-ID", call_id);
    request.set_cseq(++cseq, "SUBSCRIBE");
    request.add_header("Contact", "<sip:101@127.0.0.11:5060>");
    request.add_header("Event", "call-info");
    request.add_header("Accept", std::string(kCallInfoType));
    request.add_header("Expires", std::to_string(expires));
    request.add_header("X-Callpark-Tenant", "demo.callpark");
    request.add_header("X-Callpark-User", "101");
    return request;
  }
};

class CallInfoNotifierTest : public testing::Test, public PresenceWorld {
 protected:
  struct User final : sip::TransactionUser {
    CallInfoNotifier* notifier = nullptr;
    void on_request(sip::ServerTransactionKey key, const sip::SipMessage& request, const sip::Endpoint&) override {
      ASSERT_TRUE(CallInfoNotifier::serves(request));
      notifier->on_subscribe(key, request);
    }
    void on_ack(const sip::SipMessage&, const sip::Endpoint&) override {}
    void on_cancel(sip::ServerTransactionKey) override {}
    void on_server_transaction_failure(sip::ServerTransactionKey, sip::ServerFailure) override {}
    void on_stray_2xx(const sip::SipMessage&) override {}
  };

  CallInfoNotifierTest() {
    user.notifier = &notifier;
    kamailio.transactions().start(user);
    notifier.start();
    pass(Duration(10));
  }

  /// The status of the answer; a 200 makes the watcher's dialog complete.
  int send(const sip::SipMessage& request) {
    const std::size_t before = kamailio.responses.size();
    kamailio.deliver(request);
    pass(Duration(50));
    if (kamailio.responses.size() == before) return 0;
    const sip::SipMessage& response = kamailio.responses.at(before);
    if (response.status() == 200) watcher.parkd_tag = std::string(response.to_tag());
    return response.status();
  }
  std::vector<sip::SipMessage> notifies() const { return kamailio.taken("NOTIFY"); }
  void put(const ShownCall& call) {
    store.calls.push_back(call);
    notifier.on_call_changed(change_of(call));
    pass(Duration(50));
  }
  void clear() {
    const CallChange change = change_of(store.calls.front());
    store.calls.clear();
    notifier.on_call_changed(change);
    pass(Duration(50));
  }

  User user;
  CallInfoNotifier notifier{way, store, metrics, {}};
  Watcher watcher;
};

TEST_F(CallInfoNotifierTest, N3_AWatcherIsToldAtOnceAndAtEveryChange) {
  ASSERT_EQ(send(watcher.subscribe("102", 3600)), 200);
  ASSERT_THAT(notifies(), SizeIs(1));
  const sip::SipMessage first = notifies().front();
  EXPECT_EQ(first.request_uri_text(), "sip:101@127.0.0.11:5060");
  EXPECT_EQ(first.event(), "call-info");
  EXPECT_THAT(std::string(first.subscription_state()), HasSubstr("active;expires="));
  EXPECT_TRUE(first.has_content_type(kCallInfoType));
  EXPECT_EQ(first.header("Route"), "<sip:127.0.0.1:5061;lr>");
  EXPECT_EQ(first.from_tag(), watcher.parkd_tag);
  EXPECT_EQ(first.to_tag(), "phone");
  EXPECT_THAT(std::string(first.body()), HasSubstr("<callpark/>"));
  put(waiting_call("p", "102"));
  ASSERT_THAT(notifies(), SizeIs(2));
  EXPECT_THAT(std::string(notifies().back().body()),
              HasSubstr("<callpark><parked><identity display=\"Client\">sip:+4930123@demo.callpark;user=phone<"));
  clear();
  ASSERT_THAT(notifies(), SizeIs(3));
  EXPECT_THAT(std::string(notifies().back().body()), HasSubstr("<callpark/>"));
  EXPECT_EQ(notifies().back().cseq().number, first.cseq().number + 2);
}

TEST_F(CallInfoNotifierTest, N3_ACallAtAnotherExtensionIsNotTold) {
  send(watcher.subscribe("102", 3600));
  put(waiting_call("p", "103"));
  EXPECT_THAT(notifies(), SizeIs(1));
}

TEST_F(CallInfoNotifierTest, N3_ARefreshIsAnsweredAndTold) {
  send(watcher.subscribe("102", 3600));
  EXPECT_EQ(send(watcher.subscribe("102", 1800)), 200);
  EXPECT_THAT(notifies(), SizeIs(2));
  EXPECT_EQ(notifier.subscriptions(), 1U);
  EXPECT_THAT(std::string(notifies().back().subscription_state()), HasSubstr("active;expires=1"));
}

TEST_F(CallInfoNotifierTest, X30_ADeviceThatStartsAnewReplacesItsSubscription) {
  for (int i = 0; i < 50; ++i) {
    watcher = Watcher{.call_id = "watch-" + std::to_string(i)};
    EXPECT_EQ(send(watcher.subscribe("102", 3600)), 200);
  }
  EXPECT_EQ(notifier.subscriptions(), 1U);
  EXPECT_THAT(store.subscriptions, SizeIs(1));
}

TEST_F(CallInfoNotifierTest, X30_OfTooManyDevicesTheOldestMakesRoom) {
  for (int i = 0; i < 25; ++i) {
    watcher = Watcher{.call_id = "watch-" + std::to_string(i)};
    EXPECT_EQ(send(watcher.subscribe_from("<sip:101@127.0.0.11:" + std::to_string(6000 + i) + ">")), 200);
  }
  EXPECT_EQ(notifier.subscriptions(), 10U);
  EXPECT_EQ(send(watcher.subscribe("102", 600)), 200) << "the last one is there";
}

TEST_F(CallInfoNotifierTest, N3_AWatcherWhoUnsubscribesIsToldTheEndAndForgotten) {
  send(watcher.subscribe("102", 3600));
  EXPECT_EQ(send(watcher.subscribe("102", 0)), 200);
  EXPECT_EQ(notifies().back().subscription_state(), "terminated;reason=timeout");
  EXPECT_EQ(notifier.subscriptions(), 0U);
  EXPECT_THAT(store.subscriptions, IsEmpty());
  EXPECT_EQ(send(watcher.subscribe("102", 3600)), 481);
}

TEST_F(CallInfoNotifierTest, N3_AWatcherWhoDoesNotRefreshEnds) {
  send(watcher.subscribe("102", 60));
  pass(seconds(59));
  EXPECT_EQ(notifier.subscriptions(), 1U);
  pass(seconds(2));
  EXPECT_EQ(notifies().back().subscription_state(), "terminated;reason=timeout");
  EXPECT_EQ(notifier.subscriptions(), 0U);
}

TEST_F(CallInfoNotifierTest, N3_WhoOnlyAsksIsToldOnce) {
  EXPECT_EQ(send(watcher.subscribe("102", 0)), 200);
  ASSERT_THAT(notifies(), SizeIs(1));
  EXPECT_EQ(notifies().front().subscription_state(), "terminated;reason=timeout");
  EXPECT_THAT(std::string(notifies().front().body()), HasSubstr("<callpark/>"));
  EXPECT_EQ(notifier.subscriptions(), 0U);
  EXPECT_THAT(store.subscriptions, IsEmpty());
}

TEST_F(CallInfoNotifierTest, N7_WhoHasNotBeenAuthenticatedIsRefused) {
  sip::SipMessage request = watcher.subscribe("102", 3600);
  request.remove_header("X-Callpark-User");
  EXPECT_EQ(send(request), 403);
  EXPECT_THAT(notifies(), IsEmpty());
}

TEST_F(CallInfoNotifierTest, X33_ARefreshByAnotherExtensionThanTheWatcherIsRefused) {
  send(watcher.subscribe("102", 3600));
  for (const auto& [tenant, number] : {std::pair("demo.callpark", "103"), std::pair("other.callpark", "101")}) {
    sip::SipMessage request = watcher.subscribe("102", 0);
    request.set_header("X-Callpark-Tenant", tenant);
    request.set_header("X-Callpark-User", number);
    EXPECT_EQ(send(request), 403) << number << " of " << tenant;
  }
  EXPECT_EQ(notifier.subscriptions(), 1U);
  EXPECT_EQ(send(watcher.subscribe("102", 3600)), 200);
}

TEST_F(CallInfoNotifierTest, N3_WhatCannotBeWatchedIsRefused) {
  EXPECT_EQ(send(watcher.subscribe("999", 3600)), 404);
  sip::SipMessage other = watcher.subscribe("102", 3600);
  other.set_header("Accept", "application/pidf+xml");
  EXPECT_EQ(send(other), 406);
  store.is_away = true;
  EXPECT_EQ(send(watcher.subscribe("102", 3600)), 500);
  EXPECT_EQ(kamailio.responses.back().header("Retry-After"), "1");
}

TEST_F(CallInfoNotifierTest, N3_APhoneThatKnowsNothingOfItIsForgotten) {
  send(watcher.subscribe("102", 3600));
  kamailio.phones_answer = 481;
  put(waiting_call("p", "102"));
  EXPECT_EQ(notifier.subscriptions(), 0U);
  EXPECT_THAT(store.subscriptions, IsEmpty());
}

TEST_F(CallInfoNotifierTest, N5_APhoneThatWasSilentForAWhileSeesTheTrueState) {
  send(watcher.subscribe("102", 3600));
  kamailio.phones_answer = 0;
  put(waiting_call("p", "102"));
  pass(seconds(40));
  kamailio.phones_answer = 200;
  pass(seconds(5));
  EXPECT_EQ(notifier.subscriptions(), 1U);
  EXPECT_THAT(std::string(notifies().back().body()), HasSubstr("<parked>"));
  clear();
  EXPECT_THAT(std::string(notifies().back().body()), HasSubstr("<callpark/>"));
}

TEST_F(CallInfoNotifierTest, N3_OneNotifyIsUnderWayAndWhatChangesMeanwhileIsToldOnce) {
  send(watcher.subscribe("102", 3600));
  kamailio.delay = Duration(400);
  for (int round = 0; round < 3; ++round) {
    put(waiting_call("p", "102"));
    clear();
  }
  EXPECT_THAT(notifies(), SizeIs(2));
  pass(seconds(2));
  EXPECT_THAT(std::string(notifies().back().body()), HasSubstr("<callpark/>"));
  EXPECT_THAT(notifies(), SizeIs(3));
}

TEST_F(CallInfoNotifierTest, N5_TheNextParkdGoesOnWithHigherCSeqAndTellsWhatIsSo) {
  send(watcher.subscribe("102", 3600));
  put(waiting_call("p", "102"));
  const std::uint32_t last = notifies().back().cseq().number;
  store.calls.clear();
  CallInfoNotifier next(way, store, metrics, {});
  user.notifier = &next;
  next.start();
  pass(Duration(100));
  const sip::SipMessage notify = notifies().back();
  EXPECT_GT(notify.cseq().number, last);
  EXPECT_EQ(notify.call_id(), "watch-1");
  EXPECT_THAT(std::string(notify.body()), HasSubstr("<callpark/>"));
  EXPECT_EQ(send(watcher.subscribe("102", 3600)), 200);
  EXPECT_EQ(next.subscriptions(), 1U);
}

TEST_F(CallInfoNotifierTest, N5_CSeqsStayBelowWhatTheRowSaysHoweverManyThereAre) {
  send(watcher.subscribe("102", 3600));
  for (int round = 0; round < 700; ++round) {
    put(waiting_call("p", "102"));
    clear();
    ASSERT_LE(notifies().size(), store.subscriptions.begin()->second.dialog.local_cseq);
  }
}

TEST_F(CallInfoNotifierTest, N5_AChangeThatNobodyToldIsSeenWithinSeconds) {
  send(watcher.subscribe("102", 3600));
  store.calls.push_back(waiting_call("p", "102"));
  pass(seconds(6));
  EXPECT_THAT(std::string(notifies().back().body()), HasSubstr("<parked>"));
  pass(seconds(60));
  EXPECT_THAT(notifies(), SizeIs(2)) << "what has not changed is not notified";
}

TEST_F(CallInfoNotifierTest, N3_AnExtensionThatIsDeletedEndsTheSubscription) {
  send(watcher.subscribe("102", 3600));
  store.extensions = {"101"};
  pass(seconds(6));
  EXPECT_EQ(notifies().back().subscription_state(), "terminated;reason=noresource");
  EXPECT_EQ(notifier.subscriptions(), 0U);
}

TEST_F(CallInfoNotifierTest, N3_BeforeTheOldSubscriptionsAreReadNewOnesWait) {
  CallInfoNotifier next(way, store, metrics, {});
  user.notifier = &next;
  EXPECT_EQ(send(watcher.subscribe("102", 3600)), 500);
}

}  // namespace
}  // namespace callpark::presence
