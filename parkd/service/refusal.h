// How a refusal sounds and looks: the sentence that is spoken, the status that ends the request, and its phrase.
#pragma once

#include <string_view>

#include "parkd/park/types.h"

namespace callpark {

struct Refusal {
  int status;
  std::string_view phrase;  // on the phone's display
  std::string_view prompt;  // in the phone's ear
};

Refusal refusal_of(park::RefusalReason reason);

}  // namespace callpark
