#include "parkd/presence/lamp_board.h"

#include <utility>

#include "base/log.h"

namespace callpark::presence {

LampBoard::LampBoard(EventLoop& loop, PresenceStore& store, Publisher& publisher, Metrics& metrics,
                     LampBoardSettings settings)
    : loop_(loop),
      store_(store),
      publisher_(publisher),
      settings_(settings),
      out_of_sync_(metrics.gauge("callpark_lamps_out_of_sync",
                                 "Lamps of which Kamailio and the database differ, at the last comparison")),
      lit_(metrics.gauge("callpark_lamps_lit", "Lamps that calls light, at the last comparison")) {}

void LampBoard::start() {
  compare();
  comparison_ = loop_.every(settings_.compare_every, [this] { compare(); });
}

// ---- changes ----

void LampBoard::on_call_changed(const CallChange& change) {
  const bool has_lamp = !change.orbit.empty() || change.caller || change.retriever;
  if (!has_lamp) return;
  changed_.insert(change);
  if (!is_reading_) read();
}

// One query at a time: changes meanwhile are in the next.
void LampBoard::read() {
  is_reading_ = true;
  const auto changes = std::exchange(changed_, {});
  store_.read_lamps({changes.begin(), changes.end()},
                    [this, changes](const Result<LampFacts, StoreUnavailable>& facts) { on_read(changes, facts); });
}

void LampBoard::on_read(const std::set<CallChange>& changes, const Result<LampFacts, StoreUnavailable>& facts) {
  is_reading_ = false;
  if (!facts) {
    changed_.insert(changes.begin(), changes.end());
    is_reading_ = true;
    retry_ = loop_.after(settings_.retry, [this] { read(); });
    return;
  }
  const LitLamps lit = lit_lamps(*facts);
  for (const CallChange& change : changes) {
    for (const Presentity& presentity : presentities_of(*facts, change)) {
      publish(presentity, lit);
    }
  }
  if (!changed_.empty()) read();
}

// Publications of an earlier parkd are refreshed here from now on, or removed if they have ended.
void LampBoard::adopt_unknown(const LitLamps& lit, const std::vector<PublishedLamp>& published, MonotonicTime now) {
  const auto is_unknown = [&](const Presentity& presentity) {
    return publisher_.condition(presentity, now) == Publisher::Condition::kUnknown;
  };
  for (const auto& [presentity, info] : lit) {
    if (is_unknown(presentity)) publisher_.show(info);
  }
  for (const PublishedLamp& lamp : published) {
    const bool has_ended = lamp.state == name_of(DialogState::kTerminated);
    if (has_ended && is_unknown(lamp.presentity)) publisher_.darken(lamp.presentity);
  }
}

void LampBoard::publish(const Presentity& presentity, const LitLamps& lit) {
  if (const auto found = lit.find(presentity); found != lit.end()) {
    publisher_.show(found->second);
  } else {
    publisher_.darken(presentity);
  }
}

// ---- the comparison ----

void LampBoard::compare() {
  if (is_comparing_) return;
  is_comparing_ = true;
  store_.read_all_lamps(
      [this, asked_at = monotonic_now()](const Result<PresenceStore::Everything, StoreUnavailable>& now) {
        is_comparing_ = false;
        if (now) on_compared(*now, asked_at);
      });
}

void LampBoard::on_compared(const PresenceStore::Everything& now, MonotonicTime asked_at) {
  const LitLamps lit = lit_lamps(now.facts);
  std::set<Presentity> suspects = out_of_sync_lamps(lit, now.published);
  std::erase_if(suspects, [&](const Presentity& presentity) {
    return publisher_.condition(presentity, asked_at) == Publisher::Condition::kChanging;
  });
  std::size_t out_of_sync = 0;
  for (const Presentity& presentity : suspects) {
    const bool is_failing = publisher_.condition(presentity, asked_at) == Publisher::Condition::kFailing;
    if (!is_failing && !suspects_.contains(presentity)) continue;
    ++out_of_sync;
    if (is_failing) continue;  // the publisher tries again
    publish(presentity, lit);
    publisher_.doubt(presentity);
  }
  if (suspects.size() > out_of_sync) second_look_ = loop_.after(settings_.look_again, [this] { compare(); });
  suspects_ = std::move(suspects);
  adopt_unknown(lit, now.published, asked_at);
  if (out_of_sync > 0)
    log_warning("", "{} lamps are out of sync with the database; parkd publishes them again", out_of_sync);
  out_of_sync_.set(static_cast<double>(out_of_sync));
  lit_.set(static_cast<double>(lit.size()));
}

}  // namespace callpark::presence
