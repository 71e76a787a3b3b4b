// A test with a loop that runs until a fact is there, and fails instead of hanging.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "base/event_loop.h"

namespace callpark {

class LoopFixture : public testing::Test {
 protected:
  void run_until(const std::function<bool()>& fact) {
    const LoopHandle deadline = loop_.after(Duration(5000), [this] {
      ADD_FAILURE() << "not in time";
      loop_.stop();
    });
    const LoopHandle look = loop_.every(Duration(1), [&] {
      if (fact()) loop_.stop();
    });
    loop_.run();
  }

  EventLoop loop_;
};

}  // namespace callpark
