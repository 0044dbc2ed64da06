# Headers, both libraries, find_package(reprise) and pkg-config. `pkg-config --libs reprise`, with or without --static, is
# enough for a host that is linked by a C compiler; it links the archive.
include(CMakePackageConfigHelpers)
install(FILES include/reprise/reprise.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/reprise)
install(FILES include/reprise/reprise.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/reprise OPTIONAL)
install(TARGETS reprise_static reprise_shared EXPORT reprise_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/reprise)
install(EXPORT reprise_targets FILE reprise-targets.cmake NAMESPACE reprise:: DESTINATION ${config_folder})
configure_package_config_file(cmake/reprise-config.cmake.in ${PROJECT_BINARY_DIR}/reprise-config.cmake
  INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/reprise-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/reprise-config.cmake ${PROJECT_BINARY_DIR}/reprise-config-version.cmake
  DESTINATION ${config_folder})

list(TRANSFORM REPRISE_DRIVER_NEEDS PREPEND "-l" OUTPUT_VARIABLE private_libs)
list(JOIN private_libs " " REPRISE_PRIVATE_LIBS)
configure_file(cmake/reprise.pc.in ${PROJECT_BINARY_DIR}/reprise.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/reprise.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
