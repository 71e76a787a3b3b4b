#include "parkd/presence/dialog_info_writer.h"

#include "parkd/message/sip_uri.h"
#include "parkd/presence/xml_text.h"

namespace callpark::presence {
namespace {

std::string identity(const std::string& display, const std::string& uri) {
  std::string text = "<identity";
  if (!display.empty()) text += " display=\"" + escape_xml(display) + "\"";
  return text + ">" + escape_xml(uri) + "</identity>";
}

}  // namespace

std::string_view name_of(DialogState state) {
  switch (state) {
    case DialogState::kEarly:
      return "early";
    case DialogState::kConfirmed:
      return "confirmed";
    case DialogState::kTerminated:
      break;
  }
  return "terminated";
}

std::string write_dialog_info(const DialogInfo& info) {
  const std::string uri = sip::SipUri(info.presentity.user, info.presentity.domain).to_string();
  const std::string entity = escape_xml(uri);
  const std::string id = escape_xml(info.dialog_id);
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  text += "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"0\" state=\"full\" entity=\"" + entity +
          "\">\n";
  text += "<dialog id=\"" + id + "\" call-id=\"" + id + "@" + escape_xml(info.presentity.domain) +
          "\" local-tag=\"orbit\" remote-tag=\"caller\" direction=\"recipient\">\n";
  text += "<state>" + std::string(name_of(info.state)) + "</state>\n";
  text += "<local>" + identity(info.display, uri);
  text += info.renders_media
              ? "<target uri=\"" + entity + "\"/>"
              : "<target uri=\"" + entity + "\"><param pname=\"+sip.rendering\" pvalue=\"no\"/></target>";
  text += "</local>\n";
  if (info.remote) {
    text +=
        "<remote>" + identity(info.remote->display, info.remote->uri) + "<target uri=\"" + entity + "\"/></remote>\n";
  }
  return text + "</dialog>\n</dialog-info>\n";
}

}  // namespace callpark::presence
