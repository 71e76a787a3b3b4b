// The keys that a caller has entered as a PIN. They are never printed, and each copy is wiped when it is destroyed.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "parkd/flow/types.h"

namespace callpark::flow {

class Entry {
 public:
  Entry() = default;
  Entry(const Entry&) = default;
  Entry& operator=(const Entry&) = default;
  ~Entry() { wipe(); }

  /// A key more than a PIN may have makes the entry too long; it is not kept.
  void add(char key);
  void wipe();

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  bool is_too_long() const { return size_ > kPinDigitsMax; }
  /// Of an entry that is too long, the first keys.
  std::string_view keys() const { return {keys_.data(), is_too_long() ? kPinDigitsMax : size_}; }

  friend bool operator==(const Entry&, const Entry&) = default;

 private:
  std::array<char, kPinDigitsMax> keys_{};
  std::size_t size_ = 0;
};

}  // namespace callpark::flow
