#include "parkd/service/messenger.h"

#include "base/log.h"
#include "parkd/service/message_text.h"

namespace callpark {
namespace {

// Who answers the text that a call is parked retrieves it. Nobody answers the others.
std::string sender_of(const ParkEvent& event, const std::string& dialled) {
  return event.kind == ParkEventKind::kParked ? dialled : "callpark";
}

}  // namespace

void Messenger::tell(const ParkEvent& event, const std::string& dialled) {
  if (event.by == event.parker || message_text(event, dialled, "en").empty()) return;
  if (event.kind == ParkEventKind::kParked && dialled.empty()) return;  // a call that an earlier parkd parked
  store_.look_up_recipients(
      event, [this, event, dialled](const Result<std::vector<Recipient>, StoreUnavailable>& recipients) {
        if (!recipients) {
          return log_warning(event.sip_call_id, "the database is away: nobody is told that the call is {}",
                             name_of(event.kind));
        }
        for (const Recipient& recipient : *recipients) {
          messages_.send({event.tenant, recipient.extension, sender_of(event, dialled),
                          message_text(event, dialled, recipient.language)});
        }
      });
}

}  // namespace callpark
