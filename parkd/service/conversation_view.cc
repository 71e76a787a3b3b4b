#include "parkd/service/conversation_view.h"

#include <variant>

namespace callpark {
namespace {

admission::Activity activity_of(const park::State& state) {
  if (std::holds_alternative<park::Talking>(state.phase)) return admission::Activity::kTalking;
  const bool is_announced =
      std::holds_alternative<park::Parked>(state.phase) && state.request == park::Request::kAnnouncing;
  return is_announced ? admission::Activity::kAnnouncing : admission::Activity::kOther;
}

}  // namespace

ConversationView view_of(const LiveCall* call) {
  if (!call) return {};
  return {activity_of(call->state), call->values.park_id, call->values.tenant, call->pairing};
}

}  // namespace callpark
