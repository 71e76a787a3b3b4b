// Calls that begin in the middle: they go on from a row, or talk already.
#include <memory>
#include <utility>

#include "parkd/service/park_service.h"

namespace callpark {

void ParkService::take_over(const ParkedCallRow& row, park::Found found) {
  restore(row, found);
}

LiveCall& ParkService::restore(const ParkedCallRow& row, park::Found found) {
  LiveCall& call = calls_.add(std::make_unique<LiveCall>(
      values_of(row, settings_.node_name), ports_.conversations.take_over(row), GrantedStay{stay_of(row), {}}));
  if (row.segment) call.segments = CallSegments(*row.segment);
  // A call that talks has no music; that of a parked call is opened again where it was.
  if (found == park::Found::kRetrieved) call.values.media.reset();
  loop_.resume(call, row, found);
  return call;
}

void ParkService::begin_talk(ConversationId conversation, CallValues values, const std::string& parker,
                             const Party& peer, std::optional<Cdr> cdr) {
  const DialogSnapshot caller = ports_.conversations.snapshot(conversation).caller;
  Stay stay;
  stay.parker = parker;
  stay.parked_at = stay.deadline = stay.recall_deadline = wall_now();
  stay.retriever = peer;
  stay.caller = caller.remote_identity;
  stay.sip_call_id = caller.call_id;
  LiveCall& call =
      calls_.add(std::make_unique<LiveCall>(std::move(values), conversation, GrantedStay{std::move(stay), {}}));
  if (cdr) call.segments.begin_talk(*std::move(cdr), call.stays.now().stay.parked_at);
  ParkedCallRow row =
      row_of(call.values, RowState::kRetrieved, call.stays.now().stay, {}, ports_.conversations.snapshot(conversation));
  row.segment = call.segments.open();
  ports_.menus.hand_over(row);
  loop_.resume(call, row, park::Found::kRetrieved);
}

}  // namespace callpark
