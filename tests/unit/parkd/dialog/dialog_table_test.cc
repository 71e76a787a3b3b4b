#include "parkd/dialog/dialog_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "parkd/dialog/dialog.h"
#include "parkd/dialog/dialog_requests.h"
#include "tests/unit/parkd/dialog/example_messages.h"

namespace callpark::sip {
namespace {

TEST(DialogTable, BothEndsOfOneDialogStandSideBySideAndEachGetsItsOwnRequests) {
  const auto towards_lin = in_place_of_referrer(johns_refer());
  const auto towards_john = towards_referrer(johns_refer(), {}, 1);
  DialogTable<std::string> table;
  EXPECT_TRUE(table.insert(towards_lin->id, "as John"));
  EXPECT_TRUE(table.insert(towards_john->id, "as Lin"));
  EXPECT_EQ(towards_lin->id.reversed(), towards_john->id);

  // John's own requests have John's tag in From, so they are for the end in the place of Lin.
  ASSERT_TRUE(table.find_for(johns_refer()));
  EXPECT_EQ(*table.find_for(johns_refer()), "as Lin");
  DialogState lin = *towards_john;
  const SipMessage lins_bye = make_request_in(lin, method::kBye, "");
  EXPECT_EQ(*table.find_for(lins_bye), "as John");
  // A response comes back to the end that sent the request.
  EXPECT_EQ(*table.find_for(make_response(lins_bye, 200)), "as Lin");
}

TEST(DialogTable, OtherTagsOrAnotherCallIdFindNothing) {
  DialogTable<int> table;
  table.insert({"call", "local", "remote"}, 1);
  EXPECT_TRUE(table.find({"call", "local", "remote"}));
  EXPECT_FALSE(table.find({"call", "local", "other"}));
  EXPECT_FALSE(table.find({"call", "other", "remote"}));
  EXPECT_FALSE(table.find({"other", "local", "remote"}));
  EXPECT_FALSE(table.find({"call", "remote", "local"}));
}

TEST(DialogTable, ASecondEntryOfOneDialogIsRefused) {
  DialogTable<std::unique_ptr<int>> table;
  EXPECT_TRUE(table.insert({"call", "local", "remote"}, std::make_unique<int>(1)));
  EXPECT_FALSE(table.insert({"call", "local", "remote"}, std::make_unique<int>(2)));
  EXPECT_EQ(**table.find({"call", "local", "remote"}), 1);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_TRUE(table.erase({"call", "local", "remote"}));
  EXPECT_FALSE(table.erase({"call", "local", "remote"}));
  EXPECT_TRUE(table.empty());
}

// RFC 3891 3: the to-tag is compared with the local tag, the from-tag with the remote one.
TEST(DialogTable, AReplacesNamesTheDialogAsItsReceiverSeesIt) {
  DialogTable<int> table;
  table.insert({"call", "local", "remote"}, 1);
  EXPECT_TRUE(table.find_for(Replaces{"call", "local", "remote", false}));
  EXPECT_FALSE(table.find_for(Replaces{"call", "remote", "local", false}));
}

TEST(DialogTable, PointersOutliveOtherEntries) {
  DialogTable<int> table;
  table.insert({"first", "l", "r"}, 1);
  int* first = table.find({"first", "l", "r"});
  for (int i = 0; i < 1000; ++i) table.insert({"call" + std::to_string(i), "l", "r"}, i);
  EXPECT_EQ(table.find({"first", "l", "r"}), first);
}

}  // namespace
}  // namespace callpark::sip
