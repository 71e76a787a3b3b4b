// Carries out the actions of the park machine: each is one call of a port, with the values of the call. The answers of
// the ports become events.
#pragma once

#include <functional>
#include <string>

#include "parkd/park/action.h"
#include "parkd/park/event.h"
#include "parkd/service/announcer.h"
#include "parkd/service/call_back.h"
#include "parkd/service/call_table.h"
#include "parkd/service/park_settings.h"
#include "parkd/service/refusals.h"
#include "parkd/service/service_ports.h"

namespace callpark {

/// Feeds an event to the machine of a call; the call may be over afterwards.
using FeedEvent = std::function<void(const ParkId&, const park::Event&)>;

class ActionRunner {
 public:
  /// All references must outlive the runner.
  ActionRunner(const ServicePorts& ports, CallTable& calls, Announcer& announcer, CallBacks& call_backs,
               Refusals& refusals, const ParkSettings& settings, FeedEvent feed);

  void run(LiveCall& call, const park::Action& action);

 private:
  // The database.
  void perform(LiveCall& call, const park::ClaimOrbit& action);
  void perform(LiveCall& call, const park::WriteParked& action);
  void perform(LiveCall& call, const park::UnclaimCall&);
  void perform(LiveCall& call, const park::WriteRetrieved&) { write_without_orbit(call); }
  void perform(LiveCall& call, const park::FreeOrbit&) { write_without_orbit(call); }
  void perform(LiveCall& call, const park::RemoveRow& action);
  void perform(LiveCall& call, const park::ClaimForTarget& action);
  // Stays move before any action is carried out: see ParkLoop.
  void perform(LiveCall&, const park::CommitStay&) {}
  void perform(LiveCall&, const park::WithdrawStay&) {}
  // Music.
  void perform(LiveCall& call, const park::OpenMedia& action);
  void perform(LiveCall& call, const park::CloseMedia&);
  // The conversation.
  void perform(LiveCall& call, const park::OfferMusic& action);
  void perform(LiveCall& call, const park::OfferRetriever& action);
  void perform(LiveCall& call, const park::OfferPeer& action);
  void perform(LiveCall& call, const park::OfferTarget& action);
  void perform(LiveCall& call, const park::EndCaller&);
  void perform(LiveCall& call, const park::EndPeer&);
  void perform(LiveCall& call, const park::Bridge&);
  void perform(LiveCall& call, const park::Unbridge&);
  void perform(LiveCall& call, const park::Dismiss&);
  // The parker's request.
  void perform(LiveCall& call, const park::AcceptReferral&);
  void perform(LiveCall& call, const park::ConcludeReferral&) { conclude(call, 200, "OK"); }
  void perform(LiveCall& call, const park::RefuseReferral& action);
  void perform(LiveCall& call, const park::AnnounceOrbit&);
  void perform(LiveCall& call, const park::RefuseParkerCall& action);
  void perform(LiveCall& call, const park::EndAnnouncement&);
  void perform(LiveCall& call, const park::KeepAdoption&);
  void perform(LiveCall& call, const park::CallParkerBack&);
  // Retrievers.
  void perform(LiveCall& call, const park::AnswerRetriever& action);
  void perform(LiveCall& call, const park::RefuseRetriever& action);
  void perform(LiveCall& call, const park::EndRetriever& action);
  void perform(LiveCall& call, const park::MakePeer& action);
  // Targets.
  void perform(LiveCall& call, const park::CallTarget& action);
  void perform(LiveCall& call, const park::CallRecallTarget& action);
  void perform(LiveCall& call, const park::EndTarget&);
  void perform(LiveCall& call, const park::MakeTargetPeer&);
  void perform(LiveCall& call, const park::ConcludeTransfer&) { conclude(call, 200, "OK"); }
  void perform(LiveCall& call, const park::RefuseTransfer&) { conclude(call, call.target_status, ""); }
  // Time.
  void perform(LiveCall& call, const park::SetRecallDeadline& action);
  void perform(LiveCall& call, const park::StartTimer& action);
  void perform(LiveCall& call, const park::StopTimer& action) { call.timers.erase(action.timer); }

  void on_orbit_claimed(const ParkId& park_id, park::Question question,
                        Result<ClaimedOrbit, ClaimOrbitFailure> claimed);
  void on_media_opened(const ParkId& park_id, const std::string& session, park::Question question,
                       Result<MediaSnapshot, MediaUnavailable> opened);

  ParkedCallRow row(const LiveCall& call, RowState state) const;
  void write_without_orbit(LiveCall& call);
  void conclude(LiveCall& call, int status, const std::string& reason);
  void start_target(LiveCall& call, park::Question question, const std::string& number,
                    OutgoingCall::InNameOfCaller from);
  void set_peer(LiveCall& call, CallId peer, const Party& party);
  LiveCall::Retriever dismiss(LiveCall& call, park::Retriever retriever);

  const ServicePorts ports_;
  CallTable& calls_;
  Announcer& announcer_;
  CallBacks& call_backs_;
  Refusals& refusals_;
  const ParkSettings& settings_;
  const FeedEvent feed_;
};

}  // namespace callpark
