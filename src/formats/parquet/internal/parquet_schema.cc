#include "formats/parquet/internal/parquet_schema.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/clock.h"
#include "base/error.h"
#include "tensor/float_formats.h"
#include "text/utf8.h"

namespace hearth::parquet {
namespace {

constexpr size_t kMaxElements = 20'000;
constexpr int kMaxNesting = 32;

// Fields of SchemaElement.
enum {
  kType = 1,
  kTypeLength,
  kRepetition,
  kName,
  kChildren,
  kConverted,
  kScale,
  kPrecision,
  kLogical = 10
};
enum { kRequired, kOptional, kRepeated };

std::string UnitName(int64_t per_second) {
  return per_second == 1000 ? "ms" : per_second == 1'000'000 ? "us" : "ns";
}

int64_t UnitOf(const ThriftValue& unit) {
  if (unit[1].is_set()) return 1000;
  return unit[3].is_set() ? 1'000'000'000 : 1'000'000;
}

const char* PhysicalName(Physical type) {
  static constexpr const char* kNames[] = {"bool",  "int32",  "int64",  "timestamp[ns]",
                                           "float", "double", "binary", "fixed_size_binary"};
  return kNames[static_cast<int>(type)];
}

// What the annotations of a leaf make of its physical type. Newer files have LogicalType, older
// ones ConvertedType, most have both.
void Annotate(const ThriftValue& element, Leaf* leaf) {
  const ThriftValue& logical = element[kLogical];
  int64_t converted = element[kConverted].Int(-1);
  leaf->type = PhysicalName(leaf->physical);
  if (leaf->physical == Physical::kInt96) leaf->meaning = Meaning::kInt96Time;
  if (IsText(leaf->physical) && leaf->physical != Physical::kInt96) leaf->meaning = Meaning::kBytes;
  if (leaf->physical == Physical::kFixed)
    leaf->type += "[" + std::to_string(leaf->fixed_bytes) + "]";
  if (logical[1].is_set() || logical[4].is_set() || logical[12].is_set() || converted == 0 ||
      converted == 4 || converted == 19) {
    leaf->meaning = Meaning::kString;
    leaf->type = "string";
  } else if (logical[5].is_set() || converted == 5) {
    leaf->meaning = Meaning::kDecimal;
    leaf->scale =
        static_cast<int>(logical[5].is_set() ? logical[5][1].Int() : element[kScale].Int());
    int64_t precision = logical[5].is_set() ? logical[5][2].Int() : element[kPrecision].Int();
    if (leaf->scale < 0 || leaf->scale > 100)
      throw Error(Code::kInvalidArgument, "a decimal of an impossible scale");
    leaf->type = "decimal(" + std::to_string(precision) + ", " + std::to_string(leaf->scale) + ")";
  } else if (logical[6].is_set() || converted == 6) {
    leaf->meaning = Meaning::kDate;
    leaf->type = "date";
  } else if (logical[7].is_set() || converted == 7 || converted == 8) {
    leaf->meaning = Meaning::kTime;
    leaf->unit_per_second = logical[7].is_set() ? UnitOf(logical[7][2])
                            : converted == 7    ? 1000
                                                : 1'000'000;
    leaf->type = "time[" + UnitName(leaf->unit_per_second) + "]";
  } else if (logical[8].is_set() || converted == 9 || converted == 10) {
    leaf->meaning = Meaning::kTimestamp;
    leaf->unit_per_second = logical[8].is_set() ? UnitOf(logical[8][2])
                            : converted == 9    ? 1000
                                                : 1'000'000;
    bool utc = logical[8].is_set() ? logical[8][1].Bool() : true;
    leaf->type = "timestamp[" + UnitName(leaf->unit_per_second) + (utc ? ", UTC]" : "]");
  } else if (logical[10].is_set() || (converted >= 11 && converted <= 18)) {
    bool is_signed = logical[10].is_set() ? logical[10][2].Bool() : converted >= 15;
    int64_t width = logical[10].is_set() ? logical[10][1].Int() : 8ll << ((converted - 11) % 4);
    leaf->meaning = is_signed ? Meaning::kPlain : Meaning::kUnsigned;
    leaf->type = (is_signed ? "int" : "uint") + std::to_string(width);
  } else if (logical[14].is_set()) {
    leaf->meaning = Meaning::kUuid;
    leaf->type = "uuid";
  } else if (logical[15].is_set()) {
    leaf->meaning = Meaning::kFloat16;
    leaf->type = "halffloat";
  }
}

// Walks the list of elements, which is the tree in depth-first order.
class SchemaWalk {
 public:
  explicit SchemaWalk(const std::vector<ThriftValue>& elements) : elements_(elements) {}

  std::vector<Leaf> Run() {
    if (elements_.empty()) throw Error(Code::kInvalidArgument, "This Parquet file has no schema.");
    if (elements_.size() > kMaxElements)
      throw Error(Code::kTooLarge, "This Parquet file has more than 20,000 columns.");
    int64_t roots = elements_[0][kChildren].Int();
    for (int64_t i = 0; i < roots; ++i) Element("", {}, 0, false);
    return std::move(leaves_);
  }

 private:
  struct Levels {
    int definition = 0;
    std::vector<int> lists;
  };

  // `hidden`: the element only makes up a list or map, and its name is left out.
  void Element(const std::string& prefix, Levels levels, int depth, bool hidden) {
    if (depth > kMaxNesting) throw Error(Code::kTooLarge, "columns nested more than 32 deep");
    if (++at_ >= elements_.size())
      throw Error(Code::kInvalidArgument, "The schema of this Parquet file is cut off.");
    const ThriftValue& element = elements_[at_];
    int64_t repetition = element[kRepetition].Int();
    if (repetition == kOptional) ++levels.definition;
    if (repetition == kRepeated) levels.lists.push_back(++levels.definition);
    std::string name = Utf8Lossy(element[kName].Text());
    std::string path = hidden ? prefix : prefix.empty() ? name : prefix + "." + name;
    int64_t children = element[kChildren].Int();
    if (children > 0) {
      // LIST and MAP are three levels deep: the outer is named, "list"/"key_value" and "element"
      // are not.
      bool is_list = element[kLogical][3].is_set() || element[kConverted].Int(-1) == 3;
      bool is_map = element[kLogical][2].is_set() || element[kConverted].Int(-1) == 1 ||
                    element[kConverted].Int(-1) == 2;
      bool wrapper = hidden && repetition == kRepeated;
      for (int64_t i = 0; i < children; ++i)
        Element(path, levels, depth + 1, is_list || is_map || (wrapper && children == 1));
      return;
    }
    Leaf leaf;
    leaf.path = path;
    int64_t type = element[kType].Int(-1);
    if (type < 0 || type > 7) throw Error(Code::kInvalidArgument, "a column of an unknown type");
    leaf.physical = static_cast<Physical>(type);
    int64_t fixed = element[kTypeLength].Int();
    if (leaf.physical == Physical::kFixed && (fixed < 0 || fixed > (1 << 20)))
      throw Error(Code::kInvalidArgument, "a column of values of an impossible length");
    leaf.fixed_bytes = static_cast<size_t>(std::max<int64_t>(0, fixed));
    Annotate(element, &leaf);
    leaf.max_definition = levels.definition;
    leaf.max_repetition = static_cast<int>(levels.lists.size());
    leaf.list_definitions = levels.lists;
    for (int i = 0; i < leaf.max_repetition; ++i) leaf.type = "list<" + leaf.type + ">";
    leaves_.push_back(std::move(leaf));
  }

  const std::vector<ThriftValue>& elements_;
  size_t at_ = 0;
  std::vector<Leaf> leaves_;
};

// Days since 1970 as a date of the Gregorian calendar (H. Hinnant, chrono-compatible algorithms).
std::string DateText(int64_t days) {
  if (days < -100'000'000 || days > 100'000'000) return std::to_string(days) + " days since 1970";
  int64_t z = days + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t of_era = z - era * 146097;
  int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month_shifted = (5 * day_of_year + 2) / 153;
  int64_t day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
  int64_t month = month_shifted < 10 ? month_shifted + 3 : month_shifted - 9;
  int64_t year = year_of_era + era * 400 + (month <= 2);
  char text[40];
  std::snprintf(text, sizeof text, "%04lld-%02lld-%02lld", static_cast<long long>(year),
                static_cast<long long>(month), static_cast<long long>(day));
  return text;
}

std::string ClockText(int64_t of_day, int64_t per_second) {
  int64_t seconds = of_day / per_second, rest = of_day % per_second;
  char text[64];
  std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld", static_cast<long long>(seconds / 3600),
                static_cast<long long>(seconds / 60 % 60), static_cast<long long>(seconds % 60));
  if (rest == 0) return text;
  int digits = per_second == 1000 ? 3 : per_second == 1'000'000 ? 6 : 9;
  std::string fraction = std::to_string(rest);
  return std::string(text) + "." +
         std::string(static_cast<size_t>(std::max(0, digits - static_cast<int>(fraction.size()))),
                     '0') +
         fraction;
}

std::string TimestampText(int64_t value, int64_t per_second) {
  int64_t per_day = per_second * 86400;
  int64_t days = value / per_day, of_day = value % per_day;
  if (of_day < 0) {
    of_day += per_day;
    --days;
  }
  return DateText(days) + "T" + ClockText(of_day, per_second);
}

std::string DecimalText(__int128 value, int scale) {
  bool negative = value < 0;
  unsigned __int128 rest =
      negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  } while (rest != 0);
  while (digits.size() <= static_cast<size_t>(scale)) digits.push_back('0');
  if (scale > 0) digits.insert(static_cast<size_t>(scale), 1, '.');
  if (negative) digits.push_back('-');
  std::reverse(digits.begin(), digits.end());
  return digits;
}

Json Number(double value) {
  if (std::isfinite(value)) return Json(value);
  return Json(std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

Json TextValue(const Leaf& leaf, const std::string& bytes) {
  switch (leaf.meaning) {
    case Meaning::kString:
      return Json(Utf8Lossy(bytes));
    case Meaning::kUuid: {
      if (bytes.size() != 16) break;
      std::string text;
      for (size_t i = 0; i < 16; ++i) {
        char hex[3];
        std::snprintf(hex, sizeof hex, "%02x", static_cast<uint8_t>(bytes[i]));
        text += (i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "") + std::string(hex);
      }
      return Json(text);
    }
    case Meaning::kFloat16: {
      if (bytes.size() != 2) break;
      uint16_t half;
      std::memcpy(&half, bytes.data(), 2);
      return Number(tensor::HalfToFloat(half));
    }
    case Meaning::kDecimal: {
      if (bytes.empty() || bytes.size() > 16) break;
      __int128 value = static_cast<int8_t>(bytes[0]);
      for (size_t i = 1; i < bytes.size(); ++i)
        value = static_cast<__int128>((static_cast<unsigned __int128>(value) << 8) |
                                      static_cast<uint8_t>(bytes[i]));
      return Json(DecimalText(value, leaf.scale));
    }
    case Meaning::kInt96Time: {
      if (bytes.size() != 12) break;
      uint64_t nanoseconds;
      uint32_t julian_day;
      std::memcpy(&nanoseconds, bytes.data(), 8);
      std::memcpy(&julian_day, bytes.data() + 8, 4);
      if (nanoseconds >= 86'400'000'000'000u) break;
      return Json(DateText(static_cast<int64_t>(julian_day) - 2440588) + "T" +
                  ClockText(static_cast<int64_t>(nanoseconds), 1'000'000'000));
    }
    default:
      if (!bytes.empty() && IsValidUtf8(bytes) && bytes.find('\0') == std::string::npos)
        return Json(bytes);
      break;
  }
  return Json("(" + std::to_string(bytes.size()) + " bytes)");
}

}  // namespace

std::vector<Leaf> ReadSchema(const std::vector<ThriftValue>& elements) {
  return SchemaWalk(elements).Run();
}

Json ValueOf(const Leaf& leaf, const PageValues& values, size_t index) {
  if (IsText(leaf.physical)) return TextValue(leaf, values.texts.at(index));
  uint64_t bits = values.bits.at(index);
  bool narrow = leaf.physical == Physical::kInt32;
  int64_t number = narrow ? static_cast<int32_t>(bits) : static_cast<int64_t>(bits);
  switch (leaf.physical) {
    case Physical::kBoolean:
      return Json(bits != 0);
    case Physical::kFloat:
      return Number(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    case Physical::kDouble:
      return Number(std::bit_cast<double>(bits));
    default:
      break;
  }
  switch (leaf.meaning) {
    case Meaning::kDate:
      return Json(DateText(number));
    case Meaning::kTime:
      if (number < 0 || number >= leaf.unit_per_second * 86400) return Json(std::to_string(number));
      return Json(ClockText(number, leaf.unit_per_second));
    case Meaning::kTimestamp:
      return Json(TimestampText(number, leaf.unit_per_second));
    case Meaning::kDecimal:
      return Json(DecimalText(number, leaf.scale));
    case Meaning::kUnsigned:
      return narrow ? Json(static_cast<uint64_t>(static_cast<uint32_t>(bits))) : Json(bits);
    default:
      return Json(number);
  }
}

}  // namespace hearth::parquet
