#include "mediad/engine/player.h"

namespace callpark::media {

void Player::start(PlayPlan plan) {
  plan_ = std::move(plan);
  part_ = plan_.list.empty() ? Part::kLoop : Part::kList;
  round_ = 0;
  entry_ = 0;
  packet_ = 0;
  loop_start_.reset();
}

Player::Step Player::step(PacketClock now) {
  Step step;
  if (part_ == Part::kList) {
    // Another codec's list has the same entries, but one of them may be shorter if its file was replaced meanwhile.
    while (round_ < plan_.repeat) {
      if (entry_ == plan_.list.size()) {
        ++round_;
        entry_ = 0;
      } else if (packet_ >= plan_.list[entry_]->packets()) {
        ++entry_;
        packet_ = 0;
      } else {
        step.payload = plan_.list[entry_]->payload(packet_++);
        return step;
      }
    }
    part_ = Part::kLoop;
    step.ended = plan_.play_number;
  }
  if (!loop_start_) loop_start_ = plan_.loop_begins == PlayPlan::LoopBegins::kWithThePlay ? now : 0;
  const auto place = static_cast<std::uint64_t>(now - *loop_start_) % plan_.loop->packets();
  step.payload = plan_.loop->payload(place);
  return step;
}

}  // namespace callpark::media
