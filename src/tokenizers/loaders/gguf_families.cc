#include "tokenizers/loaders/gguf_families.h"

#include "base/bytes.h"
#include "base/error.h"
#include "tokenizers/loaders/byte_level_bpe.h"

namespace hearth::tokenizers {
namespace {

enum Flags : unsigned {
  kPlain = 0,
  kDigits = 1,
  kNfc = 2,
  kIgnoreMerges = 4,
  kAddBos = 8,
  kAddSep = 16,
};

constexpr size_t kMaxPatterns = 6;

struct Family {
  std::string_view names;  // separated by spaces
  std::string_view patterns[kMaxPatterns];
  unsigned flags;
};

// clang-format off
constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kO200kPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepSeek3Pattern =
    R"([!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kChineseJapanese =
    R"([一-龥぀-ゟ゠-ヿ]+)";
constexpr std::string_view kBloomPattern =
    R"( ?[^(\s|.,!?…。，、।۔،)]+)";

constexpr Family kFamilies[] = {
    {"afmoe",
     {R"((?<!\p{N})\p{N}{1,2}(?=(?:\p{N}{3})*(?!\p{N}))|\p{N}{3})",
      R"([一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+)",
      kDeepSeek3Pattern},
     kPlain},
    {"a.x-4.0 exaone4 gigachat gpt-2 granite-docling jais jina-de jina-es jina-v2-de jina-v2-es mellum modern-bert olmo phi-2 trillion",
     {kGpt2Split},
     kPlain},
    {"bailingmoe bailingmoe2 llada-moe",
     {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)"},
     kPlain},
    {"bloom gpt3-finnish poro-chat",
     {kBloomPattern},
     kPlain},
    {"chameleon",
     {R"(<sentinel:[0-9]+>)",
      R"((IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z)",
      R"(([\t\n]|    |  ))",
      R"(\p{N})",
      R"([\p{P}!-/:-@\[-`{-~])",
      kGpt2Pattern},
     kAddBos},
    {"chatglm-bpe dbrx smaug-bpe",
     {kLlama3Split},
     kPlain},
    {"codeshell exaone mellum2 minerva-7b refact smollm starcoder",
     {kGpt2Split},
     kDigits},
    {"cohere2moe tiny_aya",
     {R"(\d{1,3}(?=(?:\d{3})*\b))",
      kO200kPattern},
     kPlain},
    {"command-r",
     {kGpt2Split},
     kDigits | kNfc},
    {"deepseek-coder",
     {"[\r\n]",
      R"(\s?\p{L}+)",
      R"(\s?\p{P}+)",
      R"([一-龥ࠀ-一가-퟿]+)",
      R"(\p{N})"},
     kPlain},
    {"deepseek-llm",
     {"[\r\n]",
      R"(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)",
      R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)",
      R"(\s+$)",
      R"([一-龥ࠀ-一가-퟿]+)",
      R"(\p{N}+)"},
     kPlain},
    {"deepseek-v3 hunyuan-dense hy_v4 joyai-llm",
     {R"(\p{N}{1,3})",
      kChineseJapanese,
      kDeepSeek3Pattern},
     kPlain},
    {"deepseek-r1-qwen f2llmv2 kormo megrez qwen2",
     {kQwen2Split},
     kNfc},
    {"default",
     {R"([\p{P}\$\+<=>\^~\|]+)",
      kGpt2Pattern,
      R"(\p{N}+)",
      R"([0-9][0-9][0-9])"},
     kPlain},
    {"exaone-moe",
     {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)"},
     kPlain},
    {"falcon",
     {R"([\p{P}\$\+<=>\^~\|`]+)",
      kGpt2Pattern,
      R"([0-9][0-9][0-9])"},
     kPlain},
    {"falcon-h1 falcon3 jina-v5-nano lfm2 llama-bpe llama-v3 llama3 midm-2.0 pixtral",
     {kLlama3Split},
     kIgnoreMerges | kAddBos},
    {"glm4 glm5",
     {kLlama3Split},
     kIgnoreMerges},
    {"gpt-4o kanana2 llama4 minimax-m2 talkie",
     {kO200kPattern},
     kPlain},
    {"granite-embed-multi-97m",
     {kO200kPattern},
     kIgnoreMerges},
    {"grok-2 hunyuan solar-open stablelm2",
     {kQwen2Split},
     kPlain},
    {"jais-2",
     {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1})"},
     kPlain},
    {"jina-v1-en jina-v2-code roberta-bpe",
     {kGpt2Split},
     kAddSep},
    {"kimi-k2",
     {R"([\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
     kPlain},
    {"laguna",
     {R"([^\n]+|[\n]+)",
      kQwen2Split},
     kPlain},
    {"minicpm5",
     {R"(\p{N}{1,3})",
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
     kIgnoreMerges},
    {"mpt",
     {kGpt2Split},
     kNfc},
    {"qwen35",
     {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
     kPlain},
    {"seed-coder",
     {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)"},
     kPlain},
    {"spark2_5",
     {R"(\p{N}{1,3})",
      kChineseJapanese,
      R"([!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+)",
      R"(\p{N})"},
     kPlain},
    {"superbpe",
     {R"(\p{N}+)",
      R"(\d{1,3}(?=(?:\d{3})*(?!\d)))"},
     kPlain},
    {"tekken",
     {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
     kIgnoreMerges | kAddBos},
    {"ufakzeka",
     {R"([^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
     kPlain},
    {"viking",
     {kBloomPattern,
      R"(\p{N})"},
     kPlain},
    {"youtu",
     {R"([가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+)",
      R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
     kIgnoreMerges},
};  // clang-format on

bool HasName(const Family& family, std::string_view name) {
  for (std::string_view candidate : Split(family.names, ' ')) {
    if (candidate == name) return true;
  }
  return false;
}

}  // namespace

GgufFamily FindGgufFamily(std::string_view name) {
  if (name.empty()) name = "default";
  for (const Family& family : kFamilies) {
    if (!HasName(family, name)) continue;
    GgufFamily found;
    for (std::string_view pattern : family.patterns) {
      if (!pattern.empty()) found.patterns.emplace_back(pattern);
    }
    found.individual_digits = (family.flags & kDigits) != 0;
    found.nfc = (family.flags & kNfc) != 0;
    found.ignore_merges = (family.flags & kIgnoreMerges) != 0;
    found.add_bos = (family.flags & kAddBos) != 0;
    found.add_sep = (family.flags & kAddSep) != 0;
    return found;
  }
  throw Error(Code::kUnimplemented,
              "tokenizer.ggml.pre \"" + std::string(name) + "\" is not known");
}

}  // namespace hearth::tokenizers
