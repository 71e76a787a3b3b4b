// How many lamps a second, and what they cost: thousands of watched orbits; their calls come and go all at once. The
// rows of the calls are written by SQL, so that parkd finds all those lamps out of sync and publishes them as fast as
// Kamailio accepts them; the watchers' subscriptions are copies of one in Kamailio's table, and one socket answers for
// all of them.
//
//   lamps_bench [orbits 5000] [watchers of each 3]
#include <atomic>
#include <cstdlib>
#include <set>
#include <thread>

#include "tests/bench/bench_site.h"
#include "tests/support/lamp_watcher.h"

namespace callpark::bench {
namespace {

using test::Endpoint;
using test::SipText;
using Clock = std::chrono::steady_clock;

/// All watchers: answers each NOTIFY and remembers the content of the last one of each subscription.
class Watchers {
 public:
  explicit Watchers(const std::string& address) : socket_(Endpoint{address, 5060}), thread_([this] { run(); }) {
    const int bytes = 32 * 1024 * 1024;
    setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  }
  Watchers(const Watchers&) = delete;
  Watchers& operator=(const Watchers&) = delete;
  ~Watchers() {
    running_ = false;
    thread_.join();
  }
  [[nodiscard]] const Endpoint& own() const { return socket_.own(); }
  [[nodiscard]] std::size_t lit() const { return lit_; }
  [[nodiscard]] std::size_t notifies() const { return notifies_; }
  [[nodiscard]] std::size_t copies() const { return copies_; }

 private:
  void run() {
    while (running_) {
      const auto datagram = socket_.receive(std::chrono::milliseconds(50));
      if (!datagram) continue;
      const SipText notify(datagram->bytes);
      if (notify.method() != "NOTIFY" || !notify.is_request()) continue;
      std::string answer = "SIP/2.0 200 OK\r\n";
      for (const auto& via : notify.headers("Via")) answer += "Via: " + via + "\r\n";
      for (const char* name : {"From", "To", "Call-ID", "CSeq"}) {
        answer += std::string(name) + ": " + notify.header(name) + "\r\n";
      }
      socket_.send(answer + "Content-Length: 0\r\n\r\n", datagram->from);
      int& last = last_cseq_[notify.call_id()];
      if (notify.cseq() <= last) {
        ++copies_;
        continue;
      }
      last = notify.cseq();
      ++notifies_;
      const bool is_lit = datagram->bytes.find("<state>early</state>") != std::string::npos;
      if (is_lit ? lit_ids_.insert(notify.call_id()).second : lit_ids_.erase(notify.call_id()) != 0) {
        lit_ = lit_ids_.size();
      }
    }
  }

  test::UdpSocket socket_;
  std::atomic<bool> running_{true};
  std::atomic<std::size_t> lit_{0};
  std::atomic<std::size_t> notifies_{0};
  std::atomic<std::size_t> copies_{0};
  std::map<std::string, int> last_cseq_;
  std::set<std::string> lit_ids_;
  std::thread thread_;
};

void subscribe(BenchSite& site, const Watchers& watchers, int orbits, int each) {
  const test::LoopbackAddress address;
  test::LampWatcher one(
      {.user = "104", .password = "demo-104", .lamp = "*71*10000", .address = address.text(), .proxy = site.proxy()});
  if (one.subscribe() != 200) throw std::runtime_error("no subscription");
  const auto columns = site.database().query(
      "SELECT column_name FROM information_schema.columns WHERE table_schema = 'callpark' AND "
      "table_name = 'active_watchers' AND column_name <> 'id' ORDER BY ordinal_position");
  std::string names;
  std::string values;
  for (const auto& column : columns) {
    const std::string& name = column[0];
    std::string value = "w." + name;
    if (name == "presentity_uri") value = "CONCAT('sip:*71*', 10000 + s.seq, '@demo.callpark')";
    if (name == "to_user") value = "CONCAT('*71*', 10000 + s.seq)";
    if (name == "callid") value = "CONCAT('bench-', s.seq, '-', r.seq)";
    if (name == "contact") value = "'sip:104@" + watchers.own().text() + "'";
    if (name == "expires") value = "UNIX_TIMESTAMP() + 3600";
    names += (names.empty() ? "" : ", ") + name;
    values += (values.empty() ? "" : ", ") + value;
  }
  site.database().execute("INSERT INTO active_watchers (" + names + ") SELECT " + values +
                          " FROM active_watchers w, seq_1_to_" + std::to_string(orbits) + " s, seq_1_to_" +
                          std::to_string(each) + " r WHERE w.watcher_username = '104' AND w.callid NOT LIKE 'bench-%'");
  one.unsubscribe();
}

void park(BenchSite& site, int orbits) {
  site.database().execute(
      "INSERT INTO parked_calls (park_id, tenant, orbit, slot, state, parker, music_class, caller_dialog, parked_at, "
      "deadline, owner, epoch, operation_id) SELECT CONCAT('bench', seq), 'demo.callpark', CONCAT('*', 10000 + seq), "
      "1, "
      "'parked', '101', 'default', "
      "'{\"call_id\":\"x\",\"remote_uri\":\"sip:+44207@127.0.0.50\",\"remote_display\":\"Client\",\"remote_name\":"
      "\"Client\",\"remote_number\":\"+44207\"}', UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL 1 HOUR, 'no node', 1, "
      "'x' FROM seq_1_to_" +
      std::to_string(orbits));
}

void measure(const char* what, BenchSite& site, const Watchers& watchers, int orbits, std::size_t lit_wanted) {
  const std::size_t before = watchers.notifies();
  const std::size_t copies_before = watchers.copies();
  // From the first NOTIFY on: when parkd looks next is no part of the work.
  test::wait_until(std::chrono::seconds(20), [&] { return watchers.notifies() > before; });
  const auto cpu_before = site.cpu_ms();
  const auto began = Clock::now();
  test::wait_until(std::chrono::seconds(300), [&] { return watchers.lit() == lit_wanted; });
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  const auto cpu = (site.cpu_ms() - cpu_before) / orbits;
  std::printf("%-10s %6.1f s, %5.0f lamps/s, %6zu NOTIFYs, %zu copies; ms a lamp:", what, seconds, orbits / seconds,
              watchers.notifies() - before, watchers.copies() - copies_before);
  for (std::size_t i = 0; i < kServers.size(); ++i) std::printf(" %s %.2f", kServers[i], cpu.of[i]);
  std::printf("%s\n", watchers.lit() == lit_wanted ? "" : "  NOT ALL");
  std::fflush(stdout);
}

void run(int orbits, int each) {
  BenchSite site;
  const test::LoopbackAddress address;
  const Watchers watchers(address.text());
  subscribe(site, watchers, orbits, each);
  std::printf("%d orbits, %d watchers each\n", orbits, each);
  park(site, orbits);
  measure("lit", site, watchers, orbits, static_cast<std::size_t>(orbits) * static_cast<std::size_t>(each));
  test::wait_until(std::chrono::seconds(60),
                   [&] { return site.database().value("SELECT COUNT(*) FROM presentity") == std::to_string(orbits); });
  const auto before = site.cpu_ms();
  std::this_thread::sleep_for(std::chrono::seconds(15));
  const auto at_rest = (site.cpu_ms() - before) / 150;
  std::printf("all lit, nothing changes; %% of a core:");
  for (std::size_t i = 0; i < kServers.size(); ++i) std::printf(" %s %.1f", kServers[i], at_rest.of[i]);
  std::printf("\n");
  site.database().execute("DELETE FROM parked_calls");
  measure("dark", site, watchers, orbits, 0);
}

}  // namespace
}  // namespace callpark::bench

int main(int argc, char** argv) {
  try {
    callpark::bench::run(argc > 1 ? std::atoi(argv[1]) : 5000, argc > 2 ? std::atoi(argv[2]) : 3);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
