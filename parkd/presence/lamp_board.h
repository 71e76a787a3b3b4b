// Keeps the lamps in step with the tables: reads what has changed and has it published, and looks again and again
// whether Kamailio shows what the tables say.
#pragma once

#include <functional>
#include <set>

#include "base/metrics.h"
#include "parkd/presence/lamp_map.h"
#include "parkd/presence/publisher.h"
#include "parkd/ports/presence_store.h"

namespace callpark::presence {

struct LampBoardSettings {
  Duration compare_every{3000};
  /// What was read while it changed looks wrong: only what still does after this time is.
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
  void tell(const Presentity& presentity, const LitLamps& lit);
  void compare();
  void adopt_unknown(const LitLamps& lit, const std::vector<PublishedLamp>& published, MonotonicTime now);
  void on_compared(const PresenceStore::Everything& now, MonotonicTime asked_at);

  EventLoop& loop_;
  PresenceStore& store_;
  Publisher& publisher_;
  const LampBoardSettings settings_;
  Gauge wrong_;
  Gauge lit_;
  std::set<CallChange> changed_;  // and not read yet
  bool is_reading_ = false;
  bool is_comparing_ = false;
  std::set<Presentity> suspects_;  // looked wrong the last time
  LoopHandle retry_;
  LoopHandle comparison_;
  LoopHandle second_look_;
};

}  // namespace callpark::presence
