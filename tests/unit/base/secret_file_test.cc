#include "base/secret_file.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace callpark {
namespace {

using testing::HasSubstr;

class SecretFile : public testing::Test {
 protected:
  ~SecretFile() override { std::remove(path_.c_str()); }

  void write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }
  std::string error_of(const std::string& text) {
    write(text);
    const auto secret = read_secret_file(path_);
    return secret ? "" : secret.error();
  }

  const std::string path_ = testing::TempDir() + "/secret." + std::to_string(getpid());
};

TEST_F(SecretFile, O8_TheSecretIsTheLineWithoutItsEnd) {
  for (const std::string secret : {"x", " with blanks ", "all !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "größer"}) {
    write(secret);
    EXPECT_EQ(read_secret_file(path_), secret);
    write(secret + "\n");
    EXPECT_EQ(read_secret_file(path_), secret);
  }
}

TEST_F(SecretFile, O8_WhatIsNoSecretIsRefusedWithASentence) {
  EXPECT_EQ(error_of(""), path_ + " is empty");
  EXPECT_EQ(error_of("\n"), path_ + " is empty");
  EXPECT_EQ(error_of("one\ntwo\n"), path_ + " has more than one line");
  EXPECT_EQ(error_of("one\n\n"), path_ + " has more than one line");
  EXPECT_EQ(error_of("one\r\n"), path_ + " has a control character");
  EXPECT_EQ(error_of(std::string("a\0b", 3)), path_ + " has a control character");
  EXPECT_EQ(error_of(std::string(1024, 'a') + "\n"), "");
  EXPECT_EQ(error_of(std::string(1025, 'a')), path_ + " has more than 1024 bytes");
}

TEST_F(SecretFile, O8_AFileThatCannotBeReadIsAnError) {
  EXPECT_THAT(read_secret_file(path_).error(), HasSubstr(" cannot be read: No such file"));
  EXPECT_EQ(read_secret_file(testing::TempDir()).error(), testing::TempDir() + " is a directory");
}

}  // namespace
}  // namespace callpark
