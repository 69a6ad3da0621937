// The answers to reconstruction queries, versions 1 and 2 of the protocol.
//
// Both list the terms of the asked range and, per xorb, links to the byte ranges that hold them.
// Every term lies inside one listed range. Byte positions are inclusive at both ends, chunk
// positions exclusive at the end. Pure functions, thread-safe.
// Format: https://huggingface.co/docs/xet/api
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/xet/reconstruction.h"

namespace hearth::server {

using XorbRanges = std::map<storage::XorbForm, std::vector<storage::XorbRange>>;
// The link that allows these ranges of a xorb. Called with at most kMaxLinkRanges at a time.
using LinkMaker = std::function<std::string(const storage::XorbForm& xorb,
                                            const std::vector<storage::XorbRange>& ranges)>;

std::string ReconstructionV1(const storage::Reconstruction& plan, const LinkMaker& link);
std::string ReconstructionV2(const storage::Reconstruction& plan, const LinkMaker& link);
// {"files": {hash: terms}, "fetch_info": ...} of several whole files.
using FilePlans = std::vector<std::pair<storage::XetHash, storage::Reconstruction>>;
std::string ReconstructionBatch(const FilePlans& plans, const LinkMaker& link);

}  // namespace hearth::server
