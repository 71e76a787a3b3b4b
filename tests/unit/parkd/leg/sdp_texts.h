// Session descriptions for the tests, written with "\n" for readability.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "parkd/leg/offer_answer.h"

namespace callpark::leg {

inline sip::Sdp sdp_of(std::string_view text) {
  auto sdp = sip::parse_sdp(text);
  EXPECT_TRUE(sdp) << (sdp ? "" : sip::sentence(sdp.error())) << "\n" << text;
  return sdp ? *sdp : sip::Sdp{};
}

/// Payload type and name of each codec of a line, "0 PCMU, 101 telephone-event".
inline std::string codecs_text(const sip::SdpMedia& line) {
  std::string text;
  for (const auto& codec : sip::codecs(line)) {
    if (!text.empty()) text += ", ";
    text += std::to_string(codec.payload_type) + " " + codec.name;
  }
  return text;
}

/// Type and port of each line, "audio 4000, video 0".
inline std::string lines_text(const sip::Sdp& sdp) {
  std::string text;
  for (const auto& line : sdp.media) {
    if (!text.empty()) text += ", ";
    text += line.media + " " + std::to_string(line.port);
  }
  return text;
}

/// What mediad lists.
inline std::vector<PlayableCodec> playable_codecs() {
  return {{"PCMU", 8000, 0}, {"PCMA", 8000, 8}, {"G722", 8000, 9}, {"opus", 48000, std::nullopt}};
}

inline MediaAddress mediad_address() {
  return {"127.0.0.3", 40002};
}

/// John's last description: a phone with audio and video, on hold.
inline sip::Sdp johns_sdp() {
  return sdp_of(
      "v=0\no=john 2704906608 44770662 IN IP4 127.0.0.11\ns=-\nc=IN IP4 127.0.0.11\nt=0 0\n"
      "m=audio 5004 RTP/AVP 96 0 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000\na=sendonly\n"
      "m=video 5006 RTP/AVP 97\na=rtpmap:97 H264/90000\n");
}

/// The answer of the other party, with PCMU and opus.
inline sip::Sdp clients_sdp() {
  return sdp_of(
      "v=0\no=client 33 5 IN IP4 127.0.0.12\ns=-\nc=IN IP4 127.0.0.12\nt=0 0\n"
      "m=audio 6004 RTP/AVP 0 96 101\na=rtpmap:96 opus/48000/2\na=rtpmap:101 telephone-event/8000\na=recvonly\n"
      "m=video 6006 RTP/AVP 97\na=rtpmap:97 H264/90000\n");
}

/// A retriever's first offer: audio only, then a second audio line for SRTP.
inline sip::Sdp alices_offer() {
  return sdp_of(
      "v=0\no=alice 1 1 IN IP4 127.0.0.13\ns=-\nc=IN IP4 127.0.0.13\nt=0 0\na=tool:phone\n"
      "m=audio 7004 RTP/AVP 8 0 101\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=sendrecv\n");
}

}  // namespace callpark::leg
