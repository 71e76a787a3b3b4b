// Publishes lamps in the place of parkd: over Kamailio's inside socket, each lamp's states one after the other, several
// lamps at once. Packets can be lost.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/support/sip_text.h"
#include "tests/support/udp_socket.h"
#include "tests/support/wait.h"

namespace callpark::test {

class LampPublisher {
 public:
  struct Answer {
    int status = 0;
    std::string etag;
  };

  /// `parkd` is in the Via, by which Kamailio knows parkd; answers come to a socket of its own.
  LampPublisher(Endpoint parkd, Endpoint inside, std::string tenant = "demo.callpark", double loss = 0)
      : parkd_(std::move(parkd)), inside_(std::move(inside)), tenant_(std::move(tenant)), loss_(loss) {}

  /// One PUBLISH, with the entity-tag of the last answer for this lamp if there was one. Status 0: no answer in time.
  Answer publish(const std::string& lamp, const std::string& state, int expires = 3600) {
    return send(lamp, body(lamp, state), expires, etags_[lamp]);
  }
  /// The same with an entity-tag of the test's own, and any body.
  Answer send(const std::string& lamp, const std::string& body, int expires, const std::string& etag) {
    Change change{lamp, compose(lamp, body, expires, etag), {}, {}};
    begin(change);
    const auto deadline = Clock::now() + patient(std::chrono::seconds(10));
    while (change.answer.status == 0 && Clock::now() < deadline) {
      receive([&](const std::string& call_id) { return call_id == change.call_id() ? &change : nullptr; });
      repeat(change);
    }
    if (!change.answer.etag.empty()) etags_[lamp] = change.answer.etag;
    return change.answer;
  }

  /// All states of each lamp, in order, as fast as they are accepted; how many were.
  int publish_all(const std::map<std::string, std::vector<std::string>>& states) {
    std::map<std::string, std::deque<std::string>> waiting;
    std::map<std::string, Change> under_way;  // by Call-ID
    for (const auto& [lamp, list] : states) {
      waiting[lamp].assign(list.begin(), list.end());
      begin_next(waiting[lamp], lamp, under_way);
    }
    int taken = 0;
    const auto deadline = Clock::now() + patient(std::chrono::seconds(180));
    while (!under_way.empty() && Clock::now() < deadline) {
      receive([&](const std::string& call_id) {
        const auto found = under_way.find(call_id);
        return found == under_way.end() ? nullptr : &found->second;
      });
      for (auto it = under_way.begin(); it != under_way.end();) {
        repeat(it->second);
        if (it->second.answer.status == 0) {
          ++it;
          continue;
        }
        const std::string lamp = it->second.lamp;
        taken += it->second.answer.status == 200 ? 1 : 0;
        etags_[lamp] = it->second.answer.etag;
        it = under_way.erase(it);
        begin_next(waiting[lamp], lamp, under_way);
      }
    }
    return taken;
  }

  /// Several publishers that know nothing of each other: all states of one lamp at once, each as a new publication. How
  /// many got each status; 0: no answer in time.
  std::map<int, int> publish_at_once(const std::string& lamp, const std::vector<std::string>& states) {
    std::map<std::string, Change> under_way;
    for (const auto& state : states) {
      Change change{lamp, compose(lamp, body(lamp, state), 3600, ""), {}, {}};
      begin(change);
      under_way.emplace(change.call_id(), change);
    }
    const auto is_answered = [](const auto& entry) { return entry.second.answer.status != 0; };
    const auto deadline = Clock::now() + patient(std::chrono::seconds(30));
    while (!std::ranges::all_of(under_way, is_answered) && Clock::now() < deadline) {
      receive([&](const std::string& call_id) {
        const auto found = under_way.find(call_id);
        return found == under_way.end() ? nullptr : &found->second;
      });
      for (auto& [call_id, change] : under_way) repeat(change);
    }
    std::map<int, int> statuses;
    for (const auto& [call_id, change] : under_way) ++statuses[change.answer.status];
    return statuses;
  }

  /// As the issue shows it.
  [[nodiscard]] std::string body(const std::string& lamp, const std::string& state) const {
    const std::string uri = "sip:" + lamp + "@" + tenant_;
    return "<?xml version=\"1.0\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"7\" "
           "state=\"full\" entity=\"" +
           uri +
           "\">\r\n<dialog id=\"park-1\" call-id=\"c1\" local-tag=\"l\" remote-tag=\"r\" "
           "direction=\"recipient\"><state>" +
           state + "</state>\r\n<local><identity display=\"Park\">" + uri + "</identity><target uri=\"" + uri +
           "\"><param pname=\"+sip.rendering\" pvalue=\"no\"/></target></local>\r\n<remote><identity "
           "display=\"J&#xFC;rgen "
           "&quot;JJ&quot; &lt;x&gt;\">sip:+4930123@" +
           tenant_ + "</identity><target uri=\"" + uri + "\"/></remote></dialog></dialog-info>\r\n";
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Change {
    std::string lamp;
    std::string text;
    Answer answer;
    Clock::time_point sent;
    [[nodiscard]] std::string call_id() const { return SipText(text).call_id(); }
  };

  std::string compose(const std::string& lamp, const std::string& body, int expires, const std::string& etag) {
    const std::string uri = "sip:" + lamp + "@" + tenant_;
    const std::string word = "publish-" + std::to_string(++next_) + "-" + std::to_string(socket_.own().port);
    return "PUBLISH " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP " + parkd_.text() + ";rport;branch=z9hG4bK" + word +
           "\r\nMax-Forwards: 70\r\nFrom: <" + uri + ">;tag=p\r\nTo: <" + uri + ">\r\nCall-ID: " + word +
           "\r\nCSeq: 1 PUBLISH\r\nEvent: dialog\r\nExpires: " + std::to_string(expires) +
           "\r\nX-Callpark-Tenant: " + tenant_ + "\r\n" + (etag.empty() ? "" : "SIP-If-Match: " + etag + "\r\n") +
           "Content-Type: application/dialog-info+xml\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  }

  void begin_next(std::deque<std::string>& waiting, const std::string& lamp, std::map<std::string, Change>& under_way) {
    if (waiting.empty()) return;
    Change change{lamp, compose(lamp, body(lamp, waiting.front()), 3600, etags_[lamp]), {}, {}};
    waiting.pop_front();
    begin(change);
    under_way.emplace(change.call_id(), change);
  }

  bool is_lost() { return loss_ > 0 && std::uniform_real_distribution<>(0, 1)(random_) < loss_; }

  void begin(Change& change) {
    change.sent = Clock::now();
    if (!is_lost()) socket_.send(change.text, inside_);
  }
  void repeat(Change& change) {
    if (change.answer.status == 0 && Clock::now() - change.sent > std::chrono::milliseconds(500)) begin(change);
  }

  template <typename Find>
  void receive(Find find) {
    const auto datagram = socket_.receive(std::chrono::milliseconds(20));
    if (!datagram || is_lost()) return;
    const SipText response(datagram->bytes);
    if (response.status() < 200) return;
    if (Change* change = find(response.call_id())) change->answer = {response.status(), response.header("SIP-ETag")};
  }

  const Endpoint parkd_;
  const Endpoint inside_;
  const std::string tenant_;
  const double loss_;
  std::mt19937 random_{7};
  UdpSocket socket_{Endpoint{"127.0.0.1", 0}};
  std::map<std::string, std::string> etags_;
  int next_ = 0;
};

}  // namespace callpark::test
