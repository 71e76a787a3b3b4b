#include "parkd/store/sql_schedule_store.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "parkd/store/schedules_table.h"

namespace callpark {

SqlScheduleStore::SqlScheduleStore(EventLoop& loop, Settings settings)
    : settings_(std::move(settings)), workers_(loop, settings_.address, settings_.workers, settings_.queue_max) {}

template <class T>
void SqlScheduleStore::query(std::function<T(DatabaseConnection&)> work, Answer<T> answer) {
  using Outcome = DatabaseWorkers::Outcome;
  // Written by the worker before the loop gets its report.
  const auto result = std::make_shared<std::optional<T>>();
  workers_.start([work = std::move(work), result](DatabaseConnection& connection) { *result = work(connection); },
                 settings_.budget,
                 [result, answer = std::move(answer)](const DatabaseWorkers::Report& report) {
                   if (report.outcome == Outcome::kImpossible) {
                     log_error("", "the database refused: {}", report.reason);
                   }
                   if (report.outcome != Outcome::kDone) return answer(failure(StoreUnavailable{}));
                   answer(std::move(**result));
                 });
}

void SqlScheduleStore::read(std::optional<std::uint64_t> known, Answer<std::optional<Schedules>> answer) {
  query<std::optional<Schedules>>(
      [known](DatabaseConnection& connection) { return query_schedules(connection, known); }, std::move(answer));
}

void SqlScheduleStore::switch_flow(ScheduledFlow flow, flow::Status status, std::optional<WallTime> edge,
                                   Answer<bool> answer) {
  query<bool>([flow = std::move(flow), status,
               edge](DatabaseConnection& connection) { return callpark::switch_flow(connection, flow, status, edge); },
              std::move(answer));
}

}  // namespace callpark
