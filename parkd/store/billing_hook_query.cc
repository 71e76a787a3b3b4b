#include "parkd/store/billing_hook_query.h"

#include <cstddef>

namespace callpark {
namespace {

constexpr const char* kSql = R"sql(
SELECT url, ask_park, ask_retrieve, budget_ms, connect_ms, first_attempt_ms, retry_least_ms, in_flight_max,
  breaker_failures_max, breaker_open_ms, breaker_open_max_ms, on_error_park = 'allow', on_error_retrieve = 'allow',
  ca_file, client_certificate_file, client_key_file, ask_incoming_call, on_error_incoming_call = 'allow',
  (SELECT secret FROM billing_hook_secrets s WHERE s.tenant = h.tenant AND s.place = 1),
  (SELECT secret FROM billing_hook_secrets s WHERE s.tenant = h.tenant AND s.place = 2)
FROM billing_hooks h WHERE tenant = ? AND enabled
)sql";

}  // namespace

std::optional<BillingHook> query_billing_hook(DatabaseConnection& connection, const std::string& tenant) {
  const auto rows = connection.query(kSql, {tenant});
  if (rows.empty()) return std::nullopt;
  const DatabaseConnection::Row& row = rows.front();
  const auto text = [&row](std::size_t column) { return row.at(column).value_or(""); };
  const auto number = [&text](std::size_t column) { return static_cast<std::uint32_t>(std::stoul(text(column))); };
  BillingHook hook;
  hook.url = text(0);
  hook.asks_park = number(1) != 0;
  hook.asks_retrieve = number(2) != 0;
  hook.budget = Duration(number(3));
  hook.connect = Duration(number(4));
  hook.first_attempt = Duration(number(5));
  hook.retry_least = Duration(number(6));
  hook.in_flight_max = number(7);
  hook.breaker_failures_max = number(8);
  hook.breaker_open_first = Duration(number(9));
  hook.breaker_open_max = Duration(number(10));
  hook.error_permits_park = number(11) != 0;
  hook.error_permits_retrieve = number(12) != 0;
  hook.ca_file = text(13);
  hook.client_certificate_file = text(14);
  hook.client_key_file = text(15);
  hook.asks_incoming_call = number(16) != 0;
  hook.error_permits_incoming_call = number(17) != 0;
  for (const std::size_t column : {18U, 19U}) {
    if (row.at(column)) hook.secrets.push_back(*row.at(column));
  }
  return hook;
}

}  // namespace callpark
