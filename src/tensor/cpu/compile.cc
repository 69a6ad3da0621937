// From a graph to phases: what is fused, where values lie, which steps may run without meeting.
//
// One walk over the nodes in their order. A value is a view of a buffer; a step may write into its
// input's place when nothing that is still wanted lies there. Buffers of a row space share one
// arena: a buffer takes the lowest place that is free over its life.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/error.h"
#include "tensor/cpu/program.h"

namespace hearth::tensor {
namespace {

// Rows start at a cache line. Products read eight at a time: a multiple of 512 bytes apart, they
// would fall into few sets of the first cache.
constexpr uint32_t kStrideFloats = 16, kUnevenFloats = 128;

uint32_t Aligned(uint32_t columns) {
  const uint32_t whole = (columns + kStrideFloats - 1) / kStrideFloats * kStrideFloats;
  return whole % kUnevenFloats == 0 ? whole + kStrideFloats : whole;
}

bool Overlap(const View& a, const View& b) {
  return a.buffer == b.buffer && a.column < b.column + b.columns && b.column < a.column + a.columns;
}

// Linear layers that become one product.
struct Product {
  std::vector<int32_t> members;  // nodes, in the order of their outputs
  int32_t result = -1;           // node whose value the product makes, when it is a fused one
  int32_t residual = -1;         // value added
  Activation activation = Activation::kNone;
  bool gated = false;
};

}  // namespace

class Compiler {
 public:
  Compiler(Graph graph, const WeightSet& weights, const CompileOptions& options)
      : program_(new CpuProgram), weights_(weights) {
    program_->graph_ = std::move(graph);
    program_->weights_ = &weights;
    program_->options_ = options;
  }

  std::shared_ptr<const CpuProgram> Run();

 private:
  const std::vector<Node>& nodes() const { return program_->graph_.nodes; }
  template <typename T>
  const T* As(int32_t node) const {
    return std::get_if<T>(&nodes()[node].operation);
  }

  void CountUses();
  std::optional<int32_t> OnlyUser(int32_t value) const;
  void FindProducts();
  bool FuseGate(int32_t gate);
  void FuseTail(Product* product);
  void GroupLinears();
  Packing PackingOf(Weight weight) const;
  void AddProduct(Product product);

  void Emit(int32_t node);
  void EmitValue(int32_t node);
  void TakeColumns(int32_t node);
  void EmitProduct(const Product& product);
  std::pair<View, View> AtOneStride(int32_t keys, int32_t values);
  void EmitAttention(int32_t node, const AttentionOptions& options);
  void EmitRows(int32_t node, StepKind kind, std::vector<int32_t> vectors = {},
                Activation activation = Activation::kNone);
  int32_t PackedSlot(int32_t value, Packing packing);
  int32_t Matrix(const Product& product);
  void Pack();
  int32_t Vector(Weight weight);
  int32_t Bias(const Product& product);
  void Push(Step step) { program_->steps_.push_back(std::move(step)); }

  View NewView(RowSpace rows, uint32_t columns);
  bool IsFree(const View& view, int32_t except) const;
  View PlaceLike(int32_t node, int32_t input);
  void Use(int32_t value) { --uses_[value]; }
  void PlanMemory();
  void PlanPhases();
  void PlanSlots();

  std::shared_ptr<CpuProgram> program_;
  const WeightSet& weights_;
  std::vector<std::vector<int32_t>> users_;
  std::vector<int32_t> uses_;
  std::vector<View> views_;
  std::vector<Product> products_;
  std::vector<MatrixPlan> matrices_;
  std::map<int32_t, size_t> product_at_;  // the node at which a product is emitted
  std::vector<bool> absorbed_;            // nodes that a product computes
  std::map<int32_t, int32_t> vector_of_;  // by weight
  std::map<std::pair<int32_t, Packing>, int32_t> slot_of_;
};

void Compiler::CountUses() {
  users_.resize(nodes().size());
  uses_.assign(nodes().size(), 0);
  for (size_t i = 0; i < nodes().size(); ++i) {
    for (int32_t input : nodes()[i].inputs) {
      users_[input].push_back(static_cast<int32_t>(i));
      ++uses_[input];
    }
  }
  // An output is never overwritten.
  for (const auto& [name, value] : program_->graph_.outputs) ++uses_[value];
}

std::optional<int32_t> Compiler::OnlyUser(int32_t value) const {
  if (uses_[value] != 1 || users_[value].size() != 1) return std::nullopt;
  return users_[value].front();
}

Packing Compiler::PackingOf(Weight weight) const {
  const WeightView& view = weights_.Shape(weight);
  Precision precision = view.rows < program_->options_.min_packed_outputs
                            ? Precision::kF32
                            : program_->options_.precision;
  return ChoosePacking(view, precision, program_->options_.tier);
}

void Compiler::AddProduct(Product product) {
  int32_t at = product.gated ? product.result : product.members.front();
  if (!product.gated && product.members.size() == 1) {
    FuseTail(&product);
    at = product.result;
  }
  for (int32_t member : product.members) absorbed_[member] = true;
  absorbed_[product.result] = true;
  product_at_[at] = products_.size();
  products_.push_back(std::move(product));
}

// gate(x) and up(x), each for this purpose only, become one matrix whose product is gated at once.
// Also where both are halves of one linear layer.
bool Compiler::FuseGate(int32_t gate) {
  int32_t g = nodes()[gate].inputs[0], u = nodes()[gate].inputs[1];
  if (OnlyUser(g) != gate || OnlyUser(u) != gate) return false;
  const auto *left = As<LinearNode>(g), *right = As<LinearNode>(u);
  if (left == nullptr || right == nullptr || left->bias || right->bias) return false;
  if (nodes()[g].inputs[0] != nodes()[u].inputs[0]) return false;
  if (PackingOf(left->weight) != PackingOf(right->weight)) return false;
  Product product;
  product.members = {g, u};
  product.result = gate;
  product.gated = true;
  product.activation = As<GateNode>(gate)->activation;
  AddProduct(std::move(product));
  return true;
}

// An activation and a sum that only this layer's result goes into.
void Compiler::FuseTail(Product* product) {
  int32_t value = product->members.front();
  product->result = value;
  auto user = OnlyUser(value);
  if (user && absorbed_[*user]) return;
  if (user && As<ActivateNode>(*user) != nullptr) {
    product->activation = As<ActivateNode>(*user)->activation;
    absorbed_[value] = true;
    value = *user;
    user = OnlyUser(value);
  }
  if (user && !absorbed_[*user] && As<AddNode>(*user) != nullptr) {
    const std::vector<int32_t>& parts = nodes()[*user].inputs;
    int32_t other = parts[0] == value ? parts[1] : parts[0];
    if (other != value) {
      absorbed_[value] = true;
      product->residual = other;
      value = *user;
    }
  }
  product->result = value;
}

void Compiler::FindProducts() {
  absorbed_.assign(nodes().size(), false);
  for (size_t i = 0; i < nodes().size(); ++i) {
    if (As<GateNode>(static_cast<int32_t>(i)) != nullptr) FuseGate(static_cast<int32_t>(i));
  }
  GroupLinears();
}

// Layers of one input whose results are not fused with anything else share a product.
void Compiler::GroupLinears() {
  std::map<std::pair<int32_t, Packing>, std::vector<int32_t>> groups;
  for (size_t i = 0; i < nodes().size(); ++i) {
    auto node = static_cast<int32_t>(i);
    const auto* linear = As<LinearNode>(node);
    if (linear == nullptr || absorbed_[node]) continue;
    auto user = OnlyUser(node);
    bool has_tail = user && (As<ActivateNode>(*user) != nullptr || As<AddNode>(*user) != nullptr);
    Packing packing = PackingOf(linear->weight);
    if (has_tail) {
      AddProduct({.members = {node}, .result = node});
    } else {
      groups[{nodes()[node].inputs[0], packing}].push_back(node);
    }
  }
  for (auto& [key, members] : groups) {
    AddProduct({.members = members, .result = members.front()});
  }
}

int32_t Compiler::Vector(Weight weight) {
  auto [place, is_new] = vector_of_.try_emplace(weight.index, 0);
  if (is_new) {
    place->second = static_cast<int32_t>(program_->vectors_.size());
    program_->vectors_.push_back(ToFloats(weights_.View(weight)));
  }
  return place->second;
}

int32_t Compiler::Bias(const Product& product) {
  bool any = false;
  std::vector<float> all;
  for (int32_t member : product.members) {
    const auto& linear = *As<LinearNode>(member);
    if (linear.bias) {
      std::vector<float> part = ToFloats(weights_.View(linear.bias));
      all.insert(all.end(), part.begin(), part.end());
      any = true;
    } else {
      all.resize(all.size() + nodes()[member].shape.columns);
    }
  }
  if (!any) return -1;
  program_->vectors_.push_back(std::move(all));
  return static_cast<int32_t>(program_->vectors_.size() - 1);
}

// Packed when all are known.
int32_t Compiler::Matrix(const Product& product) {
  MatrixPlan plan;
  for (int32_t member : product.members) plan.parts.push_back(As<LinearNode>(member)->weight);
  program_->matrix_weights_.push_back(plan.parts);
  plan.packing = PackingOf(plan.parts.front());
  plan.gated = product.gated;
  matrices_.push_back(std::move(plan));
  return static_cast<int32_t>(matrices_.size() - 1);
}

void Compiler::Pack() {
  const CompileOptions& options = program_->options_;
  PackedWeights packed =
      PackWeights(matrices_, weights_, {options.tier, options.threads, options.store});
  program_->matrices_ = std::move(packed.matrices);
  program_->weights_from_store_ = packed.from_store;
  program_->keeper_ = std::move(packed.keeper);
}

View Compiler::NewView(RowSpace rows, uint32_t columns) {
  program_->buffers_.push_back({rows, Aligned(columns), 0});
  return {static_cast<int32_t>(program_->buffers_.size() - 1), 0, columns};
}

// Whether no value that is still wanted lies in the view.
bool Compiler::IsFree(const View& view, int32_t except) const {
  for (size_t value = 0; value < views_.size(); ++value) {
    if (static_cast<int32_t>(value) != except && uses_[value] > 0 && Overlap(views_[value], view)) {
      return false;
    }
  }
  return uses_[except] <= 0;
}

// Where the result of an operation on `input` goes: into its place when nobody wants that any more.
View Compiler::PlaceLike(int32_t node, int32_t input) {
  if (IsFree(views_[input], input)) return views_[input];
  return NewView(nodes()[node].shape.rows, nodes()[node].shape.columns);
}

int32_t Compiler::PackedSlot(int32_t value, Packing packing) {
  auto [place, is_new] =
      slot_of_.try_emplace({value, packing}, static_cast<int32_t>(program_->slots_.size()));
  if (is_new) {
    const ValueShape& shape = nodes()[value].shape;
    program_->slots_.push_back({packing, shape.rows, shape.columns});
    Step step{.kind = StepKind::kPackRows, .rows = nodes()[value].shape.rows, .in = views_[value]};
    step.packed = place->second;
    step.node = value;
    Push(std::move(step));
  }
  return place->second;
}

void Compiler::EmitProduct(const Product& product) {
  int32_t x = nodes()[product.members.front()].inputs[0];
  Step step{.kind = StepKind::kProduct, .rows = nodes()[x].shape.rows, .in = views_[x]};
  Packing packing = PackingOf(As<LinearNode>(product.members.front())->weight);
  step.node = product.result;
  step.matrix = Matrix(product);
  if (int32_t bias = Bias(product); bias >= 0) step.vectors = {bias};
  step.activation = product.activation;
  step.gated = product.gated;
  for (size_t i = 0; i < product.members.size(); ++i) Use(x);
  if (product.residual >= 0) {
    step.in2 = views_[product.residual];
    Use(product.residual);
    step.out = PlaceLike(product.result, product.residual);
    // The kernel takes residual and result at one stride.
    uint32_t stride = program_->buffers_[step.in2.buffer].stride;
    Buffer& made = program_->buffers_[step.out.buffer];
    made.stride = std::max(made.stride, stride);
    views_[product.result] = step.out;
  } else if (product.members.size() == 1 || product.gated) {
    step.out = NewView(step.rows, nodes()[product.result].shape.columns);
    views_[product.result] = step.out;
  } else {
    uint32_t columns = 0;
    for (int32_t member : product.members) columns += nodes()[member].shape.columns;
    step.out = NewView(step.rows, columns);
    uint32_t begin = 0;
    for (int32_t member : product.members) {
      views_[member] = {step.out.buffer, begin, nodes()[member].shape.columns};
      begin += nodes()[member].shape.columns;
    }
  }
  // fp32 rows need no packing where the result leaves them as they are.
  bool as_they_lie = packing == Packing::kF32 && step.out.buffer != step.in.buffer;
  if (!as_they_lie) step.packed = PackedSlot(x, packing);
  Push(std::move(step));
}

// Kernels take keys and values at one stride: where they lie in different buffers one is copied.
std::pair<View, View> Compiler::AtOneStride(int32_t keys, int32_t values) {
  View first = views_[keys], second = views_[values];
  uint32_t stride = program_->buffers_[first.buffer].stride;
  uint32_t other = program_->buffers_[second.buffer].stride;
  if (stride == other) return {first, second};
  View& narrow = stride < other ? first : second;
  Step copy{.kind = StepKind::kCopy, .in = narrow};
  copy.node = keys;
  copy.out = NewView(RowSpace::kTokens, narrow.columns);
  program_->buffers_[copy.out.buffer].stride = std::max(stride, other);
  narrow = copy.out;
  Push(std::move(copy));
  return {first, second};
}

void Compiler::EmitAttention(int32_t node, const AttentionOptions& options) {
  const std::vector<int32_t>& inputs = nodes()[node].inputs;
  auto [keys, values] = AtOneStride(inputs[1], inputs[2]);
  Step step{.kind = StepKind::kAttention, .in = views_[inputs[0]], .in2 = keys, .in3 = values};
  step.node = node;
  if (options.relative_bias) step.vectors = {Vector(options.relative_bias)};
  if (options.cache_layer >= 0) {
    Step store = step;
    store.kind = StepKind::kStoreKv;
    Push(std::move(store));
  }
  for (int32_t input : inputs) Use(input);
  step.out = NewView(RowSpace::kTokens, nodes()[node].shape.columns);
  views_[node] = step.out;
  Push(std::move(step));
}

void Compiler::EmitRows(int32_t node, StepKind kind, std::vector<int32_t> vectors,
                        Activation activation) {
  const Node& at = nodes()[node];
  Step step{.kind = kind, .rows = at.shape.rows};
  step.node = node;
  step.vectors = std::move(vectors);
  step.activation = activation;
  if (!at.inputs.empty()) {
    step.in = views_[at.inputs[0]];
    for (int32_t input : at.inputs) Use(input);
    if (at.inputs.size() > 1) step.in2 = views_[at.inputs[1]];
    bool same_rows = nodes()[at.inputs[0]].shape.rows == at.shape.rows;
    step.out = same_rows ? PlaceLike(node, at.inputs[0]) : NewView(at.shape.rows, at.shape.columns);
  } else {
    step.out = NewView(at.shape.rows, at.shape.columns);
  }
  views_[node] = step.out;
  Push(std::move(step));
}

namespace {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace

// A part of a value is a view of it.
void Compiler::TakeColumns(int32_t node) {
  int32_t whole = nodes()[node].inputs[0];
  const View& view = views_[whole];
  uint32_t begin = std::get<ColumnsNode>(nodes()[node].operation).begin;
  views_[node] = {view.buffer, view.column + begin, nodes()[node].shape.columns};
  Use(whole);
  absorbed_[node] = true;
}

// Parts are taken at once: the whole is then free to be overwritten part by part.
void Compiler::Emit(int32_t node) {
  EmitValue(node);
  if (views_[node].buffer < 0) return;
  for (int32_t user : users_[node]) {
    if (As<ColumnsNode>(user) != nullptr && !absorbed_[user]) TakeColumns(user);
  }
}

void Compiler::EmitValue(int32_t node) {
  if (auto found = product_at_.find(node); found != product_at_.end()) {
    EmitProduct(products_[found->second]);
    return;
  }
  if (absorbed_[node]) return;
  const Node& at = nodes()[node];
  std::visit(
      Overloaded{
          [&](const EmbedNode& embed) {
            program_->tables_[node] = weights_.View(embed.table);
            EmitRows(node, StepKind::kEmbed);
          },
          [&](const FeaturesNode&) { EmitRows(node, StepKind::kFeatures); },
          [&](const LinearNode&) {},
          [&](const NormOptions& norm) {
            std::vector<int32_t> vectors{norm.weight ? Vector(norm.weight) : -1,
                                         norm.bias ? Vector(norm.bias) : -1};
            EmitRows(node, StepKind::kNorm, std::move(vectors));
          },
          [&](const ActivateNode& a) { EmitRows(node, StepKind::kActivate, {}, a.activation); },
          [&](const GateNode& gate) { EmitRows(node, StepKind::kGate, {}, gate.activation); },
          [&](const AddNode&) { EmitRows(node, StepKind::kAdd); },
          [&](const MultiplyNode&) { EmitRows(node, StepKind::kMultiply); },
          [&](const ScaleNode&) { EmitRows(node, StepKind::kScale); },
          [&](const SoftCapNode&) { EmitRows(node, StepKind::kSoftCap); },
          [&](const RopeOptions&) { EmitRows(node, StepKind::kRope); },
          [&](const AttentionOptions& options) { EmitAttention(node, options); },
          [&](const ColumnsNode&) { TakeColumns(node); },
          [&](const ConcatNode&) {
            View out = NewView(at.shape.rows, at.shape.columns);
            uint32_t begin = 0;
            for (int32_t input : at.inputs) {
              Step step{.kind = StepKind::kCopy, .rows = at.shape.rows, .in = views_[input]};
              step.node = node;
              step.out = {out.buffer, begin, nodes()[input].shape.columns};
              begin += nodes()[input].shape.columns;
              Use(input);
              Push(std::move(step));
            }
            views_[node] = out;
          },
          [&](const SelectNode&) { EmitRows(node, StepKind::kSelect); },
          [&](const PoolNode&) { EmitRows(node, StepKind::kPool); },
      },
      at.operation);
}

// The lowest place in the arena that no buffer of an overlapping life has. A life is counted in
// phases: within one, some rows are further than others.
void Compiler::PlanMemory() {
  struct Life {
    uint32_t first = UINT32_MAX, last = 0;
  };
  std::vector<Life> lives(program_->buffers_.size());
  auto touch = [&](const View& view, uint32_t phase) {
    if (view.buffer < 0) return;
    Life& life = lives[view.buffer];
    life.first = std::min(life.first, phase);
    life.last = std::max(life.last, phase);
  };
  auto phases = static_cast<uint32_t>(program_->phases_.size());
  for (uint32_t phase = 0; phase < phases; ++phase) {
    for (uint32_t i = program_->phases_[phase].first_step; i < program_->phases_[phase].end_step;
         ++i) {
      const Step& step = program_->steps_[i];
      for (const View& view : {step.in, step.in2, step.in3, step.out}) touch(view, phase);
    }
  }
  for (const CpuProgram::Output& output : program_->outputs_) touch(output.view, phases);
  std::vector<size_t> placed;
  for (size_t i = 0; i < lives.size(); ++i) {
    Buffer& buffer = program_->buffers_[i];
    std::vector<std::pair<uint64_t, uint64_t>> taken;
    for (size_t other : placed) {
      const Buffer& there = program_->buffers_[other];
      bool apart = lives[other].last < lives[i].first || lives[i].last < lives[other].first;
      if (there.rows == buffer.rows && !apart) {
        taken.emplace_back(there.offset, there.offset + there.stride);
      }
    }
    std::sort(taken.begin(), taken.end());
    for (auto [begin, end] : taken) {
      if (buffer.offset + buffer.stride <= begin) break;
      buffer.offset = std::max(buffer.offset, end);
    }
    uint64_t& arena = program_->arena_[static_cast<size_t>(buffer.rows)];
    arena = std::max(arena, buffer.offset + buffer.stride);
    placed.push_back(i);
  }
}

// Packed rows that are not wanted at the same time share a slot.
void Compiler::PlanSlots() {
  std::vector<CpuProgram::Slot> all = std::move(program_->slots_);
  std::vector<uint32_t> last(all.size()), free_at;
  for (uint32_t i = 0; i < program_->steps_.size(); ++i) {
    const Step& step = program_->steps_[i];
    if (step.packed >= 0) last[step.packed] = i;
  }
  std::vector<int32_t> place(all.size(), -1);
  program_->slots_.clear();
  for (uint32_t i = 0; i < program_->steps_.size(); ++i) {
    Step& step = program_->steps_[i];
    if (step.packed < 0) continue;
    int32_t wanted = step.packed;
    if (place[wanted] < 0) {
      int32_t slot = 0;
      auto slots = static_cast<int32_t>(program_->slots_.size());
      while (slot < slots && !(program_->slots_[slot] == all[wanted] && free_at[slot] < i)) ++slot;
      if (slot == slots) {
        program_->slots_.push_back(all[wanted]);
        free_at.push_back(0);
      }
      free_at[slot] = last[wanted];
      place[wanted] = slot;
    }
    step.packed = place[wanted];
  }
}

void Compiler::PlanPhases() {
  auto steps = static_cast<uint32_t>(program_->steps_.size());
  for (uint32_t i = 0; i < steps; ++i) {
    const Step& step = program_->steps_[i];
    Phase::Kind kind = Phase::Kind::kRows;
    if (step.kind == StepKind::kProduct) kind = Phase::Kind::kProduct;
    if (step.kind == StepKind::kAttention) kind = Phase::Kind::kAttention;
    // Select and Pool read rows that other members made.
    bool crosses = step.kind == StepKind::kSelect || step.kind == StepKind::kPool;
    bool joins = !program_->phases_.empty() && kind == Phase::Kind::kRows && !crosses &&
                 program_->phases_.back().kind == kind && program_->steps_[i - 1].rows == step.rows;
    if (joins) {
      program_->phases_.back().end_step = i + 1;
    } else {
      program_->phases_.push_back({kind, i, i + 1});
    }
  }
}

std::shared_ptr<const CpuProgram> Compiler::Run() {
  CountUses();
  FindProducts();
  views_.resize(nodes().size());
  for (size_t i = 0; i < nodes().size(); ++i) Emit(static_cast<int32_t>(i));
  for (const auto& [name, value] : program_->graph_.outputs) {
    program_->outputs_.push_back({name, views_[value], nodes()[value].shape.rows});
  }
  PlanPhases();
  PlanMemory();
  PlanSlots();
  Pack();
  weights_.ForgetPages();
  return program_;
}

std::shared_ptr<const CpuProgram> CpuProgram::Compile(Graph graph, const WeightSet& weights,
                                                      const CompileOptions& options) {
  return Compiler(ComputeWantedRows(std::move(graph)), weights, options).Run();
}

uint64_t CpuProgram::packed_bytes() const {
  uint64_t total = 0;
  for (const PackedMatrix& matrix : matrices_) total += matrix.bytes().size();
  return total;
}

}  // namespace hearth::tensor
