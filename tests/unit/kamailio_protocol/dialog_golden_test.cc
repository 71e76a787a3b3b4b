// parkd decodes the very lines that Kamailio's Lua encodes: both read tests/data/kamailio_protocol/dialogs/*.json.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "kamailio_protocol/dialog_codec.h"

namespace callpark::kamailio_protocol {
namespace {

std::vector<std::filesystem::path> golden_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(CALLPARK_SOURCE_DIR) /
                                                               "tests/data/kamailio_protocol/dialogs")) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Json read(const std::filesystem::path& path) {
  std::ifstream file(path);
  return Json::parse(file);
}

// A file with "bytes" has one character for each byte of the line, up to U+00FF.
std::string latin1_of(const std::string& utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x80) {
      bytes += utf8[i];
    } else {
      bytes += static_cast<char>(((c & 0x03) << 6) | (static_cast<unsigned char>(utf8[++i]) & 0x3f));
    }
  }
  return bytes;
}

std::string line_of(const Json& golden) {
  const std::string line = golden.at("line");
  return golden.contains("bytes") ? latin1_of(line) : line;
}

Json json_of(const DialogSnapshot& dialog) {
  Json json = {{"local_tag", dialog.local_tag},
               {"remote_tag", dialog.remote_tag},
               {"local_uri", dialog.local_uri},
               {"remote_uri", dialog.remote_uri},
               {"display", dialog.remote_display},
               {"local_cseq", dialog.local_cseq},
               {"remote_cseq", dialog.remote_cseq ? Json(*dialog.remote_cseq) : Json()},
               {"remote_target", dialog.remote_target},
               {"route_set", dialog.route_set},
               {"local_sdp", dialog.local_sdp},
               {"remote_sdp", dialog.remote_sdp},
               {"identity", {{"name", dialog.remote_identity.name}, {"number", dialog.remote_identity.number}}},
               {"remote_aor", extension_in(dialog.remote_party) ? aor_of(*extension_in(dialog.remote_party)) : ""}};
  if (dialog.remote_was_called) json["was_called"] = true;
  if (dialog.session_seconds > 0) {
    json["session"] = {{"seconds", dialog.session_seconds}, {"we_refresh", dialog.session_we_refresh}};
  }
  return json;
}

Json json_of(const AdoptableDialog& dialog) {
  const auto since = dialog.hold.since.time_since_epoch();
  return {{"call_id", dialog.caller.call_id},
          {"parked", json_of(dialog.caller)},
          {"parker", json_of(dialog.parker)},
          {"hold",
           {{"device", dialog.hold.device},
            {"since_ms", std::chrono::duration_cast<std::chrono::milliseconds>(since).count()}}}};
}

class AdoptableDialogGolden : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(AdoptableDialogGolden, IsDecodedAsAgreed) {
  const Json golden = read(GetParam());
  const auto dialog = decode_dialog(line_of(golden));
  ASSERT_TRUE(dialog) << dialog.error().sentence;
  EXPECT_EQ(json_of(*dialog).dump(2), golden.at("expected").dump(2)) << golden.at("about");
  EXPECT_EQ(dialog->parker.call_id, dialog->caller.call_id);
}

INSTANTIATE_TEST_SUITE_P(Files, AdoptableDialogGolden, ::testing::ValuesIn(golden_files()),
                         [](const auto& file) { return file.param.stem().string(); });

TEST(AdoptableDialogGoldenFiles, AreThere) {
  EXPECT_GE(golden_files().size(), 10U);
}

}  // namespace
}  // namespace callpark::kamailio_protocol
