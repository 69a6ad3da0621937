#include "storage/blob/blob_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <thread>
#include <vector>

#include "base/error.h"

namespace hearth::storage {
namespace {

class BlobStoreTest : public testing::Test {
 protected:
  BlobStoreTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hearth-blob-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    store_ = BlobStore::OpenLocal(folder_ / "blobs");
  }
  ~BlobStoreTest() override { std::filesystem::remove_all(folder_); }

  static TempFile Spool(const BlobStore& store, std::string_view content) {
    TempFile file(store.temp_folder());
    file.Append(content);
    return file;
  }
  Sha256 Put(std::string_view content) {
    Sha256 id = Sha256Of(content);
    store_->Put(Spool(*store_, content), id);
    return id;
  }
  static std::string Content(const BlobStore& store, const Sha256& id) {
    auto fd = store.Open(id);
    std::string out(FileSize(fd->get()), '\0');
    ReadExactAt(fd->get(), 0, out.data(), out.size());
    return out;
  }
  size_t TempFiles() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(store_->temp_folder())) {
      count += entry.is_regular_file();
    }
    return count;
  }

  std::filesystem::path folder_;
  std::unique_ptr<BlobStore> store_;
};

TEST_F(BlobStoreTest, AnObjectIsStoredUnderItsHash) {
  Sha256 id = Put("hello");
  EXPECT_EQ(store_->FindSize(id), 5u);
  EXPECT_EQ(Content(*store_, id), "hello");
  std::string hex = id.Hex();
  EXPECT_TRUE(
      std::filesystem::exists(folder_ / "blobs" / hex.substr(0, 2) / hex.substr(2, 2) / hex));
  EXPECT_EQ(TempFiles(), 0u);
}

TEST_F(BlobStoreTest, ReopeningFindsTheObjects) {
  Sha256 id = Put("kept");
  EXPECT_EQ(Content(*BlobStore::OpenLocal(folder_ / "blobs"), id), "kept");
}

TEST_F(BlobStoreTest, MissingObjectsAreNotFound) {
  Sha256 id = Sha256Of("never");
  EXPECT_EQ(store_->FindSize(id), std::nullopt);
  try {
    store_->Open(id);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
  }
  store_->Delete(id);
}

TEST_F(BlobStoreTest, AnOpenObjectOutlivesItsDeletion) {
  Sha256 id = Put("bytes");
  auto fd = store_->Open(id);
  store_->Delete(id);
  EXPECT_EQ(store_->FindSize(id), std::nullopt);
  std::string out(5, '\0');
  ReadExactAt(fd->get(), 0, out.data(), out.size());
  EXPECT_EQ(out, "bytes");
  EXPECT_EQ(Put("bytes"), id);
  EXPECT_EQ(Content(*store_, id), "bytes");
}

TEST_F(BlobStoreTest, AnObjectThatIsMovedOutIsGoneAndWhole) {
  Sha256 id = Put("bytes");
  std::filesystem::path target = folder_ / "aside";
  std::filesystem::create_directory(target);
  EXPECT_TRUE(store_->MoveOut(id, target / "x"));
  EXPECT_EQ(store_->FindSize(id), std::nullopt);
  EXPECT_EQ(ReadFile(target / "x"), "bytes");
  EXPECT_FALSE(store_->MoveOut(id, target / "y"));
  Put("bytes");
  EXPECT_THROW(store_->MoveOut(id, target / "missing" / "x"), Error);
  EXPECT_EQ(Content(*store_, id), "bytes");
}

TEST_F(BlobStoreTest, PuttingTheSameContentFromManyThreadsSucceedsEverywhere) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) Put("object " + std::to_string(i));
    });
  }
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < 50; ++i) {
    std::string content = "object " + std::to_string(i);
    EXPECT_EQ(Content(*store_, Sha256Of(content)), content);
  }
  EXPECT_EQ(TempFiles(), 0u);
}

TEST_F(BlobStoreTest, ATruncatedObjectIsHealedByTheNextPut) {
  Sha256 id = Put("whole content");
  std::string hex = id.Hex();
  auto path = folder_ / "blobs" / hex.substr(0, 2) / hex.substr(2, 2) / hex;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  std::filesystem::resize_file(path, 3);
  Put("whole content");
  EXPECT_EQ(Content(*store_, id), "whole content");
}

TEST_F(BlobStoreTest, ForEachNamesEveryObjectAndNothingElse) {
  std::map<std::string, uint64_t> expected, seen;
  for (int i = 0; i < 20; ++i) {
    std::string content(static_cast<size_t>(i), 'x');
    expected[Put(content).Hex()] = content.size();
  }
  TempFile unfinished = Spool(*store_, "unfinished");
  std::filesystem::create_directories(folder_ / "blobs" / "ab" / "cd");
  std::ofstream(folder_ / "blobs" / "ab" / "cd" / "stray") << "x";
  std::ofstream(folder_ / "blobs" / "ab" / "cd" / std::string(64, '0')) << "in the wrong folder";
  store_->ForEach([&](const Sha256& id, uint64_t size_bytes) { seen[id.Hex()] = size_bytes; });
  EXPECT_EQ(seen, expected);
}

TEST_F(BlobStoreTest, AFullDiskIsReportedAndLeavesNothing) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ::getrlimit(RLIMIT_FSIZE, &old_limit);
  rlimit small{4096, old_limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(Put(std::string(100'000, 'x')), Error);
  ::setrlimit(RLIMIT_FSIZE, &old_limit);
  EXPECT_EQ(TempFiles(), 0u);
  EXPECT_EQ(store_->FindSize(Sha256Of(std::string(100'000, 'x'))), std::nullopt);
  Put(std::string(100'000, 'x'));
}

TEST_F(BlobStoreTest, AcknowledgedObjectsSurviveKill) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  pid_t child = ::fork();
  if (child == 0) {
    for (int i = 0;; ++i) {
      Put("content " + std::to_string(i));
      char byte = '.';
      if (::write(pipe_ends[1], &byte, 1) != 1) ::_exit(0);
    }
  }
  ::close(pipe_ends[1]);
  char byte;
  int acknowledged = 0;
  while (acknowledged < 40 && ::read(pipe_ends[0], &byte, 1) == 1) ++acknowledged;
  ::kill(child, SIGKILL);
  while (::read(pipe_ends[0], &byte, 1) == 1) ++acknowledged;
  ::close(pipe_ends[0]);
  ::waitpid(child, nullptr, 0);
  for (int i = 0; i < acknowledged; ++i) {
    std::string content = "content " + std::to_string(i);
    EXPECT_EQ(Content(*store_, Sha256Of(content)), content);
  }
  // Whatever else is there under an object's name is whole as well.
  store_->ForEach(
      [&](const Sha256& id, uint64_t) { EXPECT_EQ(Sha256Of(Content(*store_, id)), id); });
}

}  // namespace
}  // namespace hearth::storage
