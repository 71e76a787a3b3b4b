#include "parkd/leg/session_keeper.h"

#include <utility>

namespace callpark::leg {
namespace {

constexpr Duration kRefreshRetry{10000};

}  // namespace

void SessionKeeper::keep(const std::optional<SessionTimer>& timer, Handlers handlers) {
  agreed_ = timer;
  stop();
  if (!timer) return;
  if (const auto delay = refresh_after(*timer)) refresh_after_delay(*delay, std::move(handlers.refresh));
  expiry_ = loop_.after(end_after(*timer), std::move(handlers.expired));
}

void SessionKeeper::stop() {
  refresh_.reset();
  expiry_.reset();
}

// A refresh that is refused is tried again until the session ends; any re-INVITE that is accepted starts it anew.
void SessionKeeper::refresh_after_delay(Duration delay, std::function<void()> refresh) {
  refresh_ = loop_.after(delay, [this, refresh = std::move(refresh)] {
    refresh_after_delay(kRefreshRetry, refresh);
    refresh();
  });
}

}  // namespace callpark::leg
