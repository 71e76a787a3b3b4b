// Executes granted commands, and makes events of the machines from the reports of the ports about live calls.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "parkd/service/billed_call.h"
#include "parkd/service/call_table.h"
#include "parkd/service/commands.h"
#include "parkd/service/conversation_view.h"
#include "parkd/service/miss_limit.h"
#include "parkd/service/park_loop.h"
#include "parkd/service/refusals.h"

namespace callpark {

class ParkService {
 public:
  /// The announcer and the refusals must outlive the service.
  ParkService(const ServicePorts& ports, Announcer& announcer, Refusals& refusals, const ParkSettings& settings);

  /// Ends in an answer to the command's request, now or later.
  void execute(const GrantedCommand& command);
  /// A call goes on from its row; the node owns it from here on.
  void take_over(const ParkedCallRow& row, park::Found found);
  /// A call that was never parked: its caller was in a menu, and talks to a peer that has answered. Its row
  /// replaces the one in menu_calls. `parker`: the number that was dialled, which counts as its parker. `cdr`: of the
  /// talk; nothing if an older parkd has answered the caller.
  void begin_talk(ConversationId conversation, CallValues values, const std::string& parker, const Party& peer,
                  std::optional<Cdr> cdr);
  bool has(const ParkId& park_id) const { return calls_.find(park_id) != nullptr; }

  /// Calls that wait in an orbit, and all calls that parkd has.
  std::size_t parked_calls() const { return calls_.count_in_orbit(); }
  std::size_t calls() const { return calls_.size(); }
  /// Of all parks since the start.
  std::uint64_t parks_completed() const { return loop_.parks_completed(); }
  /// Parks that are not completed; of one parker eight at most, so that one extension cannot make parkd seem busy.
  std::size_t parks_under_way() const { return calls_.count_being_parked(8); }

  ConversationView view(ConversationId conversation) const { return view_of(calls_.find(conversation)); }
  /// The call that the retriever would win now; nothing if there is none, or the retriever has missed too often.
  std::optional<BilledCall> call_to_retrieve(const std::string& tenant, const RetrieveRequest& request,
                                             const Party& retriever) const;

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

  LiveCall& add(const ParkId& park_id, ConversationId conversation, const DialogSnapshot& caller,
                const ParkTerms& terms);
  LiveCall& restore(const ParkedCallRow& row, park::Found found);
  void make_asker_peer(LiveCall& call, PartyEnd asker, const Extension& extension);
  void wait_for_answer(LiveCall& call, CallId parker);
  bool may_still_miss(const Retrieve& command);
  /// A retrieve, and whether it counts as a miss if no call is there.
  struct Claim {
    Retrieve retrieve;
    RetrieveRequest request;
    bool counts = false;
  };
  void claim(const Claim& claim);
  void on_claimed(const Claim& claim, const ParkedCallRow& won);
  void on_not_claimed(const Claim& claim, ClaimCallFailure why);
  bool waits_for_park(const Claim& claim, bool was_being_parked);
  void claim_what_is_parked();
  void refuse_waiting(CallId retriever);

  const ServicePorts ports_;
  Refusals& refusals_;
  const ParkSettings& settings_;
  CallTable calls_;
  ParkLoop loop_;
  std::unordered_set<CallId> claiming_;  // retrievers that wait for the database
  // Retrievers of calls that are being parked.
  struct Waiting {
    Claim claim;
    LoopHandle deadline;
  };
  std::vector<Waiting> waiting_;
  MissLimit misses_;
  Counter retrieves_limited_;
};

}  // namespace callpark
