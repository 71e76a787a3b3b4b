#include "mediad/engine/codec_facts.h"

#include <array>

namespace callpark::media {
namespace {

constexpr std::array kFacts = {CodecFacts{CodecName::kPcmu, 8000, 8000, 0}, CodecFacts{CodecName::kPcma, 8000, 8000, 8},
                               CodecFacts{CodecName::kG722, 8000, 16000, 9},
                               CodecFacts{CodecName::kOpus, 48000, 48000, std::nullopt}};

}  // namespace

std::span<const CodecFacts> all_codecs() {
  return kFacts;
}

const CodecFacts& facts_of(CodecName name) {
  return kFacts[static_cast<std::size_t>(name)];
}

}  // namespace callpark::media
