// The meaning of a dialled number, from the facts of the tables about it. Pure.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "parkd/park/types.h"
#include "parkd/ports/store.h"

namespace callpark {

struct ParkCommand {
  OrbitRequest request;
};
struct RetrieveCommand {
  RetrieveRequest request;
};
/// The call flow with this code is toggled.
struct ToggleCommand {
  std::string code;
};
/// The caller goes to the menu or announcement with this number.
struct MenuCommand {
  std::string number;
};
using Command = std::variant<ParkCommand, RetrieveCommand, ToggleCommand, MenuCommand>;

/// How the number was used: an orbit of a range retrieves if it is dialled, and parks if a call is transferred to it.
enum class Dialled { kAsCall, kAsTransfer };

/// `user` is the number of the extension that dials, "" for a trunk.
Result<Command, park::RefusalReason> interpret(const DialledFacts& facts, const std::string& user, Dialled dialled);

/// The number that retrieves from this orbit: `*71` and `333`, `*71` and `*7250`.
std::string dialled_to_retrieve(const DialledFacts& facts, const std::string& orbit);

}  // namespace callpark
