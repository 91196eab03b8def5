import type { CachingClient } from './client.ts';
import { Violation } from './oracle.ts';
import type { Upstream } from './redis.ts';
import { show } from './wire.ts';

/** Who has been told. */
interface Told {
  readonly client: CachingClient;
}

/** Everything has arrived: nobody holds what Redis does not. @throws Violation P1 */
export function holdAgainstTruth(lanes: readonly Told[], upstream: Upstream): void {
  for (const { client } of lanes) {
    client.passSilence(true);
    for (const [key, values] of client.cache) {
      for (const { db, kind, raw } of values.values()) {
        const truth = upstream.store(db).answer(kind, key, 3);
        if (raw === truth) continue;
        const place = db === 0 ? key : `${key} of database ${db}`;
        const message = `${client.name} holds ${place} = ${show(raw)}, Redis ${show(truth)}`;
        throw new Violation('P1', message);
      }
    }
  }
}

/** Everything has arrived, and the proxy is blind: nobody holds anything. @throws Violation P4 */
export function holdAgainstBlindness(lanes: readonly Told[]): void {
  for (const { client } of lanes) {
    client.passSilence(true);
    const [key] = client.cache.keys();
    if (key === undefined) continue;
    throw new Violation('P4', `${client.name} trusts its cache of ${key} while the proxy is blind`);
  }
}
