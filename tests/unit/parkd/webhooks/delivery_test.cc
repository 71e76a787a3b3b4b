#include "parkd/webhooks/delivery.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "base/json.h"

namespace callpark::webhooks {
namespace {

using namespace std::chrono_literals;

constexpr RetrySettings kSettings{};
constexpr Duration kFresh{0};

Outcome outcome(Attempt attempt, std::uint32_t attempts = 1, Duration age = kFresh, int percent = 0) {
  return outcome_of(kSettings, attempt, attempts, age, percent);
}
Outcome retry(Duration delay) {
  return Retry{delay};
}

// ---- what an answer means ----

TEST(Delivery, B5_EveryStatusHasOneMeaning) {
  for (int status = 100; status < 1000; ++status) {
    const Outcome got = outcome({status});
    if (status >= 200 && status < 300) {
      EXPECT_EQ(got, Outcome(Delivered{})) << status;
    } else if (status == 410) {
      EXPECT_EQ(got, Outcome(Gone{})) << status;
    } else {
      EXPECT_EQ(got, retry(5s)) << status;
    }
  }
  EXPECT_EQ(outcome({std::nullopt}), retry(5s)) << "no answer";
}

TEST(Delivery, B5_AcceptedEventIsDeliveredAtAnyAge) {
  EXPECT_EQ(outcome({204}, 99, 240h), Outcome(Delivered{}));
  EXPECT_EQ(outcome({410}, 99, 240h), Outcome(Gone{}));
}

TEST(Delivery, B5_DelaysGrowAndThenStayTheSame) {
  const std::map<std::uint32_t, Duration> delays{{0, 5s},    {1, 5s}, {2, 30s}, {3, 2min}, {4, 10min},
                                                 {5, 30min}, {6, 1h}, {7, 3h},  {8, 6h},   {9, 6h}};
  for (const auto& [attempts, delay] : delays) EXPECT_EQ(outcome({500}, attempts), retry(delay)) << attempts;
  EXPECT_EQ(outcome({500}, std::numeric_limits<std::uint32_t>::max()), retry(6h));
}

TEST(Delivery, B5_JitterLengthensADelayByAFifthAtMost) {
  EXPECT_EQ(outcome({500}, 2, kFresh, 50), retry(33s));
  EXPECT_EQ(outcome({500}, 2, kFresh, 100), retry(36s));
  EXPECT_EQ(outcome({500}, 2, kFresh, 1000), retry(36s)) << "within bounds";
  EXPECT_EQ(outcome({500}, 2, kFresh, -1), retry(30s)) << "within bounds";
}

TEST(Delivery, B5_RetryAfterLengthensADelayWithinAnHour) {
  EXPECT_EQ(outcome({503, 7s}), retry(7s));
  EXPECT_EQ(outcome({503, 1s}), retry(5s)) << "never shorter";
  EXPECT_EQ(outcome({429, 3600s}), retry(1h));
  EXPECT_EQ(outcome({429, 86400s}), retry(1h));
  EXPECT_EQ(outcome({429, std::chrono::seconds::max()}), retry(1h));
  EXPECT_EQ(outcome({429, 0s}), retry(5s));
  EXPECT_EQ(outcome({429, -5s}), retry(5s));
  EXPECT_EQ(outcome({503, 3600s}, 8), retry(6h)) << "the regular delay is longer";
}

// ---- the day of a delivery, on a virtual clock ----

struct Day {
  int attempts = 0;
  Duration last{0};  // age at the last attempt
  Outcome end = Retry{};
};

/// The attempts of an event that never arrives; each one lasts `took`, and is answered with `attempt`.
Day day_of(const Attempt& attempt, int percent, Duration took) {
  Day day;
  Duration age{0};
  while (std::holds_alternative<Retry>(day.end)) {
    EXPECT_LT(day.attempts, 10'000);
    if (day.attempts == 10'000) break;
    day.last = age;
    age += took;
    day.end = outcome(attempt, static_cast<std::uint32_t>(++day.attempts), age, percent);
    if (const auto* next = std::get_if<Retry>(&day.end)) {
      EXPECT_GT(next->delay, Duration(0));
      age += next->delay;
    }
  }
  return day;
}

TEST(Delivery, B5_WhateverItIsAnsweredAnEventIsTriedForADayAndThenDead) {
  std::vector<std::optional<std::chrono::seconds>> retry_afters{std::nullopt, 1s, 60s, 3600s, 86400s};
  for (const auto status : {std::optional<int>(), std::optional(500), std::optional(404), std::optional(301)}) {
    for (const auto& retry_after : retry_afters) {
      for (int percent = 0; percent <= 100; percent += 5) {
        for (const Duration took : {Duration(1), Duration(10s), Duration(10min)}) {
          const Day day = day_of({status, retry_after}, percent, took);
          EXPECT_EQ(day.end, Outcome(Dead{}));
          EXPECT_GE(day.attempts, 9);
          EXPECT_LE(day.attempts, 35);
          EXPECT_GE(day.last, kSettings.life - 1min - took) << "the last attempt comes at the end of the day";
          EXPECT_LE(day.last, kSettings.life);
        }
      }
    }
  }
}

TEST(Delivery, B5_NoAttemptComesAfterTheDay) {
  EXPECT_EQ(outcome({500}, 9, 23h), retry(1h));
  EXPECT_EQ(outcome({503, 3600s}, 1, 24h - 1ms), retry(1ms));
  EXPECT_EQ(outcome({500}, 1, 24h), Outcome(Dead{})) << "one that waited behind another for a day";
}

TEST(Delivery, B5_OutcomesHaveTheWordsOfTheMetric) {
  EXPECT_EQ(name_of(Delivered{}), "delivered");
  EXPECT_EQ(name_of(Retry{}), "retry");
  EXPECT_EQ(name_of(Dead{}), "dead");
  EXPECT_EQ(name_of(Gone{}), "gone");
}

// ---- the event as it is sent ----

const std::filesystem::path kDirectory = std::filesystem::path(CALLPARK_SOURCE_DIR) / "tests/data/hook/events";

ParkEvent event(ParkEventKind kind) {
  ParkEvent event;
  event.kind = kind;
  event.park_id = ParkId("abcdefghijklmnopqrstuvwxyz");
  event.parked_at = WallTime(Duration(1'796'014'956'120));  // 2026-11-30T05:02:36.120Z
  event.at = event.parked_at + 61'005ms;
  event.tenant = "demo.callpark";
  event.orbit = "102";
  event.parker = "101";
  event.caller = {"Zoë Ольга", "+390212345"};
  event.sip_call_id = "3848276298220188511@atlanta.example.com";
  return event;
}

std::map<std::string, ParkEvent> golden_events() {
  std::map<std::string, ParkEvent> events;
  ParkEvent& parked = events["parked"] = event(ParkEventKind::kParked);
  parked.at = parked.parked_at;
  parked.park_group = "sales";
  ParkEvent& retrieved = events["retrieved"] = event(ParkEventKind::kRetrieved);
  retrieved.by = "103";
  ParkEvent& recalled = events["recalled"] = event(ParkEventKind::kRecalled);
  recalled.by = "+442030000999";
  recalled.how = "fallback";
  events["gave_up_of_a_withheld_caller"] = event(ParkEventKind::kGaveUp);
  events["gave_up_of_a_withheld_caller"].caller = {};
  ParkEvent& ended = events["ended_after_a_talk"] = event(ParkEventKind::kEnded);
  ended.orbit.clear();
  ended.how = "hung_up";
  ended.caller.name = "bytes \xff and \x01 and \"quotes\"";
  events["timed_out"] = event(ParkEventKind::kEnded);
  events["timed_out"].how = "timed_out";
  return events;
}

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// CALLPARK_WRITE_GOLDEN=1 writes the files instead.
TEST(Delivery, B5_EventsAreWrittenAsTheGoldenFilesHaveThem) {
  std::set<std::string> names;
  for (const auto& [name, event] : golden_events()) {
    const auto path = kDirectory / (name + ".json");
    names.insert(path.filename());
    const std::string written = write_webhook_event(event) + "\n";
    if (std::getenv("CALLPARK_WRITE_GOLDEN") != nullptr) std::ofstream(path) << written;
    EXPECT_EQ(text_of(path), written) << name;
  }
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
    EXPECT_TRUE(names.contains(entry.path().filename())) << entry.path() << " is of no event";
  }
}

TEST(Delivery, B5_NothingOfAWithheldIdentityIsSent) {
  ParkEvent withheld = event(ParkEventKind::kParked);
  withheld.caller = {};
  const auto json = parse_json(write_webhook_event(withheld));
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["data"]["parked_caller"], (Json{{"withheld", true}}));
}

TEST(Delivery, B5_IdNamesTheEventAndNothingElse) {
  const ParkEvent parked = event(ParkEventKind::kParked);
  EXPECT_EQ(webhook_id(parked), "abcdefghijklmnopqrstuvwxyz_1796014956120_parked");
  ParkEvent same = parked;
  same.at += 5s;
  same.by = "103";
  same.caller = {};
  EXPECT_EQ(webhook_id(same), webhook_id(parked));
  ParkEvent other_stay = parked;
  other_stay.parked_at += 1ms;
  EXPECT_NE(webhook_id(other_stay), webhook_id(parked));
  EXPECT_NE(webhook_id(event(ParkEventKind::kEnded)), webhook_id(parked));
  for (const auto& [name, event] : golden_events()) EXPECT_EQ(webhook_id(event).find('.'), std::string::npos);
}

}  // namespace
}  // namespace callpark::webhooks
