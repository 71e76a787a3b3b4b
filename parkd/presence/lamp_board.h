// Keeps the watched lamps in sync with the tables: reads the calls of a change and has their lamps published, puts a
// lamp right before its watcher sees it, and compares the publications of Kamailio with the tables every few seconds. A
// lamp without a watcher costs nothing.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/metrics.h"
#include "parkd/ports/presence_store.h"
#include "parkd/presence/lamp_map.h"
#include "parkd/presence/publisher.h"
#include "parkd/presence/watched_lamps.h"

namespace callpark::presence {

struct LampBoardSettings {
  Duration compare_every{3000};
  /// Lamps that are read at a time by the comparison, and the wait between two readings: thousands of watched lamps
  /// must not hold up the calls.
  std::size_t compared_at_once = 200;
  Duration compare_pause{150};
  /// A lamp that changes while it is read seems out of sync: it is so only if it still is after this time.
  Duration look_again{200};
  Duration retry{500};
  /// Interval at which the board reads which call flows are lit: another node or an edit may have toggled them.
  Duration flows_every{1000};
  /// Within this time Kamailio stores a subscription after it has asked for its lamp.
  Duration subscription_stored{10000};
  /// One comparison of so many looks for publications without a watcher that no parkd refreshes.
  int tidy_every = 20;
};

/// Lives on the loop's thread.
class LampBoard {
 public:
  using Done = std::function<void(bool)>;

  /// All must outlive the board.
  LampBoard(EventLoop& loop, PresenceStore& store, Publisher& publisher, Metrics& metrics, LampBoardSettings settings);

  /// Compares for the first time, and from then on every few seconds.
  void start();
  void on_call_changed(const CallChange& change);
  /// This node has toggled a call flow.
  void on_flow_toggled();
  /// The lamp is watched from now on. `done` is called once Kamailio has what it shows; with false if that fails.
  void watch(const Presentity& presentity, Done done);

 private:
  struct Comparison {
    MonotonicTime began;
    std::size_t lit;
    std::size_t failing;
    std::set<Presentity> suspects;
  };

  void read_next();
  void read_changes();
  void on_read(const std::set<CallChange>& changes, const Result<LampFacts, StoreUnavailable>& facts);
  void read_flows();
  void on_flows_read(const std::vector<LitFlow>& flows);
  void read_asked();
  void on_asked_read(const std::multimap<Presentity, Done>& asked, const PresenceStore::ShownLamps& shown);
  void publish(const Presentity& presentity, const LitLamps& lit);

  void compare();
  void compare_after(const std::optional<Presentity>& last);
  void compare_these(const std::vector<Presentity>& presentities, bool is_last);
  void on_compared(const std::vector<Presentity>& presentities, const PresenceStore::ShownLamps& shown,
                   MonotonicTime asked_at);
  void carry_on(const LitLamps& lit, const std::vector<PublishedLamp>& published, MonotonicTime asked_at);
  void go_on_after(const Presentity& last, bool is_last);
  void end_of_first_look();
  void look_again();
  void on_second_look(const PresenceStore::ShownLamps& shown, MonotonicTime asked_at);
  void end_of_comparison(std::size_t mended);
  void forget_unwatched();
  void tidy();

  EventLoop& loop_;
  PresenceStore& store_;
  Publisher& publisher_;
  const LampBoardSettings settings_;
  Gauge out_of_sync_;
  Gauge lit_;
  Gauge watched_count_;
  WatchedLamps watched_;
  std::set<CallChange> changed_;            // to be read
  std::multimap<Presentity, Done> asked_;   // to be read
  std::optional<std::set<LitFlow>> flows_;  // that are lit, as of the last reading; nothing before the first
  bool are_flows_due_ = false;              // to be read
  bool is_reading_ = false;
  std::optional<Comparison> comparison_;  // under way
  int comparisons_ = 0;
  LoopHandle retry_;
  LoopHandle comparing_;
  LoopHandle reading_flows_;
  LoopHandle next_look_;
};

}  // namespace callpark::presence
