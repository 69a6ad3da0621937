// Standard output of a command: whether what was printed has arrived.
//
// Commands print with stdio and fmt. RunMain() ends each of them with FinishOutput(), so that no
// command can lose what it printed and report success; one that prints for long asks
// OutputFailed() or calls CheckOutput() as it goes, to stop at the first write that failed.
// Thread rule: from the thread that prints.
#pragma once

#include "base/error.h"

namespace hearth::cli {

// A write to standard output has failed. FinishOutput() tells it, so nobody else needs to.
class OutputError : public Error {
 public:
  using Error::Error;
};

// Whether a write to standard output has failed (the disk is full, nobody reads).
bool OutputFailed();
// Throws OutputError when one has.
void CheckOutput();
// Sends what is still buffered, then checks.
void FlushOutput();

// Sends what is still buffered and gives the exit code of the process: `exit_code`, but not 0 when
// something that was printed is lost. Says on standard error what went wrong, except that a reader
// who has left (`| head`) is no fault to speak of.
int FinishOutput(int exit_code);

}  // namespace hearth::cli
