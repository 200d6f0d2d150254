# How Fermata itself is compiled. Nothing here reaches projects that use an installed Fermata.

# Defaults for a top-level build only: a parent project decides these for itself.
if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Type of build" FORCE)
  endif()
  if(NOT CMAKE_RUNTIME_OUTPUT_DIRECTORY)
    set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  endif()
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()

# What was compiled in one checkout is found again in another one, or in one that was moved: ccache is
# told that paths are relative to the folder which the checkout is in. A project that sets a launcher
# keeps its own.
find_program(FERMATA_CCACHE ccache)
mark_as_advanced(FERMATA_CCACHE)
if(PROJECT_IS_TOP_LEVEL AND FERMATA_CCACHE)
  set(launcher "${FERMATA_CCACHE}")
  if(CMAKE_HOST_UNIX)
    set(launcher "${PROJECT_BINARY_DIR}/ccache/launcher")
    cmake_path(GET PROJECT_SOURCE_DIR PARENT_PATH parent)
    file(CONFIGURE OUTPUT "${launcher}" @ONLY CONTENT [=[#!/bin/sh
export CCACHE_BASEDIR="${CCACHE_BASEDIR:-@parent@}" CCACHE_NOHASHDIR="${CCACHE_NOHASHDIR:-1}"
exec '@FERMATA_CCACHE@' "$@"
]=])
    file(CHMOD "${launcher}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
         WORLD_READ WORLD_EXECUTE)
  endif()
  foreach(language C CXX)
    if(NOT DEFINED CMAKE_${language}_COMPILER_LAUNCHER)
      set(CMAKE_${language}_COMPILER_LAUNCHER "${launcher}")
    endif()
  endforeach()
endif()

# Marks `target` as our own code: warnings are errors there (never in code that we generate).
function(fermata_own_code target)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  if(FERMATA_WARNINGS)
    # g++ 12 and 13 see overlapping copies in std::string where there are none (GCC bug 105651). In
    # instrumented code g++ takes the marking of a new variable, as in LLVM's JSON.h, for a use of it.
    target_compile_options(${target} PRIVATE -Wall -Wextra -Werror
      "$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>"
      "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Sanitize>>:-Wno-maybe-uninitialized>")
  endif()
endfunction()

# For the installed libraries, which plugins link too: shared libraries. Nobody replaces their
# functions when a program starts, so calls among them need not allow for it.
function(fermata_position_independent target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE
    "$<$<CXX_COMPILER_ID:GNU,Clang>:-fno-semantic-interposition>")
endfunction()

# Makes imported targets whose names match `regex` archives where one lies beside the shared library:
# Debian's packages have both, their configurations name the shared ones.
function(fermata_prefer_archives regex)
  get_property(targets DIRECTORY PROPERTY IMPORTED_TARGETS)
  list(FILTER targets INCLUDE REGEX "${regex}")
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    get_target_property(configurations ${target} IMPORTED_CONFIGURATIONS)
    if(NOT type STREQUAL "SHARED_LIBRARY" OR NOT configurations)
      continue()
    endif()
    foreach(configuration IN LISTS configurations)
      get_target_property(location ${target} IMPORTED_LOCATION_${configuration})
      string(REGEX REPLACE "\\.so[.0-9]*$" ".a" archive "${location}")
      if(EXISTS "${archive}")
        set_target_properties(${target} PROPERTIES IMPORTED_LOCATION_${configuration} "${archive}"
                              IMPORTED_SONAME_${configuration} "")
      endif()
    endforeach()
  endforeach()
endfunction()

# Links the C++ library into `target`, where that is possible.
function(fermata_links_cxx_library target)
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_LINK_OPTIONS -static-libstdc++ -static-libgcc)
  check_cxx_source_compiles("#include <string>
    int main(int n, char** a) { return std::string(a[0]).size() + n; }" FERMATA_HAS_STATIC_CXX_LIBRARY)
  if(FERMATA_HAS_STATIC_CXX_LIBRARY)
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc)
  endif()
endfunction()

# Lets shared modules that `target` loads at run time find the runtime in the executable itself. They
# need all of the core, also what the executable has no use for.
function(fermata_loads_modules target)
  set_target_properties(${target} PROPERTIES
    ENABLE_EXPORTS ON
    LINK_LIBRARY_OVERRIDE "WHOLE_ARCHIVE,fermata_core")
  if(MINGW)
    # The libraries are linked with what CMake calls the linker file of the program.
    target_link_options(${target} PRIVATE LINKER:--export-all-symbols)
  endif()
endfunction()

# For sources of `target` that include llvm/Support/JSON.h of LLVM 14, which has a vector of a class that
# is not complete yet: clang before 16 refuses that in C++20.
function(fermata_uses_llvm_json target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 16)
    set_source_files_properties(${ARGN} TARGET_DIRECTORY ${target}
                                PROPERTIES COMPILE_OPTIONS -std=c++17)
  endif()
endfunction()
