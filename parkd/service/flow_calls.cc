#include "parkd/service/flow_calls.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "parkd/flow/names.h"
#include "parkd/flow/pin.h"

namespace callpark {
namespace {

constexpr std::size_t kOperationIdLength = 26;  // 130 bits

Refusal refusal_of(flow::RefusalReason reason) {
  switch (reason) {
    case flow::RefusalReason::kNotFound:
      return callpark::refusal_of(park::RefusalReason::kInvalidCode);
    case flow::RefusalReason::kLocked:
      return {403, "Too many wrong PINs", "call_flow_locked"};
    case flow::RefusalReason::kNoMedia:
      return callpark::refusal_of(park::RefusalReason::kNotAcceptable);
    case flow::RefusalReason::kUnavailable:
      break;
  }
  return callpark::refusal_of(park::RefusalReason::kUnavailable);
}

std::string spoken(flow::Prompt prompt) {
  switch (prompt) {
    case flow::Prompt::kEnterPin:
      return "enter_pin";
    case flow::Prompt::kWrongPin:
      return "wrong_pin";
    case flow::Prompt::kLocked:
      return "call_flow_locked";
    case flow::Prompt::kModeOn:
      return "day_mode";
    case flow::Prompt::kModeOff:
      return "night_mode";
    case flow::Prompt::kNotAvailable:
      break;
  }
  return "not_available";
}

}  // namespace

bool FlowCalls::has_too_many(const FlowCall& call) {
  const auto of_extension =
      std::ranges::count_if(calls_, [&](const auto& entry) { return entry.second.call.caller == call.caller; });
  if (calls_.size() >= kAllMax) {
    ports_.calls.refuse(call.call, 503, "Too many calls to codes");
  } else if (static_cast<std::size_t>(of_extension) >= kOfExtensionMax) {
    ports_.calls.refuse(call.call, 486, "Too many calls to codes by this extension");
  } else {
    return false;
  }
  return true;
}

void FlowCalls::start(FlowCall call) {
  if (has_too_many(call)) return;
  const CallId id = call.call;
  Live& live = calls_.emplace(id, Live{std::move(call), random_token(kOperationIdLength), "flow-" + random_token(16)})
                   .first->second;
  calls_by_session_.emplace(live.session, id);
  live.is_deciding = true;
  follow(live, flow::begin(), "New", "FlowCalled");
  decide_waiting(id);
}

// ---- reports ----

void FlowCalls::on_call_key(CallId call, const InfoKey& key) {
  if (Live* live = find(call)) press(*live, key.way, key.key, key.cseq);
}

void FlowCalls::on_call_media_changed(CallId call, const MediaRemote& remote) {
  if (const Live* live = find(call)) ports_.media.connect(live->session, remote);
}

void FlowCalls::on_call_gone(CallId call) {
  feed(call, flow::CallerGone{});
}

bool FlowCalls::on_media_played(const std::string& session) {
  Live* live = find(session);
  if (!live) return false;
  const std::string fault = std::exchange(live->fault, {});
  if (live->play == 0) return true;
  if (!fault.empty() && !own_sound(*live).empty()) {
    log_warning(live->call.sip_call_id,
                "the call flow {} has a sound that cannot be played, and its mode is spoken: {}", live->flow->name,
                fault);
    speak(*live, spoken(live->prompt));
    return true;
  }
  feed(live->call.call, flow::PromptPlayed{std::exchange(live->play, 0)});
  return true;
}

void FlowCalls::on_media_fault(const std::string& session, const std::string& sentence) {
  if (Live* live = find(session)) live->fault = sentence;
}

void FlowCalls::on_media_key(const std::string& session, char key) {
  if (Live* live = find(session)) press(*live, KeyWay::kRtp, key, 0);
}

void FlowCalls::on_media_moved(const std::string& session) {
  if (const Live* live = find(session)) feed(live->call.call, flow::MediaLost{});
}

void FlowCalls::press(Live& live, KeyWay way, char key, std::uint32_t number) {
  const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(monotonic_now().time_since_epoch());
  if (live.keys.is_press({way, key, at, number})) feed(live.call.call, flow::KeyPressed{key});
}

// ---- the machine ----

FlowCalls::Live* FlowCalls::find(CallId call) {
  const auto found = calls_.find(call);
  return found == calls_.end() ? nullptr : &found->second;
}

FlowCalls::Live* FlowCalls::find(const std::string& session) {
  const auto found = calls_by_session_.find(session);
  return found == calls_by_session_.end() ? nullptr : find(found->second);
}

void FlowCalls::feed(CallId call, const flow::Event& event) {
  Live* live = find(call);
  if (!live) return;
  live->waiting.push_back(event);
  if (!live->is_deciding) decide_waiting(call);
}

void FlowCalls::decide_waiting(CallId call) {
  Live& live = calls_.at(call);
  live.is_deciding = true;
  while (!live.waiting.empty()) {
    const flow::Event event = live.waiting.front();
    live.waiting.pop_front();
    follow(live, flow::decide(live.state, event), flow::name_of(live.state.phase), flow::name_of(event));
  }
  live.is_deciding = false;
  if (!std::holds_alternative<flow::Ended>(live.state.phase)) return;
  calls_by_session_.erase(live.session);
  calls_.erase(call);
}

void FlowCalls::follow(Live& live, const flow::Decision& decision, std::string_view from, std::string_view event) {
  const auto to = flow::name_of(decision.next.phase);
  // A key that is only entered is no line: their number would show the length of a PIN.
  if (from != to)
    log_info(live.call.sip_call_id, "call to the code {}: {} -> {} on {}", live.call.code, from, to, event);
  live.state = decision.next;
  for (const flow::Action& action : decision.actions) {
    std::visit([&](const auto& one) { perform(live, one); }, action);
  }
}

// ---- the database ----

FlowGuesser FlowCalls::guesser(const Live& live) {
  return {live.flow->name, live.call.caller};
}

void FlowCalls::perform(Live& live, const flow::LookUp& action) {
  const auto on_found = [this, call = live.call.call,
                         question = action.question](Result<std::optional<CallFlow>, StoreUnavailable> found) {
    Live* asked = find(call);
    if (!asked) return;
    if (!found) return feed(call, flow::StoreFailed{question});
    if (!*found) return feed(call, flow::FlowMissing{question});
    asked->flow = std::move(**found);
    const CallFlow& its = *asked->flow;
    feed(call, flow::FlowFound{question,
                               {!its.pin.empty(), flow::plain_pin_length(its.pin), its.is_locked && !its.pin.empty()}});
  };
  ports_.flows.find_flow(live.call.caller, live.call.code, on_found);
}

void FlowCalls::perform(Live& live, const flow::CountTry& action) {
  ports_.flows.count_try(guesser(live), [this, call = live.call.call,
                                         question = action.question](Result<FlowTry, StoreUnavailable> counted) {
    if (!counted) return feed(call, flow::StoreFailed{question});
    if (*counted == FlowTry::kDenied) return feed(call, flow::TryDenied{question});
    feed(call, flow::TryCounted{question, *counted == FlowTry::kCountedLocks});
  });
}

void FlowCalls::perform(Live& live, const flow::ForgetFailures&) {
  ports_.flows.forget_failures(guesser(live));
}

void FlowCalls::perform(Live& live, const flow::RecordWrongPin& action) {
  log_warning(live.call.sip_call_id, "{} entered a wrong PIN for the call flow {}{}", aor_of(live.call.caller),
              live.flow->name, action.locks ? ", and is locked" : "");
  std::vector<FlowIncident> incidents{FlowIncident::kWrongPin};
  if (action.locks) incidents.push_back(FlowIncident::kLocked);
  ports_.flows.record(guesser(live), std::move(incidents));
}

void FlowCalls::perform(Live& live, const flow::RecordLocked&) {
  ports_.flows.record(guesser(live), {FlowIncident::kRefusedLocked});
}

void FlowCalls::perform(Live& live, const flow::Toggle& action) {
  ports_.flows.toggle(
      guesser(live), live.call.code, live.flow->pin, live.operation_id,
      [this, call = live.call.call, question = action.question, name = live.flow->name, caller = live.call.caller,
       sip_call_id = live.call.sip_call_id](Result<std::optional<flow::Status>, StoreUnavailable> toggled) {
        if (!toggled) return feed(call, flow::StoreFailed{question});
        if (!*toggled) return feed(call, flow::NotToggled{question});
        log_info(sip_call_id, "the call flow {} is {}, by {}", name, **toggled == flow::Status::kOn ? "on" : "off",
                 aor_of(caller));
        if (on_toggled_) on_toggled_();
        feed(call, flow::Toggled{question, **toggled});
      });
}

// ---- the call ----

void FlowCalls::perform(Live& live, const flow::Answer& action) {
  ports_.media.open(live.session, Silence{}, std::nullopt,
                    [this, call = live.call.call, session = live.session,
                     question = action.question](Result<MediaSnapshot, MediaUnavailable> opened) {
                      if (!find(call)) return;
                      if (!opened) return feed(call, flow::MediaFailed{question, flow::RefusalReason::kUnavailable});
                      const auto remote = ports_.calls.answer_with_media(call, opened->local, Calls::Answer::kFinal);
                      if (!remote) return feed(call, flow::MediaFailed{question, flow::RefusalReason::kNoMedia});
                      if (remote->remote.port != 0) ports_.media.connect(session, *remote);
                      feed(call, flow::CallAnswered{question});
                    });
}

void FlowCalls::perform(Live& live, const flow::Refuse& action) {
  refusals_.deny(live.call.call, refusal_of(action.reason), live.flow ? live.flow->language : live.call.language);
}

void FlowCalls::perform(Live& live, const flow::HangUp&) {
  ports_.calls.hang_up(live.call.call);
}

// ---- the media session ----

std::string FlowCalls::own_sound(const Live& live) {
  if (live.prompt == flow::Prompt::kModeOn) return live.flow->on_sound;
  return live.prompt == flow::Prompt::kModeOff ? live.flow->off_sound : "";
}

void FlowCalls::speak(const Live& live, const std::string& sound) {
  ports_.media.play(live.session, Announcement{live.flow->language, {Announcement::Prompt{sound}}});
}

void FlowCalls::perform(Live& live, const flow::Play& action) {
  live.play = action.question;
  live.prompt = action.prompt;
  const std::string own = own_sound(live);
  speak(live, own.empty() ? spoken(action.prompt) : own);
}

void FlowCalls::perform(Live& live, const flow::StopPrompt&) {
  live.play = 0;
  ports_.media.play(live.session, Silence{});
}

void FlowCalls::perform(Live& live, const flow::CloseMedia&) {
  ports_.media.close(live.session);
}

void FlowCalls::perform(Live& live, const flow::CheckPin& action) {
  const bool is_right = flow::is_right_pin(live.flow->pin, action.entry);
  feed(live.call.call, is_right ? flow::Event(flow::PinRight{action.question}) : flow::PinWrong{action.question});
}

// ---- timers ----

void FlowCalls::perform(Live& live, const flow::StartTimer& action) {
  const auto duration = [this](flow::Timer timer) {
    switch (timer) {
      case flow::Timer::kCall:
        return settings_.flow_call_max;
      case flow::Timer::kFirstKey:
        return settings_.flow_first_key;
      case flow::Timer::kNextKey:
        break;
    }
    return settings_.flow_next_key;
  };
  live.timers[action.timer] =
      ports_.loop.after(duration(action.timer),
                        [this, call = live.call.call, timer = action.timer] { feed(call, flow::TimerFired{timer}); });
}

void FlowCalls::perform(Live& live, const flow::StopTimer& action) {
  live.timers.erase(action.timer);
}

}  // namespace callpark
