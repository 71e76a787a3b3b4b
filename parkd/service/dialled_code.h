// What a dialled code means: pure, from the facts that the tables have of it.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "parkd/park/types.h"
#include "parkd/service/ports.h"

namespace callpark {

struct ParkCommand {
  OrbitWish wish;
};
struct RetrieveCommand {
  RetrieveWish wish;
};
using Command = std::variant<ParkCommand, RetrieveCommand>;

/// How the number was used. An orbit of a range parks when a call is transferred to it, and retrieves when it is
/// dialled.
enum class Dialled { kAsCall, kAsTransfer };

/// `user` is the extension that dials.
Result<Command, park::RefusalReason> interpret(const DialledFacts& facts, const std::string& user, Dialled dialled);

/// What a retriever dials for this orbit: `*71` and `333`, `*71` and `*7250`.
std::string dialled_to_retrieve(const DialledFacts& facts, const std::string& orbit);

}  // namespace callpark
