// Formulas in Markdown. What stands between dollar signs is TeX, which a Markdown parser would take
// apart ("_" becomes emphasis, "\\" one backslash). So formulas are set aside before the text is
// parsed, a short token in their place, and put back, escaped, into the finished HTML as
// <span class="math">TeX</span> or <span class="math display">TeX</span>; a script of the page
// draws them, and without it the TeX can be read. Linear in time and space.
//
// A formula is $$...$$ (display), $...$, \\(...\\) or \\[...\\], outside of code, within one
// paragraph. The first of a pair of single dollars follows a blank or an opening mark and precedes
// no blank, the last follows no blank and precedes no letter or digit: "$5 and $10" are prices.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth {

class MathSpans {
 public:
  // The text with tokens instead of formulas, which this object keeps.
  std::string Take(std::string_view markdown);
  // Puts them into what the sanitiser has written. Inside of tags and of code they become the text
  // that they were.
  std::string PutBack(std::string html) const;

 private:
  struct Formula {
    std::string source;  // with its marks
    std::string tex;
    bool display = false;
  };
  size_t TakeAt(std::string_view rest, char before, std::string* out);

  std::vector<Formula> formulas_;
};

}  // namespace hearth
