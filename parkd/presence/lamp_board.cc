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
      wrong_(metrics.gauge("callpark_lamps_out_of_sync",
                           "Lamps that Kamailio shows differently from the database, at the last comparison")),
      lit_(metrics.gauge("callpark_lamps_lit", "Lamps that must be lit, at the last comparison")) {}

void LampBoard::start() {
  compare();
  comparison_ = loop_.every(settings_.compare_every, [this] { compare(); });
}

// ---- what has changed ----

void LampBoard::on_call_changed(const CallChange& change) {
  const bool is_extensions = change.caller_uri.ends_with("@" + change.tenant) || !change.retriever.empty();
  if (change.orbit.empty() && !is_extensions) return;  // no lamp
  changed_.insert(change);
  if (!is_reading_) read();
}

// One question at a time: what changes meanwhile is in the next.
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
      tell(presentity, lit);
    }
  }
  if (!changed_.empty()) read();
}

// What an earlier parkd has published is refreshed here from now on, or taken out when it has ended.
void LampBoard::adopt_unknown(const LitLamps& lit, const std::vector<PublishedLamp>& published, MonotonicTime now) {
  const auto is_unknown = [&](const Presentity& presentity) {
    return publisher_.standing(presentity, now) == Publisher::Standing::kUnknown;
  };
  for (const auto& [presentity, info] : lit) {
    if (is_unknown(presentity)) publisher_.show(info);
  }
  for (const PublishedLamp& lamp : published) {
    const bool has_ended = lamp.state == name_of(DialogState::kTerminated);
    if (has_ended && is_unknown(lamp.presentity)) publisher_.darken(lamp.presentity);
  }
}

void LampBoard::tell(const Presentity& presentity, const LitLamps& lit) {
  if (const auto found = lit.find(presentity); found != lit.end()) {
    publisher_.show(found->second);
  } else {
    publisher_.darken(presentity);
  }
}

// ---- whether it is so ----

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
  std::set<Presentity> suspects = wrong_lamps(lit, now.published);
  std::erase_if(suspects, [&](const Presentity& presentity) {
    return publisher_.standing(presentity, asked_at) == Publisher::Standing::kChanging;
  });
  std::size_t wrong = 0;
  for (const Presentity& presentity : suspects) {
    const bool is_failing = publisher_.standing(presentity, asked_at) == Publisher::Standing::kFailing;
    if (!is_failing && !suspects_.contains(presentity)) continue;
    ++wrong;
    if (is_failing) continue;  // it is being tried
    tell(presentity, lit);
    publisher_.doubt(presentity);
  }
  if (suspects.size() > wrong) second_look_ = loop_.after(settings_.look_again, [this] { compare(); });
  suspects_ = std::move(suspects);
  adopt_unknown(lit, now.published, asked_at);
  if (wrong > 0) log_warning("", "{} lamps do not show what the database says; they are published again", wrong);
  wrong_.set(static_cast<double>(wrong));
  lit_.set(static_cast<double>(lit.size()));
}

}  // namespace callpark::presence
