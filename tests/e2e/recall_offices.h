// Many tenants in one site, so that many recalls are under way at once: each has extensions 101 to 103, a ring group
// 600 of 102 alone, a DID that rings 101, and the code pair *68 and *88.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/park_site.h"

namespace callpark::test {

class RecallOffices : public ParkTest {
 protected:
  static constexpr int kSites = 60;
  static constexpr int kParksMax = 10;

  static void SetUpTestSuite() {
    ParkTest::SetUpTestSuite();
    // Times that no operator is allowed but that a test can wait for.
    site().database().execute(
        "SET SESSION check_constraint_checks = 0; SET @last = " + std::to_string(kSites) +
        "; INSERT INTO tenants (tenant) SELECT CONCAT('m', seq, '.callpark') FROM seq_1_to_1000 WHERE seq <= @last;"
        "INSERT INTO extensions (tenant, extension, password, display_name) SELECT tenant, seq, 'secret', '' FROM "
        "tenants, seq_101_to_103 WHERE tenant LIKE 'm%';"
        "INSERT INTO park_codes (tenant, code, action) SELECT tenant, '*88', 'retrieve' FROM tenants WHERE tenant LIKE "
        "'m%';"
        "INSERT INTO park_codes (tenant, code, action) SELECT tenant, '*68', 'park' FROM tenants WHERE tenant LIKE "
        "'m%';"
        "INSERT INTO ring_groups (tenant, ring_group, ring_seconds) SELECT tenant, '600', 4 FROM tenants WHERE tenant "
        "LIKE 'm%';"
        "INSERT INTO ring_group_members (tenant, ring_group, position, member) SELECT tenant, '600', 1, '102' FROM "
        "tenants WHERE tenant LIKE 'm%';"
        "INSERT INTO trunks (tenant, trunk, address, port) SELECT t.tenant, d.trunk, d.address, d.port FROM tenants t "
        "JOIN trunks d ON d.tenant = 'demo.callpark' WHERE t.tenant LIKE 'm%';"
        "INSERT INTO dids (did, tenant, destination) SELECT CONCAT('+44203100', LPAD(seq, 4, '0')), CONCAT('m', seq, "
        "'.callpark'), '101' FROM seq_1_to_1000 WHERE seq <= @last");
  }

  static std::string tenant(int office) { return "m" + std::to_string(office) + ".callpark"; }
  static std::string did(int office) {
    return "+44203100" + std::string(office < 10 ? "000" : "00") + std::to_string(office);
  }
  static void set(int office, const std::string& assignments) {
    site().database().execute("SET SESSION check_constraint_checks = 0; UPDATE tenants SET " + assignments +
                              " WHERE tenant = '" + tenant(office) + "'");
  }
  static void set_all(const std::string& assignments) {
    site().database().execute("SET SESSION check_constraint_checks = 0; UPDATE tenants SET " + assignments +
                              " WHERE tenant LIKE 'm%'");
  }

  /// Not to be called by two threads at once.
  std::unique_ptr<PacketPhone> phone(int office, const std::string& user, int party) {
    PacketPhone::Options options;
    options.user = user;
    options.password = "secret";
    options.domain = tenant(office);
    options.address = address_.text();
    options.port = next_port_++;
    options.proxy = site().outside();
    options.tone = tone_hz(party);
    auto phone = std::make_unique<PacketPhone>(options);
    phone->register_phone();
    return phone;
  }
  /// The tone is kClient's, whichever number the caller has.
  static std::unique_ptr<PacketPhone> caller(int office) { return site().trunk_caller(office * kParties + kClient); }

  /// The first line of the answer if a transfer to *68 is refused, else of its final report; empty if none comes.
  static std::string refer_outcome(PacketPhone& parker, const CallName& call) {
    const std::size_t before = parker.transfer_reports(call).size();
    const int status = parker.refer(call, "*68");
    if (status != 202) return "SIP/2.0 " + std::to_string(status);
    std::string report;
    wait_until(kSoon, [&] {
      const auto reports = parker.transfer_reports(call);
      if (reports.size() > before && !reports.back().starts_with("SIP/2.0 1")) report = reports.back();
      return !report.empty();
    });
    return report;
  }

  /// The caller is parked at 101 by 101 and hears music.
  static testing::AssertionResult park(PacketPhone& caller, const std::string& did, PacketPhone& parker,
                                       CallName& call) {
    call = caller.start_call(did);
    const CallName at_parker = parker.wait_incoming();
    parker.answer(at_parker);
    if (caller.wait_invite_status(call) != 200) return testing::AssertionFailure() << "the call was not answered";
    // A machine that is too slow for all parks at once refuses some, by the answer or by the report; the phone tries
    // again.
    std::string outcome;
    for (int attempt = 0; attempt <= kParksMax; ++attempt) {
      if (attempt > 0) pass(std::chrono::seconds(2));
      outcome = refer_outcome(parker, at_parker);
      if (!outcome.starts_with("SIP/2.0 503")) break;
    }
    if (!outcome.starts_with("SIP/2.0 200")) return testing::AssertionFailure() << "the park ended with " << outcome;
    parker.hang_up(at_parker);
    return testing::AssertionSuccess();
  }

 private:
  LoopbackAddress address_;
  uint16_t next_port_ = 7000;
};

}  // namespace callpark::test
