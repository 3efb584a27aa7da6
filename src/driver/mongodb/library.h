// The start of the MongoDB client library, which its own constructor makes in every process that loads it.
#pragma once

namespace sb::driver::mongodb {

/// Before the library's constructor, that is from `.preinit_array`: its warnings stay off a command's output.
void silence_library();

/// At the start of main: takes the name of the library's counters out of /dev/shm, where a killed process would leave
/// it for ever; nobody but the process itself reads them.
void unname_counters();

/// Its messages into our log, from now on. Any thread, any number of times.
void prepare_library();

}  // namespace sb::driver::mongodb
