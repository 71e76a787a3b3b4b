#include "parkd/service/messenger.h"

#include "base/log.h"
#include "parkd/service/message_text.h"

namespace callpark {
namespace {

// A phone that answers the text about a parked call retrieves the call. The other texts need no answer.
std::string sender_of(const ParkEvent& event, const std::string& dialled) {
  return event.kind == ParkEventKind::kParked ? dialled : "callpark";
}

}  // namespace

void Messenger::send(const ParkEvent& event, const std::string& dialled) {
  if (event.by == event.parker || message_text(event, dialled, "en").empty()) return;
  if (event.kind == ParkEventKind::kParked && dialled.empty()) return;
  ports_.store.look_up_recipients(
      event, [this, event, dialled](const Result<std::vector<Recipient>, StoreUnavailable>& recipients) {
        if (!recipients) {
          return log_warning(event.sip_call_id, "the database is away: no text is sent about event {}",
                             name_of(event.kind));
        }
        for (const Recipient& recipient : *recipients) {
          ports_.messages.send({event.tenant, recipient.extension, sender_of(event, dialled),
                                message_text(event, dialled, recipient.language)});
        }
      });
}

}  // namespace callpark
