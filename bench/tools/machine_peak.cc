// What this machine can do at most: bytes read a second by all threads together from memory beyond
// the caches, and int8 operations a second of the widest multiply-add that it has.
//   machine_peak THREADS, then a line for a measurement.
#include <immintrin.h>
#include <sys/mman.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

namespace {

volatile uint64_t sink;

double Seconds(int threads, const std::function<void(int)>& work) {
  std::vector<std::thread> all;
  auto start = std::chrono::steady_clock::now();
  for (int t = 0; t < threads; ++t) all.emplace_back(work, t);
  for (std::thread& thread : all) thread.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

constexpr size_t kBytes = size_t{256} << 20;

uint64_t Sum(const uint8_t* memory) {
  typedef uint64_t Line __attribute__((vector_size(64)));
  const Line* at = reinterpret_cast<const Line*>(memory);
  Line a = {}, b = {}, c = {}, d = {};
  for (size_t i = 0; i < kBytes / sizeof(Line); i += 4) {
    __builtin_prefetch(at + i + 64);
    a += at[i], b += at[i + 1], c += at[i + 2], d += at[i + 3];
  }
  a += b + c + d;
  return a[0] + a[7];
}

constexpr int64_t kSteps = 20'000'000;

// 12 sums in flight; operations a step: 12 x 2 x bytes of a vector.
__attribute__((target("avx512f,avx512vnni"))) int Vnni() {
  __m512i sums[12], a = _mm512_set1_epi8(1), b = _mm512_set1_epi8(1);
  for (__m512i& sum : sums) sum = _mm512_setzero_si512();
  for (int64_t i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < 12; ++k) sums[k] = _mm512_dpbusd_epi32(sums[k], a, b);
    asm volatile("" : "+v"(a), "+v"(b));
  }
  int total = 0;
  for (__m512i sum : sums) total += _mm512_reduce_add_epi32(sum);
  return total;
}

__attribute__((target("avx2"))) int Avx2() {
  __m256i sums[6], a = _mm256_set1_epi8(1), b = a, ones = _mm256_set1_epi16(1);
  for (__m256i& sum : sums) sum = _mm256_setzero_si256();
  for (int64_t i = 0; i < kSteps; ++i) {
#pragma GCC unroll 6
    for (int k = 0; k < 6; ++k) {
      sums[k] = _mm256_add_epi32(sums[k], _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
    }
    asm volatile("" : "+x"(a), "+x"(b));
  }
  __m256i total = sums[0];
  for (int k = 1; k < 6; ++k) total = _mm256_add_epi32(total, sums[k]);
  return _mm256_extract_epi32(total, 0);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  // Huge pages where the system gives them, as for a model's weights.
  std::vector<uint8_t*> memory(threads);
  for (uint8_t*& part : memory) {
    part = static_cast<uint8_t*>(std::aligned_alloc(size_t{2} << 20, kBytes));
    madvise(part, kBytes, MADV_HUGEPAGE);
    std::memset(part, 1, kBytes);
  }
  const bool wide = __builtin_cpu_supports("avx512vnni");
  for (char line[64]; std::fgets(line, sizeof line, stdin) != nullptr;) {
    double read = Seconds(threads, [&](int t) { sink = Sum(memory[t]); });
    double product = Seconds(threads, [&](int) { sink = wide ? Vnni() : Avx2(); });
    double operations = static_cast<double>(kSteps) * threads * (wide ? 12 * 128.0 : 6 * 64.0);
    std::printf("{\"bytes_per_second\": %.0f, \"operations_per_second\": %.0f}\n",
                threads * static_cast<double>(kBytes) / read, operations / product);
    std::fflush(stdout);
  }
  return 0;
}
