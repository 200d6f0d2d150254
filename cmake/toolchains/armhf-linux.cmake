set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(triple arm-linux-gnueabihf)
set(qemu qemu-arm)
# Directories' offsets of 64 bits come through QEMU from the machine's own kernel, where one for ARM
# gives offsets of 32: readdir can't.
set(FERMATA_NOT_EMULATED_HERE "*Readdir*")
include("${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake")
