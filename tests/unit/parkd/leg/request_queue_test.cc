// The requests of one dialog are sent one after the other.
#include "parkd/leg/request_queue.h"

#include "tests/support/virtual_time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace callpark::leg {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RequestQueueTest : public testing::Test {
 protected:
  void push(const std::string& method) {
    queue.push({method, {}, {{}, [this, method](sip::ClientFailure) { failed.push_back(method); }}});
  }
  void answer(std::size_t number, int status = 200) {
    sent.at(number).handlers.on_response(
        sip::make_response(sip::make_request("INFO", "sip:client@127.0.0.12"), status));
  }
  std::vector<std::string> methods() const {
    std::vector<std::string> list;
    for (const auto& request : sent) list.push_back(request.method);
    return list;
  }

  std::vector<RequestQueue::Request> sent;
  std::vector<std::string> failed;
  int free = 0;
  test::VirtualTime time;
  EventLoop loop;
  RequestQueue queue{loop, Duration(4000),
                     [this](RequestQueue::Request request) { sent.push_back(std::move(request)); }, [this] { ++free; }};
};

TEST_F(RequestQueueTest, X5_SendsTheNextOneAfterTheFinalResponse) {
  push("NOTIFY");
  push("UPDATE");
  push("INFO");
  EXPECT_THAT(methods(), ElementsAre("NOTIFY"));
  answer(0, 100);
  EXPECT_THAT(methods(), ElementsAre("NOTIFY"));
  answer(0);
  EXPECT_THAT(methods(), ElementsAre("NOTIFY", "UPDATE"));
  sent.at(1).handlers.on_failure(sip::ClientFailure::kTimeout);
  EXPECT_THAT(methods(), ElementsAre("NOTIFY", "UPDATE", "INFO"));
  EXPECT_EQ(free, 0);
  answer(2);
  EXPECT_EQ(free, 1);
  EXPECT_FALSE(queue.is_busy());
}

TEST_F(RequestQueueTest, X5_KeepsTheOrderWhenAHandlerSends) {
  queue.push({"NOTIFY", {}, {[this](const sip::SipMessage&) { push("INFO"); }, {}}});
  push("UPDATE");
  answer(0);
  EXPECT_THAT(methods(), ElementsAre("NOTIFY", "UPDATE"));
  answer(1);
  EXPECT_THAT(methods(), ElementsAre("NOTIFY", "UPDATE", "INFO"));
}

TEST_F(RequestQueueTest, X5_SendsNothingWhileItIsPaused) {
  queue.pause();
  push("INFO");
  EXPECT_THAT(methods(), IsEmpty());
  queue.resume();
  EXPECT_THAT(methods(), ElementsAre("INFO"));
}

TEST_F(RequestQueueTest, X5_HoldsNothingBackBehindARequestThatIsNeverAnswered) {
  push("NOTIFY");
  push("INFO");
  push("UPDATE");
  test::pass(loop, Duration(3900));
  EXPECT_THAT(methods(), ElementsAre("NOTIFY"));
  test::pass(loop, Duration(200));
  EXPECT_THAT(methods(), ElementsAre("NOTIFY", "INFO"));
  sent.at(0).handlers.on_failure(sip::ClientFailure::kTimeout);
  EXPECT_THAT(failed, ElementsAre("NOTIFY")) << "its sender learns of it all the same";
  EXPECT_THAT(methods(), ElementsAre("NOTIFY", "INFO")) << "that is not the end of the one behind it";
  answer(1);
  EXPECT_THAT(methods(), ElementsAre("NOTIFY", "INFO", "UPDATE"));
  EXPECT_EQ(free, 0);
  answer(2);
  EXPECT_EQ(free, 1);
}

TEST_F(RequestQueueTest, X5_IsFreeWhenTheLastRequestIsNeverAnswered) {
  push("NOTIFY");
  test::pass(loop, Duration(4100));
  EXPECT_FALSE(queue.is_busy());
  EXPECT_EQ(free, 1);
  sent.at(0).handlers.on_failure(sip::ClientFailure::kTimeout);
  EXPECT_EQ(free, 1);
}

TEST_F(RequestQueueTest, X5_EndsAPauseOfTooLong) {
  queue.pause();
  push("INFO");
  test::pass(loop, Duration(3900));
  EXPECT_THAT(methods(), IsEmpty());
  test::pass(loop, Duration(200));
  EXPECT_THAT(methods(), ElementsAre("INFO"));
  queue.resume();
  EXPECT_THAT(methods(), ElementsAre("INFO"));
}

TEST_F(RequestQueueTest, FlushesOneMethodAndDropsTheOthers) {
  push("INFO");
  push("UPDATE");
  push("NOTIFY");
  push("MESSAGE");
  queue.drop_all_but("NOTIFY");
  EXPECT_THAT(failed, ElementsAre("UPDATE", "MESSAGE"));
  queue.flush("NOTIFY");
  EXPECT_THAT(methods(), ElementsAre("INFO", "NOTIFY"));
  answer(0);
  EXPECT_THAT(methods(), ElementsAre("INFO", "NOTIFY"));
}

TEST_F(RequestQueueTest, KeepsALimitedNumberOfRequests) {
  for (int request = 0; request < 70; ++request) push("INFO");
  EXPECT_THAT(failed, testing::SizeIs(5)) << "one is out and 64 wait";
  queue.push({"NOTIFY", {}, {}});
  queue.flush("NOTIFY");
  EXPECT_THAT(methods(), ElementsAre("INFO", "NOTIFY"));
}

}  // namespace
}  // namespace callpark::leg
