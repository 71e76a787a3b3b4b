// Typed reading of a JSON object's members. Faults are collected, so that one error names every bad member; the values
// read then are harmless defaults and are not used. For codec.cc.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace callpark::media {

class FieldErrors {
 public:
  bool empty() const { return sentence_.empty(); }
  const std::string& sentence() const { return sentence_; }
  void add(std::string_view what);

 private:
  std::string sentence_;
};

class Fields {
 public:
  /// `object` (which may be any JSON) and `errors` must outlive this; `path` names the object in errors.
  Fields(const Json& object, FieldErrors& errors, std::string path);

  /// Null counts as absent.
  bool has(const char* key) const;
  std::string text(const char* key, std::size_t length_min, std::size_t length_max) const;
  bool boolean(const char* key) const;
  std::uint64_t counter(const char* key) const;
  template <std::integral Number>
  Number number(const char* key, std::int64_t min, std::int64_t max) const {
    return static_cast<Number>(whole(key, min, max));
  }
  Fields object(const char* key) const;
  void each(const char* key, std::size_t count_min, std::size_t count_max,
            const std::function<void(const Fields&)>& on_element) const;
  void fail(const char* key, std::string_view what) const;

 private:
  const Json* find(const char* key) const;
  std::int64_t whole(const char* key, std::int64_t min, std::int64_t max) const;

  const Json* object_;
  FieldErrors* errors_;
  std::string path_;
};

}  // namespace callpark::media
