// An office that parks calls, and retrieves or gives them up or is recalled, while servers die; and what it has driven,
// which the records of each call are compared with.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/support/load.h"

namespace callpark::test {

/// Milliseconds since 1970.
using Moment = std::int64_t;
inline Moment moment() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

/// The two moments between which something happened.
struct Window {
  Moment earliest = 0;
  Moment latest = 0;
};

/// One call that an office has asked to park.
struct DrivenStay {
  std::string call_id;
  /// Final status of the park, from the REFER's answer or its last NOTIFY; 0: none came.
  int status = 0;
  Window parked;
  /// "retrieved", "recalled" or "gave_up", as in park_segments; empty: not parked.
  std::string outcome;
  std::string party;  // the number that got the call
  Window waited;      // when the wait ended
  Window talked;      // when the talk ended
  /// Only one party learned of the talk's end.
  bool is_one_sided = false;
};

class RecordOffice : public LoadOffice {
 public:
  RecordOffice(TestSite& site, int index, LoadCounts& counts)
      : LoadOffice(site, index, counts), counts_(counts), turn_(index), random_(static_cast<unsigned>(index)) {}

  /// One call, whatever becomes of it.
  void stay() {
    try {
      register_in_time();
      const Talk talk = connect();
      if (!talk.at_caller.empty()) stay(talk);
      forget();
      // As a person waits before the next try; phones that do not would ask hundreds of times a second.
      if (driven_.outcome.empty()) pass(kAfterRefusal);
    } catch (const std::exception& error) {
      // How far the call came is not known: its records are compared with themselves only.
      fault(driven_.call_id, error.what());
      driven_.outcome = "";
      forget();
    }
    if (!driven_.call_id.empty()) stays_.push_back(driven_);
    driven_ = {};
  }
  [[nodiscard]] const std::vector<DrivenStay>& stays() const { return stays_; }

 private:
  enum class Fate { kRetrieve, kRecall, kGiveUp };
  static constexpr std::chrono::seconds kParkMax{45};
  static constexpr std::chrono::seconds kWaitMax{180};
  // A registration lasts 300 s.
  static constexpr std::chrono::seconds kRegisterEvery{150};
  static constexpr std::chrono::seconds kAfterRefusal{1};
  static constexpr int kNoAnswer = 408;

  void stay(const Talk& talk) {
    driven_.call_id = talk.at_caller;
    if (!park(talk)) {
      ++counts_.refused_parks;
      if (!is_parked_after_all(talk)) return;
      driven_.status = 0;
    }
    ++counts_.cycles;
    if (!parker().is_closed(talk.at_parker)) parker().hang_up(talk.at_parker);
    const int turn = turn_++ % 10;
    wait(talk.at_caller, turn < 6 ? Fate::kRetrieve : turn < 8 ? Fate::kRecall : Fate::kGiveUp);
    // Of a park without a report the office knows late, perhaps after a recall: its records are compared with
    // themselves.
    if (driven_.status == 0) driven_.outcome.clear();
  }

  /// Whether the caller has left the parker.
  bool park(const Talk& talk) {
    driven_.parked.earliest = moment();
    const int status = parker().refer(talk.at_parker, "*68" + parker_number());
    const auto report = [&] {
      const auto reports = parker().transfer_reports(talk.at_parker);
      const int last = reports.empty() ? 0 : std::atoi(reports.back().substr(reports.back().find(' ')).c_str());
      return last >= 200 ? last : 0;
    };
    if (status == 202 || status == kNoAnswer) {
      const auto give_up = std::chrono::steady_clock::now() + kParkMax;
      while (report() == 0 && !caller().is_closed(talk.at_caller) && std::chrono::steady_clock::now() < give_up) {
        // A parkd that has died sends no report of what the next one completes.
        if (!is_with(parker(), talk.at_caller) && waits_in_vain(report)) break;
        pass(std::chrono::milliseconds(10));
      }
      driven_.status = report();
    } else {
      driven_.status = status;
    }
    driven_.parked.latest = moment();
    // A parkd that has died after it wrote the row does not report, and the next one hangs up on the parker.
    if (driven_.status / 100 != 2 && parker().is_closed(talk.at_parker) && !caller().is_closed(talk.at_caller)) {
      driven_.status = 0;
      return true;
    }
    return driven_.status == 0 ? !is_with(parker(), talk.at_caller) : driven_.status < 300;
  }
  /// The two hang up in turns after a refusal; whether the caller is parked nevertheless: a parkd that has died after
  /// it wrote the row cannot answer the REFER, and the next one may begin between the refusal and the parker's BYE.
  bool is_parked_after_all(const Talk& talk) {
    if (turn_++ % 2 == 0) {
      caller().hang_up(talk.at_caller);
      if (!wait_until(kSoon, [&] { return parker().is_closed(talk.at_parker); })) {
        fault(talk.at_caller, "the caller has hung up, and the parker has not");
      }
      return false;
    }
    const int status = parker().hang_up(talk.at_parker);
    if (wait_until(kSoon, [&] { return caller().is_closed(talk.at_caller); })) return false;
    if (status / 100 != 2) return true;
    fault(talk.at_caller, "the parker has hung up, and the caller has not");
    caller().hang_up(talk.at_caller);
    return false;
  }
  /// Whether no report comes for some seconds.
  template <class Report>
  static bool waits_in_vain(const Report& report) {
    return holds_for(std::chrono::seconds(5), [&] { return report() == 0; });
  }

  void wait(const CallName& call, Fate fate) {
    const auto give_up = std::chrono::steady_clock::now() + kWaitMax;
    pass(std::chrono::milliseconds(std::uniform_int_distribution(0, 400)(random_)));
    if (fate == Fate::kGiveUp) return caller_hangs_up(call);
    CallName at_retriever;
    driven_.waited.earliest = moment();
    while (std::chrono::steady_clock::now() < give_up) {
      if (caller().is_closed(call)) return fault(call, "was hung up on while parked");
      if (is_with(parker(), call)) return talk_and_end(call, parker(), parker().wait_incoming(), "recalled");
      if (!at_retriever.empty() && is_with(retriever(), call)) {
        return talk_and_end(call, retriever(), at_retriever, "retrieved");
      }
      driven_.waited.earliest = moment();
      if (fate == Fate::kRetrieve && (at_retriever.empty() || retriever().is_closed(at_retriever))) {
        at_retriever.clear();
        CallName dialled;
        if (dial(retriever(), "*88" + parker_number(), dialled) == 200) {
          at_retriever = dialled;
        } else {
          pass(std::chrono::milliseconds(500));
        }
        continue;
      }
      pass(std::chrono::milliseconds(4));
    }
    fault(call, "waits for ever");
    caller().hang_up(call);
  }

  void caller_hangs_up(const CallName& call) {
    driven_.outcome = "gave_up";
    driven_.waited.earliest = moment();
    caller().hang_up(call);
    driven_.waited.latest = moment();
  }

  void talk_and_end(const CallName& call, PacketPhone& peer, const CallName& at_peer, const char* outcome) {
    driven_.outcome = outcome;
    driven_.party = &peer == &parker() ? parker_number() : retriever_number();
    driven_.waited.latest = moment();
    pass(std::chrono::milliseconds(std::uniform_int_distribution(50, 400)(random_)));
    driven_.talked.earliest = moment();
    end_talk(call, peer, at_peer);
    driven_.talked.latest = moment();
  }

  /// Caller and peer hang up in turns. A parkd that has died before it wrote that they talk leaves the peer to itself.
  void end_talk(const CallName& call, PacketPhone& peer, const CallName& at_peer) {
    const bool caller_leaves = turn_ % 2 == 0;
    PacketPhone& leaves = caller_leaves ? caller() : peer;
    PacketPhone& stays = caller_leaves ? peer : caller();
    const CallName& at_stayer = caller_leaves ? at_peer : call;
    leaves.hang_up(caller_leaves ? call : at_peer);
    if (wait_until(kSoon, [&] { return stays.is_closed(at_stayer); })) return;
    driven_.is_one_sided = true;
    stays.hang_up(at_stayer);
  }

  bool is_with(PacketPhone& phone, const CallName& call) { return caller().audio_remote(call) == phone.sound().own(); }

  void register_in_time() {
    const auto now = std::chrono::steady_clock::now();
    if (now - registered_at_ < kRegisterEvery) return;
    parker().register_phone();
    retriever().register_phone();
    registered_at_ = now;
  }

  LoadCounts& counts_;
  int turn_;
  std::mt19937 random_;
  std::chrono::steady_clock::time_point registered_at_ = std::chrono::steady_clock::now();
  DrivenStay driven_;
  std::vector<DrivenStay> stays_;
};

}  // namespace callpark::test
