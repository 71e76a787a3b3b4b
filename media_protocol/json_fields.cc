#include "media_protocol/json_fields.h"

#include <fmt/format.h>

#include <utility>

namespace callpark::media {
namespace {

// One error names the first few faults only; otherwise a list of bad elements would be answered with a longer one.
constexpr std::size_t kSentenceBytesMax = 512;

}  // namespace

void FieldErrors::add(std::string_view what) {
  if (sentence_.size() > kSentenceBytesMax) return;
  if (!sentence_.empty()) sentence_ += "; ";
  sentence_ += what;
}

Fields::Fields(const Json& object, FieldErrors& errors, std::string path)
    : object_(&object), errors_(&errors), path_(std::move(path)) {
  if (!object.is_object()) {
    errors.add(path_ + " must be an object");
    object_ = nullptr;
  }
}

const Json* Fields::find(const char* key) const {
  if (object_ == nullptr) return nullptr;
  const auto found = object_->find(key);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

bool Fields::has(const char* key) const {
  return find(key) != nullptr;
}

void Fields::fail(const char* key, std::string_view what) const {
  errors_->add(fmt::format("{}.{} {}", path_, key, what));
}

std::string Fields::text(const char* key, std::size_t length_min, std::size_t length_max) const {
  const Json* value = find(key);
  if (value != nullptr && value->is_string()) {
    const auto& text = value->get_ref<const std::string&>();
    if (text.size() >= length_min && text.size() <= length_max) return text;
  }
  fail(key, fmt::format("must be a text of {} to {} bytes", length_min, length_max));
  return {};
}

bool Fields::boolean(const char* key) const {
  const Json* value = find(key);
  if (value != nullptr && value->is_boolean()) return value->get<bool>();
  fail(key, "must be true or false");
  return false;
}

std::uint64_t Fields::counter(const char* key) const {
  const Json* value = find(key);
  if (value != nullptr && value->is_number_unsigned()) return value->get<std::uint64_t>();
  fail(key, "must be a whole number that is not negative");
  return 0;
}

std::int64_t Fields::whole(const char* key, std::int64_t min, std::int64_t max) const {
  const Json* value = find(key);
  const bool fits = value != nullptr && value->is_number_integer() &&
                    !(value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(max));
  if (fits) {
    const auto number = value->get<std::int64_t>();
    if (number >= min && number <= max) return number;
  }
  fail(key, fmt::format("must be a whole number from {} to {}", min, max));
  return min;
}

Fields Fields::object(const char* key) const {
  static const Json kNothing;
  const Json* value = find(key);
  return {value != nullptr ? *value : kNothing, *errors_, path_ + "." + key};
}

void Fields::each(const char* key, std::size_t count_min, std::size_t count_max,
                  const std::function<void(const Fields&)>& on_element) const {
  const Json* value = find(key);
  if (value == nullptr || !value->is_array() || value->size() < count_min || value->size() > count_max) {
    fail(key, fmt::format("must be a list of {} to {} elements", count_min, count_max));
    return;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    on_element(Fields((*value)[i], *errors_, fmt::format("{}.{}[{}]", path_, key, i)));
  }
}

}  // namespace callpark::media
