// The tables of the fake outside: rows of parked calls, dialled numbers, recipients of texts.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "parkd/ports/store.h"
#include "tests/unit/parkd/service/segment_records.h"
#include "tests/unit/parkd/service/steps.h"

namespace callpark {

/// Extensions 101 to 106 and 333; *68 *88 (own extension), *70 *71 (random orbit).
class FakeStore final : public Store {
 public:
  explicit FakeStore(Steps& steps) : steps_(steps) {}

  static inline const std::set<std::string> kExtensions{"101", "102", "103", "104", "105", "106", "333"};

  std::map<ParkId, ParkedCallRow> rows;
  bool is_away = false;
  bool may_park = true;
  bool may_retrieve = true;
  bool may_set_recall = false;
  int calls_per_orbit_max = 1;
  int parked_calls_max = 0;
  int extension_parked_calls_max = 0;
  int retrieve_misses_max = 0;
  int park_seconds_max = 3600;
  bool calls_back = true;
  bool call_back_shows_orbit = true;
  RecallSettings recall;
  std::optional<BillingHook> billing;
  std::string park_group;  // not empty: parks are for the members of this group
  std::string music_class = "default";
  std::string language = "en";
  std::map<std::string, std::string> language_of;  // of an extension
  std::map<ParkId, park::EndReason> removed;
  SegmentRecords segments;

  /// The database is back: the statements that were kept for it are executed.
  void come_back() {
    is_away = false;
    std::set<std::string> lanes;
    for (const auto& [lane, work] : kept_) lanes.insert(lane);
    for (const std::string& lane : lanes) steps_.add(lane, [this, lane] { run_kept(lane); });
  }
  /// parkd is killed: the statements that it kept for the database are lost.
  void forget_kept() { kept_.clear(); }
  const ParkedCallRow* at_orbit(const std::string& orbit) const {
    for (const auto& [id, row] : rows) {
      if (row.orbit == orbit) return &row;
    }
    return nullptr;
  }
  static DialledFacts facts_of(const std::string& dialled) {
    DialledFacts facts;
    facts.language = "en";
    facts.music_class = "default";
    for (const auto& [code, action, bare, retrieve] :
         {std::tuple("*68", CodeAction::kPark, BareCode::kOwnExtension, "*88"),
          std::tuple("*70", CodeAction::kPark, BareCode::kRandomOrbit, "*71"),
          std::tuple("*88", CodeAction::kRetrieve, BareCode::kOwnExtension, ""),
          std::tuple("*71", CodeAction::kRetrieve, BareCode::kRandomOrbit, "")}) {
      if (dialled.rfind(code, 0) != 0) continue;
      facts.code = DialledFacts::Code{code, action, bare, retrieve};
      facts.remainder = dialled.substr(std::string(code).size());
    }
    if (dialled == "*30") facts.flow_code = dialled;
    if (dialled == "400" || dialled == "500") facts.menu = dialled;
    facts.remainder_is_extension = kExtensions.count(facts.remainder) != 0;
    return facts;
  }

  void look_up(std::string tenant, std::string user, std::string dialled,
               Answer<Result<DialledFacts, StoreUnavailable>> answer) override {
    EXPECT_FALSE(tenant.empty());
    steps_.add("look-up " + std::to_string(++last_), [this, user, dialled, answer] {
      if (is_away) return answer(failure(StoreUnavailable{}));
      DialledFacts facts = facts_of(dialled);
      if (language_of.count(user) != 0) facts.language = language_of.at(user);
      facts.may_park = may_park;
      facts.may_retrieve = may_retrieve;
      facts.may_set_recall = may_set_recall;
      facts.calls_per_orbit_max = calls_per_orbit_max;
      facts.parked_calls_max = parked_calls_max;
      facts.extension_parked_calls_max = extension_parked_calls_max;
      facts.retrieve_misses_max = retrieve_misses_max;
      facts.park_seconds_max = park_seconds_max;
      facts.calls_back = calls_back;
      facts.call_back_shows_orbit = call_back_shows_orbit;
      facts.recall = recall;
      facts.billing = billing;
      facts.music_class = music_class;
      if (!park_group.empty() && facts.code && facts.code->action == CodeAction::kPark) park_in_group(facts);
      answer(facts);
    });
  }
  void claim_orbit(ParkedCallRow row, OrbitRequest request,
                   Answer<Result<ClaimedOrbit, ClaimOrbitFailure>> answer) override {
    const ParkId id = row.park_id;
    steps_.add(lane(id),
               [this, id, row = std::move(row), request = std::move(request), answer = std::move(answer)]() mutable {
                 auto got = claim(std::move(row), request);
                 steps_.add("answer " + id.text(), [answer, got = std::move(got)] { answer(got); });
               });
  }
  void write(ParkedCallRow row, Answer<Result<void, StoreUnavailable>> answer) override {
    const ParkId id = row.park_id;
    steps_.add(lane(id), [this, id, row = std::move(row), answer = std::move(answer)] {
      Result<void, StoreUnavailable> written = failure(StoreUnavailable{});
      if (!is_away && kept_for(id) == 0 && rows.count(id) != 0) {
        const bool won = rows[id].state == RowState::kRetrieving;
        const std::optional<Party> retriever = rows[id].retriever;
        put(row);
        if (won) {
          rows[id].state = RowState::kRetrieving;
          rows[id].retriever = retriever;
        }
        written = Result<void, StoreUnavailable>();
      }
      steps_.add("answer " + id.text(), [answer, written] { answer(written); });
    });
  }
  void claim_call(std::string tenant, RetrieveRequest request, Party retriever,
                  Answer<Result<ParkedCallRow, ClaimCallFailure>> answer) override {
    const std::string name = "claim " + std::to_string(++last_);
    steps_.add(name, [this, name, tenant, request, retriever, answer] {
      auto won = win(tenant, request, retriever);
      steps_.add(name, [answer, won] { answer(won); });
    });
  }
  void claim_for_target(ParkedCallRow row, Answer<Result<void, ClaimCallFailure>> answer) override {
    const ParkId id = row.park_id;
    steps_.add(lane(id), [this, id, row = std::move(row), answer = std::move(answer)] {
      const auto won = win_for_target(row);
      steps_.add("answer " + id.text(), [answer, won] { answer(won); });
    });
  }
  void unclaim_call(ParkId park_id) override {
    keep_or_run(park_id, [this, park_id] {
      const auto row = rows.find(park_id);
      if (row == rows.end() || row->second.state == RowState::kRetrieved) return;
      row->second.state = RowState::kParked;
      row->second.retriever.reset();
    });
  }
  void write_retrieved(ParkedCallRow row) override {
    keep_or_run(row.park_id, [this, row] {
      const auto there = rows.find(row.park_id);
      if (there == rows.end()) return;
      picked_up_.insert(there->second.orbit);
      put(row);
      there->second.state = RowState::kRetrieved;
      there->second.orbit.clear();
    });
  }
  void remove(ParkId park_id, park::EndReason reason, std::vector<EndedSegment> ended) override {
    removed[park_id] = reason;
    keep_or_run(park_id, [this, park_id, ended = std::move(ended)] {
      if (rows.erase(park_id) != 0) segments.record(park_id, ended);
    });
  }
  /// Of the group `sales`, 101, 102 and 103; else the extension that is the orbit, or the parker.
  void look_up_recipients(ParkEvent event, Answer<Result<std::vector<Recipient>, StoreUnavailable>> answer) override {
    steps_.add("recipients " + std::to_string(++last_), [this, event, answer] {
      if (is_away) return answer(failure(StoreUnavailable{}));
      std::vector<Recipient> all;
      if (event.kind != ParkEventKind::kParked || event.orbit.starts_with('*')) {
        all = {{event.parker, language}};
      } else if (event.park_group.empty()) {
        all = {{event.orbit, language}};
      } else {
        for (const char* member : {"101", "102", "103"}) {
          if (member != event.parker) all.push_back({member, language});
        }
      }
      answer(all);
    });
  }
  void load(Answer<Result<std::vector<ParkedCallRow>, StoreUnavailable>> answer) override {
    steps_.add("load", [this, answer] {
      if (is_away) return answer(failure(StoreUnavailable{}));
      std::vector<ParkedCallRow> all;
      for (const auto& [id, row] : rows) all.push_back(row);
      answer(all);
    });
  }

  /// Statements about this call wait for the database.
  bool is_behind(const ParkId& id) const { return is_away || kept_for(id) != 0; }
  /// A statement about this call without an answer, in the order of all about it.
  void in_lane(const ParkId& id, std::function<void()> work) { keep_or_run(id, std::move(work)); }

 private:
  // A row and the segments that it carries are written together.
  void put(ParkedCallRow row) {
    segments.record(row.park_id, std::exchange(row.ended_segments, {}));
    const ParkId id = row.park_id;
    rows[id] = std::move(row);
  }
  void park_in_group(DialledFacts& facts) const {
    facts.code->action = CodeAction::kGroupPark;
    facts.may_group_park = true;
    facts.park_group = park_group;
    facts.park_group_members = {facts.remainder.empty() ? "101" : facts.remainder};
    facts.remainder.clear();
  }
  static std::string lane(const ParkId& id) { return "row " + id.text(); }
  std::size_t kept_for(const ParkId& id) const {
    return static_cast<std::size_t>(
        std::count_if(kept_.begin(), kept_.end(), [&](const auto& one) { return one.first == lane(id); }));
  }
  // Before what comes to its lane meanwhile.
  void run_kept(const std::string& lane) {
    if (is_away) return;
    const auto others =
        std::stable_partition(kept_.begin(), kept_.end(), [&](const auto& one) { return one.first == lane; });
    std::vector<std::pair<std::string, std::function<void()>>> now(kept_.begin(), others);
    kept_.erase(kept_.begin(), others);
    for (const auto& [name, work] : now) work();
  }
  // A statement without an answer is repeated until it is done.
  void keep_or_run(const ParkId& id, std::function<void()> work) {
    steps_.add(lane(id), [this, id, work = std::move(work)] {
      if (!is_away && kept_for(id) == 0) return work();
      kept_.emplace_back(lane(id), work);
    });
  }
  Result<ClaimedOrbit, ClaimOrbitFailure> claim(ParkedCallRow row, const OrbitRequest& request) {
    if (is_away || kept_for(row.park_id) != 0) return failure(ClaimOrbitFailure::kUnavailable);
    const auto holding =
        std::count_if(rows.begin(), rows.end(), [](const auto& one) { return !one.second.orbit.empty(); });
    if (request.parked_calls_max != 0 && holding >= request.parked_calls_max)
      return failure(ClaimOrbitFailure::kTooManyParked);
    const auto of_parker = std::count_if(rows.begin(), rows.end(), [&](const auto& one) {
      return !one.second.orbit.empty() && one.second.parker == row.parker;
    });
    if (request.extension_parked_calls_max != 0 && of_parker >= request.extension_parked_calls_max)
      return failure(ClaimOrbitFailure::kTooManyOfParker);
    row.orbit = request.orbits.empty() ? "*" + std::to_string(1000 + ++last_orbit_) : request.orbits.front();
    for (row.slot = 1; row.slot <= request.calls_per_orbit_max; ++row.slot) {
      const bool taken = std::any_of(rows.begin(), rows.end(), [&](const auto& one) {
        return one.second.orbit == row.orbit && one.second.slot == row.slot && one.first != row.park_id;
      });
      if (taken) continue;
      row.state = RowState::kAdopting;
      put(row);
      return ClaimedOrbit{row.orbit, row.slot};
    }
    return failure(ClaimOrbitFailure::kTaken);
  }
  Result<ParkedCallRow, ClaimCallFailure> win(const std::string& tenant, const RetrieveRequest& request,
                                              const Party& retriever) {
    if (is_away) return failure(ClaimCallFailure::kUnavailable);
    bool picked_up = false;
    for (const std::string& orbit : request.orbits) {
      ParkedCallRow* oldest = nullptr;
      picked_up = picked_up || picked_up_.count(orbit) != 0;
      for (auto& [id, row] : rows) {
        if (row.tenant != tenant || row.orbit != orbit) continue;
        picked_up = picked_up || row.state == RowState::kRetrieving;
        if (request.only && *request.only != id) continue;
        if (row.state == RowState::kParked && (!oldest || row.parked_at < oldest->parked_at)) oldest = &row;
      }
      if (!oldest) continue;
      oldest->state = RowState::kRetrieving;
      oldest->retriever = retriever;
      return *oldest;
    }
    return failure(picked_up ? ClaimCallFailure::kAlreadyPickedUp : ClaimCallFailure::kNoneParked);
  }
  Result<void, ClaimCallFailure> win_for_target(const ParkedCallRow& row) {
    if (is_away || kept_for(row.park_id) != 0) return failure(ClaimCallFailure::kUnavailable);
    const auto there = rows.find(row.park_id);
    if (there == rows.end() || there->second.state != RowState::kParked) {
      return failure(ClaimCallFailure::kAlreadyPickedUp);
    }
    there->second.state = RowState::kRetrieving;
    there->second.retriever = row.retriever;
    there->second.peer = row.peer;
    return {};
  }

  Steps& steps_;
  std::vector<std::pair<std::string, std::function<void()>>> kept_;
  std::set<std::string> picked_up_;
  int last_ = 0;
  int last_orbit_ = 0;
};

}  // namespace callpark
