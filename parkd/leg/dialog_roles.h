// What each dialog of parkd's is to parkd. A request finds its leg here, and the object that has to act on it.
#pragma once

#include <variant>

#include "parkd/call/dialog_snapshot.h"
#include "parkd/call/ids.h"
#include "parkd/call/party.h"
#include "parkd/dialog/dialog_table.h"
#include "parkd/leg/dialog_leg.h"

namespace callpark::leg {

/// The parker's half of a dialog of two other user agents, while a REFER or a feature call is under consideration.
struct ParkerRole {
  DialogSnapshot callers_half;
  Extension parker;
  CallId call;  // the feature call; none for a REFER
};
struct CallRole {
  CallId call;
};
struct PartyRole {
  ConversationId conversation;
  PartyEnd end;
};
using DialogRole = std::variant<ParkerRole, CallRole, PartyRole>;

/// Loop's thread only.
class DialogRoles {
 public:
  struct Entry {
    LegPtr leg;
    DialogRole role;
  };

  explicit DialogRoles(UserAgent& agent) : agent_(agent) {}
  DialogRoles(const DialogRoles&) = delete;
  DialogRoles& operator=(const DialogRoles&) = delete;

  /// Null if parkd has no such dialog. Pointers are good until the entry is closed.
  const Entry* find(const sip::DialogId& id) const { return dialogs_.find(id); }
  const Entry* find_for(const sip::SipMessage& received) const { return dialogs_.find(sip::dialog_id_of(received)); }

  /// False if the dialog has a role already.
  bool add(const LegPtr& leg, DialogRole role);
  /// Replaces the role, if there is one.
  void set(const LegPtr& leg, DialogRole role);
  /// Closes the leg and forgets it, but not before a BYE that waits for an ACK is sent. Null does nothing.
  void close(const LegPtr& leg);
  /// The dialog is its parties' again, if `half` is a parker's under consideration. If the parker has hung up
  /// meanwhile, the BYE ended at parkd, and the other party gets one.
  void release(const LegPtr& half);
  /// parkd stops: all legs are abandoned.
  void abandon_all();

 private:
  UserAgent& agent_;
  sip::DialogTable<Entry> dialogs_;
};

}  // namespace callpark::leg
