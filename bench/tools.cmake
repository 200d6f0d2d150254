# The programs that the benchmarks use beside the build's own compiler, found afresh at each
# configuration, since what was installed since then counts. What is not there is empty, and is not
# measured. fermata-bench reads them from bench/tools.json in the build folder.
foreach(pair IN ITEMS gcc:gcc gxx:g++ clang:clang wasm_ld:wasm-ld wasm2c:wasm2c wasm_opt:wasm-opt
                      valgrind:valgrind node:node)
  string(REGEX MATCH "^(.*):(.*)$" pair "${pair}")
  find_program(bench_${CMAKE_MATCH_1} "${CMAKE_MATCH_2}" NO_CACHE)
  if(NOT bench_${CMAKE_MATCH_1})
    set(bench_${CMAKE_MATCH_1} "")
  endif()
endforeach()
if(NOT bench_wasm_ld)
  unset(bench_wasm_ld)
  find_program(bench_wasm_ld wasm-ld-14 NO_CACHE)
endif()

# A wasm2c of today instead of the one in PATH (bench/run hands WASM2C and WASM2C_RUNTIME over).
set(FERMATA_BENCH_WASM2C "" CACHE FILEPATH "The wasm2c to compare with (default: the one in PATH)")
set(FERMATA_BENCH_WASM2C_RUNTIME "" CACHE PATH
    "The folder of its wasm-rt.h and wasm-rt-impl.c (default: src/wasm2c where it is installed)")
if(FERMATA_BENCH_WASM2C)
  set(bench_wasm2c "${FERMATA_BENCH_WASM2C}")
endif()

# wasm2c's runtime comes as source, and wasm2c is of no use without it.
if(FERMATA_BENCH_WASM2C_RUNTIME)
  set(bench_wasm_rt "${FERMATA_BENCH_WASM2C_RUNTIME}")
elseif(bench_wasm2c)
  get_filename_component(wasm2c_prefix "${bench_wasm2c}/../.." ABSOLUTE)
  find_path(bench_wasm_rt wasm-rt.h HINTS "${wasm2c_prefix}"
            PATH_SUFFIXES src/wasm2c share/wabt/wasm2c NO_CACHE)
endif()
foreach(file IN ITEMS wasm-rt.h wasm-rt-impl.c)
  if(FERMATA_BENCH_WASM2C AND NOT EXISTS "${bench_wasm_rt}/${file}")
    message(FATAL_ERROR "FERMATA_BENCH_WASM2C: its runtime is not at \"${bench_wasm_rt}\", which "
                        "has no ${file}; set FERMATA_BENCH_WASM2C_RUNTIME")
  endif()
endforeach()
# Since 1.0.33 it is in several files, of which the kernels need those that are there.
file(GLOB bench_wasm_rt_sources "${bench_wasm_rt}/wasm-rt*.c")
set(bench_wasm2c_definitions "")
if(bench_wasm_rt)
  file(STRINGS "${bench_wasm_rt}/wasm-rt.h" registers_types REGEX "wasm_rt_register_func_type")
  if(registers_types)
    set(bench_wasm2c_definitions BENCH_WASM2C_NAMES_1_0_32)  # bench/kernels/main/wasm2c_names.h
  endif()
else()
  set(bench_wasm_rt "")
  set(bench_wasm2c "")
endif()
string(REGEX REPLACE "/$" "" bench_wasm_rt "${bench_wasm_rt}")
# The one that compiles C to wasm.
set(bench_wasm_clang "${bench_clang}")
if(NOT bench_wasm_ld)
  set(bench_wasm_clang "")
endif()

# A Python that has matplotlib: the one in PATH need not be the one that has the system's packages.
set(bench_python "")
find_program(python python3 NO_CACHE)
foreach(candidate IN ITEMS "${python}" /usr/bin/python3)
  execute_process(COMMAND "${candidate}" -c "import matplotlib" RESULT_VARIABLE failed
                  OUTPUT_QUIET ERROR_QUIET)
  if(failed EQUAL 0)
    set(bench_python "${candidate}")
    break()
  endif()
endforeach()

# What is measured is compiled by g++ and by the newest clang.
foreach(older RANGE 26)
  math(EXPR version "40 - ${older}")
  find_program(versioned_clang clang-${version} NO_CACHE)
  find_program(versioned_clangxx clang++-${version} NO_CACHE)
  if(versioned_clang AND versioned_clangxx)
    break()
  endif()
  unset(versioned_clang)
  unset(versioned_clangxx)
endforeach()
if(NOT versioned_clang OR NOT versioned_clangxx)
  find_program(versioned_clang clang NO_CACHE)
  find_program(versioned_clangxx clang++ NO_CACHE)
endif()
set(bench_compilers "")
set(compilers_json "")
foreach(compiler IN ITEMS gcc clang)
  if(compiler STREQUAL "gcc")
    set(cc "${bench_gcc}")
    set(cxx "${bench_gxx}")
  else()
    set(cc "${versioned_clang}")
    set(cxx "${versioned_clangxx}")
  endif()
  if(cc AND cxx)
    list(APPEND bench_compilers ${compiler})
    set(bench_cc_${compiler} "${cc}")
    set(bench_cxx_${compiler} "${cxx}")
    list(APPEND compilers_json "{\"name\": \"${compiler}\", \"cc\": \"${cc}\", \"cxx\": \"${cxx}\"}")
  endif()
endforeach()

list(JOIN compilers_json ", " compilers_json)
# Builds go on after a failure: what could not be built is not measured.
set(keep_going "-k")
if(CMAKE_GENERATOR MATCHES "Ninja")
  set(keep_going "-k0")
endif()
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/bench/tools.json" @ONLY CONTENT [=[{
  "cmake": "@CMAKE_COMMAND@",
  "keep_going": "@keep_going@",
  "wasm_clang": "@bench_wasm_clang@",
  "wasm2c": "@bench_wasm2c@",
  "wasm_rt": "@bench_wasm_rt@",
  "valgrind": "@bench_valgrind@",
  "node": "@bench_node@",
  "python": "@bench_python@",
  "compilers": [@compilers_json@]
}
]=])
