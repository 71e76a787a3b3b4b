// The WebhookStore port on MariaDB. Its workers are its own, so that what is due to subscribers never keeps a statement
// of a call waiting.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/event_loop.h"
#include "parkd/ports/webhook_store.h"
#include "parkd/store/database_workers.h"
#include "parkd/store/webhook_deliveries_table.h"

namespace callpark {

class SqlWebhookStore final : public WebhookStore {
 public:
  struct Settings {
    DatabaseAddress address;
    std::size_t workers = 2;
    std::size_t queue_max = 1000;
    Duration budget{2000};
    /// Wait before a write is repeated.
    Duration retry{500};
  };

  /// Loop's thread only; the loop must outlive the store. After its end nothing is answered.
  SqlWebhookStore(EventLoop& loop, Settings settings);

  void find_due(Answer<std::vector<Subscriber>> answer) override;
  void claim(Subscriber subscriber, std::size_t calls_max, Duration lease,
             Answer<std::vector<WebhookDelivery>> answer) override;
  void remove(WebhookDelivery delivery, Done done) override;
  void postpone(WebhookDelivery delivery, Duration delay, std::string failure, Done done) override;
  void give_up(WebhookDelivery delivery, std::string failure, Done done) override;
  void disable(WebhookDelivery delivery, Done done) override;
  void tidy(Duration life_max, Answer<WebhookBacklog> answer) override;

 private:
  void run(std::function<void(WebhookDeliveriesTable&)> work, DatabaseWorkers::Done done);
  template <class T>
  void query(std::function<T(WebhookDeliveriesTable&)> work, Answer<T> answer);
  void write(const std::function<void(WebhookDeliveriesTable&)>& work, const Done& done);

  EventLoop& loop_;
  const Settings settings_;
  std::uint64_t last_retry_ = 0;
  std::map<std::uint64_t, LoopHandle> retries_;  // of writes
  DatabaseWorkers workers_;
};

}  // namespace callpark
