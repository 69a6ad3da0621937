#include "formats/pickle/pickle_globals.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/bytes.h"
#include "formats/torch/torch_pickle.h"

namespace hearth {
namespace {

// module: names. What data files need and what cannot reach beyond the value that it makes.
struct SafeModule {
  std::string_view module;
  std::string_view names;  // separated by blanks
};

constexpr SafeModule kSafe[] = {
#define HEARTH_SAFE_GLOBALS(module, names) {module, names},
#include "formats/pickle/pickle_safe.inc"
#undef HEARTH_SAFE_GLOBALS
};

// A module and everything below it.
constexpr std::string_view kDangerousModules[] = {
#define HEARTH_DANGEROUS_MODULE(module) module,
#include "formats/pickle/pickle_dangerous.inc"
#undef HEARTH_DANGEROUS_MODULE
#undef HEARTH_DANGEROUS_GLOBALS
};

// Single attributes of modules that are not dangerous as a whole.
constexpr SafeModule kDangerousNames[] = {
#define HEARTH_DANGEROUS_GLOBALS(module, names) {module, names},
#include "formats/pickle/pickle_dangerous.inc"
#undef HEARTH_DANGEROUS_MODULE
#undef HEARTH_DANGEROUS_GLOBALS
};

// As the last part of a name these say what the thing does, wherever it lives.
constexpr std::string_view kDangerousWords[] = {
    "__import__",      "attrgetter",    "breakpoint",
    "call_function",   "check_call",    "check_output",
    "compile",         "eval",          "exec",
    "execfile",        "execv",         "execve",
    "exec_command",    "exec_module",   "fork",
    "from_file",       "getattr",       "getoutput",
    "getstatusoutput", "import_module", "import_string",
    "interact",        "load_module",   "load_source",
    "loads",           "methodcaller",  "os_system",
    "popen",           "Popen",         "run_code",
    "run_module",      "run_path",      "run_script",
    "runcode",         "runctx",        "runeval",
    "runsource",       "setattr",       "shell",
    "spawn",           "spawnv",        "startfile",
    "system",          "unsafe_load",   "urlopen",
    "urlretrieve",
};

using Words = std::unordered_set<std::string_view>;
using Table = std::unordered_map<std::string_view, Words>;

template <size_t N>
Table MakeTable(const SafeModule (&rows)[N]) {
  Table table;
  for (const SafeModule& row : rows) {
    for (std::string_view name : Split(row.names, ' ')) table[row.module].insert(name);
  }
  return table;
}

bool Has(const Table& table, std::string_view module, std::string_view name) {
  auto found = table.find(module);
  return found != table.end() && found->second.count(name) > 0;
}

bool IsDangerousModule(std::string_view module) {
  static const Words kModules(std::begin(kDangerousModules), std::end(kDangerousModules));
  for (;;) {
    if (kModules.count(module) > 0) return true;
    size_t dot = module.rfind('.');
    if (dot == std::string_view::npos) return false;
    module = module.substr(0, dot);
  }
}

bool IsDangerousWord(std::string_view word) {
  static const Words kWords(std::begin(kDangerousWords), std::end(kDangerousWords));
  return kWords.count(word) > 0;
}

bool IsDunder(std::string_view word) {
  return word.size() > 4 && word.substr(0, 2) == "__" && word.substr(word.size() - 2) == "__";
}

// Layer classes of PyTorch's own package: what a whole pickled module consists of. A class name
// only, no function.
bool IsTorchModuleClass(std::string_view module, std::string_view name) {
  constexpr std::string_view kPrefix = "torch.nn.modules.";
  if (module.substr(0, kPrefix.size()) != kPrefix) return false;
  if (module.find('.', kPrefix.size()) != std::string_view::npos) return false;
  bool capital = !name.empty() && name[0] >= 'A' && name[0] <= 'Z';
  return capital && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

// A dotted name reaches through its module: torch.serialization + "os.system". Dangerous when any
// step is.
bool IsDangerousPath(std::string_view module, std::string_view name) {
  std::string path(module);
  for (std::string_view part : Split(name, '.')) {
    if (IsDunder(part) && part != "__new__") return true;
    if (IsDangerousWord(part)) return true;
    if (IsDangerousModule(part) && name.find('.') != std::string_view::npos) return true;
    path += "." + std::string(part);
    if (IsDangerousModule(path)) return true;
  }
  return false;
}

// Modules of Python 2 that Python 3 maps to another name; loaders map them back unless told not to.
std::string_view ModernModule(std::string_view module) {
  static const std::unordered_map<std::string_view, std::string_view> kNames = {
      {"__builtin__", "builtins"},
      {"copy_reg", "copyreg"},
      {"cPickle", "pickle"},
      {"commands", "subprocess"},
      {"UserDict", "collections"},
      {"UserList", "collections"},
      {"UserString", "collections"},
      {"Queue", "queue"},
      {"thread", "_thread"},
      {"dummy_thread", "_thread"},
      {"StringIO", "io"},
      {"cStringIO", "io"},
      {"urllib2", "urllib.request"},
      {"httplib", "http.client"},
      {"SocketServer", "socketserver"},
      {"_winreg", "winreg"},
      {"xmlrpclib", "xmlrpc.client"},
      {"repr", "reprlib"},
      {"whichdb", "dbm"},
      {"anydbm", "dbm"},
      {"dbhash", "dbm.bsd"},
      {"dumbdbm", "dbm.dumb"},
      {"gdbm", "dbm.gnu"},
      {"HTMLParser", "html.parser"},
      {"robotparser", "urllib.robotparser"},
      {"cookielib", "http.cookiejar"},
      {"Cookie", "http.cookies"},
      {"BaseHTTPServer", "http.server"},
      {"SimpleHTTPServer", "http.server"},
      {"CGIHTTPServer", "http.server"},
      {"Tkinter", "tkinter"},
      {"ConfigParser", "configparser"},
      {"exceptions", "builtins"},
  };
  auto found = kNames.find(module);
  return found == kNames.end() ? module : found->second;
}

GlobalClass ClassifyExact(std::string_view module, std::string_view name) {
  static const Table kSafeTable = MakeTable(kSafe);
  static const Table kDangerousTable = MakeTable(kDangerousNames);
  if (Has(kSafeTable, module, name)) return GlobalClass::kSafe;
  if (IsTorchWeightsGlobal(module, name)) return GlobalClass::kSafe;
  if (IsTorchModuleClass(module, name)) return GlobalClass::kSafe;
  if (Has(kDangerousTable, module, name)) return GlobalClass::kDangerous;
  if (IsDangerousModule(module)) return GlobalClass::kDangerous;
  if (IsDangerousPath(module, name)) return GlobalClass::kDangerous;
  return GlobalClass::kSuspicious;
}

}  // namespace

std::string_view GlobalClassName(GlobalClass value) {
  switch (value) {
    case GlobalClass::kSafe:
      return "safe";
    case GlobalClass::kSuspicious:
      return "suspicious";
    case GlobalClass::kDangerous:
      return "dangerous";
  }
  return "dangerous";
}

GlobalClass ClassifyGlobal(std::string_view module, std::string_view name) {
  std::string_view modern = ModernModule(module);
  GlobalClass found = ClassifyExact(modern, name);
  // The old name may be a module of its own for a loader that does not map: the worse of the two
  // counts.
  if (modern != module && IsDangerousModule(module)) return GlobalClass::kDangerous;
  return found;
}

std::string_view GlobalAdvice(GlobalClass value) {
  switch (value) {
    case GlobalClass::kSafe:
      return "";
    case GlobalClass::kSuspicious:
      return "not known to be harmless: load it only with weights_only=True, or when you trust who "
             "made it";
    case GlobalClass::kDangerous:
      return "runs code when the file is loaded: do not load it";
  }
  return "";
}

}  // namespace hearth
