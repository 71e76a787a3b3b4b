#include "parkd/store/sql_webhook_store.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"

namespace callpark {
namespace {

using Report = DatabaseWorkers::Report;
using Outcome = DatabaseWorkers::Outcome;

}  // namespace

SqlWebhookStore::SqlWebhookStore(EventLoop& loop, Settings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      workers_(loop, settings_.address, settings_.workers, settings_.queue_max) {}

void SqlWebhookStore::run(std::function<void(WebhookDeliveriesTable&)> work, DatabaseWorkers::Done done) {
  workers_.start(
      [work = std::move(work)](DatabaseConnection& connection) {
        WebhookDeliveriesTable table(connection);
        work(table);
      },
      settings_.budget,
      [done = std::move(done)](const Report& report) {
        if (report.outcome == Outcome::kImpossible) log_error("", "the database refused: {}", report.reason);
        done(report);
      });
}

template <class T>
void SqlWebhookStore::query(std::function<T(WebhookDeliveriesTable&)> work, Answer<T> answer) {
  // Written by the worker before the loop gets its report.
  const auto result = std::make_shared<std::optional<T>>();
  run([work = std::move(work), result](WebhookDeliveriesTable& table) { *result = work(table); },
      [result, answer = std::move(answer)](const Report& report) {
        if (report.outcome != Outcome::kDone) return answer(failure(StoreUnavailable{}));
        answer(std::move(**result));
      });
}

// A write that the database refuses is not repeated: the lease ends, and the event is sent again.
void SqlWebhookStore::write(const std::function<void(WebhookDeliveriesTable&)>& work, const Done& done) {
  run(work, [this, work, done](const Report& report) {
    if (report.outcome == Outcome::kDone || report.outcome == Outcome::kImpossible) return done();
    const std::uint64_t retry = ++last_retry_;
    retries_[retry] = loop_.after(settings_.retry, [this, work, done, retry] {
      const auto node = retries_.extract(retry);
      write(work, done);
    });
  });
}

void SqlWebhookStore::find_due(Answer<std::vector<Subscriber>> answer) {
  query<std::vector<Subscriber>>([](WebhookDeliveriesTable& table) { return table.due_subscribers(); },
                                 std::move(answer));
}

void SqlWebhookStore::claim(Subscriber subscriber, std::size_t calls_max, Duration lease,
                            Answer<std::vector<WebhookDelivery>> answer) {
  query<std::vector<WebhookDelivery>>(
      [subscriber = std::move(subscriber), calls_max, lease](WebhookDeliveriesTable& table) {
        return table.claim(subscriber, calls_max, lease);
      },
      std::move(answer));
}

void SqlWebhookStore::remove(WebhookDelivery delivery, Done done) {
  write([delivery = std::move(delivery)](WebhookDeliveriesTable& table) { table.remove(delivery); }, done);
}

void SqlWebhookStore::postpone(WebhookDelivery delivery, Duration delay, std::string failure, Done done) {
  write([delivery = std::move(delivery), delay,
         failure = std::move(failure)](WebhookDeliveriesTable& table) { table.postpone(delivery, delay, failure); },
        done);
}

void SqlWebhookStore::give_up(WebhookDelivery delivery, std::string failure, Done done) {
  write([delivery = std::move(delivery),
         failure = std::move(failure)](WebhookDeliveriesTable& table) { table.give_up(delivery, failure); },
        done);
}

void SqlWebhookStore::disable(WebhookDelivery delivery, Done done) {
  write([delivery = std::move(delivery)](WebhookDeliveriesTable& table) { table.disable(delivery); }, done);
}

void SqlWebhookStore::tidy(Duration life_max, Answer<WebhookBacklog> answer) {
  query<WebhookBacklog>(
      [life_max](WebhookDeliveriesTable& table) {
        table.give_up_older_than(life_max);
        return table.backlog();
      },
      std::move(answer));
}

}  // namespace callpark
