// Thousands of parked calls while parkd is killed and MariaDB goes away, and afterwards the records and the webhooks of
// each: complete, once, and what the phones have done.
#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <thread>

#include "tests/e2e/park_site.h"
#include "tests/long/record_office.h"
#include "tests/support/billing_hook_server.h"
#include "tests/support/webhook_receiver.h"

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
constexpr int kOffices = 16;
constexpr std::size_t kFaultsShown = 30;

// Between what parkd decides and what a phone sees of it are messages, on a machine with more to do than it can.
constexpr Moment kObserved = 1500;
// A connection to a database that is back is made again within this time.
constexpr Moment kReconnected = 5000;
// A parkd that has taken over a call knows after so long that its parties have hung up: it asks them, and their
// requests are repeated for 32 s.
constexpr Moment kTakenOver = 40000;

/// CALLPARK_RECORDS_PARKS, or 10,000; the kills and the outages in proportion: 20 and 5 of 10,000, and no fewer than 3
/// and 2.
int parks_wanted() {
  const char* text = std::getenv("CALLPARK_RECORDS_PARKS");
  return text == nullptr ? 10000 : std::max(100, std::atoi(text));
}

struct Segment {
  std::string park_id;
  int number = 0;
  std::string kind;
  std::string ended;
  std::string party;
  Moment began_at = -1;  // -1: NULL
  Moment ended_at = 0;
  Moment parked_at = 0;
};

class Records : public ParkTest {
 protected:
  static void SetUpTestSuite() {
    TestSite::Options options;
    options.parkd_values = {{"parkd_billing_permitted_networks", "127.0.0.1"},
                            {"parkd_webhooks_permitted_networks", "127.0.0.0/8"}};
    start_site(std::move(options));
  }
  void SetUp() override {
    ParkTest::SetUp();
    site().database().execute(
        "SET check_constraint_checks = 0; UPDATE tenants SET recall_mode = 'parker_only', recall_after_seconds = 3, "
        "ring_seconds = 20, recall_retry_seconds = 1, recall_attempts_max = 5, retrieve_misses_max = 0;"
        "INSERT INTO billing_hook_secrets VALUES ('demo.callpark', 1, '" +
        std::string(BillingHookServer::kSecret) +
        "'); INSERT INTO billing_hooks SET tenant = 'demo.callpark', url = '" + hook_.url() +
        "', breaker_failures_max = 0; INSERT INTO webhooks (tenant, webhook, url) VALUES ('demo.callpark', "
        "'crm', '" +
        receiver_.url("/crm") + "'); INSERT INTO webhook_secrets VALUES ('demo.callpark', 'crm', 1, '" + kSecret +
        "')");
  }

  // ---- what happens ----

  /// The hook of a part of the calls: one that allows, one that cannot be reached, so that parks are denied, and none.
  void set_hook(int asked) {
    const int phase = asked / 10 % 5;
    const std::string wanted = phase < 2    ? "enabled = 1, url = '" + hook_.url() + "'"
                               : phase == 2 ? "enabled = 1, url = 'http://127.0.0.1:9/hook'"
                                            : "enabled = 0";
    // Refused while the database is away: once more in the next turn.
    if (wanted != hook_set_ && site().database().refusal("UPDATE billing_hooks SET " + wanted).empty()) {
      hook_set_ = wanted;
    }
  }

  void kill_parkd() {
    kills_.push_back(moment());
    site().parkd().kill9();
    site().parkd().start();
  }

  /// In turns an orderly stop and a kill; each second time parkd is killed meanwhile.
  void stop_database(int index) {
    Window away{moment(), 0};
    index % 2 == 0 ? site().database().stop() : site().database().kill9();
    const int ms = std::uniform_int_distribution(2000, 6000)(random_);
    pass(milliseconds(ms / 2));
    if (index % 2 == 1) kill_parkd();
    pass(milliseconds(ms / 2));
    site().database().start();
    away.latest = moment();
    outages_.push_back(away);
  }

  void drive() {
    const int wanted = parks_wanted();
    const int kills = std::max(3, wanted / 500);
    const int stops = std::max(2, wanted / 2000);
    std::multimap<int, bool> faults;  // after how many parks; whether the database is stopped
    for (int i = 0; i < kills + stops; ++i) {
      faults.emplace(std::uniform_int_distribution(10, wanted * 9 / 10)(random_), i < stops);
    }
    for (int i = 0; i < kOffices; ++i) offices_.push_back(std::make_unique<RecordOffice>(site(), i, counts_));
    std::atomic<bool> running{true};
    std::vector<std::thread> threads;
    for (const auto& office : offices_) {
      threads.emplace_back([&office, &running] {
        while (running) office->stay();
      });
    }
    int stopped = 0;
    while (counts_.cycles < wanted) {
      const int parks = counts_.cycles;
      set_hook(parks + counts_.refused_parks);
      if (parks / 100 != subscriber_failed_) {
        subscriber_failed_ = parks / 100;
        receiver_.answer("/crm", subscriber_failed_ % 2 == 0 ? "503" : "close", 4);
      }
      if (!faults.empty() && faults.begin()->first <= parks) {
        const bool is_stop = faults.begin()->second;
        faults.erase(faults.begin());
        pass(milliseconds(std::uniform_int_distribution(0, 1000)(random_)));
        is_stop ? stop_database(stopped++) : kill_parkd();
        site().wait_parkd_ready();
      }
      pass(milliseconds(100));
    }
    running = false;
    for (auto& thread : threads) thread.join();
    for (const auto& office : offices_) {
      std::ranges::copy(office->stays(), std::back_inserter(driven_));
      for (const auto& fault : office->faults()) {
        if (++faults_ <= kFaultsShown) ADD_FAILURE() << fault;
      }
    }
    EXPECT_EQ(faults_, 0U);
  }

  // ---- how late something may be recorded ----

  /// The last moment at which something may be recorded that phones saw at `seen`. parkd records what it decides with
  /// the time of the decision, so this is `seen` but for a parkd that dies before it has written: after the decision by
  /// the time of a write, which lasts as long as the database is away. What it knew is then found out by the next one.
  [[nodiscard]] Moment recorded_by(const Window& seen) const {
    Moment written = seen.latest + kObserved;
    for (const Window& away : outages_) {
      if (away.earliest <= written && away.latest + kReconnected >= seen.earliest) {
        written = std::max(written, away.latest + kReconnected);
      }
    }
    Moment last = seen.latest + kObserved;
    for (const Moment kill : kills_) {
      if (kill + kObserved < seen.earliest || kill > written) continue;
      last = std::max({last, kill + kTakenOver, written + kTakenOver});
    }
    return last;
  }
  [[nodiscard]] bool is_beside_a_kill(const Window& seen) const { return recorded_by(seen) > seen.latest + kObserved; }

  // ---- the records ----

  static std::map<std::string, std::vector<Segment>> segments() {
    std::map<std::string, std::vector<Segment>> by_call;
    const auto ms = [](const std::string& column) {
      return "COALESCE(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', " + column + ") DIV 1000, -1)";
    };
    for (const auto& row : site().database().query(
             "SELECT call_id, park_id, segment, kind, ended, IF(party = '', '-', party), " + ms("began_at") + ", " +
             ms("ended_at") + ", " + ms("parked_at") + " FROM park_segments ORDER BY park_id, segment")) {
      by_call[row[0]].push_back({row[1], std::stoi(row[2]), row[3], row[4], row[5] == "-" ? "" : row[5],
                                 std::stoll(row[6]), std::stoll(row[7]), std::stoll(row[8])});
    }
    return by_call;
  }

  /// The segments of one call by themselves: numbers from 1, one stay, each begins when the one before ends, the last
  /// one ends the call and no other does.
  static void expect_complete(const std::vector<Segment>& segments) {
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const Segment& one = segments[i];
      EXPECT_EQ(one.number, static_cast<int>(i) + 1);
      EXPECT_EQ(one.park_id, segments.front().park_id) << "one stay for each park";
      EXPECT_EQ(one.parked_at, segments.front().parked_at);
      EXPECT_EQ(one.kind == "talk_before", i == 0);
      const std::string before = i == 0 ? "" : segments[i - 1].kind;
      if (one.kind == "parked" && (before == "talk_before" || before == "hook")) {
        EXPECT_EQ(one.began_at, one.parked_at);
      }
      if (before == "hook") {
        EXPECT_TRUE(one.kind == "parked" || one.kind == "talk_after") << one.kind;
      }
      EXPECT_EQ(one.began_at, i == 0 ? -1 : segments[i - 1].ended_at);
      EXPECT_LE(one.began_at, one.ended_at);
      const bool ends_the_call = one.ended == "gave_up" || one.ended == "timed_out" || one.ended == "hung_up";
      EXPECT_EQ(ends_the_call, i + 1 == segments.size()) << one.kind << " " << one.ended;
    }
  }

  /// When the caller no longer waits; the question to the hook about a retrieve belongs to the wait.
  static Moment end_of_wait(const std::vector<Segment>& segments) {
    const Segment& last = segments.back();
    return last.kind == "talk_after" ? last.began_at : last.ended_at;
  }

  static void expect_within(const char* what, Moment recorded, Moment earliest, Moment latest) {
    EXPECT_GE(recorded, earliest - kObserved) << what << ", early by " << earliest - recorded << " ms";
    EXPECT_LE(recorded, latest) << what << ", late by " << recorded - latest << " ms";
  }

  void compare(const DrivenStay& driven, const std::vector<Segment>& segments) {
    const Moment parked_at = segments.front().parked_at;
    expect_within("the park", parked_at, driven.parked.earliest, recorded_by(driven.parked));
    const auto last_wait = std::ranges::find_if(segments.rbegin(), segments.rend(), [](const Segment& one) {
      return one.kind == "parked" || one.kind == "recall";
    });
    if (last_wait == segments.rend()) {
      ADD_FAILURE() << "no wait";
      return;
    }
    const bool talks = driven.outcome != "gave_up";
    // A parkd that dies while it connects two parties has not written so yet, and the call waits on.
    const Window whole{driven.waited.earliest, talks ? driven.talked.latest : driven.waited.latest};
    EXPECT_TRUE(!driven.is_one_sided || is_beside_a_kill(whole)) << "one party has not learned of the end";
    if (last_wait->ended != driven.outcome || driven.is_one_sided) {
      EXPECT_TRUE(is_beside_a_kill(whole)) << last_wait->ended << " instead of " << driven.outcome;
      expect_within("the end", segments.back().ended_at, driven.waited.earliest, recorded_by(whole));
      ++changed_by_kills_;
      return;
    }
    const Moment waited_until = end_of_wait(segments);
    expect_within("the wait", waited_until, driven.waited.earliest, recorded_by(driven.waited));
    waited_least_ += driven.waited.earliest - driven.parked.latest;
    waited_most_ += driven.waited.latest - driven.parked.earliest;
    waited_recorded_ += waited_until - parked_at;
    note_late(waited_until, driven.waited);
    if (!talks) return;
    EXPECT_EQ(segments.back().kind, "talk_after");
    EXPECT_EQ(segments.back().party, driven.party);
    expect_within("the talk", segments.back().ended_at, driven.talked.earliest, recorded_by(driven.talked));
    talked_least_ += driven.talked.earliest - driven.waited.latest;
    talked_most_ += driven.talked.latest - driven.waited.earliest;
    talked_recorded_ += segments.back().ended_at - waited_until;
    note_late(segments.back().ended_at, driven.talked);
  }

  void note_late(Moment recorded, const Window& seen) {
    Moment& late = is_beside_a_kill(seen) ? late_beside_kills_ : late_;
    late = std::max(late, recorded - seen.latest);
    if (&late == &late_beside_kills_) late_allowed_ += std::max<Moment>(0, recorded - seen.latest);
  }

  BillingHookServer hook_;
  WebhookReceiver receiver_{{kSecret}};
  LoadCounts counts_;
  std::vector<std::unique_ptr<RecordOffice>> offices_;
  std::vector<DrivenStay> driven_;
  std::vector<Moment> kills_;
  std::vector<Window> outages_;
  std::mt19937 random_{std::random_device{}()};
  std::string hook_set_;
  int subscriber_failed_ = 0;
  std::size_t faults_ = 0;
  int changed_by_kills_ = 0;
  Moment late_ = 0, late_beside_kills_ = 0;
  /// What is recorded late beside kills, all together.
  Moment late_allowed_ = 0;
  Moment waited_least_ = 0, waited_most_ = 0, waited_recorded_ = 0;
  Moment talked_least_ = 0, talked_most_ = 0, talked_recorded_ = 0;
};

TEST_F(Records, B4_B5_EachStayIsRecordedAndSentOnceWhateverDies) {
  drive();
  EXPECT_TRUE(wait_until(seconds(60), [] {
    return site().database().value("SELECT COUNT(*) FROM parked_calls") == "0";
  })) << site().database().value("SELECT GROUP_CONCAT(state, ' ', call_id) FROM parked_calls");

  const auto recorded = segments();
  int accepted = 0;
  int refused = 0;
  int unknown = 0;
  int unknown_recorded = 0;
  std::set<std::string> calls;
  for (const DrivenStay& driven : driven_) {
    SCOPED_TRACE(driven.call_id + " " + std::to_string(driven.status) + " " + driven.outcome);
    calls.insert(driven.call_id);
    const auto found = recorded.find(driven.call_id);
    const bool has_records = found != recorded.end();
    if (driven.status >= 300 && !is_beside_a_kill(driven.parked)) {
      ++refused;
      EXPECT_FALSE(has_records) << "a park that was refused";
    } else if (driven.status / 100 == 2 || !driven.outcome.empty()) {
      ++accepted;
      EXPECT_TRUE(has_records) << "a park that was accepted";
    } else {
      ++unknown;
      unknown_recorded += has_records ? 1 : 0;
    }
    if (!has_records) continue;
    expect_complete(found->second);
    if (!driven.outcome.empty()) compare(driven, found->second);
  }
  for (const auto& [call, its] : recorded) EXPECT_TRUE(calls.contains(call)) << call << " was never parked";
  std::cout << kills_.size() << " kills, " << outages_.size() << " outages: " << accepted << " parks accepted, "
            << refused << " refused, " << unknown << " refused or unanswered beside a kill, of which "
            << unknown_recorded << " recorded, " << recorded.size() << " stays recorded, " << changed_by_kills_
            << " changed by a kill, " << hook_.questions().size() << " questions\n"
            << "seconds of waiting: " << waited_recorded_ / 1000 << " recorded, driven " << waited_least_ / 1000
            << " to " << waited_most_ / 1000 << "; of talking: " << talked_recorded_ / 1000 << ", driven "
            << talked_least_ / 1000 << " to " << talked_most_ / 1000 << "; recorded late by " << late_
            << " ms at most, beside kills " << late_beside_kills_ << " ms\n";
  EXPECT_EQ(static_cast<int>(recorded.size()), accepted + unknown_recorded);
  // All calls together, but for those that a kill has changed.
  EXPECT_GE(waited_recorded_, waited_least_);
  EXPECT_LE(waited_recorded_, waited_most_ + late_allowed_);
  EXPECT_GE(talked_recorded_, talked_least_);
  EXPECT_LE(talked_recorded_, talked_most_ + late_allowed_);
  EXPECT_EQ(site().database().value("SELECT SUM(parks) FROM billing_days"), std::to_string(recorded.size()));
  EXPECT_EQ(site().database().value("SELECT COUNT(*) FROM billing_calls"), std::to_string(recorded.size()));

  // ---- the webhooks ----
  EXPECT_TRUE(wait_until(seconds(200), [] {
    // Refused if a claim is under way in the other direction (a deadlock).
    static_cast<void>(site().database().refusal("UPDATE webhook_deliveries SET due_at = UTC_TIMESTAMP(3)"));
    pass(milliseconds(500));
    return site().database().value("SELECT COUNT(*) FROM webhook_deliveries") == "0";
  })) << site().database().value("SELECT COUNT(*) FROM webhook_deliveries");
  std::map<std::string, std::string> event_of_id;
  std::map<std::string, std::set<std::string>> ids_of_event;
  std::map<std::string, std::vector<std::string>> types;  // of each call, in sequence
  const auto requests = receiver_.requests();
  for (const Json& request : requests) {
    const Json body = Json::parse(request["body"].get<std::string>());
    const std::string type = body["type"].get<std::string>();
    const std::string park_id = body["data"]["park_id"].get<std::string>();
    const std::string event = park_id + " " + type;
    const auto [known, is_new] = event_of_id.emplace(request["id"].get<std::string>(), event);
    EXPECT_EQ(known->second, event) << "one id for two events";
    ids_of_event[event].insert(known->first);
    if (is_new) types[park_id].push_back(type);
  }
  std::map<std::string, std::vector<std::string>> stored;
  for (const auto& row :
       site().database().query("SELECT park_id, CONCAT('park.', event) FROM park_events ORDER BY park_id, event + 0")) {
    stored[row[0]].push_back(row[1]);
    EXPECT_EQ(ids_of_event[row[0] + " " + row[1]].size(), 1U) << row[0] << " " << row[1];
  }
  int incomplete = 0;
  for (const auto& [call, its] : recorded) {
    const std::string& park_id = its.front().park_id;
    EXPECT_EQ(types[park_id], stored[park_id]) << call << ": sent in the sequence of the call";
    const auto& events = stored[park_id];
    const bool talked = its.back().kind == "talk_after";
    if (events.size() == (talked ? 3U : 2U) && events.front() == "park.parked") continue;
    ++incomplete;
    std::cout << call << " ended " << its.back().kind << " " << its.back().ended << ", and has " << events.size()
              << " events, the last " << (events.empty() ? "none" : events.back()) << "\n";
    EXPECT_TRUE(is_beside_a_kill({its.front().ended_at, its.back().ended_at}))
        << call << " has " << events.size() << " events";
  }
  std::cout << requests.size() << " requests for " << event_of_id.size() << " events, " << incomplete
            << " stays without one of their events\n";
  for (const auto& got : receiver_.got("/crm")) EXPECT_TRUE(got.is_genuine) << got.id;
}

}  // namespace
}  // namespace callpark::test
