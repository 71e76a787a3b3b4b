// What the world around the park machine may report next, in any order.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "tests/property/park_world.h"

namespace callpark::park {

struct Next {
  Event event;
  std::function<void(World&)> before;  // what is true in the world by the time that the event is reported
};

/// Every event that is due in a world.
class NextEvents {
 public:
  explicit NextEvents(const World& world) : w_(world) {}

  std::vector<Next> all() && {
    add_database();
    add_media();
    add_caller();
    add_parker();
    add_retriever();
    add_target();
    add_peer();
    for (const Timer timer : kTimers) {
      if (!w_.timers.runs(timer)) continue;
      add(TimerFired{timer}, [timer](World& x) {
        x.timers.stop(timer);
        if (timer == Timer::kRecall) x.recall_deadline_is_set = false;
      });
    }
    return std::move(next_);
  }

 private:
  template <class F>
  void add(Event event, F before) {
    next_.push_back({event, std::move(before)});
  }

  void add_database() {
    if (w_.claim) {
      add(OrbitClaimed{*w_.claim}, [](World& x) {
        if (!x.claim_is_doomed) x.row = Row::kAdopting;
        x.claim.reset();
      });
      add(OrbitRefused{*w_.claim, RefusalReason::kOrbitTaken}, [](World& x) { x.claim.reset(); });
    }
    if (w_.recall_claim) {
      if (w_.row == Row::kParked && !w_.recall_claim_is_doomed) {
        add(RecallClaimed{*w_.recall_claim}, [](World& x) {
          x.row = Row::kRetrieving;
          x.recall_claim.reset();
        });
      }
      add(RecallNotClaimed{*w_.recall_claim}, [](World& x) { x.recall_claim.reset(); });
    }
    if (w_.write) {
      add(RowWritten{*w_.write}, [](World& x) {
        if (x.row == Row::kAdopting && !x.write_is_overtaken) x.row = Row::kParked;
        x.write.reset();
      });
      add(RowNotWritten{*w_.write}, [](World& x) { x.write.reset(); });
    }
  }

  void add_media() {
    if (w_.opening) {
      add(MediaOpened{*w_.opening}, [](World& x) {
        x.media_open = true;
        x.opening.reset();
      });
      add(MediaFailed{*w_.opening}, [](World& x) { x.opening.reset(); });
    }
    if (w_.media_open && w_.may_move) {
      add(MediaMoved{w_.machine.media_question}, [](World& x) {
        x.may_move = false;
        // The caller hears the old port, and so nothing; it differs from music only by being wrong.
        if (x.hears == Hears::kMusic) x.hears = Hears::kRetriever;
      });
    }
  }

  void add_caller() {
    // Offers are answered in the order in which they were made, also those that a later one has overtaken.
    if (!w_.offers.empty() && w_.caller_alive) {
      const Offer offer = w_.offers.front();
      add(CallerAccepted{offer.question}, [offer](World& x) {
        x.offers.erase(x.offers.begin());
        x.hears = offer.what;
        x.caller_is_ours = true;
      });
      add(CallerRefused{offer.question}, [](World& x) { x.offers.erase(x.offers.begin()); });
      if (offer.what == Hears::kMusic || offer.what == Hears::kRetriever) {
        add(CallerRefused{offer.question, true}, [](World& x) {
          x.offers.erase(x.offers.begin());
          x.hears = Hears::kNothing;
          x.caller_is_ours = true;
        });
      }
    }
    if (w_.caller_alive && (w_.caller_is_ours || !w_.offers.empty())) {
      add(CallerGone{}, [](World& x) {
        x.caller_alive = false;
        x.offers.clear();
      });
    }
  }

  void add_parker() {
    if (w_.parker_call != ParkerCall::kNone) {
      add(ParkerCallGone{}, [](World& x) {
        // While the orbit is gathered, this park has asked the caller nothing.
        x.keep_is_due = x.parker_call == ParkerCall::kUnanswered && x.caller_was_asked && !in<Gathering>(x);
        x.parker_call = ParkerCall::kNone;
      });
    }
    if (w_.parker_call != ParkerCall::kAnnouncing) return;
    add(AnnouncementPlayed{}, [](World&) {});
    // In the dialog of the parked call, so only while that is up; the peer of a talk is the retriever.
    if (w_.peer_alive && !talks(w_)) add(ParkerReferred{}, [](World& x) { x.refer_open = true; });
  }

  void add_retriever() {
    if (w_.row == Row::kParked && w_.retriever == RetrieverCall::kNone && w_.retrieves_left > 0) {
      add(CallClaimed{w_.retriever_number + 1}, [](World& x) {
        x.row = Row::kRetrieving;
        x.recall_claim_is_doomed = true;
        --x.retrieves_left;
        ring(x);
      });
    }
    // Also when another transfer is under way.
    if (w_.bridged && w_.row == Row::kRetrieved && w_.retriever == RetrieverCall::kNone && w_.replacements_left > 0) {
      add(ReplacementAsked{w_.retriever_number + 1}, [](World& x) {
        --x.replacements_left;
        ring(x);
      });
    }
    if (w_.retriever != RetrieverCall::kNone) {
      add(RetrieverGone{w_.retriever_number}, [](World& x) {
        x.caller_must_stay = x.row == Row::kRetrieving;
        x.retriever = RetrieverCall::kNone;
      });
    }
    if (w_.retriever == RetrieverCall::kAnswered) {
      add(RetrieverConfirmed{w_.retriever_number}, [](World& x) { x.retriever_is_decided = true; });
      add(RetrieverLost{w_.retriever_number}, [](World& x) {
        x.caller_must_stay = x.row == Row::kRetrieving;
        x.retriever_is_decided = true;
      });
    }
  }

  void add_target() {
    if (w_.target != TargetCall::kCalling) return;
    add(TargetAnswered{w_.target_question}, [](World& x) { x.target = TargetCall::kAnswered; });
    add(TargetRefused{w_.target_question}, [](World& x) { x.target = TargetCall::kNone; });
  }

  void add_peer() {
    if (w_.peer_alive) add(PeerGone{}, [](World& x) { x.peer_alive = false; });
    if (!in<Talking>(w_)) return;
    if (w_.transfers_left > 0) {
      add(TransferAsked{}, [](World& x) {
        --x.transfers_left;
        x.transfer_open = true;
      });
    }
    if (w_.reparks_left == 0) return;
    add_repark(Request::kRefer, ParkerLearnsOrbit::kByCallBack);
    if (w_.machine.policy.mode == RecallMode::kOff) add_repark(Request::kRefer, ParkerLearnsOrbit::kItself);
    if (w_.parker_call == ParkerCall::kNone) add_repark(Request::kCall, ParkerLearnsOrbit::kByCallBack);
  }

  void add_repark(Request request, ParkerLearnsOrbit learns_orbit) {
    add(ParkAsked{request, w_.machine.policy, learns_orbit}, [request, learns_orbit](World& x) {
      --x.reparks_left;
      x.proposal = Proposal::kNextStay;
      x.learns_orbit = learns_orbit;
      if (request == Request::kRefer) x.refer_open = true;
      if (request == Request::kCall) x.parker_call = ParkerCall::kUnanswered;
    });
  }

  static void ring(World& x) {
    x.retriever = RetrieverCall::kRinging;
    x.retriever_is_decided = false;
    ++x.retriever_number;
  }

  const World& w_;
  std::vector<Next> next_;
};

}  // namespace callpark::park
