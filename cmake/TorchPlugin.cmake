# hearth_torch.so, the plugin that computes with libtorch: the only thing that is built against it. Not
# part of `all`: ninja hearth_torch. HEARTH_TORCH is the folder of an installed torch package (a wheel's
# site-packages/torch); without it the one of the tests' environment is taken, and without that there is
# no target. libtorch's headers and libraries come from that folder, where they are also found at run time.
set(HEARTH_TORCH "" CACHE PATH "Folder of the torch package that the torch executor is built with")

# What both sides of the border are made of; see src/tensor/torch/torch_plugin.h.
set(stamp "${PROJECT_VERSION} ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
foreach(header base/error.h tensor/batch.h tensor/block_types.h tensor/graph.h tensor/executor.h
        tensor/kernels/kv_cache.h tensor/ops.h tensor/torch/torch_plugin.h tensor/weights.h)
  file(SHA256 ${CMAKE_SOURCE_DIR}/src/${header} digest)
  string(APPEND stamp " ${digest}")
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${header})
endforeach()
string(SHA256 stamp "${stamp}")
set(HEARTH_TORCH_DEFINITIONS HEARTH_TORCH_STAMP="${stamp}")

set(torch_folder "${HEARTH_TORCH}")
if(NOT torch_folder)
  file(GLOB torch_folder ${CMAKE_SOURCE_DIR}/.venvs/parity/lib/python3*/site-packages/torch)
endif()
if(torch_folder AND EXISTS ${torch_folder}/lib/libtorch_cpu.so AND NOT HEARTH_FUZZ AND NOT HEARTH_SANITIZE)
  file(GLOB plugin_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/tensor/torch/plugin/*.cc)
  add_library(hearth_torch MODULE EXCLUDE_FROM_ALL ${plugin_sources})
  set_target_properties(hearth_torch PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
                        BUILD_RPATH ${torch_folder}/lib INSTALL_RPATH ${torch_folder}/lib
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/src/apps)
  target_include_directories(hearth_torch PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_include_directories(hearth_torch SYSTEM PRIVATE ${torch_folder}/include
                             ${torch_folder}/include/torch/csrc/api/include)
  target_compile_definitions(hearth_torch PRIVATE ${HEARTH_TORCH_DEFINITIONS})
  target_compile_options(hearth_torch PRIVATE -Wall -Wextra -Werror=return-type)
  # A wheel for GPUs registers its kernels from libraries that no symbol asks for.
  set(torch_libraries "")
  foreach(name torch_cpu c10 torch_cuda c10_cuda)
    if(EXISTS ${torch_folder}/lib/lib${name}.so)
      list(APPEND torch_libraries ${torch_folder}/lib/lib${name}.so)
    endif()
  endforeach()
  target_link_options(hearth_torch PRIVATE -Wl,--no-as-needed -Wl,-z,defs)
  target_link_libraries(hearth_torch PRIVATE ${torch_libraries})
  install(TARGETS hearth_torch LIBRARY DESTINATION lib/hearth COMPONENT torch EXCLUDE_FROM_ALL OPTIONAL)
endif()
