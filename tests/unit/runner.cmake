# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests of the worker's parts, of the handlers, and of the data path over a simulated kernel.
function(scuse_runner_test name)
  scuse_unit_test(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE scuse_worker ${CMAKE_DL_LIBS})
  target_compile_definitions(${name} PRIVATE
    TEST_HANDLER_DIR="${CMAKE_BINARY_DIR}/handlers"
    TEST_PLUGIN_DIR="${CMAKE_CURRENT_BINARY_DIR}/plugins")
  scuse_export_to_plugins(${name})
  add_dependencies(${name} handler_file handler_memory handler_null handler_vchanger)
endfunction()

set(rig rig.c simulator.c)
scuse_runner_test(unit-caps caps.c)
scuse_runner_test(unit-claims claims.c)
scuse_runner_test(unit-confine confine.c)
target_link_libraries(unit-confine PRIVATE scuse_confine)
scuse_runner_test(unit-datapath datapath.c ${rig})
scuse_runner_test(unit-dispatch dispatch.c recorder.c ${rig})
scuse_runner_test(unit-extents extents.c)
scuse_runner_test(unit-handlers handlers.c ${rig})
scuse_runner_test(unit-loader loader.c)
scuse_runner_test(unit-medium medium.c recorder.c ${rig})
scuse_runner_test(unit-memory memory.c ${rig})
scuse_runner_test(unit-notify notify.c recorder.c ${rig})
scuse_runner_test(unit-params params.c)
scuse_runner_test(unit-raw raw.c ${rig})
scuse_runner_test(unit-ring ring.c)
scuse_runner_test(unit-sense sense.c)

# The supervisor's parts, by themselves and with a worker that the test plays.
set(runner ${CMAKE_SOURCE_DIR}/runner)
scuse_runner_test(unit-lun lun.c ${runner}/control.c ${runner}/rendezvous.c ${runner}/supervisor/budget.c
  ${runner}/supervisor/build.c ${runner}/supervisor/lun.c ${runner}/supervisor/process.c ${runner}/supervisor/spawn.c
  ${runner}/worker/link.c)
scuse_runner_test(unit-supervisor supervisor.c ${runner}/control.c ${runner}/supervisor/budget.c
  ${runner}/supervisor/build.c ${runner}/supervisor/fdstore.c ${runner}/supervisor/notify.c)
target_compile_definitions(unit-lun PRIVATE SCUSE_RUNTIME_DIR="/run/scuse")

# The memory handler's storage, killed in the middle of writes.
scuse_runner_test(unit-memory-death memory_death.c ${CMAKE_SOURCE_DIR}/handlers/memory/backing.c
  ${CMAKE_SOURCE_DIR}/handlers/memory/store.c)
target_include_directories(unit-memory-death PRIVATE ${CMAKE_SOURCE_DIR}/handlers/memory)

# The parts of the vchanger handler below its commands, and its link with drives.
set(vchanger_parts element.c inventory.c library.c link.c moves.c page.c state.c watch.c)
list(TRANSFORM vchanger_parts PREPEND ../../handlers/vchanger/)
scuse_runner_test(unit-vchanger vchanger_fixture.c vchanger_kill.c vchanger_library.c vchanger_link.c
  vchanger_report.c vchanger_commands.c ${rig} ${vchanger_parts})
target_compile_definitions(unit-vchanger PRIVATE _GNU_SOURCE)

# The sg handler's parts that need no device.
set(sg ${CMAKE_SOURCE_DIR}/handlers/sg)
scuse_unit_test(unit-sg sg.c ${sg}/command.c ${sg}/hold.c ${sg}/identify.c ${sg}/loop.c ${sg}/node.c
  ${sg}/outcome.c ${sg}/readonly.c ${sg}/rsoc.c ${sg}/timeout.c)
target_include_directories(unit-sg PRIVATE ${sg})
target_compile_definitions(unit-sg PRIVATE _GNU_SOURCE)
target_link_libraries(unit-sg PRIVATE scuse_headers PkgConfig::GLIB ${SGUTILS_LIBRARY})

# One source, many broken plugins: see plugin.c.
foreach(variant good short old-ops minor newer-major bad-magic no-open no-read both wrong-name bad-default twice
    bad-magic-param load-fails crash-load crash-open hang-open undefined)
  string(REPLACE "-" "_" define ${variant})
  add_library(plugin-${variant} MODULE plugin.c)
  target_link_libraries(plugin-${variant} PRIVATE scuse_headers)
  target_compile_definitions(plugin-${variant} PRIVATE PLUGIN_${define} PLUGIN_NAME="${variant}")
  set_target_properties(plugin-${variant} PROPERTIES PREFIX "" OUTPUT_NAME ${variant}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/plugins)
  add_dependencies(unit-loader plugin-${variant})
endforeach()

# The public headers compile by themselves, in each language that they promise.
function(scuse_header_test name language standard)
  foreach(header abi handler version netlink)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/headers/${header}-${name}.${language})
    file(CONFIGURE OUTPUT ${source} CONTENT "#include <scuse/${header}.h>\n#include <scuse/${header}.h>\nextern int @header@_used;\n" @ONLY)
    list(APPEND sources ${source})
  endforeach()
  add_library(headers-${name} OBJECT ${sources})
  target_include_directories(headers-${name} PRIVATE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/netlink/include)
  # linux/types.h has no strict C90 form: it is a system header there.
  target_compile_options(headers-${name} PRIVATE ${standard} -Wall -Wextra -Wpedantic -Werror)
endfunction()
scuse_header_test(c90 c -std=c90)
scuse_header_test(c11 c -std=c11)
scuse_header_test(cxx98 cpp -std=c++98)
scuse_header_test(cxx17 cpp -std=c++17)

# The command line of scuse-runner, and the manual pages against the tables of parameters.
add_test(NAME unit-runner-command COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/command.sh
  $<TARGET_FILE:scuse-runner> ${CMAKE_BINARY_DIR}/handlers ${CMAKE_CURRENT_BINARY_DIR}/plugins)
add_test(NAME unit-manpages COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/manpages.sh
  $<TARGET_FILE:scuse-runner> ${CMAKE_BINARY_DIR}/handlers ${CMAKE_SOURCE_DIR})
add_test(NAME unit-service COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/service.sh
  ${CMAKE_BINARY_DIR}/runner/scuse-runner.service)
# handlers/template/ is built outside the tree against an installed scuse.
add_test(NAME unit-template COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/template.sh
  ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR} $<TARGET_FILE:scuse-runner>)
set_tests_properties(unit-runner-command unit-manpages unit-service unit-template PROPERTIES LABELS unit TIMEOUT 300
  SKIP_RETURN_CODE 77)
