# SPDX-License-Identifier: GPL-2.0-or-later
# What every directory's CMakeLists.txt is written with.

add_library(holdfast_flags INTERFACE)
target_compile_features(holdfast_flags INTERFACE c_std_11)
target_compile_definitions(holdfast_flags INTERFACE _GNU_SOURCE HOLDFAST_VERSION="${PROJECT_VERSION}")
target_include_directories(holdfast_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(holdfast_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
  -Wformat=2 -Wundef -Wcast-qual -Wwrite-strings -fno-strict-aliasing -fstack-protector-strong)
if(HOLDFAST_SANITIZE)
  # Optimised a little: without, the simulator runs a third of the schedules in the same time; what it is made of has the
  # property HOLDFAST_HOT. What the sanitizers add confuses gcc's look at the sizes of texts and at what is set; the release
  # build looks, too.
  target_compile_options(holdfast_flags INTERFACE $<IF:$<BOOL:$<TARGET_PROPERTY:HOLDFAST_HOT>>,-O2,-O1> $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation> $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(holdfast_flags INTERFACE -fsanitize=address,undefined)
endif()

find_package(PkgConfig REQUIRED)
function(holdfast_package target module)
  pkg_check_modules(${target} REQUIRED IMPORTED_TARGET ${module})
endfunction()

# holdfast_library(hf_base SOURCES err.c ... LINKS hf_other ... PRIVATE PkgConfig::X)
function(holdfast_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC holdfast_flags ${arg_LINKS} PRIVATE ${arg_PRIVATE})
endfunction()

# holdfast_program(holdfast-agent SOURCES main.c LINKS hf_agent_io)
function(holdfast_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# One Check program for one module: holdfast_unit_test(base-addr SOURCES test_addr.c LINKS hf_base)
# Its tests run in one process, since a fork costs more under ASan than most tests do; FORKS: each in one of its own, for those that leave
# threads or static state behind. COST: seconds, of one that takes more than five: the longest begin first.
function(holdfast_unit_test name)
  cmake_parse_arguments(arg "FORKS" "COST" "SOURCES;LINKS" ${ARGN})
  if(NOT arg_COST)
    set(arg_COST 1)
  endif()
  if(arg_FORKS)
    set(fork yes)
  else()
    set(fork no)
  endif()
  add_executable(unit-${name} ${arg_SOURCES})
  target_link_libraries(unit-${name} PRIVATE ${arg_LINKS} PkgConfig::check)
  target_compile_options(unit-${name} PRIVATE -Wno-cast-qual)
  add_test(NAME unit-${name} COMMAND unit-${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  # Check gives a test 4 s, which is little on a busy machine.
  set_tests_properties(unit-${name} PROPERTIES LABELS unit TIMEOUT 120 COST ${arg_COST} SKIP_RETURN_CODE 77
    ENVIRONMENT "CK_FORK=${fork};CK_DEFAULT_TIMEOUT=100")
endfunction()

# A program or script that needs root and namespaces: holdfast_integration_test(wg-uapi COMMAND ... TIMEOUT 120)
# Two at a time (tests/run gives four places); of those that do little but wait (WAITS) two stand where another would. COST: seconds, of one
# that takes more than ten: the longest begin first, so that none is left alone at the end.
function(holdfast_integration_test name)
  cmake_parse_arguments(arg "WAITS" "TIMEOUT;COST" "COMMAND" ${ARGN})
  if(arg_WAITS)
    set(places 1)
  else()
    set(places 2)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(NOT arg_COST)
    set(arg_COST 10)
  endif()
  add_test(NAME integration-${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(integration-${name} PROPERTIES LABELS integration TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77 PROCESSORS ${places} COST ${arg_COST}
    ENVIRONMENT "HOLDFAST_BIN=${PROJECT_BINARY_DIR}/bin;CK_DEFAULT_TIMEOUT=100")
endfunction()
