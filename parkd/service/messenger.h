// Tells phones what happened to parked calls: who is to be told is asked of the tables, and each gets a text in his
// language.
#pragma once

#include <string>

#include "parkd/service/ports.h"

namespace callpark {

class Messenger {
 public:
  /// Both must outlive the messenger.
  Messenger(Store& store, Messages& messages) : store_(store), messages_(messages) {}

  /// `dialled` is what retrieves the call; without it nobody is told that a call is parked. Nobody is told what he did
  /// himself.
  void tell(const ParkEvent& event, const std::string& dialled);

 private:
  Store& store_;
  Messages& messages_;
};

}  // namespace callpark
