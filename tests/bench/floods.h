// What fills a server up: each flood begins with its object, and ends with it.
#pragma once

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/bench_site.h"
#include "tests/bench/load_phone.h"
#include "tests/support/port_block.h"
#include "tests/support/udp_socket.h"

namespace callpark::bench {

inline double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// One that lasts as long as the object.
class Flood {
 public:
  Flood() = default;
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;
  virtual ~Flood() = default;

  /// What was sent.
  [[nodiscard]] virtual std::string account() = 0;
};

/// Datagrams at a constant rate; their answers are lost.
class DatagramFlood : public Flood {
 public:
  DatagramFlood(const std::string& from, const test::Endpoint& to, int per_second,
                std::function<std::string(long)> compose)
      : socket_({from, 0}), per_second_(per_second), compose_(std::move(compose)), thread_([this, to] { run(to); }) {}
  ~DatagramFlood() override {
    running_ = false;
    thread_.join();
  }
  [[nodiscard]] std::string account() override {
    return std::to_string(sent_) + " datagrams, " +
           std::to_string(static_cast<int>(1000 * static_cast<double>(sent_) / ms_since(began_))) + " a second";
  }

 private:
  static constexpr std::size_t kAtOnce = 32;

  void run(const test::Endpoint& endpoint) {
    const sockaddr_in to = test::to_sockaddr(endpoint);
    connect(socket_.fd(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
    while (running_) {
      const long due = static_cast<long>(ms_since(began_) / 1000 * per_second_) - sent_;
      send(std::min(kAtOnce, static_cast<std::size_t>(std::max(0L, due))));
      poll(nullptr, 0, 1);
    }
  }
  void send(std::size_t count) {
    std::array<std::string, kAtOnce> texts;
    std::array<iovec, kAtOnce> parts{};
    std::array<mmsghdr, kAtOnce> messages{};
    for (std::size_t i = 0; i < count; ++i) {
      texts[i] = compose_(sent_ + static_cast<long>(i));
      parts[i] = {texts[i].data(), texts[i].size()};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (std::size_t done = 0; done < count;) {
      const int sent = sendmmsg(socket_.fd(), &messages[done], static_cast<unsigned>(count - done), 0);
      if (sent <= 0) break;
      done += static_cast<std::size_t>(sent);
      sent_ += sent;
    }
  }

  test::UdpSocket socket_;
  const int per_second_;
  const std::function<std::string(long)> compose_;
  const Clock::time_point began_ = Clock::now();
  std::atomic<long> sent_{0};
  std::atomic<bool> running_{true};
  std::thread thread_;
};

/// 4,100 connections, and not a byte.
class ConnectionFlood : public Flood {
 public:
  explicit ConnectionFlood(const test::Endpoint& to) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 6000);
    setrlimit(RLIMIT_NOFILE, &limit);
    const sockaddr_in own = test::to_sockaddr({address_.text(), 0});
    const sockaddr_in remote = test::to_sockaddr(to);
    for (int i = 0; i < 4100; ++i) {
      fds_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      bind(fds_.back(), reinterpret_cast<const sockaddr*>(&own), sizeof own);
      connect(fds_.back(), reinterpret_cast<const sockaddr*>(&remote), sizeof remote);
    }
  }
  ~ConnectionFlood() override {
    for (const int fd : fds_) close(fd);
  }
  [[nodiscard]] std::string account() override {
    char byte = 0;
    const auto open = std::ranges::count_if(fds_, [&](int fd) {
      return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    });
    return std::to_string(fds_.size()) + " connections, " + std::to_string(open) + " still open";
  }

 private:
  test::LoopbackAddress address_;
  std::vector<int> fds_;
};

/// X30: 2,000 subscriptions to one lamp with one password, 100 a second, each with a dead Contact; meanwhile and
/// afterwards calls of half a second at that lamp.
class SubscriptionFlood : public Flood {
 public:
  explicit SubscriptionFlood(const BenchSite& site)
      : dead_(site.phone_address()),
        watcher_(options(site, "101"), [this](auto&, auto&, const auto& m) { ++statuses_[m.status()]; }),
        caller_(options(site, "105"), ignore),
        called_(options(site, "106"), ignore) {
    called_.set_audio(sound_.own());
    for (LoadPhone* phone : {&watcher_, &caller_, &called_}) phone->register_phone();
    statuses_.clear();
    thread_ = std::thread([this] { run(); });
  }
  ~SubscriptionFlood() override { stop(); }
  [[nodiscard]] std::string account() override {
    stop();
    std::string text = std::to_string(subscribed_) + " SUBSCRIBEs";
    for (const auto& [status, count] : statuses_)
      text += ", " + std::to_string(count) + " times " + std::to_string(status);
    return text + ", " + std::to_string(calls_) + " calls";
  }

 private:
  static constexpr int kSubscriptions = 2000;

  static void ignore(LoadPhone&, LoadPhone::Call&, const sip::SipMessage&) {}
  static LoadPhone::Options options(const BenchSite& site, const std::string& number) {
    return {.user = number, .password = "demo-" + number, .own = {site.phone_address(), 0}, .proxy = site.proxy()};
  }
  void stop() {
    running_ = false;
    if (thread_.joinable()) thread_.join();
  }
  void run() {
    const auto began = Clock::now();
    LoadPhone::Call* call = nullptr;
    while (running_) {
      const auto contact = "<sip:101@" + dead_ + ":" + std::to_string(10000 + subscribed_) + ">";
      if (subscribed_ < kSubscriptions && subscribed_ < ms_since(began) / 10) {
        watcher_.subscribe("106", contact, 30);
        ++subscribed_;
      }
      if (calls_ < ms_since(began) / 500) {
        if (call != nullptr) caller_.request(*call, "BYE");
        call = &caller_.invite("106", ++calls_, sound_.own());
      }
      std::vector<pollfd> waiting;
      for (const LoadPhone* phone : {&watcher_, &caller_, &called_}) waiting.push_back({phone->fd(), POLLIN, 0});
      poll(waiting.data(), waiting.size(), 1);
      for (LoadPhone* phone : {&watcher_, &caller_, &called_}) phone->receive_all();
    }
    if (call != nullptr) caller_.request(*call, "BYE");
  }

  const std::string dead_;
  test::UdpSocket sound_{{dead_, 0}};
  LoadPhone watcher_, caller_, called_;
  std::map<int, int> statuses_;
  int subscribed_ = 0, calls_ = 0;
  std::atomic<bool> running_{true};
  std::thread thread_;
};

}  // namespace callpark::bench
