#include "parkd/webhooks/webhook_sender.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/log.h"
#include "base/match.h"
#include "base/random.h"
#include "parkd/authz/webhook_signature.h"

namespace callpark::webhooks {
namespace {

constexpr int kPercents = 101;  // 0 to 100
// An event that no attempt has made dead, since its subscriber is disabled or has too many, becomes so this much later.
constexpr Duration kLifeMargin = std::chrono::hours(1);

HttpClientOptions client_options(const WebhookSender::Settings& settings) {
  HttpClientOptions options = settings.http;
  options.connections_max = settings.turns.in_flight_max;
  return options;
}

Result<authz::WebhookSecrets, std::string> secrets_of(const WebhookDelivery& delivery) {
  std::vector<authz::WebhookSecret> secrets;
  for (const std::string& text : delivery.secrets) {
    const auto secret = authz::WebhookSecret::parse(text);
    if (!secret) return failure(std::string(authz::describe(secret.error())));
    secrets.push_back(*secret);
  }
  if (secrets.empty()) return failure(std::string("it has no secret"));
  authz::WebhookSecrets both{secrets.front()};
  if (secrets.size() > 1) both.other = secrets.back();
  return both;
}

std::string name_of(const Subscriber& subscriber) {
  return subscriber.tenant + "/" + subscriber.webhook;
}

Counter attempts(Metrics& metrics, const Outcome& outcome) {
  return metrics.counter("callpark_webhook_attempts_total", "Events sent to subscribers, by what came of it",
                         {{"outcome", std::string(name_of(outcome))}});
}

}  // namespace

WebhookSender::WebhookSender(EventLoop& loop, WebhookStore& store, Metrics& metrics, Settings settings)
    : loop_(loop),
      store_(store),
      metrics_(metrics),
      settings_(std::move(settings)),
      turns_(settings_.turns),
      client_(std::make_shared<HttpClient>(loop, client_options(settings_))),
      due_(metrics.gauge("callpark_webhooks_due", "Events that are due to subscribers, of all nodes")),
      dead_(metrics.gauge("callpark_webhooks_dead", "Events that subscribers never got, of all nodes")),
      oldest_due_(metrics.gauge("callpark_webhooks_oldest_due_seconds",
                                "Age of the oldest event that is due to a subscriber")) {
  for (const Outcome& outcome : std::initializer_list<Outcome>{Delivered{}, Retry{}, Dead{}, Gone{}}) {
    attempts(metrics_, outcome);
  }
}

void WebhookSender::set_addresses(AddressPolicy addresses) {
  settings_.http.addresses = std::move(addresses);
  client_ = std::make_shared<HttpClient>(loop_, client_options(settings_));
}

void WebhookSender::start() {
  polling_ = loop_.every(settings_.poll, [this] { poll(); });
  tidying_ = loop_.every(settings_.tidy, [this] { tidy(); });
}

void WebhookSender::poll() {
  if (is_polling_) return;
  is_polling_ = true;
  store_.find_due([this](const Result<std::vector<Subscriber>, StoreUnavailable>& due) {
    is_polling_ = false;
    if (due) turns_.add(*due);
    proceed();
  });
}

void WebhookSender::tidy() {
  if (is_tidying_) return;
  is_tidying_ = true;
  store_.tidy(settings_.retries.life + kLifeMargin, [this](const Result<WebhookBacklog, StoreUnavailable>& backlog) {
    is_tidying_ = false;
    if (!backlog) return;
    due_.set(static_cast<double>(backlog->due));
    dead_.set(static_cast<double>(backlog->dead));
    oldest_due_.set(std::chrono::duration<double>(backlog->oldest_due).count());
  });
}

void WebhookSender::proceed() {
  while (const auto turn = turns_.next(monotonic_now())) {
    store_.claim(turn->subscriber, turn->events_max, settings_.lease,
                 [this, turn = *turn](const Result<std::vector<WebhookDelivery>, StoreUnavailable>& deliveries) {
                   turns_.claimed(turn, deliveries ? deliveries->size() : 0, monotonic_now());
                   if (deliveries) {
                     for (const WebhookDelivery& delivery : *deliveries) send(delivery, turn.span);
                   }
                   proceed();
                 });
  }
}

void WebhookSender::send(const WebhookDelivery& delivery, authz::breaker::Span span) {
  const auto secrets = secrets_of(delivery);
  if (!secrets) return conclude(delivery, span, {{}, "no usable secret", secrets.error()});
  OutgoingHttpRequest request;
  request.method = HttpMethod::kPost;
  request.url = delivery.url;
  request.body = write_webhook_event(delivery.event);
  const auto headers = authz::sign_webhook(*secrets, webhook_id(delivery.event), wall_now(), request.body);
  request.headers = {{"content-type", "application/json"},
                     {"webhook-id", headers.id},
                     {"webhook-timestamp", headers.timestamp},
                     {"webhook-signature", headers.signature}};
  request.connect_timeout = request.total_timeout = settings_.request_timeout;
  const Number number = ++last_number_;
  sending_[number] = {client_,
                      client_->send(std::move(request), [this, number, delivery, span](const HttpOutcome& outcome) {
                        sending_.erase(number);
                        conclude(delivery, span, answered(outcome));
                      })};
}

WebhookSender::Answered WebhookSender::answered(const HttpOutcome& outcome) {
  if (!outcome.result) return {{}, name(outcome.result.error().kind), outcome.result.error().sentence};
  const HttpAnswer& answer = *outcome.result;
  const std::string status = fmt::format("status {}", answer.status);
  return {{answer.status, answer.retry_after}, status, "it answers with " + status};
}

void WebhookSender::conclude(const WebhookDelivery& delivery, authz::breaker::Span span, const Answered& answered) {
  const Outcome outcome = outcome_of(settings_.retries, answered.attempt, delivery.attempts, delivery.age,
                                     static_cast<int>(random_below(kPercents)));
  attempts(metrics_, outcome).increment();
  const bool is_delivered = std::holds_alternative<Delivered>(outcome);
  const auto done = [this, delivery, span, answered, is_delivered] { finish(delivery, span, answered, is_delivered); };
  std::visit(overloaded{[&](const Delivered&) { store_.remove(delivery, done); },
                        [&](const Retry& retry) { store_.postpone(delivery, retry.delay, answered.failure, done); },
                        [&](const Dead&) { store_.give_up(delivery, answered.failure, done); },
                        [&](const Gone&) {
                          log_warning("", "webhook {} is disabled: it answers that it is gone (410)",
                                      name_of(delivery.subscriber));
                          store_.disable(delivery, done);
                        }},
             outcome);
}

void WebhookSender::finish(const WebhookDelivery& delivery, authz::breaker::Span span, const Answered& answered,
                           bool is_delivered) {
  const auto change = turns_.finish(delivery.subscriber, span, is_delivered, monotonic_now());
  if (change == Change::kFails) {
    log_warning("", "webhook {} fails, its events wait: {}", name_of(delivery.subscriber), answered.sentence);
  }
  if (change == Change::kRecovers) log_info("", "webhook {} accepts events again", name_of(delivery.subscriber));
  proceed();
}

}  // namespace callpark::webhooks
