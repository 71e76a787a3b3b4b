#include "parkd/presence/call_info_notifier.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/match.h"
#include "base/random.h"
#include "kamailio_protocol/headers.h"
#include "parkd/dialog/dialog_requests.h"

namespace callpark::presence {
namespace {

using std::chrono::seconds;

constexpr std::string_view kPackage = "call-info";
constexpr std::size_t kTagLength = 12;
constexpr std::size_t kIdLength = 26;  // 130 bits
// A row covers so many NOTIFYs in advance.
constexpr std::uint32_t kCSeqReserve = 500;

std::string_view package_of(std::string_view event) {
  const std::string_view token = event.substr(0, event.find(';'));
  const auto begin = token.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return token.substr(begin, token.find_last_not_of(" \t") - begin + 1);
}

// RFC 6665 8.2.1: distinguishes several subscriptions in one dialog.
std::string id_of(std::string_view event) {
  const auto parameter = event.find(";id=");
  if (parameter == std::string_view::npos) return "";
  const std::string_view value = event.substr(parameter + 4);
  return std::string(value.substr(0, value.find(';')));
}

bool is_understood(const sip::SipMessage& request) {
  if (!request.header(sip::HeaderName::kAccept)) return true;
  const auto accepted = request.all_headers(sip::HeaderName::kAccept);
  return std::any_of(accepted.begin(), accepted.end(), [](std::string_view type) {
    const std::string_view bare = type.substr(0, type.find_first_of("; \t"));
    return bare == kCallInfoType || bare == "application/*" || bare == "*/*";
  });
}

std::string header_text(const sip::SipMessage& message, std::string_view name) {
  return std::string(message.header(name).value_or(std::string_view{}));
}

DialogSnapshot snapshot_of(const sip::DialogState& dialog) {
  DialogSnapshot snapshot;
  snapshot.call_id = dialog.id.call_id;
  snapshot.local_tag = dialog.id.local_tag;
  snapshot.remote_tag = dialog.id.remote_tag;
  snapshot.local_uri = dialog.local_uri;
  snapshot.local_display = dialog.local_display;
  snapshot.remote_uri = dialog.remote_uri;
  snapshot.remote_display = dialog.remote_display;
  snapshot.local_cseq = dialog.local_cseq;
  snapshot.remote_cseq = dialog.remote_cseq;
  snapshot.remote_target = dialog.remote_target;
  snapshot.route_set = dialog.route_set;
  return snapshot;
}

sip::DialogState dialog_of(const DialogSnapshot& snapshot) {
  return {.id = {snapshot.call_id, snapshot.local_tag, snapshot.remote_tag},
          .local_uri = snapshot.local_uri,
          .local_display = snapshot.local_display,
          .remote_uri = snapshot.remote_uri,
          .remote_display = snapshot.remote_display,
          .local_cseq = snapshot.local_cseq,
          .remote_cseq = snapshot.remote_cseq,
          .remote_target = snapshot.remote_target,
          .route_set = snapshot.route_set};
}

// RFC 5057 5.1: these answers end a subscription and not only its NOTIFY; a proxy's answers for a phone that is away
// are not among them.
bool ends_subscription(int status) {
  return status == 405 || status == 481 || status == 489 || status == 501;
}

}  // namespace

CallInfoNotifier::CallInfoNotifier(SipWay way, PresenceStore& store, Metrics& metrics, CallInfoSettings settings)
    : way_(std::move(way)),
      store_(store),
      settings_(settings),
      count_(metrics.gauge("callpark_call_info_subscriptions", "Subscriptions to the calls parked for an extension")) {}

CallInfoNotifier::~CallInfoNotifier() = default;

void CallInfoNotifier::start() {
  store_.load_subscriptions([this](Result<std::vector<CallInfoSubscription>, StoreUnavailable> rows) {
    if (!rows) {
      retry_ = way_.loop.after(settings_.read_retry, [this] { start(); });
      return;
    }
    is_ready_ = true;
    for (CallInfoSubscription& row : *rows) {
      Watch watch;
      watch.dialog = dialog_of(row.dialog);
      watch.row = std::move(row);
      const Duration left = watch.row.expires_at - wall_now();
      const Watched watched{watch.row.tenant, watch.row.extension};
      Watch& added = add(std::move(watch));
      write(added);
      set_expiry(added, std::max(left, Duration(0)));
      read_again(watched);
    }
    comparison_ = way_.loop.every(settings_.compare_every, [this] {
      for (const auto& [watched, ids] : ids_by_watched_) read_again(watched);
    });
  });
}

bool CallInfoNotifier::serves(const sip::SipMessage& request) {
  return request.method() == sip::method::kSubscribe && package_of(request.event()) == kPackage;
}

// ---- SUBSCRIBE ----

void CallInfoNotifier::on_subscribe(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  if (!is_ready_) return respond(key, request, 500);
  if (!is_understood(request)) return respond(key, request, 406);
  if (request.to_tag().empty()) return subscribe(key, request);
  refresh(key, request);
}

void CallInfoNotifier::subscribe(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  Watch watch;
  watch.row.tenant = header_text(request, kamailio_protocol::kTenant);
  watch.row.watcher = header_text(request, kamailio_protocol::kUser);
  if (watch.row.tenant.empty() || watch.row.watcher.empty()) return respond(key, request, 403);
  auto dialog = sip::from_incoming_invite(request, random_token(kTagLength));
  if (!dialog) return respond(key, request, 400);
  watch.dialog = *std::move(dialog);
  watch.row.subscription_id = random_token(kIdLength);
  watch.row.extension = request.request_uri().number();
  watch.row.event_id = id_of(request.event());
  const std::string tenant = watch.row.tenant;
  const std::string extension = watch.row.extension;
  store_.read_call_info(tenant, {extension},
                        [this, key, request, watch = std::make_shared<Watch>(std::move(watch))](
                            const Result<std::vector<CallInfo>, StoreUnavailable>& infos) {
                          if (!infos) return respond(key, request, 500);
                          if (infos->empty()) return respond(key, request, 404);
                          if (const auto& call = infos->front().call) watch->shown = shown_caller(*call);
                          watch->is_read = true;
                          admit(key, request, std::move(*watch), expires_of(request));
                        });
}

void CallInfoNotifier::admit(sip::ServerTransactionKey key, const sip::SipMessage& request, Watch watch,
                             seconds expires) {
  const SubscriptionId id = watch.row.subscription_id;
  const std::string tag = watch.dialog.id.local_tag;
  const Watched watched{watch.row.tenant, watch.row.extension};
  watch.row.expires_at = wall_now() + expires;
  if (expires == seconds(0)) {
    // RFC 6665 4.4.3: a fetch of the present state.
    add(std::move(watch));
    accept(key, request, tag, expires);
    return handle(id, subscription::Ended{SubscriptionEnd::kTimeout});
  }
  if (!make_room(watch)) return respond(key, request, 503);
  watch.row.dialog = snapshot_of(watch.dialog);
  watch.row.dialog.local_cseq += kCSeqReserve;
  const CallInfoSubscription row = watch.row;
  store_.write_subscription(
      row, [this, key, request, id, tag, watched, expires,
            watch = std::make_shared<Watch>(std::move(watch))](Result<bool, StoreUnavailable> written) {
        if (!written) return respond(key, request, 500);
        set_expiry(add(std::move(*watch)), expires);
        accept(key, request, tag, expires);
        notify_again(id);
        read_again(watched);  // the state may have changed while the row was written
      });
}

void CallInfoNotifier::refresh(sip::ServerTransactionKey key, const sip::SipMessage& request) {
  const auto found = ids_by_dialog_.find(sip::dialog_id_of(request));
  if (found == ids_by_dialog_.end()) return respond(key, request, 481);
  const SubscriptionId id = found->second;
  Watch& watch = watches_.at(id);
  // With the password of another extension a phone would get the notifications of this one, or end them.
  const bool is_watcher = header_text(request, kamailio_protocol::kTenant) == watch.row.tenant &&
                          header_text(request, kamailio_protocol::kUser) == watch.row.watcher;
  if (!is_watcher) return respond(key, request, 403);
  if (!sip::accept_cseq(watch.dialog, request)) return respond(key, request, 500);
  if (const auto contact = request.contact()) watch.dialog.remote_target = contact->uri.to_string();
  const seconds expires = expires_of(request);
  accept(key, request, watch.dialog.id.local_tag, expires);
  if (expires == seconds(0)) return handle(id, subscription::Ended{SubscriptionEnd::kTimeout});
  watch.row.expires_at = wall_now() + expires;
  set_expiry(watch, expires);
  write(watch);
  if (watch.is_read) notify_again(id);
}

seconds CallInfoNotifier::expires_of(const sip::SipMessage& request) const {
  return std::min(settings_.expires_max, seconds(request.expires().value_or(3600)));
}

void CallInfoNotifier::accept(sip::ServerTransactionKey key, const sip::SipMessage& request, const std::string& tag,
                              seconds expires) {
  sip::SipMessage response = sip::make_response(request, 200, {}, tag);
  sip::copy_record_route(request, response);
  response.set_header(sip::HeaderName::kContact, way_.contact);
  response.set_header(sip::HeaderName::kExpires, std::to_string(expires.count()));
  way_.transactions.respond(key, response);
}

void CallInfoNotifier::respond(sip::ServerTransactionKey key, const sip::SipMessage& request, int status) {
  const std::string_view reason = status == 503 ? "Too Many Subscriptions" : "";
  sip::SipMessage response = sip::make_response(request, status, reason, random_token(kTagLength));
  if (status == 500) response.set_header("Retry-After", "1");
  if (status == 503) response.set_header("Retry-After", "40");
  if (status == 406) response.set_header(sip::HeaderName::kAccept, kCallInfoType);
  way_.transactions.respond(key, response);
}

// ---- subscriptions ----

// The same device has started anew, or the oldest subscription of too many makes room. False if the watcher or its
// tenant has too many all the same.
bool CallInfoNotifier::make_room(const Watch& watch) {
  std::vector<const Watch*> kept;
  std::vector<SubscriptionId> ended;
  if (const auto ids = ids_by_watched_.find({watch.row.tenant, watch.row.extension}); ids != ids_by_watched_.end()) {
    for (const SubscriptionId& id : ids->second) {
      const Watch& other = watches_.at(id);
      if (other.row.watcher != watch.row.watcher) continue;
      if (other.dialog.remote_target == watch.dialog.remote_target) {
        ended.push_back(id);
      } else {
        kept.push_back(&other);
      }
    }
  }
  std::sort(kept.begin(), kept.end(),
            [](const Watch* left, const Watch* right) { return left->row.expires_at < right->row.expires_at; });
  for (std::size_t i = 0; i + settings_.of_watcher_to_one_max <= kept.size(); ++i) {
    ended.push_back(kept[i]->row.subscription_id);
  }
  for (const SubscriptionId& id : ended) forget(id);
  const auto count = [this](const Watched& whose) {
    const auto found = counts_.find(whose);
    return found == counts_.end() ? 0 : found->second;
  };
  return count({watch.row.tenant, watch.row.watcher}) < settings_.of_watcher_max &&
         count({watch.row.tenant, ""}) < settings_.of_tenant_max;
}

CallInfoNotifier::Watch& CallInfoNotifier::add(Watch watch) {
  const SubscriptionId id = watch.row.subscription_id;
  ids_by_dialog_[watch.dialog.id] = id;
  ids_by_watched_[{watch.row.tenant, watch.row.extension}].insert(id);
  ++counts_[{watch.row.tenant, watch.row.watcher}];
  ++counts_[{watch.row.tenant, ""}];
  Watch& added = watches_.insert_or_assign(id, std::move(watch)).first->second;
  count_.set(static_cast<double>(watches_.size()));
  return added;
}

void CallInfoNotifier::forget(const SubscriptionId& name) {
  const auto node = watches_.extract(name);
  if (node.empty()) return;
  const SubscriptionId id = node.key();
  const Watch& watch = node.mapped();
  ids_by_dialog_.erase(watch.dialog.id);
  const auto watched = ids_by_watched_.find({watch.row.tenant, watch.row.extension});
  watched->second.erase(id);
  if (watched->second.empty()) ids_by_watched_.erase(watched);
  for (const Watched& whose : {Watched{watch.row.tenant, watch.row.watcher}, Watched{watch.row.tenant, ""}}) {
    if (--counts_[whose] == 0) counts_.erase(whose);
  }
  store_.remove_subscription(id);
  count_.set(static_cast<double>(watches_.size()));
}

void CallInfoNotifier::set_expiry(Watch& watch, Duration after) {
  watch.expiry = way_.loop.after(
      after, [this, id = watch.row.subscription_id] { handle(id, subscription::Ended{SubscriptionEnd::kTimeout}); });
}

// The next parkd begins above all CSeqs of this one. A row that cannot be written now is written with the next NOTIFY.
void CallInfoNotifier::write(Watch& watch) {
  CallInfoSubscription row = watch.row;
  row.dialog = snapshot_of(watch.dialog);
  row.dialog.local_cseq += kCSeqReserve;
  store_.write_subscription(
      row, [this, id = row.subscription_id, cseq_max = row.dialog.local_cseq](Result<bool, StoreUnavailable> written) {
        const auto found = watches_.find(id);
        if (found == watches_.end()) return store_.remove_subscription(id);
        if (written) found->second.row.dialog.local_cseq = cseq_max;
      });
}

void CallInfoNotifier::handle(const SubscriptionId& name, const subscription::Event& event) {
  const auto found = watches_.find(name);
  if (found == watches_.end()) return;
  const SubscriptionId id = found->first;
  const subscription::Decision decision = subscription::decide(found->second.state, event);
  found->second.state = decision.next;
  for (const subscription::Action& action : decision.actions) {
    std::visit(overloaded{[&](const subscription::Notify& its) { notify(id, found->second, its.end); },
                          [&](const subscription::StartRetry& its) {
                            Duration wait = settings_.retry;
                            for (std::uint32_t i = 1; i < its.failures; ++i) wait *= 5;
                            found->second.retry =
                                way_.loop.after(wait, [this, id] { handle(id, subscription::RetryDue{}); });
                          },
                          [&](const subscription::Remove&) { forget(id); }},
               action);
  }
}

void CallInfoNotifier::notify_again(const SubscriptionId& id) {
  handle(id, subscription::Wanted{++last_serial_});
}

void CallInfoNotifier::notify(const SubscriptionId& id, Watch& watch, std::optional<SubscriptionEnd> end) {
  if (!end && watch.dialog.local_cseq + kCSeqReserve / 2 > watch.row.dialog.local_cseq) write(watch);
  sip::SipMessage request = sip::make_request_in(watch.dialog, sip::method::kNotify, way_.contact);
  request.set_header(sip::HeaderName::kEvent,
                     std::string(kPackage) + (watch.row.event_id.empty() ? "" : ";id=" + watch.row.event_id));
  const auto left = std::chrono::duration_cast<seconds>(watch.row.expires_at - wall_now());
  std::string state = "active;expires=" + std::to_string(std::max(left, seconds(0)).count());
  if (end) state = *end == SubscriptionEnd::kTimeout ? "terminated;reason=timeout" : "terminated;reason=noresource";
  request.set_header(sip::HeaderName::kSubscriptionState, state);
  if (watch.is_read) request.set_body(kCallInfoType, write_call_info(watch.shown));
  way_.transactions.send_request(std::move(request), way_.kamailio,
                                 {[this, id](const sip::SipMessage& response) {
                                    const int status = response.status();
                                    if (status < 200) return;
                                    if (status < 300) return handle(id, subscription::Accepted{});
                                    handle(id, ends_subscription(status) ? subscription::Event(subscription::Unknown{})
                                                                         : subscription::Event(subscription::Failed{}));
                                  },
                                  [this, id](sip::ClientFailure) { handle(id, subscription::Failed{}); }});
}

// ---- the present state ----

void CallInfoNotifier::on_call_changed(const CallChange& change) {
  const auto own = ids_by_watched_.find({change.tenant, change.orbit});
  if (own != ids_by_watched_.end()) read_again(own->first);
  if (change.park_group.empty()) return;
  // Only the tables have the members of the group.
  for (auto one = ids_by_watched_.lower_bound({change.tenant, ""});
       one != ids_by_watched_.end() && one->first.tenant == change.tenant; ++one) {
    read_again(one->first);
  }
}

void CallInfoNotifier::read_again(const Watched& watched) {
  changed_.insert(watched);
  if (!is_reading_) read();
}

// One tenant at a time; changes meanwhile are read afterwards.
void CallInfoNotifier::read() {
  is_reading_ = true;
  const std::string tenant = changed_.begin()->tenant;
  std::set<Watched> asked;
  std::vector<std::string> extensions;
  while (!changed_.empty() && changed_.begin()->tenant == tenant) {
    extensions.push_back(changed_.begin()->extension);
    asked.insert(changed_.extract(changed_.begin()));
  }
  store_.read_call_info(
      tenant, std::move(extensions),
      [this, asked](const Result<std::vector<CallInfo>, StoreUnavailable>& infos) { on_read(asked, infos); });
}

void CallInfoNotifier::on_read(const std::set<Watched>& asked,
                               const Result<std::vector<CallInfo>, StoreUnavailable>& infos) {
  if (!infos) {
    changed_.insert(asked.begin(), asked.end());
    retry_ = way_.loop.after(settings_.read_retry, [this] { read(); });
    return;
  }
  is_reading_ = false;
  for (const Watched& watched : asked) {
    const auto info = std::find_if(infos->begin(), infos->end(),
                                   [&](const CallInfo& one) { return one.extension == watched.extension; });
    show(watched, info == infos->end() ? nullptr : &*info);
  }
  if (!changed_.empty()) read();
}

void CallInfoNotifier::show(const Watched& watched, const CallInfo* info) {
  const auto found = ids_by_watched_.find(watched);
  if (found == ids_by_watched_.end()) return;
  std::optional<ShownParty> shown;
  if (info && info->call) shown = shown_caller(*info->call);
  const std::set<SubscriptionId> ids = found->second;
  for (const SubscriptionId& id : ids) {
    Watch& watch = watches_.at(id);
    if (!info) {
      handle(id, subscription::Ended{SubscriptionEnd::kNoResource});
      continue;
    }
    if (watch.is_read && watch.shown == shown) continue;
    watch.shown = shown;
    watch.is_read = true;
    notify_again(id);
  }
}

}  // namespace callpark::presence
