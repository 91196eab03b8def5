import type { NotifyConfig } from '../config.ts';
import { type Probe, probeAny, probeTypes } from '../upstream/probe.ts';
import { type Finding, type Fix, flaw, good } from './finding.ts';
import { notifyFixes, rightFixes } from './fixes.ts';
import type { NotifyState } from './notifications.ts';
import type { Visit } from './visit.ts';

/** What is known before a change is made. */
export interface ProofParts {
  readonly notify: NotifyState;
  readonly notifyConfig: NotifyConfig;
  /** With what the keys begin that are written. */
  readonly prefix: string;
  readonly isReadOnly: boolean;
  readonly isHeard: boolean;
}

/** Changes keys of its own, which are gone a second later, and sees whether that is announced. */
export async function proofFinding(visit: Visit, parts: ProofParts): Promise<Finding> {
  const { notify, isReadOnly, isHeard } = parts;
  if (!isHeard) return unproven(parts, 'no change tried: PSUBSCRIBE is refused');
  if (notify.lacks !== '') {
    return flaw('proof', 'untried', {
      found: 'no change tried: notifications are not switched on',
      consequence: 'Ask again when they are: this check changes nothing itself.',
    });
  }
  if (isReadOnly) return believed('no change tried: the upstream is a read-only replica');
  const probe = await probeAny(visit, parts.prefix);
  if (probe instanceof Error) {
    return unproven(
      parts,
      `no key can be written: ${probe.message}`,
      rightFixes(probe, {
        user: visit.user,
        rule: '+set',
        on: `~${parts.prefix}*`,
        command: 'SET',
      }),
    );
  }
  if (probe.announced === 0) return unheard('a key that was changed was not announced');
  if (notify.set !== undefined) return good('proof', 'a key that was changed was announced');
  return await proveTypes(visit, probe);
}

/** With the setting out of sight, each type has to be tried. */
async function proveTypes(visit: Visit, probe: Probe): Promise<Finding> {
  const { heard, unheard: unheardOf, untried } = await probeTypes(visit, probe);
  if (unheardOf.length > 0) {
    return unheard(`of ${unheardOf.join(', ')} not every change was announced`);
  }
  if (untried.length === 0) {
    return good('proof', `changes were announced: ${heard.join(', ')}; evictions cannot be tried`);
  }
  return flaw('proof', 'limited', {
    found: `announced: ${heard.join(', ')}; not tried: ${untried.join(', ')}`,
    consequence: 'Changes of what was not tried go unnoticed if they are not announced.',
    fixes: [{ where: 'upstream', how: 'make sure that notify-keyspace-events holds KA' }],
  });
}

function unheard(found: string): Finding {
  return flaw('proof', 'missing', {
    found,
    consequence: 'Clients would keep old values for ever.',
    fixes: notifyFixes('KA'),
  });
}

/** No change could be made. That is bad where CONFIG does not tell either. */
function unproven(parts: ProofParts, found: string, fixes: readonly Fix[] = []): Finding {
  const { notify, notifyConfig } = parts;
  if (notify.set !== undefined || notifyConfig === 'skip') {
    return believed(found, fixes);
  }
  const skip = { where: 'sidetrack', how: '--notify-config=skip, if you know that they are on' };
  return flaw('proof', 'missing', {
    found,
    consequence: 'The proxy cannot know whether changes are announced, and trusts no cache.',
    fixes: [...fixes, skip],
  });
}

function believed(found: string, fixes: readonly Fix[] = []): Finding {
  return flaw('proof', 'untried', { found, consequence: 'The setting is believed.', fixes });
}
