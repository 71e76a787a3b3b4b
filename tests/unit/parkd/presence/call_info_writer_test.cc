#include "parkd/presence/call_info_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace callpark::presence {
namespace {

using testing::HasSubstr;

TEST(CallInfoWriter, N3_AParkedCallIsNamed) {
  EXPECT_EQ(write_call_info(ShownParty{"C. Parked", "sip:105@demo.callpark"}),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<x-broadworks-callpark-info xmlns=\"http://schema.broadsoft.com/callpark\"><callpark><parked>"
            "<identity display=\"C. Parked\">sip:105@demo.callpark;user=phone</identity></parked></callpark>"
            "</x-broadworks-callpark-info>\n");
}

TEST(CallInfoWriter, N3_NothingParkedIsAnEmptyElement) {
  EXPECT_THAT(write_call_info(std::nullopt), HasSubstr("callpark\"><callpark/></x-broadworks-callpark-info>"));
}

TEST(CallInfoWriter, N3_NamesAreEscaped) {
  EXPECT_THAT(write_call_info(ShownParty{"A \"B\" & <C>", "sip:1@t"}),
              HasSubstr("display=\"A &quot;B&quot; &amp; &lt;C&gt;\""));
}

}  // namespace
}  // namespace callpark::presence
