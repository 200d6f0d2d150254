# The official suite in a build for another machine: the fermata-spec of a build for this one
# translates, compiles with this build's compiler, and has this build's player play in the emulator.
# Refusals are not run: the validator's part is the same wherever a module runs.
#
# Tests, with the labels `spec`, `port`, FERMATA_PORT and the group's name:
#   spec.<group>.<memory>   plain and suspended
#   spec.memory.fixed       the files of memories, where these have a fixed size
#   spec.snapshotted.<memory>   files with calls of all kinds, saved and restored
#   spec.smoke.<memory>     a few files of several groups (label `smoke`), with one memory policy

if(TARGET port_smoke)
  add_dependencies(port_smoke fermata-spec-player)
endif()

set(native_spec "${FERMATA_NATIVE_SPEC}")
if(NOT native_spec AND FERMATA_NATIVE_TRANSLATOR)
  cmake_path(REPLACE_FILENAME FERMATA_NATIVE_TRANSLATOR fermata-spec OUTPUT_VARIABLE native_spec)
  if(NOT EXISTS "${native_spec}")
    set(native_spec "")
  endif()
endif()
if(NOT native_spec)
  message(STATUS "Fermata: no FERMATA_NATIVE_SPEC: the official test suite is not run")
  return()
endif()

fermata_cached_compiler("${CMAKE_CXX_COMPILER}" cxx)
list(JOIN CMAKE_CROSSCOMPILING_EMULATOR " " emulator)
separate_arguments(flags NATIVE_COMMAND "${CMAKE_CXX_FLAGS}")
list(TRANSFORM flags PREPEND "--cxxflag=")
separate_arguments(link_flags NATIVE_COMMAND "${CMAKE_SHARED_LINKER_FLAGS}")
if(WIN32)
  # A library there names the program in which it finds the runtime.
  list(PREPEND link_flags "$<TARGET_LINKER_FILE:fermata-spec-player>")
endif()
list(TRANSFORM link_flags PREPEND "--linkflag=")
set(spec_command "${native_spec}" "--player=$<TARGET_FILE:fermata-spec-player>"
    "--emulator=${emulator}" "--compiler=${cxx}" ${flags} ${link_flags}
    "--include=${PROJECT_SOURCE_DIR}/include"
    "--expected=${CMAKE_CURRENT_SOURCE_DIR}/expected"
    "--suite=${FERMATA_SHARED_DIR}/spec/spec-json.tar.xz"
    "--cache=${PROJECT_BINARY_DIR}/spec-cache")
# The first is the one that fermata_add_guest chooses.
set(memories checked)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|aarch64)$")
  list(PREPEND memories reserved)
endif()

# Adds test spec.<name>.<memory>, of what the further arguments select.
function(fermata_add_port_spec name memory labels)
  fermata_port_test_name("spec.${name}.${memory}" test)
  set(report "${PROJECT_BINARY_DIR}/report/spec.${name}.${memory}.json")
  add_test(NAME ${test} COMMAND ${spec_command} --memory=${memory} "--report=${report}" ${ARGN})
  set_tests_properties(${test} PROPERTIES LABELS "spec;port;${labels};${FERMATA_PORT}" TIMEOUT 3600
    PROCESSORS 2 SKIP_RETURN_CODE 77 RESOURCE_LOCK "${PROJECT_BINARY_DIR}/spec-cache")
endfunction()

# Integers and floats, references and calls, memories and the order of bytes, vectors, exceptions.
list(GET memories 0 memory)
fermata_add_port_spec(smoke ${memory} smoke
  --file=i32,f32,conversions,func,linking,memory_grow,endianness,simd_lane,simd_f32x4
  --file=try_table)

fermata_add_port_spec(memory fixed memory ${files_of_fixed_memories})
fermata_add_port_spec(snapshotted ${memory} snapshotted --mode=snapshotted
  --file=imports,linking,start,func_ptrs,elem,data,names,global,ref_func,try_table,rethrow,i64,f32
  --file=simd_lane,simd_f32x4,table_grow,loop,br_table)

foreach(memory IN LISTS memories)
  foreach(group IN ITEMS bulk-memory core custom-annot custom-descriptors custom-page-sizes exceptions
          function-references gc legacy-exceptions memory64 multi-memory relaxed-simd simd
          stack-switching tail-call threads wide-arithmetic)
    fermata_add_port_spec(${group} ${memory} ${group} --group=${group})
  endforeach()
endforeach()
