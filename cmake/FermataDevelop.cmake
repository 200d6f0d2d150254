# Targets for those who work on Fermata itself, if the programs for them are there:
#
#   api_reference   docs/api/html in the build folder, from the public headers (Doxygen)
#   tidy            clang-tidy, with the checks of .clang-tidy; in builds with clang, whose compile
#                   commands it uses

find_package(Doxygen QUIET)
find_program(FERMATA_AWK awk)
find_program(FERMATA_RUN_CLANG_TIDY NAMES run-clang-tidy-14 run-clang-tidy)
mark_as_advanced(FERMATA_AWK FERMATA_RUN_CLANG_TIDY)

if(DOXYGEN_FOUND AND FERMATA_AWK)
  configure_file("${PROJECT_SOURCE_DIR}/docs/api/Doxyfile.in" "${PROJECT_BINARY_DIR}/docs/api/Doxyfile" @ONLY)
  set(FERMATA_API_REFERENCE
    "${CMAKE_COMMAND}" "-DDOXYGEN=${DOXYGEN_EXECUTABLE}" "-DDOXYFILE=${PROJECT_BINARY_DIR}/docs/api/Doxyfile"
    "-DOUTPUT=${PROJECT_BINARY_DIR}/docs/api" -P "${PROJECT_SOURCE_DIR}/docs/api/build.cmake")
  add_custom_target(api_reference COMMAND ${FERMATA_API_REFERENCE} VERBATIM
                    COMMENT "Writing ${PROJECT_BINARY_DIR}/docs/api/html")
endif()

if(FERMATA_RUN_CLANG_TIDY AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_custom_target(tidy
    COMMAND "${FERMATA_RUN_CLANG_TIDY}" -quiet -p "${PROJECT_BINARY_DIR}"
            "^${PROJECT_SOURCE_DIR}/(runtime/|spec-tests/|translator/|tests/include/public_headers)"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" USES_TERMINAL VERBATIM)
endif()
