#[[
A WebAssembly module as a C++ library.

  fermata_add_guest(<target> <module.wasm>
                    [NAMESPACE <a::b>]          default: guest
                    [CLASS <Name>]              default: <target> in CamelCase
                    [IMMEDIATE <glob>...]       imports ("module.field") that are plain calls
                    [WASI]                      a WASI program: the WASI functions that never
                                                wait are plain calls, bound by wasi::System
                    [SHARDS <n>]                C++ files the functions are spread over; default: 1
                    [MEMORY reserved|checked|fixed]
                                                default: reserved (guard pages, no checks) on x86-64
                                                and AArch64, else checked; fixed: the memory never
                                                grows
                    [MEMORY_BYTES <n>]          of MEMORY fixed: what the guest may use; default:
                                                what it declares
                    [SHAPE auto|split|tails|shared]   default: auto
                    [PREEMPT interrupt|fuel]    the host can pause the guest while it runs, by
                                                interrupting its store; with fuel, the guest is
                                                also paused when its fuel is used up. PREEMPT
                                                alone: interrupt
                    [FEATURES <proposal>...]    proposals that the module may use, or with a '-'
                                                must not use (-threads); default: all supported
                    [PROFILE hosted|freestanding]
                                                default: hosted; freestanding: for microcontrollers,
                                                without heap and library (docs/embedded.md), MEMORY
                                                fixed
                    [FRAME_BYTES <n>]           of PROFILE freestanding: what a held call may have;
                                                needed if it may suspend in a recursion
                    [EXTRA_OUTPUTS ir report]   also <target>.ir and <target>.json
                    [OPTIONS <flag>...]         further flags of `fermata translate`
                    [DEPENDS <target|file>...]  what else the translation waits for)

<target> is a static library: link it, and include "<target>.h", in quotes. (It is not found as
<<target>.h>, so that it may have the name of another header.) For a plugin, set
CMAKE_POSITION_INDEPENDENT_CODE before the call.

The module may be a file in the source folder, or one that the build makes in the binary folder. If
there are both, the one that the build makes is used, with a warning.

The generated files are in <binary folder>/<target>.fermata/. They are made again only when the
module or the translator changed. Only those whose text changed are written, so only those are
compiled again.

When cross-compiling, set FERMATA_NATIVE_TRANSLATOR to a `fermata` that runs on the build machine.
]]
include_guard(GLOBAL)

# The proposals that the translator accepts; all of them are on unless taken away.
set(_FERMATA_FEATURES mutable-globals sign-extension saturating-float-to-int multi-value bulk-memory
    reference-types extended-const simd relaxed-simd tail-call exceptions legacy-exceptions memory64
    multi-memory function-references gc threads custom-page-sizes wide-arithmetic
    compact-imports custom-descriptors)

# Stops with a message, given in pieces, about the call of fermata_add_guest(<target> ...).
function(_fermata_guest_error)
  set(message "fermata_add_guest(${target}): ")
  math(EXPR last "${ARGC} - 1")
  foreach(piece RANGE ${last})
    string(APPEND message "${ARGV${piece}}")
  endforeach()
  message(FATAL_ERROR "${message}")
endfunction()

# The arguments that have a fixed set of values.
function(_fermata_check_choice target keyword value)
  if(value STREQUAL "" OR value IN_LIST ARGN)
    return()
  endif()
  list(JOIN ARGN ", " choices)
  _fermata_guest_error("${keyword} is '${value}'; it can be: ${choices}")
endfunction()

# Arguments that are not understood, or not yet.
function(_fermata_check_arguments target)
  if(NOT target MATCHES "^[A-Za-z_][A-Za-z0-9_-]*$")
    _fermata_guest_error("the target's name also names files and a class: use letters, digits, "
                         "'_' and '-'")
  endif()
  if(TARGET "${target}")
    _fermata_guest_error("a target of this name exists already")
  endif()
  if(ARG_UNPARSED_ARGUMENTS)
    list(JOIN ARG_UNPARSED_ARGUMENTS " " rest)
    _fermata_guest_error("unknown arguments: ${rest}")
  endif()
  list(REMOVE_ITEM ARG_KEYWORDS_MISSING_VALUES PREEMPT)
  if(ARG_KEYWORDS_MISSING_VALUES)
    list(JOIN ARG_KEYWORDS_MISSING_VALUES " " keywords)
    _fermata_guest_error("no value given for: ${keywords}")
  endif()
  _fermata_check_choice("${target}" PROFILE "${ARG_PROFILE}" hosted freestanding)
  if(ARG_PROFILE STREQUAL "freestanding")
    _fermata_check_choice("${target}" MEMORY "${ARG_MEMORY}" fixed)
    if(ARG_WASI)
      _fermata_guest_error("WASI needs PROFILE hosted")
    endif()
  elseif(DEFINED ARG_FRAME_BYTES)
    _fermata_guest_error("FRAME_BYTES needs PROFILE freestanding")
  elseif(DEFINED ARG_MEMORY_BYTES AND NOT ARG_MEMORY STREQUAL "fixed")
    _fermata_guest_error("MEMORY_BYTES needs MEMORY fixed")
  endif()
  foreach(size IN ITEMS MEMORY_BYTES FRAME_BYTES)
    if(DEFINED ARG_${size} AND NOT ARG_${size} MATCHES "^(0|[1-9][0-9]*)$")
      _fermata_guest_error("${size} is '${ARG_${size}}'; it takes a number of bytes")
    endif()
  endforeach()
  _fermata_check_choice("${target}" MEMORY "${ARG_MEMORY}" reserved checked fixed)
  _fermata_check_choice("${target}" SHAPE "${ARG_SHAPE}" auto split tails shared)
  _fermata_check_choice("${target}" PREEMPT "${ARG_PREEMPT}" interrupt fuel)
  foreach(output IN LISTS ARG_EXTRA_OUTPUTS)
    _fermata_check_choice("${target}" EXTRA_OUTPUTS "${output}" ir report)
  endforeach()
  foreach(feature IN LISTS ARG_FEATURES)
    string(REGEX REPLACE "^-" "" proposal "${feature}")
    _fermata_check_choice("${target}" FEATURES "${proposal}" ${_FERMATA_FEATURES})
  endforeach()
  if(NOT ARG_SHARDS MATCHES "^[1-9][0-9]*$" OR ARG_SHARDS GREATER 1024)
    _fermata_guest_error("SHARDS is '${ARG_SHARDS}'; it takes a number from 1 to 1024")
  endif()
  if(NOT ARG_CLASS MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    _fermata_guest_error("CLASS '${ARG_CLASS}' is not a C++ identifier")
  endif()
  if(NOT ARG_NAMESPACE MATCHES "^[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z_][A-Za-z0-9_]*)*$")
    _fermata_guest_error("NAMESPACE '${ARG_NAMESPACE}' is not a C++ namespace")
  endif()
endfunction()

# Sets <out> to the full path of the module: what a rule above makes, else a file in the source or the
# binary folder. As CMake itself takes a name: a rule's output is in the binary folder.
function(_fermata_find_module target module out)
  cmake_path(ABSOLUTE_PATH module BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE
             OUTPUT_VARIABLE source)
  cmake_path(ABSOLUTE_PATH module BASE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}" NORMALIZE
             OUTPUT_VARIABLE binary)
  set(made "")
  set(found "")
  foreach(path IN ITEMS "${binary}" "${source}")
    get_source_file_property(generated "${path}" GENERATED)
    if(generated)
      list(APPEND made "${path}")
    endif()
  endforeach()
  foreach(path IN ITEMS "${source}" "${binary}")
    if(EXISTS "${path}" AND NOT IS_DIRECTORY "${path}")
      list(APPEND found "${path}")
    endif()
  endforeach()
  list(APPEND made ${found})
  if(NOT made)
    _fermata_guest_error("there is no file '${source}', and no rule above this call makes "
                         "'${binary}'")
  endif()
  list(GET made 0 chosen)
  if(NOT source STREQUAL binary AND EXISTS "${source}" AND NOT IS_DIRECTORY "${source}"
     AND ("${binary}" IN_LIST made))
    if(chosen STREQUAL binary)
      set(other "${source}")
    else()
      set(other "${binary}")
    endif()
    message(WARNING "fermata_add_guest(${target}): '${chosen}' is used, not '${other}': give "
                    "the full path to say which is meant")
  endif()
  set(${out} "${chosen}" PARENT_SCOPE)
endfunction()

# Sets <command> and <dependency> to the translator.
function(_fermata_find_translator target command dependency)
  if(FERMATA_NATIVE_TRANSLATOR)
    if(NOT EXISTS "${FERMATA_NATIVE_TRANSLATOR}")
      _fermata_guest_error("FERMATA_NATIVE_TRANSLATOR is '${FERMATA_NATIVE_TRANSLATOR}', which "
                           "does not exist")
    endif()
    set(${command} "${FERMATA_NATIVE_TRANSLATOR}" PARENT_SCOPE)
    set(${dependency} "${FERMATA_NATIVE_TRANSLATOR}" PARENT_SCOPE)
  elseif(TARGET Fermata::fermata AND NOT CMAKE_CROSSCOMPILING)
    set(${command} "$<TARGET_FILE:Fermata::fermata>" PARENT_SCOPE)
    set(${dependency} "$<TARGET_FILE:Fermata::fermata>" PARENT_SCOPE)
  else()
    _fermata_guest_error("no translator runs here: set FERMATA_NATIVE_TRANSLATOR to a `fermata` "
                         "built for this machine")
  endif()
endfunction()

# No frame, however large, steps over the page that ends the stack: what lies behind it may be a guest's
# reserved memory. Windows has that anyway.
function(_fermata_probe_stack target)
  set(options "")
  if(CMAKE_SYSTEM_NAME STREQUAL "Windows")
    return()
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    set(options "$<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-fstack-clash-protection>")
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    # Without the parameter it takes the end for 64 KiB, which Linux makes 4.
    set(options "$<$<CXX_COMPILER_ID:GNU>:-fstack-clash-protection;--param=stack-clash-protection-guard-size=12>")
  endif()
  target_compile_options("${target}" PRIVATE "${options}")
endfunction()

# WebAssembly rounds after every floating-point operation, keeps the bits of NaNs, may loop for ever,
# aliases as it likes, and runs out of stack when it calls itself for ever, also in tail position; and
# generated code is not where a reader looks for warnings.
function(_fermata_compile_as_guest target optimization)
  set(gnu "$<CXX_COMPILER_ID:GNU>")
  set(gnu_like "$<CXX_COMPILER_ID:GNU,Clang,AppleClang>")
  target_compile_options("${target}" PRIVATE
    "$<$<CONFIG:Release>:${optimization}>"
    "$<${gnu_like}:-ffp-contract=off;-fno-finite-loops;-fno-strict-aliasing>"
    "$<${gnu_like}:-fno-optimize-sibling-calls;-fno-math-errno;-w>"
    "$<${gnu}:-fsignaling-nans>"
    # Superlinear where many values are stored as a frame.
    "$<$<CXX_COMPILER_ID:Clang,AppleClang>:-fno-slp-vectorize>")
  _fermata_probe_stack("${target}")
  target_compile_definitions("${target}" PRIVATE FERMATA_FP_CONTRACT_OFF)
  set_target_properties("${target}" PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON)
endfunction()

# What every target of the freestanding profile is compiled with.
function(_fermata_compile_freestanding target)
  target_compile_definitions("${target}" PRIVATE FERMATA_FREESTANDING=1)
  target_compile_options("${target}" PRIVATE -ffreestanding -fno-exceptions -fno-rtti
    -ffunction-sections -fdata-sections -fno-strict-aliasing)
  set_target_properties("${target}" PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON)
endfunction()

# The core of the freestanding profile, compiled once in a project, for its machine: from the sources
# that lie beside this file, or are installed below it.
function(_fermata_add_freestanding_core)
  if(TARGET fermata_freestanding_core)
    return()
  endif()
  set(here "${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
  foreach(candidate IN ITEMS "${here}/.." "${here}/sources")
    if(EXISTS "${candidate}/runtime/core/machine.cc")
      cmake_path(ABSOLUTE_PATH candidate NORMALIZE OUTPUT_VARIABLE folder)
      break()
    endif()
  endforeach()
  # An installation's headers are some folders up, which depends on where it has its libraries.
  foreach(candidate IN ITEMS "${here}/../include" "${here}/../../../include"
                             "${here}/../../../../include")
    if(EXISTS "${candidate}/fermata/embedded.h")
      cmake_path(ABSOLUTE_PATH candidate NORMALIZE OUTPUT_VARIABLE include)
      break()
    endif()
  endforeach()
  add_library(fermata_freestanding_core STATIC
    "${folder}/runtime/core/machine.cc" "${folder}/runtime/core/trampoline.cc"
    "${folder}/runtime/core/bulk.cc" "${folder}/runtime/core/trap.cc")
  target_include_directories(fermata_freestanding_core PUBLIC "${include}" PRIVATE "${folder}")
  target_compile_options(fermata_freestanding_core PRIVATE "$<$<CONFIG:Release>:-Os>")
  _fermata_compile_freestanding(fermata_freestanding_core)
endfunction()

function(fermata_add_guest target module)
  cmake_parse_arguments(PARSE_ARGV 2 ARG "WASI" "NAMESPACE;CLASS;SHARDS;MEMORY;MEMORY_BYTES;FRAME_BYTES;SHAPE;PREEMPT;PROFILE"
                        "IMMEDIATE;FEATURES;EXTRA_OUTPUTS;OPTIONS;DEPENDS")
  if(PREEMPT IN_LIST ARG_KEYWORDS_MISSING_VALUES)
    set(ARG_PREEMPT interrupt)
  endif()
  if(NOT DEFINED ARG_NAMESPACE)
    set(ARG_NAMESPACE guest)
  endif()
  if(NOT DEFINED ARG_SHARDS)
    set(ARG_SHARDS 1)
  endif()
  if(NOT DEFINED ARG_CLASS)
    string(REGEX MATCHALL "[A-Za-z0-9]+" words "${target}")
    foreach(word IN LISTS words)
      string(SUBSTRING "${word}" 0 1 first)
      string(SUBSTRING "${word}" 1 -1 rest)
      string(TOUPPER "${first}" first)
      string(APPEND ARG_CLASS "${first}${rest}")
    endforeach()
  endif()
  _fermata_check_arguments("${target}")
  _fermata_find_module("${target}" "${module}" module)
  _fermata_find_translator("${target}" translator dependency)

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}.fermata")
  set(sources "${folder}/${target}_module.cc" "${folder}/${target}_data.cc")
  math(EXPR last "${ARG_SHARDS} - 1")
  foreach(shard RANGE ${last})
    list(APPEND sources "${folder}/${target}_${shard}.cc")
  endforeach()
  set(outputs "${folder}/${target}.h" "${folder}/${target}_module.h" ${sources})

  set(flags "--namespace=${ARG_NAMESPACE}" "--class=${ARG_CLASS}" "--name=${target}"
            "--shards=${ARG_SHARDS}")
  if(NOT ARG_MEMORY AND NOT ARG_PROFILE STREQUAL "freestanding")
    set(ARG_MEMORY checked)
    if(CMAKE_SIZEOF_VOID_P EQUAL 8
       AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|aarch64|arm64|ARM64)$")
      set(ARG_MEMORY reserved)
    endif()
  endif()
  foreach(option IN ITEMS MEMORY SHAPE PREEMPT)
    if(ARG_${option})
      string(TOLOWER "${option}" flag)
      list(APPEND flags "--${flag}=${ARG_${option}}")
    endif()
  endforeach()
  foreach(option IN ITEMS MEMORY_BYTES:memory-bytes FRAME_BYTES:frame-bytes PROFILE:profile)
    string(REGEX MATCH "^(.*):(.*)$" pair "${option}")
    if(DEFINED ARG_${CMAKE_MATCH_1})
      list(APPEND flags "--${CMAKE_MATCH_2}=${ARG_${CMAKE_MATCH_1}}")
    endif()
  endforeach()
  if(ARG_WASI)
    list(APPEND flags --wasi)
  endif()
  list(TRANSFORM ARG_IMMEDIATE PREPEND "--immediate=" OUTPUT_VARIABLE immediate)
  list(TRANSFORM ARG_FEATURES PREPEND "--features=" OUTPUT_VARIABLE features)
  foreach(pair IN ITEMS report:json ir:ir)
    string(REGEX MATCH "^(.*):(.*)$" pair "${pair}")
    if(CMAKE_MATCH_1 IN_LIST ARG_EXTRA_OUTPUTS)
      list(APPEND flags "--${CMAKE_MATCH_1}=${folder}/${target}.${CMAKE_MATCH_2}")
      list(APPEND outputs "${folder}/${target}.${CMAKE_MATCH_2}")
    endif()
  endforeach()

  # The translator leaves files alone whose text would not change. The stamp comes first because it
  # tells make that the command ran; ninja looks at each file.
  add_custom_command(
    OUTPUT "${folder}/${target}.stamp" ${outputs}
    COMMAND "${translator}" translate "${module}" -o "${folder}" ${flags} ${immediate}
            ${features} ${ARG_OPTIONS}
    COMMAND "${CMAKE_COMMAND}" -E touch "${folder}/${target}.stamp"
    DEPENDS "${module}" "${dependency}" ${ARG_DEPENDS}
    COMMENT "Translating ${target}"
    VERBATIM)

  add_library("${target}" STATIC ${sources})
  if(ARG_PROFILE STREQUAL "freestanding")
    _fermata_compile_as_guest("${target}" -Os)
  else()
    _fermata_compile_as_guest("${target}" -O2)
  endif()
  # Found by #include "<target>.h" alone: a guest may be called `time` or `png` without being in the
  # place of what others include as <time.h> or <png.h>.
  set(quotes GNU,Clang,AppleClang)
  target_compile_options("${target}" INTERFACE
    "$<BUILD_INTERFACE:$<$<COMPILE_LANG_AND_ID:CXX,${quotes}>:-iquote${folder}>>")
  target_include_directories("${target}" SYSTEM INTERFACE
    "$<BUILD_INTERFACE:$<$<NOT:$<CXX_COMPILER_ID:${quotes}>>:${folder}>>")
  if(ARG_PROFILE STREQUAL "freestanding")
    _fermata_compile_freestanding("${target}")
    _fermata_add_freestanding_core()
    target_link_libraries("${target}" PUBLIC fermata_freestanding_core)
    return()
  endif()
  # The runtime is for those who use the guest; its own code sees the core alone, which keeps its
  # compilation fast.
  target_link_libraries("${target}" PRIVATE Fermata::core INTERFACE Fermata::runtime)
endfunction()
