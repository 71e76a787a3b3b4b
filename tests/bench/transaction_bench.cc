// Whole transactions, both ends, through the transaction layer without sockets, while 1,000 or 50,000 others are live
// with their timers: the work for one must not depend on how many there are. The references do the same work on the
// same messages with hash tables and a queue, with sorted maps, and with the linear lists of older stacks. The first
// of them has nothing in it that could depend on the number either, so what it grows by is the memory's: 1,000 fit into
// a processor's own cache, 50,000 into none, and each that ends is one that was last touched 50,000 transactions ago.
#include <benchmark/benchmark.h>

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "parkd/transaction/transaction_layer.h"

namespace callpark::sip {
namespace {

const Endpoint kClient{TransportProtocol::kUdp, *IpAddress::parse("127.0.0.1"), 5061};
const Endpoint kServer{TransportProtocol::kUdp, *IpAddress::parse("127.0.0.2"), 5062};
constexpr auto kLingerOfClient = std::chrono::seconds(5);   // timer K
constexpr auto kLingerOfServer = std::chrono::seconds(32);  // timer J
constexpr auto kLingerOfInvite = std::chrono::seconds(64);  // timers L and M together

// A request of the usual size, 1.2 kB.
SipMessage make_template(std::string_view method) {
  SipMessage request = make_request(method, "sip:client-0x5581@127.0.0.12:5060;transport=udp");
  request.add_header("Route", "<sip:127.0.0.1:5061;lr;ftag=595588f71efc59c5;did=21c.2302>");
  request.add_header("From", "\"John\" <sip:john@demo.callpark>;tag=595588f71efc59c5");
  request.add_header("To", "<sip:client@demo.callpark>;tag=87ce0b0c66adfa64");
  request.add_header("Call-ID", "fb05ee4982a81c98@127.0.0.11");
  request.set_cseq(3098, method);
  request.add_header("Contact", "<sip:parkd@127.0.0.1:5062>");
  request.add_header("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, REFER, NOTIFY, MESSAGE, INFO");
  request.add_header("Supported", "replaces, norefersub");
  request.set_body("application/sdp", std::string(600, 'x'));
  return request;
}

// A clock that moves when the test moves it.
class BenchClock final : public AlarmClock {
 public:
  explicit BenchClock(const MonotonicTime& now) : now_(now) {}
  MonotonicTime now() const override { return now_; }
  void set_alarm(MonotonicTime when, std::function<void()> ring) override {
    when_ = when;
    ring_ = std::move(ring);
  }
  void stop_alarm() override { ring_ = nullptr; }
  void look() {
    while (ring_ && when_ <= now_) std::exchange(ring_, nullptr)();
  }

 private:
  const MonotonicTime& now_;
  MonotonicTime when_;
  std::function<void()> ring_;
};

struct Wire {
  std::deque<std::pair<SipMessage, const Endpoint*>> messages;
};

class BenchTransport final : public MessageTransport {
 public:
  BenchTransport(Wire& wire, const Endpoint& local) : wire_(wire), local_(local) {}
  bool send(const SipMessage& message, const Endpoint&) override {
    wire_.messages.emplace_back(message, &local_);
    return true;
  }
  std::optional<Endpoint> local_endpoint(const Endpoint&) const override { return local_; }

 private:
  Wire& wire_;
  const Endpoint& local_;
};

class BenchUser final : public TransactionUser {
 public:
  explicit BenchUser(TransactionLayer& layer) : layer_(layer) {}
  void on_request(ServerTransactionKey key, const SipMessage& request, const Endpoint&) override {
    if (request.method() == method::kInvite) layer_.respond(key, make_response(request, 180));
    layer_.respond(key, make_response(request, 200));
  }
  void on_ack(const SipMessage&, const Endpoint&) override { ++acks; }
  void on_cancel(ServerTransactionKey) override {}
  void on_server_transaction_failure(ServerTransactionKey, ServerFailure) override {}
  void on_stray_2xx(const SipMessage&) override {}
  std::size_t acks = 0;

 private:
  TransactionLayer& layer_;
};

class OurLayers {
 public:
  OurLayers() {
    client_.start(client_user_);
    server_.start(server_user_);
  }

  void run(const SipMessage& request, const SipMessage& ack) {
    const bool is_invite = request.method() == method::kInvite;
    client_.send_request(request, kServer,
                         {[&](const SipMessage& response) {
                            if (response.status() < 200) return;
                            ++answered_;
                            if (is_invite) client_.send_ack(ack, kServer);
                          },
                          nullptr});
    while (!wire_.messages.empty()) {
      auto [message, from] = std::move(wire_.messages.front());
      wire_.messages.pop_front();
      (from == &kClient ? server_ : client_).on_message(std::move(message), *from);
    }
  }
  void fill(const SipMessage& request, const SipMessage& ack, std::int64_t wanted, std::chrono::nanoseconds step) {
    for (std::int64_t i = 0; i < wanted; ++i) {
      run(request, ack);
      pass(step);
    }
  }
  void pass(std::chrono::nanoseconds step) {
    now_ += step;
    client_clock_.look();
    server_clock_.look();
  }
  std::size_t live() const {
    const auto client = client_.live();
    const auto server = server_.live();
    return client.invite_client + client.non_invite_client + server.invite_server + server.non_invite_server;
  }
  std::size_t answered() const { return answered_; }

 private:
  MonotonicTime now_{std::chrono::hours(1)};
  Wire wire_;
  BenchClock client_clock_{now_};
  BenchClock server_clock_{now_};
  BenchTransport client_transport_{wire_, kClient};
  BenchTransport server_transport_{wire_, kServer};
  TransactionLayer client_{client_transport_, client_clock_};
  TransactionLayer server_{server_transport_, server_clock_};
  BenchUser client_user_{client_};
  BenchUser server_user_{server_};
  std::size_t answered_ = 0;
};

// What the references keep of a transaction, and how long it stays.
struct Kept {
  std::string id;
  SipMessage message;
};

class HashTables {
 public:
  void add(const std::string& id, const SipMessage& message) { live_[id] = {id, message}; }
  void add_ending(const std::string& id, const SipMessage& message, MonotonicTime when) {
    add(id, message);
    set_timer(id, when);
  }
  bool contains(const std::string& id) const { return live_.contains(id); }
  // All last equally long, so they end in the order in which they began.
  void set_timer(const std::string& id, MonotonicTime when) { timers_.emplace_back(when, id); }
  void expire(MonotonicTime now) {
    while (!timers_.empty() && timers_.front().first <= now) {
      live_.erase(timers_.front().second);
      timers_.pop_front();
    }
  }
  std::size_t size() const { return live_.size(); }

 private:
  std::unordered_map<std::string, Kept> live_;
  std::deque<std::pair<MonotonicTime, std::string>> timers_;
};

class OrderedMaps {
 public:
  void add(const std::string& id, const SipMessage& message) { live_[id] = {id, message}; }
  void add_ending(const std::string& id, const SipMessage& message, MonotonicTime when) {
    add(id, message);
    set_timer(id, when);
  }
  bool contains(const std::string& id) const { return live_.contains(id); }
  void set_timer(const std::string& id, MonotonicTime when) { timers_.emplace(when, id); }
  void expire(MonotonicTime now) {
    while (!timers_.empty() && timers_.begin()->first <= now) {
      live_.erase(timers_.begin()->second);
      timers_.erase(timers_.begin());
    }
  }
  std::size_t size() const { return live_.size(); }

 private:
  std::map<std::string, Kept> live_;
  std::multimap<MonotonicTime, std::string> timers_;
};

class LinearLists {
 public:
  void add(const std::string& id, const SipMessage& message) { add_ending(id, message, MonotonicTime::max()); }
  void add_ending(const std::string& id, const SipMessage& message, MonotonicTime when) {
    live_.push_back({{id, message}, when});
  }
  bool contains(const std::string& id) const { return find(id) != live_.end(); }
  void set_timer(const std::string& id, MonotonicTime when) {
    for (auto& [kept, deadline] : live_) {
      if (kept.id != id) continue;
      deadline = when;
      return;
    }
  }
  // Timers are looked through every so often, as such stacks do, and not for every message.
  void expire(MonotonicTime now) {
    if (now < next_look_) return;
    next_look_ = now + std::chrono::milliseconds(100);
    live_.remove_if([now](const auto& one) { return one.second <= now; });
  }
  std::size_t size() const { return live_.size(); }

 private:
  using List = std::list<std::pair<Kept, MonotonicTime>>;
  List::const_iterator find(const std::string& id) const {
    auto at = live_.begin();
    while (at != live_.end() && at->first.id != id) ++at;
    return at;
  }
  List live_;
  MonotonicTime next_look_;
};

// The same non-INVITE transaction without state machines: the messages, and what has to be found and timed for them.
template <class Store>
class ReferenceLayers {
 public:
  void run(const SipMessage& request, const SipMessage&) {
    SipMessage sent = request;
    Via via{"UDP", "127.0.0.1", 5061, {{"branch", "z9hG4bK3f2a77b1c05e9d84." + std::to_string(++last_)}}};
    sent.prepend_via(via);
    client_.add(std::string(sent.top_branch()), sent);
    const SipMessage arrived = sent;
    const std::string branch(arrived.top_branch());
    if (server_.contains(branch)) return;
    server_.add(branch, make_response(arrived, 200));
    server_.set_timer(branch, now_ + kLingerOfServer);
    const SipMessage response = make_response(arrived, 200);
    if (!client_.contains(std::string(response.top_branch()))) return;
    client_.set_timer(branch, now_ + kLingerOfClient);
    ++answered_;
  }
  // Without looking anything up, for which the lists would need hours.
  void fill(const SipMessage& request, const SipMessage&, std::int64_t wanted, std::chrono::nanoseconds step) {
    for (std::int64_t i = 0; i < wanted; ++i) {
      const std::string id = "z9hG4bK3f2a77b1c05e9d84." + std::to_string(++last_);
      if (const auto end = now_ + i * step; end <= now_ + kLingerOfClient) client_.add_ending(id, request, end);
      if (const auto end = now_ + i * step; end <= now_ + kLingerOfServer) server_.add_ending(id, request, end);
    }
  }
  void pass(std::chrono::nanoseconds step) {
    now_ += step;
    client_.expire(now_);
    server_.expire(now_);
  }
  std::size_t live() const { return client_.size() + server_.size(); }
  std::size_t answered() const { return answered_; }

 private:
  MonotonicTime now_{std::chrono::hours(1)};
  std::uint64_t last_ = 0;
  Store client_;
  Store server_;
  std::size_t answered_ = 0;
};

template <class Layers>
void run(benchmark::State& state, std::string_view method, std::chrono::nanoseconds linger) {
  const SipMessage request = make_template(method);
  const SipMessage ack = make_template(method::kAck);
  // A transaction stays for `linger` after its answer, so at this pace as many are live as are wanted.
  const auto live_wanted = state.range(0);
  const auto step = linger / live_wanted;
  Layers layers;
  layers.fill(request, ack, live_wanted, step);
  const std::size_t before = layers.answered();
  for (auto _ : state) {
    layers.run(request, ack);
    layers.pass(step);
  }
  if (layers.answered() - before != static_cast<std::size_t>(state.iterations()))
    state.SkipWithError("not all answered");
  state.SetItemsProcessed(state.iterations());
  state.counters["live"] = static_cast<double>(layers.live());
}

void non_invite(benchmark::State& state) {
  run<OurLayers>(state, "MESSAGE", kLingerOfClient + kLingerOfServer);
}
void invite(benchmark::State& state) {
  run<OurLayers>(state, "INVITE", kLingerOfInvite);
}
void reference_hash_tables(benchmark::State& state) {
  run<ReferenceLayers<HashTables>>(state, "MESSAGE", kLingerOfClient + kLingerOfServer);
}
void reference_ordered_maps(benchmark::State& state) {
  run<ReferenceLayers<OrderedMaps>>(state, "MESSAGE", kLingerOfClient + kLingerOfServer);
}
void reference_linear_lists(benchmark::State& state) {
  run<ReferenceLayers<LinearLists>>(state, "MESSAGE", kLingerOfClient + kLingerOfServer);
}

BENCHMARK(non_invite)->Arg(1000)->Arg(50000);
BENCHMARK(invite)->Arg(1000)->Arg(50000);
BENCHMARK(reference_hash_tables)->Arg(1000)->Arg(50000);
BENCHMARK(reference_ordered_maps)->Arg(1000)->Arg(50000);
BENCHMARK(reference_linear_lists)->Arg(1000)->Arg(50000);

}  // namespace
}  // namespace callpark::sip

BENCHMARK_MAIN();
