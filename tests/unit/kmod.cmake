# SPDX-License-Identifier: GPL-2.0-only
# Unit tests of the pure headers of the kernel half; included by CMakeLists.txt.
find_package(Threads REQUIRED)
pkg_check_modules(SCUSE_KMOD_CRITERION REQUIRED IMPORTED_TARGET criterion)

foreach(name kmod_budget kmod_tag kmod_ring kmod_cqe kmod_orphan kmod_sense kmod_pi kmod_reservation kmod_watch)
  add_executable(${name} ${CMAKE_CURRENT_LIST_DIR}/${name}.c)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/kmod ${CMAKE_CURRENT_LIST_DIR})
  target_link_libraries(${name} PRIVATE scuse_headers PkgConfig::SCUSE_KMOD_CRITERION Threads::Threads)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit)
endforeach()

# Pure files of the kernel half, tested by tests/unit/kmod_FILE.c.
foreach(file logpage mask modepage opcode range rawprobe rawroute relayrule ua vpdpage)
  add_executable(kmod_${file} ${CMAKE_CURRENT_LIST_DIR}/kmod_${file}.c ${CMAKE_SOURCE_DIR}/kmod/${file}.c)
  target_include_directories(kmod_${file} PRIVATE ${CMAKE_SOURCE_DIR}/kmod ${CMAKE_CURRENT_LIST_DIR})
  target_link_libraries(kmod_${file} PRIVATE scuse_headers PkgConfig::SCUSE_KMOD_CRITERION Threads::Threads)
  add_test(NAME kmod_${file} COMMAND kmod_${file})
  set_tests_properties(kmod_${file} PROPERTIES LABELS unit)
endforeach()
target_sources(kmod_opcode PRIVATE ${CMAKE_SOURCE_DIR}/kmod/optable.c)
target_sources(kmod_mask PRIVATE ${CMAKE_SOURCE_DIR}/kmod/maskmode.c)

# The table of raw LUNs' commands: made as kmod/Kbuild makes it, then read; and what its generator refuses.
find_program(SCUSE_AWK NAMES awk REQUIRED)
set(rawtable ${CMAKE_CURRENT_BINARY_DIR}/rawtable.c)
add_custom_command(OUTPUT ${rawtable}
  COMMAND sh -c "\"$1\" -f \"$2\" \"$3\" >\"$4.new\" && mv \"$4.new\" \"$4\"" sh
          ${SCUSE_AWK} ${CMAKE_SOURCE_DIR}/kmod/rawtable.awk ${CMAKE_SOURCE_DIR}/kmod/raw.table ${rawtable}
  DEPENDS ${CMAKE_SOURCE_DIR}/kmod/rawtable.awk ${CMAKE_SOURCE_DIR}/kmod/raw.table
  VERBATIM)
add_library(scuse_rawtable OBJECT ${rawtable})
target_include_directories(scuse_rawtable PRIVATE ${CMAKE_SOURCE_DIR}/kmod ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(scuse_rawtable PUBLIC scuse_headers)

add_executable(kmod_rawtable ${CMAKE_CURRENT_LIST_DIR}/kmod_rawtable.c ${CMAKE_SOURCE_DIR}/kmod/optable.c)
target_include_directories(kmod_rawtable PRIVATE ${CMAKE_SOURCE_DIR}/kmod ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(kmod_rawtable PRIVATE scuse_rawtable PkgConfig::SCUSE_KMOD_CRITERION Threads::Threads)
add_test(NAME kmod_rawtable COMMAND kmod_rawtable)
add_test(NAME kmod_rawtable_generator COMMAND ${CMAKE_CURRENT_LIST_DIR}/rawtable.sh ${CMAKE_SOURCE_DIR}/kmod)
set_tests_properties(kmod_rawtable kmod_rawtable_generator PROPERTIES LABELS unit)
