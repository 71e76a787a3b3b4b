#include "parkd/webhooks/delivery.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/match.h"
#include "parkd/authz/hook_request.h"

namespace callpark::webhooks {
namespace {

constexpr int kGone = 410;

bool is_accepted(int status) {
  return status >= 200 && status < 300;
}

Duration regular_delay(const RetrySettings& settings, std::uint32_t attempts, int percent) {
  const std::size_t step = std::min<std::size_t>(std::max<std::uint32_t>(attempts, 1) - 1, settings.delays.size() - 1);
  const Duration delay = settings.delays.at(step);
  return delay + delay * settings.jitter_percent * std::clamp(percent, 0, 100) / 10'000;
}

Duration asked_delay(const RetrySettings& settings, const Attempt& attempt) {
  if (!attempt.retry_after || *attempt.retry_after <= std::chrono::seconds(0)) return Duration(0);
  // Compared in seconds: a wild Retry-After overflows milliseconds.
  const auto seconds_max = std::chrono::duration_cast<std::chrono::seconds>(settings.retry_after_max);
  return std::min(*attempt.retry_after, seconds_max);
}

void put(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = text;
}

// park_events keeps nothing of an identity that is withheld, so nothing of it can be sent.
Json caller_of(const PartyIdentity& caller) {
  Json json = {{"withheld", caller.name.empty() && caller.number.empty()}};
  put(json, "name", caller.name);
  put(json, "number", caller.number);
  return json;
}

}  // namespace

std::string_view name_of(const Outcome& outcome) {
  return std::visit(overloaded{[](const Delivered&) { return std::string_view("delivered"); },
                               [](const Retry&) { return std::string_view("retry"); },
                               [](const Dead&) { return std::string_view("dead"); },
                               [](const Gone&) { return std::string_view("gone"); }},
                    outcome);
}

Outcome outcome_of(const RetrySettings& settings, const Attempt& attempt, std::uint32_t attempts, Duration age,
                   int percent) {
  if (attempt.status && is_accepted(*attempt.status)) return Delivered{};
  if (attempt.status == kGone) return Gone{};
  if (age >= settings.life) return Dead{};
  const Duration delay = std::max(regular_delay(settings, attempts, percent), asked_delay(settings, attempt));
  // The last attempt comes at the end of the day, however long the delay before it would be.
  return Retry{std::min(delay, settings.life - age)};
}

std::string webhook_id(const ParkEvent& event) {
  return fmt::format("{}_{}_{}", event.park_id.text(), event.parked_at.time_since_epoch().count(), name_of(event.kind));
}

std::string write_webhook_event(const ParkEvent& event) {
  Json data = {{"park_id", event.park_id.text()},
               {"parked_at", authz::rfc3339(event.parked_at)},
               {"tenant", event.tenant},
               {"parker", {{"number", event.parker}}},
               {"parked_caller", caller_of(event.caller)}};
  put(data, "call_id", event.sip_call_id);
  put(data, "orbit", event.orbit);
  put(data, "park_group", event.park_group);
  if (!event.by.empty()) data["taken_by"] = {{"number", event.by}};
  put(data, "how", event.how);
  return write_json({{"type", fmt::format("park.{}", name_of(event.kind))},
                     {"timestamp", authz::rfc3339(event.at)},
                     {"data", std::move(data)}});
}

}  // namespace callpark::webhooks
