// What is beyond parkd's inside socket, played by the test message by message: Kamailio, and behind it the phones. Runs
// on virtual time, so that a session timer costs no more than a retransmission.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "parkd/leg/user_agent.h"
#include "parkd/message/sip_parser.h"
#include "parkd/message/sip_writer.h"
#include "parkd/transport/response_routing.h"
#include "tests/support/virtual_time.h"
#include "tests/unit/parkd/leg/sdp_texts.h"

namespace callpark::leg {

inline const sip::Endpoint kInside = *sip::Endpoint::parse("udp:127.0.0.1:5061");
inline const sip::Endpoint kParkd = *sip::Endpoint::parse("udp:127.0.0.1:5062");

/// What parkd sends is written down as the text that a parser understood.
class ScriptedKamailio final : public sip::MessageTransport {
 public:
  explicit ScriptedKamailio(EventLoop& loop) : loop_(loop), clock_(loop), layer_(*this, clock_) {}

  sip::TransactionLayer& transactions() { return layer_; }
  /// Everything as it was sent, retransmissions too.
  std::vector<sip::SipMessage> sent;
  /// Nothing can be sent while set.
  bool is_broken = false;

  bool send(const sip::SipMessage& message, const sip::Endpoint& destination) override {
    EXPECT_EQ(destination, kInside);
    if (is_broken) return false;
    auto parsed = sip::parse(sip::write(message));
    EXPECT_TRUE(parsed) << sip::write(message);
    if (parsed) sent.push_back(*std::move(parsed));
    return true;
  }
  std::optional<sip::Endpoint> local_endpoint(const sip::Endpoint&) const override { return kParkd; }

  void deliver(const sip::SipMessage& message) {
    auto parsed = sip::parse(sip::write(message));
    ASSERT_TRUE(parsed) << sip::write(message);
    if (parsed->is_request()) sip::note_source(*parsed, kInside);
    layer_.on_message(*std::move(parsed), kInside);
  }

  /// The next new request of this method; copies of one are one. Waits for it.
  sip::SipMessage take_request(std::string_view method) {
    if (!test::pass_until(loop_, [&] { return find_new(method) != nullptr; })) {
      ADD_FAILURE() << "no " << method << " was sent";
      return sip::make_request(method, "sip:nobody@127.0.0.1");
    }
    const sip::SipMessage found = *find_new(method);
    taken_.push_back(name_of(found));
    return found;
  }
  /// Whether one is there or comes within `duration`.
  bool sends(std::string_view method, Duration duration = Duration(1000)) {
    return test::pass_until(
        loop_, [&] { return find_new(method) != nullptr; }, duration);
  }
  /// How often this very message went out.
  std::size_t copies(const sip::SipMessage& message) const {
    return static_cast<std::size_t>(std::count_if(sent.begin(), sent.end(), [&](const sip::SipMessage& one) {
      return one.status() == message.status() && name_of(one) == name_of(message);
    }));
  }
  /// The first response to `request` that is at least `status_min`. Waits for it.
  sip::SipMessage take_response(const sip::SipMessage& request, int status_min = 200) {
    const sip::SipMessage* found = nullptr;
    const auto look = [&] {
      const auto at = std::find_if(sent.begin(), sent.end(), [&](const sip::SipMessage& one) {
        return one.status() >= status_min && name_of(one) == name_of(request);
      });
      found = at == sent.end() ? nullptr : &*at;
      return found != nullptr;
    };
    if (test::pass_until(loop_, look)) return *found;
    ADD_FAILURE() << "no answer to\n" << sip::write(request);
    return sip::make_response(request, 699);
  }

  /// Answers a request of parkd's. An SDP makes it an answer with body; `contact` is where the far end then is.
  void answer(const sip::SipMessage& request, int status, const std::optional<sip::Sdp>& sdp = std::nullopt,
              const std::function<void(sip::SipMessage&)>& fill = {}) {
    sip::SipMessage response = sip::make_response(request, status, {}, "far-tag");
    if (request.method() == sip::method::kInvite) {
      response.set_header(sip::HeaderName::kContact, "<sip:client@127.0.0.12:5060>");
    }
    if (sdp) response.set_body("application/sdp", sip::write_sdp(*sdp));
    if (fill) fill(response);
    deliver(response);
  }

 private:
  static std::string name_of(const sip::SipMessage& message) {
    // The ACK of a 2xx has a branch of its own each time.
    if (message.method() == sip::method::kAck) {
      return "ACK " + std::string(message.call_id()) + " " + std::to_string(message.cseq().number);
    }
    return std::string(message.top_branch()) + " " + std::string(message.method());
  }
  const sip::SipMessage* find_new(std::string_view method) const {
    for (const sip::SipMessage& one : sent) {
      if (one.is_request() && one.method() == method &&
          std::find(taken_.begin(), taken_.end(), name_of(one)) == taken_.end()) {
        return &one;
      }
    }
    return nullptr;
  }

  EventLoop& loop_;
  sip::LoopAlarmClock clock_;
  sip::TransactionLayer layer_;
  std::vector<std::string> taken_;
};

/// A user agent beyond Kamailio, as far as its requests go.
struct FarEnd {
  std::string call_id;
  std::string tag;
  std::string uri;
  std::string contact;
  std::string parkd_tag;
  std::string parkd_uri;
  std::uint32_t cseq = 0;

  sip::SipMessage request(std::string_view method, const std::optional<sip::Sdp>& sdp = std::nullopt) {
    return numbered(method, ++cseq, sdp);
  }
  sip::SipMessage ack(const sip::SipMessage& invite, const std::optional<sip::Sdp>& sdp = std::nullopt) const {
    return numbered(sip::method::kAck, invite.cseq().number, sdp);
  }

 private:
  sip::SipMessage numbered(std::string_view method, std::uint32_t number, const std::optional<sip::Sdp>& sdp) const {
    static int branches = 0;
    sip::SipMessage request = sip::make_request(method, "sip:parkd@127.0.0.1:5062");
    request.add_header(sip::HeaderName::kVia, "SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK" + std::to_string(++branches));
    request.add_header(sip::HeaderName::kFrom, "<" + uri + ">;tag=" + tag);
    request.add_header(sip::HeaderName::kTo, "<" + parkd_uri + ">" + (parkd_tag.empty() ? "" : ";tag=" + parkd_tag));
    request.add_header(sip::HeaderName::kCallId, call_id);
    request.set_cseq(number, method);
    if (method != sip::method::kAck) request.add_header(sip::HeaderName::kContact, "<" + contact + ">");
    if (sdp) request.set_body("application/sdp", sip::write_sdp(*sdp));
    return request;
  }
};

inline std::string address_of(const std::optional<sip::NameAddr>& address) {
  return address ? address->uri.to_string() : "";
}

inline sip::Sdp body_of(const sip::SipMessage& message) {
  return sdp_of(message.body());
}

}  // namespace callpark::leg
