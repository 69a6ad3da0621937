// The filter wordwrap: Python's textwrap.wrap of every line by itself.

#include <utility>
#include <vector>

#include "text/internal/template_builtins.h"
#include "text/internal/template_characters.h"
#include "text/regex.h"
#include "text/utf8.h"

namespace hearth::tmpl {
namespace {

// textwrap's own pieces: white space; dashes between words; a word with the hyphen that it may be
// cut behind, or up to white space, the end or a dash.
constexpr std::string_view kPieces =
    R"([\t-\r ]+)"
    R"(|(?<=[\p{L}\p{N}_!"'&.,?])-{2,}(?=[\p{L}\p{N}_]))"
    R"(|[^\t-\r ]+?(?:)"
    R"(-(?:(?<=[\p{L}\p{Nl}\p{No}_]{2}-)|(?<=[\p{L}\p{Nl}\p{No}_]-[\p{L}\p{N}_!"'&.,?]-)))"
    R"((?=[\p{L}\p{Nl}\p{No}_]-?[\p{L}\p{Nl}\p{No}_]))"
    R"(|(?=[\t-\r ]|\z))"
    R"(|(?<=[\p{L}\p{N}_!"'&.,?])(?=-{2,}[\p{L}\p{N}_])))";
constexpr std::string_view kWholeWords = R"([\t-\r ]+|[^\t-\r ]+)";

struct Piece {
  std::string_view text;
  size_t length;  // characters

  explicit Piece(std::string_view piece) : text(piece), length(CountCodePoints(piece)) {}
  bool IsBlank() const { return text.empty() || AllCharacters(text, IsSpace); }
};

class Wrapper {
 public:
  Wrapper(const WrapStyle& style, std::string* out) : style_(style), out_(*out) {}

  void Wrap(std::string_view text) {
    static const Regex pieces = Regex::Compile(kPieces), words = Regex::Compile(kWholeWords);
    (style_.break_on_hyphens ? pieces : words).ForEachMatch(text, [&](const RegexMatch& match) {
      Take(Piece(text.substr(match.begin, match.end - match.begin)));
    });
    EndLine();
  }

 private:
  void Take(Piece piece) {
    if (!std::exchange(begun_, true) && has_lines_ && piece.IsBlank()) return;
    if (length_ + piece.length <= style_.width) return Append(piece);
    if (piece.length > style_.width) {
      if (style_.break_long_words) {
        Piece head(TruncateUtf8(piece.text, CutOf(piece)));
        Append(head);
        piece = Piece(piece.text.substr(head.text.size()));
      } else if (line_.empty()) {
        Append(piece);
        return EndLine();
      }
    }
    EndLine();
    Take(piece);
  }

  // How many characters of a piece that is too long the line takes: up to its last hyphen in there,
  // if something else stands before that.
  size_t CutOf(const Piece& piece) const {
    size_t room = style_.width - length_;
    if (!style_.break_on_hyphens) return room;
    std::string_view head = TruncateUtf8(piece.text, room);
    size_t hyphen = head.rfind('-');
    if (hyphen == std::string_view::npos || hyphen == 0) return room;
    bool has_word = head.substr(0, hyphen).find_first_not_of('-') != std::string_view::npos;
    return has_word ? CountCodePoints(head.substr(0, hyphen)) + 1 : room;
  }

  void Append(const Piece& piece) {
    line_.push_back(piece);
    length_ += piece.length;
  }

  void EndLine() {
    if (!line_.empty() && line_.back().IsBlank()) line_.pop_back();
    if (!line_.empty()) {
      if (std::exchange(has_lines_, true)) out_ += style_.separator;
      for (const Piece& piece : line_) out_ += piece.text;
    }
    line_.clear();
    length_ = 0;
    begun_ = false;
  }

  const WrapStyle& style_;
  std::string& out_;
  std::vector<Piece> line_;
  size_t length_ = 0;  // of the line, in characters
  bool has_lines_ = false;
  bool begun_ = false;  // the line has seen a piece
};

}  // namespace

std::string WrapText(Heap& heap, std::string_view text, const WrapStyle& style) {
  std::string out;
  bool first = true;
  while (!text.empty()) {
    Line line = FirstLine(text);
    heap.Step(1 + line.length / 16);
    if (!std::exchange(first, false)) out += style.separator;
    Wrapper(style, &out).Wrap(line.text);
    heap.CheckSize(out.size());
    text.remove_prefix(line.length);
  }
  return out;
}

}  // namespace hearth::tmpl
