# How Fermata's tests are added to ctest. Each has a label, so that `ctest -L unit` runs what is quick:
#
#   unit       under two minutes in all: compiles nothing when it runs
#   compile    translates, compiles and runs generated code
#   spec       the official test suite
#   replay     recorded guests, by fermata-replay
#   guests     recorded WASI programs, by `fermata run`
#   moves      held calls that go from machine to machine, or from compiler to compiler
#   cmake      Fermata as other projects see it
#   fuzz       mutated input
#   port       on other machines, in emulators; also labelled with the machine (docs/ports.md)
#   smoke      the quickest of these
#
# The tests below these folders are also labelled with the folder's name (its directory property
# LABELS): examples, wasi, async, simd.
include_guard(GLOBAL)
include(GoogleTest)

# Builds the executables of the tests that are labelled `unit`, for builds that run only those.
add_custom_target(unit_tests)

# In the build for another machine: all that is tested there, and what its tests with the label smoke
# need (FermataPorts.cmake).
if(FERMATA_PORT)
  add_custom_target(port_smoke DEPENDS fermata_runtime fermata_snapshot)
  add_custom_target(port DEPENDS unit_tests port_smoke)
endif()

# What QEMU's user mode (7.2) can't do: run its own executable again, as death tests do; openat2; send
# a datagram of no bytes; tell posix_spawn, whose child shares no memory with it, that a program can't be
# started; and forget the tables that it makes of reserved address space, 32 MB for each memory.
set(FERMATA_NOT_EMULATED "*EndsTheProcess*:*EscapeByMagicLink*openat2:*WamrSocketsTest.Datagrams*:\
ProcessSnapshotTest.RefusesDamage:InterruptibleTest.*:ProcessTest.RunsInAFolder:\
ProcessTest.WhatCannotBeStarted:ProcessTest.NoneIsStartedAfterOneThatFails:\
InspectCommand.GraphvizMissingOrFailing")

# Sets <out> to the name of a test in the build for another machine: `name` after that of the machine.
function(fermata_port_test_name name out)
  if(FERMATA_PORT)
    set(${out} "${FERMATA_PORT}.${name}" PARENT_SCOPE)
  else()
    set(${out} "${name}" PARENT_SCOPE)
  endif()
endfunction()

# Adds the GoogleTest tests of executable `target`, with a label:
#
#   fermata_add_gtests(<target> <label> [further arguments of gtest_discover_tests])
#
# They are discovered when ctest runs, so that building does not run the tests' executables. Where an
# emulator runs them, all tests of an executable are one of ctest: starting one takes long. Those of
# wasi_test are several, because of the memories that they reserve (above). Nothing is compiled there
# by tests.
function(fermata_add_gtests target label)
  if(label STREQUAL "unit")
    add_dependencies(unit_tests ${target})
  endif()
  if(CMAKE_CROSSCOMPILING)
    if(label STREQUAL "compile")
      return()
    endif()
    set(parts 1)
    if(target STREQUAL "wasi_test" AND NOT WIN32)
      set(parts 16)
    endif()
    foreach(part RANGE 1 ${parts})
      math(EXPR index "${part} - 1")
      fermata_port_test_name(${target}.${part} name)
      add_test(NAME ${name} COMMAND ${target}
               "--gtest_filter=-${FERMATA_NOT_EMULATED}:${FERMATA_NOT_EMULATED_HERE}")
      set_tests_properties(${name} PROPERTIES TIMEOUT 1200 LABELS "${label};port;${FERMATA_PORT}"
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${parts};GTEST_SHARD_INDEX=${index}")
    endforeach()
    return()
  endif()
  gtest_discover_tests(${target} ${ARGN} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT 600 LABELS ${label})
endfunction()

# Standalone Asio, which some tests have their guests' hosts use (Debian: libasio-dev).
find_path(ASIO_INCLUDE_DIR asio.hpp)
mark_as_advanced(ASIO_INCLUDE_DIR)

# Compiles test `target` with it.
function(fermata_test_uses_asio target)
  target_include_directories(${target} SYSTEM PRIVATE "${ASIO_INCLUDE_DIR}")
  # Asio 1.22 does not see that clang has coroutines.
  target_compile_definitions(${target} PRIVATE ASIO_STANDALONE
    "$<$<CXX_COMPILER_ID:Clang>:ASIO_HAS_CO_AWAIT=1>")
  if(WIN32)
    target_compile_definitions(${target} PRIVATE _WIN32_WINNT=0x0A00)
    target_link_libraries(${target} PRIVATE ws2_32 mswsock)
  else()
    target_compile_definitions(${target} PRIVATE ASIO_HAS_STD_ALIGNED_ALLOC=1)
  endif()
  # With a sanitizer, g++ 12 takes Asio's allocator without members for one that is not initialized.
  target_compile_options(${target} PRIVATE "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>")
endfunction()

# Sets <out> to a command for what tests compile when they run: `compiler`, through ccache if it is
# there. Most of the tests' time is that.
function(fermata_cached_compiler compiler out)
  set(${out} "${compiler}" PARENT_SCOPE)
  if(NOT compiler OR NOT FERMATA_CCACHE)
    return()
  endif()
  cmake_path(GET compiler FILENAME name)
  set(wrapper "${PROJECT_BINARY_DIR}/ccache/${name}")
  file(CONFIGURE OUTPUT "${wrapper}" @ONLY CONTENT [=[#!/bin/sh
# Tests compile in folders with names of their own, in wherever the build is. ccache knows a file again
# if all that it is given is relative to the folder of the source.
compiles=
source=
for argument; do
  case $argument in
    -c) compiles=1 ;;
    /*.cc) source=$argument ;;
  esac
done
[ -z "$compiles" ] || [ -z "$source" ] || cd "${source%/*}"
# The runner of the official suite has headers precompiled, with a checksum that is the same everywhere.
export CCACHE_BASEDIR='@PROJECT_SOURCE_DIR@' CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_PCH_EXTSUM=1
exec '@FERMATA_CCACHE@' '@compiler@' "$@"
]=])
  file(CHMOD "${wrapper}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
       WORLD_READ WORLD_EXECUTE)
  set(${out} "${wrapper}" PARENT_SCOPE)
endfunction()

# Sets <out> to the label of a test's source: `compile` if it has modules compiled when it runs.
function(fermata_test_label source out)
  file(STRINGS "${source}" compiles REGEX
       "code_fixture\\.h|snapshot_guests\\.h|support/native\\.h|native_build\\.h|FERMATA_(CXX|GXX|CLANGXX)|{\"(run|compile)\"[,}]")
  if(compiles)
    set(${out} compile PARENT_SCOPE)
  else()
    set(${out} unit PARENT_SCOPE)
  endif()
endfunction()

# Takes out of a list those sources that need the translator, if this build does not make it.
function(fermata_only_what_builds list)
  if(FERMATA_TESTS_TRANSLATE)
    return()
  endif()
  set(kept "")
  foreach(source IN LISTS ${list})
    file(STRINGS "${source}" translates REGEX
         "\"translator/|code_fixture|snapshot_guests|support/native\\.h|FERMATA_TRANSLATOR")
    if(NOT translates AND NOT source MATCHES "/tests/translator/")
      list(APPEND kept "${source}")
    endif()
  endforeach()
  set(${list} "${kept}" PARENT_SCOPE)
endfunction()
