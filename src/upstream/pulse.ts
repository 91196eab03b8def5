import type { LaneListener } from './lane.ts';

/**
 * Keeps something alive as long as a connection is there: from now until that is closed.
 *
 * @param beat       called now and then
 * @param intervalMs how long until then, in milliseconds; asked again behind each beat
 * @returns who is to listen to the connection, in the place of `listener`
 */
export function beating(
  listener: LaneListener,
  beat: () => void,
  intervalMs: () => number,
): LaneListener {
  let timer: NodeJS.Timeout;
  const wait = () => {
    timer = setTimeout(() => {
      beat();
      wait();
    }, intervalMs());
  };
  wait();
  const closed = (error: Error | undefined) => {
    clearTimeout(timer);
    listener.closed(error);
  };
  return { ...listener, closed };
}
