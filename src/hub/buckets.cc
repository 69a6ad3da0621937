#include "hub/buckets.h"

#include "base/bytes.h"
#include "base/error.h"
#include "base/random.h"
#include "hub/access.h"

namespace hearth::hub {
namespace {

// The columns of ReadRow, from "buckets b JOIN accounts a ON a.id = b.owner_id".
constexpr std::string_view kSelect =
    "SELECT b.id, b.oid, b.owner_id, a.name, b.name, b.creator_id, b.private, b.created_at, "
    "b.updated_at, b.size, b.files FROM buckets b JOIN accounts a ON a.id = b.owner_id ";

BucketRecord ReadRow(const storage::Row& row) {
  BucketRecord record;
  record.id = row.Int(0);
  record.oid = row.Str(1);
  record.owner_id = row.Int(2);
  record.owner = row.Str(3);
  record.name = row.Str(4);
  record.creator_id = row.Int(5);
  record.is_private = row.Int(6) != 0;
  record.created_at = FromUnixMillis(row.Int(7));
  record.updated_at = FromUnixMillis(row.Int(8));
  record.size_bytes = static_cast<uint64_t>(row.Int(9));
  record.files = static_cast<uint64_t>(row.Int(10));
  return record;
}

std::string Select(std::string_view condition) {
  return std::string(kSelect) + std::string(condition);
}

// As for repositories: missing and not visible must not differ in anything.
[[noreturn]] void ThrowMissing(const Actor& actor) {
  Code code = actor.signed_in() ? Code::kNotFound : Code::kUnauthenticated;
  throw Error(code, "Repository not found").WithWireCode("RepoNotFound");
}

[[noreturn]] void ThrowTooWeak(const Actor& actor, const BucketRecord& bucket, Right needed) {
  if (!actor.signed_in()) throw Error(Code::kUnauthenticated, "Invalid username or password.");
  std::string what = needed == Right::kAdmin ? "administer" : "write to";
  throw Error(Code::kForbidden, "You do not have the right to " + what + " the bucket " +
                                    bucket.FullName() +
                                    " (write access is needed; a read token does not give it)");
}

[[noreturn]] void ThrowTaken(const BucketRecord& bucket) {
  throw Error(Code::kConflict, "You already created this bucket: " + bucket.FullName())
      .With("id", bucket.FullName())
      .With("oid", bucket.oid);
}

}  // namespace

void BucketHandle::Require(Right needed) const {
  if (right_ >= needed) return;
  throw Error(Code::kInternal, "bucket handle of " + record_.FullName() +
                                   " was opened with too small a right for this operation");
}

std::optional<BucketRecord> Buckets::Find(std::string_view owner, std::string_view name) const {
  return parts_.db.ReadValue([&](storage::Connection& c) {
    return c.QueryOne(Select("WHERE a.name_lower = ? AND b.name_lower = ?"),
                      {AsciiLower(owner), AsciiLower(name)}, ReadRow);
  });
}

std::optional<BucketRecord> Buckets::FindById(int64_t id) const {
  return parts_.db.ReadValue(
      [&](storage::Connection& c) { return c.QueryOne(Select("WHERE b.id = ?"), {id}, ReadRow); });
}

BucketHandle Buckets::Open(const Actor& actor, std::string_view id, Right needed) const {
  size_t slash = id.find('/');
  if (slash == std::string_view::npos) ThrowMissing(actor);
  std::string_view owner = id.substr(0, slash);
  if (owner == "me" && actor.signed_in()) owner = actor.user_name;
  std::optional<BucketRecord> record = Find(owner, id.substr(slash + 1));
  std::optional<Right> right;
  if (record) right = RightOn(actor, *record);
  if (!right) ThrowMissing(actor);
  if (*right < needed) ThrowTooWeak(actor, *record, needed);
  return BucketHandle(*std::move(record), *right);
}

bool Buckets::May(int64_t bucket_id, int64_t user_id, Right needed) const {
  std::optional<Actor> actor = user_id == 0 ? Actor{} : parts_.accounts.ActorOf(user_id);
  std::optional<BucketRecord> record = FindById(bucket_id);
  if (!actor || !record) return false;
  std::optional<Right> right = RightOn(*actor, *record);
  return right && *right >= needed;
}

// --- life cycle

AccountPtr Buckets::OwnerFor(const Actor& actor, std::string_view name) const {
  std::string wanted(name.empty() || name == "me" ? std::string_view(actor.user_name) : name);
  AccountPtr owner = parts_.accounts.FindByName(wanted);
  if (!owner || !MayCreateIn(actor, owner->id)) {
    throw Error(
        Code::kForbidden,
        "You don't have the rights to create a bucket under the namespace \"" + wanted + "\"");
  }
  return owner;
}

void Buckets::MustBeFree(const Actor& actor, const Account& owner, std::string_view name,
                         int64_t except_id) const {
  std::optional<BucketRecord> taken = Find(owner.name, name);
  if (!taken || taken->id == except_id) return;
  if (RightOn(actor, *taken)) ThrowTaken(*taken);
  throw Error(Code::kConflict, "This bucket name is taken");
}

BucketHandle Buckets::Create(const Actor& actor, std::string_view owner_name, std::string_view name,
                             bool is_private) {
  CheckNamePart(name, "bucket name");
  AccountPtr owner = OwnerFor(actor, owner_name);
  MustBeFree(actor, *owner, name, 0);
  BucketRecord record;
  record.oid = NewObjectId();
  record.owner_id = owner->id;
  record.owner = owner->name;
  record.name = name;
  record.creator_id = actor.user_id;
  record.is_private = is_private;
  record.created_at = record.updated_at = parts_.clock.Now();
  int64_t now = ToUnixMillis(record.created_at);
  try {
    parts_.db.Write([&](storage::Connection& c) {
      c.Exec(
          "INSERT INTO buckets (oid, owner_id, name, name_lower, creator_id, private, created_at, "
          "updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          {record.oid, record.owner_id, record.name, AsciiLower(record.name), record.creator_id,
           record.is_private, now, now});
      record.id = c.LastInsertId();
    });
  } catch (const Error& error) {
    // Two creations of one name at once: the database decides.
    if (error.code() == Code::kConflict) MustBeFree(actor, *owner, name, 0);
    throw;
  }
  return BucketHandle(std::move(record), Right::kAdmin);
}

void Buckets::Delete(const BucketHandle& bucket) {
  bucket.Require(Right::kAdmin);
  parts_.db.Write([&](storage::Connection& c) {
    int64_t id = bucket.record().id;
    c.Exec("DELETE FROM xet_holders WHERE kind = ? AND holder_id = ?",
           {static_cast<int>(XetHolder::kBucket), id});
    c.Exec("DELETE FROM buckets WHERE id = ?", {id});
  });
}

void Buckets::SetPrivate(const BucketHandle& bucket, bool is_private) {
  bucket.Require(Right::kAdmin);
  parts_.db.Write([&](storage::Connection& c) {
    c.Exec("UPDATE buckets SET private = ?, updated_at = ? WHERE id = ?",
           {is_private, ToUnixMillis(parts_.clock.Now()), bucket.record().id});
  });
}

void Buckets::Move(const Actor& actor, const BucketHandle& bucket, std::string_view to) {
  bucket.Require(Right::kAdmin);
  RepoId target = ParseRepoId(to);
  AccountPtr owner = OwnerFor(actor, target.owner);
  MustBeFree(actor, *owner, target.name, bucket.record().id);
  try {
    parts_.db.Write([&](storage::Connection& c) {
      c.Exec(
          "UPDATE buckets SET owner_id = ?, name = ?, name_lower = ?, updated_at = ? WHERE id = ?",
          {owner->id, target.name, AsciiLower(target.name), ToUnixMillis(parts_.clock.Now()),
           bucket.record().id});
    });
  } catch (const Error& error) {
    if (error.code() == Code::kConflict) {
      MustBeFree(actor, *owner, target.name, bucket.record().id);
    }
    throw;
  }
}

Buckets::Page Buckets::List(const Actor& actor, const Account& owner, std::string_view search,
                            std::string_view after, size_t limit) const {
  Page page;
  // What the caller may see depends on more than a column: rows are judged one by one.
  parts_.db.Read([&](storage::Connection& c) {
    std::string sql = Select(
        "WHERE b.owner_id = ? AND b.name_lower > ? AND instr(b.name_lower, ?) > 0 "
        "ORDER BY b.name_lower");
    c.Query(sql, {owner.id, AsciiLower(after), AsciiLower(search)}, [&](const storage::Row& row) {
      if (page.buckets.size() > limit) return;
      BucketRecord record = ReadRow(row);
      if (RightOn(actor, record)) page.buckets.push_back(std::move(record));
    });
  });
  if (page.buckets.size() > limit) {
    page.buckets.resize(limit);
    page.next = AsciiLower(page.buckets.back().name);
  }
  return page;
}

}  // namespace hearth::hub
