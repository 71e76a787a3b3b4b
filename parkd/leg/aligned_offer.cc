#include "parkd/leg/aligned_offer.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "parkd/leg/sdp_lines.h"

namespace callpark::leg {

using sip::Direction;
using sip::Sdp;
using sip::SdpMedia;
using sip::SdpOrigin;

namespace {

bool is_direction(const sip::SdpAttribute& attribute) {
  return attribute.name == sip::text_of(Direction::kSendRecv) || attribute.name == sip::text_of(Direction::kSendOnly) ||
         attribute.name == sip::text_of(Direction::kRecvOnly) || attribute.name == sip::text_of(Direction::kInactive);
}

// The lines of a description about the session as a whole; without the direction, which is written at each line.
Sdp session_part(const Sdp& from) {
  Sdp session;
  session.origin = from.origin;
  session.connection = from.connection;
  session.other_lines = from.other_lines;
  session.attributes = from.attributes;
  session.attributes.erase(std::remove_if(session.attributes.begin(), session.attributes.end(), is_direction),
                           session.attributes.end());
  return session;
}

// RFC 4566 5.7: each line without c= of its own needs one at the session, lines refused too.
void complete_connection(Sdp& sdp) {
  if (sdp.connection) return;
  for (const auto& line : sdp.media) {
    if (!line.connection) continue;
    sdp.connection = line.connection;
    return;
  }
}

SdpMedia offered_onwards(const Sdp& party, const SdpMedia& line) {
  SdpMedia result = line;
  const bool again = line.media == kAudio && !sip::is_hold(party, line);
  sip::set_direction(result, again ? Direction::kSendRecv : sip::direction(party, line));
  return result;
}

const SdpMedia* nth_line(const Sdp& sdp, std::string_view media, std::size_t n) {
  for (const auto& line : sdp.media) {
    if (line.media == media && n-- == 0) return &line;
  }
  return nullptr;
}

// Which of the lines in use of its type this one is. align_offer() has given the first to the first and so on.
std::size_t rank_in_use(const Sdp& sdp, const SdpMedia& line) {
  std::size_t rank = 0;
  for (const auto& each : sdp.media) {
    if (&each == &line) break;
    if (each.media == line.media && each.port != 0) ++rank;
  }
  return rank;
}

SdpMedia answered_back(const Sdp& answer, const Sdp& original_offer, const SdpMedia& offered) {
  if (offered.port == 0) return refused(offered);
  const SdpMedia* answered = nth_line(answer, offered.media, rank_in_use(original_offer, offered));
  if (!answered || answered->port == 0) return refused(offered);
  SdpMedia result = without_conflicts(*answered, sip::codecs(offered));
  sip::set_direction(result, within(sip::direction(answer, *answered), sip::direction(original_offer, offered)));
  return result;
}

}  // namespace

Sdp align_offer(const Sdp& other_party, const std::optional<Sdp>& our_previous,
                const std::optional<Sdp>& their_previous, const PayloadNumbers& numbers) {
  std::vector<const SdpMedia*> waiting;
  for (const auto& line : other_party.media) {
    if (line.port != 0) waiting.push_back(&line);
  }
  Sdp offer = session_part(other_party);
  if (const auto origin = continued(origin_of(our_previous))) offer.origin = *origin;
  for (const auto& slot : lines_of_session(our_previous, their_previous)) {
    const auto next =
        std::find_if(waiting.begin(), waiting.end(), [&](const SdpMedia* line) { return line->media == slot.media; });
    if (next == waiting.end()) {
      offer.media.push_back(refused(slot));
      continue;
    }
    offer.media.push_back(renumbered(offered_onwards(other_party, **next), numbers.at(offer.media.size())));
    waiting.erase(next);
  }
  for (const SdpMedia* line : waiting) offer.media.push_back(offered_onwards(other_party, *line));
  complete_connection(offer);
  return offer;
}

bool is_heard_alike(const Sdp& one, const Sdp& other) {
  const SdpMedia* here = sip::audio(one);
  const SdpMedia* there = sip::audio(other);
  if (!here || !there) return here == there;
  const sip::SdpConnection* from = sip::connection(one, *here);
  const sip::SdpConnection* to = sip::connection(other, *there);
  const bool same_address = from && to ? from->address == to->address : from == to;
  return same_address && here->port == there->port && sip::is_hold(one, *here) == sip::is_hold(other, *there);
}

Sdp align_answer(const Sdp& answer, const Sdp& original_offer, const std::optional<SdpOrigin>& our_origin) {
  Sdp result = session_part(answer);
  if (const auto origin = continued(our_origin)) result.origin = *origin;
  for (const auto& offered : original_offer.media) {
    result.media.push_back(answered_back(answer, original_offer, offered));
  }
  complete_connection(result);
  return result;
}

}  // namespace callpark::leg
