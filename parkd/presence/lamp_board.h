// Keeps the lamps in sync with the tables: reads the calls of a change and has their lamps published, and compares all
// publications of Kamailio with the tables every few seconds.
#pragma once

#include <functional>
#include <set>

#include "base/metrics.h"
#include "parkd/ports/presence_store.h"
#include "parkd/presence/lamp_map.h"
#include "parkd/presence/publisher.h"

namespace callpark::presence {

struct LampBoardSettings {
  Duration compare_every{3000};
  /// A lamp that changes while it is read seems out of sync: it is so only if it still is after this time.
  Duration look_again{200};
  Duration retry{500};
};

/// Lives on the loop's thread.
class LampBoard {
 public:
  /// All must outlive the board.
  LampBoard(EventLoop& loop, PresenceStore& store, Publisher& publisher, Metrics& metrics, LampBoardSettings settings);

  /// Compares for the first time, and from then on every few seconds.
  void start();
  void on_call_changed(const CallChange& change);

 private:
  void read();
  void on_read(const std::set<CallChange>& changes, const Result<LampFacts, StoreUnavailable>& facts);
  void publish(const Presentity& presentity, const LitLamps& lit);
  void compare();
  void adopt_unknown(const LitLamps& lit, const std::vector<PublishedLamp>& published, MonotonicTime now);
  void on_compared(const PresenceStore::Everything& now, MonotonicTime asked_at);

  EventLoop& loop_;
  PresenceStore& store_;
  Publisher& publisher_;
  const LampBoardSettings settings_;
  Gauge out_of_sync_;
  Gauge lit_;
  std::set<CallChange> changed_;  // to be read
  bool is_reading_ = false;
  bool is_comparing_ = false;
  std::set<Presentity> suspects_;  // out of sync at the last comparison
  LoopHandle retry_;
  LoopHandle comparison_;
  LoopHandle second_look_;
};

}  // namespace callpark::presence
