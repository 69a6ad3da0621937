# cmake --install: the program, and the runtime as a library (`--component library` for that alone).
# What a program outside of this tree includes is in include/hearth and base/error.h; the rest is private.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS hearth RUNTIME COMPONENT program)
set(HEARTH_LIBRARY_COMPONENTS base codec media text tensor formats tokenizers client runtime)
set(targets hearth_dep_cmark hearth_dep_archive)
foreach(name ${HEARTH_LIBRARY_COMPONENTS})
  set_target_properties(hearth_${name} PROPERTIES EXPORT_NAME ${name})
  list(APPEND targets hearth_${name})
endforeach()
install(TARGETS ${targets} EXPORT hearth-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/hearth COMPONENT library
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# In small letters a name is found however find_package spells it.
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/hearth)
install(EXPORT hearth-targets NAMESPACE hearth:: DESTINATION ${package} COMPONENT library)
install(DIRECTORY include/hearth DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
# pipeline.h finds it beside itself.
install(FILES src/base/error.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hearth/base COMPONENT library)
configure_package_config_file(cmake/hearth-config.cmake.in ${CMAKE_BINARY_DIR}/hearth-config.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/hearth-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/hearth-config.cmake ${CMAKE_BINARY_DIR}/hearth-config-version.cmake
        DESTINATION ${package} COMPONENT library)
