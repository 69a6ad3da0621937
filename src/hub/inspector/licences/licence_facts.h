// What one repository says of its own licence, in all the places where it can: the card's front
// matter, LICENSE files, SPDX lines, the README's section, config.json; and what it says it was
// made from. Reads files through the view only; content never throws.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hub/inspector/finding.h"
#include "hub/inspector/licences/compat.h"
#include "hub/inspector/licences/licence.h"
#include "hub/inspector/licences/licence_text.h"
#include "hub/inspector/repo_view.h"

namespace hearth::inspector {

struct LicenceFile {
  std::string path;
  std::vector<TextMatch> matches;        // empty: not a text that is known
  std::vector<LicenceMention> mentions;  // names in it, when there is no match
};

struct ParentLink {
  std::string type;      // "model", "dataset"
  std::string id;        // "ns/name" as written
  std::string revision;  // "" = not said
  Relation relation = Relation::kFinetune;
  Level relation_level = Level::kInferred;
  Evidence evidence;
};

struct LicenceFacts {
  std::vector<std::string> declared;  // ids of the card as written, lower case
  std::string declared_name;          // license_name
  std::string declared_link;          // license_link
  Evidence declared_at;
  std::vector<LicenceFile> files;
  std::vector<LicenceMention> spdx;     // of README.md
  std::vector<LicenceMention> section;  // names in the README's licence section
  bool has_section = false;
  bool template_left = false;  // the card still holds text of the hub's template
  std::string config_licence;  // config.json's "license"
  std::vector<ParentLink> parents;

  // Rows that hold for the repository by itself: several when several are named or when card and
  // text differ. Never empty; the row of "unknown" when nothing is said.
  std::vector<const Licence*> rows;
  // What is believed and why; value: id, list of ids, or null.
  Finding own;
};

LicenceFacts ReadLicenceFacts(const RepoView& view);

// A line of the YAML front matter that begins with `key`, as evidence: README.md, "line N".
Evidence FrontMatterEvidence(std::string_view readme, std::string_view key, std::string rule);

}  // namespace hearth::inspector
