// The notifier of phones' call-park notifications (Event: call-info): answers SUBSCRIBEs to extensions, and notifies
// each watcher when another call is parked for the extension. Subscriptions are kept in SQL, where the next parkd finds
// them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "base/metrics.h"
#include "parkd/dialog/dialog.h"
#include "parkd/ports/presence_store.h"
#include "parkd/presence/call_info_writer.h"
#include "parkd/presence/sip_way.h"
#include "parkd/presence/subscription.h"

namespace callpark::presence {

struct CallInfoSettings {
  std::chrono::seconds expires_max{3600};
  /// Wait before the second try; each next wait is five times as long.
  Duration retry{1000};
  /// Interval in which the tables are read for missed changes, and the wait if they cannot be read.
  Duration compare_every{5000};
  Duration read_retry{500};
  /// Subscriptions of one extension to another one: as many as it may have devices. Then the oldest makes room.
  std::size_t of_watcher_to_one_max = 10;
  /// Of one extension, and of one tenant; more are refused with 503.
  std::size_t of_watcher_max = 500;
  std::size_t of_tenant_max = 10000;
};

/// Lives on the loop's thread; destroyed when the loop does not run any more.
class CallInfoNotifier {
 public:
  /// `store` must outlive the notifier.
  CallInfoNotifier(SipWay way, PresenceStore& store, Metrics& metrics, CallInfoSettings settings);
  ~CallInfoNotifier();
  CallInfoNotifier(const CallInfoNotifier&) = delete;
  CallInfoNotifier& operator=(const CallInfoNotifier&) = delete;

  /// Takes over the subscriptions of an earlier parkd, and notifies them of the present state. Until then SUBSCRIBEs
  /// are answered 500 with Retry-After.
  void start();
  /// True of SUBSCRIBE with Event: call-info.
  static bool serves(const sip::SipMessage& request);
  void on_subscribe(sip::ServerTransactionKey key, const sip::SipMessage& request);
  void on_call_changed(const CallChange& change);
  std::size_t subscriptions() const { return watches_.size(); }

 private:
  struct Watched {
    std::string tenant;
    std::string extension;
    friend auto operator<=>(const Watched&, const Watched&) = default;
  };
  struct Watch {
    CallInfoSubscription row;  // as written: no NOTIFY may have a higher CSeq than its local_cseq
    sip::DialogState dialog;
    Subscription state;
    std::optional<ShownParty> shown;
    bool is_read = false;  // false until `shown` is read from the tables
    LoopHandle expiry;
    LoopHandle retry;
  };
  using SubscriptionId = std::string;

  void subscribe(sip::ServerTransactionKey key, const sip::SipMessage& request);
  void admit(sip::ServerTransactionKey key, const sip::SipMessage& request, Watch watch, std::chrono::seconds expires);
  void refresh(sip::ServerTransactionKey key, const sip::SipMessage& request);
  bool make_room(const Watch& watch);
  Watch& add(Watch watch);
  void forget(const SubscriptionId& id);
  void set_expiry(Watch& watch, Duration after);
  void write(Watch& watch);
  std::chrono::seconds expires_of(const sip::SipMessage& request) const;
  void respond(sip::ServerTransactionKey key, const sip::SipMessage& request, int status);
  void accept(sip::ServerTransactionKey key, const sip::SipMessage& request, const std::string& tag,
              std::chrono::seconds expires);

  void handle(const SubscriptionId& id, const subscription::Event& event);
  void notify_again(const SubscriptionId& id);
  void notify(const SubscriptionId& id, Watch& watch, std::optional<SubscriptionEnd> end);
  void read_again(const Watched& watched);
  void read();
  void on_read(const std::set<Watched>& asked, const Result<std::vector<CallInfo>, StoreUnavailable>& infos);
  void show(const Watched& watched, const CallInfo* info);

  const SipWay way_;
  PresenceStore& store_;
  const CallInfoSettings settings_;
  Gauge count_;
  bool is_ready_ = false;
  Serial last_serial_ = 0;
  std::map<SubscriptionId, Watch> watches_;
  std::unordered_map<sip::DialogId, SubscriptionId> ids_by_dialog_;
  std::map<Watched, std::set<SubscriptionId>> ids_by_watched_;
  // By watcher, and by tenant with an empty extension.
  std::map<Watched, std::size_t> counts_;
  std::set<Watched> changed_;  // to be read
  bool is_reading_ = false;
  LoopHandle retry_;
  LoopHandle comparison_;
};

}  // namespace callpark::presence
