# Makes the API reference. Doxygen's warnings are errors, with one exception: a member of a class
# needs no comment if its name and type say all. Files, types, and functions outside of classes need
# one.
#
#   cmake -DDOXYGEN=… -DDOXYFILE=… -DOUTPUT=… -P build.cmake
cmake_minimum_required(VERSION 3.25)

file(MAKE_DIRECTORY "${OUTPUT}")
execute_process(COMMAND "${DOXYGEN}" "${DOXYFILE}" ERROR_VARIABLE warnings RESULT_VARIABLE result)
string(REGEX REPLACE "[^\n]*Member [^\n]* of (class|struct) [^\n]* is not documented[^\n]*\n" "" warnings
       "${warnings}")
string(REGEX REPLACE "[^\n]*Member [^\n]* .macro definition. [^\n]* is not documented[^\n]*\n" "" warnings
       "${warnings}")
if(warnings OR NOT result EQUAL 0)
  message(FATAL_ERROR "doxygen (${result}):\n${warnings}")
endif()
if(NOT EXISTS "${OUTPUT}/html/index.html")
  message(FATAL_ERROR "doxygen has not written ${OUTPUT}/html/index.html")
endif()
