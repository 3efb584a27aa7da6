# Targets of this project: one static library a folder of src/, one test binary beside it, plug-ins by family.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(tl-expected REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
if(SB_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

add_library(sb_flags INTERFACE)
target_compile_options(sb_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  -fno-omit-frame-pointer)
target_include_directories(sb_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(sb_flags INTERFACE SB_VERSION="${PROJECT_VERSION}")
# What gcc 12 says at -O3 about code inlined from libstdc++ and fmt is false as often as not: told, not fatal.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(sb_flags INTERFACE -Wno-stringop-overflow -Wno-stringop-overread)
endif()
if(SB_SANITIZE)
  target_compile_options(sb_flags INTERFACE -fsanitize=${SB_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(sb_flags INTERFACE -fsanitize=${SB_SANITIZE})
  target_compile_definitions(sb_flags INTERFACE SB_SANITIZED=1)
  # g++ 12 sees moved-from strings of results beyond their bounds once the thread sanitizer has instrumented them.
  if(SB_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(sb_flags INTERFACE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
endif()
find_program(SB_MOLD mold)
if(SB_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_link_options(sb_flags INTERFACE -fuse-ld=mold)
endif()

# Google Test is most of what a unit test reads: precompiled once, for all of them.
if(SB_TESTS)
  add_library(sb_test_headers OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch_test.cc)
  target_link_libraries(sb_test_headers PRIVATE sb_flags fmt::fmt tl::expected GTest::gtest_main GTest::gmock)
  target_precompile_headers(sb_test_headers PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch_test.h)
endif()

# sb_library(NAME [LINK targets...]): every .cc of the folder and of its detail/; *_test.cc becomes NAME_test.
function(sb_library name)
  cmake_parse_arguments(A "" "" "LINK;TEST_LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc detail/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  string(REPLACE "/" "_" target ${name})
  if(sources)
    add_library(sb_${target} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(sb_${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(sb_${target} ${scope} sb_flags ${A_LINK})
  if(sources)
    if(target STREQUAL "base")
      target_precompile_headers(sb_base PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)
    else()
      target_precompile_headers(sb_${target} REUSE_FROM sb_base)
    endif()
  endif()
  if(SB_TESTS AND tests)
    add_executable(${target}_test ${tests})
    target_link_libraries(${target}_test PRIVATE sb_${target} ${A_TEST_LINK} GTest::gtest_main GTest::gmock)
    target_precompile_headers(${target}_test REUSE_FROM sb_test_headers)
    gtest_discover_tests(${target}_test DISCOVERY_MODE PRE_TEST PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()

# sb_plugin(FAMILY NAME [LINK targets...]): a leaf; its add_to() is called by the generated catalog of its family.
function(sb_plugin family name)
  sb_library(plugin_${family}_${name} ${ARGN})
  set_property(GLOBAL APPEND PROPERTY SB_PLUGINS_${family} ${name})
endfunction()

# sb_catalog(FAMILY HEADER REGISTRY): writes catalog/FAMILY.cc that calls every plug-in's add_to(REGISTRY&).
function(sb_catalog family header registry)
  get_property(names GLOBAL PROPERTY SB_PLUGINS_${family})
  set(decls "")
  set(calls "")
  set(links "")
  foreach(name ${names})
    string(APPEND decls "namespace sb::plugins::${family}::${name} { void add_to(${registry}&); }\n")
    string(APPEND calls "  sb::plugins::${family}::${name}::add_to(registry);\n")
    list(APPEND links sb_plugin_${family}_${name})
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/catalog_${family}.cc CONTENT
"#include \"${header}\"
${decls}
namespace sb::app {
void add_${family}_plugins(${registry}& registry) {
${calls}  (void)registry;
}
}  // namespace sb::app
" @ONLY)
  add_library(sb_catalog_${family} STATIC ${CMAKE_BINARY_DIR}/generated/catalog_${family}.cc)
  target_link_libraries(sb_catalog_${family} PUBLIC sb_flags ${links})
endfunction()
