// Of portraits only: the parts that fill the rows, and how cells are made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/inspector/card/card_document.h"
#include "hub/inspector/compare/portrait.h"
#include "hub/inspector/quantity_text.h"

namespace hearth::inspector {

void DescribeCard(const PortraitInput& input, const CardDocument& card, Portrait* portrait);
void DescribeData(const PortraitInput& input, const CardDocument& card, Portrait* portrait);
void DescribeModel(const PortraitInput& input, Portrait* portrait);
void DescribeLicence(const PortraitInput& input, Portrait* portrait);
void DescribeOrigins(const PortraitInput& input, Portrait* portrait);

Cell MakeCell(std::string text, Level level, std::vector<Evidence> evidence = {});
Cell MakeCell(std::string text, Json value, Level level, std::vector<Evidence> evidence = {});
Evidence At(std::string file, std::string place, std::string rule);
std::string Joined(const std::vector<std::string>& words, size_t most = 12);
// The first `bytes` of a text as one line, cut between words.
std::string Excerpt(std::string_view text, size_t bytes);
// A list under "evidence" of a finding that is JSON.
std::vector<Evidence> EvidenceOfJson(const Json& finding);
Level LevelOfName(std::string_view name);

}  // namespace hearth::inspector
