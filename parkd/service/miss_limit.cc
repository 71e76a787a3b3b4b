#include "parkd/service/miss_limit.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace callpark {
namespace {

constexpr std::chrono::minutes kWindow{1};

void drop_old(std::deque<MonotonicTime>& misses, MonotonicTime now) {
  while (!misses.empty() && misses.front() + kWindow <= now) misses.pop_front();
}

}  // namespace

MissLimit::Verdict MissLimit::admit(const Extension& extension, int max, MonotonicTime now) {
  forget_old(now);
  Misses& misses = misses_[extension];
  drop_old(misses.at, now);
  if (misses.at.size() >= static_cast<std::size_t>(max)) {
    return std::exchange(misses.is_limited, true) ? Verdict::kGoesOn : Verdict::kBegins;
  }
  misses.is_limited = false;
  misses.at.push_back(now);
  return Verdict::kAdmitted;
}

bool MissLimit::is_reached(const Extension& extension, int max, MonotonicTime now) const {
  const auto found = misses_.find(extension);
  if (found == misses_.end()) return false;
  const auto recent = std::count_if(found->second.at.begin(), found->second.at.end(),
                                    [now](MonotonicTime at) { return at + kWindow > now; });
  return recent >= max;
}

void MissLimit::forgive(const Extension& extension) {
  const auto found = misses_.find(extension);
  if (found != misses_.end() && !found->second.at.empty()) found->second.at.pop_back();
}

void MissLimit::forget_old(MonotonicTime now) {
  if (now < swept_at_ + kWindow) return;
  swept_at_ = now;
  for (auto it = misses_.begin(); it != misses_.end();) {
    drop_old(it->second.at, now);
    it = it->second.at.empty() ? misses_.erase(it) : std::next(it);
  }
}

}  // namespace callpark
