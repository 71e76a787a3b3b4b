#include "tests/support/load.h"

#include <algorithm>

namespace callpark::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRepeatAfter{500};
// RFC 3261 17.1.1.2: 64 times T1.
constexpr milliseconds kGivesUpAfter{32000};
constexpr milliseconds kRetrieveAgainAfter{250};
constexpr int kRetrievesMax = 32;

/// In a test's own site.
class TestLoadSite : public LoadSite {
 public:
  explicit TestLoadSite(TestSite& site) : site_(site) {}

  void add_extension(const std::string& number, bool has_did) override {
    site_.database().execute("INSERT INTO extensions (tenant, extension, password) VALUES ('demo.callpark', '" +
                             number + "', 'demo-" + number + "')");
    if (!has_did) return;
    site_.database().execute("INSERT INTO dids (did, tenant, destination) VALUES ('+44203" + number +
                             "', 'demo.callpark', '" + number + "')");
  }
  std::unique_ptr<PacketPhone> trunk_caller(int index) override { return site_.trunk_caller(index); }
  std::unique_ptr<PacketPhone> phone(const std::string& number, int party) override {
    return site_.packet_phone(number, party, true);
  }
  bool is_parked(const std::string& orbit) override {
    return site_.database().value("SELECT COUNT(*) FROM parked_calls WHERE state = 'parked' AND orbit = '" + orbit +
                                  "'") == "1";
  }

 private:
  TestSite& site_;
};

}  // namespace

LoadOffice::LoadOffice(TestSite& site, int index, LoadCounts& counts)
    : LoadOffice(std::make_shared<TestLoadSite>(site), index, counts) {}

LoadOffice::LoadOffice(std::shared_ptr<LoadSite> site, int index, LoadCounts& counts)
    : site_(std::move(site)),
      counts_(counts),
      parker_number_(std::to_string(kFirstParker + index)),
      retriever_number_(std::to_string(kFirstRetriever + index)) {
  site_->add_extension(parker_number_, true);
  site_->add_extension(retriever_number_, false);
  caller_ = site_->trunk_caller(index);
  parker_ = site_->phone(parker_number_, 1);
  retriever_ = site_->phone(retriever_number_, 2);
}

void LoadOffice::work(void (LoadOffice::*what)()) {
  try {
    (this->*what)();
  } catch (const std::exception& error) {
    faults_.emplace_back(error.what());
    ++counts_.faults;
    forget();
  }
}

void LoadOffice::ordinary_call() {
  const Talk talk = connect();
  if (!talk.at_caller.empty()) end(*caller_, talk.at_caller, *parker_, talk.at_parker);
  ++counts_.calls;
  forget();
}

void LoadOffice::park_cycle() {
  const Talk talk = connect();
  if (talk.at_caller.empty()) return forget();
  if (!park(talk)) {
    ++counts_.refused_parks;
    end(*caller_, talk.at_caller, *parker_, talk.at_parker);
    return forget();
  }
  const CallName at_retriever = retrieve(talk);
  if (!at_retriever.empty()) {
    end(*caller_, talk.at_caller, *retriever_, at_retriever);
    ++counts_.cycles;
  }
  forget();
}

LoadOffice::Talk LoadOffice::connect() {
  Talk talk;
  const int status = dial(*caller_, "+44203" + parker_number_, talk.at_caller);
  if (status == 200) {
    talk.at_parker = parker_->wait_incoming();
    // A parkd that has died before it wrote that an earlier caller hung up leaves it to the next one to recall the
    // parker. An ordinary call has one Call-ID at all phones.
    while (talk.at_parker != talk.at_caller) {
      parker_->hang_up(talk.at_parker);
      talk.at_parker = parker_->wait_incoming();
    }
    return talk;
  }
  ++counts_.refused_calls;
  hang_up_what_is_left(*parker_);
  return {};
}

bool LoadOffice::park(const Talk& talk) {
  const int status = parker_->refer(talk.at_parker, "*68" + parker_number_);
  if (status != 202 && status != 408) return false;
  const auto is_parked = [&] { return site_->is_parked(parker_number_); };
  const auto reports_end = [&] {
    const auto reports = parker_->transfer_reports(talk.at_parker);
    return !reports.empty() && !reports.back().starts_with("SIP/2.0 100");
  };
  // A parker without a final NOTIFY was parked by a parkd that has died since, or Kamailio lost it.
  wait_until(kGivesUpAfter, reports_end);
  const auto reports = parker_->transfer_reports(talk.at_parker);
  const bool told = !reports.empty() && reports.back().starts_with("SIP/2.0 2");
  if (!told && !wait_until(milliseconds(2000), is_parked)) return false;
  // parkd may have ended it.
  if (!parker_->is_closed(talk.at_parker)) parker_->hang_up(talk.at_parker);
  return true;
}

CallName LoadOffice::retrieve(const Talk& talk) {
  std::string answers;
  const auto began = steady_clock::now();
  auto refused = steady_clock::time_point::max();
  for (int attempt = 0; attempt < kRetrievesMax; ++attempt) {
    CallName call;
    const int status = dial(*retriever_, "*88" + parker_number_, call);
    const auto answered = steady_clock::now();
    if (status == 200) {
      const bool joined = wait_until(kSoon, [&] {
        return retriever_->is_closed(call) || (caller_->audio_remote(talk.at_caller) == retriever_->sound().own());
      });
      if (joined && !retriever_->is_closed(call)) {
        counts_.add({.ended = answered,
                     .waited = std::chrono::duration_cast<milliseconds>(answered - began),
                     .refused = std::chrono::duration_cast<milliseconds>(answered - std::min(answered, refused))});
        return call;
      }
      hang_up_what_is_left(*retriever_);
    }
    answers += " " + std::to_string(status);
    refused = std::min(refused, answered);
    if (caller_->is_closed(talk.at_caller)) break;
    pass(kRetrieveAgainAfter);
  }
  fault(talk.at_caller,
        (caller_->is_closed(talk.at_caller) ? "was hung up on while parked;" : "cannot be retrieved;") + answers);
  if (!caller_->is_closed(talk.at_caller)) caller_->hang_up(talk.at_caller);
  return {};
}

void LoadOffice::end(PacketPhone& one, const CallName& at_one, PacketPhone& other, const CallName& at_other) {
  const bool first = ++turn_ % 2 == 0;
  PacketPhone& leaves = first ? one : other;
  PacketPhone& stays = first ? other : one;
  const CallName& at_leaver = first ? at_one : at_other;
  const CallName& at_stayer = first ? at_other : at_one;
  const int status = leaves.hang_up(at_leaver);
  if (wait_until(kSoon, [&] { return stays.is_closed(at_stayer); })) return;
  fault(at_leaver, leaves.name() + " has hung up (" + std::to_string(status) + "), and " + stays.name() + " has not");
  stays.hang_up(at_stayer);
}

int LoadOffice::dial(PacketPhone& phone, const std::string& number, CallName& call) {
  call = phone.start_call(number);
  const auto begun = steady_clock::now();
  while (steady_clock::now() - begun < kGivesUpAfter) {
    if (wait_until(kRepeatAfter, [&] { return phone.invite_status(call) != 0; })) return phone.invite_status(call);
    phone.repeat_invite(call);
  }
  phone.cancel(call);
  // The answer may have crossed the CANCEL.
  if (phone.wait_invite_status(call, kRepeatAfter) == 200) phone.hang_up(call);
  return 0;
}

// What was answered and never acknowledged ends after a while (RFC 3261 13.3.1.4).
void LoadOffice::hang_up_what_is_left(PacketPhone& phone) {
  while (phone.calls() > 0) {
    try {
      phone.hang_up(phone.wait_incoming(milliseconds(100)));
    } catch (const std::runtime_error&) {
      return;
    }
  }
}

void LoadOffice::forget() {
  for (PacketPhone* phone : {caller_.get(), parker_.get(), retriever_.get()}) {
    hang_up_what_is_left(*phone);
    phone->forget();
  }
}

Load::Load(TestSite& site) : Load(std::make_shared<TestLoadSite>(site)) {}

void Load::start(Work work, int offices, milliseconds pause) {
  for (int i = 0; i < offices; ++i) {
    offices_.push_back(std::make_unique<LoadOffice>(site_, static_cast<int>(offices_.size()), counts_));
    LoadOffice& office = *offices_.back();
    threads_.emplace_back([this, &office, work, pause, after = pause * i / offices] {
      pass(after);
      while (running_) {
        const auto next = steady_clock::now() + pause;
        office.work(work == Work::kOrdinaryCalls ? &LoadOffice::ordinary_call : &LoadOffice::park_cycle);
        const auto left = std::chrono::duration_cast<milliseconds>(next - steady_clock::now());
        if (left > milliseconds(0)) pass(left);
      }
    });
  }
}

void Load::stop() {
  running_ = false;
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

std::vector<std::string> Load::faults() const {
  std::vector<std::string> all;
  for (const auto& office : offices_) std::ranges::copy(office->faults(), std::back_inserter(all));
  return all;
}

std::vector<std::string> Load::parkers() const {
  std::vector<std::string> numbers;
  for (const auto& office : offices_) numbers.push_back(office->parker_number());
  return numbers;
}

}  // namespace callpark::test
