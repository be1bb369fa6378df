# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests of the vtape handler: its sources together with fakes of what a worker offers (vtape_rig.c).
set(vtape_dir ${CMAKE_SOURCE_DIR}/handlers/vtape)
file(GLOB vtape_sources CONFIGURE_DEPENDS ${vtape_dir}/*.c)
list(APPEND vtape_sources ${CMAKE_SOURCE_DIR}/handlers/vchanger/link.c ${CMAKE_SOURCE_DIR}/handlers/vchanger/state.c)
add_library(vtape_rig OBJECT vtape_rig.c ${vtape_sources})
target_link_libraries(vtape_rig PUBLIC scuse_headers PkgConfig::CRITERION PkgConfig::GLIB Threads::Threads)
target_compile_definitions(vtape_rig PRIVATE _GNU_SOURCE)
if(SCUSE_PLAIN_TESTS)
  target_include_directories(vtape_rig BEFORE PRIVATE plain)
endif()

foreach(name commands crash library model power)
  scuse_unit_test(unit-vtape-${name} vtape_${name}.c)
  target_link_libraries(unit-vtape-${name} PRIVATE vtape_rig)
  target_include_directories(unit-vtape-${name} PRIVATE ${vtape_dir})
endforeach()
target_link_options(unit-vtape-power PRIVATE -Wl,--wrap=fdatasync)
