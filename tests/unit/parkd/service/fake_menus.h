// The tables of menus of the fake outside: places by their number, and rows of callers in menus.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parkd/ports/menu_store.h"
#include "tests/unit/parkd/service/fake_store.h"
#include "tests/unit/parkd/service/steps.h"

namespace callpark {

/// 400: 1 to 101, 2 to 102, 3 to 401, 9 to hangup:busy, * once more; any extension. 401: 1 to 103, 9 back. 500: an
/// announcement, then 101. 106 is a ring group. While the store is away, so are these.
class FakeMenus final : public MenuStore {
 public:
  FakeMenus(Steps& steps, FakeStore& store) : steps_(steps), store_(store) {
    using Kind = menu::Place::Kind;
    menu::Place main{Kind::kMenu,
                     {{"1", "101"}, {"2", "102"}, {"3", "401"}, {"6", "106"}, {"9", "hangup:busy"}, {"*", "repeat"}}};
    main.direct_dial = true;
    main.extensions[1] = main.extensions[3] = 1U << 3U;
    places["400"] = place("400", std::move(main), "welcome");
    places["401"] = place("401", {Kind::kMenu, {{"1", "103"}, {"9", "back"}}}, "sales");
    menu::Place announcement{Kind::kAnnouncement};
    announcement.destination = "101";
    places["500"] = place("500", std::move(announcement), "closed");
  }

  std::map<std::string, MenuPlace> places;
  std::map<ParkId, MenuCallRow> rows;
  bool is_gone = false;  // another node has the calls

  void find_place(std::string, std::string, std::string number,
                  Answer<Result<std::optional<MenuPlace>, StoreUnavailable>> answer) override {
    steps_.add("menus", [this, number = std::move(number), answer = std::move(answer)] {
      if (store_.is_away) return answer(failure(StoreUnavailable{}));
      const auto found = places.find(number);
      answer(found == places.end() ? std::nullopt : std::optional(found->second));
    });
  }
  void resolve(std::string, std::string, std::string destination, bool is_entered,
               Answer<Result<FoundDestination, StoreUnavailable>> answer) override {
    steps_.add("menus", [this, destination = std::move(destination), is_entered, answer = std::move(answer)] {
      if (store_.is_away) return answer(failure(StoreUnavailable{}));
      answer(found(destination, is_entered));
    });
  }
  void write(MenuCallRow row) override {
    const ParkId id = row.id;
    store_.in_lane(id, [this, row = std::move(row)] { rows[row.id] = row; });
  }
  void claim(MenuCallRow row, Answer<Result<void, ClaimFailure>> answer) override {
    const std::string lane = "row " + row.id.text();
    steps_.add(lane, [this, row = std::move(row), answer = std::move(answer)] {
      if (store_.is_behind(row.id)) return answer(failure(ClaimFailure::kUnavailable));
      if (is_gone || rows.count(row.id) == 0) return answer(failure(ClaimFailure::kGone));
      rows[row.id] = row;
      answer({});
    });
  }
  void remove(ParkId id, menu::EndedBy by, WallTime at) override {
    store_.in_lane(id, [this, id, by, at] { end(id, at, by == menu::EndedBy::kCaller ? "caller" : "callee"); });
  }
  void hand_over(ParkedCallRow row) override {
    const ParkId id = row.park_id;
    store_.in_lane(id, [this, row = std::move(row)] {
      EXPECT_EQ(rows.count(row.park_id), 1U);
      end(row.park_id, row.parked_at, "connected");
      store_.rows[row.park_id] = row;
    });
  }
  void load(Answer<Result<std::vector<MenuCallRow>, StoreUnavailable>> answer) override {
    steps_.add("menus", [this, answer = std::move(answer)] {
      if (store_.is_away) return answer(failure(StoreUnavailable{}));
      std::vector<MenuCallRow> all;
      for (const auto& [id, row] : rows) all.push_back(row);
      answer(all);
    });
  }

 private:
  void end(const ParkId& id, WallTime at, const std::string& how) {
    const auto row = rows.extract(id);
    if (row && row.mapped().cdr) store_.segments.enter(id, 0, *row.mapped().cdr, row.mapped().since, at, how);
  }
  static MenuPlace place(const std::string& number, menu::Place place, const std::string& sound) {
    using std::chrono::seconds;
    return {number, "menu " + number, std::move(place), sound, "", "en", seconds(8), seconds(3), seconds(30)};
  }
  FoundDestination found(const std::string& destination, bool is_entered) const {
    const bool is_extension = FakeStore::kExtensions.count(destination) != 0;
    if (is_extension) return DestinationNumber{destination == "106"};
    if (is_entered) return DestinationMissing{};
    if (destination.starts_with("hangup:")) return DestinationHangUp{};
    if (const auto there = places.find(destination); there != places.end()) return there->second;
    return destination.starts_with("+") ? FoundDestination(DestinationNumber{}) : DestinationMissing{};
  }

  Steps& steps_;
  FakeStore& store_;
};

}  // namespace callpark
