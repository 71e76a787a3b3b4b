#include "parkd/message/params.h"

#include <algorithm>

#include "parkd/message/characters.h"

namespace callpark::sip {

const Param* Params::find(std::string_view name) const noexcept {
  for (const Param& param : params_) {
    if (same_ignoring_case(param.name, name)) return &param;
  }
  return nullptr;
}

std::optional<std::string_view> Params::get(std::string_view name) const noexcept {
  const Param* const param = find(name);
  if (param == nullptr) return std::nullopt;
  return param->value ? std::string_view(*param->value) : std::string_view{};
}

void Params::set(std::string_view name, std::optional<std::string_view> value) {
  Param fresh{std::string(name), value ? std::optional<std::string>(*value) : std::nullopt};
  const auto place = std::find_if(params_.begin(), params_.end(),
                                  [&](const Param& param) { return same_ignoring_case(param.name, fresh.name); });
  if (place == params_.end()) {
    params_.push_back(std::move(fresh));
  } else {
    place->value = std::move(fresh.value);
  }
}

void Params::remove(std::string_view name) {
  std::erase_if(params_,
                [name = std::string(name)](const Param& param) { return same_ignoring_case(param.name, name); });
}

void Params::write(std::string& out) const {
  for (const Param& param : params_) {
    out.append(1, ';').append(param.name);
    if (param.value) out.append(1, '=').append(*param.value);
  }
}

}  // namespace callpark::sip
