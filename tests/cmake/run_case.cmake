# Runs one case of Fermata used by another project:
#
#   cmake -DCASE=<name> -DSETTINGS=<file> -P run_case.cmake
#
# Stops with an error, which shows what was run and what it printed, if anything is not as it should
# be.
cmake_minimum_required(VERSION 3.25)
include("${SETTINGS}")
include("${work_dir}/translator.cmake")
set(here "${CMAKE_CURRENT_LIST_DIR}")
set(prefix "${work_dir}/prefix")
set(case_dir "${work_dir}/${CASE}")

# ---- Steps ---------------------------------------------------------------------------------------

# Runs a command that must succeed; `output` is then what it printed.
function(run)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE output ERROR_VARIABLE output
                  RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${result}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# Stops unless `output` matches (or, with NOT, doesn't match) the regular expression.
function(expect regex)
  if(regex STREQUAL "NOT")
    if(output MATCHES "${ARGV1}")
      message(FATAL_ERROR "not expected, but there: ${ARGV1}\nin:\n${output}")
    endif()
  elseif(NOT output MATCHES "${regex}")
    message(FATAL_ERROR "expected: ${regex}\nin:\n${output}")
  endif()
endfunction()

function(configure source binary)
  file(REMOVE_RECURSE "${binary}")
  run("${CMAKE_COMMAND}" -G "${generator}" -S "${source}" -B "${binary}" ${compiler_arguments}
      ${ARGN})
endfunction()

macro(build binary)
  run("${CMAKE_COMMAND}" --build "${binary}" --parallel 2)
endmacro()

# Runs the outside project's program, whose guest adds `base`.
function(check_program binary base)
  run("${binary}/outside")
  math(EXPR sum "${base} + 40 + 42")
  set(line "outside: ask_twice\\(20\\) = ${sum} square\\(9\\) = 81 logged 20\n")
  expect("^${line}${line}$")
endfunction()

# Configures and builds the outside project and runs its program.
function(try_project binary)
  configure("${here}/project" "${binary}" ${ARGN})
  build("${binary}")
  check_program("${binary}" 100)
endfunction()

set(guest "-DGUEST=${here}/project/guest.wasm")

# ---- Cases ---------------------------------------------------------------------------------------

# Found by find_package in the folder it was installed to; and the README's example with it.
function(case_installed)
  file(REMOVE_RECURSE "${prefix}")
  run("${CMAKE_COMMAND}" --install "${build_dir}" --prefix "${prefix}")
  try_project("${case_dir}/one" "-DCMAKE_PREFIX_PATH=${prefix}" "${guest}" -DSHARDS=1)
  file(SIZE "${case_dir}/one/two-questions.fermata/two-questions.json" size)
  if(size LESS 10)
    message(FATAL_ERROR "EXTRA_OUTPUTS report: two-questions.json is empty")
  endif()

  configure("${source_dir}/examples/hello" "${case_dir}/hello" "-DCMAKE_PREFIX_PATH=${prefix}")
  build("${case_dir}/hello")
  run("${case_dir}/hello/hello")
  expect("sum = 60\n$")
endfunction()

# The installed libraries and a guest, in a shared library that a program loads.
function(case_plugin)
  configure("${here}/plugin" "${case_dir}" "-DCMAKE_PREFIX_PATH=${prefix}" "${guest}")
  build("${case_dir}")
  run("${case_dir}/loader" "${case_dir}/plugin.so")
  expect("^81 and [1-9][0-9]* bytes\n$")
endfunction()

# More source files than functions is fine too.
function(case_shards)
  try_project("${case_dir}/three" "-DCMAKE_PREFIX_PATH=${prefix}" "${guest}" -DSHARDS=3)
  foreach(shard RANGE 2)
    if(NOT EXISTS "${case_dir}/three/two-questions.fermata/two-questions_${shard}.cc")
      message(FATAL_ERROR "SHARDS 3: two-questions_${shard}.cc is missing")
    endif()
  endforeach()
endfunction()

# As a subdirectory, translator included. What this build compiled already comes from ccache; where
# there is none, this build's translator is used, as compiling another takes minutes.
function(case_subdirectory)
  set(arguments "-DFERMATA_WARNINGS=${warnings}")
  if(NOT ccache)
    list(APPEND arguments "-DFERMATA_NATIVE_TRANSLATOR=${translator}")
  endif()
  try_project("${case_dir}" "-DFERMATA_AS_SUBDIRECTORY=${source_dir}" "${guest}" -DSHARDS=1
              ${arguments})
endfunction()

# As when cross-compiling: the translator is given, and none is built.
function(case_cross)
  try_project("${case_dir}" "-DFERMATA_AS_SUBDIRECTORY=${source_dir}" "${guest}" -DSHARDS=2
              "-DFERMATA_NATIVE_TRANSLATOR=${translator}" "-DFERMATA_WARNINGS=${warnings}"
              -DCMAKE_SYSTEM_NAME=${CMAKE_HOST_SYSTEM_NAME})
  file(GLOB_RECURSE built "${case_dir}/fermata/fermata" "${case_dir}/fermata/bin/fermata")
  if(built)
    message(FATAL_ERROR "a translator was built: ${built}")
  endif()
endfunction()

# A microcontroller's project, which has no Abseil and no operating system: with the installation, and
# with the sources.
function(case_firmware)
  set(machine -DCMAKE_SYSTEM_NAME=Generic "-DFERMATA_NATIVE_TRANSLATOR=${prefix}/bin/fermata"
      "-DGUEST=${source_dir}/tests/embedded/embedded_worker.wasm")
  configure("${here}/firmware" "${case_dir}/installed" "-DCMAKE_PREFIX_PATH=${prefix}" ${machine})
  build("${case_dir}/installed")
  run("${case_dir}/installed/firmware")
  configure("${here}/firmware" "${case_dir}/sources" ${machine}
            "-DFERMATA_ADD_GUEST=${source_dir}/cmake/FermataAddGuest.cmake")
  build("${case_dir}/sources")
  run("${case_dir}/sources/firmware")
endfunction()

# A build does what is needed, and no more.
function(case_rebuild)
  set(binary "${case_dir}/build")
  set(module "${case_dir}/guest.wasm")
  file(REMOVE_RECURSE "${case_dir}")
  file(COPY "${here}/project/guest.wasm" DESTINATION "${case_dir}")
  try_project("${binary}" "-DCMAKE_PREFIX_PATH=${prefix}" "-DGUEST=${module}" -DSHARDS=1)

  build("${binary}")  # nothing changed
  expect(NOT "Translating|Building|Linking")

  run("${CMAKE_COMMAND}" -E sleep 1.1)
  file(TOUCH "${module}")  # the same module again
  build("${binary}")
  expect("Translating two-questions")
  if(generator MATCHES "Ninja")  # make can't be told that a command changed nothing
    expect(NOT "Building|Linking")
  endif()
  build("${binary}")
  expect(NOT "Translating|Building|Linking")

  run("${CMAKE_COMMAND}" -E sleep 1.1)
  file(COPY_FILE "${here}/project/changed.wasm" "${module}")  # one constant is another
  file(TOUCH "${module}")
  build("${binary}")
  expect("Translating two-questions")
  expect("Building CXX object [^\n]*two-questions_0.cc")
  if(generator MATCHES "Ninja")
    expect(NOT "two-questions_data.cc")
  endif()
  check_program("${binary}" 101)
  build("${binary}")
  expect(NOT "Translating|Building|Linking")
endfunction()

# Calls fermata_add_guest with `arguments`, which must fail with a message that matches `regex`.
function(expect_error arguments regex)
  execute_process(COMMAND "${CMAKE_COMMAND}" -S "${here}/errors" -B "${case_dir}" -G "${generator}"
                          "-DFERMATA_ADD_GUEST=${source_dir}/cmake/FermataAddGuest.cmake"
                          "-DTRANSLATOR=${translator}" "-DARGUMENTS=${arguments}" ${ARGN}
                  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")  # CMake wraps messages
  if(result EQUAL 0)
    message(FATAL_ERROR "fermata_add_guest(${arguments}) was accepted")
  endif()
  expect("${regex}")
endfunction()

function(case_errors)
  file(REMOVE_RECURSE "${case_dir}")
  set(g "g ${here}/project/guest.wasm")
  expect_error("g nowhere.wasm" "\\(g\\): there is no file '[^']*/errors/nowhere.wasm'")
  expect_error("g both.wasm" "\\(g\\): '[^']*/errors/both.wasm' is used, not '[^']*/errors/both.wasm'"
               -DRULE=both.wasm)
  expect_error("g one.wasm" "was accepted" -DRULE=one.wasm)
  expect(NOT "is used, not")
  expect_error("${g} NAMSPACE x" "\\(g\\): unknown arguments: NAMSPACE x")
  expect_error("${g} CLASS" "no value given for: CLASS")
  expect_error("${g} CLASS a-b" "CLASS 'a-b' is not a C\\+\\+ identifier")
  expect_error("${g} NAMESPACE a:b" "NAMESPACE 'a:b' is not a C\\+\\+ namespace")
  expect_error("${g} SHARDS 0" "SHARDS is '0'; it takes a number from 1 to 1024")
  expect_error("${g} SHARDS 1025" "SHARDS is '1025'")
  expect_error("${g} SHARDS many" "SHARDS is 'many'")
  expect_error("${g} MEMORY guarded" "MEMORY is 'guarded'; it can be: reserved, checked, fixed")
  expect_error("${g} MEMORY_BYTES 100" "MEMORY_BYTES needs MEMORY fixed")
  expect_error("${g} MEMORY fixed MEMORY_BYTES 1K" "MEMORY_BYTES is '1K'; it takes a number of bytes")
  expect_error("${g} SHAPE round" "SHAPE is 'round'; it can be: auto, split, tails, shared")
  expect_error("${g} PROFILE bare" "PROFILE is 'bare'; it can be: hosted, freestanding")
  expect_error("${g} PROFILE freestanding MEMORY checked" "MEMORY is 'checked'; it can be: fixed")
  expect_error("${g} PROFILE freestanding FRAME_BYTES few" "FRAME_BYTES is 'few'; it takes a number")
  expect_error("${g} FRAME_BYTES 100" "FRAME_BYTES needs PROFILE freestanding")
  expect_error("${g} PREEMPT maybe" "PREEMPT is 'maybe'; it can be: interrupt, fuel")
  expect_error("${g} EXTRA_OUTPUTS pdf" "EXTRA_OUTPUTS is 'pdf'; it can be: ir, report")
  expect_error("${g} FEATURES time-travel" "FEATURES is 'time-travel'; it can be: ")
  expect_error("taken ${here}/project/guest.wasm" "a target of this name exists already")
  expect_error("1st ${here}/project/guest.wasm" "the target's name also names files")
  expect_error("${g}" "no translator runs here" -DTRANSLATOR=)
  expect_error("${g}" "is '/no/such/fermata', which does not exist"
               -DFERMATA_NATIVE_TRANSLATOR=/no/such/fermata)
endfunction()

cmake_language(CALL "case_${CASE}")
