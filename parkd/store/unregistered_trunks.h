// Exports how many trunks are not registered that should be, as Kamailio has it in the view trunks_status.
#pragma once

#include "base/event_loop.h"
#include "base/metrics.h"
#include "parkd/store/database_workers.h"

namespace callpark {

class UnregisteredTrunks {
 public:
  struct Settings {
    DatabaseAddress address;
    Duration count_every{10000};
    Duration budget{2000};
  };

  /// Loop's thread only; the loop and the metrics must outlive this.
  UnregisteredTrunks(EventLoop& loop, Metrics& metrics, Settings settings);

  /// Counts at once, and from then on every few seconds. While the database is away the last number stays.
  void start();

 private:
  void count();

  EventLoop& loop_;
  const Settings settings_;
  Gauge count_;
  LoopHandle counting_;
  DatabaseWorkers workers_;
};

}  // namespace callpark
