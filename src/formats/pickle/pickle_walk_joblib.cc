// joblib writes arrays between the opcodes: after the BUILD of a NumpyArrayWrapper come (joblib 1.2
// and later) one byte of padding length and the padding, then the elements, or a whole pickle when
// they are Python objects.
#include <algorithm>

#include "base/bytes.h"
#include "formats/pickle/internal/pickle_machine.h"

namespace hearth {
namespace {

constexpr int kMaxDepth = 20;  // of pickles between opcodes

}  // namespace

bool PickleWalker::Machine::ReadWrapper(const PickleNode& wrapper) {
  if (wrapper.items.empty()) return false;
  if (IsGlobalNamed(wrapper.items[0], "NumpyArrayWrapper")) return true;
  // copyreg._reconstructor(NumpyArrayWrapper, object, None)
  if (!IsGlobalNamed(wrapper.items[0], "_reconstructor") || wrapper.items.size() < 2) return false;
  if (wrapper.items[1].kind != Kind::kTuple) return false;
  const std::vector<PickleValue>& arguments = NodeOf(wrapper.items[1])->items;
  return !arguments.empty() && IsGlobalNamed(arguments[0], "NumpyArrayWrapper");
}

int64_t PickleWalker::Machine::ElementBytes(PickleValue dtype, int depth) const {
  if (dtype.kind != Kind::kCall || depth > 8) return -1;
  const PickleNode* call = NodeOf(dtype);
  if (call->items.size() < 2 || !IsGlobalNamed(call->items[0], "dtype")) return -1;
  if (call->items[1].kind != Kind::kTuple || NodeOf(call->items[1])->items.empty()) return -1;
  std::vector<std::string> texts = Strings(NodeOf(call->items[1])->items[0]);
  if (texts.size() != 1 || texts[0].empty()) return -1;
  std::string_view text = texts[0];
  if (std::string_view("<>=|").find(text[0]) != std::string_view::npos) text.remove_prefix(1);
  if (text.empty()) return -1;
  char kind = text[0];
  if (kind == 'O') return 0;
  if (kind == '?') return 1;
  std::optional<int64_t> size = ParseInt(text.substr(1));
  if (!size || *size <= 0 || *size > 1 << 30) return kind == 'M' || kind == 'm' ? 8 : -1;
  switch (kind) {
    case 'b':
    case 'i':
    case 'u':
    case 'f':
    case 'c':
    case 'S':
    case 'a':
      return *size;
    case 'U':
      return 4 * *size;
    case 'M':
    case 'm':
      return 8;
    case 'V':
      return RecordBytes(*call, *size, depth);
    default:
      return -1;
  }
}

// A record's state: (3, order, part of an array, names, {name: (dtype, offset)}, bytes, ...). One
// field of objects makes the array a pickle.
int64_t PickleWalker::Machine::RecordBytes(const PickleNode& dtype, int64_t size, int depth) const {
  if (dtype.items.size() < 3) return size;
  if (dtype.items[2].kind != Kind::kTuple) return -1;
  const std::vector<PickleValue>& state = NodeOf(dtype.items[2])->items;
  if (state.size() < 5) return -1;
  if (state[2].kind == Kind::kTuple) {
    const std::vector<PickleValue>& part = NodeOf(state[2])->items;
    if (part.empty()) return -1;
    int64_t bytes = ElementBytes(part[0], depth + 1);
    return bytes > 0 ? size : bytes;
  }
  if (state[4].kind == Kind::kNone) return size;
  if (state[4].kind != Kind::kDict) return -1;
  const std::vector<PickleValue>& fields = NodeOf(state[4])->items;
  if (fields.size() >= kMaxPickleItems) return -1;  // more may have been dropped
  for (size_t i = 1; i < fields.size(); i += 2) {
    if (fields[i].kind != Kind::kTuple || NodeOf(fields[i])->items.empty()) return -1;
    int64_t bytes = ElementBytes(NodeOf(fields[i])->items[0], depth + 1);
    if (bytes <= 0) return bytes;
  }
  return size;
}

void PickleWalker::Machine::SkipArray(const PickleNode& wrapper, const PickleNode& state) {
  (void)wrapper;
  PickleValue shape, dtype, alignment;
  for (size_t i = 0; i + 1 < state.items.size(); i += 2) {
    std::vector<std::string> key = Strings(state.items[i]);
    if (key.size() != 1) continue;
    if (key[0] == "shape") shape = state.items[i + 1];
    if (key[0] == "dtype") dtype = state.items[i + 1];
    if (key[0] == "numpy_array_alignment_bytes") alignment = state.items[i + 1];
  }
  int64_t element = ElementBytes(dtype, 0);
  bool known = shape.kind == Kind::kTuple && element >= 0;
  uint64_t bytes = static_cast<uint64_t>(std::max<int64_t>(element, 0));
  if (known) {
    for (PickleValue dim : NodeOf(shape)->items) {
      known = known && dim.kind == Kind::kInt && dim.number >= 0 &&
              !__builtin_mul_overflow(bytes, static_cast<uint64_t>(dim.number), &bytes);
    }
  }
  if (!known) {
    return Issue(Severity::kSuspicious, "joblib-unknown-array",
                 "an array lies between the opcodes, and its size cannot be known");
  }
  if (element == 0) {
    if (depth_ >= kMaxDepth) return Malformed("pickles nest too deep");
    Machine inner(source_, limits_, depth_ + 1);
    PickleReport report = inner.Walk(reader_->position(), end_);
    for (PickleGlobal& global : report.globals) report_.globals.push_back(std::move(global));
    for (PickleIssue& issue : report.issues) report_.issues.push_back(std::move(issue));
    for (PickleLiteral& literal : report.literals) report_.literals.push_back(literal);
    for (PickleRawData& raw : report.raw) report_.raw.push_back(raw);
    report_.ops += report.ops;
    return reader_->MoveTo(report.end);
  }
  uint64_t at = reader_->position();
  uint64_t begin = at;
  if (alignment.kind == Kind::kInt && at < end_) {
    auto padding = static_cast<unsigned char>(source_.Read(at, 1)[0]);
    at = std::min(end_, at + 1 + padding);
  }
  if (bytes > end_ - at) {
    Malformed("an array between the opcodes is cut off");
    bytes = end_ - at;
  }
  if (at + bytes > begin) report_.raw.push_back({begin, at + bytes - begin});
  reader_->MoveTo(at + bytes);
}

}  // namespace hearth
