#include "parkd/presence/call_info_writer.h"

#include "parkd/presence/xml_text.h"

namespace callpark::presence {

std::string write_call_info(const std::optional<ShownParty>& parked) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  text += "<x-broadworks-callpark-info xmlns=\"http://schema.broadsoft.com/callpark\">";
  if (parked) {
    text += "<callpark><parked><identity display=\"" + escape_xml(parked->display) + "\">" + escape_xml(parked->uri) +
            ";user=phone</identity></parked></callpark>";
  } else {
    text += "<callpark/>";
  }
  return text + "</x-broadworks-callpark-info>\n";
}

}  // namespace callpark::presence
