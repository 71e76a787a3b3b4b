// What the operator of this node sets about parking.
#pragma once

#include <string>

#include "base/clock.h"

namespace callpark {

struct ParkSettings {
  std::string node_name;
  Duration parker_bye_timeout{2000};  // a phone's BYE after the final NOTIFY
  Duration music_retry{5000};         // after a caller refused the re-INVITE to its music
  /// Ringing of a recall's ring group: longer than Kamailio permits, which for a ring group of 20 phones and its own
  /// forwarding is up to 6300 s.
  Duration handed_over_max{6600000};
  Duration announcement_max{30000};
  Duration call_back_ring_max{20000};  // of a parker that is called back to hear the orbit
  Duration refusal_speech_max{10000};
  /// FEATURES S10: the loser of a race is answered within 300 ms and hears only the beginning of the sentence; a higher
  /// value plays the whole sentence.
  Duration already_picked_up_speech_max{200};
  // Of a call to the code of a call flow.
  Duration flow_first_key{10000};  // after the prompt that asks for the PIN
  Duration flow_next_key{5000};    // after each key; then the entry is complete
  Duration flow_call_max{180000};
  Duration menu_call_max{900000};  // of a caller in menus and at announcements, until it talks
};

}  // namespace callpark
