set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(triple riscv64-linux-gnu)
set(qemu qemu-riscv64)
include("${CMAKE_CURRENT_LIST_DIR}/debian-cross.cmake")
