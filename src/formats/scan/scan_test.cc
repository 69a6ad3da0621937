#include "formats/scan/scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/archive/archive_fixture.h"

namespace hearth {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;

const std::string kEvil = "cos\nsystem\n(S'id'\ntR.";

ScanReport Scan(const std::string& file, std::string_view name) {
  MemorySource source(file);
  return ScanSource(source, name);
}

TEST(ScanTest, FindingsSayWhereInsideOfTheFile) {
  ScanReport report = Scan(MakeTestZip({{.name = "m/data.pkl", .data = kEvil}}), "model.bin");
  EXPECT_EQ(report.verdict(), Severity::kDangerous);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].path, "model.bin!m/data.pkl");
  EXPECT_EQ(report.findings[0].evidence, "os.system, called with ('id')");
}

TEST(ScanTest, WorstFindingsComeFirst) {
  ScanReport report = Scan("cmystery.module\nthing\n0" + kEvil, "a.pkl");
  ASSERT_EQ(report.findings.size(), 2u);
  EXPECT_EQ(report.findings[0].severity, Severity::kDangerous);
  EXPECT_EQ(report.findings[1].severity, Severity::kSuspicious);
}

TEST(ScanTest, HarmlessFilesHaveNoFindings) {
  for (auto [name, text] :
       {std::pair<const char*, std::string>{"README.md", "cos\nsystem\nis a line of a text"},
        {"vocab.txt", "cat\nsystem\ncos\nsin\nios\nsystem\n"},
        {"config.json", R"({"model_type": "bert"})"},
        {"weights.raw", std::string(5000, '\x80')},
        {"empty.bin", ""}}) {
    EXPECT_THAT(Scan(text, name).findings, IsEmpty()) << name;
  }
}

// Loaders act on what comes before a break, so a call counts without a STOP, under any name.
TEST(ScanTest, CallsInTextOpcodesNeedNoEnd) {
  const std::string calls[] = {"cos\nsystem\n(S'id'\ntR", "(S'id'\nios\nsystem\nfoo",
                               "(cos\nsystem\nS'id'\nofoo bar",
                               "cos\nsystem\n(S'id'\ntR and then words\nand lines\n"};
  const std::string prefixes[] = {"",
                                  "N0",
                                  "I1\n0",
                                  "F1\n0",
                                  "L1L\n0",
                                  "S'a'\n0",
                                  "Va\n0",
                                  "]0",
                                  "(0",
                                  "(lp0\n0",
                                  "\x88"
                                  "0"};
  for (const std::string& call : calls) {
    for (const std::string& prefix : prefixes) {
      for (const char* name : {"m", "m.npy", "m.th", "m.weights", "m.h5", "m.gguf", "m.pb",
                               "m.json", "m.txt", "m.csv", "m.py", "m.safetensors"}) {
        EXPECT_EQ(Scan(prefix + call, name).verdict(), Severity::kDangerous)
            << name << ": " << prefix << call;
      }
    }
  }
}

TEST(ScanTest, WordsThatAreOpcodesRaiseNoAlarm) {
  for (const char* text :
       {"import os\n\nos.system('ls')\n", "ios\nsystem\nandroid\nwindows\n",
        "cos\nsystem\nsin\ntan\n", "the cos\nsystem\n(S'id'\ntR.", "(a list)\nios\nsystem\n",
        "cos,system\n1,2\n", "Introduction\n\ncos\nsystem\n", "(\ncos\nsystem\ntR\n",
        "I\ncos\nsystem\nare words\n", "cat\ncos\nexec\n)R"}) {
    for (const char* name : {"vocab.txt", "merges.txt", "README", "notes.md", "words.csv"}) {
      EXPECT_NE(Scan(text, name).verdict(), Severity::kDangerous) << name << ": " << text;
    }
  }
}

TEST(ScanTest, ClassesOfTorchScriptAreSafeOnlyInItsArchives) {
  const std::string named(
      "\x80\x02"
      "c__torch__.x\nevil\n)R.");
  EXPECT_EQ(Scan(named, "m.pkl").verdict(), Severity::kSuspicious);
  EXPECT_EQ(Scan(MakeTestZip({{.name = "m/data.pkl", .data = named}}), "m.pt").verdict(),
            Severity::kSuspicious);
  EXPECT_EQ(Scan(MakeTestZip({{.name = "m/data.pkl", .data = named},
                              {.name = "m/constants.pkl", .data = "\x80\x02)."},
                              {.name = "m/code/__torch__/x.py", .data = "pass"}}),
                 "m.pt")
                .verdict(),
            Severity::kNote);
}

TEST(ScanTest, YamlIsReadInEveryEncoding) {
  const std::string text = "a: !!python/object/apply:os.system [id]\n";
  std::string wide16 = "\xFF\xFE", wide16_big = "\xFE\xFF", wide32("\xFF\xFE\0\0", 4);
  for (char c : text) {
    wide16 += std::string{c, '\0'};
    wide16_big += std::string{'\0', c};
    wide32 += std::string{c, '\0', '\0', '\0'};
  }
  for (const std::string& file : {wide16, wide16_big, wide32, "{\"a\": " + text.substr(3) + "}"})
    EXPECT_EQ(Scan(file, "a.yaml").verdict(), Severity::kDangerous);
}

TEST(ScanTest, FilesThatAreNotWhatTheyAreNamedAreNotClean) {
  for (const char* name : {"m.gguf", "m.safetensors"})
    EXPECT_EQ(Scan("garbage, no model", name).verdict(), Severity::kSuspicious) << name;
  for (const char* name : {"m.gguf", "m.safetensors", "m.pt", "m.pth"})
    EXPECT_EQ(Scan("", name).verdict(), Severity::kSuspicious) << name;
}

TEST(ScanTest, FilesThatArePyTorchsByNameOnlyAreNotClean) {
  const std::string garbage(5000, '\x81'), zeros(5000, '\0'),
      pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
  const std::string html = "<!DOCTYPE html>\n<html>404</html>\n",
                    path_file = "import setup_paths\n";
  for (const char* name : {"m.pt", "m.pth", "best.PT"}) {
    for (const std::string& bytes : {garbage, zeros, pointer})
      EXPECT_EQ(Scan(bytes, name).verdict(), Severity::kSuspicious) << name;
  }
  for (const std::string& bytes : {html, path_file})
    EXPECT_EQ(Scan(bytes, "m.pth").verdict(), Severity::kSuspicious) << bytes;
  for (auto [name, bytes] : {std::pair<const char*, std::string>{"pytorch_model.bin", garbage},
                             {"pytorch_model-00001-of-00002.bin", garbage},
                             {"adapter_model.bin", zeros},
                             {"en-pt.pt", "Isto \u00e9 um texto.\n"},
                             {"config.pt", R"({"model_type": "bert"})"}}) {
    ScanReport report = Scan(bytes, name);
    ASSERT_EQ(report.findings.size(), 1u) << name;
    EXPECT_EQ(report.findings[0].kind, "not-examined") << name;
    EXPECT_EQ(report.findings[0].severity, Severity::kNote) << name;
  }
}

TEST(ScanTest, FilesNamedBinThatPromiseNothingAreClean) {
  const std::string header("\0\1\0\0\x40\3\0\0\6\0\0\0", 12);
  for (const char* name : {"stories15M.bin", "tokenizer.bin", "openvino_model.bin", "ggml-base.bin",
                           "embeddings.bin", "model.bin", "external.bin"}) {
    EXPECT_THAT(Scan(header + std::string(4000, '\x3d'), name).findings, IsEmpty()) << name;
  }
}

TEST(ScanTest, ModulesThatLoadersImportAreNamed) {
  struct Case {
    const char* name;
    const char* text;
    const char* honest;
  };
  for (
      const Case& row :
      {Case{"modules.json", R"([{"idx": 0, "path": "", "type": "evil_mod.Evil"}])",
            R"([{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"}])"},
       {"model_index.json", R"({"_class_name": "X", "unet": ["my_module", "X"]})",
        R"({"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"],
             "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
             "image_encoder": [null, null]})"},
       {"model_index.json", R"({"_class_name": ["pipeline", "X"]})", R"({"_class_name": "X"})"},
       {"adapter_config.json", R"({"auto_mapping": {"parent_library": "evil"}})",
        R"({"auto_mapping": {"parent_library": "transformers.models.bert.modeling_bert"}})"},
       {"MLmodel", "flavors:\n  python_function:\n    loader_module: evil_mod\n",
        "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n"}}) {
    EXPECT_THAT(Scan(row.text, row.name).findings,
                Contains(Field(&ScanFinding::kind, "remote-code")))
        << row.text;
    EXPECT_THAT(Scan(row.honest, row.name).findings, IsEmpty()) << row.honest;
  }
}

TEST(ScanTest, WeightsOutsideOfTheFolderAreDangerous) {
  const char* name = "model.safetensors.index.json";
  for (const char* file : {"../x.safetensors", "/etc/passwd", "a/../../x", "C:/x", "..\\\\x"}) {
    std::string text = R"({"weight_map": {"w": ")" + std::string(file) + "\"}}";
    EXPECT_EQ(Scan(text, name).verdict(), Severity::kDangerous) << file;
  }
  EXPECT_THAT(Scan(R"({"weight_map": {"w": "part/model-00001.safetensors"}})", name).findings,
              IsEmpty());
}

TEST(ScanTest, ArchivesMayNotNestWithoutEnd) {
  std::string file = kEvil;
  for (int i = 0; i < 20; ++i) file = MakeTestZip({{.name = "x.zip", .data = file}});
  EXPECT_THAT(Scan(file, "deep.zip").findings, Contains(Field(&ScanFinding::kind, "not-examined")));
}

TEST(ScanTest, EvidenceCannotMoveTheCursor) {
  ScanReport report = Scan("cos\nsys\x1b[2Jtem\n.", "a.pkl");
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].evidence.find('\x1b'), std::string::npos);
}

std::string Repeated(std::string_view text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(ScanTest, BeginningsOfConfigurationsAreNotFollowedWithoutEnd) {
  std::string file = "\x89HDF\r\n\x1a\n" + std::string(512, '\0');
  file += Repeated("{\"class_name\":", 500'000);
  EXPECT_THAT(Scan(file, "model.h5").findings, Contains(Field(&ScanFinding::kind, "not-examined")));
}

TEST(ScanTemplateTest, ManyStatementsAreReadOnce) {
  EXPECT_THAT(ScanTemplate(Repeated("{% if x %}{", 300'000), "chat_template.jinja"), IsEmpty());
  EXPECT_FALSE(ScanTemplate(Repeated("{%x%}{", 300'000) + "{{ a.__class__ }}", "t").empty());
}

TEST(ScanTest, AnArchiveThatIsAStoredMemberIsNoSecondDirectory) {
  std::string honest = MakeTestZip({{.name = "m/data.pkl", .data = "\x80\2K\1."}});
  EXPECT_THAT(
      Scan(MakeTestZip({{.name = "a", .data = "1"}, {.name = "inputs", .data = honest}}), "m.pt2")
          .findings,
      IsEmpty());
  // What it holds is examined all the same.
  std::string evil = MakeTestZip({{.name = "m/data.pkl", .data = kEvil}});
  EXPECT_EQ(Scan(MakeTestZip({{.name = "inputs", .data = evil}}), "m.pt2").verdict(),
            Severity::kDangerous);
  // An end record within a member whose directory lies where the outer archive would look for it,
  // that has a comment up to the end of the file, or that is not the member's end.
  std::string moved = honest, commented = honest;
  moved[moved.size() - 22 + 16] += 36;  // behind the local header of "inputs"
  commented[commented.size() - 2] = 99;
  for (const std::string& inner : {moved, commented, honest + "x"}) {
    EXPECT_EQ(Scan(MakeTestZip({{.name = "inputs", .data = inner}}), "m.pt2").verdict(),
              Severity::kSuspicious);
  }
}

TEST(ScanTest, EveryTruncationOfAnArchiveIsExamined) {
  std::string file =
      MakeTestZip({{.name = "m/data.pkl", .data = kEvil}, {.name = "m/x", .data = "data"}});
  // From where the call is whole, no cut hides it.
  for (size_t n = file.find("tR.") + 2; n < file.size(); ++n) {
    EXPECT_EQ(Scan(file.substr(0, n), "m.pt").verdict(), Severity::kDangerous) << n;
  }
}

TEST(ScanTemplateTest, HonestTemplatesPass) {
  for (const char* text :
       {"{% for m in messages %}{{ m['role'] ~ '\n' ~ m.content | trim }}{% endfor %}",
        "{% set ns = namespace(found=false) %}{{ messages | selectattr('role', 'eq', 'x') | list "
        "}}",
        "{% macro f(x) %}{{ x | tojson }}{% endmacro %} __class__ outside of code {{ bos_token "
        "}}"}) {
    EXPECT_THAT(ScanTemplate(text, "t"), IsEmpty()) << text;
  }
}

TEST(ScanTemplateTest, NamesThatAreComputedAreSuspicious) {
  for (const char* text :
       {R"({{ x['\N{LOW LINE}\N{LOW LINE}class\N{LOW LINE}\N{LOW LINE}'] }})",
        R"({{ x['\N{LOW LINE}_class_\N{LOW LINE}'] }})",
        R"({{ x['\N{LATIN SMALL LETTER A}'] }})",
        "{{ x['_'.join(['','','class','',''])] }}",
        "{{ x['class'.center(9,'_')] }}",
        "{{ x['class'.rjust(7,'_').ljust(9,'_')] }}",
        "{{ x['{:_^9}'.format('class')] }}",
        "{{ x['{x}_class_{x}'.format(x='_')] }}",
        "{{ x['X_class_X'.translate({88:'_'})] }}",
        "{{ x['_/_/class/_/_'.split('/')|join] }}",
        "{{ x['_'|string~'_class_'~'_'] }}",
        "{{ ('{0.%s%sclass%s%s}'|format('_','_','_','_')).format(x) }}",
        "{{ '{0.real}'.format(x) }}",
        "{% set f = ('{0.%s}'|format(n)).format %}{{ f(x) }}",
        "{% set a %}__class__{% endset %}{{ x[a|string] }}",
        "{% set a %}__class__{% endset %}{{ x[a] }}",
        "{% set a %}{{'_'}}_class_{{'_'}}{% endset %}{{ x[a|string] }}",
        "{% for a in ['_'] %}{{ x[a~a~'class'~a~a] }}{% endfor %}",
        "{{ x[messages[0].content] }}",
        "{% for m in messages %}{{ x[m.role] }}{% endfor %}",
        "{% for m in messages %}{{ x[m] }}{% endfor %}",
        "{{ x[bos_token] }}",
        "{{ x|map(attribute='_'~'_class_'~'_')|list }}",
        "{{ x|map('attr', n)|list }}",
        "{{ x | attr (n) }}",
        "{{ messages|selectattr('role')|list }}{{ x|attr(n) }}",
        "{{ x|selectattr(n)|list }}",
        "{{ x|groupby(n) }}",
        "{{ '}}' ~ x['_' ~ '_class_' ~ '_'] }}",
        "{{ x['_' '_class_' '_'] }}",
        "{% set d = {'a': x} %}{{ d[m.role].y }}",
        "{% for k in special %}{% set special = x %}{{ special[k] }}{% endfor %}",
        "{% for k in special %}{% for special in [x] %}{{ special[k] }}{% endfor %}{% endfor %}",
        "{% for k in d recursive %}{{ d[k] }}{{ loop(other) }}{% endfor %}",
        "{% for k in ns.c %}{% set ns.c = x %}{{ ns.c[k] }}{% endfor %}",
        "{% set or = x %}{{ or[n] }}",
        "{{ x.set[n] }}",
        "{{ y ~ if[n] }}",
        "{{ x.mro () }}",
        "{{ x|join(',', n) }}",
        "{{ x|join(attribute=n) }}",
        "{% raw %}{% endrawx %}{{ ' {% endraw %}{{ x[n] }}{{ ' }}",
        "{% raw %}{%\xC2\xA0"
        "endraw %}{{ x[n] }}",
        "{% set a = 'b' if c else d ~ e %}{{ x[a] }}",
        "{% macro f(s) %}{{ x[s.v] }}{% endmacro %}{% set s = namespace(v=0) "
        "%}{{ f({'v': y}) }}"}) {
    EXPECT_FALSE(ScanTemplate(text, "t").empty()) << text;
  }
}

TEST(ScanTemplateTest, NamesOfHonestTemplatesPass) {
  for (const char* text :
       {"{% for m in messages %}{{ messages[loop.index0 - 1].role }}{{ messages[-1]['role'] }}"
        "{{ messages[loop.index0:] }}{{ messages[::-1][0] }}{% endfor %}",
        "{% set ns = namespace(i=-1) %}{% for m in messages %}{% set ns.i = loop.index0 %}"
        "{% endfor %}{{ messages[ns.i] }}",
        "{% macro next(state) %}{{ images[state.i] }}{% set state.i = state.i + 1 %}{% endmacro %}"
        "{% set state = namespace(i=0) %}{{ next(state) }}",
        "{% for i in range(1, parts|length) %}{% set n = i - 1 %}{{ parts[i] }}{{ calls[n] }}"
        "{% endfor %}",
        "{% macro f(d) %}{% for k in d %}{{ d[k] | tojson }}{% endfor %}{% endmacro %}{{ f(tool) "
        "}}",
        "{% for k, v in tool.args.items() %}{{ tool.args[k] }}{% endfor %}",
        "{% for k, v in tool.args|dictsort %}{{ tool.args[k] }}{% endfor %}",
        "{% set types = {'string': 'str', 'number': 'float'} %}{{ types[tool.type] }}",
        "{% for field, name in [('minimum', 'Minimum')] %}{{ name }}{{ param[field] }}{% endfor %}",
        "{% set nd = names if names is defined else {} %}{{ (nd[k] if k in nd else '') | tojson }}",
        "{% set key = 'a' if x else 'b' %}{{ message[key] }}",
        "{% if x in [n] or y not in [n] and not [n] %}{{ [n] + [n] }}{% for a in [n] %}{% endfor %}"
        "{% elif [n] %}{{ x | join(', ') }}{{ a if b else [n] }}{% endif %}"
        "{% raw %}{{ x[n] }}{% endraw %}{# {{ x[n] }} #}",
        "{{ '<{}>'.format(x) }}{{ escape_attr(x) }}{{ messages | map(attribute='role') | list }}",
        "{{ message['content'][0]['text'] if message['content'] is not string else '}}' }}"}) {
    EXPECT_THAT(ScanTemplate(text, "t"), IsEmpty()) << text;
  }
}

TEST(ScanTemplateTest, CodeThatIsMadeToBeSlowIsGivenUp) {
  std::string names = "{% set a0 = 1 %}";
  for (int i = 1; i < 60; ++i) {
    std::string last = "a" + std::to_string(i - 1);
    names += "{% set a" + std::to_string(i) + " = " + last + " if c else " + last + " %}";
  }
  EXPECT_FALSE(ScanTemplate(names + "{{ x[a59] }}", "t").empty());
  EXPECT_FALSE(ScanTemplate("{{ x" + Repeated("[x", 200'000) + "}}", "t").empty());
  std::string deep = Repeated("(", 200'000) + "1" + Repeated(")", 200'000);
  EXPECT_THAT(ScanTemplate("{% set a = " + deep + " %}{{ x[a] }}", "t"), IsEmpty());
  EXPECT_FALSE(ScanTemplate("{% set a = " + deep + ") %}{{ x[a] }}", "t").empty());
  std::string table = "{% set t = {" + Repeated("'a': 1, ", 50'000) + "} %}";
  EXPECT_FALSE(ScanTemplate(table + Repeated("{{ t[n] }}", 50'000), "t").empty());
  std::string loops = Repeated("{% for a in b %}", 50'000);
  EXPECT_FALSE(ScanTemplate(loops + Repeated("{{ a() }}", 50'000), "t").empty());
}

TEST(ScanTemplateTest, CodeThatNeverEndsIsRead) {
  for (const char* text :
       {"{{ W[jB", "{{ W[", "{{ W[j.", "{{ x | map(", "{{ x | sort(a", "{% set (", "{% set a = (b",
        "{% for", "{% for a in", "{% macro f(", "{% macro f", "{{ namespace(",
        "{{ namespace(a=", "{% filter", "{{ x.format("}) {
    std::string whole = text;
    for (size_t n = 0; n <= whole.size(); ++n) {
      std::string cut = whole.substr(0, n);
      for (const ScanFinding& finding : ScanTemplate(cut, "t"))
        EXPECT_FALSE(finding.evidence.empty()) << cut;
    }
  }
  EXPECT_FALSE(ScanTemplate("{{ W[jB", "t").empty());
}

TEST(ScanTest, KerasNamesThatStandOftenAreNotMultiplied) {
  std::string config = "{\"layers\": {" + Repeated("\"class_name\": \"Dense\", ", 50'000) +
                       Repeated("\"module\": \"keras.layers\", ", 50'000) + "\"name\": 1}}";
  EXPECT_EQ(Scan(config, "config.json").verdict(), Severity::kDangerous);
}

TEST(ScanTemplateTest, TemplatesThatStartLikeJsonAreRead) {
  EXPECT_EQ(Scan("{{ x[\"a\"].__class__ }}", "chat_template.jinja").verdict(),
            Severity::kDangerous);
}

TEST(ScanTemplateTest, FindsWaysToPython) {
  for (const char* text :
       {"{{ x.__class__ }}", "{{ x['__cla' ~ 'ss__'] }}", "{{ x['\\x5f_class_\\x5f'] }}",
        "{% if lipsum %}{% endif %}", "{{ x|attr('\\137\\137globals\\137\\137') }}"}) {
    EXPECT_THAT(ScanTemplate(text, "t"),
                Contains(Field(&ScanFinding::severity, Severity::kDangerous)))
        << text;
  }
}

}  // namespace
}  // namespace hearth
