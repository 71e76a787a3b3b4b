// A call that parkd has, from the parker's first request until the caller's dialog ends: the state of its machine, its
// stays, and the names of the parties' requests and calls.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/event_loop.h"
#include "parkd/park/decide.h"
#include "parkd/park/history.h"
#include "parkd/service/call_segments.h"
#include "parkd/service/parked_call_row.h"
#include "parkd/service/stays.h"

namespace callpark {

struct LiveCall {
  LiveCall(CallValues its_values, ConversationId its_conversation, GrantedStay first)
      : values(std::move(its_values)), conversation(its_conversation), segments(first.stay), stays(std::move(first)) {}

  CallValues values;
  const ConversationId conversation;
  std::uint32_t pairing = 0;  // how many peers have come since parkd has the call
  CallSegments segments;
  Stays stays;
  park::State state;
  park::Recorded recorded = park::Recorded::kNothing;

  /// The parker's request, or a transfer of the peer, until it is concluded.
  std::optional<ReferralId> referral;
  struct ParkerCall {
    CallId call;
    std::string language;
  };
  std::optional<ParkerCall> parker_call;  // a feature call that waits for its answer
  std::optional<CallId> announced_call;   // a feature call that is answered and hears the orbit

  struct Retriever {
    CallId call;
    Party party;
    std::string language;
  };
  std::map<park::Retriever, Retriever> retrievers;
  park::Retriever last_retriever = 0;

  struct Destination {
    std::string number;
    std::string replaces;
    std::string contact;
  };
  Destination transfer;  // the last one that the peer asked for
  struct Target {
    CallId call;
    park::Question question;
  };
  std::optional<Target> target;  // of a transfer or a recall
  int target_status = 0;         // of the last target that did not answer

  std::map<park::Timer, LoopHandle> timers;
  /// Events that came while actions were being carried out.
  std::deque<park::Event> waiting;
  bool is_deciding = false;

  const std::string& sip_call_id() const { return stays.now().stay.sip_call_id; }

  park::Retriever admit(CallId call, const Party& party, const std::string& language) {
    retrievers.emplace(++last_retriever, Retriever{call, party, language});
    return last_retriever;
  }
  std::optional<park::Retriever> retriever_of(CallId call) const {
    for (const auto& [retriever, admitted] : retrievers) {
      if (admitted.call == call) return retriever;
    }
    return std::nullopt;
  }
};

}  // namespace callpark
