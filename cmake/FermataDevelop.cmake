# Targets for those who work on Fermata itself, if the programs for them are there:
#
#   api_reference   docs/api/html in the build folder, from the public headers (Doxygen)

find_package(Doxygen QUIET)
find_program(FERMATA_AWK awk)
mark_as_advanced(FERMATA_AWK)

if(DOXYGEN_FOUND AND FERMATA_AWK)
  configure_file("${PROJECT_SOURCE_DIR}/docs/api/Doxyfile.in" "${PROJECT_BINARY_DIR}/docs/api/Doxyfile" @ONLY)
  set(FERMATA_API_REFERENCE
    "${CMAKE_COMMAND}" "-DDOXYGEN=${DOXYGEN_EXECUTABLE}" "-DDOXYFILE=${PROJECT_BINARY_DIR}/docs/api/Doxyfile"
    "-DOUTPUT=${PROJECT_BINARY_DIR}/docs/api" -P "${PROJECT_SOURCE_DIR}/docs/api/build.cmake")
  add_custom_target(api_reference COMMAND ${FERMATA_API_REFERENCE} VERBATIM
                    COMMENT "Writing ${PROJECT_BINARY_DIR}/docs/api/html")
endif()
