// Which lamps are watched, as far as Kamailio has reported it or its table has shown. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "parkd/ports/presence_store.h"

namespace callpark::presence {

class WatchedLamps {
 public:
  /// Kamailio has a subscription to this lamp, or is about to store one.
  void add(const Presentity& presentity, MonotonicTime now);
  [[nodiscard]] bool contains(const Presentity& presentity) const { return lamps_.contains(presentity); }
  [[nodiscard]] std::size_t size() const { return lamps_.size(); }

  /// False if the change concerns no watched lamp. May be true for a number that only ends like a watched one: which
  /// codes retrieve is not known here.
  [[nodiscard]] bool may_concern(const CallChange& change) const;

  /// Removes the lamps that were last added before `since`, and returns them.
  std::vector<Presentity> drop_older(MonotonicTime since);

 private:
  std::map<Presentity, MonotonicTime> lamps_;  // and when each was added last
  /// Domain, and user from its end: the watched numbers that end with an orbit are neighbours.
  std::set<std::pair<std::string, std::string>> reversed_;
};

}  // namespace callpark::presence
