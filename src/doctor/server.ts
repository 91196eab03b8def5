import { type Finding, flaw, good } from './finding.ts';
import { FROM_WRITES } from './fixes.ts';

/** Servers that speak the protocol, by what they call themselves. */
export type ServerKind = 'Redis' | 'Valkey' | 'KeyDB' | 'Dragonfly' | 'Garnet' | 'other';

/** Since when there are notifications, as major * 100 + minor. */
const FIRST_VERSION = 208;

/** What a server says of itself in INFO. */
export interface Identity {
  readonly kind: ServerKind;
  /** The version that it calls its own; undefined where INFO is refused. */
  readonly own: string | undefined;
  /** The Redis that it wants to be like, as major * 100 + minor; undefined where INFO is refused. */
  readonly version: number | undefined;
  readonly runId: string | undefined;
}

/** Fields that only one kind of server has, and that hold its version unless they stand for KeyDB. */
const SIGNATURES: readonly (readonly [ServerKind, RegExp])[] = [
  ['Valkey', /^valkey_version:(\S+)/m],
  ['Dragonfly', /^dragonfly_version:(?:df-)?v?(\S+)/m],
  ['Garnet', /^garnet_version:(\S+)/m],
  ['KeyDB', /^(?:executable:.*keydb.*|mvcc_depth:.*)$/m],
];

/** @param info the sections that the server was willing to show; '' for none */
export function identify(info: string): Identity {
  const like = field(info, 'redis_version');
  const version = versionOf(like);
  const runId = field(info, 'run_id');
  for (const [kind, pattern] of SIGNATURES) {
    const found = pattern.exec(info);
    if (found !== null) return { kind, own: found[1] ?? like, version, runId };
  }
  return { kind: like === undefined ? 'other' : 'Redis', own: like, version, runId };
}

/** @returns a field of INFO; undefined where it is not there */
export function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
}

/** What follows from who it is. */
export function identityFindings({ kind, own, version }: Identity): readonly Finding[] {
  return [serverFinding(kind, own), versionFinding(kind, own, version)];
}

function serverFinding(kind: ServerKind, own: string | undefined): Finding {
  if (kind === 'other') {
    const found = own === undefined ? 'not known: INFO says nothing of it' : own;
    const consequence = 'What it does differently from Redis is not known.';
    return flaw('server', 'limited', { found, consequence });
  }
  if (kind !== 'Dragonfly' && kind !== 'Garnet') return good('server', kind);
  const consequence =
    kind === 'Dragonfly'
      ? 'It announces expired keys only, so other changes go unnoticed.'
      : 'It is not known to announce changes of keys.';
  return flaw('server', 'limited', { found: kind, consequence, fixes: [FROM_WRITES] });
}

function versionFinding(
  kind: ServerKind,
  own: string | undefined,
  version: number | undefined,
): Finding {
  if (version === undefined) {
    const consequence = 'Every command that was ever silent counts as silent.';
    return flaw('version', 'limited', { found: 'not known', consequence });
  }
  const like = kind === 'Redis' ? '' : ` (like Redis ${numbered(version)})`;
  const found = `${own ?? ''}${like}`;
  if (version >= FIRST_VERSION) return good('version', found);
  const consequence = 'Redis has keyspace notifications from 2.8 on.';
  return flaw('version', 'missing', {
    found,
    consequence,
    fixes: [{ where: 'upstream', how: 'use Redis 2.8 or newer' }],
  });
}

function versionOf(text: string | undefined): number | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text ?? '') ?? [];
  return major === undefined ? undefined : Number(major) * 100 + Number(minor);
}

/** 704 as 7.4 */
function numbered(version: number): string {
  return `${Math.floor(version / 100)}.${version % 100}`;
}
