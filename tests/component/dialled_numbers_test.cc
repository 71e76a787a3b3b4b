// What a dialled number means: tests/data/dialled_numbers.json, asked of the real database by Kamailio's queries and by
// parkd's. What Kamailio's rules make of the rows is proved by tests/lua/rules/dialled_numbers_spec.lua.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "base/json.h"
#include "parkd/message/sip_uri.h"
#include "parkd/presence/lamp_map.h"
#include "parkd/service/dialled_code.h"
#include "tests/component/store_fixture.h"

namespace callpark::test {
namespace {

Json read_table() {
  std::ifstream file(std::filesystem::path(CALLPARK_SOURCE_DIR) / "tests/data/dialled_numbers.json");
  return Json::parse(file);
}

// What a script of tests/lua/support prints; discarded without JSON.
Json output_of(const std::string& script, const std::string& argument) {
  const std::string command = "cd '" CALLPARK_SOURCE_DIR "' && lua tests/lua/support/" + script + " '" + argument + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string output;
  std::array<char, 4096> block{};
  while (pipe) {
    const std::size_t size = std::fread(block.data(), 1, block.size(), pipe.get());
    if (size == 0) break;
    output.append(block.data(), size);
  }
  return Json::parse(output, nullptr, false);
}

std::string quoted(const Json& value) {
  return "'" + value.get<std::string>() + "'";
}

std::string plan_sql(const Json& plan) {
  const std::string tenant = quoted(plan.at("tenant"));
  std::string sql = "INSERT INTO tenants (tenant) VALUES (" + tenant + ");";
  for (const Json& extension : plan.at("extensions")) {
    sql +=
        "INSERT INTO extensions (tenant, extension, password) VALUES (" + tenant + "," + quoted(extension) + ",'x');";
  }
  for (const Json& group : plan.at("ring_groups")) {
    sql += "INSERT INTO ring_groups (tenant, ring_group) VALUES (" + tenant + "," + quoted(group) + ");";
  }
  for (const Json& code : plan.at("codes")) {
    sql += "INSERT INTO park_codes (tenant, code, action, bare, retrieve_code) VALUES (" + tenant + "," +
           quoted(code.at("code")) + "," + quoted(code.at("action")) + "," + quoted(code.at("bare")) + "," +
           (code.contains("retrieve_code") ? quoted(code.at("retrieve_code")) : "NULL") + ");";
  }
  for (const Json& range : plan.at("ranges")) {
    sql += "INSERT INTO orbit_ranges (tenant, orbit_range, park_number, first_orbit, last_orbit, enabled) VALUES (" +
           tenant + "," + quoted(range.at("name")) + "," + quoted(range.at("park_number")) + "," +
           quoted(range.at("first")) + "," + quoted(range.at("last")) + "," +
           (range.at("enabled").get<bool>() ? "1" : "0") + ");";
  }
  for (const Json& flow : plan.at("call_flows")) {
    sql +=
        "INSERT INTO call_flows (tenant, name, number, feature_code, destination, alternate_destination, enabled) "
        "VALUES (" +
        tenant + "," + quoted(flow.at("name")) + "," + quoted(flow.at("number")) + "," +
        quoted(flow.at("feature_code")) + "," + quoted(flow.at("destination")) + "," +
        quoted(flow.at("alternate_destination")) + "," + (flow.at("enabled").get<bool>() ? "1" : "0") + ");";
  }
  for (const Json& menu : plan.at("ivr_menus")) {
    sql += "INSERT INTO ivr_menus (tenant, name, number, greeting_text, enabled) VALUES (" + tenant + "," +
           quoted(menu.at("name")) + "," + quoted(menu.at("number")) + ",'Welcome'," +
           (menu.at("enabled").get<bool>() ? "1" : "0") + ");";
  }
  for (const Json& announcement : plan.at("announcements")) {
    sql += "INSERT INTO announcements (tenant, name, number, text, enabled) VALUES (" + tenant + "," +
           quoted(announcement.at("name")) + "," + quoted(announcement.at("number")) + ",'We are closed'," +
           (announcement.at("enabled").get<bool>() ? "1" : "0") + ");";
  }
  const Json& group = plan.at("park_group");
  sql += "INSERT INTO park_groups (tenant, park_group) VALUES (" + tenant + "," + quoted(group.at("name")) + ");";
  int position = 0;
  for (const Json& member : group.at("members")) {
    position += 10;
    sql += "INSERT INTO park_group_members (tenant, park_group, position, extension) VALUES (" + tenant + "," +
           quoted(group.at("name")) + "," + std::to_string(position) + "," + quoted(member) + ");";
  }
  return sql;
}

std::string listed(const std::vector<std::string>& orbits) {
  std::string text;
  for (const std::string& orbit : orbits) text += (text.empty() ? " " : " or ") + orbit;
  return text;
}

std::string meaning(const DialledFacts& facts, const std::string& user, Dialled dialled) {
  if (!facts.code && !facts.range && facts.flow_code.empty() && facts.menu.empty()) return "nothing";
  const auto command = interpret(facts, user, dialled);
  if (!command) return command.error() == park::RefusalReason::kInvalidCode ? "invalid code" : "another refusal";
  if (const auto* park = std::get_if<ParkCommand>(&*command)) {
    if (park->request.range) return "park in " + park->request.range->first + " to " + park->request.range->last;
    return park->request.orbits.empty() ? "park at random" : "park at" + listed(park->request.orbits);
  }
  if (const auto* toggle = std::get_if<ToggleCommand>(&*command)) return "toggle " + toggle->code;
  if (const auto* menu = std::get_if<MenuCommand>(&*command)) return "menu " + menu->number;
  return "retrieve from" + listed(std::get<RetrieveCommand>(*command).request.orbits);
}

LampSettings lamp_settings(const Json& plan) {
  LampSettings settings;
  settings.tenant = plan.at("tenant");
  for (const Json& code : plan.at("codes")) {
    if (code.at("action") == "retrieve") settings.retrieve_codes.push_back(code.at("code"));
  }
  for (const Json& range : plan.at("ranges")) {
    if (range.at("enabled").get<bool>()) settings.ranges.push_back({range.at("first"), range.at("last")});
  }
  return settings;
}

class DialledNumbers : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (server().value("SELECT COUNT(*) FROM tenants WHERE tenant = " + quoted(plan_.at("tenant"))) == "0") {
      server().execute(plan_sql(plan_));
    }
    store_ = make_store();
  }

  std::string meaning_of(const std::string& number, Dialled dialled) {
    const LookedUp facts = look_up(*store_, number, plan_.at("user"), plan_.at("tenant"));
    return facts ? meaning(*facts, plan_.at("user"), dialled) : "no answer";
  }

  const Json table_ = read_table();
  const Json plan_ = table_.at("plan");
  std::unique_ptr<SqlStore> store_;
};

TEST_F(DialledNumbers, S6_KamailioRemembersTheRowsOfTheTable) {
  const Json queries = output_of("directory_queries.lua", plan_.at("tenant"));
  ASSERT_TRUE(queries.is_object());
  Json rows;
  for (const auto& [kind, query] : queries.items()) rows[kind] = server().query(query.get<std::string>());
  const TempDir directory("dialled");
  write_file(directory.path() / "rows.json", rows.dump());
  const Json answers = output_of("remembered_numbers.lua", (directory.path() / "rows.json").string());
  const Json& cases = table_.at("cases");
  ASSERT_TRUE(answers.is_array());
  ASSERT_EQ(answers.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(answers[i].is_object() ? answers[i] : Json(), cases[i].at("row")) << cases[i].at("uri");
  }
}

TEST_F(DialledNumbers, S6_ParkdUnderstandsThemAsTheTableSays) {
  for (const Json& one : table_.at("cases")) {
    const auto uri = sip::parse_uri(one.at("uri").get<std::string>());
    const Json understood = {{"called", uri ? meaning_of(uri->number(), Dialled::kAsCall) : "no URI"},
                             {"transferred", uri ? meaning_of(uri->number(), Dialled::kAsTransfer) : "no URI"}};
    EXPECT_EQ(understood, one.at("parkd")) << one.at("uri");
  }
}

TEST_F(DialledNumbers, N1_ALampThatCanBeWatchedIsPublishedWhereItsCallIsRetrieved) {
  const LampSettings settings = lamp_settings(plan_);
  const std::string before = "watches ";
  int lamps = 0;
  for (const Json& one : table_.at("cases")) {
    const std::string watched = one.at("kamailio").at("watched");
    if (!watched.starts_with(before)) continue;
    const std::string kind = one.at("row").at("kind");
    if (kind != "orbit" && kind != "park_code") continue;
    const std::string called = one.at("parkd").at("called");
    // A known difference is listed in the table for as long as there is one.
    EXPECT_NE(called.starts_with("retrieve from "), one.contains("differs")) << one.at("uri");
    if (!called.starts_with("retrieve from ")) continue;
    const std::string orbit = called.substr(std::string("retrieve from ").size());
    const auto published = presence::presentities_of(settings, orbit);
    const Presentity lamp{watched.substr(before.size()), settings.tenant};
    EXPECT_NE(std::find(published.begin(), published.end(), lamp), published.end()) << one.at("uri");
    ++lamps;
  }
  EXPECT_GT(lamps, 5);
}

}  // namespace
}  // namespace callpark::test
