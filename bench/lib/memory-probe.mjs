/** Loaded into a process that is measured: on a message it collects its garbage and tells its memory. */
process.on('message', () => {
  globalThis.gc();
  globalThis.gc(); // what the first one has let go of outside the heap
  process.send(process.memoryUsage());
});
process.channel?.unref(); // it may end as if this were not here
