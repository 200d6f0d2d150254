# The translator: the command `fermata` and, for the tests, its parts as a library.
#
# Of LLVM it uses libSupport (and what was part of it in LLVM 14), linked statically, so that an
# installed `fermata` needs no LLVM. Some distributions have no archives of LLVM, only the shared
# library of all of it.

find_package(LLVM CONFIG REQUIRED)
find_package(ZLIB REQUIRED)  # fermata links Fermata::snapshot
if(TARGET LLVMSupport)
  set(components support)
  if(TARGET LLVMTargetParser)  # since LLVM 16; the processor's name was in libSupport before
    list(APPEND components targetparser)
  endif()
  llvm_map_components_to_libnames(fermata_llvm ${components})
  # Nothing here uses the solver Z3 (by a path of the machine that LLVM was packaged for) or zstd
  # (whose development files LLVM's package need not bring along).
  get_target_property(libraries LLVMSupport INTERFACE_LINK_LIBRARIES)
  list(FILTER libraries EXCLUDE REGEX "libz3|zstd")
  set_target_properties(LLVMSupport PROPERTIES INTERFACE_LINK_LIBRARIES "${libraries}")
else()
  set(fermata_llvm LLVM)
endif()

file(GLOB_RECURSE translator_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/translator/*.cc")
list(FILTER translator_sources EXCLUDE REGEX "/translator/cli/")
# One of the two for the processor.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  list(FILTER translator_sources EXCLUDE REGEX "/sha256_portable.cc$")
else()
  list(FILTER translator_sources EXCLUDE REGEX "/sha256_x86_64.cc$")
endif()
file(GLOB cli_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/translator/cli/native/*.cc")
# The subcommands register their flags when a program starts, so they are in `fermata` alone.
file(GLOB command_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/translator/cli/commands/*.cc")

add_library(fermata_translator_lib STATIC ${translator_sources})
target_compile_features(fermata_translator_lib PUBLIC cxx_std_20)
target_include_directories(fermata_translator_lib PUBLIC "${PROJECT_SOURCE_DIR}")
target_include_directories(fermata_translator_lib SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS})
target_link_libraries(fermata_translator_lib PUBLIC
  ${fermata_llvm} absl::status absl::statusor absl::strings absl::str_format absl::span
  absl::flat_hash_map absl::flat_hash_set absl::inlined_vector Threads::Threads)
# LLVM is built without run-time type information, so classes derived from its own can't have any.
target_compile_options(fermata_translator_lib PRIVATE -fno-rtti)
fermata_uses_llvm_json(fermata_translator_lib "${PROJECT_SOURCE_DIR}/translator/pipeline.cc"
                       "${PROJECT_SOURCE_DIR}/translator/debug/source_map.cc"
                       "${PROJECT_SOURCE_DIR}/translator/report/report.cc"
                       "${PROJECT_SOURCE_DIR}/translator/inspect/graph.cc"
                       "${PROJECT_SOURCE_DIR}/translator/inspect/json.cc")
fermata_own_code(fermata_translator_lib)

# clang before 16 can't compile LLVM 14's JSON.h as C++20: it looks into std::vector of a class that
# is not complete yet.
set_source_files_properties("${PROJECT_SOURCE_DIR}/translator/report/report.cc"
                            PROPERTIES COMPILE_OPTIONS -std=c++17)

# Running programs: for the command line, the tests and the benchmarks.
file(GLOB process_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/translator/cli/process/*.cc")
add_library(fermata_process_lib STATIC ${process_sources})
target_compile_features(fermata_process_lib PUBLIC cxx_std_20)
target_include_directories(fermata_process_lib PUBLIC "${PROJECT_SOURCE_DIR}")
target_include_directories(fermata_process_lib SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS})
target_link_libraries(fermata_process_lib PUBLIC
  ${fermata_llvm} absl::status absl::statusor absl::strings Threads::Threads)
target_compile_options(fermata_process_lib PRIVATE -fno-rtti)
fermata_own_code(fermata_process_lib)

# Native builds of translations: for the command line, and the tests.
add_library(fermata_cli_lib STATIC ${cli_sources})
target_link_libraries(fermata_cli_lib PUBLIC fermata_translator_lib fermata_process_lib)
target_compile_options(fermata_cli_lib PRIVATE -fno-rtti)
fermata_own_code(fermata_cli_lib)

add_executable(fermata "${PROJECT_SOURCE_DIR}/translator/cli/main.cc" ${command_sources})
add_executable(Fermata::fermata ALIAS fermata)
target_link_libraries(fermata PRIVATE fermata_cli_lib fermata_snapshot)
fermata_loads_modules(fermata)
target_compile_options(fermata PRIVATE -fno-rtti)
# Where `fermata run` finds the headers and libraries: relative to itself if it is installed, else in
# the source and build folders.
target_compile_definitions(fermata PRIVATE
  FERMATA_VERSION="${PROJECT_VERSION}"
  FERMATA_INSTALL_INCLUDEDIR="${CMAKE_INSTALL_INCLUDEDIR}"
  FERMATA_INSTALL_LIBDIR="${CMAKE_INSTALL_LIBDIR}"
  FERMATA_SOURCE_INCLUDEDIR="${PROJECT_SOURCE_DIR}/include"
  FERMATA_BUILD_LIBDIR="${PROJECT_BINARY_DIR}/lib")
# libSupport's list of libraries is that of all of LLVM.
target_link_options(fermata PRIVATE "LINKER:--as-needed")
if(FERMATA_LINK_ARCHIVES)
  fermata_links_cxx_library(fermata)
  # What loaded modules do not use would be a third of the program.
  target_link_options(fermata PRIVATE "LINKER:--gc-sections" "LINKER:--exclude-libs,\
libfermata_translator_lib.a:libfermata_cli_lib.a:libfermata_process_lib.a:libLLVMSupport.a:libLLVMTargetParser.a:libLLVMDemangle.a:libstdc++.a")
endif()
fermata_own_code(fermata)
