// Walks through what a session plays, one payload every 20 ms: a list of sounds, then one that is repeated. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mediad/engine/encoded_audio.h"
#include "mediad/session/state.h"

namespace callpark::media {

/// Counts 20 ms steps of wall-clock time, so that it goes on over a restart.
using PacketClock = std::int64_t;

struct PlayPlan {
  /// Names the play when its list has ended.
  PlayNumber play_number = 0;
  /// Spoken in this order, `repeat` times. Empty for what is only repeated.
  std::vector<SharedAudio> list{};
  int repeat = 1;
  /// Goes on for ever after the list; never null, never empty.
  SharedAudio loop{};
  enum class LoopBegins {
    /// All sessions hear the same place of a loop at the same time, before and after a restart.
    kWithTheClock,
    kWithThePlay,
  };
  LoopBegins loop_begins = LoopBegins::kWithTheClock;
};

class Player {
 public:
  struct Step {
    EncodedAudio::Payload payload;
    /// This payload is the first one after the list: the number of the play that has ended.
    std::optional<PlayNumber> ended;
  };

  /// Plays `plan` from its beginning.
  void start(PlayPlan plan);
  /// The same play in another codec goes on at the same place.
  void change_codec(PlayPlan plan) { plan_ = std::move(plan); }
  /// The same music, more of it; nothing when another loop is played by now.
  void replace_loop(const SharedAudio& before, const SharedAudio& after) {
    if (plan_.loop == before) plan_.loop = after;
  }
  /// Whether there is something to play.
  bool has_plan() const { return plan_.loop != nullptr; }
  PlayNumber play_number() const { return plan_.play_number; }
  /// The payload for this moment, and on to the next. The payload lives as long as the plan.
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
