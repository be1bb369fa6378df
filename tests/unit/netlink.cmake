# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Unit tests of libscuse-netlink, of the `scuse` command line, and of what the runner keeps for it.  Included by CMakeLists.txt.
if(NOT TARGET PkgConfig::CRITERION)
  pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
endif()

function(scuse_control_test name)
  add_executable(${name} ${CMAKE_CURRENT_LIST_DIR}/${name}.c)
  target_link_libraries(${name} PRIVATE ${ARGN} PkgConfig::CRITERION)
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE SCUSE_SOURCE_DIR="${CMAKE_CURRENT_LIST_DIR}/../..")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 60)
endfunction()

scuse_control_test(netlink_names scuse_netlink)
scuse_control_test(netlink_messages scuse_netlink_internal)
scuse_control_test(netlink_sockets scuse_netlink_internal)
scuse_control_test(netlink_state scuse_netlink_internal)
scuse_control_test(cli_args scuse_cli)
scuse_control_test(cli_options scuse_cli)
scuse_control_test(cli_output scuse_cli)
scuse_control_test(cli_configfs scuse_cli)
scuse_control_test(cli_state scuse_cli)
scuse_control_test(cli_policy scuse_cli)
scuse_control_test(mode_file scuse_mode_file)

# The supervisor's keeper with the test's own functions for those of libscuse-netlink.
add_executable(mode_keeper ${CMAKE_CURRENT_LIST_DIR}/mode_keeper.c
  ${CMAKE_SOURCE_DIR}/runner/supervisor/mode.c ${CMAKE_SOURCE_DIR}/runner/supervisor/name.c
  ${CMAKE_SOURCE_DIR}/runner/worker/log.c ${CMAKE_SOURCE_DIR}/netlink/name.c)
target_link_libraries(mode_keeper PRIVATE scuse_mode_file scuse_headers PkgConfig::NL PkgConfig::CRITERION)
target_include_directories(mode_keeper PRIVATE ${CMAKE_SOURCE_DIR}/netlink/include ${CMAKE_SOURCE_DIR}/netlink)
target_compile_definitions(mode_keeper PRIVATE _GNU_SOURCE)
add_test(NAME mode_keeper COMMAND mode_keeper)
set_tests_properties(mode_keeper PROPERTIES LABELS unit TIMEOUT 60)
