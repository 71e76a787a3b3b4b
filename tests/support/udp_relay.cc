#include "tests/support/udp_relay.h"

#include <poll.h>

#include <utility>

namespace callpark::test {
namespace {

constexpr std::chrono::milliseconds kLateMax{100};

}  // namespace

UdpRelay::UdpRelay(const Endpoint& inner, const Endpoint& outer, Endpoint client, Endpoint server, Faults faults)
    : inner_(inner),
      outer_(outer),
      client_(std::move(client)),
      server_(std::move(server)),
      faults_(faults),
      random_(faults.seed) {
  thread_ = std::thread([this] { run(); });
}

UdpRelay::~UdpRelay() {
  running_ = false;
  thread_.join();
}

bool UdpRelay::happens(double probability) {
  return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
}

void UdpRelay::run() {
  Direction to_server{&inner_, &outer_, server_};
  Direction to_client{&outer_, &inner_, client_};
  while (running_) {
    pollfd waiting[] = {{inner_.fd(), POLLIN, 0}, {outer_.fd(), POLLIN, 0}};
    poll(waiting, 2, 10);
    for (Direction* direction : {&to_server, &to_client}) {
      while (const auto datagram = direction->from->receive(std::chrono::milliseconds(0))) {
        pass(*direction, datagram->bytes);
      }
      if (direction->late && std::chrono::steady_clock::now() - direction->late_since > kLateMax) {
        let_late_go(*direction);
      }
    }
  }
}

void UdpRelay::let_late_go(Direction& direction) {
  direction.out->send(*direction.late, direction.to);
  direction.late.reset();
}

void UdpRelay::pass(Direction& direction, const std::string& bytes) {
  ++passed_;
  if (happens(faults_.loss)) {
    ++lost_;
    return;
  }
  if (!direction.late && happens(faults_.reordering)) {
    ++reordered_;
    direction.late = bytes;
    direction.late_since = std::chrono::steady_clock::now();
    return;
  }
  direction.out->send(bytes, direction.to);
  if (happens(faults_.duplication)) {
    ++repeated_;
    direction.out->send(bytes, direction.to);
  }
  if (direction.late) let_late_go(direction);
}

}  // namespace callpark::test
