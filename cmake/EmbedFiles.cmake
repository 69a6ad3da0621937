# hearth_embed(<target> <symbol> <folder>): puts every file of a folder into the program, as
# `const hearth::EmbeddedFile <symbol>[]` ended by a null name. The program then needs no files beside it.
function(hearth_embed target symbol folder)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${folder} ${folder}/*)
  set(assembly "")
  set(rows "")
  set(paths "")
  set(number 0)
  foreach(file ${files})
    set(label ${symbol}_${number})
    string(APPEND assembly
      "asm(\".section .rodata\\n.globl ${label}\\n${label}:\\n.incbin \\\"${folder}/${file}\\\"\\n.globl ${label}_end\\n${label}_end:\\n.byte 0\\n.text\\n\");\n"
      "extern \"C\" const char ${label}[];\nextern \"C\" const char ${label}_end[];\n")
    string(APPEND rows "    {\"${file}\", ${label}, ${label}_end},\n")
    list(APPEND paths ${folder}/${file})
    math(EXPR number "${number} + 1")
  endforeach()
  set(output ${CMAKE_BINARY_DIR}/gen/embedded_${symbol}.cc)
  file(CONFIGURE OUTPUT ${output} CONTENT
"#include \"server/pages/embedded_file.h\"
${assembly}
namespace hearth {
extern const EmbeddedFile ${symbol}[];
const EmbeddedFile ${symbol}[] = {
${rows}    {nullptr, nullptr, nullptr},
};
}  // namespace hearth
" @ONLY)
  set_source_files_properties(${output} PROPERTIES OBJECT_DEPENDS "${paths}")
  target_sources(${target} PRIVATE ${output})
endfunction()
