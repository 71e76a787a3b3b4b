// Finds what belongs to a dialog by its three names, in constant time. One table may hold both ends of one dialog:
// their keys differ in the order of the tags.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility>

#include "parkd/dialog/dialog_id.h"

namespace callpark::sip {

/// Pointers are valid until their own entry is erased. Not thread-safe.
template <class T>
class DialogTable {
 public:
  /// Returns false and does nothing if that id exists already.
  bool insert(DialogId id, T value) { return entries_.try_emplace(std::move(id), std::move(value)).second; }
  bool erase(const DialogId& id) { return entries_.erase(id) > 0; }

  /// Returns null if there is none.
  T* find(const DialogId& id) {
    auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
  }
  const T* find(const DialogId& id) const {
    auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
  }
  /// Returns the end that the message was sent to: `find(dialog_id_of(received))`.
  T* find_for(const SipMessage& received) { return find(dialog_id_of(received)); }
  T* find_for(const Replaces& replaces) { return find(dialog_id_of(replaces)); }

  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  /// Iterates in no order over pairs of DialogId and T. Nothing may be inserted or erased meanwhile.
  auto begin() noexcept { return entries_.begin(); }
  auto end() noexcept { return entries_.end(); }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }

 private:
  std::unordered_map<DialogId, T> entries_;
};

}  // namespace callpark::sip
