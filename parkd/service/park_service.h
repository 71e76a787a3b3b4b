// Executes granted commands, and makes events of the machines from the reports of the ports about live calls.
#pragma once

#include <string>
#include <unordered_set>

#include "parkd/service/call_table.h"
#include "parkd/service/commands.h"
#include "parkd/service/miss_limit.h"
#include "parkd/service/park_loop.h"
#include "parkd/service/refusals.h"
#include "parkd/service/request_in_flight.h"

namespace callpark {

class ParkService {
 public:
  /// The announcer and the refusals must outlive the service.
  ParkService(const ServicePorts& ports, Announcer& announcer, Refusals& refusals, const ParkSettings& settings);

  /// Ends in an answer to the command's request, now or later.
  void execute(const GrantedCommand& command);
  /// A call goes on from its row; the node owns it from here on.
  void take_over(const ParkedCallRow& row, park::Found found);
  bool has(const ParkId& park_id) const { return calls_.find(park_id) != nullptr; }

  /// Calls that wait in an orbit, and all calls that parkd has.
  std::size_t parked_calls() const { return calls_.count_in_orbit(); }
  std::size_t calls() const { return calls_.size(); }
  /// Of all parks since the start.
  std::uint64_t parks_completed() const { return loop_.parks_completed(); }
  /// Parks that are not completed; of one parker two at most, so that one extension cannot make parkd seem busy.
  std::size_t parks_under_way() const { return calls_.count_being_parked(2); }

  /// What admission has to know of a conversation.
  struct ConversationView {
    admission::Activity activity = admission::Activity::kNone;
    std::string tenant;
    std::uint32_t pairing = 0;  // rises with each new peer
  };
  ConversationView view(ConversationId conversation) const;

  // Reports of the ports. Those that name no live call are ignored.
  void on_offer_accepted(ConversationId conversation, park::Question question, const std::optional<MediaRemote>& music);
  void on_offer_refused(ConversationId conversation, park::Question question, park::RefusalReason reason, bool changed);
  void on_caller_media_changed(ConversationId conversation, const MediaRemote& music);
  void on_party_gone(ConversationId conversation, PartyEnd party);
  void on_call_answered(CallId call, const std::optional<MediaRemote>& remote);
  void on_call_refused(CallId call, int status);
  void on_call_confirmed(CallId call);
  void on_call_lost(CallId call);
  void on_call_gone(CallId call);
  /// True if the session is one of a call-back.
  bool on_media_played(const std::string& session) { return loop_.call_backs().on_played(session); }
  void on_media_moved(const std::string& session, const MediaSnapshot& now);

 private:
  void perform(const ParkHeld& command);
  void perform(const ParkReferred& command);
  void perform(const ParkAgain& command);
  void perform(const Transfer& command);
  void perform(const EndConsultation& command);
  void perform(const Retrieve& command);
  void perform(const TakePlace& command);

  LiveCall& add(const std::string& tenant, ConversationId conversation, const DialogSnapshot& caller,
                const ParkTerms& terms);
  LiveCall& restore(const ParkedCallRow& row, park::Found found);
  void make_asker_peer(LiveCall& call, PartyEnd asker, const Extension& extension);
  void wait_for_answer(LiveCall& call, CallId parker);
  bool may_still_miss(const Retrieve& command);
  void on_claimed(const Retrieve& command, const ParkedCallRow& won);

  const ServicePorts ports_;
  Refusals& refusals_;
  const ParkSettings settings_;
  CallTable calls_;
  ParkLoop loop_;
  std::unordered_set<CallId> claiming_;  // retrievers that wait for the database
  MissLimit misses_;
};

}  // namespace callpark
