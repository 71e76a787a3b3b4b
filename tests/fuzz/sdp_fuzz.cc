// Any octets as a session description, whole or as the digest: never a crash, and what was read is written and read
// again the same.
#include <cstdint>
#include <cstdlib>

#include "parkd/message/sdp_codecs.h"

namespace callpark::sip {
namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

void description(std::string_view text, SdpForm form) {
  const auto sdp = parse_sdp(text, form);
  if (!sdp) return;
  for (const SdpMedia& media : sdp->media) {
    SdpMedia copy{media.media, media.port, media.port_count, media.protocol, {}, {}, {}, {}};
    const auto list = codecs(media);
    for (const Codec& codec : list) add_codec(copy, codec);
    expect(codecs(copy) == list);
    set_direction(copy, reversed(direction(*sdp, media)));
    expect(direction(*sdp, copy) == reversed(direction(*sdp, media)));
    is_hold(*sdp, media);
    ptime(media);
  }
  audio(*sdp);
  const auto again = parse_sdp(write_sdp(*sdp));
  expect(again && *again == *sdp);
}

}  // namespace
}  // namespace callpark::sip

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  callpark::sip::description(text, callpark::sip::SdpForm::kFull);
  callpark::sip::description(text, callpark::sip::SdpForm::kDigest);
  return 0;
}
