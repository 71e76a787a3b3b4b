// Schedules of call flows in SQL: every edit that the database refuses, with the sentence of each refusal; what an edit
// leaves behind; and the statements by which parkd reads schedules and switches call flows.
#include <gmock/gmock.h>

#include "parkd/store/sql_schedule_store.h"
#include "tests/component/sql_fixture.h"
#include "tests/component/store_fixture.h"

namespace callpark::test {
namespace {

using std::chrono::hours;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Refusals = std::vector<Refusal>;
using Rows = MariadbServer::Rows;

std::string schedule(const std::string& name, const std::string& tenant = "demo.callpark") {
  return "INSERT INTO schedules (tenant, schedule) VALUES ('" + tenant + "', '" + name + "');";
}
std::string week(const std::string& values, const std::string& name = "office") {
  return "INSERT INTO schedule_hours (tenant, schedule, weekday, begins, ends) VALUES ('demo.callpark', '" + name +
         "', " + values + ");";
}
std::string day(const std::string& values, const std::string& name = "office") {
  return "INSERT INTO schedule_dates (tenant, schedule, date, begins, ends) VALUES ('demo.callpark', '" + name + "', " +
         values + ");";
}
std::string zone(const std::string& name) {
  return "UPDATE tenants SET time_zone = '" + name + "' WHERE tenant = 'demo.callpark';";
}
std::string flow(const std::string& settings) {
  return "UPDATE call_flows SET " + settings + " WHERE tenant = 'demo.callpark' AND name = 'day-night';";
}

const std::string kOffice = schedule("office");
const std::string kBadHours = "hours end later than they begin, by 24:00:00; a night: two rows";
const std::string kBadDate = "hours of a date end by 24:00:00, not before they begin";
const std::string kBadZone = "the time zone of a tenant is a name of tzdata, as Europe/Rome";
const std::string kBadName = "a schedule has a name, with no spaces around it";

const Refusals kRefusals = {
    {zone("Mars/Olympus"), kBadZone},
    {zone("europe/rome"), kBadZone},
    {zone(""), "a time zone is letters, digits, _, /, + or -, as Europe/Rome"},
    {zone("Europe/Rome "), "a time zone is letters, digits, _, /, + or -, as Europe/Rome"},
    {"UPDATE tenants SET time_zone = NULL WHERE tenant = 'demo.callpark'", "'time_zone' cannot be null"},
    {"DELETE FROM time_zones WHERE name = 'UTC'", kBadZone},
    {schedule(""), kBadName},
    {schedule(" office"), kBadName},
    {schedule("of\nfice"), kBadName},
    {kOffice + schedule("OFFICE"), "the tenant already has a schedule OFFICE"},
    {schedule("office", "nowhere.callpark"), "a schedule belongs to a tenant that exists"},
    {kOffice + schedule("shop") + "UPDATE schedules SET schedule = 'office' WHERE schedule = 'shop'",
     "the tenant already has a schedule office"},
    {kOffice + "UPDATE schedules SET tenant = 'other.callpark'", "a schedule stays in its tenant: make another there"},
    {kOffice + flow("schedule = 'office'") + "DELETE FROM schedules WHERE schedule = 'office'",
     "the schedule office still switches the call flow day-night: change it first"},
    {week("1, '09:00', '17:00'"), "the schedule of these hours exists"},
    {kOffice + week("0, '09:00', '17:00'"), "a weekday is 1 (Monday) to 7 (Sunday)"},
    {kOffice + week("8, '09:00', '17:00'"), "a weekday is 1 (Monday) to 7 (Sunday)"},
    {kOffice + week("1, '17:00', '09:00'"), kBadHours},
    {kOffice + week("1, '09:00', '09:00'"), kBadHours},
    {kOffice + week("1, '09:00', '24:00:01'"), kBadHours},
    {kOffice + week("1, '-01:00', '09:00'"), kBadHours},
    {kOffice + week("1, '09:61', '10:00'"), "Incorrect time value"},
    {kOffice + week("1, '09:00', '17:00'") + week("1, '09:00', '17:00'"), "Duplicate entry"},
    {day("'2026-12-25', '00:00', '00:00'"), "the schedule of this date exists"},
    {kOffice + day("'2026-12-25', '10:00', '09:00'"), kBadDate},
    {kOffice + day("'2026-12-25', '10:00', '24:00:01'"), kBadDate},
    {kOffice + day("'2026-02-30', '10:00', '11:00'"), "Incorrect date value"},
    {kOffice + day("'1026-02-20', '10:00', '11:00'"), "a date of a schedule has a year, a month and a day"},
    {flow("schedule = 'office'"), "the schedule of a call flow exists"},
    {schedule("office", "other.callpark") + flow("schedule = 'office'"), "the schedule of a call flow exists"},
};

class SqlSchedulesRefusal : public SqlRefusal {};
class SqlSchedules : public SqlSchema {};

TEST_F(SqlSchedulesRefusal, F8_AScheduleThatCannotBeIsRefused) {
  expect(kRefusals);
}

TEST_F(SqlSchedulesRefusal, F8_EachConstraintRefusesAWrongEditAbove) {
  std::string said;
  for (const Refusal& refusal : kRefusals) said += refusal_of(refusal.statements) + "\n";
  const auto named = server().query(
      "SELECT constraint_name FROM information_schema.table_constraints WHERE constraint_schema = 'callpark' AND "
      "constraint_name <> 'PRIMARY' AND table_name LIKE 'schedule%'");
  EXPECT_THAT(named, SizeIs(8));
  for (const auto& constraint : named) EXPECT_THAT(said, HasSubstr("CONSTRAINT `" + constraint.at(0) + "`"));
}

TEST_F(SqlSchedules, F8_WhatAScheduleMayHave) {
  EXPECT_THAT(refusal_of(zone("Europe/Rome") + zone("America/Argentina/Buenos_Aires") + zone("Etc/GMT-14") +
                         zone("UTC") + kOffice + week("1, '00:00', '24:00'") + week("7, '23:59:59', '24:00:00'") +
                         day("'2026-12-25', '00:00', '00:00'") + day("'2028-02-29', '08:00', '24:00'") +
                         "INSERT INTO schedule_dates (tenant, schedule, date) VALUES ('demo.callpark', 'office', "
                         "'2026-12-26');" +
                         flow("schedule = 'office'") +
                         "UPDATE schedules SET schedule = 'shop', description = 'x' WHERE schedule = 'office'"),
              IsEmpty());
  EXPECT_THAT(refusal_of(kOffice + "INSERT IGNORE INTO schedules (tenant, schedule) VALUES ('demo.callpark', "
                                   "'office')"),
              IsEmpty());
  EXPECT_THAT(refusal_of(kOffice + week("1, '09:00', '12:00'") + week("1, '11:00', '15:00'") +
                         day("'2026-12-25', '09:00', '12:00'") + day("'2026-12-25', '11:00', '15:00'")),
              IsEmpty())
      << "hours may overlap: they are one then";
}

TEST_F(SqlSchedules, F8_HoursAndDatesGoWithTheirScheduleAndFlowsFollowItsName) {
  const std::string rows =
      "SELECT (SELECT COUNT(*) FROM schedule_hours), (SELECT COUNT(*) FROM schedule_dates), (SELECT "
      "COALESCE(MAX(schedule), '-') FROM call_flows);";
  EXPECT_EQ(server().query("START TRANSACTION;" + kOffice + week("1, '09:00', '17:00'") +
                           day("'2026-12-25', '00:00', '00:00'") + flow("schedule = 'office'") +
                           "UPDATE schedules SET schedule = 'shop';" + rows + flow("schedule = NULL") +
                           "DELETE FROM schedules;" + rows),
            Rows({{"1", "1", "shop"}, {"0", "0", "-"}}));
}

TEST_F(SqlSchedules, F8_EachEditRaisesTheRevisionOfItsTenant) {
  const std::string revision = "SELECT revision FROM tenant_revisions WHERE tenant = 'demo.callpark';";
  const std::string before =
      kOffice + week("1, '09:00', '17:00'") + day("'2026-12-25', '00:00', '00:00'") + flow("schedule = 'office'");
  for (const std::string& edit : std::vector<std::string>{
           schedule("shop"), "UPDATE schedules SET schedule = 'shop';", week("2, '09:00', '17:00'"),
           "UPDATE schedule_hours SET ends = '18:00';", "DELETE FROM schedule_hours;",
           day("'2026-12-26', '00:00', '00:00'"), "UPDATE schedule_dates SET ends = '18:00';",
           "DELETE FROM schedule_dates;", zone("Europe/Rome"), flow("schedule = NULL"),
           flow("schedule = NULL") + "DELETE FROM schedules;"}) {
    const auto rows = server().query("START TRANSACTION;" + before + revision + edit + revision);
    EXPECT_LT(std::stoi(rows.at(0).at(0)), std::stoi(rows.at(1).at(0))) << edit;
  }
}

TEST_F(SqlSchedules, F8_AnEditOfWhatAScheduleSaysIsNoted) {
  const std::string before =
      kOffice + week("1, '09:00', '17:00'") + day("'2026-12-25', '00:00', '00:00'") + flow("schedule = 'office'");
  const std::string is_noted =
      "SELECT COALESCE(schedule_edited_at > '2020-01-01', 'never') FROM call_flows WHERE name = 'day-night';";
  EXPECT_EQ(server().query("START TRANSACTION;" + is_noted + before + is_noted + flow("schedule = NULL") + is_noted),
            Rows({{"never"}, {"1"}, {"never"}}));
  for (const std::string& edit : std::vector<std::string>{
           week("2, '09:00', '17:00'"), "UPDATE schedule_hours SET ends = '18:00';", "DELETE FROM schedule_hours;",
           day("'2026-12-26', '00:00', '00:00'"), "UPDATE schedule_dates SET ends = '18:00';",
           "DELETE FROM schedule_dates;", zone("Europe/Rome")}) {
    EXPECT_EQ(
        server().query("START TRANSACTION;" + before + flow("schedule_edited_at = '2020-01-01'") + edit + is_noted),
        Rows({{"1"}}))
        << edit;
  }
}

// ---- parkd's statements ----

class StoreSchedules : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    server().execute(flow("schedule = NULL") + "DELETE FROM schedules;" + zone("Europe/Rome") + schedule("office") +
                     schedule("unused") + week("1, '09:00', '24:00'") + week("1, '06:00', '07:00'", "unused") +
                     day("'2026-12-25', '00:00', '00:00'") +
                     flow("schedule = 'office', status = 'on', toggled_by = '', toggle_operation = ''") +
                     flow("toggled_at = NULL, toggled_by = ''") + edited("10:00") + "DELETE FROM call_flow_events;");
    store_ = make_schedule_store();
  }
  void TearDown() override { store_.reset(); }

  std::unique_ptr<SqlScheduleStore> make_schedule_store() {
    return std::make_unique<SqlScheduleStore>(
        loop_, SqlScheduleStore::Settings{
                   .address = {server().socket().string(), server().user(), server().password(), "callpark"}});
  }
  using Read = Result<std::optional<Schedules>, StoreUnavailable>;
  std::optional<Schedules> read(std::optional<std::uint64_t> known = std::nullopt) {
    return await<Read>([&](auto answer) { store_->read(known, answer); }).value().value();
  }
  using Switched = Result<bool, StoreUnavailable>;
  bool switch_flow(const ScheduledFlow& flow, flow::Status status, std::optional<WallTime> edge) {
    return await<Switched>([&](auto answer) { store_->switch_flow(flow, status, edge, answer); }).value().value();
  }
  ScheduledFlow only_flow() { return read()->flows.at(0); }
  /// Times of one day of the year 2026.
  static WallTime at(int hour) { return WallTime(hours(24) * 20786 + hours(hour)); }
  static std::string edited(const std::string& time) { return flow("schedule_edited_at = '2026-11-29 " + time + "'"); }
  static std::string state() {
    return server().value(
        "SELECT CONCAT_WS(' ', status, toggled_by, TIME_FORMAT(toggled_at, '%H:%i')) FROM call_flows WHERE name = "
        "'day-night'");
  }
  static std::string events() {
    return server().value(
        "SELECT COALESCE(GROUP_CONCAT(CONCAT_WS(' ', TIME_FORMAT(at, '%H:%i'), event, party, status, operation_id) "
        "ORDER BY id SEPARATOR ', '), '') FROM call_flow_events");
  }
  static void toggle_at(const std::string& time, const std::string& status, const std::string& by) {
    server().execute(
        flow("status = '" + status + "', toggled_by = '" + by + "', toggled_at = '2026-11-29 " + time + "'"));
  }

  std::unique_ptr<SqlScheduleStore> store_;
};

TEST_F(StoreSchedules, F8_SchedulesOfFlowsAreReadWithTheirTimeZone) {
  const auto found = read();
  ASSERT_TRUE(found);
  ASSERT_THAT(found->flows, SizeIs(1));
  EXPECT_EQ(found->flows[0].tenant, kTenant);
  EXPECT_EQ(found->flows[0].name, "day-night");
  EXPECT_EQ(found->flows[0].schedule, "office");
  EXPECT_EQ(found->flows[0].status, flow::Status::kOn);
  flow::Schedule hours_and_dates;
  hours_and_dates.weekly = {{date::weekday(1), {hours(9), hours(24)}}};
  hours_and_dates.single = {{date::local_days(date::days(20812)), {}}};
  const TenantSchedule wanted{kTenant, "office", "Europe/Rome", hours_and_dates};
  ASSERT_THAT(found->schedules, SizeIs(1)) << "one that switches nothing is not read";
  EXPECT_TRUE(found->schedules[0] == wanted);
  EXPECT_FALSE(read(found->revision)) << "nothing was edited since";
  server().execute(week("7, '10:00', '11:00'"));
  EXPECT_THAT(read(found->revision)->schedules.at(0).schedule.weekly, SizeIs(2));
  server().execute("UPDATE call_flows SET schedule = NULL");
  EXPECT_THAT(read(found->revision)->flows, IsEmpty());
}

TEST_F(StoreSchedules, F8_AnEdgeSwitchesOnceAndIsRecordedWithItsTime) {
  const ScheduledFlow flow = only_flow();
  EXPECT_TRUE(switch_flow(flow, flow::Status::kOff, at(12)));
  EXPECT_FALSE(switch_flow(flow, flow::Status::kOff, at(12)));
  EXPECT_EQ(state(), "off schedule 12:00");
  EXPECT_TRUE(switch_flow(flow, flow::Status::kOn, at(13)));
  EXPECT_EQ(state(), "on schedule 13:00");
  EXPECT_FALSE(switch_flow(flow, flow::Status::kOff, at(12))) << "a clock that is slow";
  EXPECT_EQ(events(), "12:00 toggled schedule off, 13:00 toggled schedule on");
  server().execute(test::flow("status = 'off'"));
  EXPECT_THAT(state(), HasSubstr("off sql")) << "an edit after the schedule is an edit";
}

TEST_F(StoreSchedules, F8_AToggleByHandHoldsUntilTheNextEdge) {
  const ScheduledFlow flow = only_flow();
  toggle_at("12:00", "off", "105");
  EXPECT_FALSE(switch_flow(flow, flow::Status::kOn, at(11)));
  EXPECT_FALSE(switch_flow(flow, flow::Status::kOn, at(12)));
  EXPECT_FALSE(switch_flow(flow, flow::Status::kOn, std::nullopt));
  EXPECT_EQ(state(), "off 105 12:00");
  EXPECT_TRUE(switch_flow(flow, flow::Status::kOn, at(13)));
  EXPECT_EQ(state(), "on schedule 13:00");
}

TEST_F(StoreSchedules, F8_AnEditCountsForWhatTheScheduleSwitchedAndNotForAToggleByHand) {
  EXPECT_TRUE(switch_flow(only_flow(), flow::Status::kOff, at(12)));
  server().execute(edited("14:00"));
  EXPECT_TRUE(switch_flow(only_flow(), flow::Status::kOn, at(9))) << "new hours, with an older edge";
  EXPECT_EQ(state(), "on schedule 14:00");
  toggle_at("15:00", "off", "105");
  server().execute(edited("16:00"));
  EXPECT_FALSE(switch_flow(only_flow(), flow::Status::kOn, at(9)));
  EXPECT_EQ(state(), "off 105 15:00");
}

TEST_F(StoreSchedules, F8_WithoutAnEdgeTheEditIsOne) {
  EXPECT_TRUE(switch_flow(only_flow(), flow::Status::kOff, std::nullopt));
  EXPECT_EQ(state(), "off schedule 10:00");
}

TEST_F(StoreSchedules, F8_WhatWasDecidedBeforeAnEditIsNotDone) {
  const ScheduledFlow before = only_flow();
  server().execute(week("2, '09:00', '17:00'"));
  EXPECT_FALSE(switch_flow(before, flow::Status::kOff, at(12)));
  const ScheduledFlow unused = only_flow();
  server().execute(test::flow("schedule = 'unused'"));
  EXPECT_FALSE(switch_flow(unused, flow::Status::kOff, at(12)));
  EXPECT_EQ(state(), "on ");
}

TEST_F(StoreSchedules, F8_ManyNodesSwitchOnce) {
  const ScheduledFlow flow = only_flow();
  const auto other = make_schedule_store();
  int switched = 0;
  int answers = 0;
  for (int i = 0; i < 10; ++i) {
    for (SqlScheduleStore* store : {store_.get(), other.get()}) {
      store->switch_flow(flow, flow::Status::kOff, at(12), [&](const Switched& done) {
        ++answers;
        if (done && *done) ++switched;
      });
    }
  }
  EXPECT_TRUE(run_until([&] { return answers == 20; }));
  EXPECT_EQ(switched, 1);
  EXPECT_EQ(events(), "12:00 toggled schedule off");
}

}  // namespace
}  // namespace callpark::test
