#include "parkd/presence/publisher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/match.h"
#include "base/random.h"
#include "kamailio_protocol/headers.h"

namespace callpark::presence {
namespace {

constexpr std::size_t kTagLength = 12;

std::string text_of(const Presentity& presentity) {
  return presentity.user + "@" + presentity.domain;
}

// The state of a lamp that was never shown.
DialogInfo dark(const Presentity& presentity) {
  return {.presentity = presentity,
          .dialog_id = std::string(kDialogIdPrefix) + "none",
          .state = DialogState::kTerminated,
          .display = presentity.user,
          .renders_media = true,
          .remote = std::nullopt};
}

}  // namespace

Publisher::Publisher(SipWay way, PresenceStore& store, Metrics& metrics, PublisherSettings settings)
    : way_(std::move(way)),
      store_(store),
      settings_(settings),
      accepted_(metrics.counter("callpark_publications_total", "PUBLISH requests by their outcome",
                                {{"outcome", "accepted"}})),
      failed_(metrics.counter("callpark_publications_total", "PUBLISH requests by their outcome",
                              {{"outcome", "failed"}})) {}

Publisher::~Publisher() = default;

Publisher::Lamp& Publisher::lamp_of(const Presentity& presentity) {
  const auto [entry, is_new] = lamps_.try_emplace(presentity);
  if (is_new) {
    entry->second.wanted = dark(presentity);
    entry->second.call_id = random_token(2 * kTagLength);
    entry->second.tag = random_token(kTagLength);
  }
  return entry->second;
}

void Publisher::show(const DialogInfo& info) {
  Lamp& lamp = lamp_of(info.presentity);
  if (lamp.state.is_lit_wanted && lamp.wanted == info) return;
  lamp.wanted = info;
  lamp.changed_at = monotonic_now();
  handle(info.presentity, publication::Wanted{++last_serial_, true});
}

void Publisher::darken(const Presentity& presentity) {
  Lamp& lamp = lamp_of(presentity);
  if (lamp.state.wanted != 0 && !lamp.state.is_lit_wanted) return;
  lamp.wanted.state = DialogState::kTerminated;
  lamp.changed_at = monotonic_now();
  handle(presentity, publication::Wanted{++last_serial_, false});
}

void Publisher::doubt(const Presentity& presentity) {
  if (lamps_.contains(presentity)) handle(presentity, publication::Doubted{});
}

void Publisher::forget(const Presentity& presentity) {
  lamp_of(presentity).changed_at = monotonic_now();
  handle(presentity, publication::Forgotten{});
}

void Publisher::when_settled(const Presentity& presentity, std::function<void(bool)> done) {
  const auto found = lamps_.find(presentity);
  if (found == lamps_.end() || publication::is_settled(found->second.state)) return done(true);
  waiters_.emplace(presentity, std::move(done));
}

void Publisher::answer_waiters(const Presentity& presentity, bool is_settled) {
  std::vector<std::function<void(bool)>> answered;
  const auto [first, last] = waiters_.equal_range(presentity);
  for (auto waiter = first; waiter != last; ++waiter) answered.push_back(std::move(waiter->second));
  waiters_.erase(first, last);
  for (const auto& done : answered) done(is_settled);
}

Publisher::Condition Publisher::condition(const Presentity& presentity, MonotonicTime since) const {
  const auto found = lamps_.find(presentity);
  if (found == lamps_.end()) return Condition::kUnknown;
  const Lamp& lamp = found->second;
  if (lamp.state.failures > 0) return Condition::kFailing;
  const bool is_quiet = std::holds_alternative<Publication::Dark>(lamp.state.phase) ||
                        std::holds_alternative<Publication::Lit>(lamp.state.phase);
  return is_quiet && lamp.changed_at < since ? Condition::kSettled : Condition::kChanging;
}

// ---- the machine ----

void Publisher::handle(const Presentity& name, const publication::Event& event) {
  const auto found = lamps_.find(name);
  if (found == lamps_.end()) return;
  const Presentity presentity = found->first;
  Lamp& lamp = found->second;
  publication::Decision decision = publication::decide(lamp.state, event);
  lamp.state = std::move(decision.next);
  for (const publication::Action& action : decision.actions) perform(presentity, lamp, action);
  const bool is_under_way = std::holds_alternative<Publication::Asking>(lamp.state.phase) ||
                            std::holds_alternative<Publication::Publishing>(lamp.state.phase) ||
                            std::holds_alternative<Publication::Removing>(lamp.state.phase);
  const bool is_settled = publication::is_settled(lamp.state);
  if (publication::is_over(lamp.state)) {
    if (std::holds_alternative<publication::Accepted>(event)) {
      // The query deletes the ended publication from the table.
      lamp.timer =
          way_.loop.after(settings_.ended_kept, [this, presentity] { handle(presentity, publication::Doubted{}); });
    } else {
      lamps_.erase(found);
    }
  }
  if (!is_under_way && under_way_.erase(presentity) != 0) start_waiting();
  if (!is_under_way) answer_waiters(presentity, is_settled);
}

void Publisher::perform(const Presentity& presentity, Lamp& lamp, const publication::Action& action) {
  std::visit(
      overloaded{[&](const publication::AskTable&) { begin(presentity, [this, presentity] { find(presentity); }); },
                 [&](const publication::Publish& its) {
                   begin(presentity, [this, presentity, etag = its.etag] { publish(presentity, etag); });
                 },
                 [&](const publication::Remove&) { begin(presentity, [this, presentity] { remove(presentity); }); },
                 [&](const publication::StartRetry&) {
                   lamp.timer = way_.loop.after(retry_wait(lamp),
                                                [this, presentity] { handle(presentity, publication::RetryDue{}); });
                 },
                 [&](const publication::StartRefresh&) {
                   lamp.timer = way_.loop.after(settings_.expires * 3 / 4,
                                                [this, presentity] { handle(presentity, publication::RefreshDue{}); });
                 },
                 [&](const publication::StopRefresh&) { lamp.timer.reset(); }},
      action);
}

void Publisher::begin(const Presentity& presentity, std::function<void()> work) {
  if (!under_way_.contains(presentity) && under_way_.size() >= settings_.under_way_max) {
    waiting_.push_back([this, presentity, work = std::move(work)] {
      under_way_.insert(presentity);
      work();
    });
    return;
  }
  under_way_.insert(presentity);
  work();
}

void Publisher::start_waiting() {
  while (!waiting_.empty() && under_way_.size() < settings_.under_way_max) {
    const auto work = std::move(waiting_.front());
    waiting_.pop_front();
    work();
  }
}

Duration Publisher::retry_wait(const Lamp& lamp) const {
  const bool is_rejected = lamp.status >= 400 && lamp.status < 500 && lamp.status != 408 && lamp.status != 412;
  const Duration most = is_rejected ? settings_.rejected_retry_max : settings_.retry_max;
  return std::min(most, settings_.retry * (1U << std::min(lamp.state.failures, 10U)) / 2);
}

void Publisher::find(const Presentity& presentity) {
  store_.find_publication(presentity,
                          [this, presentity](Result<std::optional<LivePublication>, StoreUnavailable> found) {
                            if (!found) return handle(presentity, publication::NotAnswered{});
                            const auto lamp = lamps_.find(presentity);
                            if (lamp == lamps_.end()) return;
                            // A publication of another parkd ends under its own dialog id.
                            if (*found && !lamp->second.state.is_lit_wanted)
                              lamp->second.wanted.dialog_id = (*found)->dialog_id;
                            handle(presentity, publication::Found{*found ? (*found)->etag : ""});
                          });
}

void Publisher::remove(const Presentity& presentity) {
  store_.remove_publication(presentity, [this, presentity](Result<bool, StoreUnavailable> removed) {
    if (!removed) return handle(presentity, publication::NotAnswered{});
    handle(presentity, publication::Removed{});
  });
}

void Publisher::publish(const Presentity& presentity, const std::string& etag) {
  Lamp& lamp = lamps_.at(presentity);
  const sip::SipUri uri(presentity.user, presentity.domain);
  sip::SipMessage request = sip::make_request(sip::method::kPublish, uri);
  sip::NameAddr from{"", sip::SipUri("parkd", presentity.domain), {}};
  from.set_tag(lamp.tag);
  request.set_header(sip::HeaderName::kFrom, from.to_string());
  request.set_header(sip::HeaderName::kTo, sip::NameAddr{"", uri, {}}.to_string());
  request.set_header(sip::HeaderName::kCallId, lamp.call_id);
  request.set_cseq(++lamp.cseq, sip::method::kPublish);
  request.set_header(sip::HeaderName::kContact, way_.contact);
  request.set_header(kamailio_protocol::kTenant, presentity.domain);
  request.set_header(sip::HeaderName::kEvent, "dialog");
  request.set_header(sip::HeaderName::kExpires,
                     std::to_string(std::chrono::duration_cast<std::chrono::seconds>(settings_.expires).count()));
  if (!etag.empty()) request.set_header("SIP-If-Match", etag);
  request.set_body(kDialogInfoType, write_dialog_info(lamp.wanted));
  way_.transactions.send_request(
      std::move(request), way_.kamailio,
      {[this, presentity](const sip::SipMessage& response) { on_response(presentity, response); },
       [this, presentity](sip::ClientFailure) {
         failed_.increment();
         if (const auto found = lamps_.find(presentity); found != lamps_.end()) found->second.status = 0;
         handle(presentity, publication::Refused{publication::Refusal::kFailed});
       }});
}

void Publisher::on_response(const Presentity& presentity, const sip::SipMessage& response) {
  const int status = response.status();
  if (status < 200) return;
  const auto found = lamps_.find(presentity);
  if (found == lamps_.end()) return;
  Lamp& lamp = found->second;
  const std::string etag(response.header("SIP-ETag").value_or(std::string_view{}));
  lamp.status = status;
  if (status < 300 && !etag.empty()) {
    accepted_.increment();
    lamp.changed_at = monotonic_now();
    return handle(presentity, publication::Accepted{etag});
  }
  if (status == 412) return handle(presentity, publication::Refused{publication::Refusal::kUnknownEtag});
  failed_.increment();
  if (lamp.state.failures == 0) {
    log_warning(lamp.call_id, "Kamailio refused the lamp {}: {} {}", text_of(presentity), status, response.reason());
  }
  handle(presentity, publication::Refused{publication::Refusal::kFailed});
}

}  // namespace callpark::presence
