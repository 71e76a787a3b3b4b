// Park machines with one fault each. The explorer must find every fault.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "tests/property/park_mutant.h"
#include "tests/property/park_segment_mutants.h"

namespace callpark::park {

template <class A>
Mutant forgets(const std::string& what) {
  return decides("forgets " + what, [](const State&, const Event&, Decision& decision) { remove<A>(decision); });
}

template <class E>
Mutant ignores(const std::string& what) {
  return decides("ignores " + what, [](const State& before, const Event& event, Decision& decision) {
    if (std::holds_alternative<E>(event)) decision = {before, {}};
  });
}

inline std::optional<Question> open_offer(const State& state) {
  return std::visit(
      overloaded{[](const Adopting& p) { return std::optional(p.offer); }, [](const Parked& p) { return p.offer; },
                 [](const Joining& p) { return std::optional(p.offer); },
                 [](const Connecting& p) { return std::optional(p.offer); },
                 [](const Replacing& p) { return std::optional(p.offer); },
                 [](const Restoring& p) { return std::optional(p.offer); },
                 [](const Recalling& p) { return std::optional(p.offer); },
                 [](const Returning& p) { return std::optional(p.offer); },
                 [](const auto&) { return std::optional<Question>(); }},
      state.phase);
}

/// A late answer passes for the answer to the offer that is open now.
template <class E>
Mutant trusts(const std::string& what) {
  return reads("does not check which offer " + what + " answers", [](const State& state, Event& event) {
    auto* answer = std::get_if<E>(&event);
    const auto question = open_offer(state);
    if (answer && question) answer->question = *question;
  });
}

inline std::vector<Mutant> forgetful_mutants() {
  return {
      forgets<ClaimOrbit>("to claim the orbit"),
      forgets<WriteParked>("to complete the row"),
      forgets<UnclaimCall>("to make the row parked again"),
      forgets<WriteRetrieved>("to write the retrieve"),
      forgets<FreeOrbit>("to free the orbit"),
      forgets<RemoveRow>("to remove the row"),
      forgets<CommitStay>("to commit the stay"),
      forgets<WithdrawStay>("to withdraw the stay"),
      forgets<OpenMedia>("to open media"),
      forgets<CloseMedia>("to close media"),
      forgets<OfferMusic>("to offer the music"),
      forgets<OfferRetriever>("to offer the retriever"),
      forgets<OfferPeer>("to offer the peer again"),
      forgets<EndCaller>("BYE to the caller"),
      forgets<Bridge>("the bridge"),
      forgets<Unbridge>("to remove the bridge"),
      forgets<EndPeer>("BYE to the peer"),
      forgets<AcceptReferral>("the 202"),
      forgets<ConcludeReferral>("the NOTIFY of a park"),
      forgets<RefuseReferral>("to refuse the REFER"),
      forgets<AnnounceOrbit>("to announce the orbit"),
      forgets<RefuseParkerCall>("to refuse the feature call"),
      forgets<EndAnnouncement>("to end the announcement"),
      forgets<KeepAdoption>("to keep the adoption"),
      forgets<CallParkerBack>("to call the parker back"),
      forgets<AnswerRetriever>("to answer the retriever"),
      forgets<RefuseRetriever>("to refuse the retriever"),
      forgets<EndRetriever>("BYE to the retriever"),
      forgets<MakePeer>("to make the retriever the peer"),
      forgets<CallTarget>("to call the target"),
      forgets<OfferTarget>("to offer the target"),
      forgets<EndTarget>("to end the target's call"),
      forgets<MakeTargetPeer>("to make the target the peer"),
      forgets<ConcludeTransfer>("to conclude the transfer"),
      forgets<RefuseTransfer>("to refuse the transfer"),
      forgets<CallRecallTarget>("to recall"),
      forgets<ClaimForTarget>("to claim the row for a recall"),
      forgets<SetRecallDeadline>("the deadline of the recall"),
      forgets<StartTimer>("the timers"),
      forgets<Dismiss>("to dismiss"),
  };
}

inline std::vector<Mutant> deaf_mutants() {
  return {
      ignores<OrbitClaimed>("the claim"),
      ignores<OrbitRefused>("the refused claim"),
      ignores<RowWritten>("the written row"),
      ignores<RowNotWritten>("the row that was not written"),
      ignores<MediaOpened>("the opened media"),
      ignores<MediaFailed>("the failed media"),
      ignores<MediaMoved>("the moved media"),
      ignores<CallerAccepted>("the caller's answer"),
      ignores<CallerRefused>("the caller's refusal"),
      ignores<CallerGone>("the caller's BYE"),
      ignores<PeerGone>("the peer's BYE"),
      ignores<ParkerCallGone>("the end of the feature call"),
      ignores<CallClaimed>("the retriever"),
      ignores<RetrieverConfirmed>("the retriever's ACK"),
      ignores<RetrieverGone>("the retriever's CANCEL"),
      ignores<RetrieverLost>("the ACK that never came"),
      ignores<ParkAsked>("the request to park again"),
      ignores<TransferAsked>("the transfer"),
      ignores<ReplacementAsked>("the replacement of the peer"),
      ignores<TargetAnswered>("the target's answer"),
      ignores<TargetRefused>("the target's refusal"),
      ignores<ParkerReferred>("the attended transfer"),
      ignores<RecallClaimed>("the row that a recall won"),
      ignores<RecallNotClaimed>("the row that a recall lost"),
      trusts<CallerAccepted>("an accepted re-INVITE"),
      trusts<CallerRefused>("a refused re-INVITE"),
  };
}

inline std::vector<Mutant> mistaken_mutants() {
  return {
      reads("assumes that an unusable answer has changed nothing",
            [](const State&, Event& event) {
              if (auto* refused = std::get_if<CallerRefused>(&event)) refused->changed = false;
            }),
      decides("concludes the referral before the row is written",
              [](const State& before, const Event& event, Decision& decision) {
                if (std::holds_alternative<CallerAccepted>(event) && is_in<Adopting>(before) &&
                    is_in<Recording>(decision.next) && before.request == Request::kRefer) {
                  decision.actions.emplace_back(ConcludeReferral{});
                }
              }),
      decides("plays music after the retrieve",
              [](const State&, const Event&, Decision& decision) {
                if (is_in<Confirming>(decision.next)) remove<CloseMedia>(decision);
              }),
      decides("leaves the replaced peer in its call",
              [](const State& before, const Event&, Decision& decision) {
                if (is_in<Replacing>(before)) remove<EndPeer>(decision);
              }),
      decides("bridges without an offer of the peer after a failed replacement",
              [](const State&, const Event&, Decision& decision) {
                if (!is_in<Restoring>(decision.next)) return;
                decision.next.phase = Talking{};
                decision.actions = {Bridge{}};
              }),
      decides("keeps the bridge during a replacement",
              [](const State&, const Event& event, Decision& decision) {
                if (std::holds_alternative<ReplacementAsked>(event)) remove<Unbridge>(decision);
              }),
      decides("frees the orbit before the retriever has confirmed",
              [](const State&, const Event& event, Decision& decision) {
                if (std::holds_alternative<CallClaimed>(event) && is_in<Joining>(decision.next)) {
                  decision.actions.emplace_back(WriteRetrieved{});
                }
              }),
      reads("ends the caller if the retriever hangs up before its ACK",
            [](State& state, const Event& event) {
              if (std::holds_alternative<Confirming>(state.phase) && std::holds_alternative<RetrieverGone>(event)) {
                state.orbit = Orbit::kFree;
              }
            }),
      decides("ends a refused park without Dismiss",
              [](const State&, const Event& event, Decision& decision) {
                if (std::holds_alternative<OrbitRefused>(event)) remove<Dismiss>(decision);
              }),
      decides("does not remember which target it has called",
              [](const State&, const Event&, Decision& decision) {
                RecallProgress& progress = decision.next.recall_progress;
                if (progress.is_calling) progress.target = RecallTarget::kNone;
              }),
      decides("lets the recalled phone ring during a retrieve",
              [](const State&, const Event& event, Decision& decision) {
                if (std::holds_alternative<CallClaimed>(event)) remove<EndTarget>(decision);
              }),
  };
}

/// Of stays, of what the parker learns, and of the parker that the caller has left.
inline std::vector<Mutant> parker_mutants() {
  return {
      decides("commits the stay before its row is written",
              [](const State& before, const Event&, Decision& decision) {
                if (is_in<Recording>(before) || !is_in<Recording>(decision.next)) return;
                decision.next.proposal = Proposal::kNone;
                decision.actions.insert(decision.actions.begin(), CommitStay{});
              }),
      decides("commits the stay after the parker has learnt of it",
              [](const State&, const Event&, Decision& decision) {
                auto& actions = decision.actions;
                if (!actions.empty() && std::holds_alternative<CommitStay>(actions.front())) {
                  std::rotate(actions.begin(), actions.begin() + 1, actions.end());
                }
              }),
      decides("commits the stay of a refused re-park",
              [](const State&, const Event&, Decision& decision) {
                for (Action& action : decision.actions) {
                  if (std::holds_alternative<WithdrawStay>(action)) action = CommitStay{};
                }
              }),
      reads("withdraws the only stay",
            [](State& state, const Event&) {
              if (state.proposal == Proposal::kFirstStay) state.proposal = Proposal::kNextStay;
            }),
      reads("calls a parker back that knows the orbit",
            [](State& state, const Event&) { state.learns_orbit = ParkerLearnsOrbit::kByCallBack; }),
      reads("forgets that the parker does not know the orbit",
            [](State& state, const Event&) { state.learns_orbit = ParkerLearnsOrbit::kItself; }),
      decides("leaves the parker to the BYE of a caller that has gone during the adoption",
              [](const State& before, const Event& event, Decision& decision) {
                const bool adopts = is_in<Adopting>(before) && before.caller == CallerLeg::kAsked;
                if (adopts && std::holds_alternative<CallerGone>(event)) remove<EndPeer>(decision);
              }),
      decides("refuses a feature call twice",
              [](const State&, const Event&, Decision& decision) {
                const auto& actions = decision.actions;
                for (std::size_t i = 0; i < actions.size(); ++i) {
                  const auto* refusal = std::get_if<RefuseParkerCall>(&actions[i]);
                  if (!refusal) continue;
                  decision.actions.emplace_back(*refusal);
                  return;
                }
              }),
      decides("refuses a referral by the feature call's answer",
              [](const State&, const Event&, Decision& decision) {
                for (Action& action : decision.actions) {
                  const auto* refusal = std::get_if<RefuseReferral>(&action);
                  if (refusal) action = RefuseParkerCall{refusal->reason};
                }
              }),
  };
}

inline std::vector<Mutant> record_mutants() {
  using Kind = Happening::Kind;
  const auto drop = [](History& history, Kind kind) {
    auto& all = history.happenings;
    all.erase(std::remove_if(all.begin(), all.end(), [kind](const Happening& one) { return one.kind == kind; }),
              all.end());
  };
  return {
      records("does not record the end",
              [drop](Recorded, const State&, const Decision&, History& history) { drop(history, Kind::kEnded); }),
      records("does not record that the caller gave up",
              [drop](Recorded, const State&, const Decision&, History& history) { drop(history, Kind::kGaveUp); }),
      records("does not record the park",
              [drop](Recorded, const State&, const Decision&, History& history) { drop(history, Kind::kParked); }),
      records("records a recall as a retrieve",
              [](Recorded, const State&, const Decision&, History& history) {
                for (Happening& one : history.happenings) {
                  if (one.kind == Kind::kRecalled) one.kind = Kind::kRetrieved;
                }
              }),
      records("records the park again when a retrieve is undone",
              [](Recorded, const State& before, const Decision& decision, History& history) {
                if (is_in<Joining>(before) && is_in<Parked>(decision.next)) {
                  history.happenings.push_back({.kind = Kind::kParked});
                }
              }),
      records("records a failed re-park as retrieved",
              [](Recorded, const State& before, const Decision& decision, History& history) {
                if (is_in<Returning>(before) && is_in<Talking>(decision.next)) {
                  history.happenings.push_back({.kind = Kind::kRetrieved});
                }
              }),
      records("records the end of a call that was never parked",
              [](Recorded recorded, const State&, const Decision& decision, History& history) {
                if (recorded == Recorded::kNothing && is_in<Ended>(decision.next) && history.happenings.empty()) {
                  history.happenings.push_back({.kind = Kind::kEnded});
                }
              }),
      records("forgets that a stay is recorded",
              [](Recorded, const State&, const Decision& decision, History& history) {
                if (is_in<Joining>(decision.next)) history.recorded = Recorded::kTalking;
              }),
  };
}

inline std::vector<Mutant> mutants() {
  std::vector<Mutant> all;
  for (auto group : {forgetful_mutants(), deaf_mutants(), mistaken_mutants(), parker_mutants(), record_mutants(),
                     endless_segment_mutants(), segment_mutants()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

}  // namespace callpark::park
