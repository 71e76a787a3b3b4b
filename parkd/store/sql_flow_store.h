// The FlowStore port on MariaDB.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/event_loop.h"
#include "parkd/ports/flow_store.h"
#include "parkd/store/call_flows_table.h"
#include "parkd/store/database_workers.h"

namespace callpark {

class SqlFlowStore final : public FlowStore {
 public:
  struct Settings {
    DatabaseAddress address;
    std::size_t workers = 2;
    std::size_t queue_max = 512;
    Duration budget{2000};
    Duration retry{500};
  };

  /// Loop's thread only; the loop must outlive the store. Connects with the first query.
  SqlFlowStore(EventLoop& loop, Settings settings);

  void find_flow(Extension extension, std::string code, Answer<std::optional<CallFlow>> answer) override;
  void count_try(FlowGuesser guesser, Answer<FlowTry> answer) override;
  void forget_failures(FlowGuesser guesser) override;
  void record(FlowGuesser guesser, std::vector<FlowIncident> incidents) override;
  void toggle(FlowGuesser by, std::string code, std::string pin, std::string operation_id,
              Answer<std::optional<flow::Status>> answer) override;

 private:
  using Work = std::function<void(CallFlowsTable&)>;

  template <class T>
  void query(std::function<T(CallFlowsTable&)> work, Answer<T> answer);
  /// Repeated until the database has done or refused it.
  void write(const Work& work);
  void run(Work work, DatabaseWorkers::Done done);

  EventLoop& loop_;
  const Settings settings_;
  std::uint64_t last_retry_ = 0;
  std::unordered_map<std::uint64_t, LoopHandle> retries_;
  DatabaseWorkers workers_;
};

}  // namespace callpark
