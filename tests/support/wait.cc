#include "tests/support/wait.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <stdexcept>

namespace callpark::test {
namespace {

void pause_briefly() {
  const timespec step{0, 4'000'000};
  nanosleep(&step, nullptr);
}

int patience() {
  const char* wanted = getenv("CALLPARK_PATIENCE");
  return wanted == nullptr ? 3 : std::max(1, std::atoi(wanted));
}

}  // namespace

std::chrono::milliseconds patient(std::chrono::milliseconds timeout) {
  static const int times = patience();
  return timeout * times;
}

bool wait_until(std::chrono::milliseconds timeout, const std::function<bool()>& predicate) {
  const auto deadline = std::chrono::steady_clock::now() + patient(timeout);
  while (!predicate()) {
    if (std::chrono::steady_clock::now() >= deadline) return predicate();
    pause_briefly();
  }
  return true;
}

void require_until(std::chrono::milliseconds timeout, const std::function<bool()>& predicate, const std::string& what) {
  if (!wait_until(timeout, predicate)) {
    throw std::runtime_error("waited " + std::to_string(patient(timeout).count()) + " ms for " + what);
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

void pass(std::chrono::milliseconds duration) {
  holds_for(duration, [] { return true; });
}

}  // namespace callpark::test
