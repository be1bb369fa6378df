# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Unit tests of libscuse-netlink and of the `scuse` command line.  Included by CMakeLists.txt.
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
scuse_control_test(cli_args scuse_cli)
scuse_control_test(cli_options scuse_cli)
scuse_control_test(cli_output scuse_cli)
scuse_control_test(cli_configfs scuse_cli)
