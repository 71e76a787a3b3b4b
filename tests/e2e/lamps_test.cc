// Lamps of orbits and extensions, and phones' call-park notifications, on the whole product with real
// parks. The watchers believe nothing: see lamp_watcher.h.
#include <gmock/gmock.h>

#include "tests/e2e/park_site.h"
#include "tests/support/lamp_watcher.h"
#include "tests/support/source_directory.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;

class Lamps : public ParkTest {
 protected:
  static void set(const std::string& assignments) {
    site().database().execute("SET SESSION check_constraint_checks = 0; UPDATE tenants SET " + assignments +
                              " WHERE tenant = 'demo.callpark'");
  }
  void SetUp() override {
    ParkTest::SetUp();
    john_ = site().packet_phone("101", kJohn, true);
    mended_before_ = lamps_mended();
  }
  void TearDown() override {
    for (const auto& watcher : watchers_) {
      for (const auto& complaint : watcher->complaints()) ADD_FAILURE() << complaint;
    }
    watchers_.clear();
    john_.reset();
    set("lamp_state = DEFAULT, calls_per_orbit_max = DEFAULT, recall_mode = DEFAULT, recall_after_seconds = DEFAULT, "
        "ring_seconds = DEFAULT");
    ParkTest::TearDown();
  }

  LampWatcher& watcher(const std::string& user, LampWatcher::Options options) {
    addresses_.emplace_back();
    options.user = user;
    options.password = options.domain.substr(0, options.domain.find('.')) + "-" + user;
    options.address = addresses_.back().text();
    options.proxy = site().outside();
    watchers_.push_back(std::make_unique<LampWatcher>(options));
    return *watchers_.back();
  }
  /// A subscription to a lamp, which is dark.
  LampWatcher& lamp(const std::string& number, const std::string& user = "104") {
    LampWatcher& made = watcher(user, {.lamp = number});
    EXPECT_EQ(made.subscribe(), 200) << number;
    EXPECT_TRUE(made.wait_state("terminated")) << number;
    return made;
  }
  /// A phone's subscription to the calls parked at an extension.
  LampWatcher& notification(const std::string& extension, const std::string& user = "") {
    LampWatcher& made =
        watcher(user.empty() ? extension : user,
                {.lamp = extension, .event = "call-info", .accept = "application/x-broadworks-callpark-info+xml"});
    EXPECT_EQ(made.subscribe(), 200) << extension;
    EXPECT_TRUE(shows(made, "<callpark/>")) << extension;
    return made;
  }
  static bool shows(const LampWatcher& watcher, const std::string& text, milliseconds timeout = kSoon) {
    return wait_until(timeout, [&] { return watcher.now().body.find(text) != std::string::npos; });
  }
  /// Whether the lamp follows because the call has changed: no comparison with the database has had to mend it.
  testing::AssertionResult was_at_once(const LampWatcher& watcher, steady_clock::time_point event) const {
    const auto late = std::chrono::duration<double, std::milli>(watcher.now().at - event).count();
    std::cout << "  " << watcher.options().lamp << " " << watcher.state() << " " << late << " ms\n";
    if (lamps_mended() == mended_before_) return testing::AssertionSuccess();
    return testing::AssertionFailure() << watcher.options().lamp << " was mended by a comparison";
  }
  static std::size_t lamps_mended() {
    const std::string log = site().parkd().log();
    const std::string line = "lamps are out of sync with the database";
    std::size_t count = 0;
    for (auto at = log.find(line); at != std::string::npos; at = log.find(line, at + 1)) ++count;
    return count;
  }

  /// Client calls `phone` (101), which transfers the call to `target`; returns when the phone is notified of the park.
  std::unique_ptr<SippCall> parked_client(const std::string& target, int party = kClient) {
    auto client = site().trunk().call_in("+442030000101", tone_hz(party));
    const CallName call = john_->wait_incoming();
    EXPECT_TRUE(client->is_established());
    EXPECT_TRUE(hear_each_other(*john_, *client));
    EXPECT_EQ(john_->refer(call, target), 202);
    EXPECT_TRUE(wait_until(kSoon, [&] { return john_->transfer_reports(call).size() >= 2; }));
    parked_ = steady_clock::now();
    EXPECT_THAT(john_->transfer_reports(call).back(), HasSubstr("200"));
    john_->hang_up(call);
    return client;
  }
  /// Returns when the retriever has the answer.
  CallName retrieve(PacketPhone& phone, const std::string& dialled) {
    const CallName call = phone.start_call(dialled);
    EXPECT_EQ(phone.wait_invite_status(call), 200) << dialled;
    retrieved_ = steady_clock::now();
    return call;
  }
  static double wrong_lamps() {
    const std::string text = site().parkd_http("/metrics").body;
    const std::string name = "\ncallpark_lamps_out_of_sync ";
    const auto at = text.find(name);
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size()));
  }
  static bool wrong_lamps_become(double count, milliseconds timeout = kSoon) {
    return wait_until(timeout, [&] { return wrong_lamps() == count; });
  }

  /// How many publications of parkd's the table has.
  static std::string published(const std::string& number) {
    return site().database().value("SELECT COUNT(*) FROM presentity WHERE sender = 'parkd' AND username = '" + number +
                                   "'");
  }

  std::unique_ptr<PacketPhone> john_;
  std::size_t mended_before_ = 0;
  steady_clock::time_point parked_;
  steady_clock::time_point retrieved_;
  std::vector<std::unique_ptr<LampWatcher>> watchers_;
  std::vector<LoopbackAddress> addresses_;
};

TEST_F(Lamps, N1_TheLampOfAnExtensionsOrbitIsLitByTheParkAndDarkenedByTheRetrieve) {
  LampWatcher& first = lamp("*88101");
  LampWatcher& second = lamp("*71101", "105");
  const auto client = parked_client("*68");
  ASSERT_TRUE(first.wait_state("early"));
  ASSERT_TRUE(second.wait_state("early"));
  EXPECT_TRUE(was_at_once(first, parked_));
  EXPECT_TRUE(was_at_once(second, parked_));
  EXPECT_THAT(first.now().body, HasSubstr("display=\"Park 101\">sip:*88101@demo.callpark<"));
  EXPECT_THAT(first.now().body, HasSubstr("display=\"Client\">sip:+442079460018@demo.callpark<"));
  EXPECT_THAT(first.now().body, HasSubstr("direction=\"recipient\""));
  const auto alice = site().packet_phone("102", kAlice, true);
  const CallName call = retrieve(*alice, "*88101");
  ASSERT_TRUE(first.wait_state("terminated"));
  ASSERT_TRUE(second.wait_state("terminated"));
  EXPECT_TRUE(was_at_once(first, retrieved_));
  EXPECT_TRUE(was_at_once(second, retrieved_));
  EXPECT_EQ(invalid_dialog_info({first.history()[0].body, first.history()[1].body, first.history()[2].body}), "");
  alice->hang_up(call);
  EXPECT_TRUE(client->is_closed());
}

// The watcher of these tests is our own; here sipp is the phone.
TEST_F(Lamps, N1_AnotherUserAgentSeesTheSame) {
  const LoopbackAddress address;
  const TempDir directory("watching-phone");
  Subprocess phone(
      {.command = {"sipp", site().outside().text(), "-sf",
                   (source_directory() / "tests/data/sipp/phone_watches.xml").string(), "-i", address.text(),
                   // Its own choice would be the address that it sends to.
                   "-auth_uri", "*88101@demo.callpark", "-m", "1", "-nostdin", "-default_behaviors", "none",
                   "-trace_msg", "-message_file", "messages.log", "-trace_err", "-error_file", "errors.log", "-key",
                   "domain", "demo.callpark", "-key", "lamp", "*88101"},
       .output = directory.path() / "sipp.log",
       .environment = {"TERM=dumb"},
       .directory = directory.path()});
  const auto heard = [&](const std::string& state) {
    return wait_until(kSoon, [&] {
      return read_file(directory.path() / "messages.log").find("<state>" + state) != std::string::npos;
    });
  };
  ASSERT_TRUE(heard("terminated")) << phone.output() << read_file(directory.path() / "messages.log");
  const auto client = parked_client("*68");
  EXPECT_TRUE(heard("early"));
  client->hang_up();
  EXPECT_EQ(phone.wait(kSoon), 0) << read_file(directory.path() / "messages.log");
}

TEST_F(Lamps, N1_APhonePicksUpWithTheDialogThatItsLampShows) {
  LampWatcher& watched = lamp("*88101");
  const auto client = parked_client("*68");
  ASSERT_TRUE(watched.wait_state("early"));
  const std::string body = watched.now().body;
  const auto of_dialog = [&](const std::string& name) {
    const auto at = body.find(" " + name + "=\"") + name.size() + 3;
    return body.substr(at, body.find('"', at) - at);
  };
  const auto alice = site().packet_phone("102", kAlice, true);
  const CallName call = alice->start_call("*88101", "Require: replaces\r\nReplaces: " + of_dialog("call-id") +
                                                        ";to-tag=" + of_dialog("local-tag") +
                                                        ";from-tag=" + of_dialog("remote-tag") + "\r\n");
  EXPECT_EQ(alice->wait_invite_status(call), 200);
  EXPECT_TRUE(hear_each_other(*alice, *client));
  EXPECT_TRUE(watched.wait_state("terminated"));
  alice->hang_up(call);
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Lamps, N1_TheLampOfARandomOrbitGoesOutWhenTheCallerGivesUp) {
  const auto client = parked_client("*70");
  LampWatcher& late = watcher("104", {.lamp = "*71" + orbits()});
  EXPECT_EQ(late.subscribe(), 200);
  EXPECT_TRUE(late.wait_state("early")) << "a later subscriber sees it at once";
  const auto hung_up = steady_clock::now();
  client->hang_up();
  ASSERT_TRUE(late.wait_state("terminated"));
  EXPECT_TRUE(was_at_once(late, hung_up));
}

TEST_F(Lamps, N1_AnOrbitOfARangeHasALampByItselfAndBehindEachCode) {
  LampWatcher& bare = lamp("7001");
  LampWatcher& coded = lamp("*887001");
  const auto client = parked_client("7001");
  ASSERT_TRUE(bare.wait_state("early"));
  ASSERT_TRUE(coded.wait_state("early"));
  EXPECT_TRUE(was_at_once(bare, parked_));
  const auto alice = site().packet_phone("102", kAlice, true);
  const CallName call = retrieve(*alice, "7001");
  ASSERT_TRUE(bare.wait_state("terminated"));
  ASSERT_TRUE(coded.wait_state("terminated"));
  EXPECT_TRUE(was_at_once(bare, retrieved_));
  alice->hang_up(call);
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Lamps, N1_TheTenantChoosesHowALampIsLit) {
  set("lamp_state = 'confirmed'");
  LampWatcher& watched = lamp("*88101");
  const auto client = parked_client("*68");
  EXPECT_TRUE(watched.wait_state("confirmed"));
  client->hang_up();
  EXPECT_TRUE(watched.wait_state("terminated"));
}

TEST_F(Lamps, N1_OfTwoCallsAtOneOrbitTheOlderIsShownAndTheLampGoesOutWithTheLast) {
  set("calls_per_orbit_max = 2");
  LampWatcher& watched = lamp("*88101");
  const auto first = parked_client("*68");
  const auto second = parked_client("*68", kSecondClient);
  EXPECT_TRUE(parked_at("101 101"));
  EXPECT_TRUE(watched.wait_state("early"));
  first->hang_up();
  EXPECT_TRUE(parked_at("101"));
  EXPECT_TRUE(wait_until(kSoon, [&] { return watched.history().size() == 3; })) << "now the second is shown";
  EXPECT_EQ(watched.state(), "early");
  second->hang_up();
  EXPECT_TRUE(watched.wait_state("terminated"));
}

TEST_F(Lamps, N1_ALampGoesOutWhenARecallIsAnswered) {
  set("recall_mode = 'parker_only', recall_after_seconds = 1, ring_seconds = 10");
  LampWatcher& watched = lamp("*88101");
  const auto client = parked_client("*68");
  ASSERT_TRUE(watched.wait_state("early"));
  const CallName recall = john_->wait_incoming(seconds(10));
  const auto answered = steady_clock::now();
  ASSERT_TRUE(watched.wait_state("terminated"));
  EXPECT_TRUE(was_at_once(watched, answered));
  john_->hang_up(recall);
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Lamps, N2_AnExtensionThatIsParkedStaysBusyUntilItsCallEnds) {
  john_.reset();
  john_ = site().packet_phone("101", kJohn);
  LampWatcher& own = lamp("105");
  const auto erin = site().packet_phone("105", kCarol, true);
  const CallName call = erin->start_call("101");
  const CallName johns = john_->wait_incoming();
  EXPECT_TRUE(own.wait_state("early"));
  john_->answer(johns);
  EXPECT_TRUE(own.wait_state("confirmed"));
  EXPECT_TRUE(hear_each_other(*john_, *erin));
  const std::size_t before = own.history().size();
  EXPECT_EQ(john_->refer(johns, "*68"), 202);
  EXPECT_TRUE(wait_until(kSoon, [&] { return john_->transfer_reports(johns).size() >= 2; }));
  john_->hang_up(johns);
  EXPECT_TRUE(parked_at("101"));
  const auto alice = site().packet_phone("102", kAlice, true);
  const CallName talk = retrieve(*alice, "*88101");
  EXPECT_TRUE(nothing_parked());
  EXPECT_TRUE(hear_each_other(*alice, *erin));
  const auto history = own.history();
  for (std::size_t i = before; i < history.size(); ++i) EXPECT_EQ(history[i].state, "confirmed");
  alice->hang_up(talk);
  EXPECT_TRUE(own.wait_state("terminated"));
  EXPECT_TRUE(wait_until(kSoon, [&] { return erin->is_closed(call); }));
}

TEST_F(Lamps, S12_N2_WhoWasParkedTransfersWhoRetrievedHerAndOnlySheIsFree) {
  LampWatcher& hers = lamp("105");
  LampWatcher& retrievers = lamp("102");
  LampWatcher& targets = lamp("103");
  const auto erin = site().packet_phone("105", kCarol);
  const CallName call = erin->start_call("101");
  const CallName johns = john_->wait_incoming();
  ASSERT_EQ(erin->wait_invite_status(call), 200);
  park(*john_, johns, "*68", "101");
  john_->hang_up(johns);
  const auto alice = site().packet_phone("102", kAlice);
  const auto bob = site().packet_phone("103", kBob, true);
  const CallName talk = retrieve(*alice, "*88101");
  ASSERT_TRUE(retrievers.wait_state("confirmed"));
  ASSERT_TRUE(hers.wait_state("confirmed"));
  ASSERT_EQ(erin->refer(call, "103"), 202);
  bob->wait_incoming();
  EXPECT_TRUE(hear_each_other(*alice, *bob));
  EXPECT_TRUE(hers.wait_state("terminated"));
  EXPECT_TRUE(targets.wait_state("confirmed"));
  EXPECT_EQ(retrievers.state(), "confirmed");
  alice->hang_up(talk);
  EXPECT_TRUE(retrievers.wait_state("terminated"));
  EXPECT_TRUE(targets.wait_state("terminated"));
}

// In the dialog of the phone's URI the number is 601.
TEST_F(Lamps, N2_AnExtensionThatWasReachedByARingGroupStaysBusyToo) {
  LampWatcher& own = lamp("105");
  const auto erin = site().packet_phone("105", kCarol, true);
  const CallName call = john_->start_call("601");
  ASSERT_EQ(john_->wait_invite_status(call), 200);
  ASSERT_TRUE(own.wait_state("confirmed"));
  EXPECT_EQ(john_->refer(call, "*68"), 202);
  EXPECT_TRUE(parked_at("101"));
  john_->hang_up(call);
  EXPECT_TRUE(wait_until(kSoon, [] {
    return site().database().value(
               "SELECT COUNT(*) FROM presentity WHERE username = '105' AND body LIKE '%id=\"park-%'") == "1";
  })) << "parkd has published it; Kamailio waits for that for some seconds only";
  EXPECT_EQ(own.state(), "confirmed");
  EXPECT_EQ(erin->hang_up(erin->wait_incoming()), 200);
  EXPECT_TRUE(own.wait_state("terminated"));
}

TEST_F(Lamps, N2_WhoRetrievesIsBusyUntilTheCallEnds) {
  LampWatcher& own = lamp("102");
  const auto client = parked_client("*68");
  const auto alice = site().packet_phone("102", kAlice, true);
  const CallName call = retrieve(*alice, "*88101");
  ASSERT_TRUE(own.wait_state("confirmed"));
  EXPECT_TRUE(was_at_once(own, retrieved_));
  EXPECT_TRUE(hear_each_other(*alice, *client));
  EXPECT_EQ(own.state(), "confirmed");
  const auto hung_up = steady_clock::now();
  alice->hang_up(call);
  ASSERT_TRUE(own.wait_state("terminated"));
  EXPECT_TRUE(was_at_once(own, hung_up));
  EXPECT_EQ(own.history().size(), 3U);
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Lamps, N2_WhoTalksThroughAParkdThatIsKilledStaysBusyUntilTheCallEnds) {
  LampWatcher& own = lamp("102");
  const auto client = parked_client("*68");
  const auto alice = site().packet_phone("102", kAlice, true);
  const CallName call = retrieve(*alice, "*88101");
  ASSERT_TRUE(own.wait_state("confirmed"));
  EXPECT_TRUE(nothing_parked());
  site().parkd().kill9();
  site().parkd().start();
  site().wait_parkd_ready();
  EXPECT_TRUE(hear_each_other(*alice, *client));
  EXPECT_EQ(own.state(), "confirmed");
  alice->hang_up(call);
  EXPECT_TRUE(own.wait_state("terminated"));
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Lamps, N3_APhoneIsToldOfTheCallAtItsExtension) {
  LampWatcher& own = notification("101");
  LampWatcher& colleague = notification("101", "104");
  LampWatcher& stranger = notification("105");
  const auto client = parked_client("*68");
  const std::string parked = "<parked><identity display=\"Client\">sip:+442079460018@demo.callpark;user=phone<";
  EXPECT_TRUE(shows(own, parked)) << own.now().body;
  EXPECT_TRUE(shows(colleague, parked));
  EXPECT_TRUE(was_at_once(own, parked_));
  client->hang_up();
  EXPECT_TRUE(shows(own, "<callpark/>"));
  EXPECT_TRUE(shows(colleague, "<callpark/>"));
  EXPECT_EQ(stranger.history().size(), 1U);
  EXPECT_EQ(own.refresh(), 200);
  EXPECT_EQ(own.unsubscribe(), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return own.now().subscription_state.starts_with("terminated"); }));
}

TEST_F(Lamps, G2_EveryMemberOfTheGroupIsToldButTheParker) {
  LampWatcher& parker = notification("101");
  LampWatcher& orbit = notification("102");
  LampWatcher& member = notification("103");
  LampWatcher& stranger = notification("105");
  LampWatcher& watched = lamp("*88102");
  const auto client = parked_client("*58");
  EXPECT_TRUE(parked_at("102"));
  EXPECT_TRUE(shows(orbit, "<parked>"));
  EXPECT_TRUE(shows(member, "<parked>"));
  EXPECT_TRUE(watched.wait_state("early"));
  const auto bob = site().packet_phone("103", kBob, true);
  const CallName call = retrieve(*bob, "*88");
  EXPECT_TRUE(shows(orbit, "<callpark/>"));
  EXPECT_TRUE(shows(member, "<callpark/>"));
  EXPECT_TRUE(watched.wait_state("terminated"));
  EXPECT_EQ(parker.history().size(), 1U);
  EXPECT_EQ(stranger.history().size(), 1U);
  bob->hang_up(call);
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Lamps, N6_TheCallersNameIsShownWhateverItsLettersAndAWithheldOneIsNot) {
  LampWatcher& watched = lamp("*88102");
  LampWatcher& phone = notification("102");
  const std::string asserted = "P-Asserted-Identity: \"Client\" <sip:+442079460018@127.0.0.50>\r\nPrivacy: id\r\n";
  const auto park = [&](const std::string& from, const std::string& headers) {
    auto client = site().trunk_caller(kClient, from);
    const CallName call = client->start_call("+442030000101", headers);
    const CallName johns = john_->wait_incoming();
    EXPECT_EQ(client->wait_invite_status(call), 200);
    EXPECT_EQ(john_->refer(johns, "*68102"), 202);
    EXPECT_TRUE(watched.wait_state("early"));
    EXPECT_TRUE(shows(phone, "<parked>"));
    const std::string shown = watched.now().body + phone.now().body;
    john_->hang_up(johns);
    client->hang_up(call);
    EXPECT_TRUE(watched.wait_state("terminated"));
    EXPECT_TRUE(shows(phone, "<callpark/>"));
    return shown;
  };
  const std::string named = park("\"J\xc3\xb6rg \\\"JJ\\\" <&> M\" <sip:+442079460018@127.0.0.50>", "");
  // Kamailio writes what is not ASCII as references, which an XML parser reads as the same.
  const std::string rest = "rg &quot;JJ&quot; &lt;&amp;&gt; M\">sip:+442079460018@demo.callpark";
  EXPECT_THAT(named, HasSubstr("display=\"J&#xF6;" + rest + "</identity><target"));
  EXPECT_THAT(named, HasSubstr("display=\"J\xc3\xb6" + rest + ";user=phone<"));
  for (const auto& [from, headers] : {std::pair("\"Anonymous\" <sip:anonymous@anonymous.invalid>", std::string()),
                                      std::pair("\"Client\" <sip:+442079460018@127.0.0.50>", asserted)}) {
    const std::string withheld = park(from, headers);
    EXPECT_THAT(withheld, HasSubstr("display=\"Anonymous\">sip:anonymous@anonymous.invalid</identity><target"));
    EXPECT_THAT(withheld, Not(HasSubstr("2079460018")));
    EXPECT_THAT(withheld, Not(HasSubstr("Client")));
  }
}

TEST_F(Lamps, N6_TheCallersNameIsOnTheLampAgainAfterAnotherPark) {
  LampWatcher& watched = lamp("*88101");
  LampWatcher& other = lamp("*88104");
  const std::string name = "display=\"Client\">sip:+442079460018@demo.callpark<";
  const auto client = parked_client("*68");
  ASSERT_TRUE(watched.wait_state("early"));
  EXPECT_THAT(watched.now().body, HasSubstr(name));
  const auto alice = site().packet_phone("102", kAlice, true);
  for (int turn = 0; turn < 2; ++turn) {
    const CallName call = retrieve(*alice, turn == 0 ? "*88101" : "*88104");
    EXPECT_TRUE(hear_each_other(*alice, *client));
    EXPECT_EQ(alice->refer(call, "*68104"), 202);
    ASSERT_TRUE(other.wait_state("early"));
    EXPECT_THAT(other.now().body, HasSubstr(name));
    EXPECT_EQ(watched.state(), "terminated");
    alice->hang_up(call);
    EXPECT_TRUE(parked_at("104"));
  }
  client->hang_up();
  EXPECT_TRUE(other.wait_state("terminated"));
}

TEST_F(Lamps, N7_OnlyTheTenantsOwnPhonesMayWatch) {
  for (const char* event : {"dialog", "call-info"}) {
    const std::string accept =
        std::string(event) == "dialog" ? "application/dialog-info+xml" : "application/x-broadworks-callpark-info+xml";
    const std::string number = std::string(event) == "dialog" ? "*88101" : "101";
    LampWatcher& other = watcher(
        "101",
        {.domain = "other.callpark", .lamp = "sip:" + number + "@demo.callpark", .event = event, .accept = accept});
    EXPECT_GE(other.subscribe(), 400) << event;
    EXPECT_TRUE(other.history().empty());
  }
}

TEST_F(Lamps, N5_AParkdThatIsKilledAndStartsAgainLeavesEveryLampTrue) {
  LampWatcher& stays = lamp("*88101");
  LampWatcher& goes = lamp("*88104");
  LampWatcher& phone = notification("101");
  const auto client = parked_client("*68");
  const auto second = parked_client("*68104", kSecondClient);
  EXPECT_TRUE(stays.wait_state("early"));
  EXPECT_TRUE(goes.wait_state("early"));
  site().parkd().kill9();
  second->hang_up();  // no parkd is there to receive it; the next parkd finds it out
  site().database().execute("DELETE FROM parked_calls WHERE orbit = '104'");
  site().parkd().start();
  site().wait_parkd_ready();
  EXPECT_TRUE(goes.wait_state("terminated", seconds(5)));
  EXPECT_EQ(stays.state(), "early");
  EXPECT_TRUE(wait_until(seconds(5), [&] { return phone.history().size() >= 3; })) << "the state is notified again";
  EXPECT_TRUE(shows(phone, "<parked>"));
  const auto alice = site().packet_phone("102", kAlice, true);
  const CallName call = retrieve(*alice, "*88101");
  EXPECT_TRUE(stays.wait_state("terminated"));
  EXPECT_TRUE(shows(phone, "<callpark/>"));
  alice->hang_up(call);
  EXPECT_TRUE(client->is_closed());
}

TEST_F(Lamps, N5_APhoneThatIsStartedAgainSeesWhatIsTrueNow) {
  LampWatcher& phone = lamp("*88101");
  LampWatcher& notified = notification("101");
  const auto client = parked_client("*68");
  ASSERT_TRUE(phone.wait_state("early"));
  ASSERT_TRUE(shows(notified, "<parked>"));
  for (LampWatcher* watcher : {&phone, &notified}) watcher->be_deaf(true);
  client->hang_up();
  EXPECT_TRUE(nothing_parked());
  for (LampWatcher* watcher : {&phone, &notified}) {
    watcher->be_deaf(false);
    EXPECT_EQ(watcher->subscribe(), 200);
  }
  EXPECT_TRUE(phone.wait_state("terminated"));
  EXPECT_TRUE(shows(notified, "<callpark/>"));
  // What it knows nothing of any more it refuses with 481, and what it has asked for now goes on.
  const auto second = parked_client("*68", kSecondClient);
  EXPECT_TRUE(phone.wait_state("early"));
  EXPECT_TRUE(shows(notified, "<parked>"));
  second->hang_up();
  EXPECT_TRUE(phone.wait_state("terminated"));
}

TEST_F(Lamps, N5_AKamailioThatIsKilledAndStartsAgainLeavesEveryLampTrue) {
  LampWatcher& watched = lamp("*88101");
  LampWatcher& phone = notification("101");
  const auto client = parked_client("*68");
  EXPECT_TRUE(watched.wait_state("early"));
  EXPECT_TRUE(shows(phone, "<parked>"));
  site().kamailio().kill9();
  site().database().execute("DELETE FROM parked_calls");  // whatever it was that ended the call meanwhile
  site().kamailio().start();
  EXPECT_TRUE(watched.wait_state("terminated", seconds(10)));
  EXPECT_TRUE(shows(phone, "<callpark/>", seconds(10)));
  client->hang_up();
}

TEST_F(Lamps, N5_AMetricCountsTheLampsThatAreWrongAndTheyAreMendedWithoutANewPark) {
  EXPECT_TRUE(wrong_lamps_become(0));
  LampWatcher& watched = lamp("*88101");
  LampWatcher& other = lamp("*71101");
  const auto client = parked_client("*68");
  EXPECT_TRUE(watched.wait_state("early"));
  EXPECT_TRUE(other.wait_state("early"));
  site().database().execute("DELETE FROM presentity WHERE username IN ('*88101', '*71101')");
  EXPECT_TRUE(wrong_lamps_become(2, seconds(8)));
  EXPECT_TRUE(wrong_lamps_become(0, seconds(8)));
  EXPECT_EQ(site().database().value("SELECT COUNT(*) FROM presentity WHERE username = '*88101' "
                                    "AND body LIKE '%<state>early</state>%'"),
            "1");
  site().database().execute(
      "UPDATE presentity SET body = REPLACE(body, 'early', 'confirmed') WHERE username = '*88101'");
  EXPECT_TRUE(wrong_lamps_become(1, seconds(8)));
  EXPECT_TRUE(wrong_lamps_become(0, seconds(8)));
  EXPECT_EQ(watched.state(), "early");
  client->hang_up();
  EXPECT_TRUE(watched.wait_state("terminated"));
}

// ---- only what is watched

TEST_F(Lamps, N1_WhatNobodyWatchesIsNotPublished) {
  LampWatcher& watched = lamp("*88106");
  const auto client = parked_client("*68106");
  ASSERT_TRUE(watched.wait_state("early"));
  EXPECT_EQ(published("*88106"), "1");
  EXPECT_EQ(published("*71106"), "0");
  client->hang_up();
  ASSERT_TRUE(watched.wait_state("terminated"));
  EXPECT_EQ(published("*71106"), "0");
}

TEST_F(Lamps, N1_TheFirstNotifyIsTrueForEachKindOfLamp) {
  const auto erin = site().packet_phone("105", kCarol, true);
  const CallName call = john_->start_call("105");
  ASSERT_EQ(john_->wait_invite_status(call), 200);
  park(*john_, call, "7001", "7001");
  john_->hang_up(call);
  for (const auto& [number, state] :
       {std::pair("7001", "early"), std::pair("*887001", "early"), std::pair("*717001", "early"),
        std::pair("105", "confirmed"), std::pair("*88105", "terminated"), std::pair("103", "terminated")}) {
    LampWatcher& late = watcher("104", {.lamp = number});
    EXPECT_EQ(late.subscribe(), 200) << number;
    ASSERT_TRUE(wait_until(kSoon, [&] { return !late.history().empty(); })) << number;
    EXPECT_EQ(late.history().front().state, state) << number;
  }
  EXPECT_EQ(erin->hang_up(erin->wait_incoming()), 200);
}

TEST_F(Lamps, N1_ASubscriptionBeginsWithoutParkdAndIsTrueOnceItIsBack) {
  const auto client = parked_client("*68");
  site().parkd().kill9();
  LampWatcher& watched = watcher("104", {.lamp = "*88101"});
  EXPECT_EQ(watched.subscribe(), 200);
  EXPECT_TRUE(wait_until(kSoon, [&] { return !watched.history().empty(); }));
  site().parkd().start();
  site().wait_parkd_ready();
  EXPECT_TRUE(watched.wait_state("early"));
  client->hang_up();
  EXPECT_TRUE(watched.wait_state("terminated"));
}

// No other test watches this lamp.
TEST_F(Lamps, N1_WhatIsWatchedNoMoreIsPublishedNoMore) {
  LampWatcher& watched = lamp("*88103");
  const auto client = parked_client("*68103");
  ASSERT_TRUE(watched.wait_state("early"));
  EXPECT_EQ(watched.unsubscribe(), 200);
  EXPECT_TRUE(wait_until(seconds(60), [] { return published("*88103") == "0"; }));
  LampWatcher& again = watcher("104", {.lamp = "*88103"});
  EXPECT_EQ(again.subscribe(), 200);
  ASSERT_TRUE(again.wait_state("early"));
  EXPECT_EQ(again.history().front().state, "early");
  client->hang_up();
  EXPECT_TRUE(again.wait_state("terminated"));
}

}  // namespace
}  // namespace callpark::test
