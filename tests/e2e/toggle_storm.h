// Two call flows that are toggled by their codes at two nodes and by SQL, all at once, while connections are cut and
// parkds die; and the account of it afterwards, from what the phones have heard and what the tables have.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "parkd/store/database_connection.h"
#include "tests/support/packet_phone.h"
#include "tests/support/test_site.h"
#include "tests/support/wait.h"

namespace callpark::test {

class ToggleStorm {
 public:
  struct Scale {
    int extensions = 0;  // each has a phone at both nodes, and each phone one call at a time
    int by_code = 0;     // toggles that their callers have learned of
    int by_sql = 0;
    int cuts = 0;   // of all connections of parkd's and Kamailio's to the database
    int kills = 0;  // of a parkd, in turns
  };

  /// What is heard of a mode, as sounds of TestSite::Options::prompts.
  static std::map<std::string, int> sounds() { return {{"storm_on", kOnTone}, {"storm_off", kOffTone}}; }

  /// Both sites have these sounds and the same database.
  ToggleStorm(TestSite& here, TestSite& there, const Scale& scale) : sites_{&here, &there}, scale_(scale) {}

  /// Returns when the last call is over. The flows are day-night, with a PIN, and another one without.
  void run() {
    set_up();
    std::vector<std::thread> threads;
    for (std::size_t index = 0; index < callers_.size(); ++index) {
      threads.emplace_back([this, index] { work(callers_[index], index); });
    }
    for (int i = 0; i < kEditors; ++i) threads.emplace_back([this] { edit(); });
    disturb();
    for (std::thread& thread : threads) thread.join();
  }

  void expect_every_toggle_counted() {
    int by_code = 0;
    int by_sql = 0;
    for (const Flow& flow : kFlows) {
      const std::vector<Event> events = events_of(flow);
      expect_events_alternate(flow, events);
      expect_calls_match(flow, events);
      const auto edits = std::ranges::count(events, "sql", &Event::party);
      by_sql += static_cast<int>(edits);
      by_code += static_cast<int>(events.size()) - static_cast<int>(edits);
    }
    EXPECT_EQ(by_sql, edits_done_.load());
    EXPECT_EQ(edits_refused_.load(), 0) << "edits that the database refused";
    EXPECT_GE(by_code, told_.load());
    EXPECT_EQ(value("SELECT COUNT(operation_id) - COUNT(DISTINCT operation_id) FROM call_flow_events"), "0");
    EXPECT_EQ(value("SELECT COUNT(*) FROM call_flow_events WHERE event = 'toggled' AND (party = 'sql') <> "
                    "(operation_id IS NULL)"),
              "0")
        << "each toggle by code has its operation, and no edit has one";
    print(by_code, by_sql);
    database().execute("DROP TRIGGER storm_notes_changes; DROP TABLE storm_changes");
  }

 private:
  using Moment = std::int64_t;  // milliseconds since 1970
  struct Flow {
    const char* name;
    const char* code;
    const char* keys;
  };
  enum class Learned { kOn, kOff, kRefused, kOtherSound, kNoEnd };
  struct Call {
    std::string extension;
    std::string flow;
    Moment begun = 0;
    Moment ended = 0;
    Learned learned = Learned::kNoEnd;
  };
  struct Caller {
    std::string extension;
    std::unique_ptr<PacketPhone> phone;
    std::vector<Call> calls;
  };
  struct Event {
    std::string party;
    std::string status;
    Moment at = 0;
  };

  static constexpr std::array<Flow, 2> kFlows{{{"day-night", "*30", "1234"}, {"lunch", "*31", ""}}};
  static constexpr int kOnTone = 1000;
  static constexpr int kOffTone = 1500;
  static constexpr int kFirstExtension = 2000;
  static constexpr int kEditors = 4;
  // Most of the sound of a mode, and the silence at its end.
  static constexpr std::chrono::milliseconds kTail{800};
  static constexpr std::chrono::milliseconds kRepeatAfter{500};
  static constexpr int kInvites = 20;
  static constexpr std::chrono::seconds kCallMax{6};
  static constexpr std::chrono::minutes kStormMax{10};

  static Moment moment() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  }
  MariadbServer& database() { return sites_[0]->database(); }
  std::string value(const std::string& sql) { return database().value(sql); }
  bool is_over() const { return told_ >= scale_.by_code; }

  void set_up() {
    std::string rows;
    for (int i = 0; i < scale_.extensions; ++i) {
      const std::string number = std::to_string(kFirstExtension + i);
      rows += (rows.empty() ? "" : ", ") + ("('demo.callpark', '" + number + "', 'demo-" + number + "')");
    }
    database().execute(
        "INSERT IGNORE INTO extensions (tenant, extension, password) VALUES " + rows +
        "; INSERT INTO call_flows (tenant, name, number, feature_code, destination, alternate_destination) "
        "SELECT 'demo.callpark', 'lunch', '301', '*31', '105', '106' FROM DUAL "
        "WHERE NOT EXISTS (SELECT 1 FROM call_flows WHERE name = 'lunch'); "
        "UPDATE call_flows SET status = 'on', destination_sound = 'storm_on', alternate_sound = 'storm_off'; "
        "DELETE FROM call_flow_events; DELETE FROM call_flow_guesses; "
        "CREATE TABLE storm_changes (name VARCHAR(64)); "
        "CREATE TRIGGER storm_notes_changes AFTER UPDATE ON call_flows FOR EACH ROW "
        "INSERT INTO storm_changes SELECT NEW.name FROM DUAL WHERE NEW.status <> OLD.status");
    for (TestSite* site : sites_) {
      for (int i = 0; i < scale_.extensions; ++i) {
        const std::string number = std::to_string(kFirstExtension + i);
        callers_.push_back({number, site->packet_phone(number, 1), {}});
      }
    }
  }

  // ---- by code ----

  void work(Caller& caller, std::size_t index) {
    for (std::size_t turn = index; !is_over(); ++turn) {
      Call call{caller.extension, kFlows[turn % kFlows.size()].name, moment()};
      call.learned = dial(*caller.phone, kFlows[turn % kFlows.size()]);
      call.ended = moment();
      caller.calls.push_back(call);
      caller.phone->forget();
      if (call.learned == Learned::kOn || call.learned == Learned::kOff) {
        ++told_;
      } else {
        pass(std::chrono::milliseconds(500));  // as a person does before the next try
      }
    }
  }

  /// One call to the code, with the PIN, until parkd ends it.
  static Learned dial(PacketPhone& phone, const Flow& flow) {
    const auto since = RtpParty::Clock::now();
    const CallName call = phone.start_call(flow.code);
    const auto is_answered = [&] { return phone.invite_status(call) != 0; };
    for (int sent = 1; sent < kInvites && !wait_until(kRepeatAfter, is_answered); ++sent) phone.repeat_invite(call);
    const int status = phone.invite_status(call);
    if (status == 0) phone.cancel(call);
    if (status / 100 != 2) return status == 0 ? Learned::kNoEnd : Learned::kRefused;
    for (const char* key = flow.keys; *key != '\0'; ++key) {
      if (phone.send_info_digit(call, *key) != 200) break;
    }
    if (!wait_until(kCallMax, [&] { return phone.is_closed(call); })) {
      phone.hang_up(call);
      return Learned::kNoEnd;
    }
    const Sound end = phone.sound().last_heard(kTail, since);
    if (end.has_tone(kOnTone)) return Learned::kOn;
    return end.has_tone(kOffTone) ? Learned::kOff : Learned::kOtherSound;
  }

  // ---- by SQL ----

  /// Keeps pace with the toggles by code, a little ahead. Its connections are root's, and not cut.
  void edit() {
    DatabaseConnection::start_thread();
    {
      DatabaseConnection connection({database().socket().string(), "root", "", database().database()});
      for (int turn = ++edits_begun_; turn <= scale_.by_sql; turn = ++edits_begun_) {
        wait_until(kStormMax, [&] { return turn * scale_.by_code <= (told_ + scale_.extensions) * scale_.by_sql; });
        try {
          connection.execute("UPDATE call_flows SET status = IF(status = 'on', 'off', 'on') WHERE name = ?",
                             {std::string(kFlows[static_cast<std::size_t>(turn) % kFlows.size()].name)});
          ++edits_done_;
        } catch (const DatabaseError& error) {
          std::cerr << "an edit was refused: " << error.what() << "\n";
          ++edits_refused_;
        }
      }
    }
    DatabaseConnection::stop_thread();
  }

  // ---- what goes wrong ----

  void disturb() {
    const int faults = scale_.cuts + scale_.kills;
    int kills = 0;
    for (int fault = 1; fault <= faults; ++fault) {
      wait_until(kStormMax, [&] { return told_ * (faults + 1) >= scale_.by_code * fault; });
      // Evenly mixed.
      if (kills * faults < fault * scale_.kills) {
        TestSite& site = *sites_[static_cast<std::size_t>(kills++) % sites_.size()];
        site.parkd().kill9();
        site.parkd().start();
        site.wait_parkd_ready();
      } else {
        EXPECT_EQ(database().refusal("KILL USER " + database().user()), "");
      }
    }
  }

  // ---- the account ----

  std::vector<Event> events_of(const Flow& flow) {
    std::vector<Event> events;
    for (const auto& row : database().query(
             "SELECT party, status, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', at) DIV 1000 FROM call_flow_events "
             "WHERE event = 'toggled' AND name = '" +
             std::string(flow.name) + "' ORDER BY id")) {
      events.push_back({row.at(0), row.at(1), std::stoll(row.at(2))});
    }
    return events;
  }

  /// A toggle that is lost, doubled, or made from a status that was read before another toggle leaves two events with
  /// the same status one after the other, or a change without an event.
  void expect_events_alternate(const Flow& flow, const std::vector<Event>& events) {
    const std::string name = flow.name;
    std::string status = "on";
    for (std::size_t i = 0; i < events.size(); ++i) {
      EXPECT_NE(events[i].status, status) << name << ", event " << i << " by " << events[i].party;
      status = events[i].status;
    }
    EXPECT_EQ(value("SELECT status FROM call_flows WHERE name = '" + name + "'"), events.size() % 2 == 0 ? "on" : "off")
        << name << " after " << events.size() << " toggles";
    EXPECT_EQ(value("SELECT COUNT(*) FROM storm_changes WHERE name = '" + name + "'"), std::to_string(events.size()))
        << name;
  }

  /// Each call that ended with the sound of a mode has one event of its own; one that ended otherwise may have one,
  /// and one that was refused has none. No event is of no call.
  void expect_calls_match(const Flow& flow, const std::vector<Event>& events) {
    std::vector<const Call*> open;
    for (const Caller& caller : callers_) {
      for (const Call& call : caller.calls) {
        if (call.flow == flow.name && call.learned != Learned::kRefused) open.push_back(&call);
      }
    }
    // An event is that of the call that is over first, of those that it may be of.
    std::ranges::sort(open, {}, [](const Call* call) { return std::pair(!is_told(*call), call->ended); });
    for (const Event& event : events) {
      if (event.party == "sql") continue;
      const auto its = std::ranges::find_if(open, [&](const Call* call) {
        return call->extension == event.party && call->begun <= event.at && event.at <= call->ended &&
               (!is_told(*call) || (call->learned == Learned::kOn) == (event.status == "on"));
      });
      if (its == open.end()) {
        ADD_FAILURE() << event.party << " has toggled " << flow.name << " at " << event.at << ", and no call of it has";
        continue;
      }
      if (!is_told(**its)) ++toggled_unheard_;
      open.erase(its);
    }
    for (const Call* call : open) {
      if (is_told(*call)) {
        ADD_FAILURE() << call->extension << " heard that " << flow.name << " was toggled between " << call->begun
                      << " and " << call->ended << ", and it was not";
      }
    }
  }
  static bool is_told(const Call& call) { return call.learned == Learned::kOn || call.learned == Learned::kOff; }

  void print(int by_code, int by_sql) {
    std::map<Learned, int> calls;
    for (const Caller& caller : callers_) {
      for (const Call& call : caller.calls) ++calls[call.learned];
    }
    std::cout << by_code + by_sql << " toggles, " << by_sql << " of them by SQL; " << callers_.size()
              << " phones at two nodes; calls that heard the mode: " << calls[Learned::kOn] + calls[Learned::kOff]
              << ", that heard something else: " << calls[Learned::kOtherSound]
              << ", that parkd did not end: " << calls[Learned::kNoEnd]
              << ", toggled by these two: " << toggled_unheard_ << ", refused: " << calls[Learned::kRefused] << "; "
              << scale_.cuts << " cuts, " << scale_.kills << " kills\n";
  }

  const std::array<TestSite*, 2> sites_;
  const Scale scale_;
  std::vector<Caller> callers_;
  std::atomic<int> told_{0};
  std::atomic<int> edits_begun_{0};
  std::atomic<int> edits_done_{0};
  std::atomic<int> edits_refused_{0};
  int toggled_unheard_ = 0;
};

}  // namespace callpark::test
