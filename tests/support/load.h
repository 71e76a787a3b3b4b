// Calls for hours, while servers may die: offices with telephones that repeat what is not answered, as real ones do.
// Each call that ends for one party only, and each parked call that cannot be retrieved, is written down.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/packet_phone.h"
#include "tests/support/test_site.h"
#include "tests/support/wait.h"

namespace callpark::test {

/// What all offices of a test have done, counted by their threads.
struct LoadCounts {
  std::atomic<int> calls{0};
  std::atomic<int> cycles{0};
  /// Calls that a server's death has kept from beginning, or from being parked.
  std::atomic<int> refused_calls{0};
  std::atomic<int> refused_parks{0};
};

/// A caller in the telephone network, a parker and a retriever; one call at a time. Used by one thread.
class LoadOffice {
 public:
  /// Enters the extensions kFirstParker + `index` and kFirstRetriever + `index` of the demo tenant, and registers them.
  LoadOffice(TestSite& site, int index, LoadCounts& counts);

  /// The caller calls the parker; one of the two hangs up.
  void ordinary_call();
  /// The caller's call is parked by REFER to an orbit of this office, retrieved, and ended by one of the two.
  void park_cycle();

  /// One of these two; what it throws becomes a fault.
  void work(void (LoadOffice::*what)());

  /// One sentence for each call that was lost.
  [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }
  [[nodiscard]] const std::string& parker_number() const { return parker_number_; }

  static constexpr int kFirstParker = 2000;
  static constexpr int kFirstRetriever = 3000;

 protected:
  struct Talk {
    CallName at_caller;
    CallName at_parker;
  };

  /// The calls at both ends; empty names if the call could not begin.
  Talk connect();
  void end(PacketPhone& one, const CallName& at_one, PacketPhone& other, const CallName& at_other);
  /// A call with the final status of its INVITE, which is repeated until then; 0 after 30 s, and the call is cancelled.
  int dial(PacketPhone& phone, const std::string& number, CallName& call);
  void hang_up_what_is_left(PacketPhone& phone);
  void forget();
  void fault(const CallName& call, const std::string& sentence) { faults_.push_back(call + ": " + sentence); }
  [[nodiscard]] PacketPhone& caller() { return *caller_; }
  [[nodiscard]] PacketPhone& parker() { return *parker_; }
  [[nodiscard]] PacketPhone& retriever() { return *retriever_; }
  [[nodiscard]] const std::string& retriever_number() const { return retriever_number_; }

 private:
  /// Whether the call was parked. If not, it is where it was.
  bool park(const Talk& talk);
  /// The call at the retriever; empty if it could not be retrieved.
  CallName retrieve(const Talk& talk);

  TestSite& site_;
  LoadCounts& counts_;
  const std::string parker_number_;
  const std::string retriever_number_;
  std::unique_ptr<PacketPhone> caller_;
  std::unique_ptr<PacketPhone> parker_;
  std::unique_ptr<PacketPhone> retriever_;
  std::vector<std::string> faults_;
  int turn_ = 0;
};

/// Offices at work, each in a thread of its own, until stop() or the end of this object.
class Load {
 public:
  enum class Work { kOrdinaryCalls, kParkCycles };

  explicit Load(TestSite& site) : site_(site) {}
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { stop(); }

  /// `offices` more, each of which begins its next call `pause` after the one before, or later.
  void start(Work work, int offices, std::chrono::milliseconds pause);
  /// Returns when the last call has ended.
  void stop();

  [[nodiscard]] const LoadCounts& counts() const { return counts_; }
  /// Of all offices; after stop().
  [[nodiscard]] std::vector<std::string> faults() const;
  [[nodiscard]] std::vector<std::string> parkers() const;

 private:
  TestSite& site_;
  LoadCounts counts_;
  std::atomic<bool> running_{true};
  std::vector<std::unique_ptr<LoadOffice>> offices_;
  std::vector<std::thread> threads_;
};

}  // namespace callpark::test
