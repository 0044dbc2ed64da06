# reprise::static and reprise::shared, both made of one prelinked object whose only global symbols are reprise_*: the rooms,
# and the bundled driver, are joined by `ld -r`, COMDAT groups dissolved (or the host's linker would merge ours with its
# own), and every other symbol made local. Exceptions pass inside as usual: .eh_frame is kept, type names compare by text.
find_program(REPRISE_LD NAMES ld.bfd ld REQUIRED)
find_program(REPRISE_OBJCOPY NAMES ${CMAKE_OBJCOPY} objcopy REQUIRED)
file(STRINGS ${PROJECT_SOURCE_DIR}/include/reprise/reprise.h abi_line REGEX "^#define REPRISE_ABI [0-9]+$")
string(REGEX MATCH "[0-9]+" REPRISE_ABI "${abi_line}")
math(EXPR REPRISE_ABI_MAJOR "${REPRISE_ABI} / 1000")
math(EXPR REPRISE_ABI_MINOR "${REPRISE_ABI} % 1000")

set(REPRISE_PRELINKED ${PROJECT_BINARY_DIR}/reprise_prelinked.o)
set(REPRISE_JOINED ${PROJECT_BINARY_DIR}/reprise_joined.o)
set(REPRISE_OBJECT_LIST ${PROJECT_BINARY_DIR}/reprise_objects.txt)
file(GENERATE OUTPUT ${REPRISE_OBJECT_LIST} CONTENT "$<JOIN:${REPRISE_OBJECTS},\n>\n")
# The driver starts itself when it is loaded (and may write to standard error) and cleans up at exit, under threads that may
# still use it: its constructor and destructor are left out. src/mongo starts it once and never cleans up.
set(REPRISE_QUIET_ARCHIVES)
set(REPRISE_QUIET_COMMANDS)
foreach(archive IN LISTS REPRISE_DRIVER_ARCHIVES)
  get_filename_component(name ${archive} NAME)
  list(APPEND REPRISE_QUIET_ARCHIVES ${PROJECT_BINARY_DIR}/quiet_${name})
  list(APPEND REPRISE_QUIET_COMMANDS COMMAND ${REPRISE_OBJCOPY} --remove-section=.init_array --remove-section=.fini_array
    ${archive} ${PROJECT_BINARY_DIR}/quiet_${name})
endforeach()
add_custom_command(OUTPUT ${REPRISE_PRELINKED}
  ${REPRISE_QUIET_COMMANDS}
  COMMAND ${REPRISE_LD} -r --force-group-allocation -o ${REPRISE_JOINED} @${REPRISE_OBJECT_LIST} ${REPRISE_QUIET_ARCHIVES}
  COMMAND ${REPRISE_OBJCOPY} --wildcard --keep-global-symbol=reprise_* ${REPRISE_JOINED} ${REPRISE_PRELINKED}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${REPRISE_JOINED}
  DEPENDS ${REPRISE_OBJECTS} ${REPRISE_OBJECT_LIST} ${REPRISE_DRIVER_ARCHIVES}
  COMMENT "Prelinking reprise" VERBATIM)
add_custom_target(reprise_prelink DEPENDS ${REPRISE_PRELINKED})
set_source_files_properties(${REPRISE_PRELINKED} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)

function(reprise_library name kind)
  add_library(reprise_${name} ${kind} ${REPRISE_PRELINKED})
  add_library(reprise::${name} ALIAS reprise_${name})
  add_dependencies(reprise_${name} reprise_prelink)
  target_include_directories(reprise_${name} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_target_properties(reprise_${name} PROPERTIES OUTPUT_NAME reprise EXPORT_NAME ${name} LINKER_LANGUAGE CXX
    ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
endfunction()
reprise_library(static STATIC)
target_link_libraries(reprise_static INTERFACE ${REPRISE_DRIVER_NEEDS})
reprise_library(shared SHARED)
target_link_libraries(reprise_shared PRIVATE ${REPRISE_DRIVER_NEEDS})
target_link_options(reprise_shared PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/capi/reprise.map -Wl,-Bsymbolic
  -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now ${REPRISE_SANITIZE_FLAGS})
set_target_properties(reprise_shared PROPERTIES SOVERSION ${REPRISE_ABI_MAJOR}
  VERSION ${REPRISE_ABI_MAJOR}.${REPRISE_ABI_MINOR}.0 LINK_DEPENDS ${PROJECT_SOURCE_DIR}/capi/reprise.map)
if(REPRISE_SANITIZE)
  target_link_options(reprise_static INTERFACE ${REPRISE_SANITIZE_FLAGS})
endif()
if(REPRISE_FUZZ)
  set_target_properties(reprise_static reprise_shared reprise_prelink PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
