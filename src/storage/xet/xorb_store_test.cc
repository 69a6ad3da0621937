#include "storage/xet/xorb_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <thread>

#include "base/error.h"
#include "storage/xet/internal/test_xorb_store.h"

namespace hearth::storage {
namespace {

namespace fs = std::filesystem;
using internal::Packed;
using internal::SplitMixBytes;
using internal::Spool;

class XorbStoreTest : public testing::Test {
 protected:
  fs::path FileOf(const XetHash& hash) const {
    std::string text = hash.Text();
    return root_ / text.substr(0, 2) / text.substr(2, 2) / text;
  }
  size_t TempFiles() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(root_ / "tmp"), fs::directory_iterator()));
  }
  void Overwrite(const XetHash& hash, const std::string& content) {
    fs::permissions(FileOf(hash), fs::perms::owner_write, fs::perm_options::add);
    std::ofstream(FileOf(hash), std::ios::binary | std::ios::trunc) << content;
  }
  Code PutFault(std::string_view body, const XetHash& hash) {
    try {
      store_->PutUploaded(Spool(*store_, body), hash);
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "accepted";
    return Code::kConflict;
  }

  internal::TestFolder folder_;
  fs::path root_ = folder_.path() / "xorbs";
  std::unique_ptr<XorbStore> store_ = XorbStore::OpenLocal(root_);
  XorbBuilder::Built built_ = internal::RecordedXorb();
  XetHash hash_ = built_.index.hash;
  // One xorb, twice.
  std::vector<std::string> rows_ = internal::Chunks(internal::TextRows(20000));
  Packed raw_ = internal::PackAll(rows_, XorbScheme::kNone);
  Packed packed_ = internal::PackAll(rows_, XorbScheme::kLz4);
};

TEST_F(XorbStoreTest, WhatIsPutIsFoundAgainAfterReopening) {
  EXPECT_EQ(store_->FindIndex(hash_), nullptr);
  XorbStore::Put put = store_->PutUploaded(Spool(*store_, built_.body), hash_);
  EXPECT_TRUE(put.inserted);
  EXPECT_EQ(put.index->hash, hash_);
  EXPECT_EQ(store_->FindIndex(hash_), put.index);
  EXPECT_EQ(TempFiles(), 0u);

  store_ = XorbStore::OpenLocal(root_);
  XorbIndexPtr index = store_->FindIndex(hash_);
  ASSERT_NE(index, nullptr);
  EXPECT_EQ(index->chunks.size(), 12u);
  EXPECT_EQ(index->body_bytes, built_.body.size());
  EXPECT_EQ(ReadFile(FileOf(hash_)), built_.body + WriteXorbFooter(built_.index, 0));
  std::string body(index->body_bytes, '\0');
  ReadExactAt(store_->Open(hash_)->get(), 0, body.data(), body.size());
  EXPECT_TRUE(body == built_.body);
}

TEST_F(XorbStoreTest, BuiltXorbsAreStoredLikeUploadedOnes) {
  EXPECT_TRUE(store_->PutBuilt(built_).inserted);
  EXPECT_FALSE(store_->PutBuilt(built_).inserted);
  EXPECT_FALSE(store_->PutUploaded(Spool(*store_, built_.body), hash_).inserted);
  EXPECT_EQ(ReadFile(FileOf(hash_)), built_.body + WriteXorbFooter(built_.index, 0));
  EXPECT_EQ(TempFiles(), 0u);
}

TEST_F(XorbStoreTest, TheSendersFooterIsReplacedByOurs) {
  std::string sent = built_.body + WriteXorbFooter(built_.index, 0xdeadbeef);
  EXPECT_TRUE(store_->PutUploaded(Spool(*store_, sent), hash_).inserted);
  EXPECT_EQ(ReadFile(FileOf(hash_)), built_.body + WriteXorbFooter(built_.index, 0));
}

// Whoever knows a form has its byte positions.
TEST_F(XorbStoreTest, AFormThatItsSenderKnowsStays) {
  for (int reopened = 0; reopened < 2; ++reopened) {
    XorbStore::Put first = store_->PutUploaded(Spool(*store_, packed_.body), packed_.hash);
    EXPECT_EQ(first.form, 0);
    XorbStore::Put again = store_->PutUploaded(Spool(*store_, raw_.body), raw_.hash, 0);
    EXPECT_FALSE(again.inserted);
    EXPECT_EQ(again.form, 0);
    EXPECT_EQ(again.index->body_bytes, packed_.body.size());
    store_ = XorbStore::OpenLocal(root_);
  }
  EXPECT_TRUE(ReadFile(FileOf(raw_.hash)).starts_with(packed_.body));
  EXPECT_EQ(store_->FindIndex(XorbForm(raw_.hash, 1)), nullptr);
}

TEST_F(XorbStoreTest, ABodyThatDiffersBecomesAFormOfItsOwn) {
  store_->PutUploaded(Spool(*store_, packed_.body), packed_.hash);
  for (int sent = 0; sent < 2; ++sent) {
    XorbStore::Put second = store_->PutUploaded(Spool(*store_, raw_.body), raw_.hash);
    EXPECT_EQ(second.inserted, sent == 0);
    EXPECT_EQ(second.form, 1);
    EXPECT_EQ(second.index->body_bytes, raw_.body.size());
    XorbStore::Put same = store_->PutUploaded(Spool(*store_, packed_.body), raw_.hash);
    EXPECT_FALSE(same.inserted);
    EXPECT_EQ(same.form, 0);
    EXPECT_EQ(TempFiles(), 0u);
    store_ = XorbStore::OpenLocal(root_);
  }
  std::map<XorbForm, uint64_t> listed;
  store_->ForEach([&](const XorbForm& xorb, uint64_t bytes) { listed[xorb] = bytes; });
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_GT(listed[XorbForm(raw_.hash, 1)], raw_.body.size());
  std::string body(raw_.body.size(), '\0');
  ReadExactAt(store_->Open(XorbForm(raw_.hash, 1))->get(), 0, body.data(), body.size());
  EXPECT_TRUE(body == raw_.body);
}

// Of the same length, record for record, and yet not the same bytes.
TEST_F(XorbStoreTest, FormsAreToldApartByEveryByte) {
  std::string noise = SplitMixBytes(7, 192);
  std::string again = noise.substr(0, 64);
  Packed near = internal::PackAll(
      {again + noise.substr(64, 64) + again + noise.substr(128) + again}, XorbScheme::kLz4);
  store_->PutUploaded(Spool(*store_, near.body), near.hash);
  // The last match, 128 bytes back, could as well go back 256.
  Packed far = near;
  size_t offset = far.body.rfind(std::string("\x80\0", 2));
  ASSERT_NE(offset, std::string::npos);
  far.body.replace(offset, 2, std::string("\0\x01", 2));
  XorbStore::Put put = store_->PutUploaded(Spool(*store_, far.body), near.hash);
  EXPECT_TRUE(put.inserted);
  EXPECT_EQ(put.form, 1);
}

TEST_F(XorbStoreTest, AFormThatWentAwayLeavesItsPlaceToTheNext) {
  store_->PutUploaded(Spool(*store_, packed_.body), packed_.hash);
  store_->PutUploaded(Spool(*store_, raw_.body), raw_.hash);
  fs::path aside = folder_.path() / "aside";
  EXPECT_TRUE(store_->MoveOut(packed_.hash, aside));
  EXPECT_EQ(store_->FindIndex(packed_.hash), nullptr);
  EXPECT_TRUE(store_->MoveOut(XorbForm(raw_.hash, 1), folder_.path() / "second"));
  EXPECT_EQ(store_->PutUploaded(Spool(*store_, raw_.body), raw_.hash).form, 0);
  store_->MoveIn(aside, XorbForm(packed_.hash, 1));
  EXPECT_EQ(store_->FindIndex(XorbForm(packed_.hash, 1))->body_bytes, packed_.body.size());
  EXPECT_EQ(store_->FindIndex(packed_.hash)->body_bytes, raw_.body.size());
}

// Bytes that were lost come back under the form that files mean.
TEST_F(XorbStoreTest, AKnownFormThatIsMissingIsStoredAgain) {
  store_->PutUploaded(Spool(*store_, packed_.body), packed_.hash);
  store_->PutUploaded(Spool(*store_, raw_.body), raw_.hash);
  EXPECT_TRUE(store_->MoveOut(XorbForm(raw_.hash, 1), folder_.path() / "aside"));
  XorbStore::Put put = store_->PutUploaded(Spool(*store_, packed_.body), raw_.hash, 1);
  EXPECT_TRUE(put.inserted);
  EXPECT_EQ(put.form, 1);
}

TEST(XorbForm, HasOneNameAndOneKey) {
  XetHash hash = HashChunk("x");
  for (int number : {0, 1, 9, 10, 256, 65535}) {
    XorbForm form(hash, static_cast<uint16_t>(number));
    EXPECT_EQ(XorbForm::FromText(form.Text()), form);
    EXPECT_EQ(XorbForm::FromKey(form.Key()), form);
  }
  EXPECT_EQ(XorbForm(hash).Text(), hash.Text());
  EXPECT_EQ(XorbForm(hash).Key(), hash.raw());
  EXPECT_LT(XorbForm(hash, 9).Key(), XorbForm(hash, 256).Key());
  for (const char* wrong : {".0", ".01", ".", ".65536", ".x", "1", ".1.1"}) {
    EXPECT_EQ(XorbForm::FromText(hash.Text() + wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(XorbForm::FromText("12.1"), std::nullopt);
}

TEST_F(XorbStoreTest, ALieIsRefusedEvenWhenTheXorbIsStored) {
  std::string cut = built_.body.substr(0, built_.body.size() - 1);
  for (int stored = 0; stored < 2; ++stored) {
    EXPECT_EQ(PutFault(cut, hash_), Code::kInvalidArgument);
    EXPECT_EQ(PutFault("", hash_), Code::kInvalidArgument);
    EXPECT_EQ(PutFault(built_.body, HashChunk("other")), Code::kInvalidArgument);
    EXPECT_EQ(store_->FindIndex(hash_) != nullptr, stored == 1);
    EXPECT_EQ(TempFiles(), 0u);
    store_->PutUploaded(Spool(*store_, built_.body), hash_);
  }
  EXPECT_EQ(store_->FindIndex(HashChunk("other")), nullptr);
}

TEST_F(XorbStoreTest, TooLongABodyIsRefusedUnread) {
  TempFile file(store_->temp_folder());
  ASSERT_EQ(::ftruncate(file.fd(), kXorbMaxBodyBytes + kXorbMaxFooterBytes + 1), 0);
  try {
    store_->PutUploaded(std::move(file), hash_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kTooLarge);
  }
  EXPECT_EQ(TempFiles(), 0u);
}

TEST_F(XorbStoreTest, DamageIsReported) {
  store_->PutBuilt(built_);
  std::string good = ReadFile(FileOf(hash_));
  std::vector<std::string> damaged = {
      "",         good.substr(0, 1000), good.substr(0, good.size() - 1),
      good + "x", good.substr(1),       std::string(good.size(), '\0')};
  // A byte of the hash, of a chunk's hash, of a count.
  for (size_t at : {size_t{8}, size_t{60}, size_t{48}}) {
    damaged.push_back(good);
    damaged.back()[built_.body.size() + at] ^= 1;
  }
  // Another, whole xorb under this name.
  XorbBuilder other;
  other.Add(HashChunk("other"), "other");
  XorbBuilder::Built other_built = other.Finish();
  damaged.push_back(other_built.body + WriteXorbFooter(other_built.index, 0));
  for (size_t i = 0; i < damaged.size(); ++i) {
    Overwrite(hash_, damaged[i]);
    auto reopened = XorbStore::OpenLocal(root_);
    try {
      reopened->FindIndex(hash_);
      ADD_FAILURE() << i;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInternal) << i;
    }
  }
  Overwrite(hash_, good);
  EXPECT_NE(XorbStore::OpenLocal(root_)->FindIndex(hash_), nullptr);
}

TEST_F(XorbStoreTest, AXorbMovesOutAndBackIn) {
  fs::path away = folder_.path() / "trash";
  EXPECT_FALSE(store_->MoveOut(hash_, away));
  store_->PutBuilt(built_);
  std::shared_ptr<UniqueFd> open = store_->Open(hash_);
  EXPECT_TRUE(store_->MoveOut(hash_, away));
  EXPECT_EQ(store_->FindIndex(hash_), nullptr);
  EXPECT_FALSE(fs::exists(FileOf(hash_)));
  try {
    store_->Open(hash_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
  }
  std::string body(built_.body.size(), '\0');
  ReadExactAt(open->get(), 0, body.data(), body.size());
  EXPECT_TRUE(body == built_.body);

  EXPECT_EQ(store_->MoveIn(away, hash_)->chunks.size(), 12u);
  EXPECT_FALSE(fs::exists(away));
  EXPECT_NE(store_->FindIndex(hash_), nullptr);
}

TEST_F(XorbStoreTest, MoveInRefusesDamageAndKeepsWhatIsStored) {
  fs::path away = folder_.path() / "trash";
  EXPECT_THROW(store_->MoveIn(away, hash_), Error);
  std::ofstream(away) << "not a xorb";
  EXPECT_THROW(store_->MoveIn(away, hash_), Error);
  EXPECT_TRUE(fs::exists(away));

  std::vector<std::string> chunks = internal::Chunks(internal::TextRows(20000));
  Packed raw = internal::PackAll(chunks, XorbScheme::kNone);
  Packed packed = internal::PackAll(chunks, XorbScheme::kLz4);
  store_->PutUploaded(Spool(*store_, raw.body), raw.hash);
  ASSERT_TRUE(store_->MoveOut(raw.hash, away));
  EXPECT_THROW(store_->MoveIn(away, hash_), Error);  // another xorb's name
  store_->PutUploaded(Spool(*store_, packed.body), raw.hash);
  EXPECT_EQ(store_->MoveIn(away, raw.hash)->body_bytes, packed.body.size());
  EXPECT_FALSE(fs::exists(away));
}

TEST_F(XorbStoreTest, WhatAnotherProcessDoesIsSeen) {
  auto other = XorbStore::OpenLocal(root_);
  std::vector<std::string> chunks = internal::Chunks(internal::TextRows(20000));
  Packed raw = internal::PackAll(chunks, XorbScheme::kNone);
  Packed packed = internal::PackAll(chunks, XorbScheme::kLz4);
  store_->PutUploaded(Spool(*store_, raw.body), raw.hash);
  ASSERT_EQ(other->FindIndex(raw.hash)->body_bytes, raw.body.size());
  other->Open(raw.hash);
  ASSERT_TRUE(store_->MoveOut(raw.hash, folder_.path() / "trash"));
  EXPECT_EQ(other->FindIndex(raw.hash), nullptr);
  EXPECT_THROW(other->Open(raw.hash), Error);
  store_->PutUploaded(Spool(*store_, packed.body), raw.hash);
  EXPECT_EQ(other->FindIndex(raw.hash)->body_bytes, packed.body.size());
  EXPECT_GT(FileSize(other->Open(raw.hash)->get()), packed.body.size());
  EXPECT_LT(FileSize(other->Open(raw.hash)->get()), raw.body.size());
}

TEST_F(XorbStoreTest, ForEachNamesEveryXorbOnceAndNothingElse) {
  std::map<XorbForm, uint64_t> expected;
  for (int i = 0; i < 40; ++i) {
    XorbBuilder builder;
    std::string chunk = SplitMixBytes(i, 1000);
    builder.Add(HashChunk(chunk), chunk);
    XorbBuilder::Built built = builder.Finish();
    store_->PutBuilt(built);
    expected[built.index.hash] = fs::file_size(FileOf(built.index.hash));
  }
  std::ofstream(root_ / "tmp" / "upload") << "half";
  fs::create_directories(root_ / "ab" / "cd");
  std::ofstream(root_ / "ab" / "cd" / "stray") << "x";
  std::map<XorbForm, uint64_t> found;
  store_->ForEach([&](const XorbForm& xorb, uint64_t bytes) {
    EXPECT_TRUE(found.emplace(xorb, bytes).second);
  });
  EXPECT_EQ(found, expected);
}

TEST_F(XorbStoreTest, ManyThreadsPutEachBodyOnce) {
  std::vector<std::string> chunks = internal::Chunks(internal::TextRows(20000));
  Packed bodies[] = {internal::PackAll(chunks, XorbScheme::kNone),
                     internal::PackAll(chunks, XorbScheme::kLz4)};
  for (int round = 0; round < 5; ++round) {
    std::vector<XorbStore::Put> puts(8);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < puts.size(); ++i) {
      threads.emplace_back([&, i] {
        puts[i] = store_->PutUploaded(Spool(*store_, bodies[i % 2].body), bodies[0].hash);
        store_->Open(bodies[0].hash);
      });
    }
    for (std::thread& thread : threads) thread.join();
    int inserted = 0;
    for (size_t i = 0; i < puts.size(); ++i) {
      inserted += puts[i].inserted;
      EXPECT_EQ(puts[i].index->body_bytes, bodies[i % 2].body.size());
      EXPECT_EQ(puts[i].form, puts[i % 2].form);
    }
    EXPECT_EQ(inserted, 2);
    EXPECT_EQ(TempFiles(), 0u);
    for (uint16_t form : {0, 1}) {
      ASSERT_TRUE(store_->MoveOut(XorbForm(bodies[0].hash, form), folder_.path() / "trash"));
    }
  }
}

TEST_F(XorbStoreTest, OnlyOldLeftoversAreRemovedOnOpening) {
  fs::path fresh = store_->temp_folder() / ".tmp-fresh";
  fs::path stale = store_->temp_folder() / ".tmp-stale";
  std::ofstream(fresh) << "x";
  std::ofstream(stale) << "x";
  fs::last_write_time(stale, fs::file_time_type::clock::now() - std::chrono::hours(25));
  fs::create_directory(store_->temp_folder() / "folder");
  XorbStore::OpenLocal(root_);
  EXPECT_TRUE(fs::exists(fresh));
  EXPECT_FALSE(fs::exists(stale));
  EXPECT_TRUE(fs::exists(store_->temp_folder() / "folder"));
}

TEST_F(XorbStoreTest, MoreXorbsThanOpenFilesAreRemembered) {
  std::vector<XetHash> hashes;
  std::vector<std::shared_ptr<UniqueFd>> files;
  for (int i = 0; i < 100; ++i) {
    XorbBuilder builder;
    std::string chunk = "xorb " + std::to_string(i);
    builder.Add(HashChunk(chunk), chunk);
    hashes.push_back(store_->PutBuilt(builder.Finish()).index->hash);
    files.push_back(store_->Open(hashes.back()));
  }
  EXPECT_EQ(store_->Open(hashes[99]), files[99]);
  EXPECT_NE(store_->Open(hashes[0]), files[0]);
  for (int i = 0; i < 100; ++i) {
    std::string expected = "xorb " + std::to_string(i);
    std::string chunk(expected.size(), '\0');
    ReadExactAt(files[i]->get(), kXorbHeaderBytes, chunk.data(), chunk.size());
    EXPECT_EQ(chunk, expected);
  }
}

}  // namespace
}  // namespace hearth::storage
