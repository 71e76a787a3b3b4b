#include "parkd/store/unregistered_trunks.h"

#include <memory>
#include <string>
#include <utility>

#include "base/log.h"

namespace callpark {
namespace {

constexpr const char* kCount =
    "SELECT COUNT(*) FROM trunks_status WHERE state NOT IN ('registered', 'by address', 'off')";

}  // namespace

UnregisteredTrunks::UnregisteredTrunks(EventLoop& loop, Metrics& metrics, Settings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      count_(metrics.gauge("callpark_trunks_unregistered",
                           "Trunks that are to be registered and are not, of all tenants, at the last look")),
      workers_(loop, settings_.address, 1, 1) {}

void UnregisteredTrunks::start() {
  count();
  counting_ = loop_.every(settings_.count_every, [this] { count(); });
}

void UnregisteredTrunks::count() {
  // Written by the worker before the loop gets its report.
  const auto count = std::make_shared<double>(0);
  workers_.start(
      [count](DatabaseConnection& connection) { *count = std::stod(connection.query(kCount).at(0).at(0).value()); },
      settings_.budget,
      [this, count](const DatabaseWorkers::Report& report) {
        using Outcome = DatabaseWorkers::Outcome;
        if (report.outcome == Outcome::kImpossible) log_error("", "the database refused: {}", report.reason);
        if (report.outcome == Outcome::kDone) count_.set(*count);
      });
}

}  // namespace callpark
