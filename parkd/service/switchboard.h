// The service as one object: constructs its parts, and hands each report of the ports to the part that it concerns.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "parkd/service/admission.h"
#include "parkd/service/flow_calls.h"
#include "parkd/service/menu_calls.h"
#include "parkd/service/recovery.h"

namespace callpark {

class Switchboard final : public CallListener,
                          public ConversationListener,
                          public ReferralListener,
                          public Media::Listener {
 public:
  /// Listens to the media server from here on; the other ports get their listener from the app.
  Switchboard(const ServicePorts& ports, const ParkSettings& settings);
  ~Switchboard() override;
  Switchboard(const Switchboard&) = delete;
  Switchboard& operator=(const Switchboard&) = delete;

  /// `done` is called when the calls that the database has of this node are taken over.
  void recover(std::function<void()> done);
  /// `toggled` is called after a call has toggled a call flow.
  void set_on_flow_toggled(std::function<void()> toggled) { flow_calls_.set_on_toggled(std::move(toggled)); }
  /// For the timers that start from now on; the node's name remains.
  void set_settings(const ParkSettings& settings) { settings_ = settings; }
  std::size_t parked_calls() const { return service_.parked_calls(); }  // in an orbit
  std::size_t calls() const { return service_.calls(); }
  std::size_t callers_in_menus() const { return menu_calls_.size(); }
  /// A request to a phone, or a trunk, got its final answer.
  void note_round_trip(Duration took) { gate_.note_round_trip(took, monotonic_now()); }
  /// While parks are refused: how many a second can be done. Else 0.
  int park_rate() const { return gate_.is_refusing(monotonic_now()) ? gate_.parks_per_second() : 0; }

  void on_feature_call(FeatureCall call) override;
  void on_call_answered(CallId call, const std::optional<MediaRemote>& remote) override;
  void on_call_refused(CallId call, int status) override;
  void on_call_media_changed(CallId call, const MediaRemote& remote) override;
  void on_call_key(CallId call, const InfoKey& key) override;
  void on_call_confirmed(CallId call) override;
  void on_call_lost(CallId call) override;
  void on_call_gone(CallId call) override;

  void on_offer_accepted(ConversationId conversation, park::Question question,
                         const std::optional<MediaRemote>& music) override;
  void on_offer_refused(ConversationId conversation, park::Question question, park::RefusalReason reason,
                        bool changed) override;
  void on_caller_media_changed(ConversationId conversation, const MediaRemote& music) override;
  void on_caller_key(ConversationId conversation, const InfoKey& key) override;
  void on_party_gone(ConversationId conversation, PartyEnd party) override;

  void on_referral(Referral referral) override;
  void on_referral_of_party(ConversationId conversation, PartyEnd party, Referral referral) override;

  void on_media_fault(const std::string& session, const std::string& sentence) override;
  void on_media_played(const std::string& session) override;
  void on_media_moved(const std::string& session, const MediaSnapshot& now) override;
  void on_media_key(const std::string& session, char key) override;

 private:
  const ServicePorts ports_;
  ParkSettings settings_;  // of all parts
  Announcer announcer_;
  Refusals refusals_;
  ParkService service_;
  FlowCalls flow_calls_;
  MenuCalls menu_calls_;
  LoadGate gate_;
  Admission admission_;
  Recovery recovery_;
};

}  // namespace callpark
