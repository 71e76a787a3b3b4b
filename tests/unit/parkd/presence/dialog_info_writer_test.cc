#include "parkd/presence/dialog_info_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parkd/presence/xml_text.h"

namespace callpark::presence {
namespace {

using testing::HasSubstr;
using testing::Not;

DialogInfo lamp() {
  return {.presentity = {"*71333", "demo.callpark"},
          .dialog_id = "park-abc-1",
          .state = DialogState::kEarly,
          .display = "Park 333",
          .renders_media = false,
          .remote = ShownParty{"Client", "sip:+4930123@demo.callpark"}};
}

TEST(DialogInfoWriter, N1_ALitLampIsOneDialogWithOrbitAndCaller) {
  EXPECT_EQ(write_dialog_info(lamp()),
            R"(<?xml version="1.0" encoding="UTF-8"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:*71333@demo.callpark">
<dialog id="park-abc-1" call-id="park-abc-1@demo.callpark" local-tag="orbit" remote-tag="caller" direction="recipient">
<state>early</state>
<local><identity display="Park 333">sip:*71333@demo.callpark</identity><target uri="sip:*71333@demo.callpark"><param pname="+sip.rendering" pvalue="no"/></target></local>
<remote><identity display="Client">sip:+4930123@demo.callpark</identity><target uri="sip:*71333@demo.callpark"/></remote>
</dialog>
</dialog-info>
)");
}

TEST(DialogInfoWriter, N1_TheStateIsEarlyConfirmedOrTerminated) {
  DialogInfo info = lamp();
  info.state = DialogState::kConfirmed;
  EXPECT_THAT(write_dialog_info(info), HasSubstr("<state>confirmed</state>"));
  info.state = DialogState::kTerminated;
  EXPECT_THAT(write_dialog_info(info), HasSubstr("<state>terminated</state>"));
  EXPECT_THAT(write_dialog_info(info), HasSubstr("<dialog id=\"park-abc-1\""));
}

TEST(DialogInfoWriter, N1_ALampOfNobodyHasNoRemoteParty) {
  DialogInfo info = lamp();
  info.remote.reset();
  EXPECT_THAT(write_dialog_info(info), Not(HasSubstr("remote>")));
}

TEST(DialogInfoWriter, N1_NamesAreEscaped) {
  DialogInfo info = lamp();
  info.remote->display = "\"J\xc3\xb6rg\" <&> 'S\xc3\xb6hne'";
  EXPECT_THAT(write_dialog_info(info),
              HasSubstr("display=\"&quot;J\xc3\xb6rg&quot; &lt;&amp;&gt; &apos;S\xc3\xb6hne&apos;\""));
}

TEST(XmlText, N1_WhateverTheBytesItIsXml) {
  EXPECT_EQ(escape_xml("Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x93\x9e"), "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x93\x9e");
  EXPECT_EQ(escape_xml(std::string_view("a\0b\x01\n\t\r\x1f\x7f\xc2\x85z", 12)), "abz");
  EXPECT_EQ(escape_xml("a\xff"), "a\xef\xbf\xbd");
  EXPECT_EQ(escape_xml("\xc3"), "\xef\xbf\xbd");
  EXPECT_EQ(escape_xml("\xc3<"), "\xef\xbf\xbd&lt;");
  EXPECT_EQ(escape_xml("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd") << "overlong";
  EXPECT_EQ(escape_xml("\xe0\x80\xaf"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") << "overlong";
  EXPECT_EQ(escape_xml("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") << "a surrogate";
  EXPECT_EQ(escape_xml("\xf4\x90\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") << "beyond Unicode";
  EXPECT_EQ(escape_xml("\xef\xbf\xbe\xef\xbf\xbf"), "") << "no characters";
  EXPECT_EQ(escape_xml("]]>"), "]]&gt;");
}

ShownParty shown(const std::string& name, const std::string& number) {
  ShownCall call;
  call.tenant = "demo.callpark";
  call.caller = {name, number};
  return shown_caller(call);
}

TEST(ShownParty, N1_TheCallerIsShownUnderHisNumberInTheTenant) {
  EXPECT_EQ(shown("Client", "+4930123"), (ShownParty{"Client", "sip:+4930123@demo.callpark"}));
  EXPECT_EQ(shown("", "101"), (ShownParty{"101", "sip:101@demo.callpark"}));
  EXPECT_EQ(shown("", "a\"b@c"), (ShownParty{"a\"b@c", "sip:a%22b%40c@demo.callpark"}));
}

TEST(ShownParty, N6_OneWhoWithholdsHisNumberIsAnonymous) {
  EXPECT_EQ(shown("", ""), (ShownParty{"Anonymous", "sip:anonymous@anonymous.invalid"}));
  EXPECT_EQ(shown("Reception", ""), (ShownParty{"Reception", "sip:anonymous@anonymous.invalid"}));
}

}  // namespace
}  // namespace callpark::presence
