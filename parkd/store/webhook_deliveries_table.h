// The statements on webhook_deliveries and the tables of the subscribers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parkd/ports/webhook_store.h"
#include "parkd/store/database_connection.h"

namespace callpark {

/// All functions throw DatabaseError and may then be repeated with the same arguments; a claim that was done already is
/// then lost until its lease is over. Each statement is a transaction of its own: an event that has arrived is sent
/// again if it could not be removed.
class WebhookDeliveriesTable {
 public:
  explicit WebhookDeliveriesTable(DatabaseConnection& connection) : connection_(connection) {}

  /// One statement.
  std::vector<Subscriber> due_subscribers();
  /// One statement, and two for each call that is claimed.
  std::vector<WebhookDelivery> claim(const Subscriber& subscriber, std::size_t calls_max, Duration lease);
  void remove(const WebhookDelivery& delivery);
  void postpone(const WebhookDelivery& delivery, Duration delay, const std::string& failure);
  void give_up(const WebhookDelivery& delivery, const std::string& failure);
  void disable(const WebhookDelivery& delivery);
  /// Makes a limited number of deliveries dead that are due for longer than this.
  void give_up_older_than(Duration life_max);
  /// Counts as far as a limit.
  WebhookBacklog backlog();

 private:
  using Values = std::vector<DatabaseConnection::Value>;

  bool claim_call(const Values& call, Duration lease);
  /// What is due of the delivery's call is due now.
  void release_call(const WebhookDelivery& delivery);

  DatabaseConnection& connection_;
};

}  // namespace callpark
