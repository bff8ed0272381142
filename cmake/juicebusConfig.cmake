# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The juicebus authors
#
# find_package(juicebus) reads this file and gets the target juicebus::juicebus.
# The paths follow this file's own place, so the installed tree may be moved.
get_filename_component(_juicebus_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET juicebus::juicebus)
    add_library(juicebus::juicebus SHARED IMPORTED)
    set_target_properties(juicebus::juicebus PROPERTIES
        IMPORTED_LOCATION "${_juicebus_prefix}/lib/libjuicebus.so.1"
        IMPORTED_SONAME libjuicebus.so.1
        INTERFACE_INCLUDE_DIRECTORIES "${_juicebus_prefix}/include")
endif()

unset(_juicebus_prefix)
