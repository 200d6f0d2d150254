# The builds for other machines, each an external project of this one (preset `ports`, docs/ports.md):
#
#   port_libraries_NAME   the libraries for machine NAME, in ports/NAME-libraries of the build folder
#   port_NAME             the runtime, its unit tests, the player of the official suite and the
#                         program of tests/moves for it, in ports/NAME
#   ports                 all of these, and what is tested of microcontrollers
#
# Their tests are tests of this build, with the labels `port` and NAME.
include_guard(GLOBAL)
include(ExternalProject)

set(FERMATA_PORTS aarch64 s390x armhf riscv64 windows CACHE STRING
    "Machines that the preset ports builds for")
set(FERMATA_PORT_TARGET port CACHE STRING
    "What is built for them: port, or port_smoke for the tests with the label smoke alone")

# By machine: the prefix of the compiler's name; Debian's name of the architecture, where its packages
# are unpacked (libraries are built from source packages elsewhere); the emulator.
set(port_aarch64 aarch64-linux-gnu- arm64 qemu-aarch64)
set(port_armhf arm-linux-gnueabihf- armhf qemu-arm)
set(port_riscv64 riscv64-linux-gnu- "" qemu-riscv64)
set(port_s390x s390x-linux-gnu- s390x qemu-s390x)
set(port_windows x86_64-w64-mingw32- "" wine64)

# What the runtime and its tests need of a machine's libraries.
set(port_packages libabsl-dev libabsl20220623 libgtest-dev libgmock-dev zlib1g-dev zlib1g libasio-dev
    nlohmann-json3-dev)
# The translator's, which is built for AArch64. LLVM's CMake package names files of all of these.
set(port_packages_aarch64 llvm-14-dev llvm-14 llvm-14-tools llvm-14-runtime llvm-14-linker-tools libllvm14
    libtinfo6 libncurses-dev)

set(port_options_aarch64 -DFERMATA_BUILD_TRANSLATOR=ON)
set(port_options -DFERMATA_MOVES_PROGRAMS=ON)
if(FERMATA_PORT_TARGET STREQUAL "port_smoke")
  set(port_options -DFERMATA_MOVES_PROGRAMS=OFF)
endif()

function(_fermata_add_port port)
  list(GET port_${port} 0 prefix)
  list(GET port_${port} 1 architecture)
  list(GET port_${port} 2 emulator)
  set(toolchain "${PROJECT_SOURCE_DIR}/cmake/toolchains/${port}.cmake")
  if(NOT EXISTS "${toolchain}")
    set(toolchain "${PROJECT_SOURCE_DIR}/cmake/toolchains/${port}-linux.cmake")
  endif()
  find_program(FERMATA_CXX_FOR_${port} NAMES ${prefix}g++-posix ${prefix}g++)
  find_program(FERMATA_EMULATOR_OF_${port} NAMES ${emulator} PATHS /usr/lib/wine)
  mark_as_advanced(FERMATA_CXX_FOR_${port} FERMATA_EMULATOR_OF_${port})
  if(NOT FERMATA_CXX_FOR_${port} OR NOT FERMATA_EMULATOR_OF_${port})
    message(FATAL_ERROR "Fermata: the port ${port} needs ${prefix}g++ and ${emulator}; the README's "
                        "command for the ports names the packages. -DFERMATA_PORTS=\"aarch64;...\" "
                        "chooses some of the ports.")
  endif()

  set(libraries "${PROJECT_BINARY_DIR}/ports/${port}-libraries")
  set(scripts "${PROJECT_SOURCE_DIR}/cmake/ports")
  if(architecture)
    set(command "${scripts}/unpack-packages" "${architecture}" "${libraries}" ${port_packages}
        ${port_packages_${port}})
  else()
    set(command "${scripts}/build-libraries" "${toolchain}" "${libraries}")
  endif()
  # They know themselves whether there is anything to do.
  add_custom_target(port_libraries_${port} COMMAND ${command} VERBATIM USES_TERMINAL
                    COMMENT "Libraries for ${port}")

  ExternalProject_Add(port_${port}
    SOURCE_DIR "${PROJECT_SOURCE_DIR}"
    BINARY_DIR "${PROJECT_BINARY_DIR}/ports/${port}"
    PREFIX "${PROJECT_BINARY_DIR}/ports/steps/${port}"
    CMAKE_ARGS "-DCMAKE_TOOLCHAIN_FILE=${toolchain}" "-DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE}"
               "-DCMAKE_CXX_FLAGS_RELEASE=${CMAKE_CXX_FLAGS_RELEASE}"
               "-DFERMATA_SYSROOT=${libraries}" "-DFERMATA_PORT=${port}"
               "-DFERMATA_NATIVE_TRANSLATOR=$<TARGET_FILE:fermata>"
               "-DFERMATA_NATIVE_SPEC=$<TARGET_FILE:fermata-spec>"
               "-DFERMATA_SHARED_DIR=${FERMATA_SHARED_DIR}" -DFERMATA_BUILD_EXAMPLES=OFF
               ${port_options} ${port_options_${port}}
    BUILD_COMMAND "${CMAKE_COMMAND}" --build <BINARY_DIR> --target ${FERMATA_PORT_TARGET}
    BUILD_ALWAYS TRUE USES_TERMINAL_BUILD TRUE INSTALL_COMMAND ""
    EXCLUDE_FROM_ALL TRUE
    DEPENDS port_libraries_${port} fermata fermata-spec)
  add_dependencies(ports port_${port})
endfunction()

# For tests/moves: how the ports' movers are run.
set(FERMATA_MOVES_MACHINES "")
foreach(port IN LISTS FERMATA_PORTS)
  if(NOT DEFINED port_${port})
    message(FATAL_ERROR "Fermata: FERMATA_PORTS has '${port}', which is not a port")
  endif()
  list(GET port_${port} 0 prefix)
  list(GET port_${port} 2 emulator)
  string(REGEX REPLACE "-$" "" triple "${prefix}")
  if(port STREQUAL "windows")
    set(command "${PROJECT_SOURCE_DIR}/cmake/ports/run-windows ${PROJECT_BINARY_DIR}/ports/windows/wine")
    set(suffix ".exe")
  else()
    set(command "${emulator} -L /usr/${triple}")
    set(suffix "")
  endif()
  list(APPEND FERMATA_MOVES_MACHINES
       "${port}=${command} ${PROJECT_BINARY_DIR}/ports/${port}/bin/mover${suffix}")
endforeach()

# Adds the ports: after all else, which they depend on.
function(fermata_add_ports)
  add_custom_target(ports)
  foreach(port IN LISTS FERMATA_PORTS)
    _fermata_add_port(${port})
    string(APPEND tests "subdirs(\"${PROJECT_BINARY_DIR}/ports/${port}\")\n")
  endforeach()
  # ctest reads it when it runs.
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/ports/tests.cmake" CONTENT "@tests@" @ONLY)
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${PROJECT_BINARY_DIR}/ports/tests.cmake")

  # Calls that move. Microcontrollers: examples/two_guests, and tests/embedded, which compiles when it
  # runs.
  foreach(target IN ITEMS moves two_guests two_guests_two_cores two_guests_boards)
    if(TARGET ${target})
      add_dependencies(ports ${target})
    endif()
  endforeach()
  if(NOT TARGET two_guests_boards)
    message(FATAL_ERROR "Fermata: the preset ports needs arm-none-eabi-g++, and clang and lld for the "
                        "examples; the README's command for the ports names the packages")
  endif()
endfunction()
