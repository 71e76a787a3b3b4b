// What is under way in the fakes: nothing answers by itself. A test lets each step happen, in the usual sequence or in
// any other one that is possible.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <list>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace callpark {

/// Steps of one lane keep their order; steps of different lanes have none.
class Steps {
 public:
  void add(std::string lane, std::function<void()> work) { steps_.push_back({std::move(lane), std::move(work)}); }
  bool empty() const { return steps_.empty(); }

  /// The oldest; false if there is none.
  bool next() { return run(steps_.begin()); }
  /// The oldest of the lanes with this prefix.
  bool next_of(std::string_view lane) {
    return run(
        std::find_if(steps_.begin(), steps_.end(), [&](const Step& step) { return step.lane.starts_with(lane); }));
  }
  /// The oldest of all other lanes.
  bool next_but(std::string_view lane) {
    return run(
        std::find_if(steps_.begin(), steps_.end(), [&](const Step& step) { return !step.lane.starts_with(lane); }));
  }
  bool newest() { return !steps_.empty() && run(std::prev(steps_.end())); }
  /// The oldest of a random lane.
  bool next_of_any(std::mt19937_64& random) {
    std::vector<std::list<Step>::iterator> heads;
    std::set<std::string> lanes;
    for (auto step = steps_.begin(); step != steps_.end(); ++step) {
      if (lanes.insert(step->lane).second) heads.push_back(step);
    }
    return heads.empty() ? false : run(heads[random() % heads.size()]);
  }
  void settle() {
    for (int count = 0; next(); ++count) {
      ASSERT_LT(count, 10'000) << "it never ends";
    }
  }
  void clear() { steps_.clear(); }

 private:
  struct Step {
    std::string lane;
    std::function<void()> work;
  };
  bool run(std::list<Step>::iterator step) {
    if (step == steps_.end()) return false;
    const std::function<void()> work = std::move(step->work);
    steps_.erase(step);
    work();
    return true;
  }

  std::list<Step> steps_;
};

}  // namespace callpark
