// Lamps and notifications between a presence server, watchers' phones and tables that are small working ones. Runs on
// virtual time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "parkd/message/sip_parser.h"
#include "parkd/message/sip_writer.h"
#include "parkd/ports/presence_store.h"
#include "parkd/presence/sip_way.h"
#include "parkd/transport/response_routing.h"
#include "tests/support/virtual_time.h"

namespace callpark::presence {

inline const sip::Endpoint kInside = *sip::Endpoint::parse("udp:127.0.0.1:5061");
inline const sip::Endpoint kParkd = *sip::Endpoint::parse("udp:127.0.0.1:5062");

/// What is between two texts, "" when they are not there.
inline std::string between(const std::string& text, const std::string& left, const std::string& right) {
  const auto begin = text.find(left);
  if (begin == std::string::npos) return "";
  const auto end = text.find(right, begin + left.size());
  return end == std::string::npos ? "" : text.substr(begin + left.size(), end - begin - left.size());
}

/// Kamailio: keeps publications as it was found to do, and passes NOTIFYs on to phones that answer as the test sets.
class FakeKamailio final : public sip::MessageTransport {
 public:
  struct Row {
    Presentity presentity;
    std::string etag;
    std::string body;
    std::string dialog_id() const { return between(body, "<dialog id=\"", "\""); }
    std::string state() const { return between(body, "<state>", "</state>"); }
  };

  explicit FakeKamailio(EventLoop& loop) : loop_(loop), clock_(loop), layer_(*this, clock_) {}

  sip::TransactionLayer& transactions() { return layer_; }

  std::vector<Row> presentity;            // the table
  std::vector<sip::SipMessage> requests;  // that it has accepted, without copies
  std::vector<sip::SipMessage> responses;
  bool is_dead = false;  // nothing is heard of it
  int refuses_with = 0;  // every PUBLISH
  bool loses_answers = false;
  int phones_answer = 200;  // to NOTIFY; 0: not at all
  std::string retry_after;
  Duration delay{1};

  std::vector<sip::SipMessage> taken(std::string_view method) const {
    std::vector<sip::SipMessage> found;
    std::copy_if(requests.begin(), requests.end(), std::back_inserter(found),
                 [&](const sip::SipMessage& request) { return request.method() == method; });
    return found;
  }
  /// "early park-1", of several publications all.
  std::string shows(const std::string& user) const {
    std::string text;
    for (const Row& row : presentity) {
      if (row.presentity.user == user) text += (text.empty() ? "" : ", ") + row.state() + " " + row.dialog_id();
    }
    return text;
  }
  void deliver(const sip::SipMessage& message) {
    auto parsed = sip::parse(sip::write(message));
    ASSERT_TRUE(parsed) << sip::write(message);
    if (parsed->is_request()) sip::note_source(*parsed, kInside);
    layer_.on_message(*std::move(parsed), kInside);
  }

  bool send(const sip::SipMessage& message, const sip::Endpoint& destination) override {
    EXPECT_EQ(destination, kInside);
    auto parsed = sip::parse(sip::write(message));
    EXPECT_TRUE(parsed) << sip::write(message);
    if (!parsed || is_dead) return true;
    if (parsed->is_response()) {
      responses.push_back(*std::move(parsed));
      return true;
    }
    const std::string branch(parsed->top_branch());
    const auto [known, is_new] = answers_.try_emplace(branch);
    if (is_new) requests.push_back(*parsed);
    if (!known->second) known->second = answer(*parsed);
    if (known->second && !loses_answers) later(*known->second);
    return true;
  }
  std::optional<sip::Endpoint> local_endpoint(const sip::Endpoint&) const override { return kParkd; }

 private:
  void later(const sip::SipMessage& response) {
    timers_.push_back(loop_.after(delay, [this, response] { deliver(response); }));
  }
  std::optional<sip::SipMessage> answer(const sip::SipMessage& request) {
    if (request.method() == sip::method::kPublish) return answer_publish(request);
    if (phones_answer == 0) return std::nullopt;
    sip::SipMessage response = sip::make_response(request, phones_answer, {}, "phone");
    if (!retry_after.empty()) response.set_header("Retry-After", retry_after);
    return response;
  }
  sip::SipMessage answer_publish(const sip::SipMessage& request) {
    if (refuses_with != 0) return sip::make_response(request, refuses_with, {}, "k");
    const Presentity whose{request.request_uri().user(), request.request_uri().host()};
    const std::string match(request.header("SIP-If-Match").value_or(std::string_view{}));
    const std::string etag = "a." + std::to_string(++last_etag_);
    if (match.empty()) {
      presentity.push_back({whose, etag, std::string(request.body())});
    } else {
      const auto row = std::find_if(presentity.begin(), presentity.end(),
                                    [&](const Row& one) { return one.presentity == whose && one.etag == match; });
      if (row == presentity.end()) return sip::make_response(request, 412, {}, "k");
      // What has ended is not changed any more, and the answer does not show it.
      if (row->state() != "terminated") *row = {whose, etag, std::string(request.body())};
    }
    sip::SipMessage response = sip::make_response(request, 200, {}, "k");
    response.set_header("SIP-ETag", etag);
    response.set_header("Expires", request.header("Expires").value_or(std::string_view{}));
    return response;
  }

  EventLoop& loop_;
  sip::LoopAlarmClock clock_;
  sip::TransactionLayer layer_;
  int last_etag_ = 0;
  std::map<std::string, std::optional<sip::SipMessage>> answers_;
  std::vector<LoopHandle> timers_;
};

/// The tables. Answers come later, as a database's do.
class FakePresenceStore final : public PresenceStore {
 public:
  FakePresenceStore(EventLoop& loop, FakeKamailio& kamailio) : loop_(loop), kamailio_(kamailio) {}

  LampSettings settings{"demo.callpark", LampState::kEarly, {"*71", "*88"}, {{"7001", "7010"}}, {}};
  std::vector<ShownCall> calls;
  std::vector<std::string> extensions{"101", "102", "103"};
  std::vector<std::string> group;  // its members see each call of `group_calls`
  std::map<std::string, CallInfoSubscription> subscriptions;
  std::set<Presentity> watched;  // by Kamailio's table
  bool is_away = false;
  int lamps_read = 0;
  int watched_read = 0;
  std::size_t shown_read_max = 0;

  void read_lamps(std::vector<CallChange> changes, Answer<LampFacts> answer) override {
    ++lamps_read;
    later<LampFacts>(std::move(answer), [this, changes] {
      LampFacts facts{{settings}, {}};
      for (const ShownCall& call : calls) {
        const bool is_asked_for = std::any_of(changes.begin(), changes.end(), [&](const CallChange& change) {
          const auto is = [&](const std::optional<Extension>& party, const std::string& extension) {
            return party && *party == Extension{call.tenant, extension};
          };
          return change.orbit == call.orbit || is(change.caller, call.caller_extension) ||
                 is(change.retriever, call.retriever_extension);
        });
        if (is_asked_for) facts.calls.push_back(call);
      }
      return facts;
    });
  }
  void read_watched(std::optional<Presentity> after, std::size_t most,
                    Answer<std::vector<Presentity>> answer) override {
    ++watched_read;
    later<std::vector<Presentity>>(std::move(answer), [this, after, most] {
      std::vector<Presentity> found;
      for (const Presentity& one : watched) {
        if ((!after || *after < one) && found.size() < most) found.push_back(one);
      }
      return found;
    });
  }
  void read_lit_flows(Answer<std::vector<LitFlow>> answer) override {
    later<std::vector<LitFlow>>(std::move(answer), [this] { return settings.flows; });
  }
  void read_shown(std::vector<Presentity> presentities, Answer<ShownLamps> answer) override {
    shown_read_max = std::max(shown_read_max, presentities.size());
    later<ShownLamps>(std::move(answer), [this, presentities] {
      ShownLamps now{{{settings}, calls}, {}};
      for (const auto& row : kamailio_.presentity) {
        if (std::find(presentities.begin(), presentities.end(), row.presentity) == presentities.end()) continue;
        now.published.push_back({row.presentity, row.dialog_id(), row.state()});
      }
      return now;
    });
  }
  void read_unwatched(Answer<std::vector<Presentity>> answer) override {
    later<std::vector<Presentity>>(std::move(answer), [this] {
      std::vector<Presentity> found;
      for (const auto& row : kamailio_.presentity) {
        if (!watched.contains(row.presentity)) found.push_back(row.presentity);
      }
      return found;
    });
  }
  void find_publication(Presentity presentity, Answer<std::optional<LivePublication>> answer) override {
    later<std::optional<LivePublication>>(std::move(answer), [this, presentity] {
      std::optional<LivePublication> live;
      std::erase_if(kamailio_.presentity, [&](const FakeKamailio::Row& row) {
        return row.presentity == presentity && row.state() == "terminated";
      });
      for (const auto& row : kamailio_.presentity) {
        if (row.presentity == presentity) live = LivePublication{row.etag, row.dialog_id()};
      }
      std::erase_if(kamailio_.presentity, [&](const FakeKamailio::Row& row) {
        return row.presentity == presentity && live && row.etag != live->etag;
      });
      return live;
    });
  }
  void remove_publication(Presentity presentity, Answer<bool> answer) override {
    later<bool>(std::move(answer), [this, presentity] {
      std::erase_if(kamailio_.presentity, [&](const auto& row) { return row.presentity == presentity; });
      return true;
    });
  }
  void read_call_info(std::string, std::vector<std::string> asked, Answer<std::vector<CallInfo>> answer) override {
    later<std::vector<CallInfo>>(std::move(answer), [this, asked] {
      std::vector<CallInfo> found;
      for (const std::string& extension : asked) {
        if (std::find(extensions.begin(), extensions.end(), extension) == extensions.end()) continue;
        CallInfo info{extension, std::nullopt};
        for (const ShownCall& call : calls) {
          if (call.orbit == extension && !info.call) info.call = call;
        }
        found.push_back(info);
      }
      return found;
    });
  }
  void write_subscription(CallInfoSubscription subscription, Answer<bool> answer) override {
    later<bool>(std::move(answer), [this, subscription] {
      subscriptions[subscription.subscription_id] = subscription;
      return true;
    });
  }
  void remove_subscription(std::string id) override { subscriptions.erase(id); }
  void load_subscriptions(Answer<std::vector<CallInfoSubscription>> answer) override {
    later<std::vector<CallInfoSubscription>>(std::move(answer), [this] {
      std::vector<CallInfoSubscription> all;
      for (const auto& [id, subscription] : subscriptions) all.push_back(subscription);
      return all;
    });
  }

 private:
  template <class T>
  void later(Answer<T> answer, std::function<T()> work) {
    loop_.post([this, answer = std::move(answer), work = std::move(work)] {
      if (is_away) return answer(failure(StoreUnavailable{}));
      answer(work());
    });
  }

  EventLoop& loop_;
  FakeKamailio& kamailio_;
};

inline ShownCall waiting_call(const std::string& park_id, const std::string& orbit, const std::string& extension = "") {
  ShownCall call;
  call.park_id = ParkId(park_id);
  call.tenant = "demo.callpark";
  call.orbit = orbit;
  call.waits = true;
  call.parked_at = WallTime(Duration(7));
  call.caller = {"Client", extension.empty() ? "+4930123" : extension};
  call.caller_extension = extension;
  return call;
}

inline CallChange change_of(const ShownCall& call) {
  CallChange change{call.tenant, call.orbit, "", std::nullopt, std::nullopt};
  if (!call.caller_extension.empty()) change.caller = Extension{call.tenant, call.caller_extension};
  if (!call.retriever_extension.empty()) change.retriever = Extension{call.tenant, call.retriever_extension};
  return change;
}

struct PresenceWorld {
  test::VirtualTime time;
  EventLoop loop;
  Metrics metrics;
  FakeKamailio kamailio{loop};
  FakePresenceStore store{loop, kamailio};
  SipWay way{loop, kamailio.transactions(), kInside, "<sip:parkd@127.0.0.1:5062>"};

  void pass(Duration duration) { test::pass(loop, duration); }
};

}  // namespace callpark::presence
