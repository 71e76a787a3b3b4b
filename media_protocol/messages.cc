#include "media_protocol/messages.h"

#include <strings.h>

#include <array>

namespace callpark::media {
namespace {

struct Row {
  CodecName name;
  std::string_view text;
};
constexpr std::array kCodecNames = {Row{CodecName::kPcmu, "PCMU"}, Row{CodecName::kPcma, "PCMA"},
                                    Row{CodecName::kG722, "G722"}, Row{CodecName::kOpus, "opus"}};

}  // namespace

std::string_view codec_text(CodecName name) {
  return kCodecNames[static_cast<std::size_t>(name)].text;
}

std::optional<CodecName> codec_from_text(std::string_view text) {
  for (const Row& row : kCodecNames) {
    if (row.text.size() == text.size() && strncasecmp(row.text.data(), text.data(), text.size()) == 0) return row.name;
  }
  return std::nullopt;
}

}  // namespace callpark::media
