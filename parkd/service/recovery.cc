#include "parkd/service/recovery.h"

#include <utility>

#include "base/log.h"

namespace callpark {
namespace {

constexpr Duration kRetry{500};

park::Found found_in(const ParkedCallRow& row) {
  switch (row.state) {
    case RowState::kParked:
      // Without a session it is not certain that the caller hears anything.
      return row.media ? park::Found::kParked : park::Found::kUncertain;
    case RowState::kAdopting:
    case RowState::kRetrieving:
      break;
    case RowState::kRetrieved:
      return park::Found::kRetrieved;
  }
  return park::Found::kUncertain;
}

}  // namespace

void Recovery::start(std::function<void()> done) {
  ports_.store.load([this, done = std::move(done)](Result<std::vector<ParkedCallRow>, StoreUnavailable> rows) {
    if (!rows) {
      retry_ = ports_.loop.after(kRetry, [this, done] { start(done); });
      return;
    }
    take_over(*rows);
    done();
  });
}

void Recovery::take_over(const std::vector<ParkedCallRow>& rows) {
  for (const ParkedCallRow& row : rows) {
    if (!service_.has(row.park_id)) service_.take_over(row, found_in(row));
  }
  if (!rows.empty()) log_info("", "adopted {} calls from the database", rows.size());
}

}  // namespace callpark
