#include "parkd/transport/stream_framer.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace callpark::sip {
namespace {

using Kind = StreamFramer::Frame::Kind;

std::string message(std::string_view length_header, std::string_view body = "") {
  return "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n" + std::string(length_header) + "\r\n\r\n" +
         std::string(body);
}

// All that comes out, pings as "PING" and an error as "ERROR".
std::vector<std::string> drain(StreamFramer& framer) {
  std::vector<std::string> out;
  for (;;) {
    const auto frame = framer.next();
    switch (frame.kind) {
      case Kind::kMore:
        return out;
      case Kind::kMessage:
        out.emplace_back(frame.bytes);
        break;
      case Kind::kPing:
        out.emplace_back("PING");
        break;
      case Kind::kError:
        out.emplace_back("ERROR");
        return out;
    }
  }
}

std::vector<std::string> drain(std::string_view bytes) {
  StreamFramer framer;
  framer.push(bytes);
  return drain(framer);
}

FramingError error_of(std::string_view bytes) {
  StreamFramer framer;
  framer.push(bytes);
  const auto frame = framer.next();
  EXPECT_EQ(frame.kind, Kind::kError);
  return frame.error.value_or(FramingError::kTooLong);
}

using Strings = std::vector<std::string>;

TEST(StreamFramer, CutsByContentLength) {
  const auto first = message("Content-Length: 4", "body");
  const auto second = message("Content-Length: 0");
  EXPECT_EQ(drain(first + second + first), (Strings{first, second, first}));
}

TEST(StreamFramer, WaitsForTheRest) {
  const auto whole = message("Content-Length: 4", "body");
  StreamFramer framer;
  EXPECT_FALSE(framer.is_inside_message());
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    framer.push(whole.substr(i, 1));
    EXPECT_EQ(framer.next().kind, Kind::kMore);
    EXPECT_TRUE(framer.is_inside_message());
  }
  framer.push(whole.substr(whole.size() - 1));
  EXPECT_EQ(drain(framer), Strings{whole});
  EXPECT_FALSE(framer.is_inside_message());
}

TEST(StreamFramer, ReadsTheLengthInEveryFormTheGrammarAllows) {
  for (const char* header : {"Content-Length: 4", "content-length:4", "CONTENT-LENGTH :\t 4 ", "l: 4", "L:4",
                             "Content-Length:\r\n 4", "Content-Length: 0004", "l: 4\r\nContent-Length: 4"}) {
    const auto whole = message(header, "body");
    EXPECT_EQ(drain(whole), Strings{whole}) << header;
  }
}

TEST(StreamFramer, TheLengthStandsInTheHeadersOnly) {
  const auto whole = message("Subject: x\r\n Content-Length: 9\r\nl: 21", "\r\nContent-Length: 5\r\n");
  EXPECT_EQ(drain(whole), Strings{whole});
}

TEST(StreamFramer, AStreamWithoutAUsableLengthIsLost) {
  EXPECT_EQ(error_of(message("Subject: none")), FramingError::kNoContentLength);
  for (const char* header : {"Content-Length:", "Content-Length: x", "Content-Length: 4 4", "Content-Length: -1",
                             "Content-Length: +4", "l: 4\r\nContent-Length: 5", "Content-Length: 0x4"}) {
    EXPECT_EQ(error_of(message(header, "body")), FramingError::kBadContentLength) << header;
  }
}

TEST(StreamFramer, TooLongIsRefusedBeforeItIsGathered) {
  EXPECT_EQ(error_of(message("Content-Length: 65535")), FramingError::kTooLong);
  EXPECT_EQ(error_of(message("Content-Length: 99999999999999999999999")), FramingError::kTooLong);
  EXPECT_EQ(error_of(std::string(65536, 'x')), FramingError::kTooLong);
  StreamFramer framer;
  framer.push(std::string(65535, 'x'));
  EXPECT_EQ(framer.next().kind, Kind::kMore);
}

TEST(StreamFramer, TakesAMessageOfExactlyTheLimit) {
  const auto head = message("Content-Length: 65000");
  const auto body = std::string(StreamFramer::kMessageBytesMax - head.size(), 'b');
  const auto whole = message("Content-Length: " + std::to_string(body.size()), body);
  ASSERT_EQ(whole.size(), StreamFramer::kMessageBytesMax);
  EXPECT_EQ(drain(whole), Strings{whole});
}

TEST(StreamFramer, AnErrorStaysAndShowsTheHead) {
  StreamFramer framer;
  const auto head = message("Subject: none");
  framer.push(head + "whatever");
  EXPECT_EQ(framer.next().bytes, head);
  framer.push(message("Content-Length: 0"));
  EXPECT_EQ(framer.next().kind, Kind::kError);
  EXPECT_EQ(framer.next().bytes, head);
}

TEST(StreamFramer, TwoEmptyLinesAreAPingAndOneIsNothing) {
  const auto whole = message("Content-Length: 0");
  EXPECT_EQ(drain("\r\n\r\n"), Strings{"PING"});
  EXPECT_EQ(drain("\r\n" + whole), Strings{whole});
  EXPECT_EQ(drain("\r\n\r\n" + whole + "\r\n\r\n\r\n\r\n"), (Strings{"PING", whole, "PING", "PING"}));
  // An empty line before a message and one after it are no pair.
  EXPECT_EQ(drain("\r\n" + whole + "\r\n" + whole), (Strings{whole, whole}));
}

TEST(StreamFramer, HoweverTheStreamIsCutTheSameComesOut) {
  std::mt19937 random(11);
  std::string stream;
  for (int i = 0; i < 300; ++i) {
    const auto body = std::string(random() % 3000, 'b');
    if (random() % 4 == 0) stream += "\r\n\r\n";
    stream += message("Content-Length: " + std::to_string(body.size()), body);
  }
  const auto expected = drain(stream);
  for (int round = 0; round < 20; ++round) {
    StreamFramer framer;
    Strings got;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t length = 1 + random() % (round < 2 ? 3 : 70000);
      framer.push(std::string_view(stream).substr(at, length));
      at += length;
      for (auto& one : drain(framer)) got.push_back(std::move(one));
    }
    ASSERT_EQ(got, expected);
  }
}

}  // namespace
}  // namespace callpark::sip
