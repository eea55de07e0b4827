# Toolchain: for AArch64 on a Debian machine of another kind, with the tests under QEMU. scripts/test_aarch64.sh uses it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L /usr/aarch64-linux-gnu)
# fmt, nlohmann-json and doctest are used as headers alone: those of the building machine serve, after the target's own.
set(CMAKE_CXX_FLAGS_INIT "-idirafter /usr/include")
file(GLOB fmt_DIR /usr/lib/*/cmake/fmt)
