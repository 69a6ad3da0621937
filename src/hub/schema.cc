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

}  // namespace

const std::vector<storage::Migration>& Migrations() {
  static const std::vector<storage::Migration> migrations = {{1, kFirst}};
  return migrations;
}

}  // namespace hearth::hub
