// Which kernels run, and the checks before them.
#include "tensor/kernels/packed_matrix.h"

#include "base/error.h"
#include "tensor/kernels/rows_layout.h"

namespace hearth::tensor {
namespace internal {

uint8_t* MatmulScratch(uint64_t bytes) {
  thread_local ScratchMemory scratch;
  return scratch.Reserve(bytes);
}

std::vector<const MatmulKernels*> SupportedMatmul() {
  std::vector<const MatmulKernels*> found = {&PortableMatmul()};
#if defined(__x86_64__)
  const Tier tier = CpuTier();
  const CpuExtensions& extensions = GetCpuExtensions();
  if (tier >= Tier::kAvx2) found.push_back(&Avx2Matmul());
  if (tier >= Tier::kAvx512) found.push_back(&Avx512Matmul());
  if (extensions.avx512_vnni) found.push_back(&VnniMatmul());
  if (extensions.avx512_vnni && extensions.avx512_bf16) {
    found.push_back(&Bf16Matmul());
    if (const MatmulKernels* amx = UsableAmxMatmul()) found.push_back(amx);
  }
#endif
  return found;
}

const MatmulKernels& MatmulFor(Tier tier) {
#if defined(__x86_64__)
  if (tier == Tier::kAvx512) {
    static const MatmulKernels& best = *SupportedMatmul().back();
    return best;
  }
  if (tier == Tier::kAvx2) return Avx2Matmul();
#else
  (void)tier;
#endif
  return PortableMatmul();
}

MatmulCall CallOf(const PackedMatrix& matrix, uint32_t begin, uint32_t end) {
  MatmulCall call;
  const uint32_t panels = matrix.panel() / kPanel;
  call.panels = matrix.panels();
  call.form = static_cast<GroupForm>(matrix.form());
  call.inputs = matrix.inputs();
  call.panel_bytes = PanelBytes(matrix.packing(), call.form, call.inputs);
  call.columns = matrix.gated() ? matrix.outputs() / 2 : matrix.outputs();
  call.panel_begin = begin / kPanel;
  call.panel_end = static_cast<uint32_t>(CeilDivide(end, matrix.panel())) * panels;
  return call;
}

}  // namespace internal

void Multiply(const PackedMatrix& matrix, const PackedRows& rows, uint32_t begin, uint32_t end,
              const Epilogue& epilogue, float* out, uint64_t stride) {
  Multiply(matrix, rows, 0, rows.rows(), begin, end, epilogue, out, stride);
}

void Multiply(const PackedMatrix& matrix, const PackedRows& rows, uint64_t row_begin,
              uint64_t row_end, uint32_t begin, uint32_t end, const Epilogue& epilogue, float* out,
              uint64_t stride, const uint8_t* next) {
  if (rows.packing() != matrix.packing() || rows.columns() != matrix.inputs() ||
      rows.tier() != matrix.tier() || epilogue.gated != matrix.gated()) {
    throw Error(Code::kInvalidArgument, "rows were prepared for another matrix");
  }
  const uint32_t panel = matrix.panel();
  if (begin % panel != 0 || (end % panel != 0 && end != matrix.outputs()) || begin > end ||
      end > internal::CeilDivide(matrix.outputs(), panel) * panel || row_begin > row_end ||
      row_end > rows.rows()) {
    throw Error(Code::kInvalidArgument, "not a range of this product");
  }
  const internal::MatmulKernels& kernels = internal::MatmulFor(matrix.tier());
  internal::MatmulCall call = internal::CallOf(matrix, begin, end);
  call.rows = internal::ViewOf(rows, kernels);
  call.row_begin = row_begin;
  call.row_end = row_end;
  call.epilogue = &epilogue;
  call.out = out;
  call.out_stride = stride;
  call.next = next;
  kernels.multiply[static_cast<int>(matrix.packing())](call);
}

}  // namespace hearth::tensor
