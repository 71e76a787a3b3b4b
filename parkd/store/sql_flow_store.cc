#include "parkd/store/sql_flow_store.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/random.h"

namespace callpark {
namespace {

using Report = DatabaseWorkers::Report;
using Outcome = DatabaseWorkers::Outcome;

constexpr std::size_t kOperationIdLength = 26;  // 130 bits

}  // namespace

SqlFlowStore::SqlFlowStore(EventLoop& loop, Settings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      workers_(loop, settings_.address, settings_.workers, settings_.queue_max) {}

void SqlFlowStore::run(Work work, DatabaseWorkers::Done done) {
  workers_.start(
      [work = std::move(work)](DatabaseConnection& connection) {
        CallFlowsTable table(connection);
        work(table);
      },
      settings_.budget,
      [done = std::move(done)](const Report& report) {
        if (report.outcome == Outcome::kImpossible) log_error("", "the database refused: {}", report.reason);
        done(report);
      });
}

template <class T>
void SqlFlowStore::query(std::function<T(CallFlowsTable&)> work, Answer<T> answer) {
  // Written by the worker before the loop gets its report.
  const auto result = std::make_shared<std::optional<T>>();
  run([work = std::move(work), result](CallFlowsTable& table) { *result = work(table); },
      [result, answer = std::move(answer)](const Report& report) {
        if (report.outcome != Outcome::kDone) return answer(failure(StoreUnavailable{}));
        answer(std::move(**result));
      });
}

void SqlFlowStore::write(const Work& work) {
  run(work, [this, work](const Report& report) {
    if (report.outcome == Outcome::kDone || report.outcome == Outcome::kImpossible) return;
    const std::uint64_t retry = ++last_retry_;
    retries_[retry] = loop_.after(settings_.retry, [this, work, retry] {
      const auto node = retries_.extract(retry);
      write(work);
    });
  });
}

void SqlFlowStore::find_flow(Extension extension, std::string code, Answer<std::optional<CallFlow>> answer) {
  query<std::optional<CallFlow>>([extension = std::move(extension), code = std::move(code)](
                                     CallFlowsTable& table) { return table.find(extension, code); },
                                 std::move(answer));
}

void SqlFlowStore::count_try(FlowGuesser guesser, Answer<FlowTry> answer) {
  query<FlowTry>([guesser = std::move(guesser)](CallFlowsTable& table) { return table.count_try(guesser); },
                 std::move(answer));
}

void SqlFlowStore::forget_failures(FlowGuesser guesser) {
  write([guesser = std::move(guesser)](CallFlowsTable& table) { table.forget_failures(guesser); });
}

void SqlFlowStore::record(FlowGuesser guesser, std::vector<FlowIncident> incidents) {
  write([guesser = std::move(guesser), incidents = std::move(incidents),
         id = random_token(kOperationIdLength)](CallFlowsTable& table) {
    for (std::size_t i = 0; i < incidents.size(); ++i) table.record(guesser, incidents[i], id + std::to_string(i));
  });
}

void SqlFlowStore::toggle(FlowGuesser by, std::string code, std::string pin, std::string operation_id,
                          Answer<std::optional<flow::Status>> answer) {
  query<std::optional<flow::Status>>(
      [by = std::move(by), code = std::move(code), pin = std::move(pin), operation_id = std::move(operation_id)](
          CallFlowsTable& table) { return table.toggle(by, code, pin, operation_id); },
      std::move(answer));
}

}  // namespace callpark
