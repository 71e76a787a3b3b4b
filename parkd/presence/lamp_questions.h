// Kamailio's questions for lamps: a PUBLISH with Event: dialog.winfo (RFC 3857: the watchers of a lamp), sent before a
// watcher gets its first NOTIFY. The answer comes once the lamp's publication is true.
#pragma once

#include "parkd/presence/lamp_board.h"
#include "parkd/presence/sip_way.h"
#include "parkd/transaction/transaction_layer.h"

namespace callpark::presence {

class LampQuestions {
 public:
  /// The board must outlive the questions.
  LampQuestions(SipWay way, LampBoard& board) : way_(std::move(way)), board_(board) {}

  static bool serves(const sip::SipMessage& request);
  void on_publish(sip::ServerTransactionKey key, const sip::SipMessage& request);

 private:
  void respond(sip::ServerTransactionKey key, const sip::SipMessage& request, int status);

  const SipWay way_;
  LampBoard& board_;
};

}  // namespace callpark::presence
