// The front of a site for the tests of Kamailio alone: database with the demo tenant, Kamailio, and in the place of
// parkd a socket that keeps what it gets and answers as the test sets.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/kamailio_server.h"
#include "tests/support/mariadb_server.h"
#include "tests/support/packet_phone.h"
#include "tests/support/port_block.h"
#include "tests/support/sip_text.h"
#include "tests/support/temp_dir.h"
#include "tests/support/udp_socket.h"
#include "tests/support/wait.h"

namespace callpark::test {

/// In the place of parkd. Answers OPTIONS with 200 and everything else as `on_request` returns; a status of 0 is
/// silence.
class ParkdSeat {
 public:
  using Answer = std::function<int(const SipText&)>;

  explicit ParkdSeat(const Endpoint& own) : socket_(own), thread_([this] { run(); }) {}
  ParkdSeat(const ParkdSeat&) = delete;
  ParkdSeat& operator=(const ParkdSeat&) = delete;
  ~ParkdSeat() {
    running_ = false;
    thread_.join();
  }

  void answer_with(Answer answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  void answer_with(int status) {
    answer_with([status](const SipText&) { return status; });
  }

  [[nodiscard]] std::vector<SipText> received(const std::string& method) const {
    const std::lock_guard lock(mutex_);
    std::vector<SipText> found;
    for (const auto& message : received_) {
      if (message.is_request() && message.method() == method) {
        found.push_back(message);
      }
    }
    return found;
  }
  /// The first request of that method; an empty one when none comes.
  [[nodiscard]] SipText wait_request(const std::string& method) const {
    wait_until(kSoon, [&] { return !received(method).empty(); });
    const auto found = received(method);
    return found.empty() ? SipText() : found.front();
  }
  /// The first answer with that status; an empty one when none comes.
  [[nodiscard]] SipText wait_response(int status) const {
    const auto found = [&] {
      const std::lock_guard lock(mutex_);
      const auto answer = std::ranges::find_if(received_, [&](const SipText& m) { return m.status() == status; });
      return answer == received_.end() ? SipText() : *answer;
    };
    wait_until(kSoon, [&] { return found().status() == status; });
    return found();
  }
  /// The last answer that came; an empty one without any.
  [[nodiscard]] SipText last_response() const {
    const std::lock_guard lock(mutex_);
    const auto answer = std::ranges::find_if(received_.rbegin(), received_.rend(), &SipText::is_response);
    return answer == received_.rend() ? SipText() : *answer;
  }
  [[nodiscard]] std::size_t responses(int status) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(received_, [&](const SipText& message) { return message.status() == status; }));
  }
  void send(const std::string& text, const Endpoint& to) { socket_.send(text, to); }
  [[nodiscard]] const Endpoint& own() const { return socket_.own(); }

  /// `surplus` follows the answer in the datagram; `headers` are lines of it.
  void respond(const SipText& request, int status, const Endpoint& to, const std::string& surplus = "",
               const std::string& headers = "") {
    std::string text = "SIP/2.0 " + std::to_string(status) + " From Parkd\r\n";
    for (const auto& via : request.headers("Via")) {
      text += "Via: " + via + "\r\n";
    }
    for (const auto& route : request.headers("Record-Route")) {
      text += "Record-Route: " + route + "\r\n";
    }
    std::string to_value = request.header("To");
    if (tag_in(to_value).empty()) {
      to_value += ";tag=parkd";
    }
    text += "From: " + request.header("From") + "\r\nTo: " + to_value + "\r\nCall-ID: " + request.call_id() +
            "\r\nCSeq: " + request.header("CSeq") + "\r\nContact: <sip:parkd@" + socket_.own().text() +
            ">\r\nX-Callpark-Secret: not for phones\r\n" + headers + "Content-Length: 0\r\n\r\n";
    socket_.send(text + surplus, to);
  }

 private:
  void run() {
    while (running_) {
      const auto datagram = socket_.receive(std::chrono::milliseconds(50));
      if (datagram) {
        receive(SipText(datagram->bytes), datagram->from);
      }
    }
  }

  void receive(const SipText& message, const Endpoint& from) {
    if (message.method() == "OPTIONS") {
      respond(message, 200, from);
      return;
    }
    Answer answer;
    {
      const std::lock_guard lock(mutex_);
      received_.push_back(message);
      answer = answer_;
    }
    if (!message.is_request() || message.method() == "ACK") {
      return;
    }
    // RFC 3261 9.2: the CANCEL is answered, and so is what it cancels.
    if (message.method() == "CANCEL") {
      respond(message, 200, from);
      for (const auto& invite : received("INVITE")) {
        if (invite.call_id() == message.call_id()) {
          respond(invite, 487, from);
        }
      }
      return;
    }
    if (const int status = answer(message); status != 0) {
      respond(message, status, from);
    }
  }

  UdpSocket socket_;
  mutable std::mutex mutex_;
  std::vector<SipText> received_;
  Answer answer_ = [](const SipText&) { return 200; };
  std::atomic<bool> running_{true};
  std::thread thread_;
};

/// Database, Kamailio and the socket in the place of parkd, on ports of their own.
class KamailioSite {
 public:
  explicit KamailioSite(std::vector<std::string> defines = {"#!define WITHOUT_FLOOD_CONTROL"},
                        int shared_memory_mb = 64, const std::string& advertised_address = "",
                        const std::string& hep_address = "") {
    database.execute("UPDATE callpark.trunks SET address = '" + trunk_address.text() + "', port = 5060");
    seat = std::make_unique<ParkdSeat>(Endpoint{"127.0.0.1", static_cast<std::uint16_t>(ports.base() + 2)});
    kamailio = std::make_unique<KamailioServer>(KamailioServer::Options{.base_port = ports.base(),
                                                                        .directory = directory.path() / "kamailio",
                                                                        .database_socket = database.socket(),
                                                                        .advertised_address = advertised_address,
                                                                        .hep_address = hep_address,
                                                                        .udp_workers = 2,
                                                                        .shared_memory_mb = shared_memory_mb,
                                                                        .defines = std::move(defines)});
    database.watch_edits(this, [this] { kamailio->wait_edits_read(database); });
  }

  [[nodiscard]] Endpoint outside() const { return {"127.0.0.1", ports.base()}; }
  [[nodiscard]] Endpoint inside() const { return {"127.0.0.1", static_cast<std::uint16_t>(ports.base() + 1)}; }

  /// A phone of its own address; `domain` is demo.callpark or other.callpark. It is registered.
  std::unique_ptr<PacketPhone> phone(const std::string& user, const std::string& domain = "demo.callpark") {
    auto made = unregistered_phone(user, domain);
    made->register_phone();
    return made;
  }
  /// The same; calls ring until it answers.
  std::unique_ptr<PacketPhone> ringing_phone(const std::string& user, bool rings_at_once = true) {
    auto made = unregistered_phone(user, "demo.callpark", false, rings_at_once);
    made->register_phone();
    return made;
  }
  std::unique_ptr<PacketPhone> unregistered_phone(const std::string& user, const std::string& domain = "demo.callpark",
                                                  bool auto_answer = true, bool rings_at_once = true) {
    addresses_.emplace_back();
    return std::make_unique<PacketPhone>(
        PacketPhone::Options{.user = user,
                             .password = domain.substr(0, domain.find('.')) + "-" + user,
                             .domain = domain,
                             .address = addresses_.back().text(),
                             .proxy = outside(),
                             .auto_answer = auto_answer,
                             .rings_at_once = rings_at_once});
  }
  /// The demo tenant's trunk, as a phone that never authenticates itself.
  std::unique_ptr<PacketPhone> trunk(bool auto_answer = true) {
    return std::make_unique<PacketPhone>(PacketPhone::Options{.user = "trunk",
                                                              .password = "",
                                                              .domain = outside().text(),
                                                              .address = trunk_address.text(),
                                                              .proxy = outside(),
                                                              .auto_answer = auto_answer});
  }

  PortBlock ports;
  TempDir directory{"kamailio"};
  LoopbackAddress trunk_address;
  MariadbServer database;
  std::unique_ptr<ParkdSeat> seat;
  std::unique_ptr<KamailioServer> kamailio;

 private:
  std::vector<LoopbackAddress> addresses_;
};

/// X-Callpark-Dialog of a request; not an object when it has none.
inline nlohmann::json dialog_in(const SipText& request) {
  return nlohmann::json::parse(request.header("X-Callpark-Dialog"), nullptr, false);
}

/// How many requests of `method` the phone got in a call. Those that were sent again for want of an answer count once;
/// an ACK, which has none, counts each time.
inline std::size_t count(const PacketPhone& phone, const CallName& call, const std::string& method) {
  std::set<std::string> found;
  for (const auto& message : phone.received(call)) {
    if (!message.is_request() || message.method() != method) continue;
    found.insert(method == "ACK" ? std::to_string(found.size()) : message.header("Via"));
  }
  return found.size();
}

/// An INVITE of parkd's own; an empty `tenant` leaves its header out.
inline std::string invite_of_parkd(const Endpoint& parkd, const std::string& uri, const std::string& tenant) {
  const std::string header = tenant.empty() ? "" : "X-Callpark-Tenant: " + tenant + "\r\n";
  return "INVITE " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP " + parkd.text() + ";branch=z9hG4bK" + md5_hex(uri) +
         "\r\nMax-Forwards: 70\r\nFrom: <sip:102@demo.callpark>;tag=p\r\nTo: <" + uri +
         ">\r\nCall-ID: " + md5_hex(uri + tenant) + "\r\nCSeq: 1 INVITE\r\nContact: <sip:parkd@" + parkd.text() +
         ">\r\n" + header + "Content-Length: 0\r\n\r\n";
}

}  // namespace callpark::test
