// Finds what belongs to a dialog by its three names, in constant time. Both ends of one dialog may stand in it side by
// side: their keys differ in the order of the tags.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility>

#include "parkd/dialog/dialog_id.h"

namespace callpark::sip {

/// Pointers stay good until their own entry is erased. Not thread-safe.
template <class T>
class DialogTable {
 public:
  /// False, and nothing done, when there is one of that id already.
  bool insert(DialogId id, T value) { return entries_.try_emplace(std::move(id), std::move(value)).second; }
  bool erase(const DialogId& id) { return entries_.erase(id) > 0; }

  /// Null when there is none.
  T* find(const DialogId& id) {
    auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
  }
  const T* find(const DialogId& id) const {
    auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
  }
  /// The end that the message was sent to: `find(dialog_id_of(received))`.
  T* find_for(const SipMessage& received) { return find(dialog_id_of(received)); }
  T* find_for(const Replaces& replaces) { return find(dialog_id_of(replaces)); }

  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  /// In no order; pairs of DialogId and T. Nothing may be inserted or erased meanwhile.
  auto begin() noexcept { return entries_.begin(); }
  auto end() noexcept { return entries_.end(); }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }

 private:
  std::unordered_map<DialogId, T> entries_;
};

}  // namespace callpark::sip
