#include "parkd/store/sql_presence_store.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "parkd/store/lamps_query.h"
#include "parkd/store/parked_call_codec.h"

namespace callpark {
namespace {

using Report = DatabaseWorkers::Report;
using Outcome = DatabaseWorkers::Outcome;

constexpr const char* kWriteSubscription =
    "INSERT INTO call_info_subscriptions (subscription_id, tenant, extension, watcher, event_id, dialog, expires_at, "
    "owner) VALUES (?, ?, ?, ?, ?, ?, TIMESTAMPADD(MICROSECOND, ? * 1000, '1970-01-01'), ?) "
    "ON DUPLICATE KEY UPDATE dialog = VALUES(dialog), expires_at = VALUES(expires_at), owner = VALUES(owner)";

std::vector<CallInfoSubscription> load(DatabaseConnection& connection, const std::string& node) {
  connection.execute("DELETE FROM call_info_subscriptions WHERE expires_at <= UTC_TIMESTAMP(3)");
  std::vector<CallInfoSubscription> subscriptions;
  for (const auto& row : connection.query(
           "SELECT subscription_id, tenant, extension, watcher, event_id, dialog, "
           "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', expires_at) DIV 1000 FROM call_info_subscriptions WHERE owner = ?",
           {node})) {
    const auto text = [&row](std::size_t column) { return row.at(column).value_or(""); };
    auto dialog = parse_dialog(text(5));
    if (!dialog) {
      log_error("", "the subscription {} cannot be read and is left out: {}", text(0), dialog.error().why);
      continue;
    }
    subscriptions.push_back(
        {text(0), text(1), text(2), text(3), text(4), *std::move(dialog), WallTime(Duration(std::stoll(text(6))))});
  }
  return subscriptions;
}

}  // namespace

SqlPresenceStore::SqlPresenceStore(EventLoop& loop, Settings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      workers_(loop, settings_.address, settings_.workers, settings_.queue_max) {}

template <class T>
void SqlPresenceStore::query(std::function<T(DatabaseConnection&)> work, Answer<T> answer) {
  // Written by the worker before the loop gets its report.
  const auto result = std::make_shared<std::optional<T>>();
  workers_.start([work = std::move(work), result](DatabaseConnection& connection) { *result = work(connection); },
                 settings_.budget,
                 [this, result, answer = std::move(answer)](const Report& report) {
                   is_available_ = report.outcome == Outcome::kDone || report.outcome == Outcome::kImpossible;
                   if (report.outcome == Outcome::kImpossible) {
                     log_error("", "the database refused: {}", report.reason);
                   }
                   if (report.outcome != Outcome::kDone) return answer(failure(StoreUnavailable{}));
                   answer(std::move(**result));
                 });
}

void SqlPresenceStore::read_lamps(std::vector<CallChange> changes, Answer<LampFacts> answer) {
  query<LampFacts>(
      [changes = std::move(changes)](DatabaseConnection& connection) { return query_lamps(connection, changes); },
      std::move(answer));
}

void SqlPresenceStore::read_watched(std::optional<Presentity> after, std::size_t most,
                                    Answer<std::vector<Presentity>> answer) {
  query<std::vector<Presentity>>([after = std::move(after), most](
                                     DatabaseConnection& connection) { return query_watched(connection, after, most); },
                                 std::move(answer));
}

void SqlPresenceStore::read_lit_flows(Answer<std::vector<LitFlow>> answer) {
  query<std::vector<LitFlow>>([](DatabaseConnection& connection) { return query_lit_flows(connection); },
                              std::move(answer));
}

void SqlPresenceStore::read_shown(std::vector<Presentity> presentities, Answer<ShownLamps> answer) {
  query<ShownLamps>([presentities = std::move(presentities)](
                        DatabaseConnection& connection) { return query_shown(connection, presentities); },
                    std::move(answer));
}

void SqlPresenceStore::read_unwatched(Answer<std::vector<Presentity>> answer) {
  query<std::vector<Presentity>>([](DatabaseConnection& connection) { return query_unwatched(connection); },
                                 std::move(answer));
}

void SqlPresenceStore::find_publication(Presentity presentity, Answer<std::optional<LivePublication>> answer) {
  query<std::optional<LivePublication>>(
      [presentity = std::move(presentity)](DatabaseConnection& connection) {
        return take_publication(connection, presentity);
      },
      std::move(answer));
}

void SqlPresenceStore::remove_publication(Presentity presentity, Answer<bool> answer) {
  query<bool>(
      [presentity = std::move(presentity)](DatabaseConnection& connection) {
        delete_publication(connection, presentity);
        return true;
      },
      std::move(answer));
}

void SqlPresenceStore::read_call_info(std::string tenant, std::vector<std::string> extensions,
                                      Answer<std::vector<CallInfo>> answer) {
  query<std::vector<CallInfo>>(
      [tenant = std::move(tenant), extensions = std::move(extensions)](DatabaseConnection& connection) {
        return query_call_info(connection, tenant, extensions);
      },
      std::move(answer));
}

void SqlPresenceStore::write_subscription(CallInfoSubscription subscription, Answer<bool> answer) {
  query<bool>(
      [subscription = std::move(subscription), node = settings_.node_name](DatabaseConnection& connection) {
        connection.execute(kWriteSubscription,
                           {subscription.subscription_id, subscription.tenant, subscription.extension,
                            subscription.watcher, subscription.event_id, write_dialog(subscription.dialog),
                            subscription.expires_at.time_since_epoch().count(), node});
        return true;
      },
      std::move(answer));
}

void SqlPresenceStore::remove_subscription(std::string subscription_id) {
  query<bool>(
      [subscription_id](DatabaseConnection& connection) {
        connection.execute("DELETE FROM call_info_subscriptions WHERE subscription_id = ?", {subscription_id});
        return true;
      },
      [this, subscription_id](Result<bool, StoreUnavailable> removed) {
        if (removed) return;
        const std::uint64_t retry = ++last_retry_;
        retries_[retry] = loop_.after(settings_.retry, [this, subscription_id, retry] {
          const auto node = retries_.extract(retry);
          remove_subscription(subscription_id);
        });
      });
}

void SqlPresenceStore::load_subscriptions(Answer<std::vector<CallInfoSubscription>> answer) {
  query<std::vector<CallInfoSubscription>>(
      [node = settings_.node_name](DatabaseConnection& connection) { return load(connection, node); },
      std::move(answer));
}

}  // namespace callpark
