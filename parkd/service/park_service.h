// The loop around the park machine: turns what the outside says into events, asks decide(), and carries out what it
// orders through the ports. Holds all live parked calls of this process.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/event_loop.h"
#include "base/metrics.h"
#include "parkd/park/decide.h"
#include "parkd/service/announcer.h"
#include "parkd/service/call_back.h"
#include "parkd/service/dialled_code.h"
#include "parkd/service/messenger.h"
#include "parkd/service/ports.h"

namespace callpark {

struct ParkSettings {
  std::string node_name;
  Duration parker_bye_timeout{2000};  // a phone's BYE after the final NOTIFY
  Duration music_retry{5000};         // when a party would not be re-INVITEd to its music
  /// How long whom a recall has handed the call to may ring, when it is not the parker: longer than Kamailio lets him,
  /// which for a ring group of 20 phones and where that leads is up to 6300 s.
  Duration handed_over_max{6600000};
  Duration announcement_max{30000};
  /// How long a parker who is called back to be told his orbit may let it ring.
  Duration call_back_ring_max{20000};
  Duration refusal_speech_max{10000};
  /// FEATURES S10: the loser of a race is answered within 300 ms, so he hears only the beginning of the sentence; an
  /// operator who prefers the whole sentence raises this.
  Duration already_picked_up_speech_max{200};
};

class ParkService final : public LegsListener, public Media::Listener {
 public:
  /// All must outlive the service.
  ParkService(EventLoop& loop, Store& store, Media& media, Legs& legs, Events& events, Messages& messages,
              Metrics& metrics, ParkSettings settings);
  ~ParkService() override;

  /// Takes over the calls of this node that the database has; `done` comes when the first attempt that the database
  /// answered is through.
  void recover(std::function<void()> done);
  /// How many calls wait in an orbit at this moment, or talk after they were retrieved.
  std::size_t parked_calls() const;
  std::size_t calls() const { return calls_.size(); }

  void on_feature_call(FeatureCall call) override;
  void on_refer(Referral referral) override;
  void on_refer_of_party(const ParkId& park_id, PartyEnd party, Referral referral) override;
  void on_offer_accepted(const ParkId& park_id, park::Question question,
                         const std::optional<MediaRemote>& music) override;
  void on_offer_refused(const ParkId& park_id, park::Question question, bool changed) override;
  void on_caller_media_changed(const ParkId& park_id, const MediaRemote& music) override;
  void on_target_answered(const ParkId& park_id, park::Question question) override;
  void on_target_refused(const ParkId& park_id, park::Question question, int status) override;
  void on_party_gone(const ParkId& park_id, PartyEnd party) override;
  void on_call_confirmed(CallId call) override;
  void on_call_lost(CallId call) override;
  void on_call_gone(CallId call) override;
  void on_extension_answered(CallId call, const MediaRemote& remote) override;
  void on_media_played(const std::string& session) override;
  void on_media_moved(const std::string& session, const MediaSnapshot& now) override;

 private:
  struct ParkedCall;
  class Performer;
  using LookedUp = Result<DialledFacts, StoreUnavailable>;

  void take_place(const FeatureCall& call);
  void on_looked_up(const FeatureCall& call, const LookedUp& facts);
  void park_held(const FeatureCall& call, const DialledFacts& facts, const ParkCommand& command);
  void retrieve(const FeatureCall& call, const DialledFacts& facts, const RetrieveCommand& command);
  void park_referred(const Referral& referral, const DialledFacts& facts, const ParkCommand& command);
  void make_asker_peer(ParkedCall& parked, PartyEnd asker, const std::string& user);
  static bool is_still_asked(const ParkedCall& call, PartyEnd party);
  void tell_who_has_hung_up(const ParkId& park_id);
  void repark_referred(ParkedCall& parked, PartyEnd referrer, const Referral& referral, const LookedUp& facts);

  void on_orbit_claimed(const ParkId& park_id, park::Question question, Result<OrbitGot, ClaimOrbitFailure> got);
  void on_media_opened(const ParkId& park_id, const std::string& session, park::Question question,
                       Result<MediaSnapshot, MediaUnavailable> opened);

  ParkedCall& start(const std::string& tenant, const std::string& user, std::optional<int> recall_after,
                    const DialledFacts& facts, OrbitWish wish);
  void rewish(ParkedCall& call, const std::string& user, std::optional<int> recall_after, const DialledFacts& facts,
              OrbitWish wish);
  static TransferTarget recall_target(const ParkedCall& call, park::RecallTarget target);
  ParkedCall& take_over(const ParkedCallRow& row, park::Found found);
  void refuse_call(CallId call, park::RefusalReason reason, const std::string& language);
  void refuse_refer(ReferId refer, park::RefusalReason reason);

  ParkedCall* find(const ParkId& park_id);
  /// Feeds the machine. The call may be gone afterwards.
  void tell(const ParkId& park_id, const park::Event& event);
  void run(ParkedCall& call, park::Decision decision);
  /// Says what the decision means to people, before its actions take away what there is to say.
  void report(ParkedCall& call, const park::Decision& decision);
  void happened(ParkedCall& call, ParkEventKind kind, std::string how = {});

  EventLoop& loop_;
  Store& store_;
  Media& media_;
  Legs& legs_;
  Events& events_;
  Metrics& metrics_;
  const ParkSettings settings_;
  Announcer announcer_;
  CallBacks call_backs_;
  Messenger messenger_;
  std::unordered_map<ParkId, std::unique_ptr<ParkedCall>> calls_;
  std::unordered_map<std::string, ParkId> park_by_session_;
  /// Feature calls that are somebody's: the parker's, or a retriever's; absent while only the tables are asked.
  std::unordered_map<CallId, ParkId> park_by_call_;
  /// Calls whose look-up is under way or that are being refused; what comes back for any other is late.
  std::unordered_map<CallId, std::string> open_calls_;
  LoopHandle recovery_retry_;
};

}  // namespace callpark
