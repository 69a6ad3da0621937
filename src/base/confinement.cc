#include "base/confinement.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace hearth {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t kArchitecture = 0;
#endif

// Numbers of calls that only some kernels' headers know; they are the same on all architectures.
constexpr int kRefused[] = {
    SYS_execve,
    SYS_execveat,
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kill,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_pidfd_getfd,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_open_by_handle_at,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_syslog,
};

constexpr sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}
constexpr sock_filter Return(uint32_t action) { return BPF_STMT(BPF_RET | BPF_K, action); }
// Skips the next instruction unless the loaded word is `value`.
constexpr sock_filter IfEqual(uint32_t value) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
}

constexpr uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;

std::vector<sock_filter> Program() {
  std::vector<sock_filter> program;
  // Another architecture's calls have other numbers.
  program.push_back(Load(offsetof(seccomp_data, arch)));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
  program.push_back(Return(kRefuse));
  program.push_back(Load(offsetof(seccomp_data, nr)));
#if defined(__x86_64__)
  constexpr uint32_t kX32 = 0x40000000;  // a third table of numbers
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32, 0, 1));
  program.push_back(Return(kRefuse));
#endif
  for (int number : kRefused) {
    program.push_back(IfEqual(static_cast<uint32_t>(number)));
    program.push_back(Return(kRefuse));
  }
  // Its flags lie in memory, where a filter cannot look: the library falls back to clone.
  program.push_back(IfEqual(SYS_clone3));
  program.push_back(Return(SECCOMP_RET_ERRNO | ENOSYS));
  // Threads only. The low word of the flags holds all that count (the machine is little-endian).
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3));
  program.push_back(Load(offsetof(seccomp_data, args[0])));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0));
  program.push_back(Return(kRefuse));
  program.push_back(Return(SECCOMP_RET_ALLOW));
  return program;
}

std::string Reason(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

}  // namespace

std::optional<std::string> ConfineProcess() {
  if (kArchitecture == 0) return "there is no filter for this architecture";
  std::vector<sock_filter> program = Program();
  sock_fprog given{static_cast<unsigned short>(program.size()), program.data()};
  // Without it only root may set a filter; it also keeps set-user-id programs harmless.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Reason("PR_SET_NO_NEW_PRIVS");
  long result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &given);
  if (result < 0) return Reason("seccomp");
  if (result > 0) return "seccomp: a thread has a filter of its own";
  return std::nullopt;
}

}  // namespace hearth
