// Which files hold the rows of a data set, and for which split, by the rules of names that loaders
// use; and whether their bytes agree. Pure apart from reads.
#pragma once

#include <string>
#include <string_view>

#include "hub/inspector/kind/survey.h"

namespace hearth::inspector {

enum class DataFormat { kNone, kParquet, kCsv, kJsonLines, kJson, kArrow, kText, kTar, kMedia };
DataFormat DataFormatOf(std::string_view path);  // by the name; packed ones too
std::string DataFormatName(DataFormat format);

// "train", "test", "validation"; files whose names say nothing are for training.
std::string SplitOf(std::string_view path);

// "" when the bytes are what the name says, else the reason. Reads the two ends of the file.
std::string CheckDataFile(const Survey& survey, const std::string& path, DataFormat format);

// "data/train-*.parquet", "**/x.csv", "a?.json", "{a,b}.csv". Cost: the product of the lengths.
bool GlobMatches(std::string_view pattern, std::string_view path);

}  // namespace hearth::inspector
