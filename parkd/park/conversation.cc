// The caller and the peer talk. The peer may park the caller again, transfer it, or be replaced.
#include "parkd/park/step.h"

namespace callpark::park {

void Step::on(const Talking&, const ParkAsked& event) {
  state_.policy = event.policy;
  state_.proposal = Proposal::kNextStay;
  begin(event.request, event.learns_orbit);
}

void Step::on(const Talking&, const TransferAsked&) {
  const Question call = ask();
  state_.phase = Transferring{call};
  emit(CallTarget{call});
}

void Step::on(const Talking&, const ReplacementAsked& event) {
  const Question offer = ask();
  state_.phase = Replacing{event.retriever, offer};
  emit(Unbridge{}, OfferRetriever{offer, event.retriever});
}

void Step::on(const Talking&, const PeerGone&) {
  end_without_peer();
}

void Step::on(const Transferring& transferring, const TargetAnswered& event) {
  if (transferring.call != event.question) return;
  const Question offer = ask();
  state_.phase = Connecting{offer};
  emit(Unbridge{}, OfferTarget{offer});
}

void Step::on(const Transferring& transferring, const TargetRefused& event) {
  if (transferring.call != event.question) return;
  emit(RefuseTransfer{});
  end_transfer();
}

void Step::on(const Connecting& connecting, const CallerAccepted& event) {
  if (connecting.offer != event.question) return;
  emit(ConcludeTransfer{});
  end_peer();
  state_.peer = PeerLeg::kUp;
  state_.phase = Talking{};
  emit(MakeTargetPeer{}, WriteRetrieved{}, Bridge{});
}

void Step::on(const Connecting& connecting, const CallerRefused& event) {
  if (connecting.offer != event.question) return;
  emit(RefuseTransfer{}, EndTarget{}, Bridge{});
  end_transfer();
}

void Step::on(const Replacing& replacing, const CallerAccepted& event) {
  if (replacing.offer != event.question) return;
  state_.phase = Confirming{replacing.retriever};
  emit(AnswerRetriever{replacing.retriever});
  // RFC 3891 3: the dialog that is replaced ends with the 2xx, and not later.
  end_peer();
}

void Step::on(const Replacing& replacing, const CallerRefused& event) {
  if (replacing.offer != event.question) return;
  emit(RefuseRetriever{replacing.retriever, event.reason});
  if (event.changed) return restore_peer();
  emit(Bridge{});
  end_transfer();
}

void Step::on(const Replacing& replacing, const RetrieverGone& event) {
  if (replacing.retriever == event.retriever) restore_peer();
}

void Step::on(const Restoring& restoring, const CallerAccepted& event) {
  if (restoring.offer != event.question) return;
  state_.phase = Talking{};
  emit(Bridge{});
}

void Step::on(const Restoring& restoring, const CallerRefused& event) {
  // Whether the caller has the media of the failed replacement is not known, and there is no music to fall back on.
  if (restoring.offer == event.question) end_without_peer();
}

void Step::on(const Restoring&, const PeerGone&) {
  end_without_peer();
}

// The two go on talking; or the peer has hung up during its transfer, and the caller has no other party.
void Step::end_transfer() {
  state_.phase = Talking{};
  if (state_.peer == PeerLeg::kUp) return;
  emit(Unbridge{});
  end_without_peer();
}

// The peer stays, but the caller may send to other media than the peer's.
void Step::restore_peer() {
  if (state_.peer == PeerLeg::kGone) return end_without_peer();
  const Question offer = ask();
  state_.phase = Restoring{offer};
  emit(OfferPeer{offer});
}

}  // namespace callpark::park
