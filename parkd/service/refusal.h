// The outcome of a refusal: the prompt that is played, the status that ends the request, and its phrase.
#pragma once

#include <string>

#include "parkd/park/types.h"

namespace callpark {

struct Refusal {
  int status;
  std::string phrase;  // shown by the phone
  std::string prompt;  // played to the phone
};

Refusal refusal_of(park::RefusalReason reason);

}  // namespace callpark
