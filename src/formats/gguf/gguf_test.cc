#include "formats/gguf/gguf.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"

namespace hearth {
namespace {

// Writes GGUF files piece by piece.
class Builder {
 public:
  explicit Builder(uint32_t version = 3) {
    bytes_ = "GGUF";
    Put<uint32_t>(version);
    Put<uint64_t>(0);
    Put<uint64_t>(0);
  }
  template <typename T>
  Builder& Put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Builder& String(std::string_view text) {
    Put<uint64_t>(text.size());
    bytes_ += text;
    return *this;
  }
  Builder& Key(std::string_view key, uint32_t type) {
    ++pairs_;
    return String(key).Put<uint32_t>(type);
  }
  Builder& Text(std::string_view key, std::string_view value) { return Key(key, 8).String(value); }
  Builder& Number(std::string_view key, uint32_t value) { return Key(key, 4).Put(value); }
  Builder& Tensor(std::string_view name, const std::vector<uint64_t>& dims, uint32_t type,
                  uint64_t offset) {
    ++tensors_;
    String(name).Put<uint32_t>(static_cast<uint32_t>(dims.size()));
    for (uint64_t dim : dims) Put(dim);
    return Put(type).Put(offset);
  }
  std::string Build(size_t data_bytes = 0, size_t alignment = 32) const {
    std::string file = bytes_;
    std::memcpy(file.data() + 8, &tensors_, 8);
    std::memcpy(file.data() + 16, &pairs_, 8);
    if (tensors_ > 0) file.resize((file.size() + alignment - 1) / alignment * alignment);
    return file + std::string(data_bytes, 'w');
  }

 private:
  std::string bytes_;
  uint64_t tensors_ = 0;
  uint64_t pairs_ = 0;
};

GgufHeader Parse(const std::string& file, const GgufLimits& limits = {}) {
  MemorySource source(file);
  return ReadGgufHeader(source, limits);
}

std::string FailureOf(const std::string& file, Code expected = Code::kInvalidArgument) {
  try {
    Parse(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), expected) << error.message();
    return error.message();
  }
  return "";
}

Builder Sample() {
  Builder builder;
  builder.Text("general.architecture", "llama")
      .Text("general.name", "Tiny")
      .Number("general.file_type", 15)
      .Number("llama.context_length", 4096)
      .Text("tokenizer.chat_template", "{{ messages }}");
  builder.Key("tokenizer.ggml.tokens", 9).Put<uint32_t>(8).Put<uint64_t>(600);
  for (int i = 0; i < 600; ++i) builder.String("tok" + std::to_string(i));
  builder.Number("tokenizer.ggml.bos_token_id", 1).Number("tokenizer.ggml.eos_token_id", 599);
  builder.Key("rope.scales", 9).Put<uint32_t>(6).Put<uint64_t>(2).Put(1.5f).Put(-2.0f);
  builder.Tensor("token_embd.weight", {256, 4}, 12, 0).Tensor("output_norm.weight", {8}, 0, 576);
  return builder;
}

TEST(Gguf, SummarisesAModel) {
  GgufHeader header = Parse(Sample().Build(576 + 32));
  EXPECT_EQ(header.version, 3u);
  EXPECT_EQ(header.architecture, "llama");
  EXPECT_EQ(header.context_length, 4096u);
  EXPECT_EQ(header.quantization, "Q4_K_M");
  EXPECT_EQ(header.chat_template, "{{ messages }}");
  EXPECT_EQ(header.bos_token, "tok1");
  EXPECT_EQ(header.eos_token, "tok599");
  EXPECT_EQ(header.total_parameters, 256u * 4 + 8);
  ASSERT_EQ(header.tensors.size(), 2u);
  EXPECT_EQ(header.tensors[0].type, "Q4_K");
  EXPECT_EQ(header.tensors[0].bytes, 576u);
  EXPECT_EQ(header.tensors[1].dims, (std::vector<uint64_t>{8}));
  EXPECT_EQ(header.data_offset % 32, 0u);
}

TEST(Gguf, LongArraysAreCountedAndShortOnesKept) {
  GgufHeader header = Parse(Sample().Build(608));
  const GgufMetadata* tokens = header.Find("tokenizer.ggml.tokens");
  ASSERT_NE(tokens, nullptr);
  EXPECT_EQ(tokens->count, 600u);
  EXPECT_EQ(tokens->type, "array[string]");
  EXPECT_TRUE(tokens->value.is_null());
  const GgufMetadata* scales = header.Find("rope.scales");
  ASSERT_NE(scales, nullptr);
  EXPECT_EQ(scales->value, Json::Arr({1.5, -2.0}));
}

TEST(Gguf, ReadsEveryScalarType) {
  Builder builder(2);
  builder.Key("u8", 0).Put<uint8_t>(200).Key("i8", 1).Put<int8_t>(-5).Key("u16", 2).Put<uint16_t>(
      60000);
  builder.Key("i16", 3).Put<int16_t>(-300).Key("i32", 5).Put<int32_t>(-70000).Key("f32", 6).Put(
      0.5f);
  builder.Key("yes", 7).Put<uint8_t>(1).Key("u64", 10).Put<uint64_t>(UINT64_MAX);
  builder.Key("i64", 11).Put<int64_t>(-1).Key("f64", 12).Put(2.25);
  builder.Key("nested", 9).Put<uint32_t>(9).Put<uint64_t>(1).Put<uint32_t>(0).Put<uint64_t>(2);
  builder.Put<uint8_t>(7).Put<uint8_t>(8);
  GgufHeader header = Parse(builder.Build());
  EXPECT_EQ(header.Find("u8")->value.AsInt(), 200);
  EXPECT_EQ(header.Find("i8")->value.AsInt(), -5);
  EXPECT_EQ(header.Find("u16")->value.AsInt(), 60000);
  EXPECT_EQ(header.Find("i16")->value.AsInt(), -300);
  EXPECT_EQ(header.Find("i32")->value.AsInt(), -70000);
  EXPECT_EQ(header.Find("f32")->value.AsDouble(), 0.5);
  EXPECT_EQ(header.Find("yes")->value.AsBool(), true);
  EXPECT_EQ(header.Find("u64")->value, Json(UINT64_MAX));
  EXPECT_EQ(header.Find("i64")->value.AsInt(), -1);
  EXPECT_EQ(header.Find("f64")->value.AsDouble(), 2.25);
  EXPECT_EQ(header.Find("nested")->value, Json::Arr({Json::Arr({7, 8})}));
  EXPECT_EQ(header.Find("f64")->type, "float64");
}

TEST(Gguf, UnknownTensorTypesKeepTheirNumber) {
  Builder builder;
  builder.Tensor("a", {32, 2}, 999, 0);
  GgufHeader header = Parse(builder.Build());
  EXPECT_EQ(header.tensors[0].type, "type_999");
  EXPECT_EQ(header.total_parameters, 64u);
  EXPECT_EQ(header.quantization, "type_999");
}

TEST(Gguf, AlignmentComesFromTheMetadata) {
  Builder builder;
  builder.Number("general.alignment", 64).Tensor("a", {4}, 0, 0).Tensor("b", {4}, 0, 64);
  EXPECT_EQ(Parse(builder.Build(128, 64)).data_offset % 64, 0u);
  Builder odd;
  odd.Number("general.alignment", 24);
  EXPECT_NE(FailureOf(odd.Build()).find("alignment"), std::string::npos);
  Builder unaligned;
  unaligned.Tensor("a", {4}, 0, 8);
  EXPECT_NE(FailureOf(unaligned.Build(64)).find("aligned"), std::string::npos);
}

TEST(Gguf, OtherVersionsAreNamedInTheError) {
  EXPECT_NE(FailureOf(Builder(1).Build(), Code::kUnimplemented).find("version 1"),
            std::string::npos);
  EXPECT_NE(FailureOf(Builder(4).Build(), Code::kUnimplemented).find("version 4"),
            std::string::npos);
  EXPECT_NE(FailureOf(Builder(0x03000000).Build(), Code::kUnimplemented).find("big-endian"),
            std::string::npos);
  EXPECT_NE(FailureOf("GGML0000").find("not a GGUF"), std::string::npos);
}

TEST(Gguf, CountsThatLieAreRefused) {
  Builder longer;
  longer.Key("a", 9).Put<uint32_t>(8).Put<uint64_t>(uint64_t{1} << 60);
  EXPECT_NE(FailureOf(longer.Build()).find("too long"), std::string::npos);
  Builder text;
  text.Key("a", 8).Put<uint64_t>(UINT64_MAX);
  EXPECT_NE(FailureOf(text.Build()), "");
  Builder cut;
  cut.Key("a", 8).Put<uint64_t>(100);
  EXPECT_NE(FailureOf(cut.Build()).find("too early"), std::string::npos);
  Builder big;
  big.Tensor("a", {uint64_t{1} << 32, uint64_t{1} << 32}, 0, 0);
  EXPECT_NE(FailureOf(big.Build()).find("elements"), std::string::npos);
  Builder outside;
  outside.Tensor("a", {64}, 0, 0);
  EXPECT_NE(FailureOf(outside.Build(255)).find("passes the end"), std::string::npos);
  std::string counts = Builder().Build();
  std::memset(counts.data() + 8, 0xFF, 16);
  EXPECT_NE(FailureOf(counts), "");
}

TEST(Gguf, StructureErrorsAreRefused) {
  Builder twice;
  twice.Number("a", 1).Number("a", 2);
  EXPECT_NE(FailureOf(twice.Build()).find("twice"), std::string::npos);
  Builder tensors;
  tensors.Tensor("t", {1}, 0, 0).Tensor("t", {1}, 0, 32);
  EXPECT_NE(FailureOf(tensors.Build(64)).find("twice"), std::string::npos);
  Builder dims;
  dims.Tensor("t", {1, 1, 1, 1, 1}, 0, 0);
  EXPECT_NE(FailureOf(dims.Build(64)).find("dimensions"), std::string::npos);
  Builder block;
  block.Tensor("t", {100}, 12, 0);
  EXPECT_NE(FailureOf(block.Build(600)).find("block"), std::string::npos);
  Builder flag;
  flag.Key("b", 7).Put<uint8_t>(2);
  EXPECT_NE(FailureOf(flag.Build()).find("bool"), std::string::npos);
  Builder type;
  type.Key("b", 13);
  EXPECT_NE(FailureOf(type.Build()).find("type 13"), std::string::npos);
  Builder deep;
  deep.Key("d", 9);
  for (int i = 0; i < 50; ++i) deep.Put<uint32_t>(9).Put<uint64_t>(1);
  deep.Put<uint32_t>(0).Put<uint64_t>(0);
  EXPECT_NE(FailureOf(deep.Build()).find("nested"), std::string::npos);
}

TEST(Gguf, KeptArraysAreBoundedTogether) {
  Builder builder;
  for (int k = 0; k < 10; ++k) {
    builder.Key("a" + std::to_string(k), 9).Put<uint32_t>(0).Put<uint64_t>(100);
    for (int i = 0; i < 100; ++i) builder.Put<uint8_t>(1);
  }
  GgufLimits limits;
  limits.max_kept_total = 250;
  GgufHeader header = Parse(builder.Build(), limits);
  EXPECT_TRUE(header.Find("a1")->value.is_array());
  EXPECT_TRUE(header.Find("a2")->value.is_null());
  EXPECT_EQ(header.Find("a2")->count, 100u);
}

TEST(Gguf, EveryTruncationIsAnError) {
  std::string file = Sample().Build(608);
  for (size_t n = 0; n < file.size(); ++n) {
    EXPECT_THROW(Parse(file.substr(0, n)), Error) << n;
  }
}

TEST(Gguf, DamageNeverThrowsAnythingButError) {
  Builder builder;
  builder.Text("general.architecture", "x").Key("a", 9).Put<uint32_t>(8).Put<uint64_t>(2);
  builder.String("one").String("two").Tensor("t", {32, 2}, 2, 0);
  const std::string file = builder.Build(36);
  for (size_t at = 0; at < file.size(); ++at) {
    for (int value : {0, 1, 9, 127, 255}) {
      std::string damaged = file;
      damaged[at] = static_cast<char>(value);
      try {
        EXPECT_LE(Parse(damaged).data_offset, file.size());
      } catch (const Error&) {
      }
    }
  }
}

}  // namespace
}  // namespace hearth
