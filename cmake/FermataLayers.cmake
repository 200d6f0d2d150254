# The order of the rooms: which folders the sources of a folder may include. Nothing includes
# upwards, and no two folders include each other.
#
#   cmake -DSOURCE_DIR=… -P FermataLayers.cmake        prints what breaks it, and fails
#
# Each line: a folder, and those below it that it may look into beside itself. Public headers are
# written as they are included: `fermata/core` is include/fermata/core.
cmake_minimum_required(VERSION 3.25)

set(layers
  "fermata/core"
  "fermata/core/simd:           fermata/core"
  "fermata:                     fermata/core"
  "fermata/wasi:                fermata fermata/core"
  "runtime/core:                fermata/core"
  "runtime/os:                  fermata fermata/core"
  "runtime/storage:             runtime/os fermata/core"
  "runtime/heap:                runtime/os fermata/core"
  "runtime/host:                runtime/os runtime/heap runtime/storage fermata fermata/core"
  "runtime/wasi:                runtime/os fermata fermata/wasi"
  "runtime/wasi/posix:          runtime/wasi runtime/os fermata fermata/wasi"
  "runtime/wasi/windows:        runtime/wasi runtime/os fermata fermata/wasi"
  "runtime/snapshot:            runtime/os runtime/heap runtime/storage runtime/host runtime/wasi fermata fermata/core fermata/wasi"
  "translator/wasm"
  "translator/debug:            translator/wasm"
  "translator/validate:         translator/wasm"
  "translator/module_analysis:  translator/validate translator/wasm"
  "translator/ir:               translator/module_analysis translator/validate translator/wasm"
  "translator/analysis:         translator/ir translator/module_analysis translator/wasm"
  "translator/passes:           translator/analysis translator/ir translator/wasm"
  "translator/emit:             translator/ir translator/module_analysis translator/wasm"
  "translator/emit/function:    translator/emit translator/analysis translator/ir translator/wasm"
  "translator/emit/module:      translator/emit translator/emit/function translator/wasm"
  "translator/emit/header:      translator/emit translator/module_analysis translator/wasm"
  "translator/report:           translator/emit translator/emit/function translator/emit/module translator/module_analysis"
  "translator/inspect:          translator/module_analysis translator/validate translator/wasm"
  "translator:                  translator/analysis translator/emit translator/emit/function translator/emit/header translator/emit/module translator/ir translator/module_analysis translator/passes translator/report translator/validate translator/wasm"
  "translator/cli/process:      translator"
  "translator/cli/native:       translator translator/cli/process"
  "translator/cli/commands:     translator translator/cli/native translator/emit translator/emit/header translator/inspect translator/wasm fermata fermata/wasi"
  "translator/cli:              translator translator/cli/commands")

set(rooms "")
foreach(line IN LISTS layers)
  string(REGEX MATCHALL "[a-z_/]+" words "${line}")
  list(POP_FRONT words room)
  # Whatever a room may look into comes before it, so there can be no cycle.
  foreach(below IN LISTS words)
    if(NOT below IN_LIST rooms)
      message(SEND_ERROR "FermataLayers.cmake: ${room} may include ${below}, which is not above it in the list")
    endif()
  endforeach()
  list(APPEND rooms "${room}")
  set("may_${room}" "${words}")
endforeach()

file(GLOB_RECURSE sources RELATIVE "${SOURCE_DIR}" "${SOURCE_DIR}/include/*.h" "${SOURCE_DIR}/runtime/*.h"
     "${SOURCE_DIR}/runtime/*.cc" "${SOURCE_DIR}/translator/*.h" "${SOURCE_DIR}/translator/*.cc")
foreach(source IN LISTS sources)
  string(REGEX REPLACE "^include/" "" shown "${source}")
  cmake_path(GET shown PARENT_PATH room)
  if(NOT room IN_LIST rooms)
    message(SEND_ERROR "${source}: ${room} is not in FermataLayers.cmake")
    continue()
  endif()
  file(STRINGS "${SOURCE_DIR}/${source}" includes REGEX "^(#include|namespace) ")
  foreach(include IN LISTS includes)
    if(include MATCHES "^namespace")
      break()  # what comes then is text that the translator writes
    endif()
    if(include MATCHES "^#include \"((fermata|runtime|translator)/[^\"]+)\"")
      cmake_path(GET CMAKE_MATCH_1 PARENT_PATH other)
      if(NOT other STREQUAL room AND NOT other IN_LIST "may_${room}")
        message(SEND_ERROR "${source} includes ${CMAKE_MATCH_1}: ${room} must not include ${other}")
      endif()
    endif()
    # What generated code includes has to do without a C++ library.
    if(room MATCHES "^fermata/core" AND include MATCHES "^#include <[^.>]+>")
      message(SEND_ERROR "${source}: ${include}: core headers are freestanding")
    endif()
  endforeach()
endforeach()

# What knows the operating system. WASI's files and sockets are its business by nature, in folders of
# their own.
file(GLOB_RECURSE portable RELATIVE "${SOURCE_DIR}" "${SOURCE_DIR}/runtime/*.cc" "${SOURCE_DIR}/runtime/*.h")
foreach(source IN LISTS portable)
  if(source MATCHES "^runtime/(os|wasi/posix|wasi/windows)/")
    continue()
  endif()
  file(STRINGS "${SOURCE_DIR}/${source}" lines
       REGEX "^#include <((sys/[a-z_]+|signal|csignal|dlfcn|fcntl|netdb|poll|pthread|ucontext|unistd|windows)(\\.h)?|(arpa|netinet)/[a-z_]+\\.h)>")
  foreach(line IN LISTS lines)
    message(SEND_ERROR "${source}: ${line} belongs in runtime/os")
  endforeach()
endforeach()

# What knows the processor: the core's headers for it and for vectors, and runtime/os. (One of the
# translator's sources does, and is chosen by CMake.)
set(knows_processor include/fermata/core/processor.h runtime/core/guarded_call.h)
file(GLOB_RECURSE sources RELATIVE "${SOURCE_DIR}" "${SOURCE_DIR}/include/*.h" "${SOURCE_DIR}/runtime/*.h"
     "${SOURCE_DIR}/runtime/*.cc" "${SOURCE_DIR}/translator/*.h" "${SOURCE_DIR}/translator/*.cc"
     "${SOURCE_DIR}/spec-tests/*.h" "${SOURCE_DIR}/spec-tests/*.cc" "${SOURCE_DIR}/tests/*.h"
     "${SOURCE_DIR}/tests/*.cc")
foreach(source IN LISTS sources)
  if(source IN_LIST knows_processor OR source MATCHES "^(runtime/os|include/fermata/core/simd)/")
    continue()
  endif()
  file(STRINGS "${SOURCE_DIR}/${source}" lines
       REGEX "^ *# *(if|elif).*(__x86_64|__i386|__amd64|__aarch64|__arm|__thumb|__riscv|__s390|_M_X64|_M_ARM)")
  foreach(line IN LISTS lines)
    message(SEND_ERROR "${source}: ${line}: what knows the processor belongs in "
                       "fermata/core/processor.h, runtime/core/guarded_call.h or runtime/os")
  endforeach()
endforeach()
