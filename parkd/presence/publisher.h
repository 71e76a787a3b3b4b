// Tells Kamailio's presence server what each lamp shows: PUBLISH (RFC 3903), one under way for each presentity.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/metrics.h"
#include "parkd/presence/dialog_info_writer.h"
#include "parkd/presence/publication.h"
#include "parkd/presence/sip_way.h"
#include "parkd/ports/presence_store.h"

namespace callpark::presence {

struct PublisherSettings {
  /// How long a publication lives without a refresh, which comes after three quarters of it.
  Duration expires{3600000};
  /// How long the first wait for another try is; each next one is twice as long, up to `retry_max`, or, when Kamailio
  /// said that the request is wrong, up to `rejected_retry_max`.
  Duration retry{250};
  Duration retry_max{2000};
  Duration rejected_retry_max{30000};
  /// How long a publication that has ended is left in Kamailio's table; it must be out before it expires there, since
  /// what Kamailio then says to watchers may overtake what is published meanwhile.
  Duration ended_kept{60000};
  /// Publications that may begin before others have ended.
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

  /// From now on the lamp of info.presentity shows this, which is not terminated.
  void show(const DialogInfo& info);
  /// From now on it shows that nothing is there: the dialog shown last has terminated.
  void darken(const Presentity& presentity);
  /// Kamailio's table shows something else: it is told again.
  void doubt(const Presentity& presentity);

  enum class Standing {
    kUnknown,   // nothing is known of it here
    kSettled,   // told, and nothing else was wanted since `since`
    kChanging,  // the table may not show it yet
    kFailing,   // Kamailio would not have it
  };
  Standing standing(const Presentity& presentity, MonotonicTime since) const;

 private:
  struct Lamp {
    Publication state;
    DialogInfo wanted;
    MonotonicTime changed_at;
    LoopHandle timer;
    int status = 0;  // of the last answer; 0: there was none
    std::string call_id;
    std::string tag;
    std::uint32_t cseq = 0;
  };

  Lamp& lamp_of(const Presentity& presentity);
  void tell(const Presentity& presentity, const publication::Event& event);
  void perform(const Presentity& presentity, Lamp& lamp, const publication::Action& action);
  /// At once, or when others have ended: Kamailio's socket holds only so many requests.
  void begin(const Presentity& presentity, std::function<void()> work);
  void ask(const Presentity& presentity);
  void publish(const Presentity& presentity, const std::string& etag);
  void on_response(const Presentity& presentity, const sip::SipMessage& response);
  Duration retry_wait(const Lamp& lamp) const;
  void start_waiting_ones();

  const SipWay way_;
  PresenceStore& store_;
  const PublisherSettings settings_;
  Counter accepted_;
  Counter failed_;
  std::map<Presentity, Lamp> lamps_;
  Serial last_serial_ = 0;
  std::set<Presentity> under_way_;
  std::deque<std::function<void()>> waiting_;  // to be begun
};

}  // namespace callpark::presence
