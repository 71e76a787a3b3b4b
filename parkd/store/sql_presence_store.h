// The PresenceStore port on MariaDB: callpark's tables, and the table in which Kamailio's presence server keeps
// publications.
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
    /// Wait before a removal is repeated.
    Duration retry{500};
  };

  /// Loop's thread only; the loop must outlive the store.
  SqlPresenceStore(EventLoop& loop, Settings settings);

  /// False after the database did not answer, until it does. Each comparison of the lamps queries it.
  [[nodiscard]] bool is_available() const { return is_available_; }

  void read_lamps(std::vector<CallChange> changes, Answer<LampFacts> answer) override;
  void read_watched(std::optional<Presentity> after, std::size_t most, Answer<std::vector<Presentity>> answer) override;
  void read_lit_flows(Answer<std::vector<LitFlow>> answer) override;
  void read_shown(std::vector<Presentity> presentities, Answer<ShownLamps> answer) override;
  void read_unwatched(Answer<std::vector<Presentity>> answer) override;
  void find_publication(Presentity presentity, Answer<std::optional<LivePublication>> answer) override;
  void remove_publication(Presentity presentity, Answer<bool> answer) override;
  void read_call_info(std::string tenant, std::vector<std::string> extensions,
                      Answer<std::vector<CallInfo>> answer) override;
  void write_subscription(CallInfoSubscription subscription, Answer<bool> answer) override;
  void remove_subscription(std::string subscription_id) override;
  void load_subscriptions(Answer<std::vector<CallInfoSubscription>> answer) override;

 private:
  template <class T>
  void query(std::function<T(DatabaseConnection&)> work, Answer<T> answer);

  EventLoop& loop_;
  const Settings settings_;
  bool is_available_ = false;
  std::uint64_t last_retry_ = 0;
  std::map<std::uint64_t, LoopHandle> retries_;  // of removals
  DatabaseWorkers workers_;
};

}  // namespace callpark
