#include "parkd/presence/lamp_board.h"

#include <algorithm>
#include <iterator>
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
                                 "Watched lamps of which Kamailio and the database differ, at the last comparison")),
      lit_(metrics.gauge("callpark_lamps_lit", "Watched lamps that calls light, at the last comparison")),
      watched_count_(metrics.gauge("callpark_lamps_watched", "Lamps with a watcher, at the last comparison")) {}

void LampBoard::start() {
  // The first reading of call flows compares, so that no edit comes between the two unseen.
  on_flow_toggled();
  comparing_ = loop_.every(settings_.compare_every, [this] { compare(); });
  reading_flows_ = loop_.every(settings_.flows_every, [this] { on_flow_toggled(); });
}

// ---- changes and questions ----

void LampBoard::on_call_changed(const CallChange& change) {
  if (!watched_.may_concern(change)) return;
  changed_.insert(change);
  read_next();
}

void LampBoard::on_flow_toggled() {
  are_flows_due_ = true;
  read_next();
}

void LampBoard::watch(const Presentity& presentity, Done done) {
  watched_.add(presentity, monotonic_now());
  asked_.emplace(presentity, std::move(done));
  read_next();
}

// One query at a time: what is asked meanwhile is in the next, and no answer is older than one that came before.
void LampBoard::read_next() {
  if (is_reading_) return;
  // Call flows first: they are due once a second, and changes of calls might never end.
  if (are_flows_due_) {
    read_flows();
  } else if (!changed_.empty()) {
    read_changes();
  } else if (!asked_.empty()) {
    read_asked();
  }
}

void LampBoard::read_flows() {
  is_reading_ = true;
  are_flows_due_ = false;
  store_.read_lit_flows([this](const Result<std::vector<LitFlow>, StoreUnavailable>& flows) {
    is_reading_ = false;
    if (flows) on_flows_read(*flows);
    read_next();
  });
}

void LampBoard::on_flows_read(const std::vector<LitFlow>& flows) {
  const auto before = std::exchange(flows_, std::set<LitFlow>(flows.begin(), flows.end()));
  if (!before) return compare();
  std::vector<LitFlow> changed;
  std::set_symmetric_difference(before->begin(), before->end(), flows_->begin(), flows_->end(),
                                std::back_inserter(changed));
  if (changed.empty()) return;
  LampSettings settings;
  settings.flows = flows;
  const LitLamps lit = lit_lamps({{settings}, {}});
  for (const LitFlow& flow : changed) {
    for (const Presentity& presentity : presentities_of(flow)) publish(presentity, lit);
  }
}

void LampBoard::read_changes() {
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
    retry_ = loop_.after(settings_.retry, [this] {
      is_reading_ = false;
      read_next();
    });
    return;
  }
  const LitLamps lit = lit_lamps(*facts);
  for (const CallChange& change : changes) {
    for (const Presentity& presentity : presentities_of(*facts, change)) publish(presentity, lit);
  }
  read_next();
}

void LampBoard::read_asked() {
  is_reading_ = true;
  const auto asked = std::exchange(asked_, {});
  std::vector<Presentity> presentities;
  for (const auto& [presentity, done] : asked) {
    if (presentities.empty() || presentities.back() != presentity) presentities.push_back(presentity);
  }
  store_.read_shown(presentities, [this, asked](const Result<PresenceStore::ShownLamps, StoreUnavailable>& shown) {
    is_reading_ = false;
    if (shown) {
      on_asked_read(asked, *shown);
    } else {
      for (const auto& [presentity, done] : asked) done(false);
    }
    read_next();
  });
}

void LampBoard::on_asked_read(const std::multimap<Presentity, Done>& asked, const PresenceStore::ShownLamps& shown) {
  const LitLamps lit = lit_lamps(shown.facts);
  const std::set<Presentity> out_of_sync = out_of_sync_lamps(lit, shown.published);
  for (const auto& [presentity, done] : asked) {
    const bool is_out_of_sync = out_of_sync.contains(presentity);
    // What is lit and known here has to be refreshed.
    if (is_out_of_sync || lit.contains(presentity)) publish(presentity, lit);
    if (is_out_of_sync) publisher_.doubt(presentity);
    publisher_.when_settled(presentity, done);
  }
}

void LampBoard::publish(const Presentity& presentity, const LitLamps& lit) {
  if (!watched_.contains(presentity)) return;
  if (const auto found = lit.find(presentity); found != lit.end()) {
    publisher_.show(found->second);
  } else {
    publisher_.darken(presentity);
  }
}

// ---- the comparison ----

void LampBoard::compare() {
  if (comparison_) return;
  comparison_ = Comparison{monotonic_now(), 0, 0, {}};
  compare_after(std::nullopt);
}

void LampBoard::compare_after(const std::optional<Presentity>& last) {
  store_.read_watched(last, settings_.compared_at_once,
                      [this](const Result<std::vector<Presentity>, StoreUnavailable>& watched) {
                        if (!watched) return comparison_.reset();
                        for (const Presentity& presentity : *watched) watched_.add(presentity, monotonic_now());
                        compare_these(*watched, watched->size() < settings_.compared_at_once);
                      });
}

void LampBoard::compare_these(const std::vector<Presentity>& presentities, bool is_last) {
  if (presentities.empty()) return end_of_first_look();
  store_.read_shown(presentities, [this, presentities, is_last, asked_at = monotonic_now()](
                                      const Result<PresenceStore::ShownLamps, StoreUnavailable>& shown) {
    if (!shown) return comparison_.reset();
    on_compared(presentities, *shown, asked_at);
    go_on_after(presentities.back(), is_last);
  });
}

void LampBoard::on_compared(const std::vector<Presentity>& presentities, const PresenceStore::ShownLamps& shown,
                            MonotonicTime asked_at) {
  const LitLamps lit = lit_lamps(shown.facts);
  const std::set<Presentity> out_of_sync = out_of_sync_lamps(lit, shown.published);
  for (const Presentity& presentity : presentities) {
    comparison_->lit += lit.contains(presentity) ? 1 : 0;
    if (!out_of_sync.contains(presentity)) continue;
    const auto condition = publisher_.condition(presentity, asked_at);
    if (condition == Publisher::Condition::kFailing) ++comparison_->failing;  // the publisher tries again
    if (condition == Publisher::Condition::kSettled || condition == Publisher::Condition::kUnknown) {
      comparison_->suspects.insert(presentity);
    }
  }
  carry_on(lit, shown.published, asked_at);
}

// Publications of an earlier parkd are refreshed here from now on, or removed if they have ended. What is lit and not
// published waits for the second look: its call may have gone meanwhile.
void LampBoard::carry_on(const LitLamps& lit, const std::vector<PublishedLamp>& published, MonotonicTime asked_at) {
  for (const PublishedLamp& lamp : published) {
    if (publisher_.condition(lamp.presentity, asked_at) != Publisher::Condition::kUnknown) continue;
    const bool has_ended = lamp.state == name_of(DialogState::kTerminated);
    if (has_ended || lit.contains(lamp.presentity)) publish(lamp.presentity, lit);
  }
}

void LampBoard::go_on_after(const Presentity& last, bool is_last) {
  if (is_last) return end_of_first_look();
  next_look_ = loop_.after(settings_.compare_pause, [this, last] { compare_after(last); });
}

void LampBoard::end_of_first_look() {
  forget_unwatched();
  if (comparison_->suspects.empty()) return end_of_comparison(0);
  next_look_ = loop_.after(settings_.look_again, [this] { look_again(); });
}

void LampBoard::look_again() {
  const auto& suspects = comparison_->suspects;
  store_.read_shown(
      {suspects.begin(), suspects.end()},
      [this, asked_at = monotonic_now()](const Result<PresenceStore::ShownLamps, StoreUnavailable>& shown) {
        if (!shown) return comparison_.reset();
        on_second_look(*shown, asked_at);
      });
}

void LampBoard::on_second_look(const PresenceStore::ShownLamps& shown, MonotonicTime asked_at) {
  const LitLamps lit = lit_lamps(shown.facts);
  const std::set<Presentity> out_of_sync = out_of_sync_lamps(lit, shown.published);
  std::size_t mended = 0;
  for (const Presentity& presentity : comparison_->suspects) {
    if (!out_of_sync.contains(presentity)) continue;
    const auto condition = publisher_.condition(presentity, asked_at);
    if (condition == Publisher::Condition::kChanging) continue;
    ++mended;
    if (condition == Publisher::Condition::kFailing) continue;
    publish(presentity, lit);
    publisher_.doubt(presentity);
  }
  end_of_comparison(mended);
}

void LampBoard::end_of_comparison(std::size_t mended) {
  const std::size_t out_of_sync = comparison_->failing + mended;
  if (out_of_sync > 0)
    log_warning("", "{} lamps are out of sync with the database; parkd publishes them again", out_of_sync);
  out_of_sync_.set(static_cast<double>(out_of_sync));
  lit_.set(static_cast<double>(comparison_->lit));
  watched_count_.set(static_cast<double>(watched_.size()));
  comparison_.reset();
}

// ---- lamps without a watcher ----

void LampBoard::forget_unwatched() {
  const MonotonicTime since = std::min(comparison_->began, monotonic_now() - settings_.subscription_stored);
  for (const Presentity& presentity : watched_.drop_older(since)) publisher_.forget(presentity);
  if (comparisons_++ % settings_.tidy_every == 0) tidy();
}

// A parkd that has died has left them, or one that published lamps without watchers.
void LampBoard::tidy() {
  store_.read_unwatched([this](const Result<std::vector<Presentity>, StoreUnavailable>& unwatched) {
    if (!unwatched) return;
    for (const Presentity& presentity : *unwatched) {
      if (!watched_.contains(presentity)) publisher_.forget(presentity);
    }
  });
}

}  // namespace callpark::presence
