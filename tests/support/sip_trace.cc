#include "tests/support/sip_trace.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace callpark::test {
namespace {

constexpr size_t kStepsMax = 50000;
constexpr uint8_t kTcp = 6;
constexpr uint8_t kUdp = 17;

sock_filter step(int code, int jump_true, int jump_false, uint32_t value) {
  return {static_cast<uint16_t>(code), static_cast<uint8_t>(jump_true), static_cast<uint8_t>(jump_false), value};
}

// Loopback shows every packet twice, going out and coming in; only the second is kept.
bool attach_filter(int fd, uint16_t first_port, uint16_t last_port) {
  sock_filter program[] = {
      step(BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)),
      step(BPF_JMP | BPF_JEQ | BPF_K, 11, 0, PACKET_OUTGOING),
      step(BPF_LD | BPF_B | BPF_ABS, 0, 0, 9),
      step(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, kUdp),
      step(BPF_JMP | BPF_JEQ | BPF_K, 0, 8, kTcp),
      step(BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0),
      step(BPF_LD | BPF_H | BPF_IND, 0, 0, 0),
      step(BPF_JMP | BPF_JGE | BPF_K, 0, 1, first_port),
      step(BPF_JMP | BPF_JGT | BPF_K, 0, 3, last_port),
      step(BPF_LD | BPF_H | BPF_IND, 0, 0, 2),
      step(BPF_JMP | BPF_JGE | BPF_K, 0, 2, first_port),
      step(BPF_JMP | BPF_JGT | BPF_K, 1, 0, last_port),
      step(BPF_RET | BPF_K, 0, 0, 0xffff),
      step(BPF_RET | BPF_K, 0, 0, 0),
  };
  const sock_fprog filter{std::size(program), program};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

int open_tap(uint16_t first_port, uint16_t last_port) {
  const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_IP);
  address.sll_ifindex = static_cast<int>(if_nametoindex("lo"));
  const int buffer_bytes = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes);
  if (attach_filter(fd, first_port, last_port) &&
      bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return fd;
  }
  close(fd);
  return -1;
}

uint16_t read16(const unsigned char* bytes) {
  return static_cast<uint16_t>(bytes[0] << 8 | bytes[1]);
}

Endpoint read_endpoint(const unsigned char* address, const unsigned char* port) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, address, text, sizeof text);
  return {text, read16(port)};
}

bool looks_like_sip(const std::string& text) {
  const std::string line = text.substr(0, text.find("\r\n"));
  return line.starts_with("SIP/2.0 ") || line.ends_with(" SIP/2.0");
}

}  // namespace

SipTrace::SipTrace(uint16_t first_port, uint16_t last_port) : socket_(open_tap(first_port, last_port)) {
  if (socket_ >= 0) thread_ = std::thread([this] { run(); });
}

SipTrace::~SipTrace() {
  running_ = false;
  if (thread_.joinable()) thread_.join();
  if (socket_ >= 0) close(socket_);
}

void SipTrace::run() {
  unsigned char packet[65536];
  while (running_) {
    pollfd waiting{socket_, POLLIN, 0};
    if (poll(&waiting, 1, 50) <= 0) continue;
    const ssize_t got = recv(socket_, packet, sizeof packet, MSG_DONTWAIT);
    if (got > 0) keep(packet, static_cast<size_t>(got), Clock::now());
  }
}

void SipTrace::keep(const unsigned char* packet, size_t size, Clock::time_point when) {
  const size_t ip_header = 4U * (packet[0] & 0x0f);
  if (size < ip_header + 20) return;
  const unsigned char* transport = packet + ip_header;
  const size_t transport_header = packet[9] == kUdp ? 8 : 4U * (transport[12] >> 4);
  const size_t begin = ip_header + transport_header;
  const size_t end = std::min<size_t>(size, read16(packet + 2));
  if (end <= begin) return;
  std::string text(reinterpret_cast<const char*>(packet + begin), end - begin);
  if (!looks_like_sip(text)) return;
  SipText message(std::move(text));
  if (message.method() == "OPTIONS") return;
  const std::lock_guard lock(mutex_);
  if (steps_.size() == kStepsMax) steps_.pop_front();
  steps_.push_back(
      {when, read_endpoint(packet + 12, transport), read_endpoint(packet + 16, transport + 2), std::move(message)});
}

void SipTrace::call_it(const Endpoint& endpoint, const std::string& name) {
  const std::lock_guard lock(mutex_);
  names_[endpoint] = name;
}

std::string SipTrace::name_of(const Endpoint& endpoint) const {
  const std::lock_guard lock(mutex_);
  for (const auto& wanted : {endpoint, Endpoint{endpoint.address, 0}}) {
    const auto found = names_.find(wanted);
    if (found != names_.end()) return found->second;
  }
  return endpoint.text();
}

std::vector<SipTrace::Step> SipTrace::steps(Clock::time_point since) const {
  const std::lock_guard lock(mutex_);
  std::vector<Step> result;
  std::ranges::copy_if(steps_, std::back_inserter(result), [since](const Step& each) { return each.when >= since; });
  return result;
}

std::string SipTrace::text(Clock::time_point since) const {
  std::ostringstream result;
  for (const auto& each : steps(since)) {
    char line[400];
    snprintf(line, sizeof line, "%9.3f  %-18s -> %-18s %-60s %s  %.8s\n",
             std::chrono::duration<double>(each.when - since).count(), name_of(each.from).c_str(),
             name_of(each.to).c_str(), summary(each.message).c_str(), each.message.header("CSeq").c_str(),
             each.message.call_id().c_str());
    result << line;
  }
  return result.str();
}

std::string SipTrace::full_text(Clock::time_point since) const {
  std::ostringstream result;
  for (const auto& each : steps(since)) {
    result << "---- " << std::chrono::duration<double>(each.when - since).count() << " s  " << name_of(each.from)
           << " -> " << name_of(each.to) << "\n"
           << each.message.text() << "\n";
  }
  return result.str();
}

std::string summary(const SipText& message) {
  if (message.is_response()) return message.start_line().substr(8);
  std::string line = message.method() + " " + message.request_uri();
  if (message.method() == "REFER") line += " to " + uri_in(message.header("Refer-To"));
  if (message.method() == "NOTIFY") line += " " + message.body().substr(0, message.body().find_first_of("\r\n"));
  if (message.audio() && message.direction() != "sendrecv") line += " " + message.direction();
  return line;
}

}  // namespace callpark::test
