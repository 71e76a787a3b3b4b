// Maxima of parked calls on a real MariaDB: many claims at once on two nodes, lowered maxima, and what a tenant
// permits.
#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "tests/component/store_fixture.h"

namespace callpark::test {
namespace {

constexpr const char* kNeighbour = "other.callpark";

/// Reads on a connection of its own how many calls hold an orbit, over and over.
class MaximumSeen {
 public:
  MaximumSeen(const DatabaseAddress& address, const std::string& sql)
      : thread_([this, address, sql] {
          DatabaseConnection::start_thread();
          {
            DatabaseConnection connection(address);
            while (!is_over_) {
              seen_ = std::max(seen_.load(), std::stoi(connection.query(sql).at(0).at(0).value_or("0")));
              ++samples_;
            }
          }
          DatabaseConnection::stop_thread();
        }) {}
  ~MaximumSeen() { end(); }
  MaximumSeen(const MaximumSeen&) = delete;
  MaximumSeen& operator=(const MaximumSeen&) = delete;
  int end() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
    return seen_;
  }
  [[nodiscard]] int samples() const { return samples_; }

 private:
  std::atomic<bool> is_over_ = false;
  std::atomic<int> seen_ = 0;
  std::atomic<int> samples_ = 0;
  std::thread thread_;
};

class StoreCaps : public StoreTest {
 protected:
  static DatabaseAddress address() {
    return {server().socket().string(), server().user(), server().password(), "callpark"};
  }
  /// A node with many connections; its claims may wait long for one.
  std::unique_ptr<SqlStore> make_busy_store(const std::string& node) {
    return std::make_unique<SqlStore>(
        loop_, SqlStore::Settings{
                   .address = address(), .node_name = node, .workers = 12, .budget = patient(std::chrono::minutes(2))});
  }
  static OrbitRequest request_with(int parked_calls_max, int extension_parked_calls_max) {
    OrbitRequest request;
    request.random_digits = 6;
    request.parked_calls_max = parked_calls_max;
    request.extension_parked_calls_max = extension_parked_calls_max;
    return request;
  }
  Claimed claim_by(Store& store, const std::string& park_id, const std::string& parker, const OrbitRequest& request) {
    ParkedCallRow row = example_row(park_id);
    row.parker = parker;
    return claim_orbit(store, row, request);
  }
  void remove(SqlStore& store, const std::string& park_id) {
    store.remove(ParkId(park_id), park::EndReason::kHungUp, {});
    finish_writes(store);
  }
  static std::string parked_in(const std::string& tenant) {
    return server().value("SELECT COUNT(*) FROM parked_calls WHERE tenant = '" + tenant + "' AND orbit IS NOT NULL");
  }
};

struct Answers {
  int admitted = 0;
  int tenant_full = 0;
  int parker_full = 0;
  int other = 0;
  void count(const Result<ClaimedOrbit, ClaimOrbitFailure>& claimed) {
    if (claimed) {
      ++admitted;
    } else if (claimed.error() == ClaimOrbitFailure::kTooManyParked) {
      ++tenant_full;
    } else if (claimed.error() == ClaimOrbitFailure::kTooManyOfParker) {
      ++parker_full;
    } else {
      ++other;
    }
  }
  [[nodiscard]] int all() const { return admitted + tenant_full + parker_full + other; }
};

// Ten extensions want twenty calls each. The keys make one too many impossible; the other half of the proof is that all
// places are held, so that no claim has given way to one that was refused too.
TEST_F(StoreCaps, L7_TwoHundredParksAtOnceOnTwoNodesAreAdmittedUpToTheMaxima) {
  constexpr int kParks = 200;
  constexpr int kParkers = 10;
  constexpr int kNeighbours = 20;
  struct Maxima {
    int tenant;
    int extension;
    int admitted;
  };
  const auto first = make_busy_store("node-1");
  const auto second = make_busy_store("node-2");
  std::mt19937 random(11);
  for (const Maxima maxima : {Maxima{50, 7, 50}, Maxima{100, 7, 70}, Maxima{1, 0, 1}, Maxima{0, 3, 30},
                              Maxima{199, 0, 199}, Maxima{200, 20, 200}, Maxima{13, 12, 13}, Maxima{37, 4, 37}}) {
    SCOPED_TRACE(std::to_string(maxima.tenant) + " and " + std::to_string(maxima.extension));
    const std::string of_parkers =
        "SELECT COALESCE(MAX(n), 0) FROM (SELECT COUNT(*) n FROM parked_calls WHERE tenant = 'demo.callpark' AND orbit "
        "IS NOT NULL GROUP BY ";
    MaximumSeen in_tenant(address(), of_parkers + "tenant) c");
    MaximumSeen of_parker(address(), of_parkers + "parker) c");
    std::vector<std::pair<std::string, int>> claims;
    for (int call = 0; call < kParks; ++call) claims.emplace_back(kTenant, call);
    for (int call = 0; call < kNeighbours; ++call) claims.emplace_back(kNeighbour, call);
    std::shuffle(claims.begin(), claims.end(), random);
    std::map<std::string, Answers> answers;
    for (const auto& [tenant, call] : claims) {
      ParkedCallRow row = example_row(tenant.substr(0, 1) + std::to_string(call));
      row.tenant = tenant;
      row.parker = std::to_string(101 + call % kParkers);
      const OrbitRequest request =
          tenant == kTenant ? request_with(maxima.tenant, maxima.extension) : request_with(kNeighbours, kNeighbours);
      (random() % 2 == 0 ? first : second)->claim_orbit(row, request, [&answers, tenant = tenant](Claimed got) {
        answers[tenant].count(got);
      });
    }
    ASSERT_TRUE(run_until([&] { return answers[kTenant].all() + answers[kNeighbour].all() == kParks + kNeighbours; },
                          std::chrono::minutes(2)));
    EXPECT_EQ(answers[kTenant].admitted, maxima.admitted);
    EXPECT_EQ(answers[kTenant].other, 0);
    EXPECT_EQ(answers[kNeighbour].admitted, kNeighbours) << "a neighbour is not touched";
    EXPECT_EQ(parked_in(kTenant), std::to_string(maxima.admitted));
    EXPECT_EQ(parked_in(kNeighbour), std::to_string(kNeighbours));
    EXPECT_LE(in_tenant.end(), maxima.tenant == 0 ? kParks : maxima.tenant);
    EXPECT_LE(of_parker.end(), maxima.extension == 0 ? kParks : maxima.extension);
    std::cout << in_tenant.samples() << " samples, " << answers[kTenant].tenant_full
              << " refused by the tenant's maximum, " << answers[kTenant].parker_full << " by the extension's\n";
    if (maxima.tenant != 0) {
      EXPECT_EQ(server().value("SELECT MAX(tenant_place) <= " + std::to_string(maxima.tenant) +
                               " FROM parked_calls WHERE tenant = 'demo.callpark'"),
                "1");
    }
    server().execute("DELETE FROM parked_calls");
  }
}

TEST_F(StoreCaps, L7_CallsThatComeAndGoOnTwoNodesLeaveNoPlaceBehind) {
  constexpr int kParks = 200;
  const auto first = make_busy_store("node-1");
  const auto second = make_busy_store("node-2");
  MaximumSeen seen(address(), "SELECT COUNT(*) FROM parked_calls WHERE orbit IS NOT NULL");
  Answers answers;
  for (int call = 0; call < kParks; ++call) {
    SqlStore& store = call % 2 == 0 ? *first : *second;
    const std::string id = "c" + std::to_string(call);
    ParkedCallRow row = example_row(id);
    row.parker = std::to_string(101 + call % 4);
    store.claim_orbit(row, request_with(10, 4), [&answers, &store, id](Claimed got) {
      answers.count(got);
      if (got) store.remove(ParkId(id), park::EndReason::kHungUp, {});
    });
  }
  ASSERT_TRUE(run_until([&] { return answers.all() == kParks; }, std::chrono::minutes(2)));
  finish_writes(*first);
  finish_writes(*second);
  EXPECT_LE(seen.end(), 10);
  EXPECT_EQ(answers.other, 0);
  EXPECT_GE(answers.admitted, 10);
  EXPECT_EQ(parked_in(kTenant), "0");
  for (int call = 0; call < 10; ++call) {
    EXPECT_TRUE(claim_by(*first, "n" + std::to_string(call), std::to_string(101 + call % 4), request_with(10, 4)));
  }
  EXPECT_EQ(claim_by(*first, "one too many", "105", request_with(10, 4)).error(), ClaimOrbitFailure::kTooManyParked);
}

TEST_F(StoreCaps, L7_LoweredMaximumEndsNoCallAndCountsThoseBeyondIt) {
  const auto store = make_store();
  for (const bool of_tenant : {true, false}) {
    const auto with_max = [&](int max) { return of_tenant ? request_with(max, 0) : request_with(0, max); };
    const auto claim = [&](const std::string& id, int max) { return claim_by(*store, id, "101", with_max(max)); };
    for (int call = 1; call <= 8; ++call) ASSERT_TRUE(claim("c" + std::to_string(call), 8));
    EXPECT_FALSE(claim("x", 5));
    EXPECT_EQ(parked_in(kTenant), "8");
    for (const char* id : {"c1", "c2", "c3"}) remove(*store, id);
    EXPECT_FALSE(claim("x", 5)) << "five are left, at whatever places";
    remove(*store, "c4");
    EXPECT_TRUE(claim("x", 5));
    EXPECT_FALSE(claim("y", 5));
    EXPECT_TRUE(claim("y", 6)) << "a raised maximum counts at once";
    server().execute("DELETE FROM parked_calls");
  }
}

TEST_F(StoreCaps, L7_CallsParkedWithoutAMaximumCountForOneThatIsSetLater) {
  const auto store = make_store();
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(claim_by(*store, id, "101", request_with(0, 0)));
  EXPECT_EQ(claim_by(*store, "d", "101", request_with(3, 0)).error(), ClaimOrbitFailure::kTooManyParked);
  EXPECT_EQ(claim_by(*store, "d", "101", request_with(0, 3)).error(), ClaimOrbitFailure::kTooManyOfParker);
  EXPECT_TRUE(claim_by(*store, "d", "101", request_with(4, 4)));
  EXPECT_FALSE(claim_by(*store, "e", "101", request_with(4, 4)));
}

TEST_F(StoreCaps, L7_RetrievedCallHasNoPlaceAndNeedsOneToBeParkedAgain) {
  const auto store = make_store();
  ParkedCallRow row = park(*store, "a", request_with(1, 1));
  row.state = RowState::kRetrieved;
  store->write_retrieved(row);
  finish_writes(*store);
  EXPECT_EQ(server().value("SELECT tenant_place IS NULL AND extension_place IS NULL FROM parked_calls"), "1");
  ASSERT_TRUE(claim_by(*store, "b", "102", request_with(1, 1)));
  EXPECT_EQ(claim_by(*store, "a", "102", request_with(1, 1)).error(), ClaimOrbitFailure::kTooManyParked);
  EXPECT_EQ(claim_by(*store, "a", "102", request_with(2, 1)).error(), ClaimOrbitFailure::kTooManyOfParker);
  EXPECT_TRUE(claim_by(*store, "a", "102", request_with(2, 2)));
  EXPECT_EQ(server().value("SELECT COUNT(*) FROM parked_calls WHERE tenant_place <= 2 AND extension_place <= 2"), "2");
}

TEST_F(StoreCaps, L7_TakenOrbitIsNoReachedMaximum) {
  const auto store = make_store();
  OrbitRequest request = at("101");
  request.parked_calls_max = 2;
  request.extension_parked_calls_max = 2;
  ASSERT_TRUE(claim_orbit(*store, example_row("a"), request));
  EXPECT_EQ(claim_orbit(*store, example_row("b"), request).error(), ClaimOrbitFailure::kTaken);
  request.orbits = {"101", "103"};
  EXPECT_EQ(claim_orbit(*store, example_row("b"), request)->orbit, "103");
}

// ---- permissions ----

class StorePermissions : public StoreTest {
 protected:
  void TearDown() override {
    server().execute(
        "UPDATE tenants SET parking_enabled = TRUE; UPDATE orbit_ranges SET restricted = FALSE, enabled = TRUE; "
        "DELETE FROM orbit_range_extensions");
  }
};

TEST_F(StorePermissions, L7_RestrictedRangeIsUsedByItsExtensionsOnly) {
  const auto store = make_store();
  const auto may_use = [&](const std::string& dialled, const std::string& user) {
    return look_up(*store, dialled, user)->may_use_range;
  };
  const std::vector<std::string> in_range = {"7000", "7001", "7010", "*717001", "*887010", "*717001#"};
  const std::vector<std::string> elsewhere = {"*68",    "*68102",  "*71",      "*71*7001",
                                              "*71102", "*717011", "*7170010", "*58"};
  for (const auto& dialled : in_range) EXPECT_TRUE(may_use(dialled, "102")) << dialled;
  server().execute("UPDATE orbit_ranges SET restricted = TRUE WHERE tenant = 'demo.callpark'");
  server().execute(
      "INSERT INTO orbit_range_extensions SELECT tenant, orbit_range, '101' FROM orbit_ranges WHERE tenant = "
      "'demo.callpark'");
  for (const auto& dialled : in_range) {
    EXPECT_TRUE(may_use(dialled, "101")) << dialled;
    EXPECT_FALSE(may_use(dialled, "102")) << dialled;
    EXPECT_TRUE(may_use(dialled, "")) << dialled << ": from_trunks counts for a trunk";
  }
  for (const auto& dialled : elsewhere) EXPECT_TRUE(may_use(dialled, "102")) << dialled;
  server().execute("UPDATE orbit_ranges SET enabled = FALSE");
  EXPECT_FALSE(may_use("*717001", "102")) << "a call there is still retrieved with a code";
  server().execute("DELETE FROM orbit_range_extensions");
  EXPECT_FALSE(may_use("*717001", "101")) << "a range without extensions is closed to all";
}

TEST_F(StorePermissions, L7_SwitchedOffTenantRetrievesWhatIsStillParked) {
  const auto store = make_store();
  ParkedCallRow other = example_row("other");
  other.tenant = "other.callpark";
  ASSERT_TRUE(claim_orbit(*store, other, at("102")));
  park(*store, "a", at("102"));
  EXPECT_FALSE(look_up(*store, "*68")->parks_are_off);
  server().execute("UPDATE tenants SET parking_enabled = FALSE WHERE tenant = 'demo.callpark'");
  EXPECT_TRUE(look_up(*store, "*68")->parks_are_off);
  EXPECT_FALSE(look_up(*store, "*88102")->retrieves_are_off);
  store->remove(ParkId("a"), park::EndReason::kHungUp, {});
  finish_writes(*store);
  EXPECT_TRUE(look_up(*store, "*88102")->retrieves_are_off);
  EXPECT_FALSE(look_up(*store, "*68", "101", "other.callpark")->parks_are_off);
  server().execute("UPDATE tenants SET parking_enabled = TRUE");
  EXPECT_FALSE(look_up(*store, "*68")->parks_are_off);
  EXPECT_FALSE(look_up(*store, "*68")->retrieves_are_off);
}

}  // namespace
}  // namespace callpark::test
