// What the machine of a caller in a menu has done: each action is one call of a port.
#include <utility>

#include "base/log.h"
#include "base/match.h"
#include "parkd/service/menu_calls.h"
#include "parkd/service/menu_cdr.h"

namespace callpark {
namespace {

constexpr Duration kRetry{500};

Refusal refusal_of(menu::RefusalReason reason) {
  switch (reason) {
    case menu::RefusalReason::kNotFound:
      return callpark::refusal_of(park::RefusalReason::kInvalidCode);
    case menu::RefusalReason::kNoMedia:
      return callpark::refusal_of(park::RefusalReason::kNotAcceptable);
    case menu::RefusalReason::kUnavailable:
      break;
  }
  return callpark::refusal_of(park::RefusalReason::kUnavailable);
}

}  // namespace

// ---- the database ----

void MenuCalls::perform(Live& live, const menu::LookUp& action) {
  look_up(live.id, action.question);
}

// A call that goes on from its row waits for the database, as its caller still hears mediad.
void MenuCalls::look_up(const ParkId& id, menu::Question question) {
  Live& live = *find(id);
  ports_.menus.find_place(live.call.tenant, extension_of(live), live.numbers.back(),
                          [this, id, question](Result<std::optional<MenuPlace>, StoreUnavailable> found) {
                            Live* asker = find(id);
                            if (!asker) return;
                            if (found && *found) return on_place(id, question, std::move(**found));
                            if (found) return feed(id, menu::PlaceMissing{question});
                            const bool goes_on = asker->conversation && !asker->state.has_media;
                            if (!goes_on) return feed(id, menu::StoreFailed{question});
                            asker->retry = ports_.loop.after(kRetry, [this, id, question] { look_up(id, question); });
                          });
}

void MenuCalls::on_place(const ParkId& id, menu::Question question, MenuPlace place) {
  prepare_greeting(id, std::move(place), [this, question](Live& live, MenuPlace found) {
    live.place = std::move(found);
    feed(live.id, menu::PlaceFound{question, live.place->place});
  });
}

// A text that cannot be spoken is no reason to refuse the caller: the general sentence is played instead.
void MenuCalls::prepare_greeting(const ParkId& id, MenuPlace place, std::function<void(Live&, MenuPlace)> done) {
  if (place.text.empty()) return done(*find(id), std::move(place));
  const std::string language = place.language;
  const std::string text = place.text;
  ports_.media.prepare_text(language, text,
                            [this, id, place = std::move(place),
                             done = std::move(done)](const Result<std::string, std::string>& prepared) mutable {
                              Live* live = find(id);
                              if (!live) return;
                              if (prepared) {
                                place.sound = *prepared;
                              } else {
                                log_warning(live->call.sip_call_id, "the text of {} cannot be spoken: {}", place.name,
                                            prepared.error());
                              }
                              done(*live, std::move(place));
                            });
}

void MenuCalls::perform(Live& live, const menu::Resolve& action) {
  live.destination = action.destination;
  ports_.menus.resolve(
      live.call.tenant, extension_of(live), action.destination, action.is_entered,
      [this, id = live.id, question = action.question](Result<FoundDestination, StoreUnavailable> found) {
        if (!find(id)) return;
        if (!found) return feed(id, menu::StoreFailed{question});
        on_resolved(id, question, std::move(*found));
      });
}

void MenuCalls::on_resolved(const ParkId& id, menu::Question question, FoundDestination found) {
  std::visit(overloaded{[&](MenuPlace& place) {
                          prepare_greeting(id, std::move(place), [this, question](Live& live, MenuPlace ready) {
                            live.resolved = std::move(ready);
                            feed(live.id, menu::PlaceFound{question, live.resolved->place});
                          });
                        },
                        [&](DestinationNumber number) {
                          find(id)->is_ring_group = number.is_ring_group;
                          feed(id, menu::DestinationRings{question});
                        },
                        [&](DestinationHangUp) { feed(id, menu::DestinationHangsUp{question}); },
                        [&](DestinationMissing) { feed(id, menu::PlaceMissing{question}); }},
             found);
}

void MenuCalls::perform(Live& live, const menu::Enter&) {
  live.place = std::exchange(live.resolved, std::nullopt);
  live.numbers.push_back(live.place->number);
  // The machine has forgotten the oldest places too.
  const auto kept = static_cast<std::size_t>(live.state.depth) + 1;
  if (live.numbers.size() > kept)
    live.numbers.erase(live.numbers.begin(), live.numbers.end() - static_cast<std::ptrdiff_t>(kept));
}

void MenuCalls::perform(Live& live, const menu::GoBack&) {
  live.numbers.pop_back();
}

MenuCallRow MenuCalls::row_of(const Live& live) const {
  MenuCallRow row;
  row.id = live.id;
  row.tenant = live.call.tenant;
  row.numbers = live.numbers;
  row.caller = ports_.conversations.snapshot(*live.conversation).caller;
  row.media = live.media;
  row.owner = settings_.node_name;
  row.epoch = live.epoch;
  row.since = live.since;
  row.cdr = live.cdr;
  return row;
}

void MenuCalls::perform(Live& live, const menu::WriteRow&) {
  ports_.menus.write(row_of(live));
}

void MenuCalls::perform(Live& live, const menu::Claim& action) {
  MenuCallRow row = row_of(live);
  row.peer = ports_.calls.snapshot(live.target->call);
  ports_.menus.claim(std::move(row),
                     [this, id = live.id, question = action.question](Result<void, MenuStore::ClaimFailure> claimed) {
                       if (claimed) return feed(id, menu::Claimed{question});
                       const bool is_gone = claimed.error() == MenuStore::ClaimFailure::kGone;
                       feed(id, is_gone ? menu::Event(menu::NotClaimed{question}) : menu::StoreFailed{question});
                     });
}

void MenuCalls::perform(Live& live, const menu::Unclaim&) {
  ports_.menus.write(row_of(live));
}

void MenuCalls::perform(Live& live, const menu::RemoveRow& action) {
  ports_.menus.remove(live.id, action.by, wall_now());
}

// ---- the call ----

void MenuCalls::perform(Live& live, const menu::Answer& action) {
  const auto again = live.conversation ? std::optional(live.media) : std::nullopt;
  ports_.media.open(live.media.session, Silence{}, again,
                    [this, id = live.id, question = action.question](
                        const Result<MediaSnapshot, MediaUnavailable>& opened) { on_opened(id, question, opened); });
}

void MenuCalls::on_opened(const ParkId& id, menu::Question question,
                          const Result<MediaSnapshot, MediaUnavailable>& opened) {
  Live* live = find(id);
  if (!live) return;
  if (!opened && live->conversation) {
    // mediad may have died with the parkd before: a call that goes on waits for it, as a parked one does.
    live->retry = ports_.loop.after(kRetry, [this, live, question] { perform(*live, menu::Answer{question}); });
    return;
  }
  if (!opened) return feed(id, menu::MediaFailed{question, menu::RefusalReason::kUnavailable});
  const bool is_moved = live->media.local != opened->local;
  live->media.local = opened->local;
  live->media.ssrc = opened->ssrc;
  if (live->conversation) {
    feed(id, menu::CallAnswered{question});
    if (is_moved) feed(id, menu::MediaMoved{});
    return;
  }
  live->answer = question;
  live->since = wall_now();
  const auto remote = ports_.calls.answer_with_media(live->call.call, opened->local, Calls::Answer::kFinal);
  if (!remote) return feed(id, menu::MediaFailed{question, menu::RefusalReason::kNoMedia});
  if (remote->remote.port != 0) on_call_media_changed(live->call.call, *remote);
}

void MenuCalls::perform(Live& live, const menu::Refuse& action) {
  refusals_.deny(live.call.call, refusal_of(action.reason), language_of(live));
}

void MenuCalls::perform(Live& live, const menu::HangUp&) {
  if (live.conversation) return ports_.conversations.end(*live.conversation, PartyEnd::kCaller);
  ports_.calls.hang_up(live.call.call);
}

void MenuCalls::perform(Live& live, const menu::OfferMedia& action) {
  ports_.conversations.offer_to_caller(*live.conversation, action.question, OfferMusic{live.media.local});
}

void MenuCalls::perform(Live& live, const menu::CallTarget& action) {
  OutgoingCall::InNameOfCaller from{*live.conversation};
  from.menu_call = live.id;
  const CallId call = ports_.calls.start({live.call.tenant, live.destination, std::move(from)});
  ids_by_call_.emplace(call, live.id);
  live.target = Target{call, action.question, {}};
  // A ring group has times of its own, and Kamailio ends its ringing.
  if (live.is_ring_group) return;
  live.target->limit = ports_.loop.after(live.place->ring_max, [this, call] { give_up(call); });
}

void MenuCalls::perform(Live& live, const menu::EndTarget&) {
  const auto target = std::exchange(live.target, std::nullopt);
  if (!target) return;
  ids_by_call_.erase(target->call);
  ports_.calls.hang_up(target->call);
}

void MenuCalls::perform(Live& live, const menu::OfferTarget& action) {
  ports_.conversations.offer_to_caller(*live.conversation, action.question, OfferCall{live.target->call});
}

void MenuCalls::perform(Live& live, const menu::HandOver&) {
  const Target target = *std::exchange(live.target, std::nullopt);
  const Party party = ports_.calls.party(target.call);
  const ConversationId conversation = *std::exchange(live.conversation, std::nullopt);
  ids_by_call_.erase(target.call);
  ids_by_conversation_.erase(conversation);
  ports_.conversations.make_peer(conversation, target.call);
  const std::string ring_group = live.is_ring_group ? live.destination : "";
  service_.begin_talk(conversation, {live.id, live.call.tenant, settings_.node_name, live.epoch, std::nullopt},
                      live.numbers.front(), party,
                      live.cdr ? std::optional(cdr_of_talk(*live.cdr, party, ring_group)) : std::nullopt);
}

void MenuCalls::perform(Live& live, const menu::EndPeer&) {
  ports_.conversations.end(*live.conversation, PartyEnd::kPeer);
}

// ---- the media session ----

void MenuCalls::speak(const Live& live, const std::string& sound) {
  ports_.media.play(live.media.session, Announcement{language_of(live), {Announcement::Prompt{sound}}});
}

void MenuCalls::perform(Live& live, const menu::Play& action) {
  live.play = action.question;
  live.sound = action.sound;
  live.fault.clear();
  const bool is_menu = live.place && live.place->place.kind == menu::Place::Kind::kMenu;
  switch (action.sound) {
    case menu::Sound::kGreeting:
      if (live.place && !live.place->sound.empty()) return speak(live, live.place->sound);
      return speak(live, is_menu ? "make_choice" : "not_available");
    case menu::Sound::kInvalid:
      return speak(live, "invalid_choice");
    case menu::Sound::kNotReached:
      return speak(live, "not_reached");
    case menu::Sound::kNotAvailable:
      return speak(live, "not_available");
    case menu::Sound::kGoodbye:
      return speak(live, "goodbye");
    case menu::Sound::kRingback:
      break;
  }
  ports_.media.play(live.media.session, Music{""});
}

void MenuCalls::perform(Live& live, const menu::StopSound&) {
  live.play = 0;
  ports_.media.play(live.media.session, Silence{});
}

void MenuCalls::perform(Live& live, const menu::CloseMedia&) {
  ports_.media.close(live.media.session);
}

// ---- timers ----

void MenuCalls::perform(Live& live, const menu::StartTimer& action) {
  const auto duration = [&](menu::Timer timer) {
    switch (timer) {
      case menu::Timer::kCall:
        return settings_.menu_call_max;
      case menu::Timer::kFirstKey:
        return live.place->first_key;
      case menu::Timer::kNextKey:
        break;
    }
    return live.place->next_key;
  };
  live.timers[action.timer] = ports_.loop.after(
      duration(action.timer), [this, id = live.id, timer = action.timer] { feed(id, menu::TimerFired{timer}); });
}

void MenuCalls::perform(Live& live, const menu::StopTimer& action) {
  live.timers.erase(action.timer);
}

// ---- texts ----

std::string MenuCalls::extension_of(const Live& live) {
  const Extension* extension = extension_in(live.call.caller);
  return extension ? extension->number : "";
}

std::string MenuCalls::language_of(const Live& live) {
  return live.place ? live.place->language : live.call.language;
}

}  // namespace callpark
