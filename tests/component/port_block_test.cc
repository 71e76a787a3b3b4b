// The claims of ports and addresses that tests and the demonstration of ./run make.
#include "tests/support/port_block.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <exception>

namespace callpark::test {
namespace {

constexpr uid_t kNobody = 65534;

TEST(PortBlock, X62_AnotherUserClaimsItsOwnBesideThoseOfRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to be another user too";
  const PortBlock ports;
  const LoopbackAddress address;
  const pid_t other = fork();
  if (other == 0) {
    int code = 2;
    try {
      if (setuid(kNobody) == 0) {
        const PortBlock own_ports;
        const LoopbackAddress own_address;
        code = own_ports.base() != ports.base() && own_address.text() != address.text() ? 0 : 1;
      }
    } catch (const std::exception&) {
    }
    _exit(code);
  }
  int status = 0;
  ASSERT_EQ(waitpid(other, &status, 0), other);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(PortBlock, EachClaimIsAnother) {
  const PortBlock one;
  const PortBlock two;
  EXPECT_NE(one.base(), two.base());
  EXPECT_NE(one.rtp_first(), two.rtp_first());
}

}  // namespace
}  // namespace callpark::test
