#include "hub/inspector/licences/licence_text.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "hub/inspector/licences/licence.h"
#include "hub/inspector/licences/licence_test_texts.h"

namespace hearth::inspector {
namespace {

std::vector<std::string> IdsOf(std::string_view text) {
  std::vector<std::string> ids;
  for (const TextMatch& match : MatchLicenceText(text)) ids.push_back(match.id);
  return ids;
}

using Ids = std::vector<std::string>;

TEST(LicenceText, ShortTextsAreToldApart) {
  EXPECT_EQ(IdsOf(kMitText), Ids{"mit"});
  EXPECT_EQ(IdsOf(kBsd2Text), Ids{"bsd-2-clause"});
  EXPECT_EQ(IdsOf(kBsd3Text), Ids{"bsd-3-clause"});
  EXPECT_EQ(IdsOf(kIscText), Ids{"isc"});
  EXPECT_EQ(IdsOf(kZlibText), Ids{"zlib"});
  for (std::string_view text : {kMitText, kBsd2Text, kBsd3Text, kIscText, kZlibText})
    EXPECT_TRUE(MatchLicenceText(text).front().exact());
}

// The texts that base-files installs on every Debian.
TEST(LicenceText, TextsOfTheSystemAreRecognised) {
  const std::pair<const char*, const char*> kFiles[] = {
      {"Apache-2.0", "apache-2.0"}, {"GPL-2", "gpl-2.0"},   {"GPL-3", "gpl-3.0"},
      {"LGPL-2.1", "lgpl-2.1"},     {"LGPL-3", "lgpl-3.0"}, {"MPL-2.0", "mpl-2.0"},
      {"CC0-1.0", "cc0-1.0"},       {"GFDL-1.3", "gfdl"},   {"GFDL-1.2", "gfdl"}};
  for (const auto& [file, id] : kFiles) {
    std::string text =
        ReadFile(std::filesystem::path("/usr/share/common-licenses") / file, 1 << 20);
    std::vector<TextMatch> matches = MatchLicenceText(text);
    ASSERT_EQ(matches.size(), 1u) << file;
    EXPECT_EQ(matches[0].id, id);
    // The GFDL's example of a notice is wrapped in other places than in the text that is known.
    EXPECT_EQ(matches[0].exact(), std::string_view(id) != "gfdl")
        << file << " " << matches[0].share;
  }
}

TEST(LicenceText, LayoutAndNamesDoNotMatter) {
  std::string text = "# License\n\n> Copyright (c) 1999 Somebody Else, all rights reserved\n\n";
  for (char c : kMitText) {
    if (c == '\n') {
      text += "\r\n> ";
    } else {
      text += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  EXPECT_EQ(IdsOf(text), Ids{"mit"});
}

TEST(LicenceText, AnAddedConditionIsSeen) {
  std::string text = std::string(kMitText) + "\nThe Software shall be used for good";
  for (int i = 0; i < 30; ++i) text += ", and never by department number " + std::to_string(i);
  std::vector<TextMatch> matches = MatchLicenceText(text);
  ASSERT_EQ(matches.size(), 1u);
  EXPECT_EQ(matches[0].id, "mit");
  EXPECT_FALSE(matches[0].exact());
  EXPECT_GT(matches[0].extra_words, 100);
}

TEST(LicenceText, SeveralTextsInOneFileAreAllNamed) {
  std::string both = std::string(kMitText) + "\n----\n" + std::string(kZlibText);
  Ids ids = IdsOf(both);
  EXPECT_EQ(ids.size(), 2u);
  EXPECT_NE(std::find(ids.begin(), ids.end(), "mit"), ids.end());
  EXPECT_NE(std::find(ids.begin(), ids.end(), "zlib"), ids.end());
}

TEST(LicenceText, OtherTextsAreNoLicence) {
  EXPECT_TRUE(IdsOf("").empty());
  EXPECT_TRUE(IdsOf("MIT License").empty());
  std::string half = std::string(kMitText.substr(0, kMitText.size() / 2));
  EXPECT_TRUE(IdsOf(half).empty());
  std::string prose;
  for (int i = 0; i < 500; ++i)
    prose += "the software is provided to model number " + std::to_string(i) + " without delay\n";
  EXPECT_TRUE(IdsOf(prose).empty());
}

TEST(LicenceText, TruncationNeverThrowsAndNeverNamesAnotherLicence) {
  std::string text = ReadFile("/usr/share/common-licenses/Apache-2.0", 1 << 20);
  for (size_t n = 0; n < text.size(); n += 97) {
    for (const TextMatch& match : MatchLicenceText(std::string_view(text).substr(0, n)))
      EXPECT_EQ(match.id, "apache-2.0") << n;
  }
}

TEST(LicenceText, SpdxLinesOfAnExpression) {
  std::vector<LicenceMention> found =
      FindSpdxLines("a\n# SPDX-License-Identifier: (MIT OR GPL-2.0-or-later) */\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].id, "mit");
  EXPECT_EQ(found[0].line, 2u);
  EXPECT_EQ(found[1].id, "gpl-2.0");
  EXPECT_TRUE(FindSpdxLines("SPDX-License-Identifier: LicenseRef-Mine").empty());
}

TEST(LicenceText, NamesInProse) {
  auto first = [](std::string_view text) {
    std::vector<LicenceMention> found = FindLicenceNames(text);
    return found.empty() ? std::string() : found.front().id;
  };
  EXPECT_EQ(first("Released under the Apache License, Version 2.0."), "apache-2.0");
  EXPECT_EQ(first("This model is MIT licensed"), "mit");
  EXPECT_EQ(first("[CC BY-NC-SA 4.0](https://creativecommons.org/licenses/by-nc-sa/4.0/)"),
            "cc-by-nc-sa-4.0");
  EXPECT_EQ(first("Creative Commons Attribution 4.0 International"), "cc-by-4.0");
  EXPECT_EQ(first("the Llama 3.1 Community License Agreement applies"), "llama3.1");
  EXPECT_EQ(first("GNU General Public License v3"), "gpl-3.0");
  EXPECT_EQ(first("made at MIT by students"), "");
  EXPECT_EQ(first("we compress with zlib"), "");
}

TEST(LicenceText, TheSectionOfACard) {
  std::string card =
      "# Model\n\ntext\n\n## License\n\nApache License 2.0\n### more\nx\n## Other\nMIT\n";
  std::optional<TextSection> section = FindLicenceSection(card);
  ASSERT_TRUE(section);
  EXPECT_EQ(section->first_line, 6u);
  EXPECT_EQ(FindLicenceNames(section->text, section->first_line).front().line, 7u);
  EXPECT_EQ(section->text.find("MIT"), std::string_view::npos);
  EXPECT_TRUE(FindLicenceSection("# 模型\n## 许可证\nMIT License\n"));
  EXPECT_TRUE(FindLicenceSection("# Lizenz\nMIT"));
  EXPECT_FALSE(FindLicenceSection("# Model\n```\n# License\n```\n"));
  EXPECT_FALSE(FindLicenceSection("no heading, license or not"));
}

TEST(LicenceText, FileNames) {
  for (const char* name : {"LICENSE", "LICENCE.md", "COPYING", "a/b/LICENSE.txt", "LICENSE-MIT",
                           "licenses/llama.txt", "NOTICE", "Notice.txt", "llama_license.pdf"})
    EXPECT_TRUE(IsLicenceFileName(name)) << name;
  for (const char* name : {"README.md", "license_plates.py", "license.json", "model.safetensors"})
    EXPECT_FALSE(IsLicenceFileName(name)) << name;
}

}  // namespace
}  // namespace hearth::inspector
