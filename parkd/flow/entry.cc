#include "parkd/flow/entry.h"

#include <openssl/crypto.h>

namespace callpark::flow {

void Entry::add(char key) {
  if (is_too_long()) return;
  if (size_ < kPinDigitsMax) keys_[size_] = key;
  ++size_;
}

void Entry::wipe() {
  OPENSSL_cleanse(keys_.data(), keys_.size());
  size_ = 0;
}

}  // namespace callpark::flow
