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
#include <utility>
#include <vector>

#include "tests/support/packet_phone.h"
#include "tests/support/test_site.h"
#include "tests/support/wait.h"

namespace callpark::test {

/// Where offices work: callpark somewhere, with the demo tenant.
class LoadSite {
 public:
  LoadSite() = default;
  LoadSite(const LoadSite&) = delete;
  LoadSite& operator=(const LoadSite&) = delete;
  virtual ~LoadSite() = default;

  /// Enters `number`, and the DID "+44203" and the number if `has_did`.
  virtual void add_extension(const std::string& number, bool has_did) = 0;
  virtual std::unique_ptr<PacketPhone> trunk_caller(int index) = 0;
  /// Registered; it answers by itself.
  virtual std::unique_ptr<PacketPhone> phone(const std::string& number, int party) = 0;
  /// False if the database does not answer.
  virtual bool is_parked(const std::string& orbit) = 0;
};

/// What all offices of a test have done, counted by their threads.
struct LoadCounts {
  /// One call that was retrieved in the end, as the retriever saw it.
  struct Retrieve {
    std::chrono::steady_clock::time_point ended;
    /// From the first INVITE to the answer of the last one.
    std::chrono::milliseconds waited{0};
    /// From the first refusal to the answer of the last INVITE; 0 without a refusal.
    std::chrono::milliseconds refused{0};
  };
  std::atomic<int> calls{0};
  std::atomic<int> cycles{0};
  /// Calls that a server's death has kept from beginning, or from being parked.
  std::atomic<int> refused_calls{0};
  std::atomic<int> refused_parks{0};
  /// Calls that were lost.
  std::atomic<int> faults{0};

  void add(const Retrieve& retrieve) {
    const std::lock_guard lock(mutex_);
    retrieves_.push_back(retrieve);
  }
  /// Those that ended since then.
  [[nodiscard]] std::vector<Retrieve> retrieves(std::chrono::steady_clock::time_point since) const {
    const std::lock_guard lock(mutex_);
    std::vector<Retrieve> result;
    for (const auto& retrieve : retrieves_) {
      if (retrieve.ended >= since) result.push_back(retrieve);
    }
    return result;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Retrieve> retrieves_;
};

/// A caller in the telephone network, a parker and a retriever; one call at a time. Used by one thread.
class LoadOffice {
 public:
  /// Enters the extensions kFirstParker + `index` and kFirstRetriever + `index` of the demo tenant, and registers them.
  LoadOffice(std::shared_ptr<LoadSite> site, int index, LoadCounts& counts);
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
  void fault(const CallName& call, const std::string& sentence) {
    faults_.push_back(call + ": " + sentence);
    ++counts_.faults;
  }
  [[nodiscard]] PacketPhone& caller() { return *caller_; }
  [[nodiscard]] PacketPhone& parker() { return *parker_; }
  [[nodiscard]] PacketPhone& retriever() { return *retriever_; }
  [[nodiscard]] const std::string& retriever_number() const { return retriever_number_; }

 private:
  /// Whether the call was parked. If not, it is where it was.
  bool park(const Talk& talk);
  /// The call at the retriever; empty if it could not be retrieved.
  CallName retrieve(const Talk& talk);

  const std::shared_ptr<LoadSite> site_;
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

  explicit Load(std::shared_ptr<LoadSite> site) : site_(std::move(site)) {}
  explicit Load(TestSite& site);
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;
  ~Load() { stop(); }

  /// `offices` more, each of which begins its next call `pause` after the one before, or later; not all at once.
  void start(Work work, int offices, std::chrono::milliseconds pause);
  /// Returns when the last call has ended.
  void stop();

  [[nodiscard]] const LoadCounts& counts() const { return counts_; }
  /// Of all offices; after stop().
  [[nodiscard]] std::vector<std::string> faults() const;
  [[nodiscard]] std::vector<std::string> parkers() const;

 private:
  const std::shared_ptr<LoadSite> site_;
  LoadCounts counts_;
  std::atomic<bool> running_{true};
  std::vector<std::unique_ptr<LoadOffice>> offices_;
  std::vector<std::thread> threads_;
};

}  // namespace callpark::test
