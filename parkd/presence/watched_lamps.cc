#include "parkd/presence/watched_lamps.h"

namespace callpark::presence {
namespace {

std::string reversed(const std::string& text) {
  return {text.rbegin(), text.rend()};
}

}  // namespace

void WatchedLamps::add(const Presentity& presentity, MonotonicTime now) {
  const auto [entry, is_new] = lamps_.insert_or_assign(presentity, now);
  if (is_new) reversed_.emplace(presentity.domain, reversed(presentity.user));
}

bool WatchedLamps::may_concern(const CallChange& change) const {
  for (const auto& party : {change.caller, change.retriever}) {
    if (party && contains({party->number, party->tenant})) return true;
  }
  if (change.orbit.empty()) return false;
  const std::string end = reversed(change.orbit);
  const auto found = reversed_.lower_bound({change.tenant, end});
  return found != reversed_.end() && found->first == change.tenant && found->second.starts_with(end);
}

std::vector<Presentity> WatchedLamps::drop_older(MonotonicTime since) {
  std::vector<Presentity> dropped;
  for (auto lamp = lamps_.begin(); lamp != lamps_.end();) {
    if (lamp->second >= since) {
      ++lamp;
      continue;
    }
    dropped.push_back(lamp->first);
    reversed_.erase({lamp->first.domain, reversed(lamp->first.user)});
    lamp = lamps_.erase(lamp);
  }
  return dropped;
}

}  // namespace callpark::presence
