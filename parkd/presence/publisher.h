// Publishes the state of each lamp to Kamailio's presence server: PUBLISH (RFC 3903), one at a time for a presentity.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/metrics.h"
#include "parkd/ports/presence_store.h"
#include "parkd/presence/dialog_info_writer.h"
#include "parkd/presence/publication.h"
#include "parkd/presence/sip_way.h"

namespace callpark::presence {

struct PublisherSettings {
  /// Lifetime of a publication without a refresh, which comes after three quarters of it.
  Duration expires{3600000};
  /// Wait before the second try; each next wait is twice as long, up to `retry_max`, or, if Kamailio answered 4xx, up
  /// to `rejected_retry_max`.
  Duration retry{250};
  Duration retry_max{2000};
  Duration rejected_retry_max{30000};
  /// Time after which parkd deletes an ended publication from Kamailio's table. It must be gone before it expires
  /// there, since Kamailio's NOTIFY of the expiry may overtake that of a later publication.
  Duration ended_kept{60000};
  /// Publications that may be under way at the same time.
  std::size_t under_way_max = 200;
};

/// Lives on the loop's thread; destroyed when the loop does not run any more.
class Publisher {
 public:
  /// `store` must outlive the publisher.
  Publisher(SipWay way, PresenceStore& store, Metrics& metrics, PublisherSettings settings);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// The lamp of info.presentity shows this from now on. The state must not be terminated.
  void show(const DialogInfo& info);
  /// The lamp is dark from now on: its last dialog has terminated.
  void darken(const Presentity& presentity);
  /// Kamailio's table has another state: publishes the lamp again.
  void doubt(const Presentity& presentity);
  /// The lamp has no watcher: its publication is deleted from Kamailio's table, without a PUBLISH.
  void forget(const Presentity& presentity);
  /// Calls `done` once Kamailio has what is wanted: true; false after a failure, which is tried again.
  void when_settled(const Presentity& presentity, std::function<void(bool)> done);

  enum class Condition {
    kUnknown,   // this publisher has never published the lamp
    kSettled,   // published, and unchanged since `since`
    kChanging,  // Kamailio's table may have an older state
    kFailing,   // Kamailio does not accept it
  };
  Condition condition(const Presentity& presentity, MonotonicTime since) const;

 private:
  struct Lamp {
    Publication state;
    DialogInfo wanted;
    MonotonicTime changed_at;
    LoopHandle timer;
    int status = 0;  // of the last answer; 0 if there was none
    std::string call_id;
    std::string tag;
    std::uint32_t cseq = 0;
  };

  Lamp& lamp_of(const Presentity& presentity);
  void handle(const Presentity& presentity, const publication::Event& event);
  void perform(const Presentity& presentity, Lamp& lamp, const publication::Action& action);
  /// Runs `work` at once, or after others have ended: Kamailio's socket holds a limited number of requests.
  void begin(const Presentity& presentity, std::function<void()> work);
  void find(const Presentity& presentity);
  void remove(const Presentity& presentity);
  void publish(const Presentity& presentity, const std::string& etag);
  void on_response(const Presentity& presentity, const sip::SipMessage& response);
  Duration retry_wait(const Lamp& lamp) const;
  void start_waiting();
  void answer_waiters(const Presentity& presentity, bool is_settled);

  const SipWay way_;
  PresenceStore& store_;
  const PublisherSettings settings_;
  Counter accepted_;
  Counter failed_;
  std::map<Presentity, Lamp> lamps_;
  Serial last_serial_ = 0;
  std::set<Presentity> under_way_;
  std::deque<std::function<void()>> waiting_;  // to be started
  std::multimap<Presentity, std::function<void(bool)>> waiters_;
};

}  // namespace callpark::presence
