// Lamps through the real Kamailio: which watchers and publishers are accepted, that every watcher sees the true state
// and no older one after it, over loss and restarts, and what the lamps of extensions show of ordinary calls.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "tests/component/kamailio_site.h"
#include "tests/component/lamp_publisher.h"
#include "tests/support/lamp_watcher.h"

namespace callpark::test {
namespace {

using testing::Test;

/// Kamailio, with watchers and a publisher in the place of parkd.
class KamailioPresence : public Test {
 protected:
  // Shared memory as README.md has it: each NOTIFY is a transaction, which stays for some seconds.
  explicit KamailioPresence(std::vector<std::string> defines = {"#!define WITHOUT_FLOOD_CONTROL"})
      : site(std::move(defines), 256) {}

  std::unique_ptr<LampWatcher> watcher(const std::string& lamp, LampWatcher::Options options = {}) {
    addresses_.emplace_back();
    if (options.user.empty()) options.user = "101";
    options.password = options.domain.substr(0, options.domain.find('.')) + "-" + options.user;
    options.lamp = lamp;
    options.address = addresses_.back().text();
    options.proxy = site.outside();
    return std::make_unique<LampWatcher>(options);
  }
  /// The same, with its subscription.
  std::unique_ptr<LampWatcher> watching(const std::string& lamp, LampWatcher::Options options = {}) {
    auto made = watcher(lamp, std::move(options));
    EXPECT_EQ(made->subscribe(), 200);
    EXPECT_TRUE(made->wait_state("terminated")) << "the first NOTIFY shows one dialog, which is idle";
    return made;
  }
  static void expect_no_complaints(const LampWatcher& watcher) {
    for (const auto& complaint : watcher.complaints()) ADD_FAILURE() << complaint;
  }

  void TearDown() override {
    if (HasFailure()) std::cout << site.kamailio->log() << "\n";
  }

  KamailioSite site;
  LampPublisher parkd{site.seat->own(), site.inside()};

 private:
  std::vector<LoopbackAddress> addresses_;
};

TEST_F(KamailioPresence, N1_AWatcherSeesTheLampGoOnAndOff) {
  const auto lamp = watching("*88102");
  EXPECT_EQ(parkd.publish("*88102", "early").status, 200);
  EXPECT_TRUE(lamp->wait_state("early"));
  EXPECT_EQ(parkd.publish("*88102", "confirmed").status, 200);
  EXPECT_TRUE(lamp->wait_state("confirmed"));
  EXPECT_EQ(parkd.publish("*88102", "terminated").status, 200);
  EXPECT_TRUE(lamp->wait_state("terminated"));
  EXPECT_EQ(parkd.publish("*88102", "early").status, 200) << "lit again, after it was off";
  EXPECT_TRUE(lamp->wait_state("early"));
  EXPECT_NE(lamp->now().body.find("display=\"J&#xFC;rgen &quot;JJ&quot; &lt;x&gt;\""), std::string::npos)
      << lamp->now().body;
  expect_no_complaints(*lamp);
}

// ----- watchers

TEST_F(KamailioPresence, N1_AnOrbitIsWatchedAsItIsDialled) {
  for (const std::string lamp : {"*88102", "*71102", "*71*7250", "7001", "*717001", "102"}) {
    const auto watcher = watching(lamp);
    expect_no_complaints(*watcher);
    EXPECT_EQ(watcher->now().subscription_state.substr(0, 14), "active;expires");
  }
}

TEST_F(KamailioPresence, N7_WhatIsNoLampOfTheTenantCannotBeWatched) {
  for (const std::string lamp : {"*70102", "*88", "*88999", "999", "7000", "7011", "601", "+4420"}) {
    EXPECT_EQ(watcher(lamp)->subscribe(), 404) << lamp;
  }
}

TEST_F(KamailioPresence, N7_OnlyPhonesOfTheTenantMayWatch) {
  EXPECT_EQ(watcher("sip:*88102@demo.callpark", {.user = "101", .domain = "other.callpark"})->subscribe(), 403);
  EXPECT_EQ(watcher("sip:102@other.callpark")->subscribe(), 403);
  EXPECT_EQ(watcher("sip:102@nowhere.invalid")->subscribe(), 403);
  EXPECT_EQ(watcher("*88102", {.user = "101", .domain = "nowhere.invalid"})->subscribe(), 403);
  EXPECT_EQ(watcher("*88102", {.user = "199"})->subscribe(), 401) << "challenged until it gives up";
  const auto stranger = watcher("*88102");
  const std::string first = stranger->compose_subscribe(600);
  stranger->send_raw(first);
  EXPECT_EQ(stranger->wait_response(stranger->call_id(), 1), 407);
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM active_watchers"), "0");
}

TEST_F(KamailioPresence, N7_TheTrunkMayNotWatch) {
  LampWatcher trunk({.user = "101",
                     .password = "demo-101",
                     .lamp = "*88102",
                     .address = site.trunk_address.text(),
                     .proxy = site.outside()});
  EXPECT_EQ(trunk.subscribe(), 403);
}

TEST_F(KamailioPresence, N7_AnotherEventIsRefusedWithTheOnesThereAre) {
  const auto presence = watcher("102", {.event = "presence"});
  EXPECT_EQ(presence->subscribe(), 489);
  EXPECT_EQ(presence->last_response().header("Allow-Events"), "dialog, call-info, refer");
}

// ----- the subscription

class KamailioPresenceOver : public KamailioPresence, public testing::WithParamInterface<bool> {};

TEST_P(KamailioPresenceOver, N1_ASubscriptionIsRenewedAndEnded) {
  const auto lamp = watching("*88102", {.over_tcp = GetParam()});
  EXPECT_EQ(parkd.publish("*88102", "early").status, 200);
  ASSERT_TRUE(lamp->wait_state("early"));
  const auto before = lamp->now();
  EXPECT_EQ(lamp->refresh(), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return lamp->now().cseq > before.cseq; }))
      << "each SUBSCRIBE is followed by a NOTIFY";
  EXPECT_EQ(lamp->state(), "early");
  EXPECT_EQ(lamp->unsubscribe(), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return lamp->now().subscription_state.starts_with("terminated"); }));
  EXPECT_EQ(lamp->refresh(), 481);
  const auto after = lamp->history().size();
  EXPECT_EQ(parkd.publish("*88102", "terminated").status, 200);
  EXPECT_TRUE(holds_for(300ms, [&] { return lamp->history().size() == after; }));
  expect_no_complaints(*lamp);
}

INSTANTIATE_TEST_SUITE_P(Transport, KamailioPresenceOver, testing::Bool(),
                         [](const auto& test) { return test.param ? "Tcp" : "Udp"; });

/// The Event of every NOTIFY that the watcher got.
std::set<std::string> events_of(const LampWatcher& lamp) {
  std::set<std::string> events;
  for (const auto& notify : lamp.history()) events.insert(notify.event);
  return events;
}

TEST_F(KamailioPresence, X21_TheIdOfASubscriptionIsInEachNotify) {
  for (const bool over_tcp : {false, true}) {
    const auto lamp = watching("*88102", {.over_tcp = over_tcp, .event_parameters = ";id=7"});
    EXPECT_EQ(parkd.publish("*88102", "early").status, 200);
    ASSERT_TRUE(lamp->wait_state("early"));
    EXPECT_EQ(lamp->refresh(), 200);
    EXPECT_EQ(parkd.publish("*88102", "terminated").status, 200);
    ASSERT_TRUE(lamp->wait_state("terminated"));
    EXPECT_EQ(lamp->unsubscribe(), 200);
    EXPECT_TRUE(wait_until(kSoon, [&] { return lamp->now().subscription_state.starts_with("terminated"); }));
    EXPECT_EQ(events_of(*lamp), std::set<std::string>{"dialog;id=7"});
    for (const auto& notify : lamp->history()) EXPECT_EQ(notify.request_uri.find("event"), std::string::npos);
    expect_no_complaints(*lamp);
  }
}

TEST_F(KamailioPresence, X21_OtherParametersOfTheEventAreNoReasonToRefuse) {
  for (const std::string parameters : {";include-session-description", ";call-id=\"a@b\";to-tag=\"1\";from-tag=\"2\"",
                                       ";call-id=abc", " ; id=x.1 ;include-session-description"}) {
    const auto lamp = watcher("*88102", {.event_parameters = parameters});
    EXPECT_EQ(lamp->subscribe(), 200) << parameters;
    EXPECT_TRUE(wait_until(kSoon, [&] { return !lamp->history().empty(); }));
    EXPECT_EQ(events_of(*lamp),
              std::set<std::string>{parameters.find("id=x") == std::string::npos ? "dialog" : "dialog;id=x.1"});
  }
}

TEST_F(KamailioPresence, X21_TheIdOutlivesARestartOfKamailio) {
  const auto lamp = watching("*88102", {.event_parameters = ";id=a7"});
  site.kamailio->restart();
  EXPECT_EQ(parkd.publish("*88102", "early").status, 200);
  ASSERT_TRUE(lamp->wait_state("early"));
  EXPECT_EQ(lamp->refresh(), 200);
  EXPECT_EQ(events_of(*lamp), std::set<std::string>{"dialog;id=a7"});
}

TEST_F(KamailioPresence, N7_ASubscriptionBelongsToWhoMadeIt) {
  const auto lamp = watching("*88102");
  EXPECT_EQ(lamp->refresh_without_credentials(), 407);
  const std::string stolen = lamp->compose_subscribe(0);
  const std::string uri = SipText(stolen).request_uri();
  // 103 treats it as a challenge, and answers with its own password.
  lamp->send_raw(stolen);
  ASSERT_EQ(lamp->wait_response(lamp->call_id(), SipText(stolen).cseq()), 407);
  const std::string challenge = lamp->last_response().header("Proxy-Authenticate");
  const std::string forged = lamp->compose_subscribe(
      0, "Proxy-Authorization: " + digest_answer(challenge, "SUBSCRIBE", uri, "103", "demo-103") + "\r\n");
  lamp->send_raw(forged);
  EXPECT_EQ(lamp->wait_response(lamp->call_id(), SipText(forged).cseq()), 403);
  EXPECT_EQ(lamp->refresh(), 200) << "it is still there";
}

TEST_F(KamailioPresence, N5_ASubscribeThatIsRepeatedMakesOneSubscription) {
  const auto lamp = watching("*88102", {.loss = 0.3, .seed = 5});
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM active_watchers"), "1");
}

TEST_F(KamailioPresence, N5_AWatcherWhoseContactCannotBeReachedDoesNotKeepTheOthersInTheDark) {
  const auto one = watching("*88102", {.user = "101"});
  const auto bad = watcher("*88102", {.user = "102"});
  bad->compose_subscribe(600);
  std::string text = bad->compose_subscribe(600);
  const auto with_bad_contact = [&](std::string subscribe) {
    const auto at = subscribe.find("Contact: ");
    subscribe.replace(at, subscribe.find("\r\n", at) - at, "Contact: <sip:102@nowhere.invalid>");
    return subscribe;
  };
  bad->send_raw(with_bad_contact(text));
  ASSERT_EQ(bad->wait_response(bad->call_id(), SipText(text).cseq()), 407);
  const std::string challenge = bad->last_response().header("Proxy-Authenticate");
  text = bad->compose_subscribe(
      600, "Proxy-Authorization: " +
               digest_answer(challenge, "SUBSCRIBE", "sip:*88102@demo.callpark", "102", "demo-102") + "\r\n");
  bad->send_raw(with_bad_contact(text));
  ASSERT_EQ(bad->wait_response(bad->call_id(), SipText(text).cseq()), 200);
  const auto other = watching("*88102", {.user = "103"});
  EXPECT_EQ(parkd.publish("*88102", "early").status, 200);
  EXPECT_TRUE(one->wait_state("early"));
  EXPECT_TRUE(other->wait_state("early"));
  EXPECT_TRUE(bad->wait_state("early")) << "where it came from it is reached";
}

TEST_F(KamailioPresence, N5_ASubscriptionThatIsNotRenewedEnds) {
  const auto lamp = watching("*88102");
  site.database.execute("UPDATE active_watchers SET expires = UNIX_TIMESTAMP() - 1");
  EXPECT_TRUE(wait_until(20s, [&] { return lamp->now().subscription_state == "terminated;reason=timeout"; }));
  EXPECT_TRUE(wait_until(60s, [&] { return site.database.value("SELECT COUNT(*) FROM active_watchers") == "0"; }));
}

// ----- questions for lamps

class KamailioPresenceAsks : public KamailioPresence, public testing::WithParamInterface<bool> {};

TEST_P(KamailioPresenceAsks, N1_ParkdPublishesTheLampBeforeTheFirstNotify) {
  site.seat->answer_with([&](const SipText& request) {
    EXPECT_EQ(request.method(), "PUBLISH");
    EXPECT_EQ(request.request_uri(), "sip:*88102@demo.callpark");
    EXPECT_EQ(request.header("Event"), "dialog.winfo");
    EXPECT_EQ(request.header("X-Callpark-Tenant"), "demo.callpark");
    EXPECT_EQ(parkd.publish("*88102", "early").status, 200);
    return 200;
  });
  const auto lamp = watcher("*88102", {.over_tcp = GetParam()});
  EXPECT_EQ(lamp->subscribe(), 200);
  ASSERT_TRUE(lamp->wait_state("early"));
  EXPECT_EQ(lamp->history().front().state, "early");
  EXPECT_EQ(lamp->refresh(), 200);
  EXPECT_EQ(parkd.publish("*88102", "terminated").status, 200);
  EXPECT_TRUE(lamp->wait_state("terminated"));
  EXPECT_EQ(lamp->unsubscribe(), 200);
  EXPECT_EQ(site.seat->received("PUBLISH").size(), 1U) << "only a new subscription asks";
  expect_no_complaints(*lamp);
}

INSTANTIATE_TEST_SUITE_P(Transport, KamailioPresenceAsks, testing::Bool(),
                         [](const auto& test) { return test.param ? "Tcp" : "Udp"; });

TEST_F(KamailioPresence, N1_AnOwnLampIsAskedForTooAndShowsWhatParkdPublishes) {
  site.seat->answer_with([&](const SipText&) {
    EXPECT_EQ(parkd.publish("102", "confirmed").status, 200);
    return 200;
  });
  const auto lamp = watcher("102");
  EXPECT_EQ(lamp->subscribe(), 200);
  ASSERT_TRUE(lamp->wait_state("confirmed"));
  EXPECT_EQ(lamp->history().front().state, "confirmed");
}

TEST_F(KamailioPresence, N1_ASubscriptionBeginsWhateverParkdAnswers) {
  for (const int answer : {503, 403, 0}) {
    site.seat->answer_with(answer);
    const auto lamp = watching("*88102");
    EXPECT_EQ(lamp->history().size(), 1U) << answer;
    expect_no_complaints(*lamp);
  }
  site.seat.reset();
  const auto lamp = watching("*88102");
  EXPECT_TRUE(wait_until(20s, [&] { return site.kamailio->log().find("dispatcher:dst-down") != std::string::npos; }));
  const auto later = watching("*88102", {.user = "102"});
  expect_no_complaints(*later);
}

// ----- publishers

TEST_F(KamailioPresence, N7_OnlyParkdPublishes) {
  const auto lamp = watching("*88102");
  LoopbackAddress address;
  UdpSocket socket(Endpoint{address.text(), 5060});
  const std::string body = parkd.body("*88102", "early");
  for (const auto& to : {site.outside(), site.inside()}) {
    socket.send("PUBLISH sip:*88102@demo.callpark SIP/2.0\r\nVia: SIP/2.0/UDP " + socket.own().text() +
                    ";branch=z9hG4bKp\r\nMax-Forwards: 70\r\nFrom: <sip:101@demo.callpark>;tag=p\r\nTo: "
                    "<sip:*88102@demo.callpark>\r\nCall-ID: outsider\r\nCSeq: 1 PUBLISH\r\nEvent: dialog\r\nExpires: "
                    "600\r\nX-Callpark-Tenant: demo.callpark\r\nContent-Type: application/dialog-info+xml\r\n"
                    "Content-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body,
                to);
  }
  SipText answer;
  EXPECT_TRUE(wait_until(kSoon, [&] {
    const auto datagram = socket.receive(50ms);
    answer = datagram ? SipText(datagram->bytes) : SipText();
    return answer.status() != 0;
  }));
  EXPECT_EQ(answer.status(), 403);
  EXPECT_EQ(parkd.publish("*88102", "terminated").status, 200);
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM presentity"), "1") << "parkd's alone";
}

TEST_F(KamailioPresence, N5_APublicationIsOneWhoeverCarriesItOn) {
  const auto lamp = watching("*88102");
  const std::string early = parkd.body("*88102", "early");
  const auto first = parkd.send("*88102", early, 3600, "");
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(first.etag, site.database.value("SELECT etag FROM presentity WHERE username = '*88102' AND "
                                            "domain = 'demo.callpark' AND event = 'dialog'"));
  EXPECT_EQ(parkd.send("*88102", early, 3600, "unknown").status, 412);
  const auto second = parkd.send("*88102", early, 3600, first.etag);
  EXPECT_EQ(second.status, 200);
  EXPECT_NE(second.etag, first.etag);
  EXPECT_EQ(parkd.send("*88102", early, 3600, first.etag).status, 412) << "a change that was overtaken";
  EXPECT_EQ(parkd.send("*88102", early, 3600, "").status, 200) << "a parkd that has forgotten it";
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM presentity"), "1");
  EXPECT_EQ(parkd.send("*88101", early, 3600, first.etag).status, 412);
}

TEST_F(KamailioPresence, N5_WithoutOneDialogItIsNoLamp) {
  EXPECT_EQ(parkd.send("*88102", "", 3600, "").status, 400);
  EXPECT_EQ(parkd.send("*88102", "<dialog-info/>", 3600, "").status, 400);
  const std::string one = parkd.body("*88102", "early");
  EXPECT_EQ(parkd.send("*88102", one + one, 3600, "").status, 400);
}

TEST_F(KamailioPresence, N5_ALampOfAParkdThatNeverCameBackGoesOut) {
  const auto lamp = watching("*88102");
  EXPECT_EQ(parkd.publish("*88102", "early", 1).status, 200);
  EXPECT_TRUE(lamp->wait_state("early"));
  EXPECT_TRUE(lamp->wait_state("terminated", 30s));
  EXPECT_EQ(parkd.publish("*88102", "early").status, 412);
  EXPECT_EQ(parkd.send("*88102", parkd.body("*88102", "early"), 3600, "").status, 200);
  EXPECT_TRUE(lamp->wait_state("early"));
  const std::string etag = site.database.value("SELECT etag FROM presentity");
  EXPECT_EQ(parkd.send("*88102", "", 0, etag).status, 200) << "removed";
  EXPECT_TRUE(lamp->wait_state("terminated"));
  expect_no_complaints(*lamp);
}

// ----- loss and restarts

TEST_F(KamailioPresence, N5_NoWatcherIsLeftWithAWrongStateByFastChangesAndLoss) {
  constexpr int kLamps = 20;
  constexpr int kChangesEach = 100;
  constexpr int kWatchersEach = 3;
  std::map<std::string, std::vector<std::string>> states;
  std::vector<std::unique_ptr<LampWatcher>> watchers;
  for (int i = 0; i < kLamps; ++i) {
    const std::string lamp = "*71*" + std::to_string(7250 + i);
    for (int change = 0; change < kChangesEach; ++change) {
      states[lamp].emplace_back(change % 2 == 0 ? "early" : "terminated");
    }
    // Half of them end lit.
    if (i % 2 == 0) states[lamp].pop_back();
    for (int w = 0; w < kWatchersEach; ++w) {
      watchers.push_back(watching(
          lamp, {.user = std::to_string(101 + w), .loss = 0.05, .seed = static_cast<std::uint32_t>(100 * i + w)}));
    }
  }
  const auto began = std::chrono::steady_clock::now();
  LampPublisher lossy(site.seat->own(), site.inside(), "demo.callpark", 0.05);
  EXPECT_EQ(lossy.publish_all(states), kLamps * kChangesEach - kLamps / 2);
  const auto took = std::chrono::steady_clock::now() - began;
  int overtaken = 0;
  std::size_t seen = 0;
  for (const auto& watcher : watchers) {
    // A NOTIFY that was lost is repeated for 32 s.
    EXPECT_TRUE(watcher->wait_state(states[watcher->options().lamp].back(), std::chrono::seconds(40)))
        << watcher->options().lamp << " shows " << watcher->state();
    expect_no_complaints(*watcher);
    overtaken += watcher->overtaken();
    seen += watcher->history().size();
  }
  RecordProperty("overtaken", overtaken);
  std::cout << "  " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms, " << seen
            << " NOTIFYs seen, " << overtaken << " refused because they came late\n";
}

TEST_F(KamailioPresence, N5_WhatComesAtTheSameTimeIsToldInOneOrder) {
  constexpr int kChanges = 200;
  std::vector<std::unique_ptr<LampWatcher>> watchers;
  for (int i = 0; i < 3; ++i) watchers.push_back(watching("*88102", {.user = std::to_string(101 + i)}));
  std::vector<std::string> states;
  for (int i = 0; i < kChanges; ++i) states.emplace_back(i % 2 == 0 ? "early" : "confirmed");
  std::atomic<bool> over{false};
  std::thread renewing([&] {
    while (!over) {
      for (const auto& watcher : watchers) EXPECT_EQ(watcher->refresh(), 200);
    }
  });
  EXPECT_EQ(parkd.publish_at_once("*88102", states), (std::map<int, int>{{200, kChanges}}));
  over = true;
  renewing.join();
  const std::string last =
      site.database.value("SELECT IF(body LIKE '%<state>early</state>%', 'early', 'confirmed') FROM presentity");
  for (const auto& watcher : watchers) {
    EXPECT_TRUE(watcher->wait_state(last));
    EXPECT_EQ(watcher->overtaken(), 0);
    // One that has not answered 16 NOTIFYs yet, as on a busy machine, misses the changes in between.
    EXPECT_GT(watcher->history().size(), static_cast<std::size_t>(kChanges / 2));
    expect_no_complaints(*watcher);
  }
}

TEST_F(KamailioPresence, N5_SubscriptionsGoOnWhenKamailioWasKilled) {
  const auto fresh = watching("*88102", {.user = "101"});
  const auto renewed = watching("*88102", {.user = "102"});
  EXPECT_EQ(renewed->refresh(), 200);
  EXPECT_EQ(parkd.publish("*88101", "early").status, 200);
  const auto parked = watcher("*88101", {.user = "103"});
  EXPECT_EQ(parked->subscribe(), 200);
  EXPECT_TRUE(parked->wait_state("early"));
  site.kamailio->kill9();
  site.kamailio->start();
  EXPECT_EQ(parkd.publish("*88101", "terminated").status, 200) << "by the entity-tag from before";
  EXPECT_TRUE(parked->wait_state("terminated"));
  EXPECT_EQ(parkd.publish("*88102", "early").status, 200);
  EXPECT_TRUE(fresh->wait_state("early"));
  EXPECT_TRUE(renewed->wait_state("early"));
  site.kamailio->kill9();
  site.kamailio->start();
  EXPECT_EQ(fresh->refresh(), 200);
  EXPECT_EQ(parkd.publish("*88102", "terminated").status, 200);
  EXPECT_TRUE(fresh->wait_state("terminated"));
  EXPECT_TRUE(renewed->wait_state("terminated"));
  for (const auto* watcher : {&fresh, &renewed, &parked}) {
    EXPECT_EQ((*watcher)->overtaken(), 0) << "a CSeq that was used before";
    expect_no_complaints(**watcher);
  }
}

TEST_F(KamailioPresence, N5_APhoneThatStartsAnewSeesTheTrueState) {
  const auto lamp = watching("*88102");
  lamp->be_deaf(true);
  EXPECT_EQ(parkd.publish("*88102", "early").status, 200);
  lamp->be_deaf(false);
  EXPECT_EQ(lamp->subscribe(), 200);
  EXPECT_TRUE(lamp->wait_state("early")) << "what is repeated to the old dialog is refused";
}

class KamailioPresenceImpatient : public KamailioPresence {
 protected:
  KamailioPresenceImpatient()
      : KamailioPresence({"#!define WITHOUT_FLOOD_CONTROL", "#!define CALLPARK_NOTIFY_SECONDS 2"}) {}
};

TEST_F(KamailioPresenceImpatient, N5_AWatcherThatDoesNotAnswerForATimeIsKept) {
  const auto lamp = watching("*88102");
  lamp->be_deaf(true);
  EXPECT_EQ(parkd.publish("*88102", "early").status, 200);
  // Sent at once, after 0.5 s and 1.5 s, and given up after 2 s.
  ASSERT_TRUE(wait_until(kSoon, [&] { return lamp->unheard() == 3; }));
  EXPECT_TRUE(holds_for(2500ms, [&] { return lamp->unheard() == 3; })) << "it is still being repeated";
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM active_watchers"), "1");
  lamp->be_deaf(false);
  EXPECT_EQ(parkd.publish("*88102", "confirmed").status, 200);
  EXPECT_TRUE(lamp->wait_state("confirmed"));
  expect_no_complaints(*lamp);
}

// ----- the extensions' own lamps

TEST_F(KamailioPresence, N2_TheLampsOfBothShowAnOrdinaryCall) {
  const auto caller = watching("101", {.user = "103"});
  const auto called = watching("102", {.user = "103"});
  const auto alice = site.phone("101");
  const auto bob = site.ringing_phone("102");
  const CallName call = alice->start_call("102");
  bob->wait_incoming();
  EXPECT_TRUE(called->wait_state("early"));
  EXPECT_TRUE(caller->wait_state("early"));
  EXPECT_NE(called->now().body.find("direction=\"recipient\""), std::string::npos);
  EXPECT_NE(caller->now().body.find("direction=\"initiator\""), std::string::npos);
  bob->answer(call);
  EXPECT_EQ(alice->wait_invite_status(call), 200);
  EXPECT_TRUE(called->wait_state("confirmed"));
  EXPECT_TRUE(caller->wait_state("confirmed"));
  const auto late = watcher("102", {.user = "104"});
  EXPECT_EQ(late->subscribe(), 200);
  EXPECT_TRUE(late->wait_state("confirmed"));
  EXPECT_EQ(alice->hang_up(call), 200);
  for (const auto* watcher : {&caller, &called, &late}) {
    EXPECT_TRUE((*watcher)->wait_state("terminated"));
    expect_no_complaints(**watcher);
  }
}

TEST_F(KamailioPresence, N2_WhoBeginsToWatchDuringACallSeesIt) {
  const auto alice = site.phone("101");
  const auto bob = site.phone("102");
  const CallName call = alice->call("102");
  const auto lamp = watcher("102", {.user = "103"});
  EXPECT_EQ(lamp->subscribe(), 200);
  EXPECT_TRUE(lamp->wait_state("confirmed"));
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_TRUE(lamp->wait_state("terminated"));
  expect_no_complaints(*lamp);
}

TEST_F(KamailioPresence, N2_ACallThatIsNotAnsweredLeavesNothingLit) {
  const auto lamp = watching("102", {.user = "103"});
  const auto alice = site.phone("101");
  const auto bob = site.ringing_phone("102");
  const CallName refused = alice->start_call("102");
  bob->wait_incoming();
  EXPECT_TRUE(lamp->wait_state("early"));
  bob->refuse(refused, 486);
  EXPECT_TRUE(lamp->wait_state("terminated"));
  const CallName cancelled = alice->start_call("102");
  bob->wait_incoming();
  EXPECT_TRUE(lamp->wait_state("early"));
  alice->cancel(cancelled);
  EXPECT_TRUE(lamp->wait_state("terminated"));
  expect_no_complaints(*lamp);
}

TEST_F(KamailioPresence, N2_AllWhoRingForARingGroupBlinkAndOneTalks) {
  const auto dave_lamp = watching("104", {.user = "101"});
  const auto erin_lamp = watching("105", {.user = "101"});
  const auto alice = site.phone("101");
  const auto dave = site.ringing_phone("104");
  const auto erin = site.ringing_phone("105");
  const CallName call = alice->start_call("601");
  dave->wait_incoming();
  erin->wait_incoming();
  EXPECT_TRUE(dave_lamp->wait_state("early"));
  EXPECT_TRUE(erin_lamp->wait_state("early"));
  erin->answer(call);
  EXPECT_EQ(alice->wait_invite_status(call), 200);
  EXPECT_TRUE(erin_lamp->wait_state("confirmed"));
  EXPECT_TRUE(dave_lamp->wait_state("terminated"));
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_TRUE(erin_lamp->wait_state("terminated"));
  expect_no_complaints(*dave_lamp);
  expect_no_complaints(*erin_lamp);
}

TEST_F(KamailioPresence, N2_AParkedExtensionsLampIsOneDialogOfTwoPublishers) {
  const auto parker = watching("101", {.user = "103"});
  const auto parked = watching("102", {.user = "103"});
  const auto alice = site.phone("101");
  const auto bob = site.phone("102");
  const CallName call = alice->call("102");
  EXPECT_TRUE(parked->wait_state("confirmed"));
  EXPECT_TRUE(parker->wait_state("confirmed"));
  EXPECT_EQ(parkd.publish("102", "confirmed").status, 200);
  site.seat->answer_with(202);
  ASSERT_EQ(alice->refer(call, "*68"), 202);
  site.seat->answer_with(200);
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_TRUE(parker->wait_state("terminated"));
  EXPECT_TRUE(holds_for(300ms, [&] { return parked->state() == "confirmed"; })) << "still parked";
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM presentity WHERE username = '102'"), "2");
  EXPECT_EQ(parkd.publish("102", "terminated").status, 200);
  EXPECT_TRUE(parked->wait_state("terminated"));
  // The other way round: parkd's ends while an ordinary call goes on.
  EXPECT_EQ(parkd.publish("102", "confirmed").status, 200);
  const CallName next = alice->call("102");
  EXPECT_TRUE(parker->wait_state("confirmed"));
  EXPECT_EQ(parkd.publish("102", "terminated").status, 200);
  EXPECT_TRUE(holds_for(300ms, [&] { return parked->state() == "confirmed"; })) << "still talking";
  EXPECT_EQ(alice->hang_up(next), 200);
  EXPECT_TRUE(parked->wait_state("terminated"));
  expect_no_complaints(*parker);
  expect_no_complaints(*parked);
}

TEST_F(KamailioPresence, N2_WhenTheParkerLeavesTheOthersLampWaitsForParkdsWord) {
  const auto parker = watching("101", {.user = "103"});
  const auto parked = watching("102", {.user = "103"});
  const auto alice = site.phone("101");
  const auto bob = site.phone("102");
  const auto park = [&] {
    const CallName call = alice->call("102");
    EXPECT_TRUE(parked->wait_state("confirmed"));
    EXPECT_TRUE(parker->wait_state("confirmed"));
    site.seat->answer_with(202);
    EXPECT_EQ(alice->refer(call, "*68"), 202);
    site.seat->answer_with(200);
    EXPECT_EQ(alice->hang_up(call), 200);
    EXPECT_TRUE(parker->wait_state("terminated"));
    EXPECT_TRUE(holds_for(300ms, [&] { return parked->state() == "confirmed"; })) << "parkd has not published yet";
  };
  park();
  EXPECT_EQ(parkd.publish("102", "confirmed").status, 200);
  EXPECT_TRUE(holds_for(300ms, [&] { return parked->state() == "confirmed"; }));
  EXPECT_EQ(parkd.publish("102", "terminated").status, 200);
  EXPECT_TRUE(parked->wait_state("terminated"));
  int times_dark = 0;
  for (const auto& notice : parked->history()) times_dark += notice.state == "terminated" ? 1 : 0;
  EXPECT_EQ(times_dark, 2) << "before the call and after it";
  park();
  EXPECT_TRUE(parked->wait_state("terminated", 30s)) << "parkd has died and does not publish";
  expect_no_complaints(*parker);
  expect_no_complaints(*parked);
}

TEST_F(KamailioPresence, N2_ACallThatTalksIsShownAndEndsWhenKamailioWasKilled) {
  const auto lamp = watching("102", {.user = "103"});
  const auto alice = site.phone("101");
  const auto bob = site.phone("102");
  const CallName call = alice->call("102");
  EXPECT_TRUE(lamp->wait_state("confirmed"));
  const auto rings_no_more = site.ringing_phone("104");
  const auto lost = watching("104", {.user = "103"});
  const CallName ringing = alice->start_call("104");
  rings_no_more->wait_incoming();
  EXPECT_TRUE(lost->wait_state("early"));
  ASSERT_TRUE(wait_until(kSoon, [&] { return site.database.value("SELECT COUNT(*) FROM callpark.dialog") == "1"; }));
  site.kamailio->kill9();
  site.kamailio->start();
  EXPECT_TRUE(lost->wait_state("terminated")) << "no server knows of that call any more";
  const auto late = watcher("102", {.user = "104"});
  EXPECT_EQ(late->subscribe(), 200);
  EXPECT_TRUE(late->wait_state("confirmed"));
  EXPECT_EQ(lamp->state(), "confirmed");
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_TRUE(lamp->wait_state("terminated"));
  EXPECT_TRUE(late->wait_state("terminated"));
  expect_no_complaints(*lamp);
  expect_no_complaints(*lost);
}

// The lamp is published while the BYE is at hand, and the database holds up one process after the other for 3 s.
TEST_F(KamailioPresence, N2_AByeReachesTheOtherPartyWhileTheDatabaseHangs) {
  const auto trunk = site.trunk();
  std::vector<std::unique_ptr<LampWatcher>> lamps;
  std::vector<std::unique_ptr<PacketPhone>> callers;
  std::vector<CallName> calls;
  // Twice as many as there are processes that go on with what has waited, and one.
  for (int i = 0; i < 9; ++i) {
    const std::string user = std::to_string(111 + i);
    site.database.execute("INSERT INTO callpark.extensions (tenant, extension, password) VALUES ('demo.callpark', '" +
                          user + "', 'demo-" + user + "')");
    lamps.push_back(watching(user, {.user = "106"}));
    callers.push_back(site.phone(user));
    calls.push_back(callers.back()->call("+15551234"));
    ASSERT_TRUE(lamps.back()->wait_state("confirmed"));
  }
  site.database.pause();
  for (std::size_t i = 0; i < calls.size(); ++i) callers[i]->fire(calls[i], "BYE");
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_TRUE(wait_until(kSoon, [&] { return trunk->is_closed(calls[i]); })) << i;
    for (const auto& message : callers[i]->received(calls[i])) EXPECT_NE(message.status(), 408) << i;
  }
  site.database.resume();
}

TEST_F(KamailioPresence, N2_ALampThatTheDatabaseDidNotTakeIsToldWhenItIsBack) {
  const auto lamp = watching("102", {.user = "103"});
  const auto alice = site.phone("101");
  const auto bob = site.phone("102");
  const CallName call = alice->call("102");
  ASSERT_TRUE(lamp->wait_state("confirmed"));
  site.database.kill9();
  EXPECT_EQ(alice->hang_up(call), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return bob->is_closed(call); }));
  site.database.start();
  // A phone that subscribes meanwhile gets the true state at once, the others when the round of 10 s comes to it.
  const auto late = watcher("102", {.user = "104"});
  EXPECT_TRUE(wait_until(kSoon, [&] { return late->subscribe() == 200; }));
  ASSERT_TRUE(late->wait_state("terminated"));
  EXPECT_EQ(late->history().front().state, "terminated");
  EXPECT_TRUE(wait_until(40s, [&] { return lamp->now().state == "terminated"; }));
  expect_no_complaints(*lamp);
}

TEST_F(KamailioPresence, N5_AChangeOfWhichNoWatcherCouldBeReadIsNotAccepted) {
  const auto lamp = watching("*88102");
  site.database.execute("RENAME TABLE callpark.active_watchers TO callpark.away");
  EXPECT_EQ(parkd.publish("*88102", "early").status, 503) << "parkd publishes it again";
  site.database.execute("RENAME TABLE callpark.away TO callpark.active_watchers");
  EXPECT_EQ(lamp->now().state, "terminated");
  EXPECT_EQ(parkd.publish("*88102", "early").status, 200);
  EXPECT_TRUE(lamp->wait_state("early"));
}

TEST_F(KamailioPresence, N2_OfAnExtensionThatNobodyWatchesNothingIsWritten) {
  const auto alice = site.phone("101");
  const auto bob = site.phone("102");
  EXPECT_EQ(alice->hang_up(alice->call("102")), 200);
  EXPECT_EQ(site.database.value("SELECT COUNT(*) FROM presentity"), "0");
}

// ----- call-park notifications of parkd's

LampWatcher::Options notified() {
  return {.user = "103", .event = "call-info", .accept = "application/x-broadworks-callpark-info+xml"};
}

TEST_F(KamailioPresence, N3_TheSubscriptionToParkNotificationsReachesParkd) {
  site.seat->answer_with(200);
  const auto phone = watcher("102", notified());
  EXPECT_EQ(phone->subscribe(), 200);
  EXPECT_EQ(phone->challenges(), 1);
  const SipText subscribe = site.seat->wait_request("SUBSCRIBE");
  EXPECT_EQ(subscribe.header("X-Callpark-Tenant"), "demo.callpark");
  EXPECT_EQ(subscribe.header("X-Callpark-User"), "103");
  EXPECT_EQ(subscribe.request_uri(), "sip:102@demo.callpark");
  EXPECT_EQ(subscribe.header("Accept"), "application/x-broadworks-callpark-info+xml");
  EXPECT_EQ(subscribe.header("Proxy-Authorization"), "");

  const std::string body = "<x-broadworks-callpark-info/>";
  std::string notify = "NOTIFY " + uri_in(subscribe.header("Contact")) + " SIP/2.0\r\nVia: SIP/2.0/UDP " +
                       site.seat->own().text() + ";branch=z9hG4bKn1\r\nMax-Forwards: 70\r\n";
  for (const auto& route : subscribe.headers("Record-Route")) notify += "Route: " + route + "\r\n";
  site.seat->send(
      notify + "From: " + subscribe.header("To") + ";tag=parkd\r\nTo: " + subscribe.header("From") +
          "\r\nCall-ID: " + subscribe.call_id() +
          "\r\nCSeq: 1 NOTIFY\r\nEvent: call-info\r\nSubscription-State: active;expires=600\r\nContact: <sip:parkd@" +
          site.seat->own().text() +
          ">\r\nContent-Type: application/x-broadworks-callpark-info+xml\r\n"
          "Content-Length: " +
          std::to_string(body.size()) + "\r\n\r\n" + body,
      site.inside());
  EXPECT_TRUE(wait_until(kSoon, [&] { return phone->now().body == body; }));
  EXPECT_EQ(site.seat->wait_response(200).method(), "NOTIFY");

  EXPECT_EQ(phone->refresh_without_credentials(), 407);
  EXPECT_EQ(phone->refresh(), 200);
  EXPECT_EQ(phone->unsubscribe(), 200);
  const auto subscribes = site.seat->received("SUBSCRIBE");
  ASSERT_EQ(subscribes.size(), 3U);
  for (const auto& again : subscribes) {
    EXPECT_EQ(again.header("X-Callpark-Tenant"), "demo.callpark");
    EXPECT_EQ(again.header("X-Callpark-User"), "103");
  }
  EXPECT_EQ(subscribes[2].header("Expires"), "0");
  expect_no_complaints(*phone);
}

TEST_F(KamailioPresence, N3_WithoutParkdTheSubscriptionIs503) {
  const auto phone = watcher("102", notified());
  site.seat->answer_with(0);
  EXPECT_EQ(phone->subscribe(), 503) << "it is there and does not answer";
  site.seat.reset();
  EXPECT_TRUE(wait_until(kSoon, [&] { return phone->subscribe() == 503; }));
}

TEST_F(KamailioPresence, N3_OnlyPhonesOfTheTenantGetParkNotifications) {
  EXPECT_EQ(watcher("sip:102@other.callpark", notified())->subscribe(), 403);
  EXPECT_EQ(watcher("*88102", notified())->subscribe(), 404);
  EXPECT_EQ(watcher("999", notified())->subscribe(), 404);
  EXPECT_TRUE(site.seat->received("SUBSCRIBE").empty());
}

// ----- messages of parkd's

std::string message_of_parkd(const Endpoint& parkd, const std::string& user) {
  return "MESSAGE sip:" + user + "@demo.callpark SIP/2.0\r\nVia: SIP/2.0/UDP " + parkd.text() + ";branch=z9hG4bKm" +
         user + "\r\nMax-Forwards: 70\r\nFrom: <sip:parkd@demo.callpark>;tag=m\r\nTo: <sip:" + user +
         "@demo.callpark>\r\nCall-ID: message-" + user +
         "\r\nCSeq: 1 MESSAGE\r\nX-Callpark-Tenant: demo.callpark\r\nContent-Type: text/plain\r\n"
         "Content-Length: 6\r\n\r\nparked";
}

TEST_F(KamailioPresence, N4_AMessageOfParkdsReachesAllDevices) {
  const auto desk = site.phone("102");
  const auto mobile = site.phone("102");
  site.seat->send(message_of_parkd(site.seat->own(), "102"), site.inside());
  for (const auto* phone : {&desk, &mobile}) {
    EXPECT_TRUE(wait_until(kSoon, [&] { return count(**phone, "message-102", "MESSAGE") == 1; }));
    for (const auto& message : (*phone)->received("message-102")) {
      EXPECT_EQ(message.text().find("X-Callpark"), std::string::npos);
      EXPECT_EQ(message.body(), "parked");
    }
  }
}

TEST_F(KamailioPresence, N4_AMessageToAnExtensionWithoutADeviceIs480) {
  site.seat->send(message_of_parkd(site.seat->own(), "105"), site.inside());
  EXPECT_EQ(site.seat->wait_response(480).call_id(), "message-105");
}

}  // namespace
}  // namespace callpark::test
