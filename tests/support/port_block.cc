#include "tests/support/port_block.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <random>
#include <stdexcept>
#include <utility>

namespace callpark::test {
namespace {

// All below the kernel's ephemeral ports (32768 and up), above what services use.
constexpr int kFirstBase = 11000;
constexpr int kBlocks = 50;
constexpr int kFirstRtp = kFirstBase + kBlocks * PortBlock::kWindow;
static_assert(kFirstRtp % 2 == 0 && kFirstRtp + kBlocks * PortBlock::kRtpPorts <= 32768);

constexpr int kAddresses = 64 * 254;

// -1 when another process has the lock: a name of Linux's abstract sockets, which belong to the network as ports do,
// are the same for every user, and leave no file.
int try_lock(const std::string& name) {
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // After the NUL that makes it abstract.
  const std::string text = "callpark-" + name;
  text.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
  close(fd);
  return -1;
}

bool can_bind(int type, uint16_t port) {
  const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int on = 1;
  if (type == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  // The wildcard address collides with a socket on any single one.
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return bound;
}

bool window_is_free(uint16_t base) {
  for (uint16_t port = base; port < base + PortBlock::kWindow; ++port) {
    if (!can_bind(SOCK_DGRAM, port) || !can_bind(SOCK_STREAM, port)) return false;
  }
  return true;
}

int random_start(int count) {
  std::random_device device;
  return static_cast<int>(device() % static_cast<unsigned>(count));
}

}  // namespace

PortBlock::PortBlock() {
  const int start = random_start(kBlocks);
  for (int attempt = 0; attempt < kBlocks; ++attempt) {
    const int index = (start + attempt) % kBlocks;
    lock_ = try_lock("ports-" + std::to_string(index));
    if (lock_ < 0) continue;
    base_ = static_cast<uint16_t>(kFirstBase + index * kWindow);
    rtp_first_ = static_cast<uint16_t>(kFirstRtp + index * kRtpPorts);
    if (window_is_free(base_)) return;
    close(lock_);
  }
  throw std::runtime_error("no free block of ports");
}

PortBlock::~PortBlock() {
  close(lock_);
}

LoopbackAddress::LoopbackAddress() {
  const int start = random_start(kAddresses);
  for (int attempt = 0; attempt < kAddresses; ++attempt) {
    const int index = (start + attempt) % kAddresses;
    lock_ = try_lock("address-" + std::to_string(index));
    if (lock_ < 0) continue;
    // 127.100.1.1 .. 127.100.64.254: far from 127.0.0.0/16, where the product and its demonstration live.
    text_ = "127.100." + std::to_string(1 + index / 254) + "." + std::to_string(1 + index % 254);
    return;
  }
  throw std::runtime_error("no free loopback address");
}

LoopbackAddress::LoopbackAddress(LoopbackAddress&& other) noexcept {
  *this = std::move(other);
}

LoopbackAddress& LoopbackAddress::operator=(LoopbackAddress&& other) noexcept {
  std::swap(lock_, other.lock_);
  std::swap(text_, other.text_);
  return *this;
}

LoopbackAddress::~LoopbackAddress() {
  if (lock_ >= 0) close(lock_);
}

}  // namespace callpark::test
