#include "parkd/service/stays.h"

#include <utility>
#include <variant>

namespace callpark {

void Stays::settle(const std::vector<park::Action>& actions) {
  for (const park::Action& action : actions) {
    if (std::holds_alternative<park::WithdrawStay>(action)) proposed_.reset();
    if (std::holds_alternative<park::CommitStay>(action) && proposed_) {
      present_ = std::move(*proposed_);
      proposed_.reset();
    }
  }
}

}  // namespace callpark
