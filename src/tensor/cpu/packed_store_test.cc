// Programs whose packed weights are kept: the same results bit for bit, and whatever happens to the
// folder costs time only.
#include "tensor/cpu/packed_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <thread>

#include "base/file.h"
#include "tensor/blocks.h"
#include "tensor/cpu/session.h"

namespace hearth::tensor {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kVocabulary = 40, kHidden = 64, kInner = 96;

// Two projections of one input, a gated layer, a residual and logits.
class Network {
 public:
  explicit Network(BlockType type, uint32_t seed = 5) : type_(type), random_(seed) {
    Add("embed", kVocabulary, kHidden, BlockType::kF32);
    for (const char* name : {"a", "b", "down_in", "gate", "up"}) {
      Add(name, std::string_view(name) == "down_in" ? kHidden : kInner, kHidden, type);
    }
    Add("logits", kVocabulary, kInner, type);
  }

  std::shared_ptr<const CpuProgram> Compile(const CompileOptions& options) const {
    GraphBuilder b(set_);
    Value x = b.Embed(*set_.Find("embed"), TokenInput::kIds, 1, 0);
    x = b.Add(x, b.Linear(x, *set_.Find("down_in"), {}));
    Value gated = b.Gate(b.Linear(x, *set_.Find("gate"), {}), b.Linear(x, *set_.Find("up"), {}),
                         Activation::kSilu);
    Value sum = b.Add(
        gated, b.Multiply(b.Linear(x, *set_.Find("a"), {}), b.Linear(x, *set_.Find("b"), {})));
    b.Output("logits", b.Linear(sum, *set_.Find("logits"), {}));
    return CpuProgram::Compile(b.Take(), set_, options);
  }

 private:
  void Add(const std::string& name, uint64_t rows, uint64_t columns, BlockType type) {
    std::vector<float> values(rows * columns);
    std::normal_distribution<float> normal(0, 0.3f);
    for (float& value : values) value = normal(random_);
    auto bytes = std::make_shared<std::vector<uint8_t>>(BlockBytes(type, values.size()));
    Quantize(type, values, *bytes);
    set_.Keep(bytes);
    set_.Add(name, {rows, columns, type, bytes->data()});
  }

  BlockType type_;
  std::mt19937 random_;
  WeightSet set_;
};

std::vector<float> Logits(const std::shared_ptr<const CpuProgram>& program) {
  ThreadTeam team(2);
  CpuSession session(program, team);
  std::vector<uint32_t> ids = {3, 1, 4, 1, 5}, positions = {0, 1, 2, 3, 4}, none(5), outputs;
  Segment segment;
  segment.rows = 5;
  std::vector<Segment> segments = {segment};
  session.Run(Batch{ids, positions, none, segments, outputs}, nullptr);
  OutputRows rows = session.Output("logits");
  std::vector<float> all;
  for (uint64_t i = 0; i < rows.rows; ++i) {
    all.insert(all.end(), rows.Row(i).begin(), rows.Row(i).end());
  }
  return all;
}

class PackedStoreTest : public ::testing::Test {
 protected:
  PackedStoreTest()
      : folder_(fs::temp_directory_path() /
                ("hearth_packed_" + std::to_string(getpid()) + "_" +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
  }
  ~PackedStoreTest() override { fs::remove_all(folder_); }

  CompileOptions Options(const std::string& identity = "one", Tier tier = CpuTier()) const {
    CompileOptions options;
    options.precision = Precision::kNative;
    options.tier = tier;
    options.threads = 2;
    options.store = std::make_shared<PackedStore>(
        PackedStore::Options{folder_ / "packed", max_bytes_,
                             [identity] { return std::optional<Sha256>(Sha256Of(identity)); }});
    return options;
  }

  std::vector<fs::path> Files() const {
    std::vector<fs::path> files;
    if (!fs::exists(folder_ / "packed")) return files;
    for (const auto& entry : fs::directory_iterator(folder_ / "packed")) {
      files.push_back(entry.path());
    }
    return files;
  }

  fs::path folder_;
  uint64_t max_bytes_ = 1 << 30;
};

TEST_F(PackedStoreTest, AKeptProgramGivesTheSameBits) {
  for (BlockType type : {BlockType::kF32, BlockType::kBf16, BlockType::kQ8_0, BlockType::kQ4_0}) {
    for (Precision precision : {Precision::kNative, Precision::kInt8}) {
      Network network(type);
      std::string name = std::string(InfoOf(type).name) + std::to_string(int(precision));
      CompileOptions options = Options(name);
      options.precision = precision;
      CompileOptions plain = options;
      plain.store = nullptr;
      std::vector<float> expected = Logits(network.Compile(plain));
      auto first = network.Compile(options);
      EXPECT_FALSE(first->is_from_store()) << name;
      EXPECT_EQ(Logits(first), expected) << name;
      first.reset();  // it is durable now
      auto second = network.Compile(options);
      EXPECT_TRUE(second->is_from_store()) << name;
      EXPECT_EQ(Logits(second), expected) << name;
    }
  }
}

TEST_F(PackedStoreTest, WhatOneTierKeptServesAllOthers) {
  Network network(BlockType::kQ8_0);
  for (Tier writer : {Tier::kPortable, CpuTier()}) {
    std::string name = "tier" + std::to_string(int(writer));
    network.Compile(Options(name, writer));
    for (int tier = 0; tier <= static_cast<int>(CpuTier()); ++tier) {
      CompileOptions options = Options(name, static_cast<Tier>(tier));
      auto kept = network.Compile(options);
      EXPECT_TRUE(kept->is_from_store());
      options.store = nullptr;
      EXPECT_EQ(Logits(kept), Logits(network.Compile(options)));
    }
  }
}

TEST_F(PackedStoreTest, AnotherCheckpointOrPrecisionIsAnotherFile) {
  Network one(BlockType::kF32, 5), two(BlockType::kF32, 6);
  one.Compile(Options("one"));
  EXPECT_FALSE(two.Compile(Options("two"))->is_from_store());
  CompileOptions int8 = Options("one");
  int8.precision = Precision::kInt8;
  EXPECT_FALSE(one.Compile(int8)->is_from_store());
  EXPECT_EQ(Files().size(), 3u);
  // A file under another's name is not taken for it.
  std::vector<fs::path> files = Files();
  for (const fs::path& file : files) {
    if (file != files[0]) fs::copy_file(files[0], file, fs::copy_options::overwrite_existing);
  }
  int found = 0;
  found += one.Compile(Options("one"))->is_from_store();
  found += two.Compile(Options("two"))->is_from_store();
  found += one.Compile(int8)->is_from_store();
  EXPECT_EQ(found, 1);
}

TEST_F(PackedStoreTest, ADamagedFileIsMadeAgain) {
  Network network(BlockType::kQ8_0);
  std::vector<float> expected = Logits(network.Compile(Options()));
  fs::path file = Files().at(0);
  std::string whole = ReadFile(file);
  auto spoil = [&](const std::string& bytes, const std::string& how) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    auto program = network.Compile(Options());
    EXPECT_FALSE(program->is_from_store()) << how;
    EXPECT_EQ(Logits(program), expected) << how;
    program.reset();
    EXPECT_EQ(ReadFile(file), whole) << how;
  };
  for (size_t size :
       {size_t{0}, size_t{7}, size_t{71}, size_t{200}, whole.size() / 2, whole.size() - 1}) {
    spoil(whole.substr(0, size), "cut at " + std::to_string(size));
  }
  spoil(whole + "x", "longer");
  std::mt19937 random(3);
  for (int i = 0; i < 60; ++i) {
    // The head, and all the rest.
    size_t at = i < 30 ? random() % 400 : random() % whole.size();
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    spoil(bytes, "bit in byte " + std::to_string(at));
  }
}

TEST_F(PackedStoreTest, ManyFirstStartsAtOnceAllWork) {
  Network network(BlockType::kBf16);
  CompileOptions plain = Options();
  plain.store = nullptr;
  std::vector<float> expected = Logits(network.Compile(plain));
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        EXPECT_EQ(Logits(network.Compile(Options())), expected);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(network.Compile(Options())->is_from_store());
  EXPECT_EQ(Files().size(), 1u);
}

TEST_F(PackedStoreTest, AFolderThatCannotBeWrittenIsNoFault) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / "packed") << "a file where the folder should be";
  Network network(BlockType::kF32);
  CompileOptions plain = Options();
  plain.store = nullptr;
  for (int i = 0; i < 2; ++i) {
    auto program = network.Compile(Options());
    EXPECT_FALSE(program->is_from_store());
    EXPECT_EQ(Logits(program), Logits(network.Compile(plain)));
  }
}

TEST_F(PackedStoreTest, FilesThatOthersMayWriteAreNotRead) {
  Network network(BlockType::kF32);
  network.Compile(Options());
  fs::path file = Files().at(0);
  fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
  EXPECT_FALSE(network.Compile(Options())->is_from_store());
  // It was replaced by one of our own.
  EXPECT_TRUE(network.Compile(Options())->is_from_store());
}

TEST_F(PackedStoreTest, WeightsThatChangedMeanwhileAreNotKept) {
  Network network(BlockType::kF32);
  int asked = 0;
  CompileOptions options = Options();
  options.store = std::make_shared<PackedStore>(PackedStore::Options{
      folder_ / "packed", max_bytes_,
      [&asked] { return std::optional<Sha256>(Sha256Of(std::to_string(++asked))); }});
  network.Compile(options);
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(Files().empty());
}

TEST_F(PackedStoreTest, TheOldestMakeRoom) {
  Network network(BlockType::kF32);
  network.Compile(Options("first"));
  const uint64_t bytes = fs::file_size(Files().at(0));
  max_bytes_ = 3 * bytes + bytes / 2;
  network.Compile(Options("second"));
  network.Compile(Options("third"));
  const auto past = fs::file_time_type::clock::now() - std::chrono::hours(2);
  for (const fs::path& file : Files()) fs::last_write_time(file, past);
  // Used now, so it stays.
  EXPECT_TRUE(network.Compile(Options("first"))->is_from_store());
  network.Compile(Options("fourth"));
  EXPECT_EQ(Files().size(), 3u);
  EXPECT_TRUE(network.Compile(Options("first"))->is_from_store());
  EXPECT_TRUE(network.Compile(Options("fourth"))->is_from_store());
  max_bytes_ = bytes / 2;  // too small for any
  network.Compile(Options("fifth"));
  EXPECT_EQ(Files().size(), 3u);
}

TEST_F(PackedStoreTest, WhatKilledWritersLeftIsCleared) {
  fs::create_directories(folder_ / "packed");
  const auto past = fs::file_time_type::clock::now() - std::chrono::hours(48);
  for (const char* name : {".tmp-0123", "abc.lock", "of somebody else"}) {
    std::ofstream(folder_ / "packed" / name) << "x";
    fs::last_write_time(folder_ / "packed" / name, past);
  }
  std::ofstream(folder_ / "packed" / ".tmp-young") << "x";
  Network(BlockType::kF32).Compile(Options());
  EXPECT_FALSE(fs::exists(folder_ / "packed" / ".tmp-0123"));
  EXPECT_FALSE(fs::exists(folder_ / "packed" / "abc.lock"));
  EXPECT_TRUE(fs::exists(folder_ / "packed" / ".tmp-young"));
  EXPECT_TRUE(fs::exists(folder_ / "packed" / "of somebody else"));
}

}  // namespace
}  // namespace hearth::tensor
