// Takes from a process what it will never need again, so that a fault in it (a parser's, a model's)
// cannot be used to start programs, to open connections or to look into other processes.
//
// A seccomp filter of the kernel (man 2 seccomp): refused calls fail with EPERM, everything else
// goes on as before. It holds for all threads and for good.
#pragma once

#include <optional>
#include <string>

namespace hearth {

// From here on the process starts no programs and no processes (threads it may), makes no sockets
// and no connections (those that it listens on or has accepted go on), traces nobody, and changes
// neither mounts, namespaces, keys nor kernel modules. nullopt: done; else why the kernel did not
// do it, a sentence for the log, and the process is as it was. Thread-safe.
std::optional<std::string> ConfineProcess();

}  // namespace hearth
