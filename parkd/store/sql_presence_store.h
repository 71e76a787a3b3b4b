// The PresenceStore port on MariaDB: our tables, and the table in which Kamailio's presence server keeps publications.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/event_loop.h"
#include "parkd/ports/presence_store.h"
#include "parkd/store/database_workers.h"

namespace callpark {

class SqlPresenceStore final : public PresenceStore {
 public:
  struct Settings {
    DatabaseAddress address;
    std::string node_name;
    std::size_t workers = 2;
    std::size_t queue_max = 20000;
    Duration budget{2000};
    /// How long an order waits for its next try.
    Duration retry{500};
  };

  /// To be used on the loop's thread; the loop must outlive it.
  SqlPresenceStore(EventLoop& loop, Settings settings);

  /// Whether the database has answered the last question. One is asked at least at each comparison of the lamps.
  [[nodiscard]] bool is_available() const { return is_available_; }

  void read_lamps(std::vector<CallChange> changes, Answer<LampFacts> answer) override;
  void read_all_lamps(Answer<Everything> answer) override;
  void find_publication(Presentity presentity, Answer<std::optional<LivePublication>> answer) override;
  void read_call_info(std::string tenant, std::vector<std::string> extensions,
                      Answer<std::vector<CallInfo>> answer) override;
  void write_subscription(CallInfoSubscription subscription, Answer<bool> answer) override;
  void remove_subscription(std::string subscription_id) override;
  void load_subscriptions(Answer<std::vector<CallInfoSubscription>> answer) override;

 private:
  template <class T>
  void ask(std::function<T(DatabaseConnection&)> work, Answer<T> answer);

  EventLoop& loop_;
  const Settings settings_;
  bool is_available_ = false;
  std::uint64_t last_retry_ = 0;
  std::map<std::uint64_t, LoopHandle> retries_;
  DatabaseWorkers workers_;
};

}  // namespace callpark
