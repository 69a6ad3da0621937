// Files that shrink while they are read through memory, and signals that are none of ours.
#include "base/guarded_mapping.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"

namespace hearth {
namespace {

constexpr size_t kPage = 64 << 10;  // no page is larger

class GuardedMappingTest : public testing::Test {
 protected:
  GuardedMappingTest() : file_(std::filesystem::temp_directory_path()) {
    content_.resize(5 * kPage + 100);
    for (size_t i = 0; i < content_.size(); ++i) content_[i] = static_cast<char>(1 + i % 251);
    file_.Append(content_);
  }
  void Cut(uint64_t size) { ASSERT_EQ(::ftruncate(file_.fd(), static_cast<off_t>(size)), 0); }

  TempFile file_;
  std::string content_;
};

TEST_F(GuardedMappingTest, GivesTheBytesOfTheFileFromAnyOffset) {
  for (size_t offset : {size_t{0}, size_t{1}, size_t{4097}, kPage, content_.size() - 1}) {
    size_t size = content_.size() - offset;
    GuardedMapping mapping(file_.fd(), offset, size);
    ASSERT_TRUE(mapping.valid());
    mapping.Populate();
    EXPECT_EQ(mapping.bytes(), std::string_view(content_).substr(offset));
    EXPECT_FALSE(mapping.broken());
  }
}

TEST_F(GuardedMappingTest, WhatWasCutOffReadsAsZerosAndIsTold) {
  GuardedMapping mapping(file_.fd(), 0, content_.size());
  GuardedMapping other(file_.fd(), kPage, kPage);
  EXPECT_EQ(mapping.bytes(), content_);
  Cut(2 * kPage);
  EXPECT_EQ(mapping.bytes().substr(0, 2 * kPage), std::string_view(content_).substr(0, 2 * kPage));
  EXPECT_FALSE(mapping.broken());
  EXPECT_EQ(mapping.bytes().substr(2 * kPage), std::string(3 * kPage + 100, '\0'));
  EXPECT_TRUE(mapping.broken());
  EXPECT_EQ(other.bytes(), std::string_view(content_).substr(kPage, kPage));
  EXPECT_FALSE(other.broken());
}

TEST_F(GuardedMappingTest, PopulatingWhatIsGoneIsHarmless) {
  GuardedMapping mapping(file_.fd(), kPage, 2 * kPage);
  Cut(kPage);
  mapping.Populate();
  EXPECT_EQ(mapping.bytes(), std::string(2 * kPage, '\0'));
  EXPECT_TRUE(mapping.broken());
}

TEST_F(GuardedMappingTest, ManyThreadsMapAndBreakWithoutMixingThemUp) {
  TempFile whole(std::filesystem::temp_directory_path());
  whole.Append(content_);
  Cut(kPage);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&, number] {
      bool cut = number % 2 == 0;
      for (int round = 0; round < 300; ++round) {
        GuardedMapping mapping(cut ? file_.fd() : whole.fd(), 0, 4 * kPage);
        std::string_view bytes = mapping.bytes();
        bool zero = bytes[static_cast<size_t>(1 + round % 3) * kPage] == 0;
        wrong += zero != cut || mapping.broken() != cut;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(GuardedMappingTest, FilesThatCannotBeMappedAreNotValid) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  UniqueFd read(ends[0]), write(ends[1]);
  EXPECT_FALSE(GuardedMapping(read.get(), 0, 100).valid());
}

using GuardedMappingDeathTest = GuardedMappingTest;

TEST_F(GuardedMappingDeathTest, OtherFaultsStillEndTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        GuardedMapping mapping(file_.fd(), 0, kPage);
        void* plain = ::mmap(nullptr, kPage, PROT_READ, MAP_SHARED, file_.fd(), 0);
        if (::ftruncate(file_.fd(), 0) == 0) {
          std::string copy(static_cast<const char*>(plain), kPage);
          ::_exit(copy.empty() ? 1 : 0);
        }
      },
      "");
}

TEST_F(GuardedMappingDeathTest, ASignalThatWasSentStillEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        GuardedMapping mapping(file_.fd(), 0, kPage);
        ::raise(SIGBUS);
        ::_exit(0);
      },
      "");
}

}  // namespace
}  // namespace hearth
