// Walks through a session's play, one payload every 20 ms: a list of sounds, then one that is repeated. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mediad/engine/encoded_audio.h"
#include "mediad/session/state.h"

namespace callpark::media {

/// Counts 20 ms steps of wall-clock time, so that it continues over a restart.
using PacketClock = std::int64_t;

struct PlayPlan {
  /// Names the play when its list has ended.
  PlayNumber play_number = 0;
  /// The sounds in their order, played `repeat` times. Empty if there is only a loop.
  std::vector<SharedAudio> list{};
  int repeat = 1;
  /// The sound that is repeated for ever after the list; never null, never empty.
  SharedAudio loop{};
  enum class LoopBegins {
    /// All sessions are at the same position of a loop at the same time, before and after a restart.
    kWithTheClock,
    kWithThePlay,
  };
  LoopBegins loop_begins = LoopBegins::kWithTheClock;
};

class Player {
 public:
  struct Step {
    EncodedAudio::Payload payload;
    /// Set if this payload is the first one after the list: the number of the play that has ended.
    std::optional<PlayNumber> ended;
  };

  /// Plays `plan` from its beginning.
  void start(PlayPlan plan);
  /// Continues the same play in another codec at the same position.
  void change_codec(PlayPlan plan) { plan_ = std::move(plan); }
  /// Replaces the loop by a longer version of the same music; does nothing if another loop is played by now.
  void replace_loop(const SharedAudio& before, const SharedAudio& after) {
    if (plan_.loop == before) plan_.loop = after;
  }
  /// True if there is something to play.
  bool has_plan() const { return plan_.loop != nullptr; }
  PlayNumber play_number() const { return plan_.play_number; }
  /// Returns the payload for this moment and advances to the next. The payload lives as long as the plan.
  Step step(PacketClock now);

 private:
  enum class Part { kList, kLoop };
  PlayPlan plan_;
  Part part_ = Part::kLoop;
  int round_ = 0;
  std::size_t entry_ = 0;
  std::size_t packet_ = 0;
  std::optional<PacketClock> loop_start_;
};

}  // namespace callpark::media
