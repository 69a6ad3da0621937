// The Xet store: every xorb row has its file, every Xet file its terms, and xorbs without a row are
// entered again from their footers.
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "hub/internal/fsck_parts.h"

namespace hearth::hub {
namespace {

using storage::XetHash;
using storage::XorbForm;

// Decodes and hashes every chunk.
void ReadWhole(storage::XorbStore& xorbs, const XorbForm& xorb, uint64_t body_bytes) {
  std::shared_ptr<UniqueFd> file = xorbs.Open(xorb);
  storage::XorbValidator validator;
  std::string buffer;
  for (uint64_t at = 0; at < body_bytes; at += buffer.size()) {
    buffer.resize(std::min<uint64_t>(1 << 20, body_bytes - at));
    ReadExactAt(file->get(), at, buffer.data(), buffer.size());
    validator.Feed(buffer);
  }
  validator.Finish(xorb.hash);
}

void CheckXorb(FsckRun& run, const XorbForm& xorb, uint64_t body_bytes) {
  storage::XorbStore& xorbs = run.hub.xet_index().xorbs();
  std::string where = "xorb " + xorb.Text();
  try {
    storage::XorbIndexPtr index = xorbs.FindIndex(xorb);
    if (!index) {
      run.Fault(where, "its file is missing (restore it from a backup)");
    } else if (index->body_bytes != body_bytes) {
      run.Fault(where, "has " + std::to_string(index->body_bytes) + " bytes instead of " +
                           std::to_string(body_bytes));
    } else if (run.options.deep) {
      ReadWhole(xorbs, xorb, body_bytes);
    }
  } catch (const Error& error) {
    run.Fault(where, error.message() + " (restore it from a backup)");
  }
}

// Every term names chunks that are there and have the length it says.
void CheckTerms(XetIndex& index, const XetFile& file) {
  std::shared_ptr<const storage::TermSource> terms = index.TermsOf(file);
  for (uint64_t at = 0; at < file.size_bytes;) {
    auto segment = terms->SegmentAt(at);
    for (const storage::XetTerm& term : segment->terms) {
      storage::XorbIndexPtr xorb = index.xorbs().FindIndex(term.Form());
      if (!xorb) throw Error(Code::kInternal, "the xorb " + term.xorb.Text() + " is missing");
      uint64_t bytes = 0;
      for (uint32_t i = term.chunk_start; i < term.chunk_end && i < xorb->chunks.size(); ++i) {
        bytes += xorb->chunks[i].unpacked_bytes;
      }
      if (bytes != term.unpacked_bytes || bytes == 0) {
        throw Error(Code::kInternal, "a term does not fit to the xorb " + term.xorb.Text());
      }
    }
    at = segment->EndOffset();
  }
}

void CheckXorbs(FsckRun& run) {
  std::unordered_map<XorbForm, uint64_t> rows;
  run.hub.db().Read([&](storage::Connection& c) {
    c.Query("SELECT hash, body_bytes FROM xorbs", {}, [&](const storage::Row& row) {
      rows[XorbForm::FromKey(row.Text(0))] = static_cast<uint64_t>(row.Int(1));
    });
  });
  size_t done = 0;
  for (const auto& [xorb, body_bytes] : rows) {
    run.progress("xorbs", done++, rows.size());
    CheckXorb(run, xorb, body_bytes);
  }
  std::vector<XorbForm> strays;
  run.hub.xet_index().xorbs().ForEach([&](const XorbForm& xorb, uint64_t) {
    if (!rows.contains(xorb)) strays.push_back(xorb);
  });
  for (const XorbForm& xorb : strays) {
    run.Note("xorb " + xorb.Text(), "is stored, but the database does not know it", [&run, xorb] {
      storage::XorbIndexPtr index = run.hub.xet_index().xorbs().FindIndex(xorb);
      if (!index) throw Error(Code::kNotFound, "the file went away");
      run.hub.xet_index().AddXorb(*index, 0, xorb.number);
    });
  }
}

}  // namespace

void CheckXetStore(FsckRun& run) {
  CheckXorbs(run);
  std::vector<XetFile> files;
  run.hub.db().Read([&](storage::Connection& c) {
    c.Query("SELECT id, hash, size FROM xet_files", {}, [&](const storage::Row& row) {
      files.push_back(
          {row.Int(0), XetHash::FromRaw(row.Text(1)), static_cast<uint64_t>(row.Int(2))});
    });
  });
  for (size_t i = 0; i < files.size(); ++i) {
    run.progress("xet files", i, files.size());
    try {
      CheckTerms(run.hub.xet_index(), files[i]);
    } catch (const Error& error) {
      run.Fault("Xet file " + files[i].hash.Text(), error.message());
    }
  }
}

}  // namespace hearth::hub
