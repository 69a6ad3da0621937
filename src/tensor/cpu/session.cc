#include "tensor/cpu/session.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "tensor/blocks.h"
#include "tensor/op_checks.h"

namespace hearth::tensor {
namespace {

// A chain of row-wise steps runs over so many rows at a time that they stay in the L2 cache.
constexpr uint64_t kChainRows = 16;
// Products of at least so many rows a member are cut by rows: every member then reads all panels,
// but its own rows stay in its cache. Below, panels are shared out.
constexpr uint64_t kRowsPerMember = 48;
// In fp32 fewer rows would take eight products of halves in place of seven.
constexpr uint64_t kFloatRowsPerMember = 96;
constexpr uint64_t kRowGrain = 16;

uint64_t LargestPosition(std::span<const uint32_t> positions) {
  return positions.empty() ? 0 : *std::max_element(positions.begin(), positions.end());
}

}  // namespace

// The tables of one kind of rotary positions; layers share them.
struct CpuSession::Rope {
  explicit Rope(const RopeOptions& rope)
      : options(rope),
        table(rope.inverse_frequencies, rope.magnitude),
        long_table(rope.long_inverse_frequencies, rope.magnitude) {}

  const RopeOptions& options;
  RopeTable table, long_table;
  std::vector<RopeTable> of_segments;  // for the run at hand, of those that are longer than usual
};

CpuSession::CpuSession(std::shared_ptr<const CpuProgram> program, ThreadTeam& team)
    : program_(std::move(program)), team_(team), packed_(program_->slots().size()) {
  for (const Step& step : program_->steps()) {
    rope_of_step_.push_back(-1);
    if (step.kind != StepKind::kRope) continue;
    const auto& options = std::get<RopeOptions>(program_->graph().nodes[step.node].operation);
    auto same = [&](const std::unique_ptr<Rope>& known) {
      return known->options.inverse_frequencies == options.inverse_frequencies &&
             known->options.long_inverse_frequencies == options.long_inverse_frequencies &&
             known->options.long_after == options.long_after &&
             known->options.dynamic_after == options.dynamic_after &&
             known->options.magnitude == options.magnitude;
    };
    auto found = std::find_if(ropes_.begin(), ropes_.end(), same);
    rope_of_step_.back() = static_cast<int32_t>(found - ropes_.begin());
    if (found == ropes_.end()) ropes_.push_back(std::make_unique<Rope>(options));
  }
}

CpuSession::~CpuSession() = default;

float* CpuSession::At(const View& view) const {
  const Buffer& buffer = program_->buffers()[view.buffer];
  auto space = static_cast<size_t>(buffer.rows);
  return reinterpret_cast<float*>(arenas_[space].data()) + buffer.offset * rows_[space] +
         view.column;
}

uint64_t CpuSession::Stride(const View& view) const {
  return program_->buffers()[view.buffer].stride;
}

void CpuSession::CheckIds(const Batch& batch) const {
  for (const Step& step : program_->steps()) {
    if (step.kind != StepKind::kEmbed) continue;
    const auto& embed = std::get<EmbedNode>(program_->graph().nodes[step.node].operation);
    std::span<const uint32_t> ids = NumbersOf(batch, embed.input);
    uint64_t rows = program_->table(step.node).rows;
    for (uint32_t id : ids) {
      if (uint64_t{id} + embed.offset < rows) continue;
      throw Error(Code::kInvalidArgument, "row " + std::to_string(uint64_t{id} + embed.offset) +
                                              " is outside the table " +
                                              program_->weights().Name(embed.table));
    }
  }
}

void CpuSession::Prepare(const Batch& batch) {
  for (RowSpace space : {RowSpace::kTokens, RowSpace::kSegments, RowSpace::kOutputs}) {
    auto i = static_cast<size_t>(space);
    rows_[i] = batch.Rows(space);
    arenas_[i].Reserve(rows_[i] * program_->arena(space) * sizeof(float));
  }
  for (size_t i = 0; i < packed_.size(); ++i) {
    const CpuProgram::Slot& slot = program_->slots()[i];
    packed_[i].Prepare(slot.packing, program_->tier(), rows_[static_cast<size_t>(slot.rows)],
                       slot.columns);
  }
  auto positions = static_cast<uint32_t>(LargestPosition(batch.positions) + 1);
  for (const auto& rope : ropes_) {
    rope->table.Reserve(positions);
    if (rope->long_table.pairs() > 0) rope->long_table.Reserve(positions);
    rope->of_segments.clear();
    if (rope->options.dynamic_after == 0) continue;
    for (const Segment& segment : batch.segments) {
      bool is_long = segment.Length() > rope->options.dynamic_after;
      RopeTable& table = rope->of_segments.emplace_back(
          is_long ? DynamicFrequencies(rope->options, segment.Length()) : std::vector<float>(),
          rope->options.magnitude);
      if (is_long) table.Window(segment.past, segment.rows);
    }
  }
}

RowBlock CpuSession::Block(const Step& step, uint64_t begin, uint64_t end) const {
  RowBlock block;
  block.x_stride = Stride(step.in);
  block.out_stride = Stride(step.out);
  block.x = At(step.in) + begin * block.x_stride;
  block.out = At(step.out) + begin * block.out_stride;
  block.rows = end - begin;
  block.columns = step.out.columns;
  block.tier = program_->tier();
  return block;
}

AttentionCall CpuSession::Call(const Step& step) {
  AttentionCall call;
  call.q = At(step.in), call.k = At(step.in2), call.v = At(step.in3);
  call.q_stride = Stride(step.in);
  call.kv_stride = Stride(step.in2);
  call.options = &std::get<AttentionOptions>(program_->graph().nodes[step.node].operation);
  call.batch = batch_;
  call.cache = call.options->cache_layer >= 0 ? cache_ : nullptr;
  if (!step.vectors.empty()) call.relative_bias = program_->vector(step.vectors[0]);
  call.tier = program_->tier();
  call.partials = &partials_;
  if (step.out.buffer >= 0) {
    call.out = At(step.out);
    call.out_stride = Stride(step.out);
  }
  return call;
}

void CpuSession::RunEmbed(const Step& step, uint64_t begin, uint64_t end) {
  const auto& embed = std::get<EmbedNode>(program_->graph().nodes[step.node].operation);
  const WeightView& table = program_->table(step.node);
  std::span<const uint32_t> ids = NumbersOf(*batch_, embed.input);
  uint64_t stride = Stride(step.out);
  for (uint64_t row = begin; row < end; ++row) {
    uint64_t id = (ids.empty() ? 0 : ids[row]) + uint64_t{embed.offset};
    float* out = At(step.out) + row * stride;
    std::span<const uint8_t> bytes{table.data + id * table.row_bytes(), table.row_bytes()};
    if (table.type == BlockType::kF32) {
      std::memcpy(out, bytes.data(), bytes.size());
    } else {
      Dequantize(table.type, bytes, {out, table.columns}, program_->tier());
    }
  }
  if (embed.scale != 1) {
    RowBlock block;
    block.x = block.out = At(step.out) + begin * stride;
    block.x_stride = block.out_stride = stride;
    block.rows = end - begin;
    block.columns = step.out.columns;
    block.tier = program_->tier();
    ScaleRows(block, embed.scale);
  }
}

void CpuSession::RunFeatures(const Step& step, uint64_t begin, uint64_t end) {
  uint64_t columns = step.out.columns;
  for (uint64_t row = begin; row < end; ++row) {
    std::memcpy(At(step.out) + row * Stride(step.out), &batch_->features[row * columns],
                columns * sizeof(float));
  }
}

void CpuSession::RunNorm(const Step& step, uint64_t begin, uint64_t end) {
  const auto& options = std::get<NormOptions>(program_->graph().nodes[step.node].operation);
  std::span<const float> weight, bias;
  if (step.vectors[0] >= 0) weight = program_->vector(step.vectors[0]);
  if (step.vectors[1] >= 0) bias = program_->vector(step.vectors[1]);
  NormRows(Block(step, begin, end), options, weight, bias);
}

// Rows of long sequences take the long table: cut at segments only where there is one.
void CpuSession::RunRope(const Step& step, uint64_t begin, uint64_t end) {
  const Rope& rope = *ropes_[rope_of_step_[&step - program_->steps().data()]];
  const auto& options = std::get<RopeOptions>(program_->graph().nodes[step.node].operation);
  if (options.long_inverse_frequencies.empty() && options.dynamic_after == 0) {
    RopeRows(Block(step, begin, end), options, rope.table,
             batch_->positions.subspan(begin, end - begin));
    return;
  }
  for (size_t i = 0; i < batch_->segments.size(); ++i) {
    const Segment& segment = batch_->segments[i];
    uint64_t from = std::max<uint64_t>(begin, segment.first_row);
    uint64_t to = std::min<uint64_t>(end, uint64_t{segment.first_row} + segment.rows);
    if (from >= to) continue;
    bool is_long = rope.long_table.pairs() > 0 && segment.Length() > options.long_after;
    const RopeTable* table = is_long ? &rope.long_table : &rope.table;
    if (options.dynamic_after > 0 && segment.Length() > options.dynamic_after)
      table = &rope.of_segments[i];
    RopeRows(Block(step, from, to), options, *table, batch_->positions.subspan(from, to - from));
  }
}

void CpuSession::RunSelect(const Step& step, uint64_t begin, uint64_t end) {
  for (uint64_t row = begin; row < end; ++row) {
    std::memcpy(At(step.out) + row * Stride(step.out),
                At(step.in) + batch_->output_rows[row] * Stride(step.in),
                step.out.columns * sizeof(float));
  }
}

void CpuSession::RunPool(const Step& step, uint64_t begin, uint64_t end) {
  Pooling pooling = std::get<PoolNode>(program_->graph().nodes[step.node].operation).pooling;
  for (uint64_t i = begin; i < end; ++i) {
    const Segment& segment = batch_->segments[i];
    RowBlock block;
    block.x_stride = Stride(step.in);
    block.x = At(step.in) + segment.first_row * block.x_stride;
    block.out_stride = Stride(step.out);
    block.out = At(step.out) + i * block.out_stride;
    block.rows = segment.rows;
    block.columns = step.out.columns;
    block.tier = program_->tier();
    PoolRows(block, pooling, segment.unpooled);
  }
}

void CpuSession::RunStep(const Step& step, uint64_t begin, uint64_t end) {
  const Operation& operation = program_->graph().nodes[step.node].operation;
  uint64_t other = step.in2.buffer >= 0 ? Stride(step.in2) : 0;
  switch (step.kind) {
    case StepKind::kEmbed:
      return RunEmbed(step, begin, end);
    case StepKind::kFeatures:
      return RunFeatures(step, begin, end);
    case StepKind::kNorm:
      return RunNorm(step, begin, end);
    case StepKind::kRope:
      return RunRope(step, begin, end);
    case StepKind::kSelect:
      return RunSelect(step, begin, end);
    case StepKind::kPool:
      return RunPool(step, begin, end);
    case StepKind::kActivate:
      return ActivateRows(Block(step, begin, end), step.activation);
    case StepKind::kGate:
      return GateRows(Block(step, begin, end), At(step.in2) + begin * other, other,
                      step.activation);
    case StepKind::kAdd:
      return AddRows(Block(step, begin, end), At(step.in2) + begin * other, other);
    case StepKind::kMultiply:
      return MultiplyRows(Block(step, begin, end), At(step.in2) + begin * other, other);
    case StepKind::kScale:
      return ScaleRows(Block(step, begin, end), std::get<ScaleNode>(operation).factor);
    case StepKind::kSoftCap:
      return SoftCapRows(Block(step, begin, end), std::get<SoftCapNode>(operation).cap);
    case StepKind::kCopy:
      for (uint64_t row = begin; row < end; ++row) {
        std::memcpy(At(step.out) + row * Stride(step.out), At(step.in) + row * Stride(step.in),
                    step.in.columns * sizeof(float));
      }
      return;
    case StepKind::kPackRows:
      return packed_[step.packed].Fill(At(step.in), Stride(step.in), begin, end);
    case StepKind::kStoreKv:
      if (cache_ != nullptr) StoreKeysAndValues(Call(step), begin, end);
      return;
    case StepKind::kProduct:
    case StepKind::kAttention:
      return;  // phases of their own
  }
}

void CpuSession::RunRows(const Phase& phase, int member) {
  std::span<const Step> steps =
      program_->steps().subspan(phase.first_step, phase.end_step - phase.first_step);
  auto [first, last] = team_.Part(member, rows_[static_cast<size_t>(steps.front().rows)]);
  for (uint64_t begin = first; begin < last; begin += kChainRows) {
    uint64_t end = std::min(begin + kChainRows, last);
    for (const Step& step : steps) RunStep(step, begin, end);
  }
}

Epilogue CpuSession::EpilogueOf(const Step& step) const {
  Epilogue epilogue;
  if (!step.vectors.empty()) epilogue.bias = program_->vector(step.vectors[0]).data();
  epilogue.activation = step.activation;
  epilogue.gated = step.gated;
  if (step.in2.buffer >= 0) epilogue.residual = At(step.in2);
  return epilogue;
}

CpuSession::Tile CpuSession::TileOf(const Step& step, int member) const {
  const PackedMatrix& matrix = program_->matrix(step.matrix);
  uint64_t rows = rows_[static_cast<size_t>(step.rows)];
  bool is_float = matrix.packing() == Packing::kF32;
  uint64_t least = is_float ? kFloatRowsPerMember : kRowsPerMember;
  if (team_.threads() > 1 && rows >= least * team_.threads()) {
    auto [begin, end] = team_.Part(member, rows, kRowGrain);
    return {begin, end, 0, matrix.outputs()};
  }
  uint64_t grain = uint64_t{matrix.panel()} * (step.gated ? 2 : 1);
  auto [begin, end] = team_.Part(member, matrix.outputs(), grain);
  return {0, rows, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
}

// What a product multiplies: rows packed before, or those of its input as they lie.
const PackedRows& CpuSession::RowsOf(const Step& step, PackedRows* borrowed) const {
  if (step.packed >= 0) return packed_[step.packed];
  *borrowed =
      PackedRows::Borrow(At(step.in), Stride(step.in), rows_[static_cast<size_t>(step.rows)],
                         step.in.columns, program_->tier());
  return *borrowed;
}

// Where a member's part of the next product begins; after the last one, of the next run's first.
const uint8_t* CpuSession::NextPanels(const Phase& phase, int member) const {
  std::span<const Phase> phases = program_->phases();
  size_t at = &phase - phases.data();
  do {
    at = at + 1 < phases.size() ? at + 1 : 0;
  } while (phases[at].kind != Phase::Kind::kProduct);
  const Step& step = program_->steps()[phases[at].first_step];
  return program_->matrix(step.matrix).PanelsFrom(TileOf(step, member).begin);
}

void CpuSession::RunProduct(const Step& step, int member, const uint8_t* next) {
  Tile tile = TileOf(step, member);
  if (tile.is_empty()) return;
  PackedRows borrowed;
  Multiply(program_->matrix(step.matrix), RowsOf(step, &borrowed), tile.row_begin, tile.row_end,
           tile.begin, tile.end, EpilogueOf(step), At(step.out), Stride(step.out), next);
}

void CpuSession::RunAttentionItems(const Step& step) {
  AttentionCall call = Call(step);
  for (uint32_t i = next_item_.fetch_add(1); i < items_.size(); i = next_item_.fetch_add(1)) {
    RunAttention(call, items_[i]);
  }
}

void CpuSession::Run(const Batch& batch, KvCache* cache,
                     std::span<const CpuAdapter* const> adapters) {
  CheckBatch(batch, FeatureColumns(program_->graph()));
  CheckIds(batch);
  for (RowSpace space : {RowSpace::kTokens, RowSpace::kSegments, RowSpace::kOutputs}) {
    adapted_[static_cast<size_t>(space)] = FindAdaptedRows(batch, space, adapters);
  }
  batch_ = &batch;
  cache_ = cache;
  Prepare(batch);
  team_.Begin();
  for (const Phase& phase : program_->phases()) {
    const Step& step = program_->steps()[phase.first_step];
    switch (phase.kind) {
      case Phase::Kind::kRows:
        team_.Run([&](int member) { RunRows(phase, member); });
        break;
      case Phase::Kind::kProduct:
        if (auto parts = AdaptedParts(step); !parts.empty()) {
          RunAdapted(step, parts);
        } else {
          team_.Run([&](int member) { RunProduct(step, member, NextPanels(phase, member)); });
        }
        break;
      case Phase::Kind::kAttention:
        items_.clear();
        PlanAttention(Call(step), team_.threads(), &items_);
        next_item_.store(0);
        team_.Run([&](int) { RunAttentionItems(step); });
        break;
    }
  }
  team_.End();
}

bool CpuSession::HasOutput(std::string_view name) const {
  std::span<const CpuProgram::Output> outputs = program_->outputs();
  return std::any_of(outputs.begin(), outputs.end(),
                     [&](const CpuProgram::Output& output) { return output.name == name; });
}

OutputRows CpuSession::Output(std::string_view name) const {
  for (const CpuProgram::Output& output : program_->outputs()) {
    if (output.name != name) continue;
    return {At(output.view), Stride(output.view), rows_[static_cast<size_t>(output.rows)],
            output.view.columns};
  }
  throw Error(Code::kNotFound, "the model has no output \"" + std::string(name) + "\"");
}

}  // namespace hearth::tensor
