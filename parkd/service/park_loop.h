// Runs the park machines of all live calls: decides each event, logs the transition, publishes what happened, and
// carries out the actions.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

#include "parkd/service/action_runner.h"
#include "parkd/service/history_fan_out.h"

namespace callpark {

class ParkLoop {
 public:
  /// All references must outlive the loop.
  ParkLoop(const ServicePorts& ports, CallTable& calls, Announcer& announcer, Refusals& refusals,
           const ParkSettings& settings);

  // The call may be over after each of these.
  void begin(LiveCall& call, park::Request request);
  void resume(LiveCall& call, const ParkedCallRow& row, park::Found found);
  /// Ignored if the call is over. An event that comes while actions are being carried out waits for their end.
  void feed(const ParkId& park_id, const park::Event& event);

  /// Called whenever a call has decided what there was to decide; the call may be over.
  void set_on_decided(std::function<void()> decided) { on_decided_ = std::move(decided); }
  CallBacks& call_backs() { return call_backs_; }
  std::uint64_t parks_completed() const { return parks_completed_; }

 private:
  void start(LiveCall& call, const park::Decision& decision, std::string_view from, std::string_view event);
  void decide_waiting(LiveCall& call);
  void follow(LiveCall& call, const park::Decision& decision, std::string_view from, std::string_view event);

  CallTable& calls_;
  CallBacks call_backs_;
  HistoryFanOut history_;
  ActionRunner runner_;
  std::function<void()> on_decided_;
  std::uint64_t parks_completed_ = 0;
};

}  // namespace callpark
