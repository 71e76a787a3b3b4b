// Machines of a caller in a menu with one fault each. The explorer must find every fault.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/property/menu_explorer.h"

namespace callpark::menu {

struct Mutant {
  std::string name;
  Machine machine;
};

/// Changes a decision.
inline Mutant decides(std::string name,
                      std::function<void(const State& before, const Event& event, Decision& decision)> mistake) {
  Mutant mutant{std::move(name), {}};
  mutant.machine.decide = [mistake = std::move(mistake)](const State& state, const Event& event) {
    Decision decision = decide(state, event);
    mistake(state, event, decision);
    return decision;
  };
  return mutant;
}

/// Reads another event, or another state, than there is; the place itself remains what it is.
inline Mutant reads(std::string name, std::function<void(State& state, Event& event)> misreading) {
  Mutant mutant{std::move(name), {}};
  mutant.machine.decide = [misreading = std::move(misreading)](const State& state, const Event& event) {
    State misread_state = state;
    Event misread_event = event;
    misreading(misread_state, misread_event);
    Decision decision = decide(misread_state, misread_event);
    if (decision.next.place == misread_state.place) decision.next.place = state.place;
    return decision;
  };
  return mutant;
}

/// Begins with another call than there is.
inline Mutant begins(std::string name, std::function<void(Decision& decision)> mistake) {
  Mutant mutant{std::move(name), {}};
  mutant.machine.resume = [mistake = std::move(mistake)](const Found& found) {
    Decision decision = resume(found);
    mistake(decision);
    return decision;
  };
  return mutant;
}

template <class P>
bool is_in(const State& state) {
  return std::holds_alternative<P>(state.phase);
}

template <class E>
bool is(const Event& event) {
  return std::holds_alternative<E>(event);
}

template <class A>
A* find(Decision& decision) {
  for (Action& action : decision.actions) {
    if (A* one = std::get_if<A>(&action)) return one;
  }
  return nullptr;
}

template <class A>
void remove(Decision& decision) {
  std::erase_if(decision.actions, [](const Action& action) { return std::holds_alternative<A>(action); });
}

/// Drops the action from every decision.
template <class A>
Mutant forgets(const std::string& name) {
  Mutant mutant =
      decides("forgets " + name, [](const State&, const Event&, Decision& decision) { remove<A>(decision); });
  mutant.machine.begin = [] {
    Decision decision = begin();
    remove<A>(decision);
    return decision;
  };
  return mutant;
}

/// Emits the action twice.
template <class A>
Mutant repeats(const std::string& name) {
  return decides("repeats " + name, [](const State&, const Event&, Decision& decision) {
    const auto is_one = [](const Action& action) { return std::holds_alternative<A>(action); };
    const auto one = std::find_if(decision.actions.begin(), decision.actions.end(), is_one);
    if (one != decision.actions.end()) decision.actions.insert(one, Action(*one));
  });
}

/// Returns the state unchanged.
template <class E>
Mutant ignores(const std::string& name) {
  return decides("ignores " + name, [](const State& before, const Event& event, Decision& decision) {
    if (is<E>(event)) decision = {before, {}};
  });
}

/// Reads a late answer as the one that is awaited.
template <class E>
Mutant trusts(const std::string& name) {
  return reads("trusts a late " + name, [](State& state, Event& event) {
    auto* answer = std::get_if<E>(&event);
    if (!answer) return;
    if (std::is_same_v<E, TargetAnswered> || std::is_same_v<E, TargetRefused>) {
      if (state.target != 0) answer->question = state.target;
      return;
    }
    Phase phase = state.phase;
    if (const Question* question = question_of(phase)) answer->question = *question;
  });
}

inline std::vector<Mutant> forgetful_mutants() {
  return {forgets<LookUp>("LookUp"),         forgets<Resolve>("Resolve"),       forgets<Enter>("Enter"),
          forgets<GoBack>("GoBack"),         forgets<WriteRow>("WriteRow"),     forgets<Claim>("Claim"),
          forgets<Unclaim>("Unclaim"),       forgets<RemoveRow>("RemoveRow"),   forgets<Answer>("Answer"),
          forgets<Refuse>("Refuse"),         forgets<HangUp>("HangUp"),         forgets<OfferMedia>("OfferMedia"),
          forgets<CallTarget>("CallTarget"), forgets<EndTarget>("EndTarget"),   forgets<OfferTarget>("OfferTarget"),
          forgets<HandOver>("HandOver"),     forgets<EndPeer>("EndPeer"),       forgets<Play>("Play"),
          forgets<StopSound>("StopSound"),   forgets<CloseMedia>("CloseMedia"), forgets<StartTimer>("StartTimer"),
          forgets<StopTimer>("StopTimer")};
}

inline std::vector<Mutant> repeating_mutants() {
  return {repeats<Enter>("Enter"),         repeats<GoBack>("GoBack"),         repeats<Unclaim>("Unclaim"),
          repeats<RemoveRow>("RemoveRow"), repeats<HangUp>("HangUp"),         repeats<CallTarget>("CallTarget"),
          repeats<EndTarget>("EndTarget"), repeats<HandOver>("HandOver"),     repeats<EndPeer>("EndPeer"),
          repeats<Play>("Play"),           repeats<OfferMedia>("OfferMedia"), repeats<CloseMedia>("CloseMedia")};
}

inline std::vector<Mutant> deaf_mutants() {
  return {ignores<PlaceFound>("PlaceFound"),
          ignores<PlaceMissing>("PlaceMissing"),
          ignores<DestinationRings>("DestinationRings"),
          ignores<DestinationHangsUp>("DestinationHangsUp"),
          ignores<StoreFailed>("StoreFailed"),
          ignores<CallAnswered>("CallAnswered"),
          ignores<MediaFailed>("MediaFailed"),
          ignores<MediaMoved>("MediaMoved"),
          ignores<SoundPlayed>("SoundPlayed"),
          ignores<KeyPressed>("KeyPressed"),
          ignores<TargetAnswered>("TargetAnswered"),
          ignores<TargetRefused>("TargetRefused"),
          ignores<Claimed>("Claimed"),
          ignores<NotClaimed>("NotClaimed"),
          ignores<CallerAccepted>("CallerAccepted"),
          ignores<CallerRefused>("CallerRefused"),
          ignores<CallerGone>("CallerGone"),
          ignores<TimerFired>("TimerFired")};
}

inline std::vector<Mutant> credulous_mutants() {
  return {trusts<PlaceFound>("PlaceFound"),
          trusts<PlaceMissing>("PlaceMissing"),
          trusts<DestinationRings>("DestinationRings"),
          trusts<DestinationHangsUp>("DestinationHangsUp"),
          trusts<StoreFailed>("StoreFailed"),
          trusts<CallAnswered>("CallAnswered"),
          trusts<MediaFailed>("MediaFailed"),
          trusts<SoundPlayed>("SoundPlayed"),
          trusts<TargetAnswered>("TargetAnswered"),
          trusts<TargetRefused>("TargetRefused"),
          trusts<Claimed>("Claimed"),
          trusts<NotClaimed>("NotClaimed"),
          trusts<CallerAccepted>("CallerAccepted"),
          trusts<CallerRefused>("CallerRefused")};
}

/// Mistakes about places, sounds and keys.
inline std::vector<Mutant> mistaken_mutants() {
  return {
      reads("does not end an entry at a hash",
            [](State&, Event& event) {
              auto* key = std::get_if<KeyPressed>(&event);
              if (key && key->key == '#') key->key = '9';
            }),
      reads("hears keys where no key means anything",
            [](State& state, Event& event) {
              if (is<KeyPressed>(event) && state.place.options.empty()) state.place.options = {{"7", "200"}};
            }),
      reads("hears keys while a sentence is played",
            [](State& state, Event& event) {
              const auto* speaking = std::get_if<Speaking>(&state.phase);
              if (speaking && is<KeyPressed>(event)) state.phase = Greeting{speaking->play};
            }),
      reads("reads a silence after a key as one before it",
            [](State& state, Event& event) {
              auto* fired = std::get_if<TimerFired>(&event);
              if (!fired || fired->timer != Timer::kNextKey) return;
              fired->timer = Timer::kFirstKey;
              state.entry.clear();
            }),
      reads("counts no tries", [](State& state, Event&) { state.tries = 0; }),
      reads("knows no last try", [](State& state, Event&) { state.place.tries_max = 100; }),
      decides("counts the tries of all menus together",
              [](const State& before, const Event& event, Decision& decision) {
                if (is<PlaceFound>(event) && before.has_media) decision.next.tries = before.tries;
              }),
      reads("leads a caller that was silent where a wrong entry leads",
            [](State& state, Event&) { state.place.timeout_destination = state.place.invalid_destination; }),
      reads("leads a caller with a wrong entry nowhere",
            [](State& state, Event&) { state.place.invalid_destination = ""; }),
      reads("plays an announcement only once", [](State& state, Event&) { state.place.times = 1; }),
      reads("has an end of an announcement that has none",
            [](State& state, Event&) { state.place.times = std::max(1, state.place.times); }),
      reads("does not count how often an announcement is played", [](State& state, Event&) { state.times_played = 0; }),
      reads("has no destination behind an announcement", [](State& state, Event&) { state.place.destination = ""; }),
      reads("reads an announcement as a menu", [](State& state, Event&) { state.place.kind = Place::Kind::kMenu; }),
      decides("plays a goodbye at the end of an announcement",
              [](const State& before, const Event& event, Decision& decision) {
                if (is_in<Greeting>(before) && is<SoundPlayed>(event) && is_in<Ended>(decision.next)) {
                  const Question play = before.last_question + 1;
                  decision = {before, {Play{play, Sound::kGoodbye}}};
                  decision.next.phase = Parting{play};
                  decision.next.last_question = play;
                }
              }),
      decides("goes below the deepest place",
              [](const State& before, const Event&, Decision& decision) {
                if (find<Enter>(decision)) decision.next.depth = before.depth + 1;
              }),
      reads("goes back from the first place",
            [](State& state, Event& event) { state.depth += is<KeyPressed>(event) && state.depth == 0 ? 1 : 0; }),
      reads("does not go back", [](State& state, Event& event) { state.depth *= is<KeyPressed>(event) ? 0 : 1; }),
      reads("goes back to an announcement",
            [](State& state, Event& event) {
              if (is<PlaceFound>(event) && is_in<LookingUp>(state)) state.depth = 0;
            }),
      reads("reads an extension that was entered as an option",
            [](State& state, Event&) {
              if (auto* resolving = std::get_if<Resolving>(&state.phase)) resolving->is_entered = false;
            }),
      decides("looks an entry up as an option's destination",
              [](const State&, const Event&, Decision& decision) {
                if (auto* resolve = find<Resolve>(decision)) resolve->is_entered = false;
              }),
      reads("plays the menu for ever", [](State& state, Event&) { state.is_last = false; }),
      decides("forgets that a destination is no more the last one",
              [](const State& before, const Event&, Decision& decision) {
                decision.next.is_last = decision.next.is_last || before.is_last;
              }),
      decides("plays another sentence",
              [](const State&, const Event&, Decision& decision) {
                auto* play = find<Play>(decision);
                if (play && play->sound == Sound::kNotAvailable) play->sound = Sound::kNotReached;
              }),
      decides("lets a destination ring in silence",
              [](const State&, const Event&, Decision& decision) {
                const auto* play = find<Play>(decision);
                if (play && play->sound == Sound::kRingback) remove<Play>(decision);
              }),
      decides("keeps the entry after the choice",
              [](const State& before, const Event&, Decision& decision) {
                if (is_in<Collecting>(before) && is_in<Resolving>(decision.next)) decision.next.entry = before.entry;
              }),
      decides("waits for the first key in silence",
              [](const State&, const Event& event, Decision& decision) {
                if (is<SoundPlayed>(event) && is_in<Collecting>(decision.next)) remove<StartTimer>(decision);
              }),
  };
}

/// Mistakes about the session, the target and the end.
inline std::vector<Mutant> mistaken_mutants_of_calls() {
  return {
      reads("plays to a caller that does not hear it", [](State& state, Event&) { state.is_moved = false; }),
      reads("offers media that the caller hears", [](State& state, Event&) { state.is_moved = true; }),
      reads("knows no session that the caller has changed",
            [](State&, Event& event) {
              if (auto* refused = std::get_if<CallerRefused>(&event)) refused->changed = false;
            }),
      decides("offers media while an offer is out",
              [](const State& before, const Event& event, Decision& decision) {
                const bool is_offered = is_in<Returning>(before) || is_in<Joining>(before);
                if (is<MediaMoved>(event) && is_offered) {
                  decision.actions.emplace_back(OfferMedia{++decision.next.last_question});
                  decision.next.phase = Returning{decision.next.last_question, Sound::kGreeting};
                }
              }),
      decides("offers media as soon as the target is gone",
              [](const State& before, const Event& event, Decision& decision) {
                if (is<TargetRefused>(event) && is_in<Joining>(before) && before.target != 0 &&
                    decision.next.target == 0) {
                  decision.actions.emplace_back(OfferMedia{++decision.next.last_question});
                  decision.next.phase = Returning{decision.next.last_question, Sound::kNotReached};
                }
              }),
      decides("hands a caller over to a target that is gone",
              [](const State& before, const Event& event, Decision& decision) {
                if (is<CallerAccepted>(event) && is_in<Joining>(before) && is_in<Returning>(decision.next)) {
                  decision.actions = {HandOver{}, CloseMedia{}, StopTimer{Timer::kCall}};
                  decision.next.phase = Ended{};
                }
              }),
      decides("hangs up on a caller that talks",
              [](const State&, const Event&, Decision& decision) {
                if (find<HandOver>(decision)) decision.actions.emplace_back(HangUp{});
              }),
      decides("removes the row of a caller that talks",
              [](const State&, const Event&, Decision& decision) {
                if (find<HandOver>(decision)) decision.actions.emplace_back(RemoveRow{});
              }),
      decides("has the caller end each call",
              [](const State&, const Event&, Decision& decision) {
                for (Action& action : decision.actions) {
                  if (auto* removed = std::get_if<RemoveRow>(&action)) removed->by = EndedBy::kCaller;
                }
              }),
      decides("has parkd end each call",
              [](const State&, const Event&, Decision& decision) {
                for (Action& action : decision.actions) {
                  if (auto* removed = std::get_if<RemoveRow>(&action)) removed->by = EndedBy::kParkd;
                }
              }),
      decides("removes the row of another node",
              [](const State& before, const Event& event, Decision& decision) {
                if (is<NotClaimed>(event) && is_in<Claiming>(before) && is_in<Ended>(decision.next)) {
                  decision.actions.emplace_back(RemoveRow{});
                }
              }),
      decides("hangs up on a caller of another node",
              [](const State& before, const Event& event, Decision& decision) {
                if (is<NotClaimed>(event) && is_in<Claiming>(before) && is_in<Ended>(decision.next)) {
                  decision.actions.insert(decision.actions.begin(), HangUp{});
                }
              }),
      reads("talks for another node",
            [](State&, Event& event) {
              if (const auto* lost = std::get_if<NotClaimed>(&event)) event = StoreFailed{lost->question};
            }),
      decides("offers the caller before the claim",
              [](const State& before, const Event&, Decision& decision) {
                if (!is_in<Calling>(before) || !is_in<Claiming>(decision.next)) return;
                const Question offer = decision.next.last_question;
                decision.actions = {OfferTarget{offer}};
                decision.next.phase = Joining{offer};
              }),
      decides("lets a target ring that the caller is led away from",
              [](const State& before, const Event& event, Decision& decision) {
                if (is<MediaMoved>(event) && is_in<Calling>(before)) remove<EndTarget>(decision);
              }),
      decides("leaves a claim in the row",
              [](const State& before, const Event& event, Decision& decision) {
                if (is<StoreFailed>(event) && is_in<Claiming>(before)) remove<Unclaim>(decision);
              }),
      decides("withdraws a claim before the target is ended",
              [](const State&, const Event&, Decision& decision) {
                if (find<EndTarget>(decision) && find<Unclaim>(decision)) {
                  std::swap(*std::find_if(decision.actions.begin(), decision.actions.end(),
                                          [](const Action& one) { return std::holds_alternative<EndTarget>(one); }),
                            *std::find_if(decision.actions.begin(), decision.actions.end(),
                                          [](const Action& one) { return std::holds_alternative<Unclaim>(one); }));
                }
              }),
      decides("hangs up on a caller that is gone",
              [](const State& before, const Event& event, Decision& decision) {
                if (is<CallerGone>(event) && !is_in<Ended>(before)) {
                  decision.actions.insert(decision.actions.begin(), HangUp{});
                }
              }),
      decides("removes a row that was never written",
              [](const State& before, const Event& event, Decision& decision) {
                if (is<CallerGone>(event) && is_in<Answering>(before) && !before.has_row) {
                  decision.actions.emplace_back(RemoveRow{});
                }
              }),
      decides("cuts a caller off that is about to talk",
              [](const State& before, const Event& event, Decision& decision) {
                if (is_in<Joining>(before) && is<TimerFired>(event)) decision = decide(before, CallerGone{});
              }),
      decides("has no limit of a call that did not come to talk",
              [](const State& before, const Event& event, Decision& decision) {
                if (is_in<Joining>(before) && is<TimerFired>(event)) decision.actions.clear();
              }),
      reads("refuses a call that is answered", [](State& state, Event&) { state.is_answered = false; }),
      reads("hangs up a call that is not answered", [](State& state, Event&) { state.is_answered = true; }),
      begins("plays to a caller that was taken over, unheard",
             [](Decision& decision) { decision.next.is_moved = false; }),
      begins("leaves the peer of a caller that was taken over",
             [](Decision& decision) { decision.next.has_peer = false; }),
      begins("leaves the row of a caller that was taken over",
             [](Decision& decision) { decision.next.has_row = false; }),
      begins("reads a caller that was taken over as a new one",
             [](Decision& decision) { decision.next.is_answered = false; }),
      begins("forgets the places above", [](Decision& decision) { decision.next.depth = 0; }),
  };
}

inline std::vector<Mutant> mutants() {
  std::vector<Mutant> all;
  for (const auto& some : {forgetful_mutants(), repeating_mutants(), deaf_mutants(), credulous_mutants(),
                           mistaken_mutants(), mistaken_mutants_of_calls()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace callpark::menu
