#include "parkd/transaction/transaction_layer.h"

#include <optional>
#include <random>
#include <utility>

#include "parkd/transaction/client_transactions.h"
#include "parkd/transaction/server_transactions.h"
#include "parkd/transaction/transaction_context.h"

namespace callpark::sip {
namespace {

TransactionTimers with_reliable(TransactionTimers timers, bool reliable) {
  timers.reliable = reliable;
  return timers;
}

std::uint64_t random_instance() {
  std::random_device random;
  return static_cast<std::uint64_t>(random()) << 32U | random();
}

}  // namespace

class TransactionLayer::Impl {
 public:
  Impl(MessageTransport& transport, AlarmClock& clock, const TransactionTimers& timers)
      : context_{transport, clock, with_reliable(timers, false), with_reliable(timers, true), {}, {}, {}, {}},
        clients(context_, random_instance()),
        servers(context_) {}
  ~Impl() { context_.clock.stop_alarm(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // Every call from outside ends here: the alarm is set in time for everything it started.
  void set_alarm() {
    auto next = context_.timers.next_deadline();
    if (!context_.send_failures.empty()) next = context_.clock.now();
    // An alarm that is too early is cheaper than setting it again for each stopped timer.
    if (!next || (alarm_ && *alarm_ <= *next)) return;
    alarm_ = next;
    context_.clock.set_alarm(*next, [this] { on_alarm(); });
  }

  const TransactionCounters& counters() const noexcept { return context_.counters; }
  void set_on_round_trip(std::function<void(Duration)> on_round_trip) {
    context_.on_round_trip = std::move(on_round_trip);
  }

 private:
  TransactionContext context_;

 public:
  ClientTransactions clients;
  ServerTransactions servers;
  TransactionUser* user = nullptr;

 private:
  void on_alarm() {
    alarm_.reset();
    for (const std::uint64_t owner : std::exchange(context_.send_failures, {})) {
      const auto [number, is_server] = TimerOwner::from_integer(owner);
      is_server ? servers.on_send_failure(number) : clients.on_send_failure(number);
    }
    const MonotonicTime now = context_.clock.now();
    while (const Timer* due = context_.timers.take_due(now)) {
      const auto [number, is_server] = TimerOwner::from_integer(due->owner);
      is_server ? servers.on_timer(number, due->name) : clients.on_timer(number, due->name);
    }
    set_alarm();
  }

  std::optional<MonotonicTime> alarm_;
};

TransactionLayer::TransactionLayer(MessageTransport& transport, AlarmClock& clock, const TransactionTimers& timers)
    : impl_(std::make_unique<Impl>(transport, clock, timers)) {}

TransactionLayer::~TransactionLayer() = default;

void TransactionLayer::start(TransactionUser& user) {
  impl_->user = &user;
  impl_->servers.start(user);
}

ClientTransactionKey TransactionLayer::send_request(SipMessage request, const Endpoint& destination,
                                                    ClientHandlers handlers) {
  const auto key = impl_->clients.send(std::move(request), destination, std::move(handlers));
  impl_->set_alarm();
  return key;
}

void TransactionLayer::cancel(ClientTransactionKey invite) {
  impl_->clients.cancel(invite);
  impl_->set_alarm();
}

void TransactionLayer::abandon(ClientTransactionKey key) {
  impl_->clients.abandon(key);
}

void TransactionLayer::respond(ServerTransactionKey key, const SipMessage& response) {
  impl_->servers.respond(key, response);
  impl_->set_alarm();
}

bool TransactionLayer::is_unanswered(ServerTransactionKey key) const {
  return impl_->servers.is_unanswered(key);
}

void TransactionLayer::send_ack(SipMessage ack, const Endpoint& destination) {
  impl_->clients.send_stateless(std::move(ack), destination);
}

void TransactionLayer::set_on_round_trip(std::function<void(Duration)> on_round_trip) {
  impl_->set_on_round_trip(std::move(on_round_trip));
}

TransactionCounts TransactionLayer::live() const noexcept {
  return {impl_->clients.invites(), impl_->servers.invites(), impl_->clients.non_invites(),
          impl_->servers.non_invites()};
}

const TransactionCounters& TransactionLayer::counters() const noexcept {
  return impl_->counters();
}

void TransactionLayer::on_message(SipMessage message, const Endpoint& source) {
  if (message.is_response()) {
    const bool is_stray = !impl_->clients.on_response(message);
    const bool accepts_invite = message.status() / 100 == 2 && message.method() == method::kInvite;
    if (is_stray && accepts_invite && impl_->user != nullptr) impl_->user->on_stray_2xx(message);
  } else {
    impl_->servers.on_request(message, source);
  }
  impl_->set_alarm();
}

void TransactionLayer::on_send_failure(const Endpoint& destination) {
  impl_->clients.on_send_failure(destination);
  impl_->set_alarm();
}

}  // namespace callpark::sip
