# What `cmake --install` installs, and the package that find_package(Fermata) finds.

set(fermata_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Fermata")
set(fermata_installed_targets fermata_core fermata_runtime)
if(TARGET fermata_snapshot)
  list(APPEND fermata_installed_targets fermata_snapshot)
endif()
if(TARGET fermata)
  list(APPEND fermata_installed_targets fermata)
endif()

install(TARGETS ${fermata_installed_targets} EXPORT FermataTargets)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/fermata" TYPE INCLUDE
        FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
install(EXPORT FermataTargets NAMESPACE Fermata:: DESTINATION "${fermata_package_dir}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/FermataConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/FermataConfig.cmake"
                              INSTALL_DESTINATION "${fermata_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/FermataConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
# The libraries are for this machine. The freestanding profile uses none of them and compiles its core
# for the machine of the project.
file(APPEND "${PROJECT_BINARY_DIR}/FermataConfigVersion.cmake" "
if(CMAKE_SYSTEM_NAME STREQUAL \"Generic\")
  set(PACKAGE_VERSION \"${PROJECT_VERSION}\")
  set(PACKAGE_VERSION_UNSUITABLE FALSE)
endif()
")
install(FILES "${PROJECT_BINARY_DIR}/FermataConfig.cmake"
              "${PROJECT_BINARY_DIR}/FermataConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FermataAddGuest.cmake"
        DESTINATION "${fermata_package_dir}")
# What the freestanding profile compiles for the machine of a project.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/runtime/core"
        DESTINATION "${fermata_package_dir}/sources/runtime")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" TYPE DOC)
