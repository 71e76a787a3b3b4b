// Callers in menus and at announcements: each has a machine (parkd/menu), a media session that speaks and hears keys, a
// row of menu_calls, and at most one target that is being called. A caller that reaches its destination is handed over
// to the park service, as a call that talks.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "parkd/call/key_merger.h"
#include "parkd/menu/decide.h"
#include "parkd/ports/menu_store.h"
#include "parkd/service/menu_call.h"
#include "parkd/service/park_service.h"
#include "parkd/service/park_settings.h"
#include "parkd/service/refusals.h"
#include "parkd/service/service_ports.h"

namespace callpark {

class MenuCalls {
 public:
  /// The refusals and the service must outlive this.
  MenuCalls(const ServicePorts& ports, Refusals& refusals, ParkService& service, const ParkSettings& settings)
      : ports_(ports), refusals_(refusals), service_(service), settings_(settings) {}

  /// Each caller keeps a session of mediad's for up to settings.menu_call_max: this many of one extension, of one
  /// tenant, and of all.
  static constexpr std::size_t kOfExtensionMax = 4;
  static constexpr std::size_t kOfTenantMax = 500;
  static constexpr std::size_t kAllMax = 2000;

  /// The call waits for its answer. One too many is refused: 486 of an extension, else 503.
  void start(MenuCall call);
  /// The calls of the rows that this node owns go on: their callers hear the greeting again. `done` is called once the
  /// rows are read, however long the database is away.
  void recover(std::function<void()> done);
  std::size_t size() const { return calls_.size(); }

  // These do nothing if the call, the conversation or the session is none of these calls'.
  void on_call_answered(CallId call);
  void on_call_refused(CallId call);
  void on_call_confirmed(CallId call);
  void on_call_gone(CallId call);
  void on_call_media_changed(CallId call, const MediaRemote& remote);
  void on_caller_key(ConversationId conversation, const InfoKey& key);
  void on_caller_media_changed(ConversationId conversation, const MediaRemote& remote);
  // True if the conversation was one of these calls' before.
  bool on_offer_accepted(ConversationId conversation, menu::Question question, const std::optional<MediaRemote>& media);
  bool on_offer_refused(ConversationId conversation, menu::Question question, bool changed);
  bool on_party_gone(ConversationId conversation, PartyEnd party);
  /// True if the session is one of these calls'.
  bool on_media_played(const std::string& session);
  /// A greeting that cannot be played is replaced by a general sentence.
  void on_media_fault(const std::string& session, const std::string& sentence);
  void on_media_key(const std::string& session, char key);
  void on_media_moved(const std::string& session, const MediaSnapshot& now);

 private:
  struct Target {
    CallId call;
    menu::Question question;
    LoopHandle limit;  // of its ringing
  };
  struct Live {
    ParkId id;
    MenuCall call;                                 // of a call that goes on from its row, without `call`
    std::vector<std::string> numbers;              // as in MenuCallRow
    std::optional<MenuPlace> place{};              // where the caller is
    std::optional<MenuPlace> resolved{};           // the place that the last destination is
    std::string destination{};                     // the last one
    bool is_ring_group = false;                    // whether that is one
    std::optional<ConversationId> conversation{};  // once the caller has sent its ACK
    std::optional<menu::Question> answer{};        // that waits for the ACK
    MediaSnapshot media{};
    WallTime since{};          // when the call was answered
    std::optional<Cdr> cdr{};  // of the time in menus, as in MenuCallRow
    std::uint64_t epoch = 0;
    menu::State state{};
    std::optional<Target> target{};
    menu::Question play = 0;  // the last one; 0 if nothing is played that ends
    menu::Sound sound{};      // the one that is played
    std::string fault{};      // why it cannot be played
    KeyMerger keys{};
    std::map<menu::Timer, LoopHandle> timers{};
    LoopHandle retry{};                 // of what a call that goes on from its row waits for
    std::deque<menu::Event> waiting{};  // events that came while actions were being carried out
    bool is_deciding = false;
  };

  Live* find(const ParkId& id);
  template <class Key>
  Live* find(const std::unordered_map<Key, ParkId>& ids, const Key& key);
  bool has_too_many(const MenuCall& call);
  Live& add(Live live);
  void begin(Live& live, const menu::Decision& decision, std::string_view from, std::string_view event);
  void feed(const ParkId& id, const menu::Event& event);
  void decide_waiting(const ParkId& id);
  void follow(Live& live, const menu::Decision& decision, std::string_view from, std::string_view event);
  void remove(Live& live);
  void press(Live& live, KeyWay way, char key, std::uint32_t number);
  void take_over(const MenuCallRow& row);

  void perform(Live& live, const menu::LookUp& action);
  void perform(Live& live, const menu::Resolve& action);
  void perform(Live& live, const menu::Enter& action);
  void perform(Live& live, const menu::GoBack& action);
  void perform(Live& live, const menu::WriteRow& action);
  void perform(Live& live, const menu::Claim& action);
  void perform(Live& live, const menu::Unclaim& action);
  void perform(Live& live, const menu::RemoveRow& action);
  void perform(Live& live, const menu::Answer& action);
  void perform(Live& live, const menu::Refuse& action);
  void perform(Live& live, const menu::HangUp& action);
  void perform(Live& live, const menu::OfferMedia& action);
  void perform(Live& live, const menu::CallTarget& action);
  void perform(Live& live, const menu::EndTarget& action);
  void perform(Live& live, const menu::OfferTarget& action);
  void perform(Live& live, const menu::HandOver& action);
  void perform(Live& live, const menu::EndPeer& action);
  void perform(Live& live, const menu::Play& action);
  void perform(Live& live, const menu::StopSound& action);
  void perform(Live& live, const menu::CloseMedia& action);
  void perform(Live& live, const menu::StartTimer& action);
  void perform(Live& live, const menu::StopTimer& action);

  void look_up(const ParkId& id, menu::Question question);
  void on_place(const ParkId& id, menu::Question question, MenuPlace place);
  void prepare_greeting(const ParkId& id, MenuPlace place, std::function<void(Live&, MenuPlace)> done);
  void give_up(CallId target);
  void on_resolved(const ParkId& id, menu::Question question, FoundDestination found);
  void on_opened(const ParkId& id, menu::Question question, const Result<MediaSnapshot, MediaUnavailable>& opened);
  void speak(const Live& live, const std::string& sound);
  MenuCallRow row_of(const Live& live) const;
  static std::string extension_of(const Live& live);
  static std::string language_of(const Live& live);

  const ServicePorts ports_;
  Refusals& refusals_;
  ParkService& service_;
  const ParkSettings& settings_;
  LoopHandle recovery_;
  std::unordered_map<ParkId, std::unique_ptr<Live>> calls_;
  std::unordered_map<CallId, ParkId> ids_by_call_;  // the caller's until its ACK, and targets
  std::unordered_map<ConversationId, ParkId> ids_by_conversation_;
  std::unordered_map<std::string, ParkId> ids_by_session_;
};

}  // namespace callpark
