// Is between a store and MariaDB's socket and cuts the connection at a chosen moment: before a request reaches the
// server, or after it was carried out and before its reply reaches the store. Or the server comes to the request late,
// when the store has asked again.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/temp_dir.h"

namespace callpark::test {

class StoreRelay {
 public:
  enum class Lost { kRequest, kReply };

  explicit StoreRelay(const std::filesystem::path& server)
      : server_(server), listener_(open_socket()), thread_([this] { run(); }) {}
  StoreRelay(const StoreRelay&) = delete;
  StoreRelay& operator=(const StoreRelay&) = delete;
  ~StoreRelay() {
    stopping_ = true;
    thread_.join();
    forget_delayed();
    for (const auto& [client, server] : pairs_) {
      close(client);
      close(server);
    }
    close(listener_);
  }

  [[nodiscard]] std::filesystem::path socket() const { return directory_.path() / "relay.sock"; }
  /// Cuts once, at the `number`th request (from 1) counted from now.
  void cut(Lost lost, int number) {
    const std::lock_guard<std::mutex> lock(mutex_);
    lost_ = lost;
    left_ = number;
    late_by_ = 0;
  }
  /// The same, and the server carries that request out just before the `late_by`th (from 1) that follows it.
  void cut_and_delay(int number, int late_by) {
    const std::lock_guard<std::mutex> lock(mutex_);
    lost_ = Lost::kRequest;
    left_ = number;
    late_by_ = late_by;
    forget_delayed();
  }
  /// Whether that request has been carried out.
  [[nodiscard]] bool has_come_late() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return left_ == 0 && late_by_ == 0;
  }
  /// Whether the cut has been made.
  [[nodiscard]] bool has_cut() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return left_ == 0;
  }

 private:
  static sockaddr_un address_of(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    return address;
  }
  int open_socket() const {
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(socket());
    if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(descriptor, 64) != 0) {
      throw std::runtime_error("the relay cannot listen");
    }
    return descriptor;
  }

  void run() {
    while (!stopping_) {
      std::vector<pollfd> watched{{listener_, POLLIN, 0}};
      for (const auto& [client, server] : pairs_) {
        watched.push_back({client, POLLIN, 0});
        watched.push_back({server, POLLIN, 0});
      }
      poll(watched.data(), watched.size(), 10);
      if ((watched[0].revents & POLLIN) != 0) accept_client();
      for (std::size_t i = 1; i < watched.size(); i += 2) {
        const int client = watched[i].fd;
        const int server = watched[i + 1].fd;
        if (watched[i].revents != 0 && !pass_request(client, server)) end(client);
        if (watched[i + 1].revents != 0 && pairs_.contains(client) && !pass(server, client)) end(client);
      }
    }
  }
  void accept_client() {
    const int client = accept(listener_, nullptr, nullptr);
    const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(server_);
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      close(client);
      close(server);
      return;
    }
    pairs_.emplace(client, server);
  }
  // False: the connection is to be cut, or is over.
  bool pass_request(int client, int server) {
    bool cut_now = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (delayed_ && --late_by_ == 0) {
        pass(delayed_->first, delayed_->second);
        await_reply(delayed_->second);
        forget_delayed();
      }
      cut_now = left_ > 0 && --left_ == 0;
      if (cut_now && late_by_ > 0) {
        shutdown(client, SHUT_WR);
        delayed_ = {dup(client), dup(server)};
      }
    }
    if (cut_now && lost_ == Lost::kRequest) return false;
    if (!pass(client, server)) return false;
    if (!cut_now) return true;
    await_reply(server);
    return false;
  }
  // If there is one, it shows that the server is through with the request; it goes no further.
  static void await_reply(int server) {
    pollfd reply{server, POLLIN, 0};
    poll(&reply, 1, 300);
  }
  void forget_delayed() {
    if (!delayed_) return;
    close(delayed_->first);
    close(delayed_->second);
    delayed_.reset();
  }
  static bool pass(int from, int to) {
    std::array<char, 65536> bytes;
    const ssize_t length = recv(from, bytes.data(), bytes.size(), 0);
    return length > 0 && send(to, bytes.data(), static_cast<std::size_t>(length), MSG_NOSIGNAL) == length;
  }
  void end(int client) {
    close(pairs_.at(client));
    close(client);
    pairs_.erase(client);
  }

  const TempDir directory_{"relay"};
  const std::filesystem::path server_;
  const int listener_;
  std::map<int, int> pairs_;  // client to server; the thread's
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  Lost lost_ = Lost::kRequest;
  int left_ = -1;
  int late_by_ = 0;
  std::optional<std::pair<int, int>> delayed_;  // the ends of the connection that was cut, the client's to read from
  std::thread thread_;
};

}  // namespace callpark::test
