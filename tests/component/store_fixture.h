// Stores on a loop, with questions asked as if they were answered at once.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "parkd/store/sql_store.h"
#include "tests/support/mariadb_server.h"
#include "tests/support/wait.h"

namespace callpark::test {

constexpr const char* kTenant = "demo.callpark";

inline ParkedCallRow example_row(const std::string& park_id) {
  ParkedCallRow row;
  row.park_id = ParkId(park_id);
  row.tenant = kTenant;
  row.parker = "102";
  row.music_class = "default";
  row.caller = {.call_id = "c543588f7ec7886a@127.0.0.11",
                .local_tag = "aa",
                .remote_tag = "bb",
                .local_uri = "sip:102@demo.callpark",
                .local_display = "Bob",
                .remote_uri = "sip:+442030000999@127.0.0.50",
                .remote_display = "J\xc3\xb6rg \"the\" \\ 'Caller'",
                .local_cseq = 4294967295U,
                .remote_cseq = std::nullopt,
                .remote_target = "sip:trunk@127.0.0.50:5070",
                .route_set = {"<sip:127.0.0.1;lr;ftag=aa;did=a86.f9>"},
                .local_sdp = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n",
                .remote_sdp = ""};
  row.parked_at = WallTime(Duration(1700000000123));
  row.deadline = WallTime(Duration(1700003600456));
  return row;
}

inline Extension extension(const std::string& number) {
  return {kTenant, number};
}

inline OrbitRequest at(const std::string& orbit) {
  OrbitRequest request;
  request.orbits = {orbit};
  return request;
}

class StoreTest : public ::testing::Test {
 protected:
  static void TearDownTestSuite() { server_.reset(); }
  // Here and not for the suite: after a failure to set up the suite, its tests count as skipped, and not as failed.
  void SetUp() override {
    if (!server_) server_ = std::make_unique<MariadbServer>();
    server().start();
    server().execute(
        "DELETE FROM parked_calls; DELETE FROM released_orbits; UPDATE tenants SET orbit_quarantine_seconds = 600");
  }

  static MariadbServer& server() { return *server_; }

  std::unique_ptr<SqlStore> make_store(const std::string& node = "node-1", bool wins_calls_of_others = true,
                                       std::size_t workers = 4) {
    return make_store_at(server().socket(), node, wins_calls_of_others, workers);
  }
  std::unique_ptr<SqlStore> make_store_at(const std::filesystem::path& socket, const std::string& node = "node-1",
                                          bool wins_calls_of_others = true, std::size_t workers = 4) {
    return std::make_unique<SqlStore>(
        loop_, SqlStore::Settings{.address = {socket.string(), server().user(), server().password(), "callpark"},
                                  .node_name = node,
                                  .wins_calls_of_others = wins_calls_of_others,
                                  .workers = workers});
  }

  /// Runs the loop until `answer` is called. Fails the test and returns nothing when it is not within `timeout`.
  template <class T>
  std::optional<T> await(const std::function<void(Store::Answer<T>)>& ask, Duration timeout = Duration(10000)) {
    std::optional<T> got;
    ask([&](T answer) {
      EXPECT_FALSE(got.has_value()) << "answered twice";
      got = std::move(answer);
      loop_.stop();
    });
    if (!got) run_for(timeout);
    EXPECT_TRUE(got.has_value()) << "not answered in time";
    return got;
  }
  void run_for(Duration duration) {
    const LoopHandle end = loop_.after(duration, [this] { loop_.stop(); });
    loop_.run();
  }
  /// Runs the loop until `predicate` is true.
  bool run_until(const std::function<bool()>& predicate, Duration timeout = Duration(20000)) {
    const MonotonicTime end = monotonic_now() + patient(timeout);
    while (!predicate()) {
      if (monotonic_now() > end) return false;
      run_for(Duration(2));
    }
    return true;
  }

  using Claimed = Result<ClaimedOrbit, ClaimOrbitFailure>;
  using Written = Result<void, StoreUnavailable>;
  using Won = Result<ParkedCallRow, ClaimCallFailure>;
  using Loaded = Result<std::vector<ParkedCallRow>, StoreUnavailable>;
  using LookedUp = Result<DialledFacts, StoreUnavailable>;

  LookedUp look_up(Store& store, const std::string& dialled, const std::string& user = "101",
                   const std::string& tenant = kTenant) {
    return await<LookedUp>([&](auto answer) { store.look_up(tenant, user, dialled, answer); })
        .value_or(failure(StoreUnavailable{}));
  }
  Claimed claim_orbit(Store& store, const ParkedCallRow& row, const OrbitRequest& request) {
    return await<Claimed>([&](auto answer) { store.claim_orbit(row, request, answer); })
        .value_or(failure(ClaimOrbitFailure::kUnavailable));
  }
  Written write(Store& store, const ParkedCallRow& row) {
    return await<Written>([&](auto answer) { store.write(row, answer); }).value_or(failure(StoreUnavailable{}));
  }
  Won claim_call(Store& store, const std::vector<std::string>& orbits, const Party& retriever = extension("104")) {
    return await<Won>([&](auto answer) {
             store.claim_call(kTenant, {orbits, ""}, retriever, answer);
           })
        .value_or(failure(ClaimCallFailure::kUnavailable));
  }
  Loaded load(Store& store) {
    return await<Loaded>([&](auto answer) { store.load(answer); }).value_or(failure(StoreUnavailable{}));
  }
  void finish_writes(SqlStore& store) {
    EXPECT_TRUE(run_until([&] { return store.waiting_writes() == 0; }));
  }
  /// A call parked at `orbit`, its row written.
  ParkedCallRow park(Store& store, const std::string& park_id, const OrbitRequest& request) {
    ParkedCallRow row = example_row(park_id);
    const Claimed got = claim_orbit(store, row, request);
    EXPECT_TRUE(got.has_value());
    if (!got) return row;
    row.orbit = got->orbit;
    row.slot = got->slot;
    row.state = RowState::kParked;
    EXPECT_TRUE(write(store, row).has_value());
    return row;
  }
  std::string column(const std::string& name, const std::string& park_id) {
    return server().value("SELECT " + name + " FROM parked_calls WHERE park_id = '" + park_id + "'");
  }
  std::string rows() { return server().value("SELECT COUNT(*) FROM parked_calls"); }

  EventLoop loop_;

 private:
  static inline std::unique_ptr<MariadbServer> server_;
};

}  // namespace callpark::test
