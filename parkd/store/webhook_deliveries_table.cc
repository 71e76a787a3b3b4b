#include "parkd/store/webhook_deliveries_table.h"

#include <algorithm>
#include <optional>

namespace callpark {
namespace {

constexpr std::int64_t kGivenUpAtOnce = 5000;
constexpr std::int64_t kCountedMax = 100'000;
// A call has a few events at a time, each a row that is due.
constexpr std::size_t kRowsOfACall = 8;

constexpr const char* kDueSubscribers =
    "SELECT w.tenant, w.webhook FROM webhooks w WHERE w.enabled AND EXISTS (SELECT 1 FROM webhook_deliveries d "
    "WHERE d.tenant = w.tenant AND d.webhook = w.webhook AND d.state = 'due' AND d.due_at <= UTC_TIMESTAMP(3))";

constexpr const char* kDueCalls =
    "SELECT d.park_id FROM webhook_deliveries d JOIN webhooks w ON w.tenant = d.tenant AND w.webhook = d.webhook "
    "WHERE w.tenant = ? AND w.webhook = ? AND w.enabled AND d.state = 'due' AND d.due_at <= UTC_TIMESTAMP(3) "
    "ORDER BY d.due_at LIMIT ";

// Of two nodes the first moves due_at, and the second changes no row. The next event of the call has to be due: one
// behind it may be due too early, if it was stored while the claim of another node was being committed.
constexpr const char* kClaim =
    "UPDATE webhook_deliveries SET due_at = UTC_TIMESTAMP(3) + INTERVAL ? * 1000 MICROSECOND, attempts = attempts + 1 "
    "WHERE tenant = ? AND webhook = ? AND park_id = ? AND state = 'due' AND due_at <= UTC_TIMESTAMP(3) "
    "AND (SELECT first.due_at FROM webhook_deliveries first WHERE first.tenant = ? AND first.webhook = ? "
    "AND first.park_id = ? AND first.state = 'due' ORDER BY first.delivery LIMIT 1) <= UTC_TIMESTAMP(3)";

constexpr const char* kClaimed =
    "SELECT d.delivery, w.url, d.attempts, TIMESTAMPDIFF(MICROSECOND, d.since, UTC_TIMESTAMP(3)) DIV 1000, "
    "(SELECT secret FROM webhook_secrets s WHERE s.tenant = w.tenant AND s.webhook = w.webhook AND s.place = 1), "
    "(SELECT secret FROM webhook_secrets s WHERE s.tenant = w.tenant AND s.webhook = w.webhook AND s.place = 2), "
    "e.event, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', e.parked_at) DIV 1000, "
    "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', e.at) DIV 1000, e.orbit, e.park_group, e.parker, e.caller_name, "
    "e.caller_number, e.call_id, e.taken_by, e.how "
    "FROM webhook_deliveries d JOIN webhooks w ON w.tenant = d.tenant AND w.webhook = d.webhook "
    "JOIN park_events e ON e.park_id = d.park_id AND e.parked_at = d.parked_at AND e.event = d.event "
    "WHERE d.tenant = ? AND d.webhook = ? AND d.park_id = ? AND d.state = 'due' ORDER BY d.delivery LIMIT 1";

std::optional<ParkEventKind> kind_of(const std::string& word) {
  for (const auto kind : {ParkEventKind::kParked, ParkEventKind::kRetrieved, ParkEventKind::kGaveUp,
                          ParkEventKind::kRecalled, ParkEventKind::kEnded}) {
    if (name_of(kind) == word) return kind;
  }
  return std::nullopt;
}

std::optional<WebhookDelivery> delivery_of(const DatabaseConnection::Row& row, const Subscriber& subscriber,
                                           const std::string& park_id) {
  const auto text = [&row](std::size_t column) { return row.at(column).value_or(""); };
  const auto number = [&text](std::size_t column) { return std::stoll(text(column)); };
  const auto kind = kind_of(text(6));
  if (!kind) return std::nullopt;
  WebhookDelivery delivery;
  delivery.delivery = number(0);
  delivery.subscriber = subscriber;
  delivery.url = text(1);
  delivery.attempts = static_cast<std::uint32_t>(number(2));
  delivery.age = Duration(number(3));
  for (const std::size_t column : {4U, 5U}) {
    if (row.at(column)) delivery.secrets.push_back(*row.at(column));
  }
  ParkEvent& event = delivery.event;
  event.kind = *kind;
  event.park_id = ParkId(park_id);
  event.parked_at = WallTime(Duration(number(7)));
  event.at = WallTime(Duration(number(8)));
  event.tenant = subscriber.tenant;
  event.orbit = text(9);
  event.park_group = text(10);
  event.parker = text(11);
  event.caller = {text(12), text(13)};
  event.sip_call_id = text(14);
  event.by = text(15);
  event.how = text(16);
  return delivery;
}

std::vector<DatabaseConnection::Value> call_of(const Subscriber& subscriber, const std::string& park_id) {
  return {subscriber.tenant, subscriber.webhook, park_id};
}
std::vector<DatabaseConnection::Value> call_of(const WebhookDelivery& delivery) {
  return call_of(delivery.subscriber, delivery.event.park_id.text());
}

std::vector<DatabaseConnection::Value> joined(std::vector<DatabaseConnection::Value> first,
                                              const std::vector<DatabaseConnection::Value>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

// False if another node has claimed the call, or is about to.
bool WebhookDeliveriesTable::claim_call(const Values& call, Duration lease) {
  try {
    return connection_.execute(kClaim, joined(joined({lease.count()}, call), call)) > 0;
  } catch (const DatabaseError& error) {
    if (error.kind() == DatabaseError::Kind::kBusy) return false;
    throw;
  }
}

std::vector<Subscriber> WebhookDeliveriesTable::due_subscribers() {
  std::vector<Subscriber> subscribers;
  for (const auto& row : connection_.query(kDueSubscribers)) {
    subscribers.push_back({row.at(0).value_or(""), row.at(1).value_or("")});
  }
  return subscribers;
}

std::vector<WebhookDelivery> WebhookDeliveriesTable::claim(const Subscriber& subscriber, std::size_t calls_max,
                                                           Duration lease) {
  std::vector<std::string> calls;
  for (const auto& row : connection_.query(kDueCalls + std::to_string(calls_max * kRowsOfACall),
                                           {subscriber.tenant, subscriber.webhook})) {
    const std::string park_id = row.at(0).value_or("");
    if (std::find(calls.begin(), calls.end(), park_id) == calls.end()) calls.push_back(park_id);
  }
  std::vector<WebhookDelivery> deliveries;
  for (const std::string& park_id : calls) {
    if (deliveries.size() == calls_max) break;
    const Values call = call_of(subscriber, park_id);
    if (!claim_call(call, lease)) continue;
    for (const auto& row : connection_.query(kClaimed, call)) {
      if (auto delivery = delivery_of(row, subscriber, park_id)) deliveries.push_back(*std::move(delivery));
    }
  }
  return deliveries;
}

void WebhookDeliveriesTable::release_call(const WebhookDelivery& delivery) {
  connection_.execute(
      "UPDATE webhook_deliveries SET due_at = UTC_TIMESTAMP(3), attempts = 0 "
      "WHERE tenant = ? AND webhook = ? AND park_id = ? AND state = 'due' AND delivery <> ?",
      joined(call_of(delivery), {delivery.delivery}));
}

// The row itself comes last: if parkd dies before, the event is still due, and keeps those behind it waiting.
void WebhookDeliveriesTable::remove(const WebhookDelivery& delivery) {
  release_call(delivery);
  connection_.execute("DELETE FROM webhook_deliveries WHERE delivery = ?", {delivery.delivery});
}

void WebhookDeliveriesTable::give_up(const WebhookDelivery& delivery, const std::string& failure) {
  release_call(delivery);
  connection_.execute("UPDATE webhook_deliveries SET state = 'dead', failure = LEFT(?, 64) WHERE delivery = ?",
                      {failure, delivery.delivery});
}

void WebhookDeliveriesTable::postpone(const WebhookDelivery& delivery, Duration delay, const std::string& failure) {
  connection_.execute(
      "UPDATE webhook_deliveries SET due_at = UTC_TIMESTAMP(3) + INTERVAL ? * 1000 MICROSECOND, "
      "failure = IF(delivery = ?, LEFT(?, 64), failure) "
      "WHERE tenant = ? AND webhook = ? AND park_id = ? AND state = 'due'",
      joined({delay.count(), delivery.delivery, failure}, call_of(delivery)));
}

void WebhookDeliveriesTable::disable(const WebhookDelivery& delivery) {
  connection_.execute(
      "UPDATE webhooks SET enabled = FALSE, gone_at = UTC_TIMESTAMP(3) WHERE tenant = ? AND webhook = ? AND url = ? "
      "AND enabled",
      {delivery.subscriber.tenant, delivery.subscriber.webhook, delivery.url});
}

void WebhookDeliveriesTable::give_up_older_than(Duration life_max) {
  connection_.execute(
      "UPDATE webhook_deliveries SET state = 'dead' WHERE state = 'due' "
      "AND since < UTC_TIMESTAMP(3) - INTERVAL ? * 1000 MICROSECOND LIMIT " +
          std::to_string(kGivenUpAtOnce),
      {life_max.count()});
}

WebhookBacklog WebhookDeliveriesTable::backlog() {
  const auto count = [](const std::string& state) {
    return "(SELECT COUNT(*) FROM (SELECT 1 FROM webhook_deliveries WHERE state = '" + state + "' LIMIT " +
           std::to_string(kCountedMax) + ") some_of_them)";
  };
  const auto rows = connection_.query(
      "SELECT " + count("due") + ", " + count("dead") +
      ", COALESCE((SELECT TIMESTAMPDIFF(MICROSECOND, MIN(since), UTC_TIMESTAMP(3)) DIV 1000 FROM webhook_deliveries "
      "WHERE state = 'due'), 0)");
  const auto number = [&rows](std::size_t column) { return std::stoll(rows.at(0).at(column).value_or("0")); };
  return {number(0), number(1), Duration(number(2))};
}

}  // namespace callpark
