// Unigram with a SentencePiece charsmap: words between ASCII white space are looked up raw in the
// word cache; a new one is normalised, cut into pieces at U+2581 and covered by Viterbi.
//
// A word stands for itself only if normalising it does not reach over the white space around it.
// It does when the word begins with a combining mark or ends with a character that joins the next
// one, and, where spaces are counted (no WhitespaceSplit), when an edge of the word becomes white
// space or nothing. Such words are taken together with their neighbours ("stretch"). Should the map
// still surprise, the whole text is encoded at once (EncodeWhole), which is always right.
#include <algorithm>
#include <string>

#include "base/error.h"
#include "text/unicode.h"
#include "tokenizers/model.h"
#include "tokenizers/segment_encoder.h"
#include "tokenizers/segment_encoders/id_writer.h"
#include "tokenizers/segment_encoders/letter_run.h"
#include "tokenizers/segment_encoders/marked_text.h"
#include "tokenizers/segment_encoders/unigram_layout.h"
#include "tokenizers/segment_encoders/unigram_model.h"
#include "tokenizers/segment_encoders/word_batch.h"
#include "tokenizers/vocab.h"

namespace hearth::tokenizers {
namespace {

constexpr std::string_view kMark = "\xE2\x96\x81";  // U+2581

// Where the last character of [begin, end) begins.
const uint8_t* LastCharacter(const uint8_t* begin, const uint8_t* end) {
  const uint8_t* at = end - 1;
  while (at > begin && (*at & 0xC0) == 0x80) --at;
  return at;
}

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

uint32_t FirstCodePoint(const uint8_t* at) {
  size_t size = 0;
  return DecodeUtf8(at, &size);
}

// Left as they are by every map that SentencePiece writes; UnigramEncoder checks it.
bool IsAsciiGraphic(uint8_t byte) { return byte > ' ' && byte < 0x7F; }

bool IsPrintable(char c) { return c >= ' ' && c < 0x7F; }

bool IsSpaceOrMark(uint32_t c) { return IsWhitespace(c) || c == 0x2581; }

// White space or a mark at the edge, or nothing at all.
bool HasOpenStart(std::string_view text) {
  return text.empty() || IsSpaceOrMark(FirstCodePoint(Bytes(text)));
}
bool HasOpenEnd(std::string_view text) {
  if (text.empty()) return true;
  const uint8_t* begin = Bytes(text);
  return IsSpaceOrMark(FirstCodePoint(LastCharacter(begin, begin + text.size())));
}

bool IsAllWhitespace(std::string_view text) {
  for (size_t at = 0, size = 0; at < text.size(); at += size) {
    if (!IsWhitespace(DecodeUtf8(Bytes(text) + at, &size))) return false;
  }
  return true;
}

void StripRight(std::string* text) {
  while (!text->empty()) {
    const uint8_t* begin = Bytes(*text);
    const uint8_t* last = LastCharacter(begin, begin + text->size());
    if (!IsWhitespace(FirstCodePoint(last))) return;
    text->resize(static_cast<size_t>(last - begin));
  }
}

struct State final : SegmentEncoder::Scratch {
  WordCache cache;
  UnigramModel::Work work;
  std::vector<uint32_t> ids, edge_ids, span_ids;
  std::string normalized, marked;
  bool surprised = false;  // a stretch was not what its edges promised
};

class UnigramEncoder final : public SegmentEncoder {
 public:
  UnigramEncoder(UnigramLayout layout, UnigramModel model)
      : layout_(std::move(layout)), model_(std::move(model)) {
    joins_left_ = Charsmap::kExtends;
    joins_right_ = Charsmap::kPrepends;
    if (!layout_.split_whitespace) {
      joins_left_ |= Charsmap::kSpaceFirst | Charsmap::kEmpty;
      joins_right_ |= Charsmap::kSpaceLast | Charsmap::kEmpty;
    }
    for (uint8_t byte : {' ', '\t', '\n'}) separators_[byte] = IsSeparator({&byte, 1});
    const uint8_t pair[] = {'\r', '\n'};
    keeps_ascii_ =
        layout_.split_whitespace && layout_.prefix == PrependScheme::kAlways && separators_[' '];
    for (uint8_t byte = '!'; byte < 0x7F; ++byte) {
      keeps_ascii_ &= (layout_.charsmap->TraitsOf(byte) & Charsmap::kMapped) == 0;
    }
    separators_['\r'] = IsSeparator({pair, 1}) && IsSeparator({pair, 2}) && separators_['\n'];
  }

  // False for a map under which an ASCII letter, digit or sign touches its neighbours.
  bool CanTellWordsApart() const {
    for (uint8_t byte = '!'; byte < 0x7F; ++byte) {
      if ((layout_.charsmap->TraitsOf(byte) & (joins_left_ | joins_right_)) != 0) return false;
    }
    return true;
  }

  std::unique_ptr<Scratch> MakeScratch() const override { return std::make_unique<State>(); }
  EncoderTableList tables() const override { return model_.tables(); }

  void Encode(std::string_view text, SegmentPosition position, Scratch& scratch,
              std::vector<uint32_t>* ids) const override {
    State& state = static_cast<State&>(scratch);
    const size_t before = ids->size();
    state.surprised = false;
    EncodeStretches(text, position, state, ids);
    if (!state.surprised) return;
    ids->resize(before);
    EncodeWhole(text, WantsPrefix(position), state, ids);
  }

  // Words of printable ASCII, which the map leaves alone, each with its mark.
  bool EncodeSpans(std::string_view text, SegmentPosition position, const Vocab& vocab,
                   Scratch& scratch, std::vector<TokenSpan>* spans) const override {
    if (!keeps_ascii_ || !std::all_of(text.begin(), text.end(), IsPrintable)) return false;
    std::vector<uint32_t>& ids = static_cast<State&>(scratch).span_ids;
    ids.clear();
    Encode(text, position, scratch, &ids);
    size_t next = 0;
    uint32_t word = 0;
    for (size_t at = text.find_first_not_of(' '); at < text.size(); ++word) {
      std::string_view own = text.substr(at, text.find(' ', at) - at);
      for (MarkedText marked(own, true); marked.at() < own.size();) {
        if (next == ids.size() || ids[next] == model_.unknown_id()) return false;
        auto token = vocab.FindToken(ids[next]);
        auto taken = token ? marked.Take(*token) : std::nullopt;
        if (!taken) return false;
        spans->push_back({ids[next++], static_cast<uint32_t>(at) + taken->first,
                          static_cast<uint32_t>(at) + taken->second, word});
      }
      at = text.find_first_not_of(' ', at + own.size());
    }
    return next == ids.size();
  }

 private:
  struct Miss {
    const UnigramEncoder& encoder;
    State& state;
    bool operator()(const uint8_t* at, size_t size, std::vector<uint32_t>* ids) const {
      return encoder.EncodeStretch({reinterpret_cast<const char*>(at), size}, state, ids);
    }
  };
  using Batch = WordBatch<false, Miss>;

  bool IsSeparator(std::basic_string_view<uint8_t> bytes) const {
    std::string form;
    layout_.charsmap->Normalize({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, &form);
    if (layout_.split_whitespace) return !form.empty() && IsAllWhitespace(form);
    return form == " ";
  }

  bool WantsPrefix(SegmentPosition position) const {
    return layout_.prefix == PrependScheme::kAlways ||
           (layout_.prefix == PrependScheme::kFirst && position == SegmentPosition::kStartOfText);
  }

  // Skips separators and counts the spaces that they become.
  const uint8_t* SkipSeparators(const uint8_t* at, const uint8_t* end, size_t* spaces) const {
    *spaces = 0;
    while (at < end && separators_[*at]) {
      at += *at == '\r' && end - at > 1 && at[1] == '\n' ? 2 : 1;
      ++*spaces;
    }
    return at;
  }

  const uint8_t* SkipWord(const uint8_t* at, const uint8_t* end) const {
    while (true) {
      at = SkipAboveSpace(at, end);
      if (at == end || separators_[*at]) return at;
      ++at;
    }
  }

  bool JoinsLeft(const uint8_t* at) const {
    if (IsAsciiGraphic(*at)) return false;
    return (layout_.charsmap->TraitsOf(FirstCodePoint(at)) & joins_left_) != 0;
  }
  bool JoinsRight(const uint8_t* begin, const uint8_t* end) const {
    if (begin == end || IsAsciiGraphic(end[-1])) return false;
    uint32_t last = FirstCodePoint(LastCharacter(begin, end));
    return (layout_.charsmap->TraitsOf(last) & joins_right_) != 0;
  }

  struct Stretch {
    const uint8_t* begin;
    const uint8_t* end;
    const uint8_t* next;  // the next stretch, or the end of the text
    size_t spaces_before, spaces_after;
  };

  // The words from `stretch->begin` on that cannot be told apart.
  void FindEnd(const uint8_t* end, Stretch* stretch) const {
    stretch->end = SkipWord(stretch->begin, end);
    while (true) {
      stretch->next = SkipSeparators(stretch->end, end, &stretch->spaces_after);
      if (stretch->end == end) return;
      bool joined = JoinsRight(stretch->begin, stretch->end) ||
                    (stretch->next < end && JoinsLeft(stretch->next));
      if (!joined) return;
      stretch->end = stretch->next == end ? end : SkipWord(stretch->next, end);
    }
  }

  void EncodeStretches(std::string_view text, SegmentPosition position, State& state,
                       std::vector<uint32_t>* ids) const {
    IdWriter writer(ids);
    Batch batch(&state.cache, &state.ids, &writer, Miss{*this, state});
    const uint8_t* const begin = Bytes(text);
    const uint8_t* const end = begin + text.size();
    const bool wants_prefix = WantsPrefix(position);
    Stretch stretch{};
    stretch.next = SkipSeparators(begin, end, &stretch.spaces_after);
    if (stretch.next < end && JoinsLeft(stretch.next)) {
      stretch.next = begin;
      stretch.spaces_after = 0;
    }
    while (stretch.next < end) {
      stretch.begin = stretch.next;
      stretch.spaces_before = stretch.spaces_after;
      FindEnd(end, &stretch);
      bool prefixed = stretch.spaces_before > 0 || (wants_prefix && !JoinsLeft(stretch.begin));
      bool closed = stretch.end < end || !JoinsRight(stretch.begin, end);
      if (layout_.split_whitespace || (prefixed && closed)) {
        AddLoneMarks(stretch.spaces_before, 1, &batch);
        batch.AddWord(stretch.begin, static_cast<size_t>(stretch.end - stretch.begin),
                      static_cast<size_t>(end - stretch.begin));
      } else {
        AddEdge(stretch, end, wants_prefix, state, &batch);
      }
    }
    if (!layout_.strip_right) AddLoneMarks(stretch.spaces_after, 0, &batch);
    batch.Finish();
    writer.Flush();
  }

  // Of a run of spaces the last `taken` belong to the next word; each other one is a piece.
  void AddLoneMarks(size_t spaces, size_t taken, Batch* batch) const {
    if (layout_.split_whitespace) return;
    if (layout_.collapse_spaces && spaces > 1) spaces = 1;
    static constexpr uint8_t kSpace[] = {' '};
    for (; spaces > taken; --spaces) batch->AddWord(kSpace, 1, 1);
  }

  // The first or last stretch of a text, where white space at its edge has to be looked at.
  void AddEdge(const Stretch& stretch, const uint8_t* end, bool wants_prefix, State& state,
               Batch* batch) const {
    AddLoneMarks(stretch.spaces_before, 1, batch);
    state.normalized.clear();
    layout_.charsmap->Normalize({reinterpret_cast<const char*>(stretch.begin),
                                 static_cast<size_t>(stretch.end - stretch.begin)},
                                &state.normalized);
    // Only at the ends of the text may white space be at an edge.
    state.surprised |= (stretch.spaces_before > 0 && HasOpenStart(state.normalized)) ||
                       (stretch.end < end && HasOpenEnd(state.normalized));
    if (stretch.end == end && layout_.strip_right) StripRight(&state.normalized);
    if (stretch.spaces_before > 0) state.normalized.insert(0, 1, ' ');
    state.edge_ids.clear();
    EncodeNormalized(state.normalized, wants_prefix, state, &state.edge_ids);
    batch->AddIds(state.edge_ids.data(), state.edge_ids.size());
  }

  // A stretch from the cache's point of view: with a prefix, or spaced from what is before it.
  // Returns false when the answer must not be kept.
  bool EncodeStretch(std::string_view stretch, State& state, std::vector<uint32_t>* ids) const {
    state.normalized.clear();
    bool lone_mark = stretch == " " && !layout_.split_whitespace;
    if (!lone_mark) layout_.charsmap->Normalize(stretch, &state.normalized);
    if (layout_.split_whitespace) {
      EncodeNormalized(state.normalized, true, state, ids);
      return true;
    }
    if (!lone_mark && (HasOpenStart(state.normalized) || HasOpenEnd(state.normalized))) {
      state.surprised = true;
      return false;
    }
    state.normalized.insert(0, 1, ' ');
    EncodeNormalized(state.normalized, false, state, ids);
    return true;
  }

  void EncodeWhole(std::string_view text, bool wants_prefix, State& state,
                   std::vector<uint32_t>* ids) const {
    state.normalized.clear();
    layout_.charsmap->Normalize(text, &state.normalized);
    if (layout_.strip_right) StripRight(&state.normalized);
    EncodeNormalized(state.normalized, wants_prefix, state, ids);
  }

  // Pre-tokenizer and model over normalised text.
  void EncodeNormalized(std::string_view text, bool wants_prefix, State& state,
                        std::vector<uint32_t>* ids) const {
    if (!layout_.split_whitespace) return EncodeMarked(text, wants_prefix, state, ids);
    bool prefix = layout_.prefix == PrependScheme::kAlways;
    size_t begin = 0;
    for (size_t at = 0, size = 0; at < text.size(); at += size) {
      if (!IsWhitespace(DecodeUtf8(Bytes(text) + at, &size))) continue;
      EncodeMarked(text.substr(begin, at - begin), prefix, state, ids);
      begin = at + size;
    }
    EncodeMarked(text.substr(begin), prefix, state, ids);
  }

  // Metaspace and model: spaces become marks, each mark begins a piece.
  void EncodeMarked(std::string_view text, bool wants_prefix, State& state,
                    std::vector<uint32_t>* ids) const {
    if (text.empty()) return;
    std::string& marked = state.marked;
    marked.clear();
    if (wants_prefix && text[0] != ' ' && !text.starts_with(kMark)) marked.append(kMark);
    for (size_t at = 0; at < text.size(); ++at) {
      if (text[at] != ' ') {
        marked.push_back(text[at]);
      } else if (!layout_.collapse_spaces || at == 0 || text[at - 1] != ' ') {
        marked.append(kMark);
      }
    }
    std::string_view rest = marked;
    while (!rest.empty()) {
      size_t cut = layout_.split_marks ? rest.find(kMark, 1) : std::string_view::npos;
      model_.Encode(rest.substr(0, cut), &state.work, ids);
      rest.remove_prefix(cut == std::string_view::npos ? rest.size() : cut);
    }
  }

  UnigramLayout layout_;
  UnigramModel model_;
  uint8_t joins_left_ = 0, joins_right_ = 0;
  bool separators_[256] = {};
  bool keeps_ascii_ = false;  // and every word has a mark
};

std::unique_ptr<SegmentEncoder> Recognise(const Json& tokenizer_json, const Model& plain,
                                          const KeptTables& kept) {
  const Json* model = tokenizer_json.Find("model");
  const Json* type = model == nullptr ? nullptr : model->Find("type");
  if (type == nullptr || type->AsString() == nullptr || *type->AsString() != "Unigram") {
    return nullptr;
  }
  auto layout = ReadUnigramLayout(tokenizer_json);
  if (!layout) return nullptr;
  auto unigram = UnigramModel::Make(*model, *plain.tables().pieces, kept);
  if (!unigram) return nullptr;
  auto encoder = std::make_unique<UnigramEncoder>(std::move(*layout), std::move(*unigram));
  if (!encoder->CanTellWordsApart()) return nullptr;
  return encoder;
}

}  // namespace

std::unique_ptr<SegmentEncoder> MakeUnigramEncoder(const Json& tokenizer_json, const Model& model,
                                                   const KeptTables& kept) {
  try {
    return Recognise(tokenizer_json, model, kept);
  } catch (const Error&) {
    return nullptr;  // too large for the tables, or wrong in itself: the plain path says which
  }
}

}  // namespace hearth::tokenizers
