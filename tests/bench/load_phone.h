// A party of benchmarks: one UDP socket, any number of calls, no thread and no waiting. It behaves like an ordinary
// phone (rings, answers, accepts re-INVITEs, answers challenges) and reports what has come to its owner. It repeats
// nothing by itself, since nothing is lost on loopback: what stays away is the benchmark's failure.
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "parkd/message/sdp.h"
#include "parkd/message/sip_message.h"
#include "parkd/message/sip_parser.h"
#include "parkd/message/sip_writer.h"
#include "tests/support/sip_text.h"
#include "tests/support/udp_socket.h"

namespace callpark::bench {

using Clock = std::chrono::steady_clock;

class LoadPhone {
 public:
  struct Options {
    std::string user;
    std::string domain = "demo.callpark";
    /// Digest password; phones of add_extensions() have their number.
    std::string password;
    test::Endpoint own;
    test::Endpoint proxy;
  };
  struct Call {
    std::string id;
    /// Which round of the benchmark it belongs to; a call that comes in has -1 until its owner sets it.
    int round = -1;
    /// Where our sound is to come, and where the other party wants its own.
    test::Endpoint own_audio;
    test::Endpoint audio;

    std::string local;
    std::string remote;
    std::string target;
    /// Empty: the phone's own.
    std::string contact;
    std::vector<std::string> routes;
    std::uint32_t cseq = 0;
    int sdp_version = 0;
    // The last request, to be sent again with credentials.
    std::string method;
    std::string extra_headers;
    std::string body;
    std::string branch;
  };
  /// Called with every request, after it has been answered, and every final response but challenges.
  using Listener = std::function<void(LoadPhone&, Call&, const sip::SipMessage&)>;

  LoadPhone(Options options, Listener listener)
      : options_(std::move(options)), listener_(std::move(listener)), socket_(options_.own) {
    const int bytes = 8 << 20;
    setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  }
  LoadPhone(const LoadPhone&) = delete;
  LoadPhone& operator=(const LoadPhone&) = delete;
  ~LoadPhone() = default;

  [[nodiscard]] int fd() const { return socket_.fd(); }
  [[nodiscard]] const Options& options() const { return options_; }
  /// Where the sound of calls that come in is to come.
  void set_audio(const test::Endpoint& audio) { incoming_audio_ = audio; }

  /// Throws when the registrar refuses it.
  void register_phone() {
    Call& call = begin("sip:" + options_.domain, "register");
    call.remote = "<sip:" + options_.user + "@" + options_.domain + ">";
    bool registered = false;
    const auto listener = std::exchange(listener_, [&](LoadPhone&, Call&, const sip::SipMessage& answer) {
      registered = answer.method() == "REGISTER" && answer.status() == 200;
    });
    request(call, "REGISTER", "Expires: 3600\r\n");
    // RFC 3261 17.1.2.2.
    for (int wait_ms = 500; wait_ms <= 4000 && !registered; wait_ms *= 2) {
      if (wait_ms > 500) repeat(call);
      const auto repeat_at = Clock::now() + std::chrono::milliseconds(wait_ms);
      while (!registered && Clock::now() < repeat_at) {
        pollfd waiting{fd(), POLLIN, 0};
        poll(&waiting, 1, 100);
        receive_all();
      }
    }
    listener_ = listener;
    calls_.erase(call.id);
    if (!registered) throw std::runtime_error(options_.user + " cannot register");
  }

  /// Sends an INVITE; a 2xx will be acknowledged.
  Call& invite(const std::string& target, int round, const test::Endpoint& audio) {
    Call& call = begin("sip:" + target + "@" + options_.domain, "out");
    call.round = round;
    call.own_audio = audio;
    request(call, "INVITE", "Content-Type: application/sdp\r\n", sdp(call));
    return call;
  }

  /// Sends a SUBSCRIBE for the lamp of `number`; its NOTIFYs go to `contact`.
  Call& subscribe(const std::string& number, const std::string& contact, int expires_seconds) {
    Call& call = begin("sip:" + number + "@" + options_.domain, "watch");
    call.contact = contact;
    request(call, "SUBSCRIBE", "Event: dialog\r\nExpires: " + std::to_string(expires_seconds) + "\r\n");
    return call;
  }

  /// Sends a request within the call, with the credentials of the last challenge.
  void request(Call& call, const std::string& method, const std::string& extra_headers = "",
               const std::string& body = "") {
    call.method = method;
    call.extra_headers = extra_headers;
    call.body = body;
    if (method != "ACK") ++call.cseq;
    call.branch = "z9hG4bKload" + std::to_string(++last_number_);
    send_last(call);
  }
  /// The last request of the call once more.
  void repeat(const Call& call) { send_last(call); }
  [[nodiscard]] std::string refer_to(const std::string& target) const {
    return "Refer-To: <sip:" + target + "@" + options_.domain + ">\r\nReferred-By: <sip:" + options_.user + "@" +
           options_.domain + ">\r\n";
  }
  void forget(const std::string& call_id) { calls_.erase(call_id); }

  void receive_all() {
    char bytes[65536];
    for (ssize_t got = recv(fd(), bytes, sizeof bytes, MSG_DONTWAIT); got > 0;
         got = recv(fd(), bytes, sizeof bytes, MSG_DONTWAIT)) {
      const auto message = sip::parse({bytes, static_cast<std::size_t>(got)});
      if (!message) continue;
      if (message->is_request()) {
        receive_request(*message);
      } else {
        receive_response(*message);
      }
    }
  }

 private:
  Call& begin(const std::string& target, const std::string& what) {
    const std::string id = what + std::to_string(++last_number_) + "@" + socket_.own().text();
    Call& call = calls_[id];
    call.id = id;
    call.local = "<sip:" + options_.user + "@" + options_.domain + ">;tag=" + new_tag();
    call.remote = "<" + target + ">";
    call.target = target;
    return call;
  }

  /// Never the one of another phone.
  std::string new_tag() { return std::to_string(++last_number_) + "-" + std::to_string(socket_.own().port); }
  [[nodiscard]] std::string contact() const { return "<sip:" + options_.user + "@" + socket_.own().text() + ">"; }

  std::string sdp(Call& call) {
    return "v=0\r\no=- 4711 " + std::to_string(++call.sdp_version) + " IN IP4 " + call.own_audio.address +
           "\r\ns=-\r\nc=IN IP4 " + call.own_audio.address + "\r\nt=0 0\r\nm=audio " +
           std::to_string(call.own_audio.port) +
           " RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
           "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";
  }

  void send_last(const Call& call) {
    std::string text = call.method + " " + call.target + " SIP/2.0\r\nVia: SIP/2.0/UDP " + socket_.own().text() +
                       ";rport;branch=" + call.branch + "\r\nMax-Forwards: 70\r\n";
    for (const auto& route : call.routes) text += "Route: " + route + "\r\n";
    text += "From: " + call.local + "\r\nTo: " + call.remote + "\r\nCall-ID: " + call.id +
            "\r\nCSeq: " + std::to_string(call.cseq) + " " + call.method +
            "\r\nContact: " + (call.contact.empty() ? contact() : call.contact) +
            "\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER\r\n" + credentials(call) + call.extra_headers +
            "Content-Length: " + std::to_string(call.body.size()) + "\r\n\r\n" + call.body;
    socket_.send(text, options_.proxy);
  }

  /// The next answer to the last challenge.
  std::string credentials(const Call& call) {
    const bool registers = call.method == "REGISTER";
    const std::string& challenge = registers ? www_challenge_ : proxy_challenge_;
    if (challenge.empty() || call.method == "ACK") return "";
    return std::string(registers ? "" : "Proxy-") + "Authorization: " +
           test::digest_answer(challenge, call.method, call.target, options_.user, options_.password,
                               ++(registers ? www_answers_ : proxy_answers_)) +
           "\r\n";
  }

  void respond(const sip::SipMessage& request, int status, Call* call) {
    sip::SipMessage response =
        sip::make_response(request, status, {}, call == nullptr ? "none" : sip::parse_name_addr(call->local)->tag());
    if (request.method() == "INVITE") {
      sip::copy_record_route(request, response);
      response.add_header("Contact", contact());
      if (status == 200) response.set_body("application/sdp", sdp(*call));
    }
    socket_.send(sip::write(response), options_.proxy);
  }

  void receive_request(const sip::SipMessage& request) {
    const std::string id(request.call_id());
    const bool is_invite = request.method() == "INVITE";
    auto known = calls_.find(id);
    if (known == calls_.end()) {
      if (!is_invite) {
        if (request.method() != "ACK") respond(request, request.method() == "MESSAGE" ? 200 : 481, nullptr);
        return;
      }
      known = calls_.emplace(id, Call{}).first;
      Call& call = known->second;
      call.id = id;
      call.own_audio = incoming_audio_;
      call.local = std::string(*request.header("To")) + ";tag=" + new_tag();
      call.remote = std::string(*request.header("From"));
      for (const auto& route : request.all_headers("Record-Route")) call.routes.emplace_back(route);
      respond(request, 180, &call);
    }
    Call& call = known->second;
    if (is_invite) learn_remote(call, request);
    if (request.method() != "ACK") respond(request, 200, &call);
    listener_(*this, call, request);
  }

  void learn_remote(Call& call, const sip::SipMessage& message) {
    if (const auto contact = message.contact()) call.target = contact->uri.to_string();
    const auto description = sip::parse_sdp(message.body());
    if (!description || description->media.empty()) return;
    const auto& media = description->media.front();
    const auto& connection = media.connection ? media.connection : description->connection;
    if (connection) call.audio = {connection->address, media.port};
  }

  void receive_response(const sip::SipMessage& response) {
    if (response.status() < 200) return;
    const auto known = calls_.find(std::string(response.call_id()));
    if (known == calls_.end()) return;
    Call& call = known->second;
    const bool is_invite = response.method() == "INVITE";
    if (is_invite && response.status() >= 300) acknowledge_failure(call, response);
    if ((response.status() == 401 || response.status() == 407) && response.top_branch() == call.branch &&
        answer_challenge(call, response)) {
      return;
    }
    if (is_invite && response.status() < 300) {
      if (call.routes.empty()) {
        for (const auto& route : response.all_headers("Record-Route")) call.routes.emplace_back(route);
        std::reverse(call.routes.begin(), call.routes.end());
      }
      call.remote = std::string(*response.header("To"));
      learn_remote(call, response);
      request(call, "ACK");
    }
    listener_(*this, call, response);
  }

  /// False when it is the second one for the same request.
  bool answer_challenge(Call& call, const sip::SipMessage& response) {
    std::string& known = response.status() == 401 ? www_challenge_ : proxy_challenge_;
    const std::string challenge(
        response.header(response.status() == 401 ? "WWW-Authenticate" : "Proxy-Authenticate").value_or(""));
    if (challenge == known) return false;
    known = challenge;
    (response.status() == 401 ? www_answers_ : proxy_answers_) = 0;
    request(call, std::string(call.method), std::string(call.extra_headers), std::string(call.body));
    return true;
  }

  // RFC 3261 17.1.1.3: part of the INVITE's transaction, with its branch.
  void acknowledge_failure(const Call& call, const sip::SipMessage& response) {
    sip::SipMessage ack = sip::make_request("ACK", call.target);
    ack.prepend_via(response.top_via());
    for (const auto& route : call.routes) ack.add_header("Route", route);
    for (const char* name : {"From", "To", "Call-ID"}) ack.add_header(name, *response.header(name));
    ack.set_cseq(response.cseq().number, "ACK");
    socket_.send(sip::write(ack), options_.proxy);
  }

  const Options options_;
  Listener listener_;
  test::UdpSocket socket_;
  test::Endpoint incoming_audio_;
  std::unordered_map<std::string, Call> calls_;
  std::string www_challenge_;
  std::string proxy_challenge_;
  unsigned www_answers_ = 0;
  unsigned proxy_answers_ = 0;
  std::uint64_t last_number_ = 0;
};

}  // namespace callpark::bench
