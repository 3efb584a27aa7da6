// Long work on a thread that may share its processor with the shards: it lets them in every so often, instead of when
// the kernel takes the processor away, which is milliseconds later.
#pragma once

namespace sb {

/// Of the calling thread, once: give_way() is meant. On other threads it does nothing.
void gives_way();
/// Between small pieces of work: lets whoever waits for this processor have it, if the last time was 50 us ago or more.
/// Costs a look at the clock.
void give_way();

}  // namespace sb
