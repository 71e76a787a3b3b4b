// A list of `name` and `name=value` parameters in their order, as after ";" in URIs, Via, From, To and others.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callpark::sip {

struct Param {
  std::string name;
  /// As written, quotes and escapes included. A missing value and an empty value are different.
  std::optional<std::string> value;

  bool operator==(const Param&) const = default;
};

/// Names are compared without regard to case (RFC 3261 7.3.1).
class Params {
 public:
  Params() = default;
  Params(std::initializer_list<Param> params) : params_(params) {}

  bool has(std::string_view name) const noexcept { return find(name) != nullptr; }
  /// Returns the value, an empty one for a parameter without value, none if there is no such parameter. The view is
  /// valid until the list changes.
  std::optional<std::string_view> get(std::string_view name) const noexcept;
  /// Replaces the value of the parameter, or appends the parameter.
  void set(std::string_view name, std::optional<std::string_view> value = std::nullopt);
  void remove(std::string_view name);

  bool empty() const noexcept { return params_.empty(); }
  std::size_t size() const noexcept { return params_.size(); }
  auto begin() const noexcept { return params_.begin(); }
  auto end() const noexcept { return params_.end(); }
  /// Appends without a search for an earlier one of that name.
  void append(Param param) { params_.push_back(std::move(param)); }
  /// Appends ";name=value" for each, in order.
  void write(std::string& out) const;

  bool operator==(const Params&) const = default;

 private:
  const Param* find(std::string_view name) const noexcept;

  std::vector<Param> params_;
};

}  // namespace callpark::sip
