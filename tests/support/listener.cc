#include "tests/support/listener.h"

namespace callpark::test {
namespace {

testing::AssertionResult failed(const Listener& listener, const std::string& wanted) {
  return testing::AssertionFailure() << listener.name() << " should hear " << wanted << ", but hears "
                                     << listener.heard(kEarshot).describe();
}

std::string tone_of(const Listener& speaker) {
  return speaker.name() + " (" + std::to_string(speaker.tone()) + " Hz)";
}

// Less than this is not yet enough to recognise the sound.
bool long_enough(const Sound& sound) {
  return sound.duration() >= kEarshot - std::chrono::milliseconds(40);
}

}  // namespace

testing::AssertionResult hears(const Listener& listener, const Listener& speaker, std::chrono::milliseconds timeout) {
  const bool heard = wait_until(timeout, [&] {
    const Sound sound = listener.heard(kEarshot);
    return long_enough(sound) && sound.has_tone(speaker.tone());
  });
  return heard ? testing::AssertionSuccess() : failed(listener, tone_of(speaker));
}

testing::AssertionResult hear_each_other(const Listener& one, const Listener& other,
                                         std::chrono::milliseconds timeout) {
  const auto first = hears(one, other, timeout);
  return first ? hears(other, one, timeout) : first;
}

testing::AssertionResult hears_music(const Listener& listener, std::chrono::milliseconds timeout) {
  const bool heard = wait_until(timeout, [&] {
    const Sound sound = listener.heard(kEarshot);
    return long_enough(sound) && sound.has_music();
  });
  return heard ? testing::AssertionSuccess() : failed(listener, "music or speech");
}

testing::AssertionResult hears_nothing(const Listener& listener, std::chrono::milliseconds timeout) {
  const bool silent = wait_until(timeout, [&] { return listener.heard(kEarshot).level() <= kSilenceLevel; });
  return silent ? testing::AssertionSuccess() : failed(listener, "nothing");
}

testing::AssertionResult never_hears(const Listener& listener, const Listener& speaker,
                                     std::chrono::milliseconds duration) {
  const bool never = holds_for(duration, [&] { return !listener.heard(kEarshot).has_tone(speaker.tone()); });
  return never ? testing::AssertionSuccess() : failed(listener, "anything but " + tone_of(speaker));
}

}  // namespace callpark::test
