#include "hub/schema.h"

namespace hearth::hub {
namespace {

// Times are milliseconds since 1970 UTC. oid columns are the 24-hex ids of the wire.
constexpr std::string_view kFirst = R"sql(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY,
  oid TEXT NOT NULL UNIQUE,
  is_org INTEGER NOT NULL,
  name TEXT NOT NULL,
  name_lower TEXT NOT NULL UNIQUE,
  fullname TEXT NOT NULL,
  email TEXT NOT NULL DEFAULT '',
  password_hash TEXT NOT NULL DEFAULT '',
  is_admin INTEGER NOT NULL DEFAULT 0,
  disabled INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
);
CREATE TABLE members (
  org_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  PRIMARY KEY (org_id, user_id)
);
CREATE INDEX members_by_user ON members(user_id);
CREATE TABLE tokens (
  id INTEGER PRIMARY KEY,
  oid TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  scopes TEXT NOT NULL DEFAULT '[]',
  can_read_gated INTEGER NOT NULL DEFAULT 1,
  hash BLOB NOT NULL UNIQUE,
  hint TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER
);
CREATE INDEX tokens_by_user ON tokens(user_id);
CREATE TABLE sessions (
  hash BLOB PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  csrf TEXT NOT NULL,
  peer TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);

CREATE TABLE repos (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  oid TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  owner_id INTEGER NOT NULL REFERENCES accounts(id),
  name TEXT NOT NULL,
  name_lower TEXT NOT NULL,
  creator_id INTEGER NOT NULL,
  private INTEGER NOT NULL DEFAULT 0,
  gated TEXT NOT NULL DEFAULT '',
  disabled INTEGER NOT NULL DEFAULT 0,
  discussions_disabled INTEGER NOT NULL DEFAULT 0,
  settings TEXT NOT NULL DEFAULT '{}',
  head TEXT,
  created_at INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  downloads INTEGER NOT NULL DEFAULT 0,
  downloads_all INTEGER NOT NULL DEFAULT 0,
  likes INTEGER NOT NULL DEFAULT 0,
  used_bytes INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 1,
  index_stale INTEGER NOT NULL DEFAULT 1,
  UNIQUE (type, owner_id, name_lower)
);
CREATE INDEX repos_by_owner ON repos(owner_id);
CREATE TABLE repo_moves (
  type TEXT NOT NULL,
  from_lower TEXT NOT NULL,
  repo_id INTEGER NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  PRIMARY KEY (type, from_lower)
);
CREATE TABLE repo_aliases (
  type TEXT NOT NULL,
  alias_lower TEXT NOT NULL,
  repo_id INTEGER NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  PRIMARY KEY (type, alias_lower)
);
CREATE TABLE likes (
  user_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  repo_id INTEGER NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, repo_id)
);
CREATE INDEX likes_by_repo ON likes(repo_id);
CREATE TABLE gate_requests (
  repo_id INTEGER NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (repo_id, user_id)
);

CREATE TABLE repo_facts (
  repo_id INTEGER PRIMARY KEY REFERENCES repos(id) ON DELETE CASCADE,
  commit_oid TEXT NOT NULL,
  pipeline_tag TEXT NOT NULL DEFAULT '',
  library_name TEXT NOT NULL DEFAULT '',
  parameters INTEGER NOT NULL DEFAULT 0,
  main_bytes INTEGER NOT NULL DEFAULT 0,
  tags TEXT NOT NULL DEFAULT '[]'
);
-- Apart from the columns above, so that loading the catalog reads small rows only.
CREATE TABLE repo_fact_texts (
  repo_id INTEGER PRIMARY KEY REFERENCES repos(id) ON DELETE CASCADE,
  commit_oid TEXT NOT NULL,
  facts TEXT NOT NULL
);

CREATE TABLE objects (
  sha256 BLOB PRIMARY KEY,
  size INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE TABLE repo_objects (
  repo_id INTEGER NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  sha256 BLOB NOT NULL REFERENCES objects(sha256),
  pusher_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (repo_id, sha256)
);
CREATE INDEX repo_objects_by_sha ON repo_objects(sha256);
CREATE TABLE uploads (
  id TEXT PRIMARY KEY,
  repo_id INTEGER NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  pusher_id INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  size INTEGER NOT NULL,
  part_bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (repo_id, sha256)
);
)sql";

// Xet, and the space that garbage collection gives back. Hashes are 32 raw bytes (more since
// kForms). leased_at: the last moment at which a client may have learned that the row exists;
// garbage collection counts its grace from there.
constexpr std::string_view kXet = R"sql(
CREATE TABLE xorbs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash BLOB NOT NULL UNIQUE,
  body_bytes INTEGER NOT NULL,
  unpacked_bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  leased_at INTEGER NOT NULL
);
CREATE TABLE xorb_uploaders (
  xorb_id INTEGER NOT NULL REFERENCES xorbs(id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL,
  PRIMARY KEY (xorb_id, user_id)
) WITHOUT ROWID;
CREATE TABLE xet_chunks (
  hash BLOB NOT NULL,
  xorb_id INTEGER NOT NULL REFERENCES xorbs(id) ON DELETE CASCADE,
  PRIMARY KEY (hash, xorb_id)
) WITHOUT ROWID;
CREATE INDEX xet_chunks_by_xorb ON xet_chunks(xorb_id);

CREATE TABLE xet_files (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hash BLOB NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  leased_at INTEGER NOT NULL
);
-- Up to 1024 terms each: xorb hash, length, first chunk, end chunk (44 bytes, little-endian).
CREATE TABLE xet_segments (
  file_id INTEGER NOT NULL REFERENCES xet_files(id) ON DELETE CASCADE,
  start INTEGER NOT NULL,
  terms BLOB NOT NULL,
  PRIMARY KEY (file_id, start)
);
CREATE TABLE xet_file_xorbs (
  file_id INTEGER NOT NULL REFERENCES xet_files(id) ON DELETE CASCADE,
  xorb_id INTEGER NOT NULL REFERENCES xorbs(id),
  PRIMARY KEY (file_id, xorb_id)
) WITHOUT ROWID;
CREATE INDEX xet_file_xorbs_by_xorb ON xet_file_xorbs(xorb_id);
-- The file's content was read and has this SHA-256. One content may have several files, as old
-- clients cut chunks otherwise.
CREATE TABLE object_files (
  sha256 BLOB NOT NULL REFERENCES objects(sha256) ON DELETE CASCADE,
  file_id INTEGER NOT NULL REFERENCES xet_files(id),
  PRIMARY KEY (sha256, file_id)
) WITHOUT ROWID;
CREATE INDEX object_files_by_file ON object_files(file_id);
-- kind: 0 repository, 1 bucket.
CREATE TABLE xet_holders (
  kind INTEGER NOT NULL,
  holder_id INTEGER NOT NULL,
  file_id INTEGER NOT NULL REFERENCES xet_files(id),
  user_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (kind, holder_id, file_id)
) WITHOUT ROWID;
CREATE INDEX xet_holders_by_file ON xet_holders(file_id);

CREATE TABLE buckets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  oid TEXT NOT NULL UNIQUE,
  owner_id INTEGER NOT NULL REFERENCES accounts(id),
  name TEXT NOT NULL,
  name_lower TEXT NOT NULL,
  creator_id INTEGER NOT NULL,
  private INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  size INTEGER NOT NULL DEFAULT 0,
  files INTEGER NOT NULL DEFAULT 0,
  UNIQUE (owner_id, name_lower)
);
-- mtime is the client's, uploaded_at the hub's clock.
CREATE TABLE bucket_files (
  bucket_id INTEGER NOT NULL REFERENCES buckets(id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  file_id INTEGER NOT NULL REFERENCES xet_files(id),
  content_type TEXT NOT NULL DEFAULT '',
  mtime INTEGER NOT NULL,
  uploaded_at INTEGER NOT NULL,
  PRIMARY KEY (bucket_id, path)
) WITHOUT ROWID;
CREATE INDEX bucket_files_by_file ON bucket_files(file_id);

-- The last moment at which somebody relied on the grant, to a day; 0 = since created_at never.
ALTER TABLE repo_objects ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
CREATE TABLE gc_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  freed_bytes INTEGER NOT NULL DEFAULT 0,
  summary TEXT NOT NULL DEFAULT '{}'
);
-- What a run took away, written in the transaction that dropped its rows. payload: the rows, for
-- undo. moved: 0 while the file may still lie in the store.
CREATE TABLE gc_trash (
  run_id INTEGER NOT NULL REFERENCES gc_runs(id),
  kind INTEGER NOT NULL,
  key TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  payload TEXT NOT NULL,
  moved INTEGER NOT NULL,
  PRIMARY KEY (run_id, kind, key)
) WITHOUT ROWID;
CREATE INDEX gc_trash_unmoved ON gc_trash(moved) WHERE moved = 0;
-- Stored content that scrub found to be rotten: kind 0 object (SHA-256), 1 xorb.
CREATE TABLE quarantine (
  kind INTEGER NOT NULL,
  hash BLOB NOT NULL,
  found_at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (kind, hash)
) WITHOUT ROWID;
)sql";

// What the judge of models said of main (hub/model_judge.h): its fingerprint, and the tasks that a
// model can be run for, separated by commas.
constexpr std::string_view kRuns = R"sql(
ALTER TABLE repo_facts ADD COLUMN judged_by TEXT NOT NULL DEFAULT '';
ALTER TABLE repo_facts ADD COLUMN run_tasks TEXT NOT NULL DEFAULT '';
)sql";

// What scans said of contents (hub/safety/safety.h). content: 20 bytes, a blob of git, or 32, the
// SHA-256 of a large object. state and pending: see there. repo_id: one that holds it, for reading.
constexpr std::string_view kInspector = R"sql(
CREATE TABLE safety_scans (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content BLOB NOT NULL,
  kind TEXT NOT NULL,
  size INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,
  pending INTEGER NOT NULL,
  rules INTEGER NOT NULL DEFAULT 0,
  tries INTEGER NOT NULL DEFAULT 0,
  repo_id INTEGER NOT NULL,
  queued_at INTEGER NOT NULL,
  scanned_at INTEGER NOT NULL DEFAULT 0,
  report TEXT NOT NULL DEFAULT '',
  UNIQUE (content, kind)
);
CREATE INDEX safety_scans_pending ON safety_scans(pending) WHERE pending > 0;
CREATE INDEX safety_scans_by_state ON safety_scans(state, pending);
-- The commit of each ref whose files are all in the table above. The ref '' stands for all of a
-- repository's, with its modified_at in place of a commit.
CREATE TABLE safety_refs (
  repo_id INTEGER NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  ref TEXT NOT NULL,
  commit_oid TEXT NOT NULL,
  PRIMARY KEY (repo_id, ref)
) WITHOUT ROWID;
-- What the inspector's rules said of main (hub/inspections.h), by rule: the commit and the version of
-- the rule that it holds for. summary: what lists filter by, in the rule's own form.
CREATE TABLE inspections (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repo_id INTEGER NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  rule TEXT NOT NULL,
  commit_oid TEXT NOT NULL,
  version INTEGER NOT NULL,
  summary TEXT NOT NULL DEFAULT '',
  result TEXT NOT NULL,
  UNIQUE (repo_id, rule)
);
CREATE INDEX inspections_by_rule ON inspections(rule, version, repo_id, commit_oid, summary);
)sql";

// The index of tensors (hub/tensor_index.h). A file is known by its content: form, kind and digest
// of what git or the store call it; `records` are those of hub/inspector/weights. tensor_hashes has
// the first 16 bytes of the digest of each telling tensor. repo_tensor_files keeps what a
// repository has held; current = 1 for main.
constexpr std::string_view kTensors = R"sql(
CREATE TABLE tensor_files (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content BLOB NOT NULL UNIQUE,
  rule INTEGER NOT NULL,
  records BLOB NOT NULL,
  indexed_at INTEGER NOT NULL
);
CREATE TABLE tensor_hashes (
  hash BLOB NOT NULL,
  file_id INTEGER NOT NULL REFERENCES tensor_files(id) ON DELETE CASCADE,
  PRIMARY KEY (hash, file_id)
) WITHOUT ROWID;
CREATE INDEX tensor_hashes_by_file ON tensor_hashes(file_id);
CREATE TABLE repo_tensor_files (
  repo_id INTEGER NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  file_id INTEGER NOT NULL REFERENCES tensor_files(id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  current INTEGER NOT NULL,
  PRIMARY KEY (repo_id, file_id, path)
) WITHOUT ROWID;
CREATE INDEX repo_tensor_files_by_file ON repo_tensor_files(file_id);
CREATE TABLE repo_tensor_state (
  repo_id INTEGER PRIMARY KEY REFERENCES repos(id) ON DELETE CASCADE,
  commit_oid TEXT NOT NULL,
  rule INTEGER NOT NULL
);
)sql";

// What people have written into the inspector's checklists (hub/checklists.h). answers: JSON.
constexpr std::string_view kChecklists = R"sql(
CREATE TABLE checklists (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  repo_id INTEGER NOT NULL REFERENCES repos(id) ON DELETE CASCADE,
  commit_oid TEXT NOT NULL,
  answers TEXT NOT NULL,
  version INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (user_id, repo_id, commit_oid)
);
CREATE INDEX checklists_by_repo ON checklists(repo_id);
)sql";

// What the model of search makes of texts (hub/semantic_order.h). stamp: of the text; model:
// "owner/name@commit".
constexpr std::string_view kMeaning = R"sql(
CREATE TABLE semantic_vectors (
  repo_id INTEGER PRIMARY KEY REFERENCES repos(id) ON DELETE CASCADE,
  model TEXT NOT NULL,
  stamp INTEGER NOT NULL,
  vector BLOB NOT NULL
);
)sql";

// The inspector's again. What a model needs at least, in bytes, on a GPU and beside a CPU
// (hub/inspector/fit/smallest_need.h); 0 = not known. The index holds all that lists filter by.
constexpr std::string_view kNeeds = R"sql(
ALTER TABLE inspections ADD COLUMN gpu_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inspections ADD COLUMN cpu_bytes INTEGER NOT NULL DEFAULT 0;
DROP INDEX inspections_by_rule;
CREATE INDEX inspections_by_rule ON inspections(rule, version, repo_id, commit_oid, summary, gpu_bytes,
  cpu_bytes);
-- Comparisons of weights (hub/weight_jobs.h), the last ones made. key: what was compared, by the
-- version of the measures.
CREATE TABLE weight_results (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  result TEXT NOT NULL
);
)sql";

// The machines that users have listed (hub/hardware.h). devices: JSON.
constexpr std::string_view kHardware = R"sql(
CREATE TABLE user_hardware (
  user_id INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
  devices TEXT NOT NULL
);
)sql";

// Which Xet form of an object a repository shows. The store keeps a content once, so the form may
// be there before the repository has come to it: told at once, that would say that somebody else
// has the same content. A row is written when the repository has uploaded or copied the form, or
// when the conversion has come to its grant (hub/xet_convert.h).
constexpr std::string_view kShownFiles = R"sql(
CREATE TABLE shown_files (
  repo_id INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  file_id INTEGER NOT NULL,
  PRIMARY KEY (repo_id, sha256, file_id),
  FOREIGN KEY (repo_id, sha256) REFERENCES repo_objects(repo_id, sha256) ON DELETE CASCADE,
  FOREIGN KEY (sha256, file_id) REFERENCES object_files(sha256, file_id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX shown_files_by_file ON shown_files(file_id, sha256);
-- What was shown before is known already.
INSERT INTO shown_files (repo_id, sha256, file_id)
  SELECT r.repo_id, r.sha256, f.file_id FROM repo_objects r
  JOIN object_files f ON f.sha256 = r.sha256;
CREATE INDEX repo_objects_by_time ON repo_objects(created_at);
)sql";

// Forms (docs/adr/0021). The column hash of xorbs, xet_files and quarantine may be longer than 32
// bytes from here on: who reads it otherwise must not open this database. told_at: the last time at
// which the user was told that the xorb is there, or sent it.
constexpr std::string_view kForms = R"sql(
ALTER TABLE xorb_uploaders ADD COLUMN told_at INTEGER NOT NULL DEFAULT 0;
-- When that was is not known: clients remember for weeks.
UPDATE xorb_uploaders SET told_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000;
)sql";

// origin: of a grant without bytes, the repository to which the content was sent, whatever has been
// copied from there and on; 0 = this one, or not known. Copies share the form that is made for the
// one of them that is converted first (hub/xet_convert.h).
constexpr std::string_view kOrigins = R"sql(
ALTER TABLE repo_objects ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;
)sql";

// Answers of scans that no public repository has brought belong to one repository (hub/safety): the
// one that the row names. Others of them look again.
constexpr std::string_view kOwnScans = R"sql(
UPDATE safety_scans SET kind = kind || '@' || repo_id
  WHERE repo_id IN (SELECT id FROM repos WHERE private <> 0 OR gated <> '');
DELETE FROM safety_refs WHERE repo_id IN (SELECT id FROM repos WHERE private <> 0 OR gated <> '');
)sql";

}  // namespace

const std::vector<storage::Migration>& Migrations() {
  static const std::vector<storage::Migration> migrations = {
      {1, kFirst},      {2, kXet},      {3, kRuns},     {4, kInspector}, {5, kTensors},
      {6, kChecklists}, {7, kMeaning},  {8, kNeeds},    {9, kHardware},  {10, kShownFiles},
      {11, kForms},     {12, kOrigins}, {13, kOwnScans}};
  return migrations;
}

}  // namespace hearth::hub
