#include "base/guarded_mapping.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>

#include "base/error.h"

namespace hearth {
namespace {

// What the handler sees: plain atomics in static memory, since it can neither lock nor allocate. A
// thread that faults holds its mapping alive, so its slot stands still; the others may change while
// they are looked at. Start and length therefore lie in one word, and both always belong together.
struct Slot {
  std::atomic<uint64_t> range{0};
  std::atomic<bool> broken{false};
};

// In units of 4 KiB, which divide every page size: 36 bits of start (what a process is given lies
// below 2^47) and 28 of length.
constexpr unsigned kUnitBits = 12, kLengthBits = 28;
constexpr uint64_t kFree = 0, kTaken = 1;  // no range starts at 0
constexpr uint64_t kMaxUnits = (uint64_t{1} << kLengthBits) - 1;

// Far more than threads that read at a time, and few enough to be looked through in a signal.
constexpr size_t kSlots = 4096;
std::array<Slot, kSlots> slots;

struct sigaction previous;
uintptr_t page_bytes = 4096;

uintptr_t StartOf(uint64_t range) { return (range >> kLengthBits) << kUnitBits; }
uintptr_t EndOf(uint64_t range) { return StartOf(range) + ((range & kMaxUnits) << kUnitBits); }

// The slot of the mapping that holds the address, and the mapping's end.
Slot* FindSlot(uintptr_t address, uintptr_t* end) {
  for (Slot& slot : slots) {
    uint64_t range = slot.range.load(std::memory_order_acquire);
    *end = EndOf(range);
    if (range > kTaken && address >= StartOf(range) && address < *end) return &slot;
  }
  return nullptr;
}

void PassOn(int signal, siginfo_t* info, void* context) {
  if (previous.sa_flags & SA_SIGINFO) return previous.sa_sigaction(signal, info, context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    return previous.sa_handler(signal);
  }
  bool sent = info->si_code <= 0;  // by somebody, not by a fault
  if (sent && previous.sa_handler == SIG_IGN) return;
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  ::sigaction(signal, &standard, nullptr);
  // A fault comes again when this returns; a signal that was sent does not.
  if (sent) ::raise(signal);
}

void OnBusError(int signal, siginfo_t* info, void* context) {
  int saved_errno = errno;
  auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  uintptr_t end = 0;
  Slot* slot = info->si_code > 0 ? FindSlot(address, &end) : nullptr;
  if (slot) {
    uintptr_t page = address & ~(page_bytes - 1);
    slot->broken.store(true, std::memory_order_release);
    void* put = ::mmap(reinterpret_cast<void*>(page), end - page, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (put == MAP_FAILED) slot = nullptr;
  }
  if (!slot) PassOn(signal, info, context);
  errno = saved_errno;
}

void InstallOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    page_bytes = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = OnBusError;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (::sigaction(SIGBUS, nullptr, &previous) != 0 ||
        ::sigaction(SIGBUS, &action, nullptr) != 0) {
      ThrowErrno("handle SIGBUS");
    }
  });
}

// A free slot, now marked as taken; kSlots when there is none.
size_t TakeSlot() {
  static std::atomic<size_t> next{0};
  size_t first = next.fetch_add(1, std::memory_order_relaxed);
  for (size_t i = 0; i < kSlots; ++i) {
    size_t number = (first + i) % kSlots;
    uint64_t free = kFree;
    if (slots[number].range.compare_exchange_strong(free, kTaken)) return number;
  }
  return kSlots;
}

}  // namespace

GuardedMapping::GuardedMapping(int fd, uint64_t offset, size_t size) {
  InstallOnce();
  skipped_ = offset % page_bytes;
  mapped_ = skipped_ + size;
  uint64_t units = ((mapped_ + page_bytes - 1) & ~(page_bytes - 1)) >> kUnitBits;
  if (units > kMaxUnits) return;
  slot_ = TakeSlot();
  if (slot_ == kSlots) return;
  Slot& slot = slots[slot_];
  void* base =
      ::mmap(nullptr, mapped_, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset - skipped_));
  if (base == MAP_FAILED) {
    slot.range.store(kFree, std::memory_order_release);
    return;
  }
  base_ = static_cast<char*>(base);
  slot.broken.store(false, std::memory_order_relaxed);
  uint64_t start = reinterpret_cast<uintptr_t>(base) >> kUnitBits;
  slot.range.store(start << kLengthBits | units, std::memory_order_release);
}

// The slot first: as soon as the memory is unmapped, another thread may get its addresses.
GuardedMapping::~GuardedMapping() {
  if (!valid()) return;
  slots[slot_].range.store(kFree, std::memory_order_release);
  ::munmap(base_, mapped_);
}

// What cannot be had is met again when it is read, and a kernel that does not know one of these
// enters the pages as they are read.
void GuardedMapping::Populate() {
  ::madvise(base_, mapped_, MADV_SEQUENTIAL);
  ::madvise(base_, mapped_, MADV_POPULATE_READ);
}

bool GuardedMapping::broken() const { return slots[slot_].broken.load(std::memory_order_acquire); }

}  // namespace hearth
