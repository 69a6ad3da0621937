// GGUF's blocks to groups without loss: integers become unsigned ones of the packing's bits, scales
// and minimums stay the file's numbers.
#include <cstring>

#include "base/error.h"
#include "tensor/internal/codebooks.h"
#include "tensor/kernels/pack_panels.h"

namespace hearth::tensor::internal {
namespace {

constexpr uint16_t kHalfSign = 0x8000;

// 32 values of one output.
struct Group {
  uint8_t q[kGroupInputs];
  uint16_t unit = 0, minimum_unit = 0;  // fp16
  uint8_t scales[2] = {0, 0};           // of kSuper: scale, minimum; of kSuperSixteen: int8
};

uint16_t Word16(const uint8_t* in) {
  uint16_t value;
  std::memcpy(&value, in, sizeof value);
  return value;
}

uint32_t Word32(const uint8_t* in) {
  uint32_t value;
  std::memcpy(&value, in, sizeof value);
  return value;
}

void Nibbles(const uint8_t* in, uint8_t* q) {
  for (int i = 0; i < 16; ++i) {
    q[i] = in[i] & 15;
    q[i + 16] = in[i] >> 4;
  }
}

// Bit i of `bits` is value i's fifth.
void FifthBits(uint32_t bits, uint8_t* q) {
  for (int i = 0; i < 32; ++i) q[i] |= static_cast<uint8_t>(((bits >> i) & 1) << 4);
}

void ReadQ4_0(const uint8_t* in, int, Group* group) {
  group->unit = Word16(in);
  Nibbles(in + 2, group->q);
}

void ReadQ4_1(const uint8_t* in, int, Group* group) {
  group->unit = Word16(in);
  group->minimum_unit = Word16(in + 2);
  Nibbles(in + 4, group->q);
}

void ReadQ5_0(const uint8_t* in, int, Group* group) {
  group->unit = Word16(in);
  Nibbles(in + 6, group->q);
  FifthBits(Word32(in + 2), group->q);
}

void ReadQ5_1(const uint8_t* in, int, Group* group) {
  group->unit = Word16(in);
  group->minimum_unit = Word16(in + 2);
  Nibbles(in + 8, group->q);
  FifthBits(Word32(in + 4), group->q);
}

void ReadQ8_0(const uint8_t* in, int, Group* group) {
  group->unit = Word16(in);
  for (int i = 0; i < 32; ++i) group->q[i] = in[2 + i] ^ 0x80;
}

void ReadIq4Nl(const uint8_t* in, int, Group* group) {
  group->unit = Word16(in);
  Nibbles(in + 2, group->q);
  for (uint8_t& q : group->q) q = static_cast<uint8_t>(kIq4Values[q] + 128);
}

// The 6-bit scale and minimum of group `index` of Q4_K and Q5_K, and their two units.
void ReadSuperScales(const uint8_t* in, int index, Group* group) {
  group->unit = Word16(in);
  group->minimum_unit = Word16(in + 2) ^ kHalfSign;
  const uint8_t* packed = in + 4;
  if (index < 4) {
    group->scales[0] = packed[index] & 63;
    group->scales[1] = packed[index + 4] & 63;
  } else {
    const uint8_t low = packed[index + 4];
    group->scales[0] = static_cast<uint8_t>((low & 15) | (packed[index - 4] >> 6) << 4);
    group->scales[1] = static_cast<uint8_t>((low >> 4) | (packed[index] >> 6) << 4);
  }
}

// Two groups share 32 bytes: the low nibbles are the first.
void ReadSuperNibbles(const uint8_t* in, int index, uint8_t* q) {
  const uint8_t* bytes = in + 32 * (index / 2);
  const int shift = 4 * (index % 2);
  for (int i = 0; i < 32; ++i) q[i] = (bytes[i] >> shift) & 15;
}

void ReadQ4_K(const uint8_t* in, int index, Group* group) {
  ReadSuperScales(in, index, group);
  ReadSuperNibbles(in + 16, index, group->q);
}

void ReadQ5_K(const uint8_t* in, int index, Group* group) {
  ReadSuperScales(in, index, group);
  ReadSuperNibbles(in + 48, index, group->q);
  for (int i = 0; i < 32; ++i) {
    group->q[i] |= static_cast<uint8_t>(((in[16 + i] >> index) & 1) << 4);
  }
}

// Groups of 16 in pairs. Each 128 values take 64 bytes of nibbles and 32 of upper bits.
void ReadQ6_K(const uint8_t* in, int index, Group* group) {
  const int run = index % 4, half = index / 4;
  const uint8_t* low = in + 64 * half + 32 * (run % 2);
  const uint8_t* high = in + 128 + 32 * half;
  for (int i = 0; i < 32; ++i) {
    const int top = (high[i] >> (2 * run)) & 3;
    group->q[i] = static_cast<uint8_t>(((low[i] >> (4 * (run / 2))) & 15) | top << 4);
  }
  group->unit = Word16(in + 208);
  std::memcpy(group->scales, in + 192 + 2 * index, 2);
}

// Values from -4 to 3, stored as those of Q6_K: plus 32.
void ReadQ3_K(const uint8_t* in, int index, Group* group) {
  const uint8_t* low = in + 32 + 32 * (index / 4);
  for (int i = 0; i < 32; ++i) {
    const int bits = (low[i] >> (2 * (index % 4))) & 3, top = (in[i] >> index) & 1;
    group->q[i] = static_cast<uint8_t>((bits | top << 2) - 4 + 32);
  }
  group->unit = Word16(in + 108);
  for (int half = 0; half < 2; ++half) {
    const int j = 2 * index + half;
    const uint8_t* packed = in + 96;
    const int nibble = j < 8 ? packed[j] & 15 : packed[j - 8] >> 4;
    const int top = (packed[8 + j % 4] >> (2 * (j / 4))) & 3;
    group->scales[half] = static_cast<uint8_t>((nibble | top << 4) - 32);
  }
}

struct Reader {
  BlockType type;
  Packing packing;
  GroupForm form;
  void (*read)(const uint8_t* block, int index, Group* group);
};

constexpr Reader kReaders[] = {
    {BlockType::kQ4_0, Packing::kGroup4, GroupForm::kHalf, ReadQ4_0},
    {BlockType::kQ4_1, Packing::kGroup4, GroupForm::kHalfMinimum, ReadQ4_1},
    {BlockType::kQ4_K, Packing::kGroup4, GroupForm::kSuper, ReadQ4_K},
    {BlockType::kQ5_0, Packing::kGroup5, GroupForm::kHalf, ReadQ5_0},
    {BlockType::kQ5_1, Packing::kGroup5, GroupForm::kHalfMinimum, ReadQ5_1},
    {BlockType::kQ5_K, Packing::kGroup5, GroupForm::kSuper, ReadQ5_K},
    {BlockType::kQ6_K, Packing::kGroup6, GroupForm::kSuperSixteen, ReadQ6_K},
    {BlockType::kQ3_K, Packing::kGroup6, GroupForm::kSuperSixteen, ReadQ3_K},
    {BlockType::kQ8_0, Packing::kGroup8, GroupForm::kHalf, ReadQ8_0},
    {BlockType::kIq4Nl, Packing::kGroup8, GroupForm::kHalf, ReadIq4Nl},
};

const Reader* FindReader(Packing packing, BlockType type) {
  for (const Reader& reader : kReaders) {
    if (reader.packing == packing && reader.type == type) return &reader;
  }
  return nullptr;
}

// Steps of 4 inputs of 16 outputs, a byte a value, to the packing's bits.
void StoreSteps(int bits, const uint8_t* steps, uint8_t* out) {
  if (bits == 8) {
    std::memcpy(out, steps, 512);
    return;
  }
  for (int i = 0; i < 256; ++i) {
    out[i] = static_cast<uint8_t>((steps[i] & 15) | (steps[i + 256] & 15) << 4);
  }
  uint8_t* tops = out + 256;
  std::memset(tops, 0, GroupBytes(bits) - 256);
  for (int step = 0; step < 8 && bits > 4; ++step) {
    const uint8_t* q = steps + 64 * step;
    uint8_t* plane = bits == 5 ? tops : tops + 64 * (step / 4);
    const int shift = bits == 5 ? step : 2 * (step % 4);
    for (int i = 0; i < 64; ++i) plane[i] |= static_cast<uint8_t>((q[i] >> 4) << shift);
  }
}

void StoreScales(GroupForm form, uint32_t index, uint32_t output, const Group& group,
                 uint8_t* block) {
  const uint32_t i = index % GroupsPerBlock(form);
  auto half = [&](uint32_t at, uint16_t value) { std::memcpy(block + at + 2 * output, &value, 2); };
  if (form == GroupForm::kHalf) return half(32 * i, group.unit);
  half(0, group.unit);
  if (form != GroupForm::kSuperSixteen) half(32, group.minimum_unit);
  if (form == GroupForm::kHalfMinimum) return;
  block[64 + 32 * i + output] = group.scales[0];
  block[64 + 32 * i + 16 + output] = group.scales[1];
}

}  // namespace

GroupForm FormOf(Packing packing, BlockType type) {
  const Reader* reader = FindReader(packing, type);
  return reader == nullptr ? GroupForm::kNone : reader->form;
}

BlockType QuantizedAs(Packing packing, uint64_t columns) {
  const bool super = columns % 256 == 0;
  switch (packing) {
    case Packing::kGroup4:
      return super ? BlockType::kQ4_K : BlockType::kQ4_1;
    case Packing::kGroup5:
      return super ? BlockType::kQ5_K : BlockType::kQ5_1;
    case Packing::kGroup6:
      return BlockType::kQ6_K;
    default:
      return BlockType::kQ8_0;
  }
}

void PackGroupPanel(Packing packing, GroupForm form, const PanelRows& source, uint8_t* panel) {
  const int bits = GroupBits(packing);
  const uint32_t groups = static_cast<uint32_t>(CeilDivide(source.columns, kGroupInputs));
  const uint32_t per_block = GroupsPerBlock(form);
  const uint32_t block_bytes = ScaleBytes(form) + per_block * GroupBytes(bits);
  std::memset(panel, 0, PanelBytes(packing, form, source.columns));
  const Reader* readers[kPanel];
  for (uint32_t o = 0; o < kPanel; ++o) readers[o] = FindReader(packing, source.types[o]);
  uint8_t steps[512];
  for (uint32_t g = 0; g < groups; ++g) {
    uint8_t* block = panel + uint64_t{g / per_block} * block_bytes;
    std::memset(steps, 0, sizeof steps);
    for (uint32_t o = 0; o < kPanel; ++o) {
      if (source.rows[o] == nullptr) continue;
      const BlockTypeInfo& info = InfoOf(source.types[o]);
      const auto in_block = static_cast<uint32_t>(info.block_elements / kGroupInputs);
      Group group;
      readers[o]->read(source.rows[o] + g / in_block * info.block_bytes,
                       static_cast<int>(g % in_block), &group);
      for (int s = 0; s < 8; ++s) std::memcpy(steps + 64 * s + 4 * o, group.q + 4 * s, 4);
      StoreScales(form, g, o, group, block);
    }
    StoreSteps(bits, steps, block + ScaleBytes(form) + g % per_block * GroupBytes(bits));
  }
}

}  // namespace hearth::tensor::internal
