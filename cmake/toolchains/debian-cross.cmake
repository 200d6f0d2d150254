# What the toolchain files of Linux have in common: Debian's cross compilers, QEMU to run what they
# make, and libraries in FERMATA_SYSROOT (cmake/ports/unpack-packages fills it). The files that
# include this set `triple` and `qemu`.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER "${triple}-gcc")
set(CMAKE_CXX_COMPILER "${triple}-g++")
set(CMAKE_LIBRARY_ARCHITECTURE "${triple}")

# The C library's and the compiler's own files are in /usr/${triple}.
set(CMAKE_CROSSCOMPILING_EMULATOR "${qemu};-L;/usr/${triple}")

set(FERMATA_SYSROOT "" CACHE PATH "Folder with usr/include and usr/lib of the target's libraries")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FERMATA_SYSROOT)
set(CMAKE_FIND_ROOT_PATH "${FERMATA_SYSROOT}" "/usr/${triple}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
