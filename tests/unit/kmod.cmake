# SPDX-License-Identifier: GPL-2.0-only
# Unit tests of the pure headers of the kernel half; included by CMakeLists.txt.
find_package(Threads REQUIRED)
pkg_check_modules(SCUSE_KMOD_CRITERION REQUIRED IMPORTED_TARGET criterion)

foreach(name kmod_tag kmod_ring kmod_cqe kmod_sense kmod_pi kmod_reservation)
  add_executable(${name} ${CMAKE_CURRENT_LIST_DIR}/${name}.c)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/kmod ${CMAKE_CURRENT_LIST_DIR})
  target_link_libraries(${name} PRIVATE scuse_headers PkgConfig::SCUSE_KMOD_CRITERION Threads::Threads)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit)
endforeach()

# Pure files of the kernel half, tested by tests/unit/kmod_FILE.c.
foreach(file logpage modepage opcode range ua vpdpage)
  add_executable(kmod_${file} ${CMAKE_CURRENT_LIST_DIR}/kmod_${file}.c ${CMAKE_SOURCE_DIR}/kmod/${file}.c)
  target_include_directories(kmod_${file} PRIVATE ${CMAKE_SOURCE_DIR}/kmod ${CMAKE_CURRENT_LIST_DIR})
  target_link_libraries(kmod_${file} PRIVATE scuse_headers PkgConfig::SCUSE_KMOD_CRITERION Threads::Threads)
  add_test(NAME kmod_${file} COMMAND kmod_${file})
  set_tests_properties(kmod_${file} PROPERTIES LABELS unit)
endforeach()
target_sources(kmod_opcode PRIVATE ${CMAKE_SOURCE_DIR}/kmod/optable.c)
