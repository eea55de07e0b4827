# Build conventions shared by every folder: one library target per folder, explicit sources, no global flags.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(SGL_CCACHE ccache)
if(SGL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SGL_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${SGL_CCACHE})
endif()

if(CMAKE_CROSSCOMPILING)
  # What imported targets add would come before the target's own headers (cmake/aarch64.cmake).
  list(APPEND CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES /usr/include)
endif()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)

# Flags of the project's own code: carried by an interface target, never set globally, so that generated and
# third-party sources are not held to them.
add_library(sgl_options INTERFACE)
target_compile_options(sgl_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives of these in inlined std::string and std::variant code.
  target_compile_options(sgl_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
# Trigraphs are not part of C++20, so a `??'` in a message is harmless.
target_compile_options(sgl_options INTERFACE -Wno-trigraphs)
target_include_directories(sgl_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(sgl_options INTERFACE FMT_HEADER_ONLY=1)

# The sanitizers apply to everything that is linked into one program.
if(SGL_SANITIZE)
  add_compile_options(-fsanitize=${SGL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SGL_SANITIZE})
endif()

# sgl_library(<name> SOURCES a.cc … DEPS sgl_base …): the one library of a folder.
function(sgl_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC sgl_options fmt::fmt-header-only nlohmann_json::nlohmann_json ${ARG_DEPS})
endfunction()

# sgl_unit_test(<folder> SOURCES a_test.cc … DEPS sgl_x …): one doctest binary per folder, named unit_<folder>.
function(sgl_unit_test folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  string(REPLACE "/" "_" id ${folder})
  add_executable(unit_${id} ${ARG_SOURCES} ${PROJECT_SOURCE_DIR}/tests/unit/main.cc)
  target_link_libraries(unit_${id} PRIVATE ${ARG_DEPS} sgl_options)
  add_test(NAME unit/${folder} COMMAND unit_${id} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(unit/${folder} PROPERTIES LABELS unit TIMEOUT 600)
endfunction()

# sgl_bench(<name> SOURCES … DEPS …): a benchmark program, built with everything, run by hand or by `make bench`.
function(sgl_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(bench_${name} ${ARG_SOURCES})
  target_link_libraries(bench_${name} PRIVATE ${ARG_DEPS} sgl_options)
endfunction()
