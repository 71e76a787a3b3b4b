#include "tests/support/wait.h"

#include <ctime>
#include <stdexcept>

namespace callpark::test {
namespace {

void pause_briefly() {
  const timespec step{0, 4'000'000};
  nanosleep(&step, nullptr);
}

}  // namespace

bool wait_until(std::chrono::milliseconds timeout, const std::function<bool()>& predicate) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() >= deadline) return predicate();
    pause_briefly();
  }
  return true;
}

void require_until(std::chrono::milliseconds timeout, const std::function<bool()>& predicate, const std::string& what) {
  if (!wait_until(timeout, predicate)) {
    throw std::runtime_error("waited " + std::to_string(timeout.count()) + " ms for " + what);
  }
}

bool holds_for(std::chrono::milliseconds duration, const std::function<bool()>& predicate) {
  const auto end = std::chrono::steady_clock::now() + duration;
  while (std::chrono::steady_clock::now() < end) {
    if (!predicate()) return false;
    pause_briefly();
  }
  return predicate();
}

}  // namespace callpark::test
