// Hostile tokenizers. An input that begins with '{' is a tokenizer.json, with a text behind its
// first line break. Any other input chooses a component for each stage, byte by byte, then gives a
// string for their parameters, and the rest is the text. What loads must encode, decode and be
// written without harm, and EncodeIds must give the ids of Encode.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/utf8.h"
#include "tokenizers/tokenizer.h"

namespace {

using hearth::Json;
using hearth::tokenizers::Tokenizer;

// "%" stands for the string of the input.
constexpr const char* kNormalizers[] = {
    "null",
    R"({"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true})",
    R"({"type":"Sequence","normalizers":[{"type":"NFKD"},{"type":"StripAccents"},{"type":"NFC"}]})",
    R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":%},{"type":"Replace","pattern":{"String":" "},"content":%}]})",
    R"({"type":"Sequence","normalizers":[{"type":"Replace","pattern":{"Regex":%},"content":""},{"type":"Lowercase"},{"type":"Strip","strip_left":true,"strip_right":true}]})",
    R"({"type":"Sequence","normalizers":[{"type":"Nmt"},{"type":"ByteLevel"}]})",
    R"({"type":"Precompiled","precompiled_charsmap":%})",
};
constexpr const char* kPreTokenizers[] = {
    "null",
    R"({"type":"BertPreTokenizer"})",
    R"({"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true})",
    R"({"type":"Metaspace","replacement":%,"prepend_scheme":"first","split":true})",
    R"({"type":"Split","pattern":{"Regex":%},"behavior":"MergedWithNext","invert":false})",
    R"({"type":"Split","pattern":{"String":%},"behavior":"Contiguous","invert":true})",
    R"({"type":"Sequence","pretokenizers":[{"type":"UnicodeScripts"},{"type":"Punctuation","behavior":"MergedWithPrevious"},{"type":"FixedLength","length":2}]})",
    R"({"type":"Sequence","pretokenizers":[{"type":"Whitespace"},{"type":"Digits","individual_digits":true},{"type":"CharDelimiterSplit","delimiter":%}]})",
};
constexpr const char* kPostProcessors[] = {
    "null",
    R"({"type":"BertProcessing","sep":["a",0],"cls":[%,1]})",
    R"({"type":"RobertaProcessing","sep":["a",0],"cls":["b",1],"trim_offsets":true,"add_prefix_space":true})",
    R"({"type":"Sequence","processors":[{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true},{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":%,"type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"A","type_id":1}}],"pair":[{"Sequence":{"id":"B","type_id":0}},{"Sequence":{"id":"A","type_id":1}}],"special_tokens":{"x":{"id":"x","ids":[1,2],"tokens":["a","b"]}}}]})",
};
constexpr const char* kDecoders[] = {
    "null",
    R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"Regex":%},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]})",
    R"({"type":"CTC","pad_token":%,"word_delimiter_token":"|","cleanup":true})",
    R"({"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true})",
    R"({"type":"WordPiece","prefix":%,"cleanup":true})",
};
constexpr const char* kModels[] = {
    R"({"type":"WordLevel","unk_token":"a","vocab":{"a":0,"b":1,"ab":2}})",
    R"({"type":"WordPiece","unk_token":"a","continuing_subword_prefix":"##","max_input_chars_per_word":9,"vocab":{"a":0,"##a":1,"ab":2}})",
    R"({"type":"BPE","unk_token":"a","fuse_unk":true,"byte_fallback":false,"vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]})",
    R"({"type":"Unigram","unk_id":0,"vocab":[["a",-1.0],["b",-2.0],["ab",-2.5]]})",
};

std::string Fill(std::string_view sample, const std::string& parameter) {
  std::string text;
  for (char c : sample) {
    if (c == '%') {
      text += parameter;
    } else {
      text += c;
    }
  }
  return text;
}

class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}

  uint8_t Byte() {
    if (bytes_.empty()) return 0;
    auto byte = static_cast<uint8_t>(bytes_[0]);
    bytes_.remove_prefix(1);
    return byte;
  }
  template <size_t kCount>
  std::string_view Choose(const char* const (&samples)[kCount]) {
    return samples[Byte() % kCount];
  }
  std::string Text(size_t size) {
    std::string text = hearth::Utf8Lossy(bytes_.substr(0, size));
    bytes_.remove_prefix(std::min(size, bytes_.size()));
    return text;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

std::string Compose(Input* input) {
  std::string_view parts[] = {input->Choose(kNormalizers), input->Choose(kPreTokenizers),
                              input->Choose(kPostProcessors), input->Choose(kDecoders),
                              input->Choose(kModels)};
  uint8_t flags = input->Byte();
  uint8_t lengths = input->Byte();
  std::string parameter = Json(input->Text(input->Byte() % 16)).Dump();
  auto flag = [flags](int bit) { return Json((flags >> bit & 1) != 0).Dump(); };
  std::string truncation = "null";
  if (lengths % 3 != 0) {
    truncation = R"({"max_length":)" + std::to_string(lengths % 11) +
                 R"(,"stride":1,"strategy":"LongestFirst"})";
  }
  return R"({"truncation":)" + truncation + R"(,"added_tokens":[{"id":0,"content":)" + parameter +
         R"(,"single_word":)" + flag(0) + R"(,"lstrip":)" + flag(1) + R"(,"rstrip":)" + flag(2) +
         R"(,"normalized":)" + flag(3) + R"(,"special":)" + flag(4) + R"(}],"normalizer":)" +
         Fill(parts[0], parameter) + R"(,"pre_tokenizer":)" + Fill(parts[1], parameter) +
         R"(,"post_processor":)" + Fill(parts[2], parameter) + R"(,"decoder":)" +
         Fill(parts[3], parameter) + R"(,"model":)" + Fill(parts[4], parameter) + "}";
}

void CompareIds(const Tokenizer& tokenizer, std::string_view text) {
  if (tokenizer.truncation() || tokenizer.padding()) return;
  hearth::tokenizers::Encoding whole;
  try {
    whole = tokenizer.Encode(text, {.stage_by_stage = true});
  } catch (const hearth::Error&) {
    return;
  }
  if (tokenizer.EncodeIds(text) != whole.ids || tokenizer.Encode(text) != whole) abort();
}

void Use(const std::string& json, std::string_view text) {
  Tokenizer tokenizer = Tokenizer::FromJson(json);
  tokenizer.ToJson();
  CompareIds(tokenizer, text);
  try {
    tokenizer.Decode(tokenizer.EncodeIds(text));
  } catch (const hearth::Error&) {
  }
  tokenizer.Encode({text, "and a second text"});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    if (bytes.starts_with('{')) {
      size_t line = std::min(bytes.find('\n'), bytes.size());
      Use(std::string(bytes.substr(0, line)), bytes.substr(line));
    } else {
      Input input(bytes);
      std::string json = Compose(&input);
      Use(json, hearth::Utf8Lossy(input.rest()));
    }
  } catch (const hearth::Error&) {
  }
  return 0;
}
