// The tables of menus and announcements, as calls use them: places, destinations, and the rows of callers in menus.
#include <gmock/gmock.h>

#include "parkd/store/sql_menu_store.h"
#include "tests/component/store_fixture.h"
#include "tests/component/store_relay.h"

namespace callpark::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kSite = "menus.callpark";

constexpr const char* kPlan = R"sql(
SET NAMES utf8mb4;
INSERT INTO tenants (tenant, language) VALUES ('menus.callpark', 'fr');
INSERT INTO extensions (tenant, extension, password, language) VALUES
  ('menus.callpark', '201', 'x', NULL), ('menus.callpark', '202', 'x', 'de'), ('menus.callpark', '3001', 'x', NULL),
  ('menus.callpark', '30012', 'x', NULL);
INSERT INTO ring_groups (tenant, ring_group) VALUES ('menus.callpark', '600');
INSERT INTO park_codes (tenant, code, action, bare) VALUES ('menus.callpark', '*70', 'park', 'random_orbit');
INSERT INTO orbit_ranges (tenant, orbit_range, park_number, first_orbit, last_orbit) VALUES
  ('menus.callpark', 'lot', '800', '801', '809');
INSERT INTO announcements (tenant, name, number, sound, times, destination) VALUES
  ('menus.callpark', 'closed', '710', 'we_are_closed', 2, '201');
INSERT INTO ivr_menus (tenant, name, number, greeting_sound) VALUES
  ('menus.callpark', 'sales', '701', 'sales_greeting');
INSERT INTO ivr_menus (tenant, name, number, greeting_text, first_key_seconds, next_key_seconds, tries, ring_seconds,
                       direct_dial, timeout_destination, invalid_destination) VALUES
  ('menus.callpark', 'main', '700', 'Grüß Gott. Drücken Sie 1.', 7, 2, 4, 25, TRUE, '201', '710');
INSERT INTO ivr_menu_options (tenant, menu, digits, destination) VALUES
  ('menus.callpark', 'main', '1', '701'), ('menus.callpark', 'main', '12', '+442030000999'),
  ('menus.callpark', 'main', '*', 'repeat'), ('menus.callpark', 'main', '9', 'hangup:busy'),
  ('menus.callpark', 'sales', '0', 'back');
INSERT INTO call_flows (tenant, name, number, destination, alternate_destination) VALUES
  ('menus.callpark', 'hours', '300', '700', '710');
INSERT INTO call_flows (tenant, name, number, destination, alternate_destination) VALUES
  ('menus.callpark', 'outer', '301', '300', 'hangup:busy');
INSERT INTO call_flows (tenant, name, number, destination, alternate_destination) VALUES
  ('menus.callpark', 'away', '302', '+442030000999', '201');
INSERT INTO call_flows (tenant, name, number, destination, alternate_destination) VALUES
  ('menus.callpark', 'waiting', '303', '801', '201');
)sql";

constexpr const char* kReset = R"sql(
DELETE FROM menu_calls;
DELETE FROM cdrs;
DELETE FROM park_segments;
UPDATE tenants SET enabled = TRUE WHERE tenant = 'menus.callpark';
UPDATE extensions SET enabled = TRUE WHERE tenant = 'menus.callpark';
UPDATE ring_groups SET enabled = TRUE WHERE tenant = 'menus.callpark';
UPDATE announcements SET enabled = TRUE, language = NULL WHERE tenant = 'menus.callpark';
UPDATE ivr_menus SET enabled = TRUE, language = NULL WHERE tenant = 'menus.callpark';
UPDATE call_flows SET enabled = TRUE, status = 'on' WHERE tenant = 'menus.callpark';
)sql";

constexpr WallTime kAnsweredAt{Duration(1700000000123)};

WallTime later(int seconds) {
  return kAnsweredAt + std::chrono::seconds(seconds);
}

MenuCallRow example_call(const std::string& id) {
  MenuCallRow row;
  row.id = ParkId(id);
  row.tenant = kSite;
  row.numbers = {"700", "701"};
  row.caller = example_row(id).caller;
  row.media = MediaSnapshot{.session = "menu-" + id, .local = {"127.0.0.1", 4000}, .ssrc = 7, .remote = {}};
  row.since = kAnsweredAt;
  row.cdr = Cdr{.dialled = "+442030000700",
                .caller_kind = Cdr::Kind::kTrunk,
                .caller_number = "+390212345",
                .caller_name = "J\xc3\xb6rg",
                .caller_withheld = false,
                .caller_trunk = "carrier",
                .callee_kind = Cdr::Kind::kMenu,
                .callee_number = "700",
                .sip_call_id = id};
  return row;
}

void expect_same(const MenuCallRow& a, const MenuCallRow& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.tenant, b.tenant);
  EXPECT_EQ(a.numbers, b.numbers);
  EXPECT_EQ(a.caller, b.caller);
  EXPECT_EQ(a.peer, b.peer);
  EXPECT_EQ(a.media, b.media);
  EXPECT_EQ(a.since, b.since);
  EXPECT_EQ(a.cdr, b.cdr);
}

MenuCallRow with_peer(MenuCallRow row, const std::string& call_id = "target") {
  DialogSnapshot peer;
  peer.call_id = call_id;
  peer.local_tag = "cc";
  peer.remote_was_called = true;
  row.peer = std::move(peer);
  return row;
}

/// The row that a call has in parked_calls once it talks.
ParkedCallRow talking(const MenuCallRow& call) {
  ParkedCallRow row = example_row(call.id.text());
  row.tenant = call.tenant;
  row.state = RowState::kRetrieved;
  row.parker = "";
  row.caller = call.caller;
  row.caller.remote_party = Extension{kSite, "202"};
  row.peer = call.peer;
  row.retriever = Extension{kSite, "201"};
  row.parked_at = later(5);
  return row;
}

/// The same with the open segment of its talk, which has a CDR.
ParkedCallRow talking_with_cdr(const MenuCallRow& call) {
  ParkedCallRow row = talking(call);
  Segment& talk = row.segment.emplace();
  talk.what = {park::SegmentKind::kTalk};
  talk.began_at = talk.parked_at = row.parked_at;
  talk.cdr = call.cdr;
  talk.cdr->callee_kind = Cdr::Kind::kExtension;
  talk.cdr->callee_number = "201";
  return row;
}

EndedSegment ended_talk(const ParkedCallRow& row, park::SegmentEnd end) {
  return {*row.segment, later(65), end};
}

class StoreMenus : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (server().value("SELECT COUNT(*) FROM tenants WHERE tenant = 'menus.callpark'") == "0") server().execute(kPlan);
    server().execute(kReset);
    open_at(server().socket());
  }
  void TearDown() override { close(); }

  void open_at(const std::filesystem::path& socket) {
    close();
    parked_calls_ = make_store_at(socket);
    menus_ = std::make_unique<SqlMenuStore>(loop_, *parked_calls_);
  }
  void close() {
    menus_.reset();
    parked_calls_.reset();
  }

  using Place = Result<std::optional<MenuPlace>, StoreUnavailable>;
  std::optional<MenuPlace> find(const std::string& number, const std::string& extension = "201",
                                const std::string& tenant = kSite) {
    return await<Place>([&](auto answer) { menus_->find_place(tenant, extension, number, answer); }).value().value();
  }
  using Resolved = Result<FoundDestination, StoreUnavailable>;
  Resolved try_resolve(const std::string& destination, bool is_entered = false) {
    return await<Resolved>([&](auto answer) { menus_->resolve(kSite, "201", destination, is_entered, answer); })
        .value_or(failure(StoreUnavailable{}));
  }
  static std::string words(const FoundDestination& found) {
    if (const auto* place = std::get_if<MenuPlace>(&found)) return "place " + place->number;
    if (std::holds_alternative<DestinationNumber>(found)) return "rings";
    return std::holds_alternative<DestinationHangUp>(found) ? "hangs up" : "missing";
  }
  std::string resolve(const std::string& destination, bool is_entered = false) {
    const Resolved found = try_resolve(destination, is_entered);
    return found ? words(*found) : "no answer";
  }

  using Claimed = Result<void, MenuStore::ClaimFailure>;
  Claimed claim(MenuStore& menus, const MenuCallRow& row) {
    return await<Claimed>([&](auto answer) { menus.claim(row, answer); })
        .value_or(failure(MenuStore::ClaimFailure::kUnavailable));
  }
  Claimed claim(const MenuCallRow& row) { return claim(*menus_, row); }
  using LoadedCalls = Result<std::vector<MenuCallRow>, StoreUnavailable>;
  std::vector<MenuCallRow> load_calls(MenuStore& menus) {
    return await<LoadedCalls>([&](auto answer) { menus.load(answer); }).value().value();
  }
  void finish() { finish_writes(*parked_calls_); }
  void write(const MenuCallRow& row) {
    menus_->write(row);
    finish();
  }
  static std::string call(const std::string& column, const std::string& id = "a") {
    return server().value("SELECT " + column + " FROM menu_calls WHERE id = '" + id + "'");
  }
  /// "ivr_menu 700 5000 connected, extension 201 60000 caller"
  static std::string cdrs() {
    return server().value(
        "SELECT COALESCE(GROUP_CONCAT(CONCAT_WS(' ', callee_kind, callee_number, duration_ms, ended) ORDER BY "
        "began_at, duration_ms, ended_at, ended SEPARATOR ', '), '') FROM cdrs");
  }
  void remove(const std::string& id, menu::EndedBy by = menu::EndedBy::kCaller, int seconds = 5) {
    menus_->remove(ParkId(id), by, later(seconds));
    finish();
  }
  static std::string calls() { return server().value("SELECT COUNT(*) FROM menu_calls"); }

  std::unique_ptr<SqlStore> parked_calls_;
  std::unique_ptr<SqlMenuStore> menus_;
};

// ---- places ----

TEST_F(StoreMenus, F6_ANumberFindsItsMenuWithAllItsSettings) {
  const auto found = find("700");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->number, "700");
  EXPECT_EQ(found->name, "main");
  EXPECT_EQ(found->sound, "");
  EXPECT_EQ(found->text, "Grüß Gott. Drücken Sie 1.");
  EXPECT_EQ(found->first_key, std::chrono::seconds(7));
  EXPECT_EQ(found->next_key, std::chrono::seconds(2));
  EXPECT_EQ(found->ring_max, std::chrono::seconds(25));
  const menu::Place& place = found->place;
  EXPECT_EQ(place.kind, menu::Place::Kind::kMenu);
  EXPECT_THAT(place.options, ElementsAre(menu::Option{"*", "repeat"}, menu::Option{"1", "701"},
                                         menu::Option{"12", "+442030000999"}, menu::Option{"9", "hangup:busy"}));
  EXPECT_TRUE(place.direct_dial);
  EXPECT_EQ(place.tries_max, 4);
  EXPECT_EQ(place.timeout_destination, "201");
  EXPECT_EQ(place.invalid_destination, "710");
  menu::ExtensionLengths lengths{};
  lengths[2] = 1U << 3U;
  lengths[3] = 1U << 4U | 1U << 5U;
  EXPECT_EQ(place.extensions, lengths);
  server().execute("UPDATE extensions SET enabled = FALSE WHERE tenant = 'menus.callpark' AND extension = '30012'");
  lengths[3] = 1U << 4U;
  EXPECT_EQ(find("700")->place.extensions, lengths);
  const auto sales = find("701");
  ASSERT_TRUE(sales);
  EXPECT_EQ(sales->sound, "sales_greeting");
  EXPECT_EQ(sales->place.extensions, menu::ExtensionLengths{}) << "without direct dial no extension is looked for";
  EXPECT_THAT(sales->place.options, ElementsAre(menu::Option{"0", "back"}));
}

TEST_F(StoreMenus, F7_ANumberFindsItsAnnouncement) {
  const auto found = find("710");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->number, "710");
  EXPECT_EQ(found->name, "closed");
  EXPECT_EQ(found->sound, "we_are_closed");
  EXPECT_EQ(found->text, "");
  EXPECT_EQ(found->place.kind, menu::Place::Kind::kAnnouncement);
  EXPECT_EQ(found->place.times, 2);
  EXPECT_EQ(found->place.destination, "201");
  EXPECT_THAT(found->place.options, IsEmpty());
  EXPECT_GT(found->ring_max, Duration(0));
}

TEST_F(StoreMenus, F6_TheLanguageIsThePlacesElseTheCallersElseTheTenants) {
  for (const char* number : {"700", "710"}) {
    EXPECT_EQ(find(number, "201")->language, "fr");
    EXPECT_EQ(find(number, "202")->language, "de");
    EXPECT_EQ(find(number, "")->language, "fr") << "of a trunk's caller";
    EXPECT_EQ(find(number, "999")->language, "fr");
  }
  server().execute(
      "UPDATE ivr_menus SET language = 'es' WHERE tenant = 'menus.callpark'; "
      "UPDATE announcements SET language = 'es' WHERE tenant = 'menus.callpark'");
  for (const char* number : {"700", "710"}) EXPECT_EQ(find(number, "202")->language, "es");
}

TEST_F(StoreMenus, F6_WhatIsDisabledOrGoneIsNotFound) {
  for (const char* number : {"711", "201", "600", "300", ""}) EXPECT_FALSE(find(number)) << number;
  EXPECT_FALSE(find("700", "201", kTenant)) << "it is another tenant's";
  server().execute("UPDATE ivr_menus SET enabled = FALSE WHERE tenant = 'menus.callpark' AND number = '700'");
  server().execute("UPDATE announcements SET enabled = FALSE WHERE tenant = 'menus.callpark'");
  EXPECT_FALSE(find("700"));
  EXPECT_FALSE(find("710"));
  EXPECT_TRUE(find("701"));
  server().execute("UPDATE tenants SET enabled = FALSE WHERE tenant = 'menus.callpark'");
  EXPECT_FALSE(find("701"));
  EXPECT_FALSE(find("701", "201", "gone.callpark"));
}

TEST_F(StoreMenus, F6_TheFactsOfADialledNumberNameAnEnabledMenu) {
  const auto menu_of = [&](const std::string& dialled) {
    return look_up(*parked_calls_, dialled, "201", kSite).value().menu;
  };
  EXPECT_EQ(menu_of("700"), "700");
  EXPECT_EQ(menu_of("710"), "710");
  EXPECT_EQ(menu_of("710#"), "710");
  EXPECT_EQ(menu_of("701;phone-context=menus.callpark"), "701");
  for (const char* other : {"201", "600", "300", "*70", "70", "7001", ""}) EXPECT_EQ(menu_of(other), "") << other;
  server().execute(
      "UPDATE ivr_menus SET enabled = FALSE WHERE tenant = 'menus.callpark'; "
      "UPDATE announcements SET enabled = FALSE WHERE tenant = 'menus.callpark'");
  EXPECT_EQ(menu_of("700"), "");
  EXPECT_EQ(menu_of("710"), "");
  EXPECT_EQ(look_up(*parked_calls_, "700")->menu, "") << "of another tenant";
}

// ---- destinations ----

TEST_F(StoreMenus, F6_ADestinationRingsOrIsAPlace) {
  EXPECT_EQ(resolve("201"), "rings");
  EXPECT_EQ(resolve("600"), "rings");
  EXPECT_EQ(resolve("701"), "place 701");
  EXPECT_EQ(resolve("710"), "place 710");
  for (const char* other : {"999", "*70", "800", "801", ""}) EXPECT_EQ(resolve(other), "missing") << other;
  const Resolved found = try_resolve("700");
  ASSERT_TRUE(found);
  EXPECT_THAT(std::get<MenuPlace>(*found).place.options, SizeIs(4)) << "with its settings";
  server().execute(
      "UPDATE extensions SET enabled = FALSE WHERE tenant = 'menus.callpark' AND extension = '201'; "
      "UPDATE ring_groups SET enabled = FALSE WHERE tenant = 'menus.callpark'; "
      "UPDATE ivr_menus SET enabled = FALSE WHERE tenant = 'menus.callpark'; "
      "UPDATE announcements SET enabled = FALSE WHERE tenant = 'menus.callpark'");
  for (const char* disabled : {"201", "600", "701", "710"}) EXPECT_EQ(resolve(disabled), "missing") << disabled;
  server().execute(kReset);
  server().execute("UPDATE tenants SET enabled = FALSE WHERE tenant = 'menus.callpark'");
  for (const char* disabled : {"201", "600", "701", "710", "300"}) EXPECT_EQ(resolve(disabled), "missing") << disabled;
}

TEST_F(StoreMenus, F2_ACallFlowLeadsToWhatItsStatusSays) {
  EXPECT_EQ(resolve("300"), "place 700");
  EXPECT_EQ(resolve("301"), "place 700");
  EXPECT_EQ(resolve("302"), "rings");
  EXPECT_EQ(resolve("303"), "missing") << "a caller in a menu retrieves from no orbit";
  server().execute("UPDATE call_flows SET status = 'off' WHERE tenant = 'menus.callpark' AND number = '300'");
  EXPECT_EQ(resolve("300"), "place 710");
  EXPECT_EQ(resolve("301"), "place 710");
  server().execute("UPDATE call_flows SET status = 'off' WHERE tenant = 'menus.callpark'");
  EXPECT_EQ(resolve("301"), "hangs up");
  EXPECT_EQ(resolve("302"), "rings");
  server().execute(kReset);
  server().execute("UPDATE call_flows SET enabled = FALSE WHERE tenant = 'menus.callpark' AND number = '300'");
  EXPECT_EQ(resolve("300"), "missing");
  EXPECT_EQ(resolve("301"), "missing");
}

TEST_F(StoreMenus, F2_SixteenCallFlowsAreFollowedAndNoMore) {
  const auto flow = [](int number, const std::string& destination) {
    const std::string text = std::to_string(number);
    server().execute(
        "INSERT INTO call_flows (tenant, name, number, destination, alternate_destination) VALUES "
        "('menus.callpark', 'f" +
        text + "', '" + text + "', '" + destination + "', 'hangup:busy')");
  };
  flow(4001, "700");
  for (int number = 4002; number <= 4017; ++number) flow(number, std::to_string(number - 1));
  EXPECT_EQ(resolve("4016"), "place 700");
  EXPECT_EQ(resolve("4017"), "missing");
  server().execute("UPDATE call_flows SET status = 'off' WHERE tenant = 'menus.callpark' AND number = '4002'");
  EXPECT_EQ(resolve("4017"), "hangs up");
  for (int number = 4017; number >= 4001; --number) {
    server().execute("DELETE FROM call_flows WHERE tenant = 'menus.callpark' AND number = '" + std::to_string(number) +
                     "'");
  }
}

TEST_F(StoreMenus, F6_AnEntryIsAnEnabledExtensionAndNothingElse) {
  EXPECT_EQ(resolve("3001", true), "rings");
  for (const char* other : {"300", "600", "700", "710", "*70", "999", ""}) {
    EXPECT_EQ(resolve(other, true), "missing") << other;
  }
  server().execute("UPDATE extensions SET enabled = FALSE WHERE tenant = 'menus.callpark'");
  EXPECT_EQ(resolve("3001", true), "missing");
}

TEST_F(StoreMenus, F6_WhatNeedsNoTableIsAnsweredWithoutADatabase) {
  open_at("/nonexistent/mysql.sock");
  bool is_answered = false;
  menus_->resolve(kSite, "201", "hangup:busy", false, [&](const Resolved&) { is_answered = true; });
  EXPECT_FALSE(is_answered) << "never from within the call";
  EXPECT_TRUE(run_until([&] { return is_answered; }));
  EXPECT_EQ(resolve("hangup:busy"), "hangs up");
  EXPECT_EQ(resolve("+442030000999"), "rings");
  EXPECT_EQ(resolve("201"), "no answer");
  EXPECT_EQ(resolve("201", true), "no answer");
  EXPECT_FALSE(await<Place>([&](auto answer) { menus_->find_place(kSite, "201", "700", answer); }).value());
}

// ---- callers in menus ----

TEST_F(StoreMenus, O4_ACallIsTheSameAfterItsRow) {
  const MenuCallRow row = with_peer(example_call("a"));
  write(row);
  MenuCallRow bare = example_call("b");
  bare.numbers = {"710"};
  bare.media.reset();
  write(bare);
  const auto loaded = load_calls(*menus_);
  ASSERT_THAT(loaded, SizeIs(2));
  const bool in_order = loaded.at(0).id == row.id;
  expect_same(loaded.at(in_order ? 0 : 1), row);
  expect_same(loaded.at(in_order ? 1 : 0), bare);
  EXPECT_EQ(loaded.at(0).owner, "node-1");
  EXPECT_EQ(call("since"), "2023-11-14 22:13:20.123");
}

TEST_F(StoreMenus, O4_ARowIsWrittenAnewAndRemoved) {
  MenuCallRow row = example_call("a");
  write(row);
  row.numbers = {"700"};
  row.media.reset();
  write(row);
  write(row);
  EXPECT_EQ(call("CONCAT(numbers, COALESCE(media, ' none'))"), "700 none");
  remove("a");
  EXPECT_EQ(calls(), "0");
}

TEST_F(StoreMenus, O4_AClaimNamesTheTargetUntilItIsWrittenWithoutOne) {
  const MenuCallRow row = example_call("a");
  write(row);
  EXPECT_TRUE(claim(with_peer(row)));
  EXPECT_EQ(call("JSON_VALUE(peer_dialog, '$.call_id')"), "target");
  EXPECT_TRUE(claim(with_peer(row))) << "as after a lost connection";
  write(row);
  EXPECT_EQ(call("COALESCE(peer_dialog, 'none')"), "none");
  menus_->remove(row.id, menu::EndedBy::kCaller, later(5));
  EXPECT_EQ(claim(with_peer(row)).error(), MenuStore::ClaimFailure::kGone) << "it waits for the removal";
}

TEST_F(StoreMenus, O4_ANodeLoadsItsOwnRowsAndTheProcessBeforeItWritesNoMore) {
  const MenuCallRow row = example_call("a");
  write(row);
  write(example_call("b"));
  write(example_call("c"));
  const auto of_other = make_store("node-2");
  SqlMenuStore other(loop_, *of_other);
  EXPECT_THAT(load_calls(other), IsEmpty());
  const auto after = make_store();
  SqlMenuStore next(loop_, *after);
  EXPECT_THAT(load_calls(next), SizeIs(3));
  MenuCallRow late = row;
  late.numbers = {"710"};
  write(late);
  EXPECT_EQ(claim(with_peer(row)).error(), MenuStore::ClaimFailure::kGone);
  menus_->hand_over(talking(with_peer(example_call("b"))));
  remove("c");
  EXPECT_EQ(call("CONCAT(numbers, COALESCE(peer_dialog, ' none'))"), "700,701 none");
  EXPECT_EQ(calls(), "3");
  EXPECT_EQ(rows(), "0");
  EXPECT_TRUE(claim(next, with_peer(row)));
  next.remove(ParkId("a"), menu::EndedBy::kCaller, later(5));
  finish_writes(*after);
  EXPECT_EQ(calls(), "2");
  write(late);
  EXPECT_EQ(calls(), "2") << "what the next process has removed is not inserted again";
}

TEST_F(StoreMenus, O4_ARowThatIsLoadedIsWrittenAnew) {
  write(example_call("a"));
  open_at(server().socket());
  ASSERT_THAT(load_calls(*menus_), SizeIs(1));
  MenuCallRow row = example_call("a");
  row.numbers = {"710"};
  write(row);
  EXPECT_EQ(call("numbers"), "710");
}

TEST_F(StoreMenus, O4_ARowThatCannotBeReadIsLeftOut) {
  write(example_call("a"));
  write(example_call("b"));
  server().execute("UPDATE menu_calls SET caller_dialog = '{}' WHERE id = 'a'");
  const auto loaded = load_calls(*menus_);
  ASSERT_THAT(loaded, SizeIs(1));
  EXPECT_EQ(loaded.front().id, ParkId("b"));
}

TEST_F(StoreMenus, O4_TheRowsOfATenantThatIsDisabledAreThere) {
  write(example_call("a"));
  server().execute("UPDATE tenants SET enabled = FALSE WHERE tenant = 'menus.callpark'");
  ASSERT_THAT(load_calls(*menus_), SizeIs(1));
  EXPECT_TRUE(claim(with_peer(example_call("a"))));
  remove("a");
  EXPECT_EQ(calls(), "0");
}

// ---- CDRs ----

TEST_F(StoreMenus, B4_F6_TheTimeInMenusIsACdr) {
  write(example_call("a"));
  EXPECT_EQ(cdrs(), "");
  remove("a", menu::EndedBy::kParkd);
  EXPECT_EQ(server().value("SELECT CONCAT_WS('|', began_at, ended_at, duration_ms, ended, day, tenant, direction, "
                           "dialled, caller_kind, caller_number, HEX(caller_name), caller_withheld, caller_trunk, "
                           "callee_kind, callee_number, callee_trunk, call_id) FROM cdrs"),
            "2023-11-14 22:13:20.123|2023-11-14 22:13:25.123|5000|callee|2023-11-14|menus.callpark|incoming|"
            "+442030000700|trunk|+390212345|4AC3B67267|0|carrier|ivr_menu|700||a");
  remove("a");
  EXPECT_EQ(cdrs(), "ivr_menu 700 5000 callee");
}

TEST_F(StoreMenus, B4_F6_TheTalkIsTheNextCdr) {
  for (const auto& [end, words] : std::vector<std::pair<park::SegmentEnd, std::string>>{
           {park::SegmentEnd::kCaller, "caller"}, {park::SegmentEnd::kCallee, "callee"}}) {
    const MenuCallRow row = with_peer(example_call(words));
    const ParkedCallRow talk = talking_with_cdr(row);
    menus_->write(row);
    menus_->hand_over(talk);
    finish();
    const auto loaded = load(*parked_calls_);
    ASSERT_TRUE(loaded && loaded->size() == 1);
    EXPECT_EQ(loaded->front().segment, talk.segment) << "for the next parkd";
    parked_calls_->remove(row.id, park::EndReason::kHungUp, {ended_talk(talk, end)});
    finish();
    EXPECT_EQ(cdrs(), "ivr_menu 700 5000 connected, extension 201 60000 " + words);
    EXPECT_EQ(server().value("SELECT COUNT(DISTINCT call_id) FROM cdrs"), "1");
    EXPECT_EQ(server().value("SELECT COUNT(*) FROM park_segments"), "0");
    EXPECT_EQ(server().value("SELECT CONCAT_WS(' ', calls, call_seconds + 0.0) FROM talk_days"), "1 65.0000");
    server().execute("DELETE FROM cdrs");
  }
}

TEST_F(StoreMenus, B4_F6_ATalkThatIsParkedHasASegmentToo) {
  const MenuCallRow row = with_peer(example_call("a"));
  ParkedCallRow talk = talking_with_cdr(row);
  menus_->write(row);
  menus_->hand_over(talk);
  talk.ended_segments = {ended_talk(talk, park::SegmentEnd::kParked)};
  talk.ended_segments.front().segment.parker = talk.ended_segments.front().segment.party = "201";
  Segment parked = *talk.segment;
  parked.number = 2;
  parked.what = {park::SegmentKind::kParked};
  parked.began_at = later(65);
  parked.cdr.reset();
  talk.segment = parked;
  parked_calls_->write_retrieved(talk);
  parked_calls_->write_retrieved(talk);
  parked_calls_->remove(row.id, park::EndReason::kGaveUp, {{parked, later(75), park::SegmentEnd::kGaveUp}});
  finish();
  EXPECT_EQ(cdrs(), "ivr_menu 700 5000 connected, extension 201 60000 parked");
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(CONCAT_WS(' ', segment, kind, party, milliseconds, ended) ORDER BY "
                           "segment SEPARATOR ', ') FROM park_segments"),
            "1 talk_before 201 60000 parked, 2 parked  10000 gave_up");
  EXPECT_EQ(server().value("SELECT CONCAT_WS(' ', calls, call_seconds + 0.0, parked_seconds + 0.0) FROM talk_days"),
            "1 65.0000 10.0000");
  EXPECT_EQ(server().value("SELECT CONCAT_WS(' ', COUNT(*), MAX(talk_before_seconds + 0.0)) FROM billing_calls"),
            "1 60.0000");
}

TEST_F(StoreMenus, B4_O4_AProcessThatHasLostTheRowEntersNothing) {
  write(example_call("a"));
  write(example_call("b"));
  run_for(Duration(2));  // the epoch is the time of the start, in milliseconds
  const auto after_it = make_store();
  SqlMenuStore next(loop_, *after_it);
  ASSERT_THAT(load_calls(next), SizeIs(2));
  remove("a");
  menus_->hand_over(talking(with_peer(example_call("b"))));
  finish();
  EXPECT_EQ(cdrs(), "");
  EXPECT_EQ(calls(), "2");
  next.remove(ParkId("a"), menu::EndedBy::kCaller, later(7));
  finish_writes(*after_it);
  EXPECT_EQ(cdrs(), "ivr_menu 700 7000 caller");
}

TEST_F(StoreMenus, B4_O4_ARowOfAnOlderParkdHasNoCdr) {
  MenuCallRow row = with_peer(example_call("a"));
  row.cdr.reset();
  write(row);
  EXPECT_FALSE(load_calls(*menus_).front().cdr);
  menus_->hand_over(talking(row));
  finish();
  EXPECT_EQ(rows(), "1");
  row.id = ParkId("b");
  write(row);
  remove("b");
  EXPECT_EQ(calls(), "0");
  EXPECT_EQ(cdrs(), "");
}

TEST_F(StoreMenus, B4_AClockThatIsBehindMakesNoNegativeDuration) {
  write(example_call("a"));
  remove("a", menu::EndedBy::kCaller, -5);
  EXPECT_EQ(cdrs(), "ivr_menu 700 0 caller");
}

TEST_F(StoreMenus, B4_S13_ARowAndItsCdrAreWrittenTogetherOrNotAtAll) {
  const auto refusing = [](const std::string& table, const std::string& event) {
    return "CREATE TRIGGER refuses BEFORE " + event + " ON " + table +
           " FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not now'";
  };
  const MenuCallRow row = with_peer(example_call("b"));
  write(example_call("a"));
  write(row);
  for (const std::string& trigger :
       {refusing("menu_calls", "DELETE"), refusing("cdrs", "INSERT"), refusing("parked_calls", "INSERT")}) {
    server().execute(trigger);
    if (trigger.find("parked_calls") == std::string::npos) remove("a");
    menus_->hand_over(talking(row));
    finish();
    server().execute("DROP TRIGGER refuses");
    EXPECT_EQ(cdrs(), "") << trigger;
    EXPECT_EQ(calls(), "2") << trigger;
    EXPECT_EQ(rows(), "0") << trigger;
  }
  menus_->hand_over(talking(row));
  finish();
  EXPECT_EQ(cdrs(), "ivr_menu 700 5000 connected");
}

TEST_F(StoreMenus, B4_ACdrCostsNoStatement) {
  server().execute(
      "SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 0; TRUNCATE mysql.general_log; "
      "SET GLOBAL general_log = 1");
  const MenuCallRow row = with_peer(example_call("b"));
  write(example_call("a"));
  remove("a");
  write(row);
  menus_->hand_over(talking_with_cdr(row));
  finish();
  server().execute("SET GLOBAL general_log = 0");
  EXPECT_EQ(server().value("SELECT GROUP_CONCAT(LEFT(argument, 18) ORDER BY event_time SEPARATOR ', ') FROM "
                           "mysql.general_log WHERE command_type IN ('Query', 'Execute') AND user_host LIKE "
                           "'callpark%' AND argument NOT REGEXP '^(SET|SHOW) |schema_migrations'"),
            "INSERT INTO menu_c, CALL end_menu_call, INSERT INTO menu_c, START TRANSACTION, CALL end_menu_call, "
            "INSERT INTO parked, COMMIT");
  EXPECT_EQ(cdrs(), "ivr_menu 700 5000 caller, ivr_menu 700 5000 connected");
}

// ---- the caller talks ----

TEST_F(StoreMenus, F6_ACallThatTalksIsTheParkServicesFromThereOn) {
  std::vector<CallChange> changes;
  parked_calls_->set_on_changed([&](const CallChange& change) { changes.push_back(change); });
  const MenuCallRow row = with_peer(example_call("a"));
  menus_->write(row);
  menus_->hand_over(talking(row));
  finish();
  EXPECT_EQ(calls(), "0");
  EXPECT_EQ(column("CONCAT_WS(' ', state, retriever, owner, COALESCE(orbit, 'none'), COALESCE(segment, 'none'))", "a"),
            "retrieved 201 node-1 none none");
  EXPECT_EQ(column("parker", "a"), "");
  ASSERT_THAT(changes, SizeIs(1)) << "watchers see the talk";
  EXPECT_EQ(changes.front().caller, (Extension{kSite, "202"}));
  EXPECT_EQ(changes.front().retriever, (Extension{kSite, "201"}));
  ParkedCallRow transferred = talking(row);
  transferred.retriever = Extension{kSite, "3001"};
  parked_calls_->write_retrieved(transferred);
  finish();
  EXPECT_EQ(column("retriever", "a"), "3001");
  ASSERT_THAT(changes, SizeIs(3)) << "also its end";
  const auto loaded = load(*parked_calls_);
  ASSERT_TRUE(loaded);
  ASSERT_THAT(*loaded, SizeIs(1));
  EXPECT_FALSE(loaded->front().segment);
  EXPECT_EQ(loaded->front().parker, "");
  parked_calls_->remove(row.id, park::EndReason::kHungUp, {});
  finish();
  EXPECT_EQ(rows(), "0");
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM park_segments WHERE park_id = 'a'"), "0");
}

TEST_F(StoreMenus, F6_ACallThatTalksIsParkedAsARetrievedOneIs) {
  const MenuCallRow row = with_peer(example_call("a"));
  menus_->write(row);
  menus_->hand_over(talking(row));
  ParkedCallRow again = talking(row);
  again.parker = "201";
  const auto got = claim_orbit(*parked_calls_, again, at("201"));
  ASSERT_TRUE(got);
  EXPECT_EQ(column("CONCAT_WS(' ', state, orbit, parker)", "a"), "adopting 201 201");
  EXPECT_EQ(rows(), "1");
}

TEST_F(StoreMenus, S13_WhatFollowsAHandOverIsDoneAfterItWhenTheServerIsBack) {
  const MenuCallRow row = with_peer(example_call("a"));
  write(example_call("b"));
  server().kill9();
  menus_->write(row);
  menus_->hand_over(talking(row));
  ParkedCallRow transferred = talking(row);
  transferred.retriever = Extension{kSite, "3001"};
  parked_calls_->write_retrieved(transferred);
  menus_->remove(ParkId("b"), menu::EndedBy::kParkd, later(9));
  const MenuCallRow short_call = example_call("c");
  menus_->write(short_call);
  menus_->hand_over(talking(short_call));
  parked_calls_->remove(short_call.id, park::EndReason::kHungUp, {});
  run_for(Duration(1200));
  EXPECT_EQ(parked_calls_->waiting_writes(), 7U);
  server().start();
  finish();
  EXPECT_EQ(calls(), "0");
  EXPECT_EQ(rows(), "1");
  EXPECT_EQ(column("retriever", "a"), "3001");
}

TEST_F(StoreMenus, S13_AHandOverIsDoneOnceWhicheverRequestOrReplyIsLost) {
  StoreRelay relay(server().socket());
  open_at(relay.socket());
  int cuts = 0;
  for (const auto lost : {StoreRelay::Lost::kRequest, StoreRelay::Lost::kReply}) {
    for (int number = 1;; ++number) {
      ASSERT_LT(number, 100);
      const std::string id = (lost == StoreRelay::Lost::kRequest ? "q" : "r") + std::to_string(number);
      SCOPED_TRACE(id);
      const MenuCallRow row = with_peer(example_call(id));
      write(row);
      relay.cut(lost, number);
      const ParkedCallRow talk = talking_with_cdr(row);
      menus_->hand_over(talk);
      finish();
      const bool was_cut = relay.has_cut();
      EXPECT_EQ(calls(), "0");
      EXPECT_EQ(column("state", id), "retrieved");
      EXPECT_EQ(cdrs(), "ivr_menu 700 5000 connected");
      parked_calls_->remove(row.id, park::EndReason::kHungUp, {ended_talk(talk, park::SegmentEnd::kCaller)});
      finish();
      EXPECT_EQ(rows(), "0");
      EXPECT_EQ(cdrs(), "ivr_menu 700 5000 connected, extension 201 60000 caller");
      server().execute("DELETE FROM cdrs");
      if (!was_cut) break;
      ++cuts;
    }
  }
  EXPECT_GT(cuts, 4);
  close();  // before the relay
}

TEST_F(StoreMenus, S13_AClaimWithALateAnswerIsUndone) {
  const MenuCallRow row = example_call("a");
  write(row);
  server().pause();
  EXPECT_EQ(claim(with_peer(row)).error(), MenuStore::ClaimFailure::kUnavailable);
  server().resume();
  const auto has_no_peer = [] { return call("COALESCE(peer_dialog, 'none')") == "none"; };
  EXPECT_TRUE(run_until([&] { return parked_calls_->waiting_writes() == 0 && parked_calls_->available(); }));
  EXPECT_TRUE(run_until(has_no_peer));
  EXPECT_TRUE(run_until([&] { return claim(with_peer(row, "next target")).has_value(); }));
  run_for(Duration(2500));
  finish();
  EXPECT_EQ(call("JSON_VALUE(peer_dialog, '$.call_id')"), "next target") << "the second undo is of the first target";
}

}  // namespace
}  // namespace callpark::test
