# Windows x64, by Debian's g++-mingw-w64-x86-64 (the variant with POSIX threads) and Wine (wine64) to
# run what it makes, with libraries in FERMATA_SYSROOT (cmake/ports/build-libraries fills it).
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(triple x86_64-w64-mingw32)
set(CMAKE_C_COMPILER "${triple}-gcc-posix")
set(CMAKE_CXX_COMPILER "${triple}-g++-posix")
set(CMAKE_RC_COMPILER "${triple}-windres")
# Programs need no library beside those of Windows, so they run wherever they are.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-static")
set(CMAKE_MODULE_LINKER_FLAGS_INIT "-static")

set(FERMATA_WINE_FOLDER "${CMAKE_BINARY_DIR}/wine" CACHE PATH "Wine's settings")
set(CMAKE_CROSSCOMPILING_EMULATOR
    "${CMAKE_CURRENT_LIST_DIR}/../ports/run-windows;${FERMATA_WINE_FOLDER}")

# Wine ends a process that has used up its stack as if nothing were wrong.
set(FERMATA_NOT_EMULATED_HERE "*WhatTheHostUsesUpIsItsOwnFault*")

set(FERMATA_SYSROOT "" CACHE PATH "Folder with usr/include and usr/lib of the target's libraries")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FERMATA_SYSROOT FERMATA_WINE_FOLDER)
set(CMAKE_FIND_ROOT_PATH "${FERMATA_SYSROOT}" "/usr/${triple}")
set(CMAKE_PREFIX_PATH /usr)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
