// Billing hooks and their secrets: what the database refuses, and the sentence of each refusal. CDRs of ordinary
// calls: each once, with the end of its row, and what the views make of them.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "parkd/store/database_connection.h"
#include "tests/component/sql_fixture.h"
#include "tests/support/sip_text.h"

namespace callpark::test {
namespace {

const std::string kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::string secret(const std::string& text, int place = 1) {
  return "INSERT INTO billing_hook_secrets (tenant, place, secret) VALUES ('demo.callpark', " + std::to_string(place) +
         ", '" + text + "');";
}
std::string hook(const std::string& settings = "", const std::string& url = "https://billing.example/hook") {
  return secret(kSecret) + "INSERT INTO billing_hooks SET tenant = 'demo.callpark', url = '" + url + "'" +
         (settings.empty() ? "" : ", " + settings) + ";";
}

TEST_F(SqlRefusal, B1_ASecretThatIsNoneIsRefusedWithASentence) {
  expect({{secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "a webhook secret begins with whsec_"},
          {secret("WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "a webhook secret begins with whsec_"},
          {secret("whsec_not base64 at all, is it?"), "behind whsec_ a webhook secret is base64 with its padding"},
          {secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"), "behind whsec_ a webhook secret is base64"},
          {secret("whsec_" + std::string(33, 'A') + "B=="), "behind whsec_ a webhook secret is base64"},
          {secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La"), "a webhook secret has 24 to 64 bytes"},
          {secret("whsec_"), "a webhook secret has 24 to 64 bytes"},
          {secret("whsec_" + std::string(88, 'A')), "a webhook secret has 24 to 64 bytes"},
          {secret(kSecret, 3), "a tenant has at most two webhook secrets, at place 1 and 2"},
          {secret(kSecret) + secret(kSecret), "Duplicate entry"},
          {"INSERT INTO billing_hook_secrets (tenant, secret) VALUES ('nowhere', '" + kSecret + "')",
           "the tenant of a webhook secret exists"}});
  EXPECT_EQ(refusal_of(secret("whsec_" + std::string(86, 'A') + "==")), "") << "64 bytes";
}

TEST_F(SqlRefusal, B1_AHookWithoutASecretIsRefusedWithASentence) {
  const std::string none = "questions to a billing hook are signed: add a secret of the tenant to billing_hook_secrets";
  const std::string last = "this is the only secret of a billing hook: add the new one at the other place first";
  expect({{"INSERT INTO billing_hooks SET tenant = 'demo.callpark', url = 'https://billing.example/'", none},
          {"INSERT INTO billing_hooks SET tenant = 'demo.callpark', url = 'https://billing.example/', enabled = FALSE; "
           "UPDATE billing_hooks SET enabled = TRUE",
           none},
          {hook() + "DELETE FROM billing_hook_secrets", last},
          {hook() + "UPDATE billing_hook_secrets SET tenant = 'other.callpark'", last}});
  EXPECT_EQ(refusal_of(hook() + secret(kSecret, 2) + "DELETE FROM billing_hook_secrets WHERE place = 1"), "")
      << "a secret is exchanged";
  EXPECT_EQ(refusal_of(hook("enabled = FALSE") + "DELETE FROM billing_hook_secrets"), "");
}

TEST_F(SqlRefusal, B2_AHookThatCannotBeAskedIsRefusedWithASentence) {
  const std::string url = "a billing hook has an http or https URL without user or fragment";
  std::vector<Refusal> refusals;
  for (const char* wrong : {"", "billing.example", "ftp://billing.example/", "HTTPS://billing.example/", "https://",
                            "https://user:password@billing.example/", "https://billing.example/#part",
                            "https://billing.example/a b", "https://billing.example:port/"}) {
    refusals.push_back({hook("", wrong), url});
  }
  for (const auto& [setting, sentence] : std::vector<std::pair<std::string, std::string>>{
           {"enabled = 2", "a billing hook is enabled or not, and asked or not: 1 or 0"},
           {"budget_ms = 99", "a question to a billing hook has 100 to 2000 ms"},
           {"budget_ms = 2001", "a question to a billing hook has 100 to 2000 ms"},
           {"connect_ms = 9", "a billing hook is connected to within 10 to 2000 ms"},
           {"first_attempt_ms = 9", "the first attempt of a question has 10 to 2000 ms"},
           {"retry_least_ms = 2001", "the least time of a retry is 10 to 2000 ms"},
           {"in_flight_max = 0", "a billing hook is asked 1 to 256 questions at once"},
           {"in_flight_max = 257", "a billing hook is asked 1 to 256 questions at once"},
           {"breaker_failures_max = 1001", "a breaker opens after 0 to 1000 failures"},
           {"breaker_open_ms = 99", "a breaker is open for 100 ms to an hour"},
           {"breaker_open_max_ms = 999", "a breaker is open for 100 ms to an hour"},
           {"on_error_park = 'perhaps'", "a failure means allow or deny"},
           {"on_error_retrieve = ''", "a failure means allow or deny"},
           {"ca_file = 'ca.pem'", "files of a billing hook have absolute paths"},
           {"client_key_file = '/etc/k.pem'", "a client certificate has a key, and a key a certificate"}}) {
    refusals.push_back({hook(setting), sentence});
  }
  expect(refusals);
  for (const char* right : {"http://10.0.0.1/", "https://billing.example",
                            "https://billing.example:8443/hook?a=1&b=%20", "https://[fd00::1]:8443/hook"}) {
    EXPECT_EQ(refusal_of(hook("", right)), "") << right;
  }
}

TEST_F(SqlSchema, B1_AccountThatEditsHooksCannotReadSecrets) {
  server().execute(
      "CREATE USER editor@localhost; GRANT SELECT ON callpark.schema_migrations TO editor@localhost; "
      "GRANT SELECT, INSERT, UPDATE, DELETE ON callpark.billing_hooks TO editor@localhost; " +
      secret(kSecret));
  DatabaseConnection editor({server().socket().string(), "editor", "", "callpark"});
  editor.execute("INSERT INTO billing_hooks (tenant, url) VALUES ('demo.callpark', 'https://billing.example/')", {});
  EXPECT_EQ(editor.query("SELECT url FROM billing_hooks", {}).size(), 1U);
  EXPECT_THROW(editor.query("SELECT secret FROM billing_hook_secrets", {}), DatabaseError);
  EXPECT_THROW(editor.execute("DELETE FROM billing_hook_secrets", {}), DatabaseError);
}

// ---- CDRs of ordinary calls ----

/// An end as Kamailio sends it; `changes` are of the CDR.
std::string ended(int entry, const std::string& call_id, const nlohmann::json& changes = nlohmann::json::object()) {
  nlohmann::json cdr = {{"id", md5_hex(std::to_string(entry))},
                        {"began_at", 1796000000123},
                        {"ended_at", 1796000001624},
                        {"ended", "caller"},
                        {"tenant", "demo.callpark"},
                        {"direction", "incoming"},
                        {"dialled", "102"},
                        {"caller_kind", "trunk"},
                        {"caller_number", "+390212345"},
                        {"caller_name", "=1+1"},
                        {"caller_withheld", 0},
                        {"caller_trunk", "demo"},
                        {"callee_kind", "extension"},
                        {"callee_number", "102"},
                        {"callee_trunk", ""},
                        {"call_id", call_id}};
  cdr.update(changes);
  return nlohmann::json({{"over", true}, {"h_entry", entry}, {"h_id", 7}, {"cdr", cdr}}).dump();
}
std::string end_calls(const std::string& list) {
  return "CALL end_calls('[" + list + "]');";
}
std::string row(int entry) {
  return "INSERT INTO dialog SET hash_id = 7, callid = 'c', from_uri = '', from_tag = '', to_uri = '', to_tag = '', "
         "caller_cseq = '', callee_cseq = '', caller_contact = '', callee_contact = '', caller_sock = '', callee_sock "
         "= "
         "'', state = 4, start_time = 1, req_uri = '', variables = '{}', hash_entry = " +
         std::to_string(entry) + ";";
}

class SqlCdrs : public SqlSchema {
 protected:
  void SetUp() override {
    SqlSchema::SetUp();
    server().execute("DELETE FROM cdrs; DELETE FROM dialog; DELETE FROM park_segments");
  }
  [[nodiscard]] static std::string value(const std::string& query) { return server().value(query); }
};

TEST_F(SqlCdrs, B4_CallsEndOnceHoweverOftenTheyAreWritten) {
  server().execute(row(1) + row(2) + row(3) + end_calls(ended(1, "c1") + "," + ended(2, "c2")));
  EXPECT_EQ(value("SELECT GROUP_CONCAT(hash_entry) FROM dialog"), "3");
  server().execute(end_calls(ended(2, "c2", {{"ended_at", 1796000009000}}) + "," + ended(4, "c4")));
  EXPECT_EQ(value("SELECT GROUP_CONCAT(call_id, ' ', duration_ms ORDER BY call_id) FROM cdrs"),
            "c1 1501,c2 1501,c4 1501");
  EXPECT_EQ(value("SELECT began_at FROM cdrs LIMIT 1"), "2026-11-30 00:53:20.123");
}

TEST_F(SqlCdrs, B4_AnEndWithoutACdrDeletesTheRow) {
  server().execute(row(1) + end_calls(R"({"over":true,"h_entry":1,"h_id":7})"));
  EXPECT_EQ(value("SELECT COUNT(*) FROM dialog"), "0");
  EXPECT_EQ(value("SELECT COUNT(*) FROM cdrs"), "0");
}

TEST_F(SqlCdrs, B4_CdrsAndRowsChangeTogetherOrNotAtAll) {
  server().execute(row(1));
  const std::string good = ended(1, "c1") + ",";
  for (const std::string& bad : {ended(2, "c2", {{"direction", "sideways"}}), ended(2, "c2", {{"tenant", nullptr}}),
                                 std::string("{"), ended(2, "c2", {{"ended_at", nullptr}})}) {
    EXPECT_NE(server().refusal(end_calls(good + bad)), "") << bad;
    EXPECT_EQ(value("SELECT COUNT(*) FROM dialog"), "1");
    EXPECT_EQ(value("SELECT COUNT(*) FROM cdrs"), "0");
  }
  EXPECT_NE(server().refusal("CALL end_calls(X'5bff5d')"), "") << "no UTF-8";
}

TEST_F(SqlCdrs, B4_AnEndReadsOnlyTheRowsOfItsCalls) {
  std::string rows;
  for (int entry = 1; entry <= 200; ++entry) rows += row(entry);
  server().execute(rows);
  const std::string read = server().value(
      "FLUSH STATUS; " + end_calls(ended(5, "c5") + "," + ended(6, "c6")) +
      "SELECT SUM(variable_value) FROM information_schema.session_status WHERE variable_name IN ('HANDLER_READ_KEY', "
      "'HANDLER_READ_RND_NEXT', 'HANDLER_READ_NEXT')");
  EXPECT_LE(std::stoi(read), 40);
  EXPECT_EQ(value("SELECT COUNT(*) FROM dialog"), "198");
}

TEST_F(SqlCdrs, B4_AnExportHasNoFormulas) {
  server().execute(end_calls(ended(1, "@c1")));
  EXPECT_EQ(value("SELECT line FROM cdrs_csv WHERE tenant = 'demo.callpark' AND day = '2026-11-30'"),
            R"("demo.callpark","2026-11-30","2026-11-30 00:53:20.123","2026-11-30 00:53:21.624","1.501","incoming",)"
            R"("trunk","'+390212345","'=1+1","102","extension","102","caller","'@c1")");
}

TEST_F(SqlCdrs, B4_TheTalksOfADayAreThoseOfCallsAndOfParkedCalls) {
  server().execute(
      end_calls(ended(1, "c1") + "," + ended(2, "c2")) +
      "INSERT INTO park_segments (park_id, segment, kind, recall_target, began_at, ended_at, ended, parked_at, tenant, "
      "orbit, parker, caller_number, party, call_id) VALUES ('p', 1, 'parked', '', '2026-11-30 00:53:21', '2026-11-30 "
      "00:53:31', 'retrieved', '2026-11-30 00:53:21', 'demo.callpark', '102', '102', '', '', 'c1'), ('p', 2, "
      "'talk_after', '', '2026-11-30 00:53:31', '2026-11-30 00:53:36', 'hung_up', '2026-11-30 00:53:21', "
      "'demo.callpark', '102', '102', '', '103', 'c1')");
  EXPECT_EQ(
      value("SELECT CONCAT_WS(' ', tenant, day, calls, call_seconds + 0.0, retrieved_seconds + 0.0, parked_seconds + "
            "0.0) FROM talk_days"),
      "demo.callpark 2026-11-30 2 3.0020 5.0000 10.0000");
}

}  // namespace
}  // namespace callpark::test
