# One target carries the flags that every line of ours is compiled with.
add_library(callpark_warnings INTERFACE)
target_compile_options(callpark_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wimplicit-fallthrough -Wswitch-enum -fno-omit-frame-pointer)
if(CALLPARK_WERROR)
  target_compile_options(callpark_warnings INTERFACE -Werror)
endif()
