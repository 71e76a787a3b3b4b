#include "parkd/store/call_statements.h"

#include "base/log.h"
#include "base/random.h"

namespace callpark {
namespace {

using Outcome = DatabaseWorkers::Outcome;

constexpr std::size_t kUndoIdLength = 26;  // 130 bits
// A query is not tried again once its caller has an answer.
constexpr Duration kAnswerMargin{200};

}  // namespace

CallStatements::CallStatements(EventLoop& loop, Settings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      workers_(loop, settings_.address, settings_.workers, settings_.queue_max) {}

CallStatements::~CallStatements() = default;

// ---- queries ----

void CallStatements::ask(const ParkId& id, Work work, std::function<void(bool is_done)> answer, Work undo) {
  const Ticket ticket = ++last_ticket_;
  const bool fails = monotonic_now() < fails_until_;
  queries_[ticket] = {loop_.after(fails ? Duration(0) : settings_.budget,
                                  [this, ticket] {
                                    const Query query = std::move(queries_.extract(ticket).mapped());
                                    query.give_up();
                                  }),
                      [answer] { answer(false); }};
  if (fails) return;
  Done done = [this, id, ticket, answer = std::move(answer), undo = std::move(undo)](const Report& report) {
    const bool is_awaited = queries_.erase(ticket) != 0;
    const bool is_done = report.outcome == Outcome::kDone;
    const bool nothing_done = report.outcome == Outcome::kBusy || report.outcome == Outcome::kAway;
    if ((!is_done || !is_awaited) && on_uncertain_) on_uncertain_(id);
    if (undo && !nothing_done && !(is_done && is_awaited)) {
      undo_twice(id.empty() ? ParkId(random_token(kUndoIdLength)) : id, undo);
    }
    if (is_awaited) answer(is_done);
  };
  const Duration budget = settings_.budget - kAnswerMargin;
  if (id.empty()) return run(id, work, budget, std::move(done));
  queue_.push(id, [this, id, ticket, budget, work = std::move(work),
                   done = std::move(done)](KeyedQueue<ParkId>::Finished finished) {
    if (!queries_.contains(ticket)) return finished();  // its time was over before its turn
    run(id, work, budget, [finished = std::move(finished), done](const Report& report) {
      // First: the next statement about this call begins with what this one has found.
      done(report);
      finished();
    });
  });
}

void CallStatements::run(const ParkId& id, const Work& work, Duration budget, Done done) {
  workers_.start(work, budget, [this, id, done = std::move(done)](const Report& report) {
    note(id, report);
    if (done) done(report);
  });
}

void CallStatements::try_once(const Work& work) {
  run({}, work, settings_.budget, nullptr);
}

// A server that was stopped may execute a statement when it goes on, perhaps just after the first undo.
void CallStatements::undo_twice(const ParkId& id, const Work& undo) {
  write_lastingly(id, undo, [this, id, undo](const Report&) {
    const Ticket ticket = ++last_ticket_;
    second_undos_[ticket] = loop_.after(settings_.budget, [this, id, undo, ticket] {
      write_lastingly(id, undo);
      second_undos_.erase(ticket);
    });
  });
}

// ---- lasting writes ----

void CallStatements::write_lastingly(const ParkId& id, Work work, Done done) {
  write_lastingly(id, [write = Write{std::move(work), std::move(done)}] { return write; });
}

void CallStatements::write_lastingly(const ParkId& id, std::function<Write()> prepare) {
  ++waiting_writes_;
  queue_.push(id, [this, id, prepare = std::move(prepare)](KeyedQueue<ParkId>::Finished finished) {
    try_write(std::make_shared<LastingWrite>(LastingWrite{id, prepare(), std::move(finished)}));
  });
}

void CallStatements::try_write(const std::shared_ptr<LastingWrite>& lasting) {
  run(lasting->id, lasting->write.work, settings_.budget - kAnswerMargin, [this, lasting](const Report& report) {
    if (report.outcome != Outcome::kDone && report.outcome != Outcome::kImpossible) {
      retries_[lasting->id] = loop_.after(settings_.retry, [this, lasting] { try_write(lasting); });
      return;
    }
    retries_.erase(lasting->id);
    --waiting_writes_;
    if (lasting->write.done) lasting->write.done(report);
    lasting->finished();
  });
}

// ---- the database ----

void CallStatements::note(const ParkId& id, const Report& report) {
  if (report.outcome == Outcome::kImpossible) log_error(id.text(), "the database refused: {}", report.reason);
  const bool away = report.outcome == Outcome::kAway || report.outcome == Outcome::kUncertain;
  if (away) fails_until_ = monotonic_now() + settings_.retry;
  if (away == !available_) return;
  available_ = !away;
  if (away) {
    log_error("", "the database is away: {}", report.reason);
  } else {
    log_info("", "the database is back");
  }
}

}  // namespace callpark
