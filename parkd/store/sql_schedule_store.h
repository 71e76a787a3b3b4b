// The ScheduleStore port on MariaDB. Its worker is its own, so that schedules never keep a statement of a call waiting.
#pragma once

#include <functional>

#include "base/event_loop.h"
#include "parkd/ports/schedule_store.h"
#include "parkd/store/database_workers.h"

namespace callpark {

class SqlScheduleStore final : public ScheduleStore {
 public:
  struct Settings {
    DatabaseAddress address;
    std::size_t workers = 1;
    /// A statement for each flow that an edge switches.
    std::size_t queue_max = 10'000;
    Duration budget{2000};
  };

  /// Loop's thread only; the loop must outlive the store. After its end nothing is answered.
  SqlScheduleStore(EventLoop& loop, Settings settings);

  void read(std::optional<std::uint64_t> known, Answer<std::optional<Schedules>> answer) override;
  void switch_flow(ScheduledFlow flow, flow::Status status, std::optional<WallTime> edge, Answer<bool> answer) override;

 private:
  template <class T>
  void query(std::function<T(DatabaseConnection&)> work, Answer<T> answer);

  const Settings settings_;
  DatabaseWorkers workers_;
};

}  // namespace callpark
