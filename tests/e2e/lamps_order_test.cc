// Lamps by the thousand: parkd's store, board and publisher on the real Kamailio and MariaDB, with rows that change as
// fast as the database accepts them, and packets lost on either side of Kamailio.
#include <gmock/gmock.h>
#include <sys/times.h>
#include <unistd.h>

#include <random>

#include "parkd/presence/lamp_board.h"
#include "parkd/store/sql_presence_store.h"
#include "parkd/store/sql_store.h"
#include "parkd/transport/transport_layer.h"
#include "tests/support/lamp_watcher.h"
#include "tests/support/test_site.h"
#include "tests/support/wait.h"

namespace callpark::test {
namespace {

using std::chrono::seconds;

/// Loses a part of what passes in both directions.
class LossyTransport final : public sip::MessageTransport, public sip::TransportUser {
 public:
  LossyTransport(sip::TransportLayer& below, double loss) : below_(below), loss_(loss) {}
  void start(sip::TransportUser& above) {
    above_ = &above;
    below_.start(*this);
  }
  bool send(const sip::SipMessage& message, const sip::Endpoint& destination) override {
    return is_lost() || below_.send(message, destination);
  }
  std::optional<sip::Endpoint> local_endpoint(const sip::Endpoint& destination) const override {
    return below_.local_endpoint(destination);
  }
  void on_message(sip::SipMessage message, const sip::Endpoint& source) override {
    if (!is_lost()) above_->on_message(std::move(message), source);
  }
  void on_send_failure(const sip::Endpoint& destination) override { above_->on_send_failure(destination); }

 private:
  bool is_lost() { return std::uniform_real_distribution<>(0, 1)(random_) < loss_; }

  sip::TransportLayer& below_;
  const double loss_;
  sip::TransportUser* above_ = nullptr;
  std::mt19937 random_{7};
};

struct Silent final : sip::TransactionUser {
  sip::TransactionLayer* transactions = nullptr;
  void on_request(sip::ServerTransactionKey key, const sip::SipMessage& request, const sip::Endpoint&) override {
    transactions->respond(key, sip::make_response(request, 200, {}, "parkd"));
  }
  void on_ack(const sip::SipMessage&, const sip::Endpoint&) override {}
  void on_cancel(sip::ServerTransactionKey) override {}
  void on_server_transaction_failure(sip::ServerTransactionKey, sip::ServerFailure) override {}
  void on_stray_2xx(const sip::SipMessage&) override {}
};

sip::Endpoint udp(std::uint16_t port) {
  return *sip::Endpoint::parse("udp:127.0.0.1:" + std::to_string(port));
}

/// The half of parkd that has to do with lamps, in the place of parkd.
struct HalfOfParkd {
  HalfOfParkd(TestSite& site, double loss)
      : transport(loop, {.listen = {udp(static_cast<std::uint16_t>(site.port() + 2))},
                         .peers = {*sip::IpAddress::parse("127.0.0.1")},
                         .peer_socket = {}}),
        lossy(transport, loss),
        transactions(lossy, clock),
        address{site.database().socket().string(), site.database().user(), site.database().password(), "callpark"},
        store(loop, {.address = address, .node_name = "parkd1"}),
        presence_store(loop, {.address = address, .node_name = "parkd1"}),
        publisher({loop, transactions, udp(static_cast<std::uint16_t>(site.port() + 1)), "<sip:parkd@127.0.0.1>"},
                  presence_store, metrics, {}),
        board(loop, presence_store, publisher, metrics, {.compare_every = Duration(1000)}) {
    silent.transactions = &transactions;
    lossy.start(transactions);
    transactions.start(silent);
    store.set_on_changed([this](const CallChange& change) { board.on_call_changed(change); });
    board.start();
  }
  bool run_until(const std::function<bool()>& fact, Duration most) {
    const MonotonicTime end = monotonic_now() + patient(most);
    while (!fact()) {
      if (monotonic_now() > end) return false;
      const LoopHandle stop = loop.after(Duration(5), [this] { loop.stop(); });
      loop.run();
    }
    return true;
  }
  double metric(const std::string& name) { return metrics.gauge(name, "").value(); }

  EventLoop loop;
  Metrics metrics;
  sip::LoopAlarmClock clock{loop};
  sip::TransportLayer transport;
  LossyTransport lossy;
  sip::TransactionLayer transactions;
  Silent silent;
  const DatabaseAddress address;
  SqlStore store;
  SqlPresenceStore presence_store;
  presence::Publisher publisher;
  presence::LampBoard board;
};

/// Parks and retrieves at one orbit, so many changes, as fast as the database accepts them.
class Changes {
 public:
  Changes(HalfOfParkd& parkd, std::string orbit, int count) : parkd_(parkd), orbit_(std::move(orbit)), left_(count) {
    park();
  }
  [[nodiscard]] bool done() const { return left_ == 0; }
  [[nodiscard]] bool is_lit() const { return is_lit_; }

 private:
  void park() {
    if (left_ == 0) return;
    row_ = ParkedCallRow{};
    row_.park_id = ParkId(orbit_ + "-" + std::to_string(left_));
    row_.tenant = "demo.callpark";
    row_.parker = "101";
    row_.music_class = "default";
    row_.parked_at = wall_now();
    row_.deadline = row_.parked_at + seconds(600);
    row_.recall_deadline = row_.deadline;
    row_.caller.remote_uri = "sip:+44207@127.0.0.50";
    row_.caller.remote_identity = {"Caller " + std::to_string(left_), "+44207"};
    OrbitRequest request;
    request.orbits = {orbit_};
    parkd_.store.claim_orbit(row_, request, [this](Result<ClaimedOrbit, ClaimOrbitFailure> claimed) {
      if (!claimed) return park();
      row_.orbit = claimed->orbit;
      row_.slot = claimed->slot;
      row_.state = RowState::kParked;
      write();
    });
  }
  void write() {
    parkd_.store.write(row_, [this](Result<void, StoreUnavailable> written) {
      if (!written) return write();
      --left_;
      is_lit_ = true;
      if (left_ > 0) retrieve();
    });
  }
  void retrieve() {
    const Extension retriever{row_.tenant, "102"};
    parkd_.store.claim_call(row_.tenant, {{orbit_}, ""}, retriever,
                            [this](Result<ParkedCallRow, ClaimCallFailure> won) {
                              if (!won) return retrieve();
                              parkd_.store.write_retrieved(row_);
                              parkd_.store.remove(row_.park_id, park::EndReason::kHungUp, {});
                              --left_;
                              is_lit_ = false;
                              park();
                            });
  }

  HalfOfParkd& parkd_;
  const std::string orbit_;
  int left_;
  bool is_lit_ = false;
  ParkedCallRow row_;
};

class LampsInOrder : public testing::Test {
 protected:
  void SetUp() override {
    site_ =
        std::make_unique<TestSite>(TestSite::Options{.with_parkd = false, .with_mediad = false, .parkd_settings = ""});
  }
  TestSite& site() { return *site_; }
  std::unique_ptr<LampWatcher> watching(const std::string& lamp, int user, double loss, std::uint32_t seed) {
    addresses_.emplace_back();
    auto made = std::make_unique<LampWatcher>(LampWatcher::Options{.user = std::to_string(user),
                                                                   .password = "demo-" + std::to_string(user),
                                                                   .lamp = lamp,
                                                                   .address = addresses_.back().text(),
                                                                   .proxy = site().outside(),
                                                                   .loss = loss,
                                                                   .seed = seed});
    EXPECT_EQ(made->subscribe(), 200);
    EXPECT_TRUE(made->wait_state("terminated"));
    return made;
  }
  /// What it shows, its subscription and the publications of its lamp.
  std::string what_is_known_of(const LampWatcher& watcher) {
    const LampWatcher::Notice now = watcher.now();
    const std::string lamp = watcher.options().lamp;
    const auto ask = [&](const std::string& query) { return site().database().value(query); };
    return lamp + " shows " + now.state + " by CSeq " + std::to_string(now.cseq) + ", version " +
           std::to_string(now.version) + "\nsubscription: " +
           ask("SELECT CONCAT_WS(' ', local_cseq, version, status, QUOTE(reason), expires) FROM active_watchers "
               "WHERE callid = '" +
               watcher.call_id() + "'") +
           "\npublications: " +
           ask("SELECT GROUP_CONCAT(sender, ' ', etag, ' ', body LIKE '%early%') FROM presentity WHERE username = '" +
               lamp + "'");
  }
  std::unique_ptr<TestSite> site_;
  std::vector<LoopbackAddress> addresses_;
};

TEST_F(LampsInOrder, N5_AfterTwoThousandFastChangesWithLossNobodyHoldsAWrongState) {
  constexpr int kOrbits = 20;
  constexpr int kChangesEach = 100;
  constexpr int kWatchersEach = 3;
  HalfOfParkd parkd(site(), 0.05);
  std::vector<std::unique_ptr<LampWatcher>> watchers;
  std::vector<std::string> orbits;
  for (int i = 0; i < kOrbits; ++i) {
    orbits.push_back("*" + std::to_string(7250 + i));
    for (int w = 0; w < kWatchersEach; ++w) {
      watchers.push_back(watching("*71" + orbits.back(), 101 + w, 0.05, static_cast<std::uint32_t>(100 * i + w)));
    }
  }
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::unique_ptr<Changes>> changes;
  for (int i = 0; i < kOrbits; ++i) {
    // Half of them end lit.
    changes.push_back(std::make_unique<Changes>(parkd, orbits[static_cast<std::size_t>(i)], kChangesEach - i % 2));
  }
  ASSERT_TRUE(parkd.run_until(
      [&] { return std::all_of(changes.begin(), changes.end(), [](const auto& one) { return one->done(); }); },
      seconds(120)));
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const auto is_right = [&](std::size_t watcher) {
    const bool is_lit = changes[watcher / kWatchersEach]->is_lit();
    return watchers[watcher]->state() == (is_lit ? "early" : "terminated");
  };
  // A NOTIFY that was lost is repeated for 32 s.
  EXPECT_TRUE(parkd.run_until(
      [&] {
        for (std::size_t i = 0; i < watchers.size(); ++i) {
          if (!is_right(i)) return false;
        }
        return true;
      },
      seconds(40)));
  int notifies = 0;
  for (std::size_t i = 0; i < watchers.size(); ++i) {
    EXPECT_TRUE(is_right(i)) << i << ": " << what_is_known_of(*watchers[i]);
    notifies += static_cast<int>(watchers[i]->history().size());
    for (const auto& complaint : watchers[i]->complaints()) ADD_FAILURE() << complaint;
  }
  EXPECT_TRUE(parkd.run_until([&] { return parkd.metric("callpark_lamps_out_of_sync") == 0; }, seconds(10)));
  std::cout << "  " << kOrbits * kChangesEach << " changes of rows in " << took << " s, " << notifies
            << " NOTIFYs accepted by " << watchers.size() << " watchers\n";
}

}  // namespace
}  // namespace callpark::test
