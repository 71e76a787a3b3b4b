// Calls to the codes of call flows: each has a machine (parkd/flow), a media session that speaks and hears keys, and
// its timers.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "parkd/call/key_merger.h"
#include "parkd/flow/decide.h"
#include "parkd/service/flow_call.h"
#include "parkd/service/park_settings.h"
#include "parkd/service/refusals.h"
#include "parkd/service/service_ports.h"

namespace callpark {

class FlowCalls {
 public:
  /// The refusals must outlive this.
  FlowCalls(const ServicePorts& ports, Refusals& refusals, const ParkSettings& settings)
      : ports_(ports), refusals_(refusals), settings_(settings) {}

  /// `toggled` is called after a call has toggled a flow.
  void set_on_toggled(std::function<void()> toggled) { on_toggled_ = std::move(toggled); }
  /// Each call keeps a session of mediad's for up to settings.flow_call_max: this many of one extension, and of all.
  static constexpr std::size_t kOfExtensionMax = 2;
  static constexpr std::size_t kAllMax = 100;

  /// The call waits for its answer. One too many is refused: 486, or 503 if there are too many of all.
  void start(FlowCall call);
  std::size_t size() const { return calls_.size(); }

  // These do nothing if the call, or the session, is none of these calls'.
  void on_call_key(CallId call, const InfoKey& key);
  void on_call_media_changed(CallId call, const MediaRemote& remote);
  void on_call_gone(CallId call);
  /// True if the session is one of these calls'.
  bool on_media_played(const std::string& session);
  /// The sound of a mode that cannot be played is replaced by the spoken mode, so that the caller learns of the toggle.
  void on_media_fault(const std::string& session, const std::string& sentence);
  void on_media_key(const std::string& session, char key);
  void on_media_moved(const std::string& session);

 private:
  struct Live {
    FlowCall call;
    std::string operation_id;
    std::string session;
    flow::State state{};
    std::optional<CallFlow> flow{};  // once it is found
    flow::Question play = 0;         // the last one; 0 if no prompt is played
    flow::Prompt prompt{};           // the one that is played
    std::string fault{};             // why it cannot be played
    KeyMerger keys{};
    std::map<flow::Timer, LoopHandle> timers{};
    std::deque<flow::Event> waiting{};  // events that came while actions were being carried out
    bool is_deciding = false;
  };

  Live* find(CallId call);
  Live* find(const std::string& session);
  void feed(CallId call, const flow::Event& event);
  void decide_waiting(CallId call);
  void follow(Live& live, const flow::Decision& decision, std::string_view from, std::string_view event);
  void press(Live& live, KeyWay way, char key, std::uint32_t number);

  void perform(Live& live, const flow::LookUp& action);
  void perform(Live& live, const flow::CountTry& action);
  void perform(Live& live, const flow::ForgetFailures& action);
  void perform(Live& live, const flow::RecordWrongPin& action);
  void perform(Live& live, const flow::RecordLocked& action);
  void perform(Live& live, const flow::Toggle& action);
  void perform(Live& live, const flow::Answer& action);
  void perform(Live& live, const flow::Refuse& action);
  void perform(Live& live, const flow::HangUp& action);
  void perform(Live& live, const flow::Play& action);
  void perform(Live& live, const flow::StopPrompt& action);
  void perform(Live& live, const flow::CloseMedia& action);
  void perform(Live& live, const flow::CheckPin& action);
  void perform(Live& live, const flow::StartTimer& action);
  void perform(Live& live, const flow::StopTimer& action);

  static FlowGuesser guesser(const Live& live);
  bool has_too_many(const FlowCall& call);
  void speak(const Live& live, const std::string& sound);
  static std::string own_sound(const Live& live);

  const ServicePorts ports_;
  Refusals& refusals_;
  const ParkSettings& settings_;
  std::function<void()> on_toggled_;
  std::unordered_map<CallId, Live> calls_;
  std::unordered_map<std::string, CallId> calls_by_session_;
};

}  // namespace callpark
