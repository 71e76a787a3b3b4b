// Subscribers and events in a database, for tests of the store and of the sender.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "parkd/store/park_events_table.h"
#include "parkd/store/sql_webhook_store.h"
#include "parkd/store/webhook_deliveries_table.h"
#include "tests/component/store_fixture.h"

namespace callpark::test {

class WebhookStoreTest : public StoreTest {
 protected:
  static constexpr const char* kSecret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
  static constexpr const char* kOtherSecret = "whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4";

  void SetUp() override {
    StoreTest::SetUp();
    server().execute("DELETE FROM webhooks; DELETE FROM park_events");
    DatabaseConnection::start_thread();
    connection_ = std::make_unique<DatabaseConnection>(address());
    table_ = std::make_unique<WebhookDeliveriesTable>(*connection_);
  }
  void TearDown() override {
    connection_.reset();
    DatabaseConnection::stop_thread();
  }

  static DatabaseAddress address() {
    return {server().socket().string(), server().user(), server().password(), "callpark"};
  }
  static void subscribe(const std::string& webhook, const std::string& url = "http://127.0.0.1:9/",
                        const std::string& events = "all", const std::string& tenant = kTenant) {
    server().execute("INSERT INTO webhooks (tenant, webhook, url, events) VALUES ('" + tenant + "', '" + webhook +
                     "', '" + url + "', '" + events +
                     "'); INSERT INTO webhook_secrets (tenant, webhook, secret) "
                     "VALUES ('" +
                     tenant + "', '" + webhook + "', '" + kSecret + "')");
  }
  static ParkEvent event(const std::string& park_id, ParkEventKind kind, const std::string& tenant = kTenant) {
    ParkEvent event;
    event.kind = kind;
    event.park_id = ParkId(park_id);
    event.parked_at = WallTime(Duration(1796014956120));
    event.at = wall_now();
    event.tenant = tenant;
    event.orbit = "102";
    event.parker = "101";
    event.caller = {"J\xc3\xb6rg \"the\" \\ 'Caller'", "+442030000999"};
    event.sip_call_id = "call-" + park_id;
    return event;
  }
  void append(const ParkEvent& event) { ParkEventsTable(*connection_).append(event); }
  /// Parked, retrieved, ended.
  void append_call(const std::string& park_id) {
    for (const auto kind : {ParkEventKind::kParked, ParkEventKind::kRetrieved, ParkEventKind::kEnded}) {
      append(event(park_id, kind));
    }
  }
  /// All that waits for its next attempt need wait no longer, as an operator does it.
  static void send_now() {
    server().execute("UPDATE webhook_deliveries SET due_at = UTC_TIMESTAMP(3) WHERE state = 'due'");
  }
  /// "p1 parked crm, ..." in the sequence of delivery.
  static std::string deliveries(const std::string& state) {
    return server().value(
        "SELECT COALESCE(GROUP_CONCAT(CONCAT_WS(' ', park_id, event, webhook) ORDER BY delivery SEPARATOR ', '), '') "
        "FROM webhook_deliveries WHERE state = '" +
        state + "'");
  }

  std::unique_ptr<DatabaseConnection> connection_;
  std::unique_ptr<WebhookDeliveriesTable> table_;
};

}  // namespace callpark::test
