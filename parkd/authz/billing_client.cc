#include "parkd/authz/billing_client.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/match.h"
#include "base/random.h"
#include "parkd/authz/hook_request.h"

namespace callpark::authz {
namespace {

using Why = exchange::Failed::Why;

constexpr std::size_t kIdLength = 26;  // 130 bits
constexpr std::string_view kUnsigned = "unsigned";

HookEvent event_of(const BillingQuestion& question) {
  switch (question.event) {
    case BillingEvent::kIncomingCall:
      return HookEvent::kIncomingCall;
    case BillingEvent::kPark:
      return HookEvent::kPark;
    case BillingEvent::kRetrieve:
      break;
  }
  return HookEvent::kRetrieve;
}

exchange::Settings exchange_settings(const BillingHook& hook) {
  const auto on_error = [](bool permits) { return permits ? exchange::OnError::kAllow : exchange::OnError::kDeny; };
  exchange::Settings settings;
  settings.budget = hook.budget;
  settings.connect = hook.connect;
  settings.first_attempt = hook.first_attempt;
  settings.retry_least = hook.retry_least;
  settings.in_flight_max = hook.in_flight_max;
  settings.on_error_incoming_call = on_error(hook.error_permits_incoming_call);
  settings.on_error_park = on_error(hook.error_permits_park);
  settings.on_error_retrieve = on_error(hook.error_permits_retrieve);
  return settings;
}

breaker::Settings breaker_settings(const BillingHook& hook) {
  breaker::Settings settings;
  settings.failures_max = hook.breaker_failures_max;
  settings.open_first = hook.breaker_open_first;
  settings.open_max = hook.breaker_open_max;
  return settings;
}

// Nothing if a secret is not one: the tables have none such.
std::optional<WebhookSecrets> secrets_of(const BillingHook& hook) {
  std::vector<WebhookSecret> secrets;
  for (const std::string& text : hook.secrets) {
    auto secret = WebhookSecret::parse(text);
    if (!secret) return std::nullopt;
    secrets.push_back(*std::move(secret));
  }
  if (secrets.empty()) return std::nullopt;
  return WebhookSecrets{secrets[0], secrets.size() > 1 ? std::optional(secrets[1]) : std::nullopt};
}

CallDirection direction_of(const BilledCall& call) {
  if (extension_in(call.party)) return CallDirection::kInternal;
  return call.was_called ? CallDirection::kOutgoing : CallDirection::kIncoming;
}

HookRequest request_of(const BillingQuestion& question, exchange::Attempt attempt, WallTime asked_at) {
  HookRequest request;
  request.event = event_of(question);
  request.attempt = attempt;
  request.tenant = question.tenant;
  request.direction = direction_of(question.call);
  request.call_id = question.call.sip_call_id;
  request.park_id = question.call.park_id;
  request.parker = question.call.parker;
  request.caller_party = question.call.party;
  request.caller = question.call.caller;
  request.retriever = question.retriever;
  request.called_extension = question.called;
  request.orbit = question.call.orbit;
  request.park_group = question.call.park_group;
  request.asked_at = asked_at;
  request.parked_at = question.call.parked_at;
  request.deadline = question.call.deadline;
  return request;
}

// What the log has behind the word of a failure that an answer is; `status` is its status. Empty of any other failure:
// an attempt without an answer is logged when it ends.
std::string sentence_of(const exchange::Failed& failed, int status) {
  if (failed.why == Why::kBadAnswer) return describe(failed.answer);
  const bool is_of_status =
      failed.why == Why::kServerError || failed.why == Why::kRedirect || failed.why == Why::kUnexpectedStatus;
  return is_of_status ? fmt::format("status {}", status) : "";
}

// A request that cannot be sent has no connection either.
Why why_of(const HttpFailure& failure) {
  switch (failure.kind) {
    case HttpFailureKind::kInvalidRequest:
    case HttpFailureKind::kResolve:
    case HttpFailureKind::kAddressRefused:
    case HttpFailureKind::kConnect:
      return Why::kConnect;
    case HttpFailureKind::kTimeout:
      return failure.may_have_arrived ? Why::kTimeout : Why::kConnect;
    case HttpFailureKind::kTls:
      return Why::kTls;
    case HttpFailureKind::kAnswerTooLong:
      return Why::kTooLong;
    case HttpFailureKind::kBroken:
      break;
  }
  return Why::kBroken;
}

BillingVerdict verdict_of_failure(const BillingQuestion& question, std::string_view failure) {
  const auto policy = exchange::policy_of(exchange_settings(question.hook), event_of(question));
  if (policy == exchange::OnError::kAllow) return BillingPermitted{{}, std::string(failure)};
  return BillingDenied{FailureDenial::kStatus, std::string(FailureDenial::kPhrase), std::string(FailureDenial::kPrompt),
                       ""};
}

BillingVerdict verdict_of(const BillingQuestion& question, const exchange::Outcome& outcome) {
  return std::visit(
      overloaded{
          [](const exchange::Allowed& allowed) {
            return BillingVerdict(BillingPermitted{
                {allowed.terms.max_park_seconds, allowed.terms.display_name, allowed.terms.fallback_destination}});
          },
          [](const exchange::Denied& denied) {
            const Denial& denial = denial_of(denied.reason);
            return BillingVerdict(
                BillingDenied{denial.status, std::string(denial.phrase), std::string(denial.prompt), denied.text});
          },
          [&](const exchange::Failed& failed) { return verdict_of_failure(question, exchange::name_of(failed.why)); }},
      outcome);
}

bool use_the_same_client(const BillingHook& one, const BillingHook& other) {
  return one.in_flight_max == other.in_flight_max && one.ca_file == other.ca_file &&
         one.client_certificate_file == other.client_certificate_file && one.client_key_file == other.client_key_file;
}

Gauge breaker_gauge(Metrics& metrics, const breaker::Phase& phase) {
  return metrics.gauge("callpark_billing_hooks", "Billing hooks that were asked, by the state of their circuit breaker",
                       {{"breaker", std::string(breaker::name_of(phase))}});
}

Counter questions(Metrics& metrics, HookEvent event, std::string_view outcome) {
  return metrics.counter("callpark_billing_questions_total", "Questions to billing hooks, by event and outcome",
                         {{"event", std::string(name_of(event))}, {"outcome", std::string(outcome)}});
}

Histogram question_seconds(Metrics& metrics, HookEvent event) {
  return metrics.histogram("callpark_billing_question_seconds",
                           "Time until a question to a billing hook has an outcome",
                           {0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 5}, {{"event", std::string(name_of(event))}});
}

// What is counted begins at 0.
void begin_metrics(Metrics& metrics) {
  for (const breaker::Phase& phase :
       std::initializer_list<breaker::Phase>{breaker::Closed{}, breaker::Open{}, breaker::HalfOpen{}}) {
    breaker_gauge(metrics, phase);
  }
  for (const HookEvent event : {HookEvent::kIncomingCall, HookEvent::kPark, HookEvent::kRetrieve}) {
    question_seconds(metrics, event);
    questions(metrics, event, kUnsigned);
    questions(metrics, event, exchange::name_of(exchange::Allowed{}));
    questions(metrics, event, exchange::name_of(exchange::Denied{}));
    for (int why = 0; why <= static_cast<int>(Why::kBadAnswer); ++why) {
      questions(metrics, event, exchange::name_of(static_cast<Why>(why)));
    }
  }
}

}  // namespace

BillingClient::BillingClient(EventLoop& loop, Metrics& metrics, AddressPolicy addresses)
    : loop_(loop),
      metrics_(metrics),
      addresses_(std::move(addresses)),
      in_flight_(
          metrics.gauge("callpark_billing_questions_in_flight", "Questions to billing hooks without an answer")) {
  begin_metrics(metrics_);
}

BillingClient::~BillingClient() = default;

void BillingClient::set_addresses(AddressPolicy addresses) {
  addresses_ = std::move(addresses);
  for (auto& [tenant, hook] : hooks_) hook.client.reset();  // its connections go on only for what is under way
}

// ---- the port ----

BillingQuestionId BillingClient::ask(BillingQuestion asked, Answer answer) {
  const BillingQuestionId id{++last_question_};
  const bool is_new = !hooks_.contains(asked.tenant);
  Hook& hook = hooks_[asked.tenant];
  if (is_new) breaker_gauge(metrics_, hook.breaker.phase).add(1);
  Question& question = questions_[id];
  question.asked = std::move(asked);
  question.answer = std::move(answer);
  question.secrets = secrets_of(question.asked.hook);
  question.asked_at = wall_now();
  question.begun = monotonic_now();
  if (!question.secrets) {
    count(question, kUnsigned);
    answer_soon(id, verdict_of_failure(question.asked, kUnsigned));
    return id;
  }
  question.client = client_for(hook, question.asked.hook);
  const breaker::Decision admission =
      breaker::decide(breaker_settings(question.asked.hook), hook.breaker, breaker::Asked{}, question.begun);
  set_breaker(question.asked.tenant, hook, admission.next);
  follow(id, exchange::begin(exchange_settings(question.asked.hook), "q_" + random_token(kIdLength), hook.in_flight,
                             admission.admitted, question.begun));
  return id;
}

void BillingClient::withdraw(BillingQuestionId id) {
  feed(id, exchange::Withdrawn{});
  questions_.erase(id);
}

std::shared_ptr<HttpClient> BillingClient::client_for(Hook& hook, const BillingHook& settings) const {
  if (hook.client && use_the_same_client(hook.settings, settings)) return hook.client;
  HttpClientOptions options;
  options.ca_file = settings.ca_file;
  options.client_certificate_file = settings.client_certificate_file;
  options.client_key_file = settings.client_key_file;
  options.connections_max = settings.in_flight_max;
  options.addresses = addresses_;
  hook.settings = settings;
  hook.client = std::make_shared<HttpClient>(loop_, std::move(options));
  return hook.client;
}

// ---- the machine of an exchange ----

void BillingClient::feed(BillingQuestionId id, const exchange::Event& event) {
  const auto found = questions_.find(id);
  if (found == questions_.end()) return;
  const Question& question = found->second;
  follow(id, exchange::decide(exchange_settings(question.asked.hook), question.state, event, monotonic_now()));
}

void BillingClient::follow(BillingQuestionId id, exchange::Decision decision) {
  Question& question = questions_.at(id);
  question.state = std::move(decision.next);
  const auto* sending = std::get_if<exchange::Sending>(&question.state.phase);
  if (question.is_in_flight != (sending != nullptr)) {
    question.is_in_flight = sending != nullptr;
    Hook& hook = hooks_.at(question.asked.tenant);
    hook.in_flight += question.is_in_flight ? 1 : -1;
    in_flight_.add(question.is_in_flight ? 1 : -1);
  }
  if (sending) {
    const Duration left = std::chrono::ceil<Duration>(sending->attempt_ends - monotonic_now());
    question.timer = loop_.after(std::max(Duration(0), left), [this, id] { feed(id, exchange::TimePassed{}); });
  }
  for (const exchange::Action& action : decision.actions) {
    std::visit(overloaded{[&](const exchange::Send& send_action) { send(id, send_action); },
                          [&](const exchange::Abort&) { question.pending.reset(); },
                          [&](const exchange::ReportToBreaker& to) { feed_breaker(question, to.report); },
                          [&](const exchange::Conclude& end) { conclude(id, end.outcome); }},
               action);
  }
}

void BillingClient::send(BillingQuestionId id, const exchange::Send& action) {
  Question& question = questions_.at(id);
  OutgoingHttpRequest request;
  request.method = HttpMethod::kPost;
  request.url = question.asked.hook.url;
  request.body = write_hook_request(request_of(question.asked, action.attempt, question.asked_at));
  const WebhookHeaders headers = sign_webhook(*question.secrets, action.webhook_id, wall_now(), request.body);
  request.headers = {{"Content-Type", "application/json"},
                     {"webhook-id", headers.id},
                     {"webhook-timestamp", headers.timestamp},
                     {"webhook-signature", headers.signature}};
  request.connect_timeout = action.connect_within;
  request.total_timeout = action.answer_within;
  request.answer_bytes_max = HookAnswerLimits::kBytes;
  question.pending = question.client->send(
      std::move(request),
      [this, id, attempt = action.attempt](HttpOutcome outcome) { on_http_outcome(id, attempt, std::move(outcome)); });
}

void BillingClient::on_http_outcome(BillingQuestionId id, exchange::Attempt attempt, HttpOutcome outcome) {
  const auto found = questions_.find(id);
  if (outcome.result) {
    if (found != questions_.end()) found->second.status = outcome.result->status;
    return feed(id, exchange::Answered{attempt, outcome.result->status, std::move(outcome.result->body)});
  }
  const HttpFailure& failure = outcome.result.error();
  if (found != questions_.end()) note_failure(found->second, why_of(failure), failure.sentence);
  feed(id, exchange::AttemptFailed{attempt, why_of(failure), failure.may_have_arrived});
}

// ---- the breaker ----

void BillingClient::feed_breaker(const Question& question, const breaker::Event& event) {
  Hook& hook = hooks_.at(question.asked.tenant);
  if (std::holds_alternative<breaker::Worked>(event)) hook.logged.clear();
  const auto settings = breaker_settings(question.asked.hook);
  set_breaker(question.asked.tenant, hook, breaker::decide(settings, hook.breaker, event, monotonic_now()).next);
}

void BillingClient::set_breaker(const std::string& tenant, Hook& hook, breaker::State next) {
  const breaker::State before = std::exchange(hook.breaker, next);
  if (before.phase.index() == hook.breaker.phase.index()) return;
  breaker_gauge(metrics_, before.phase).add(-1);
  breaker_gauge(metrics_, hook.breaker.phase).add(1);
  log_warning("", "the breaker of the billing hook of {} is {}, and was {}", tenant,
              breaker::name_of(hook.breaker.phase), breaker::name_of(before.phase));
}

// ---- the end ----

void BillingClient::conclude(BillingQuestionId id, const exchange::Outcome& outcome) {
  Question& question = questions_.at(id);
  if (const auto* failed = std::get_if<exchange::Failed>(&outcome)) {
    note_failure(question, failed->why, sentence_of(*failed, question.status));
  }
  count(question, exchange::name_of(outcome));
  answer_soon(id, verdict_of(question.asked, outcome));
}

// Not from within ask().
void BillingClient::answer_soon(BillingQuestionId id, BillingVerdict verdict) {
  questions_.at(id).timer = loop_.after(Duration(0), [this, id, verdict = std::move(verdict)] {
    Question concluded = std::move(questions_.extract(id).mapped());
    concluded.answer(verdict);
  });
}

// One line for the first failure of a kind; the metric counts them all.
void BillingClient::note_failure(const Question& question, Why why, const std::string& sentence) {
  if (!hooks_.at(question.asked.tenant).logged.insert(why).second) return;
  log_warning(question.asked.call.sip_call_id, "the billing hook of {} has failed: {}{}{}", question.asked.tenant,
              exchange::name_of(why), sentence.empty() ? "" : ", ", sentence);
}

void BillingClient::count(const Question& question, std::string_view outcome) {
  const HookEvent event = event_of(question.asked);
  questions(metrics_, event, outcome).increment();
  const std::chrono::duration<double> seconds = monotonic_now() - question.begun;
  question_seconds(metrics_, event).observe(seconds.count());
}

}  // namespace callpark::authz
