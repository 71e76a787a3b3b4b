// What happens to parked calls when a server is killed, measured from outside: by the RTP that the callers get, and by
// the time until each of them is retrieved.
#include <iostream>
#include <sstream>
#include <thread>

#include "tests/e2e/park_site.h"
#include "tests/support/lamp_watcher.h"
#include "tests/support/source_directory.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

int callers_wanted() {
  const char* wanted = getenv("CALLPARK_PARKED");
  return wanted == nullptr ? 50 : std::atoi(wanted);
}

class Failures : public ParkTest {
 protected:
  struct Parked {
    std::unique_ptr<PacketPhone> caller;
    CallName call;
    std::string orbit;
  };

  void SetUp() override {
    ParkTest::SetUp();
    john_ = site().packet_phone("101", kJohn, true);
    alice_ = site().packet_phone("102", kAlice, true);
  }
  void TearDown() override {
    parked_.clear();
    alice_.reset();
    john_.reset();
    ParkTest::TearDown();
  }

  /// Fills parked_: callers from the telephone network, each at a random orbit, all with music.
  void park(int count) {
    for (int index = 0; index < count; ++index) {
      Parked next;
      next.caller = site().trunk_caller(index);
      next.call = next.caller->start_call("+442030000101");
      const CallName at_john = john_->wait_incoming();
      ASSERT_EQ(next.caller->wait_invite_status(next.call), 200);
      ASSERT_EQ(john_->refer(at_john, "*70"), 202);
      ASSERT_TRUE(wait_until(kSoon, [&] {
        next.orbit = site().database().value("SELECT orbit FROM parked_calls WHERE state = 'parked' AND call_id = '" +
                                             next.call + "'");
        return !next.orbit.empty();
      }));
      john_->hang_up(at_john);
      parked_.push_back(std::move(next));
    }
    for (const auto& each : parked_) ASSERT_TRUE(hears_music(*each.caller));
  }

  /// The longest of all callers since then.
  [[nodiscard]] double gap_ms_max(RtpParty::Clock::time_point since) const {
    double worst = 0;
    for (const auto& each : parked_) worst = std::max(worst, each.caller->sound().report(since).gap_ms_max);
    return worst;
  }
  /// Whether the music of no caller has been interrupted since then.
  [[nodiscard]] testing::AssertionResult music_went_on(RtpParty::Clock::time_point since) const {
    for (const auto& each : parked_) {
      const RtpReport report = each.caller->sound().report(since);
      if (!report.is_whole()) return testing::AssertionFailure() << each.orbit << ": " << report.describe();
    }
    return testing::AssertionSuccess();
  }

  /// Whether RTP comes to every caller just now.
  [[nodiscard]] bool all_hear_something() const {
    for (const auto& each : parked_) {
      if (each.caller->heard(milliseconds(100)).samples.empty()) return false;
    }
    return true;
  }

  /// Retrieves every caller in turn, asking again while the answer is not 200; ms from `since` until the last one.
  double retrieve_all(std::chrono::steady_clock::time_point since) {
    for (const auto& each : parked_) {
      CallName call;
      const bool won = wait_until(seconds(15), [&] {
        call = alice_->start_call("*71" + each.orbit);
        return alice_->wait_invite_status(call, seconds(5)) == 200;
      });
      EXPECT_TRUE(won) << each.orbit << ": " << alice_->invite_status(call);
      if (won) alice_calls_.push_back(call);
    }
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since).count();
  }

  /// Each retrieved caller has been connected to Alice; the last of them hears Alice's one voice. Each hangs up.
  void all_talk_and_end() {
    for (const auto& each : parked_) {
      EXPECT_TRUE(wait_until(kSoon, [&] { return each.caller->audio_remote(each.call) == alice_->sound().own(); }));
    }
    EXPECT_TRUE(hears(*parked_.back().caller, *alice_));
    for (const auto& each : parked_) {
      // 481 when an UPDATE has crossed it: a new parkd asks within some seconds whether the caller is still there.
      const int status = each.caller->hang_up(each.call);
      EXPECT_TRUE(status == 200 || status == 481) << status;
    }
    for (const auto& call : alice_calls_) {
      EXPECT_TRUE(wait_until(kSoon, [&] { return alice_->is_closed(call); }));
    }
  }

  std::unique_ptr<PacketPhone> john_;
  std::unique_ptr<PacketPhone> alice_;
  std::vector<Parked> parked_;
  std::vector<CallName> alice_calls_;
};

TEST_F(Failures, O4_ParkdKilledMusicGoesOnAndEveryCallIsRetrievable) {
  park(callers_wanted());
  const auto killed = RtpParty::Clock::now();
  site().parkd().kill9();
  EXPECT_TRUE(holds_for(seconds(2), [this] { return all_hear_something(); }));
  const auto restarted = std::chrono::steady_clock::now();
  site().parkd().start();
  site().wait_parkd_ready();
  const double ready_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - restarted).count();
  const double gap = gap_ms_max(killed);
  EXPECT_TRUE(music_went_on(killed));
  const double all_ms = retrieve_all(restarted);
  std::cout << parked_.size() << " calls: longest gap in the music " << gap << " ms, parkd ready after " << ready_ms
            << " ms, the last of them retrieved after " << all_ms << " ms\n";
  all_talk_and_end();
}

// What `systemctl restart` does: SIGTERM, and the next parkd. Kamailio repeats the INVITE to it after 500 ms.
TEST_F(Failures, O8_ARetrieveDuringARestartIsTheNextParkds) {
  park(1);
  site().parkd().stop();
  alice_calls_ = {alice_->start_call("*71" + parked_[0].orbit)};
  site().parkd().start();
  site().wait_parkd_ready();
  EXPECT_EQ(alice_->wait_invite_status(alice_calls_[0], seconds(15)), 200);
  all_talk_and_end();
}

TEST_F(Failures, O4_ParkdKilledAndTheCallersHangUpMeanwhile) {
  park(3);
  site().parkd().kill9();
  for (const auto& each : parked_) each.caller->fire(each.call, "BYE");
  site().parkd().start();
  site().wait_parkd_ready();
  // parkd finds out that a caller has gone while it was down, at the latest when it offers the caller to a retriever.
  alice_calls_.clear();
  for (const auto& each : parked_) {
    const CallName call = alice_->start_call("*71" + each.orbit);
    EXPECT_NE(alice_->wait_invite_status(call, seconds(40)), 0);
    if (alice_->invite_status(call) == 200) {
      EXPECT_TRUE(wait_until(seconds(40), [&] { return alice_->is_closed(call); }));
    }
  }
  EXPECT_TRUE(nothing_parked());
}

// Kamailio waits 16 s for a parkd that is restarted before it answers their BYE.
TEST_F(Failures, O4_WhoHungUpWhileNoParkdWasThereIsNotBelievedToTalk) {
  park(1);
  retrieve_all(std::chrono::steady_clock::now());
  const Parked& talker = parked_.front();
  ASSERT_TRUE(hear_each_other(*alice_, *talker.caller));
  site().parkd().kill9();
  std::thread alice_hangs_up([this] { EXPECT_EQ(alice_->hang_up(alice_calls_.front()), 408); });
  EXPECT_EQ(talker.caller->hang_up(talker.call), 408);
  alice_hangs_up.join();
  site().parkd().start();
  EXPECT_TRUE(
      wait_until(seconds(20), [] { return site().database().value("SELECT COUNT(*) FROM parked_calls") == "0"; }));
}

TEST_F(Failures, O4_DeadlinesOutliveParkd) {
  park(2);
  const auto deadlines = "SELECT GROUP_CONCAT(deadline ORDER BY park_id) FROM parked_calls";
  const std::string before = site().database().value(deadlines);
  site().parkd().kill9();
  site().parkd().start();
  site().wait_parkd_ready();
  EXPECT_EQ(site().database().value(deadlines), before);
}

TEST_F(Failures, O4_MediadKilledMusicIsBack) {
  park(callers_wanted());
  site().mediad().kill9();
  const auto killed = RtpParty::Clock::now();
  site().mediad().start();
  EXPECT_TRUE(wait_until(kSoon, [&] { return all_hear_something(); }));
  EXPECT_TRUE(wait_until(kSoon, [&] { return holds_for(milliseconds(500), [this] { return all_hear_something(); }); }));
  const double gap = gap_ms_max(killed);
  std::cout << parked_.size() << " calls: music was away for at most " << gap << " ms\n";
  retrieve_all(std::chrono::steady_clock::now());
  all_talk_and_end();
}

TEST_F(Failures, O4_KamailioKilledParkedCallsGoOn) {
  park(callers_wanted());
  const auto killed = RtpParty::Clock::now();
  site().kamailio().kill9();
  EXPECT_TRUE(holds_for(seconds(1), [this] { return all_hear_something(); }));
  site().kamailio().start();
  const auto restarted = std::chrono::steady_clock::now();
  const double gap = gap_ms_max(killed);
  EXPECT_TRUE(music_went_on(killed));
  const double all_ms = retrieve_all(restarted);
  std::cout << parked_.size() << " calls: longest gap in the music " << gap << " ms, the last retrieved after "
            << all_ms << " ms\n";
  all_talk_and_end();
}

TEST_F(Failures, O4_KamailioRestartedInMidCallAndThenParked) {
  const auto client = site().trunk_caller(7);
  const CallName call = client->start_call("+442030000101");
  const CallName at_john = john_->wait_incoming();
  ASSERT_EQ(client->wait_invite_status(call), 200);
  site().kamailio().restart();
  EXPECT_EQ(john_->refer(at_john, "*68"), 202);
  EXPECT_TRUE(hears_music(*client));
  EXPECT_TRUE(parked_at("101"));
  const CallName retrieved = retrieve(*alice_, "*88101", *client);
  alice_->hang_up(retrieved);
}

TEST_F(Failures, S13_DatabaseStoppedForTwentySecondsCallsGoOnAndNewParksAreRefused) {
  park(3);
  const auto talker = site().trunk_caller(8);
  const Ends ends = talk(*talker, *john_, "+442030000101");
  const auto stopped = RtpParty::Clock::now();
  site().database().stop();

  EXPECT_GE(john_->refer(ends.callee, "*70"), 400);
  EXPECT_TRUE(wait_until(kSoon, [&] { return site().parkd_http("/health").status == 503; }));
  EXPECT_TRUE(hear_each_other(*talker, *john_));
  EXPECT_EQ(john_->offer(ends.callee, "sendonly"), 200);
  EXPECT_EQ(john_->offer(ends.callee, "sendrecv"), 200);
  EXPECT_TRUE(hear_each_other(*talker, *john_));
  EXPECT_TRUE(holds_for(seconds(20), [this] { return all_hear_something(); }));
  const double gap = gap_ms_max(stopped);
  EXPECT_TRUE(music_went_on(stopped));

  site().database().start();
  EXPECT_TRUE(wait_until(seconds(30), [&] {
    const auto before = john_->transfer_reports(ends.callee).size();
    if (john_->refer(ends.callee, "*68") != 202) return false;
    return wait_until(seconds(3),
                      [&] {
                        const auto reports = john_->transfer_reports(ends.callee);
                        return reports.size() > before && reports.back() >= "SIP/2.0 2";
                      }) &&
           john_->transfer_reports(ends.callee).back() < "SIP/2.0 3";
  }));
  EXPECT_TRUE(hears_music(*talker));
  EXPECT_TRUE(wait_until(kSoon, [&] { return site().parkd_http("/health").status == 200; }));
  std::cout << "longest gap in the music " << gap << " ms\n";
  retrieve_all(std::chrono::steady_clock::now());
  all_talk_and_end();
}

TEST_F(Failures, O4_DatabaseKilledWhileCallsAreParked) {
  park(5);
  site().database().kill9();
  EXPECT_TRUE(holds_for(seconds(1), [this] { return all_hear_something(); }));
  site().database().start();
  retrieve_all(std::chrono::steady_clock::now());
  all_talk_and_end();
}

TEST_F(Failures, S13_MalformedMessagesHarmNobody) {
  const auto client = site().trunk_caller(7);
  const CallName call = client->start_call("+442030000101");
  const CallName at_john = john_->wait_incoming();
  ASSERT_EQ(client->wait_invite_status(call), 200);
  ASSERT_EQ(john_->refer(at_john, "*68"), 202);
  ASSERT_TRUE(parked_at("101"));
  UdpSocket stranger({"127.0.0.1", 0});
  // RFC 4475's messages, one behind a line that begins with "===".
  int messages = 0;
  std::istringstream torture(read_file(source_directory() / "tests/data/rfc4475/messages.txt"));
  std::string text;
  for (std::string line; std::getline(torture, line);) {
    if (!line.starts_with("===")) {
      text += line + "\r\n";
      continue;
    }
    for (const int offset : {0, 1, 2}) {
      stranger.send(text, {"127.0.0.1", static_cast<uint16_t>(site().port() + offset)});
    }
    ++messages;
    text.clear();
  }
  EXPECT_GE(messages, 49);
  for (size_t length = 0; length < 200; ++length) {
    stranger.send(std::string(length * 7, static_cast<char>(length)),
                  {"127.0.0.1", static_cast<uint16_t>(site().port() + 2)});
  }
  EXPECT_TRUE(site().parkd().running());
  EXPECT_TRUE(wait_until(kSoon, [] { return site().parkd_http("/health").status == 200; }));
  const CallName retrieved = retrieve(*alice_, "*88101", *client);
  alice_->hang_up(retrieved);
}

// parkd asks talking parties after 5 to 10 s, Kamailio waits 30 s for an answer, and parkd asks once more.
class VanishedPhones : public ParkTest {
 protected:
  static void SetUpTestSuite() {
    TestSite::Options options;
    options.parkd_values = {{"parkd_sip_ask_talking_seconds", "10"}};
    start_site(std::move(options));
  }
  /// A caller that was parked by John and that `retriever` talks to.
  std::unique_ptr<PacketPhone> retrieved_caller(int party, PacketPhone& john, PacketPhone& retriever, CallName& call) {
    auto caller = site().trunk_caller(party);
    caller->start_call("+442030000101");
    const CallName at_john = john.wait_incoming();
    park(john, at_john, "*68", "101");
    john.hang_up(at_john);
    call = retrieve(retriever, "*88101", *caller);
    return caller;
  }
};

TEST_F(VanishedPhones, X45_ARetrievedCallWhosePhonesHaveVanishedWithoutAByeEnds) {
  const LoopbackAddress address;
  LampWatcher lamp(
      {.user = "104", .password = "demo-104", .lamp = "102", .address = address.text(), .proxy = site().outside()});
  ASSERT_EQ(lamp.subscribe(), 200);
  const auto john = site().packet_phone("101", kJohn, true);
  const auto alice = site().packet_phone("102", kAlice);
  const auto bob = site().packet_phone("103", kBob);
  CallName alices;
  CallName bobs;
  const auto client = retrieved_caller(kClient, *john, *alice, alices);
  const auto other = retrieved_caller(kSecondClient, *john, *bob, bobs);
  ASSERT_TRUE(lamp.wait_state("confirmed"));
  const auto rows = [] {
    return site().database().value("SELECT COUNT(*) FROM parked_calls WHERE state = 'retrieved'");
  };
  ASSERT_TRUE(wait_until(kSoon, [&] { return rows() == "2"; }));

  client->vanish();
  alice->vanish();
  other->vanish();
  EXPECT_TRUE(wait_until(std::chrono::seconds(120), [&] { return rows() == "0"; })) << rows() << " are left";
  EXPECT_TRUE(lamp.wait_state("terminated"));
  EXPECT_TRUE(wait_until(kSoon, [&] { return bob->is_closed(bobs); })) << "the phone that is there gets a BYE";
  lamp.unsubscribe();
}

}  // namespace
}  // namespace callpark::test
