#include "mediad/engine/player.h"

#include <gtest/gtest.h>

#include <numeric>

namespace callpark::media {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Payloads of one byte each: first, first + 1, ...
SharedAudio sound(std::uint8_t first, int packets) {
  EncodedAudio audio;
  for (int i = 0; i < packets; ++i) audio.append(Bytes{static_cast<std::uint8_t>(first + i)});
  return std::make_shared<const EncodedAudio>(std::move(audio));
}

class Playing : public testing::Test {
 protected:
  Bytes steps(int count) {
    Bytes heard;
    for (int i = 0; i < count; ++i) {
      const Player::Step step = player_.step(now_++);
      heard.push_back(step.payload[0]);
      if (step.ended) ended_.push_back(*step.ended);
    }
    return heard;
  }
  Player player_;
  PacketClock now_ = 1000;
  std::vector<PlayNumber> ended_;
};

TEST_F(Playing, AListIsPlayedInOrderThenTheLoop) {
  player_.start({.play_number = 7, .list = {sound(10, 2), sound(20, 1)}, .loop = sound(30, 1)});
  EXPECT_EQ(steps(3), (Bytes{10, 11, 20}));
  EXPECT_TRUE(ended_.empty());
  EXPECT_EQ(steps(2), (Bytes{30, 30}));
  EXPECT_EQ(ended_, (std::vector<PlayNumber>{7}));
}

TEST_F(Playing, AListIsRepeatedAsOftenAsAsked) {
  player_.start({.play_number = 7, .list = {sound(10, 1), sound(20, 1)}, .repeat = 2, .loop = sound(30, 1)});
  EXPECT_EQ(steps(5), (Bytes{10, 20, 10, 20, 30}));
  EXPECT_EQ(ended_.size(), 1u);
}

TEST_F(Playing, AnEmptyListEndsAtOnce) {
  player_.start({.play_number = 7, .list = {sound(0, 0)}, .repeat = 3, .loop = sound(30, 1)});
  EXPECT_EQ(steps(1), (Bytes{30}));
  EXPECT_EQ(ended_.size(), 1u);
}

TEST_F(Playing, ALoopNeverEnds) {
  player_.start({.play_number = 7, .loop = sound(30, 3)});
  steps(100);
  EXPECT_TRUE(ended_.empty());
}

TEST_F(Playing, MusicIsAtTheSamePlaceForEverybody) {
  const SharedAudio music = sound(0, 50);
  player_.start({.loop = music});
  steps(17);
  Player late;
  late.start({.loop = music});
  const std::uint8_t heard_late = late.step(now_).payload[0];
  EXPECT_EQ(heard_late, steps(1)[0]);
}

TEST_F(Playing, WhatBeginsWithThePlayBeginsAtItsBeginning) {
  player_.start({.loop = sound(30, 3), .loop_begins = PlayPlan::LoopBegins::kWithThePlay});
  EXPECT_EQ(steps(4), (Bytes{30, 31, 32, 30}));
}

TEST_F(Playing, AnotherCodecGoesOnAtTheSamePlace) {
  player_.start({.play_number = 7, .list = {sound(10, 2), sound(20, 2)}, .loop = sound(30, 1)});
  EXPECT_EQ(steps(3), (Bytes{10, 11, 20}));
  player_.change_codec({.play_number = 7, .list = {sound(110, 2), sound(120, 2)}, .loop = sound(130, 1)});
  EXPECT_EQ(steps(2), (Bytes{121, 130}));
}

TEST_F(Playing, ALoopGrowsOnlyIfItIsStillPlayed) {
  const SharedAudio before = sound(30, 1);
  player_.start({.loop = before});
  player_.replace_loop(sound(30, 1), sound(40, 1));
  EXPECT_EQ(steps(1), (Bytes{30}));
  player_.replace_loop(before, sound(40, 1));
  EXPECT_EQ(steps(1), (Bytes{40}));
}

}  // namespace
}  // namespace callpark::media
