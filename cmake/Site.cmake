# hearth_site(<target>): builds web/src with Vite and puts the result into the program (kSiteFiles); see web/build.mjs.
find_program(NODE_PROGRAM node)

function(hearth_site target)
  if(NOT NODE_PROGRAM)
    message(FATAL_ERROR "Node.js, which builds the site's scripts, is missing; run script/bootstrap")
  endif()
  file(GLOB_RECURSE inputs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/* ${CMAKE_SOURCE_DIR}/web/static/*)
  set(output ${CMAKE_BINARY_DIR}/gen/embedded_site.cc)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/gen)
  add_custom_command(OUTPUT ${output}
    COMMAND ${NODE_PROGRAM} ${CMAKE_SOURCE_DIR}/web/build.mjs ${CMAKE_BINARY_DIR}/site ${output}
    DEPENDS ${inputs} ${CMAKE_SOURCE_DIR}/web/build.mjs ${CMAKE_SOURCE_DIR}/web/vite.config.js ${CMAKE_SOURCE_DIR}/web/package-lock.json
    COMMENT "Building the site's scripts and styles"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
