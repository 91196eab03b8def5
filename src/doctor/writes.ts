import { type Finding, type FindingId, flaw, good } from './finding.ts';
import { FROM_WRITES } from './fixes.ts';

/** What nobody needs who takes changes from the writes that pass. */
const NOT_NEEDED: readonly FindingId[] = [
  'config-get',
  'config-set',
  'psubscribe',
  'subscribe',
  'publish',
  'proof',
  'output-buffer',
];

/** @returns what is to be said of notifications with `--source=writes`, without having looked */
export function unneededFindings(): readonly Finding[] {
  const notifications = flaw('notifications', 'limited', {
    found: 'not used, with --source=writes',
    consequence:
      'Only what is written through this proxy is noticed: not what others write, nor expired or ' +
      'evicted keys.',
  });
  const found = 'not needed, with --source=writes';
  return [notifications, ...NOT_NEEDED.map((id) => good(id, found))];
}

/** @returns findings, some of which have other consequences with `--source=writes` */
export function judgedForWrites(findings: readonly Finding[]): readonly Finding[] {
  return findings
    .filter(({ id }) => !NOT_NEEDED.includes(id))
    .map((finding) => {
      const { id, found, state, fixes } = finding;
      if (fixes.includes(FROM_WRITES)) return good(id, found);
      if (id === 'version' && state === 'missing') {
        return flaw(id, 'untried', { found, consequence: 'Older servers than 2.8 are not tried.' });
      }
      if (id !== 'role' || !found.startsWith('replica')) return finding;
      return flaw(id, 'missing', {
        found,
        consequence: 'What comes from its master would never be noticed.',
        fixes: [{ where: 'sidetrack', how: 'use the master as --upstream, or --source=events' }],
      });
    });
}
